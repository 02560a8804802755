#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# init: systemd
#
# A guest with systemd as its init runs services.
. /tests/lib.sh

t_is "PID 1 is systemd" systemd "$(cat /proc/1/comm)"
t_allowed "a service runs" systemctl start redis-server
t_is "and works" PONG "$(redis-cli ping)"
t_done
