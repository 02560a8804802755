#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
#
# policyd itself: one of it, what it gives up, reloading, dying, starting again, and who may ask.
. /tests/lib.sh

t_eventually() { # SECONDS TEXT COMMAND...
	seconds=$1 text=$2
	shift 2
	if t_wait "$seconds" "$@"; then t_ok "$text"; else t_fail "$text" "not within $seconds s: $*"; fi
}

mkdir -p /etc/policyd/policies
mkdir -p /opt/confined
cp /usr/bin/busybox /opt/confined/busybox
echo secret >/secret
echo other >/other
policy() { # PATH NAME MODE SECRET
	cat >"$1" <<-P
	version: 1
	name: $2
	mode: $3
	match: [{exe: /opt/confined/busybox}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file:
	  - {deny: [read, modify], path: $4}
	P
}
web=/etc/policyd/policies/web.yaml
ready() { policyctl status >/dev/null 2>&1 || [ $? = 1 ]; }
start() {
	echo "# $(cut -d " " -f 1 /proc/uptime)"
	policyd "$@" 2>>log &
	daemon=$!
	t_wait 60 ready || t_fail "policyd starts" "$(cat log)"
}
blocked() { ! /opt/confined/busybox cat "$1" >/dev/null 2>&1; }
free() { /opt/confined/busybox cat "$1" >/dev/null 2>&1; }
trouble() { policyctl status | grep -q trouble; }

printf 'nonsense\n' >$web
policyd 2>err
t_is "a wrong policy at the first start is fatal" 1 $?
t_like "and is named" "*web.yaml:1:1: *" "$(cat err)"
t_is "nothing is half-loaded" "" "$(ls /sys/fs/bpf)"
policy $web web enforce /secret
chmod 666 $web
policyd 2>err
t_like "a policy that others may write is refused" "*web.yaml*others*" "$(cat err)"
chmod 644 $web
t_allowed "policyd -n finds nothing wrong" policyd -n

start
t_is "policyctl status" 0 "$(policyctl status >/dev/null; echo $?)"
t_denied "confined" /opt/confined/busybox cat /secret
t_allowed "confined, allowed" /opt/confined/busybox cat /other
t_allowed "not confined" cat /secret
policyd 2>err
t_is "a second policyd refuses" 1 $?
t_like "and names the first" "*running already, as process $daemon" "$(cat err)"

status=/proc/$daemon/status
t_is "it has few capabilities" 000000c400001000 "$(awk '/CapEff/ {print $2}' $status)"
t_is "and cannot gain any" "0000000000000000 1" "$(awk '/CapBnd/ {b=$2} /NoNewPrivs/ {n=$2} END {print b, n}' $status)"
t_is "its system calls are filtered" 2 "$(awk '/Seccomp:/ {print $2}' $status)"
switches() { awk '/ctxt_switches/ {s += $2} END {print s}' $status; }
before=$(switches)
sleep 3
t_is "idle, it never wakes up" "$before" "$(switches)"

### reload
policy $web web enforce /other
t_eventually 20 "a changed policy is in force by itself" blocked /other
t_allowed "and the old one is not" /opt/confined/busybox cat /secret
echo nonsense >/etc/policyd/policies/zzz.yaml
t_eventually 20 "status tells of a wrong file" trouble
t_is "with status 1" 1 "$(policyctl status >/dev/null; echo $?)"
t_denied "what was in force stays" /opt/confined/busybox cat /other
rm /etc/policyd/policies/zzz.yaml
t_eventually 20 "and the trouble ends with it" sh -c '! policyctl status | grep -q trouble'
policy $web web enforce /secret
kill -HUP $daemon
t_eventually 20 "SIGHUP reloads" blocked /secret
t_allowed "mode audit" policyctl mode web audit
t_allowed "now it may" /opt/confined/busybox cat /secret
t_eventually 10 "which is reported" sh -c 'policyctl events --verdict would_deny | grep -q /secret'
t_allowed "mode default" policyctl mode web default
t_denied "now it may not" /opt/confined/busybox cat /secret

### load
policy "$PWD/more.yaml" more enforce /other
t_allowed "load" policyctl load more.yaml
t_denied "both count" /opt/confined/busybox cat /other
t_denied "both count, the first too" /opt/confined/busybox cat /secret
policy "$PWD/dup.yaml" web enforce /other
t_like "a second policy of one name is refused" "*named 'web' is in /etc/policyd/policies/web.yaml:2*" "$(policyctl load dup.yaml 2>&1)"
sed 's/^match.*/match: [{exe: "\/**"}]/; s/^default.*/default: deny/; s/^name.*/name: all/' more.yaml >all.yaml
t_like "a policy for everything is refused" "*would confine every task*" "$(policyctl load all.yaml 2>&1)"
sed 's/^match.*/match: [{image: x}]/; s/^name.*/name: box/' more.yaml >box.yaml
t_like "a policy for containers is refused" "*cannot enforce yet*" "$(policyctl load box.yaml 2>&1)"

### it dies
kill -9 $daemon
wait $daemon 2>/dev/null
t_denied "policyd killed: still denied" /opt/confined/busybox cat /secret
t_denied "policyd killed: still denied, loaded by hand" /opt/confined/busybox cat /other
start
t_denied "started again: still denied" /opt/confined/busybox cat /secret
t_denied "started again: still denied, loaded by hand" /opt/confined/busybox cat /other
t_like "it took over" '*"adopted":true*' "$(policyctl status --json)"
kill $daemon
wait $daemon
t_is "stopped: no error" 0 $?
t_denied "stopped: still denied" /opt/confined/busybox cat /secret
echo nonsense >$web
start
t_denied "with a wrong policy it keeps what was in force" /opt/confined/busybox cat /secret
t_like "and says so" "*former policyd*" "$(policyctl status)"
policy $web web enforce /secret
t_eventually 20 "until it is right again" sh -c 'policyctl status >/dev/null'
t_allowed "unload" policyctl unload more
t_allowed "then it counts no more" /opt/confined/busybox cat /other

### who may ask
t_like "others may not even connect" "*Permission denied*" "$(su user -c 'policyctl status' 2>&1)"
kill $daemon
wait $daemon
echo 'socket: {group: user}' >c.yaml
start -c "$PWD/c.yaml"
t_allowed "the group may ask" su user -c 'policyctl status'
t_like "but change nothing" "*only root*" "$(su user -c 'policyctl mode web disabled' 2>&1)"
t_denied "really" /opt/confined/busybox cat /secret
printf 'garbage' | nc -w 2 local:/run/policyd/policyd.sock >/dev/null 2>&1
t_allowed "garbage does not hurt it" policyctl status

### events
/opt/confined/busybox cat /secret 2>/dev/null
t_eventually 10 "events are in the file" grep -q '"/secret"' /var/log/policyd/events.jsonl
t_like "explain knows the rule" "*web.yaml:7*" "$(policyctl events --json --path /secret -n 1 | policyctl explain)"
policyctl events --follow -n 0 >followed &
follower=$!
sleep 0.5
/opt/confined/busybox cat /secret 2>/dev/null
t_eventually 10 "and can be followed" grep -q /secret followed
kill $follower

t_allowed "doctor" policyctl doctor
t_allowed "detach" policyctl detach
wait $daemon
t_is "policyd has ended well" 0 $?
t_allowed "nothing is enforced" /opt/confined/busybox cat /secret
t_is "nothing is pinned" "" "$(ls /sys/fs/bpf)"
t_allowed "detach again" policyctl detach
t_allowed "doctor on its own" policyctl doctor
t_is "which leaves nothing" "" "$(ls /sys/fs/bpf)"
t_done
