#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# policyd is killed, again and again, under attack; starts again with good and with bad policies; is asked
# to end by those it confines. Only detach from outside ends enforcement, and it leaves nothing.
. /tests/lib.sh
. /tests/cases/life.inc.sh

KILLS=$((3 * SOAK))
# No daemon, no hook: that would last longer. At full speed, as in 60-reload, every start would take thrice as long.
export HAMMER_PAUSE=1000

prepare
events=/var/log/policyd/events.jsonl
web=/etc/policyd/policies/web.yaml
pins() { find /sys/fs/bpf -mindepth 1 2>/dev/null; }

### first start
printf 'version: 1\nname: web\ndefault: deny\nexec:\n  - {alow: /bin/true}\n' >$web
policyd 2>err
t_is "a bad policy at the first start is fatal" 2 $?
t_like "and said with file, line and column" "*$web:5:6: *" "$(cat err)"
t_is "nothing is pinned" "" "$(pins)"
policy $web web
start_policyd
t_allowed "confined" once
policyd 2>err
t_is "a second policyd refuses" 1 $?
t_like "and names the first" "*running already, as process ${daemon:-?}*" "$(cat err)"
t_is "the first is unharmed" enforcing "$(state)"

### killed, at times in the middle of a reload, and started again, all under attack
hammer_on beat 1
for i in $(seq $KILLS); do
	policy $web web "  - {deny: read, path: '/tmp/$i/**/b*'}"
	[ $((i % 2)) = 0 ] || { kill -HUP "$daemon" && usleep $((i * 7000)); }
	kill_policyd
	lines=$(grep -c . $events)
	t_allowed "kill $i: the attack goes on" goes_on beat
	once # its event waits in the ring
	t_is "kill $i: nobody writes events now" "$lines" "$(grep -c . $events)"
	start_policyd
	t_like "kill $i: what was in force is taken over" '*"state":"enforcing"*"adopted":true*' "$(policyctl status --json)"
	arrived() { tail -n +$((lines + 1)) $events | grep -q '"/secret"'; }
	t_soon 30 "kill $i: what happened meanwhile is told" arrived
done
no_escape "$KILLS kills and starts" beat
t_like "policyd said so" "*adopted from a former policyd*" "$(cat log)"
hammer_off
adds_up "after $KILLS kills" denials

### started with a bad policy, and one loaded by hand
policy loaded.yaml loaded
hammer_on beat 1
t_allowed "another policy for the same program, by hand" policyctl load loaded.yaml
kill_policyd
echo 'version: 2' >/etc/policyd/policies/zz.yaml
start_policyd
t_allowed "started with a bad policy among good ones: still denied" once
t_is "status: stale" stale "$(state)"
t_like "status names the place" "*trouble*zz.yaml:1:10: *" "$(policyctl status)"
t_is "with status 1" 1 "$(policyctl status >/dev/null; echo $?)"
t_like "list shows what is in force" "*web*stale*" "$(policyctl list --json)"
t_allowed "and by hand" goes_on beat
rm /etc/policyd/policies/zz.yaml
t_soon 20 "put right, all is well" sh -c 'policyctl status >/dev/null'
t_allowed "and denied" once

### a policy goes while its tasks run
rm $web
t_soon 20 "the first has gone" sh -c '! policyctl list | grep -q ^web'
no_escape "one policy comes, the other goes" beat
t_allowed "unload while its tasks run" policyctl unload loaded
escaped() { [ "$(hammer read beat | cut -d ' ' -f 4)" -gt 0 ]; }
t_soon 20 "they are free" escaped
t_is "idle" idle "$(state)"
hammer_off
policy $web web
t_soon 20 "a policy comes back" once

### from inside, as root, with everything allowed that has no name of its own
cat >inside.yaml <<-P
	version: 1
	name: inside
	match: [{exe: /tests/inside/busybox}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file:
	  - {deny: [read, write], path: /secret}
P
mkdir /tests/inside && cp /usr/bin/busybox /tests/inside
t_allowed "a policy for a shell" policyctl load inside.yaml
inside() { /tests/inside/busybox sh -c "$1"; }
t_denied "confined" inside 'cat /secret'
t_allowed "but no more than that" inside 'cat /twin'
link=$(find /sys/fs/bpf/policyd -path '*links/file_open')
inside "rm -f $link; rm -rf /sys/fs/bpf/policyd" 2>/dev/null
t_allowed "the pins cannot be removed from inside" test -e "$link"
inside "kill -9 $daemon; kill -STOP $daemon" 2>/dev/null
t_is "nor policyd killed" enforcing "$(state)"
t_allowed "policyctl asks from inside" inside 'policyctl status'
for request in "unload inside" "mode inside disabled" load detach; do
	t_like "but does not $request" "*only a process that is not confined*" "$(inside "policyctl $request" 2>&1)"
done
t_is "nor the policy unloaded, switched off or detached" "inside enforce" \
	"$(policyctl list --json | sed 's/.*"name":"\(inside\)","mode":"\([a-z]*\)".*/\1 \2/')"
t_denied "still confined" inside 'cat /secret'

### detach
# What is attached is among the kernel's symbols, as is all compiled code.
no_programs() { ! grep -q ' bpf_prog_[0-9a-f]*_\(file_open\|task_alloc\|guard_sysctl\|task_newtask\)' /proc/kallsyms; }
echo 1 >/proc/sys/net/core/bpf_jit_kallsyms
hammer_on beat 1
if no_programs; then t_fail "programs are seen"; else t_ok "programs are seen"; fi
t_allowed "detach" policyctl detach
rm -f once; hammer once /secret /twin 1 1
t_is "it is over when detach returns" "attempts 1 escaped 1 refused 0 other 0" "$(hammer read once)"
t_is "what was loaded by hand is forgotten" "" "$(ls -d /run/policyd/policies /run/policyd/modes.json 2>/dev/null)"
ended() { ! grep -qs 'State:.[^ZX]' "/proc/$daemon/status"; }
t_soon 20 "policyd ends" ended
wait "$daemon"
t_is "without an error" 0 $?
t_soon 20 "the formerly denied succeeds" escaped
t_is "no pins" "" "$(pins)"
t_is "no socket, no notes of runs" "" "$(find /run/policyd -name '*.sock' -o -path '*/runs/*')"
t_soon 20 "no programs" no_programs
echo 1 >/proc/sys/kernel/ftrace_enabled && t_ok "ftrace_enabled can be written again"
hammer_off
t_done
