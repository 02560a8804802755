#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cmdline: lsm=apparmor
#
# A kernel whose active security modules do not include bpf: nothing pretends to enforce.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
web=/etc/policyd/policies/web.yaml
policy $web web
remedy="*without the BPF LSM*add bpf to the lsm= boot parameter*"
policyd 2>err
t_is "policyd fails" 1 $?
t_like "and says what to do" "$remedy" "$(cat err)"
t_is "in one line" 1 "$(grep -c . err)"
policyctl run --policy $web -- touch ran 2>err
t_is "policyctl run fails" 2 $?
t_like "and says what to do" "$remedy" "$(cat err)"
t_allowed "the command did not run" test ! -e ran
t_is "no cgroup is left" "" "$(ls -d /sys/fs/cgroup/policyd.run 2>/dev/null)"
policyctl doctor >out 2>&1
t_is "policyctl doctor: status 1" 1 $?
t_like "policyctl doctor: it failed, and what to do" "*failed*BPF LSM*add bpf to the lsm=*" "$(cat out)"
t_allowed "check works" policyctl check $web
policyctl test $web read /secret >/dev/null
t_is "test works" 1 $?
t_allowed "detach has nothing to do" policyctl detach
t_is "nothing is pinned" "" "$(ls /sys/fs/bpf)"
t_done
