#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# memory: {wx: deny}. What was written is not executed; what a program needs to run is.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

default='default: {file: allow, exec: allow, socket: allow, capability: allow}'
echo "$default" | confine_policy free
printf '%s\nmemory: {wx: deny}\n' "$default" | confine_policy strict
printf 'mode: audit\n%s\nmemory: {wx: deny}\n' "$default" | confine_policy audit
printf '%s\nmemory: {wx: deny}\nguard: {allow: [ptrace, wx]}\n' "$default" | confine_policy both
confine_start
cp /bin/busybox /file

steps() { # RESULT: of what is denied
	sed "s/^NO/$1/" <<-'T'
	NO anonymous rx
	NO anonymous rwx
	NO anonymous x
	NO anonymous rw rx
	NO anonymous rw rwx
	NO anonymous r rx
	NO anonymous_shared rwx
	NO anonymous_shared rw rx
	NO private /file rwx
	NO private /file rw rx
	NO private /file rx rwx
	NO private /file rw rwx
	NO private /dev/zero rw rx
	NO patched /file
	NO memfd rx
	NO memfd rw rx
	NO shm rx
	NO read_implies_exec
	NO proc self mem w
	NO attach child
	NO seize child
	NO vm_write child
	NO traceme_child
	0 anonymous rw r
	0 anonymous_shared rw
	0 private /file rx
	0 private /file r rx
	0 private /file rx r
	0 memfd rw
	0 shm rw
	0 proc self mem
	0 proc self maps
	0 proc self environ
	T
}
for policy in strict both; do steps EPERM | confine_steps $policy reach; done
for policy in free audit; do steps 0 | confine_steps $policy reach; done
t_allowed "programs run as before" confine strict /bin/sh -c 'cat /etc/passwd | sort >/dev/null && /bin/busybox true'
t_allowed "and so do those with a dynamic linker" confine strict /usr/sbin/bpftool version
t_event "it is told" '"policy":"strict"' '"verdict":"denied"' '"object":{"guard":"wx"' '"operation":"guard"'
t_event "and what would have been" '"policy":"audit"' '"verdict":"would_deny"' '"guard":"wx"'
t_no_event "where nothing is refused" '"policy":"audit"' '"verdict":"denied"'
t_no_event "nor anything told where it is free" '"policy":"free"' '"guard":"wx"'
t_like "with the rule" "*strict.yaml*" "$(policyctl events --json -n 1 --policy strict --class guard)"
t_done
