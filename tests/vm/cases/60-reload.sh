#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Reloading under attack: two processes open a forbidden file in a tight loop while policies are swapped
# under them, modes are switched and bad policies arrive. Nothing gets through, nothing allowed is refused.
. /tests/lib.sh
. /tests/cases/life.inc.sh

RELOADS=$((100 * SOAK)) # between policies that need the same hooks
SWAPS=$((4 * SOAK))	# between ones that do not: hooks come and go, each new one proved

prepare
web=/etc/policyd/policies/web.yaml alt=/etc/policyd/policies.not
policy $alt/a.yaml web
policy $alt/b.yaml web '  - {deny: create, path: "/nowhere/**"}' '  - {deny: read, path: "/tmp/**/never*"}'
cat >$alt/deny.yaml <<-P
	version: 1
	name: web
	match: [{exe: /tests/bin/hammer}]
	default: deny
	file:
	  - {allow: [read, write], path: ["$PWD/*", /twin]}
	  - {deny: [read, write], path: /secret}
	exec: [{allow: /tests/bin/hammer}]
P
policy $web web
start_policyd
generation() { policyctl status --json | sed 's/.*"generation":\([0-9]*\).*/\1/'; }
# Each change is swapped in once, by the request or by inotify, whichever is first.
swap() { # COUNT FILE TEXT: FILE and a.yaml in turns
	before=$(generation) start=$(date +%s)
	control reload "$1" $web "$2" $alt/a.yaml >err 2>&1 || t_fail "$1 $3" "$(cat err)"
	t_is "$1 $3" "$1" $(($(generation) - before))
	echo "# $1 $3: $(($(date +%s) - start)) s"
}
put() { # FILE
	cp "$1" $web.part && mv $web.part $web
}
hammer_on beat 2
t_is "a reload that changes nothing says so" '{"ok":true,"changed":false,"policies":1}' "$(control ask '{"v":1,"command":"reload"}')"

swap $RELOADS $alt/b.yaml "reloads under attack"
no_escape "$RELOADS reloads" beat
t_allowed "the attack was still going on" goes_on beat

swap $SWAPS $alt/deny.yaml "swaps to default-deny and back"
no_escape "$SWAPS swaps" beat
t_allowed "the attack was still going on after them" goes_on beat

### by inotify and SIGHUP, in a hurry
before=$(generation)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	put $alt/b.yaml
	kill -HUP "${daemon:-0}"
	put $alt/a.yaml
	policyctl load >/dev/null
done
t_allowed "SIGHUP, inotify and load, mixed" test "$(generation)" -gt "$before"
no_escape "SIGHUP, inotify and load" beat

### bad policies among the good one
policy /etc/policyd/policies/good.yaml good
sed -i 's/hammer}/other}/' /etc/policyd/policies/good.yaml
t_allowed "another good policy" policyctl load
printf 'version: 1\nname: bad\ndefault: deny\nfile:\n  - {allow: raed, path: /etc/hosts}\n' >bad.yaml
cp bad.yaml /etc/policyd/policies/bad.yaml
trouble() { policyctl status | grep -q "trouble .*/etc/policyd/policies/bad.yaml:5:13: "; }
t_soon 20 "inotify: refused, with file, line and column" trouble
kill -HUP "${daemon:-0}"
t_soon 20 "SIGHUP: refused, with file, line and column" said "bad.yaml:5:13: .*stay as they were"
out=$(policyctl load 2>&1)
t_like "load: refused, with status 2, file, line and column" "2 *bad.yaml:5:13: *" "$? $out"
out=$(policyctl load bad.yaml 2>&1)
t_like "load FILE: so too" "2 *bad.yaml:5:13: *" "$? $out"
t_like "the whole set stays as it was" "*good*web*" "$(policyctl list | tr '\n' ' ')"
t_is "and in force" enforcing "$(state)"
policy /etc/policyd/policies/web.yaml web '  - {deny: read, path: /twin}'
t_is "with one bad policy no other changes either" 2 "$(policyctl load >/dev/null 2>&1; echo $?)"
no_escape "bad policies" beat
put $alt/a.yaml
rm /etc/policyd/policies/bad.yaml
t_allowed "without it all is well" policyctl load
t_is "as status says" 0 "$(policyctl status >/dev/null; echo $?)"
hammer_off

### modes under load: whatever is switched, a second policy goes on denying
policy /etc/policyd/policies/web.yaml web
sed 's/^name:.*/name: also/' $web >/etc/policyd/policies/also.yaml
t_allowed "two policies" policyctl load
hammer_on beat 2
for mode in audit enforce disabled enforce audit default; do
	policyctl mode also $mode >/dev/null || t_fail "mode also $mode"
done
no_escape "modes of another policy" beat
hammer_off
t_allowed "one in audit mode" policyctl mode also audit
t_allowed "both in audit mode" policyctl mode web audit
t_is "then it may" "attempts 1 escaped 1 refused 0 other 0" "$(once; hammer read once)"
t_allowed "enforcing again" policyctl mode web enforce
t_allowed "then it may not" once
adds_up "after all that" denials
adds_up "after all that" notices
t_allowed "detach" policyctl detach
t_done
