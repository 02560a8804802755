#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
#
# The Debian guest has the servers, on an ordinary file system.
. /tests/lib.sh

t_is "the root is ext4" ext2/ext3 "$(stat -f -c %T /)"
for program in nginx redis-server psql curl ping nc strace bpftool python3 setcap getfattr unshare nsenter; do
	t_allowed "$program is there" command -v $program
done
t_is "nginx serves" "<title>Welcome to nginx!</title>" "$(nginx && curl -s http://127.0.0.1/ | grep title)"
t_done
