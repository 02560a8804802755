#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 300
#
# Names on a disk, where the kernel forgets them: files opened by handle, and made where nothing is cached;
# attributes that are set by ioctl or file_setattr(2).
. /tests/lib.sh

attempt=/tests/bin/attempt
cat >policy.yaml <<P
version: 1
name: disk
default: {file: deny, exec: allow, socket: allow, capability: allow}
file:
  - {allow: rw, path: [/dev/null, /proc/sys/vm/drop_caches, "$PWD/**"]}
  - {allow: read, path: /tests/}
  - {allow: all, path: /disk/ok/}
  - {allow: [read, write], path: /disk/exists/}
P
mkdir -p /disk/ok /disk/no /disk/exists
for f in ok/f no/f exists/f exists/cold exists/cold2; do echo content >/disk/$f; done

cat >table <<T
ok handle warm r /disk/ok/f /disk/ok
EACCES handle warm r /disk/no/f /disk/ok
# forgotten: a handle leads to a file without a name, a path to the one it has
EACCES handle cold r /disk/exists/f /disk/ok
EACCES handle cold r /disk/no/f /disk/ok
ok open r /disk/exists/f
# what exists need not be created, even where the kernel first thinks so
ok open r,creat /disk/exists/cold
ok open w,creat /disk/exists/cold2
EACCES open w,creat /disk/exists/new
ENOENT exists /disk/exists/new
EACCES ioctl r /disk/exists/f
ok ioctl r /disk/ok/f
ok chmod /disk/ok/f
EACCES chmod /disk/exists/f
ok setxattr user.x /disk/ok/f
EACCES setxattr user.x /disk/exists/f
EACCES setxattr user.x /disk/no/f
T
case $($attempt setattr /disk/no/f) in
ENOSYS) t_skip "this kernel has no file_setattr()" ;;
*) printf '%s\n' "ok setattr /disk/ok/f" "EACCES setattr /disk/exists/f" "EACCES setattr /disk/no/f" >>table ;;
esac
sync
echo 3 >/proc/sys/vm/drop_caches
policyctl run --json --policy "$PWD/policy.yaml" -- $attempt <table 2>events
t_is "the table was as expected" 0 $?
t_allowed "event: no name" grep -q '"operation":"open".*"reason":"unreachable"' events
t_allowed "event: a refused creation of what may exist says so" grep -q '"path":"/disk/exists/cold".*"maybe_exists":true' events
t_done
