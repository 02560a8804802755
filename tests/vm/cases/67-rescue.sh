#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cmdline: policyd.enforce=0
# timeout: 300
#
# policyd.enforce=0 on the kernel's command line: all commands work, refuse nothing, and say so.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
web=/etc/policyd/policies/web.yaml
policy $web web
policyctl run --policy $web -- cat /secret >out 2>err
t_is "policyctl run alone: nothing is refused" "0 secret" "$? $(cat out)"
t_like "said aloud" "*NOTHING IS ENFORCED*" "$(cat err)"
t_like "and what would be" "*would_deny*/secret*" "$(cat err)"
# Even a policy that would lock everybody out does not, though somebody insisted on it.
echo 'allow_dangerous: [all]' >/etc/policyd/policyd.yaml
printf 'version: 1\nname: all\nmatch: [{exe: "/**"}]\ndefault: deny\n' >/etc/policyd/policies/all.yaml
start_policyd
t_allowed "a policy against everything refuses nothing" cat /secret
t_like "said in the log" "*NOTHING IS ENFORCED*" "$(cat log)"
t_is "status: rescue" rescue "$(state)"
policyctl doctor >out 2>&1
t_is "doctor: status 1" "1" $?
t_like "doctor says why" "*failed*policyd.enforce=0*" "$(cat out)"
t_allowed "policies can be put right: mode" policyctl mode all disabled
policyctl mode web enforce
t_like "no mode makes it enforce" "*web*audit*" "$(policyctl list | grep ^web)"
t_is "as status says" rescue "$(state)"
rm -f once; hammer once /secret /twin 1 1
t_is "nothing is refused still" "attempts 1 escaped 1 refused 0 other 0" "$(hammer read once)"
would() { policyctl events --verdict would_deny | grep -q '/secret'; }
t_soon 10 "events tell what would be" would
kill_policyd
t_allowed "killed: nothing is refused" cat /secret
start_policyd
t_allowed "started again: nothing is refused" cat /secret
t_allowed "detach" policyctl detach
t_done
