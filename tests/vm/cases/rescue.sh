#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cmdline: policyd.enforce=0
#
# policyd.enforce=0 on the kernel's command line: everything is in audit mode, loudly.
. /tests/lib.sh

mkdir -p /etc/policyd/policies
mkdir -p /opt/confined
cp /usr/bin/busybox /opt/confined/busybox
cat >/etc/policyd/policies/web.yaml <<'P'
version: 1
name: web
match: [{exe: /opt/confined/busybox}]
default: deny
P
policyd 2>log &
t_wait 60 test -S /run/policyd/policyd.sock || t_fail "policyd starts" "$(cat log)"
t_allowed "nothing is refused" /opt/confined/busybox cat /etc/hostname
t_like "the daemon says so" "*NOTHING IS ENFORCED*" "$(cat log)"
t_like "status says so" "*NOTHING IS ENFORCED*" "$(policyctl status)"
t_is "with status 1" 1 "$(policyctl status >/dev/null; echo $?)"
t_wait 10 sh -c 'policyctl events --verdict would_deny | grep -q hostname'
t_is "events tell what would be" 0 $?
policyctl detach
t_done
