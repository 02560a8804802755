#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# kill: true. Who tries what such a rule denies is ended at once, with all its threads; nobody else is.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

default='default: {file: allow, exec: allow, socket: allow, capability: allow}'
rules() { # KEYS
	cat <<-R
	$default
	file:
	  - {deny: read, path: /case/deadly$1}
	  - {deny: read, path: /case/refused}
	  - {deny: [read, delete], path: /case/both}
	  - {deny: delete, path: /case/both$1}
	  - {deny: read, path: /case/quiet, quiet: true$1}
	  - {deny: create, path: /case/new$1}
	exec: [{deny: /case/program$1}]
	socket: [{deny: connect, to: 127.0.0.1, port: 1$1}, {deny: create, family: netlink$1}]
	capability: [{deny: sys_time$1}]
	R
}
mkdir -p /case
for file in deadly refused both quiet twin; do echo $file >/case/$file; done
cp /bin/busybox /case/program
rules ', kill: true' | confine_policy kill
{ echo 'mode: audit'; rules ', kill: true'; } | confine_policy audit
rules ', kill: true, mode: audit' | sed 's/path: .case.refused/&/' | confine_policy rule
confine_start

# What a shell finds that goes on: it is the one who is ended, or not
after() { # POLICY COMMAND: of the shell itself
	confine "$1" /bin/sh -c "$2; echo survived" 2>/dev/null
	echo "status $?"
}
killed='status 137'
lives='survived
status 0'
t_is "who reads it is ended" "$killed" "$(after kill 'read x </case/deadly')"
t_is "who reads its twin is not" "$lives" "$(after kill 'read x </case/twin')"
t_is "nor is who is only refused" "$lives" "$(after kill 'read x </case/refused')"
t_is "nor by a rule for something else on the same file" "$lives" "$(after kill 'read x </case/both')"
t_is "that is for what was tried only: a child is" "$lives" "$(after kill 'rm /case/both')"
t_is "and it is refused all the same" both "$(cat /case/both)"
t_is "without an event, too" "$killed" "$(after kill 'read x </case/quiet')"
t_is "who creates it is ended" 137 "$(confine kill /bin/mkdir /case/new 2>/dev/null; echo $?)"
t_is "and has not created it" 1 "$([ -e /case/new ] || echo 1)"
t_is "who executes it is ended" "$killed" "$(after kill 'exec /case/program true')"
asked=$(after kill '/tests/bin/attempt execcheck /case/program exists /')
case $asked in
EINVAL*) t_skip "this kernel has no AT_EXECVE_CHECK" ;;
*) t_is "who only asks whether it may is not" "EACCES
$lives" "$asked" ;;
esac
t_is "who connects there" 137 "$(confine kill nc 127.0.0.1 1 </dev/null 2>/dev/null; echo $?)"
t_is "who connects elsewhere is not" 1 "$(confine kill nc 127.0.0.1 2 </dev/null 2>/dev/null; echo $?)"
t_is "who makes a socket of that kind" 137 "$(confine kill /bin/busybox ip link 2>/dev/null >&2; echo $?)"
t_is "who uses the capability" 137 "$(confine kill /bin/busybox date -s 2026-01-01 2>/dev/null >&2; echo $?)"
t_is "the first process of a PID namespace is ended, too" 137 \
	"$(confine kill unshare -p -f sh -c 'read x </case/deadly; echo survived' 2>/dev/null; echo $?)"
for policy in audit rule; do
	t_is "$policy: who is only watched goes on" "$lives" "$(after $policy 'read x </case/deadly')"
done
t_event "it is told" '"policy":"kill"' '"verdict":"denied"' '"path":"/case/deadly"' '"killed":true'
t_event "what was only refused says nothing of it" '"policy":"kill"' '"path":"/case/refused"' '"verdict":"denied"'
t_no_event "as nobody was" '"path":"/case/refused"' '"killed":true'
t_event "nor what would have been" '"policy":"audit"' '"path":"/case/deadly"' '"verdict":"would_deny"'
t_no_event "where nobody was, either" '"policy":"audit"' '"killed":true'
t_like "people are told" "*/case/deadly* and was killed*" "$(policyctl events -n 1000 --path /case/deadly --verdict denied)"
t_like "the rule is shown with it" "*kill: true*" "$(policyctl explain --policy kill read /case/deadly 2>&1; policyctl show kill)"
t_done
