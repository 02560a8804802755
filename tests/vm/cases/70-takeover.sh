#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# One policyd takes over from another, and cannot; enforcement is ended, and cannot be. What was enforced
# before is enforced after.
. /tests/lib.sh
. /tests/cases/life.inc.sh
export HAMMER_PAUSE=1000 # as in 61-survival

prepare
echo 1 >/proc/sys/net/core/bpf_jit_kallsyms # what is attached is among the kernel's symbols
policy /etc/policyd/policies/web.yaml web "  - {deny: lock, path: '/nothing'}"
start_policyd
t_allowed "confined" once
pins=$(echo /sys/fs/bpf/policyd/abi-*)
judges() { find "$pins"/judges -type f | sed 's,.*/,,' | sort; }
links() { find "$pins"/links -type f | wc -l; }
before=$(judges) attached=$(links)
hammer_on beat 1

### a policyd whose program of file_lock lets everything pass: the other one's refuses what it does not
kill_policyd
policyd-blind 2>err
t_is "a policyd that does not refuse ends" 1 $?
t_like "and names the hook" "*hooks did not refuse what a test process did: file_lock (done)*" "$(cat err)"
t_is "the judges are those of the one before" "$before" "$(judges)"
t_is "and so are the hooks" "$attached" "$(links)"
t_allowed "still confined" once
start_policyd
t_like "the right one takes over" '*"state":"enforcing"*"adopted":true*' "$(policyctl status --json)"
t_allowed "confined, too" once
fresh() { [ "$(judges | wc -l)" = "$(echo "$before" | wc -l)" ] && [ "$(judges)" != "$before" ]; }
t_soon 60 "only its own judges are left" fresh
t_allowed "and answer" once
no_escape "two take over" beat

### what policyd has not made keeps it from ending enforcement, before it begins to
mkdir "$pins"/judges/mine
policyctl detach 2>err
t_is "detach fails" 2 $?
t_like "and names what is in its way" "*judges/mine is not policyd's; nothing was detached: remove it*" "$(cat err)"
t_is "enforcing" enforcing "$(state)"
t_is "with all hooks" "$attached" "$(links)"
t_allowed "still confined" once
no_escape "a detachment that cannot be" beat
hammer_off
t_allowed "and policyctl run works" policyctl run --policy web -- true
rmdir "$pins"/judges/mine

### a hook that somebody else holds refuses nothing any more, though its judges are gone
holdpin "$pins/links/file_open" >held &
holder=$!
t_soon 10 "a hook is held" grep -q held held
t_allowed "detach" policyctl detach
t_like "which is still attached" "* bpf_prog_*_file_open*" "$(grep ' bpf_prog_' /proc/kallsyms)"
rm -f once; hammer once /secret /twin 1 1
t_is "the hook that is held lets everything pass" "attempts 1 escaped 1 refused 0 other 0" "$(hammer read once)"
kill $holder
t_done
