#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Capabilities, of root and by default-deny, default-allow, and audit mode.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

confine_policy none <<'P'
default: {file: allow, exec: allow, socket: allow, capability: deny}
capability:
  - {allow: [sys_nice, setgid], audit: true}
P
confine_policy some <<'P'
default: {file: allow, exec: allow, socket: allow, capability: deny}
capability:
  - {allow: [net_raw, setuid, setgid, chown, sys_chroot, sys_admin, mknod, net_bind_service]}
  - {deny: sys_time, quiet: true}
P
confine_policy open <<'P'
default: {file: allow, exec: allow, socket: allow, capability: allow}
capability:
  - {deny: [net_raw, setuid, chown]}
P
confine_policy audit <<'P'
mode: audit
default: {file: allow, exec: allow, socket: allow, capability: deny}
P
confine_start
touch file

confine_steps none net <<'S'
EPERM socket a inet raw icmp
EPERM socket a packet raw 0
0 socket a inet stream 0
EACCES|EPERM bind a 127.0.0.1:80
0 bind a 127.0.0.1:8080
S
confine_steps some net <<'S'
0 socket a inet raw icmp
0 socket a packet raw 0
0 socket a inet stream 0
0 bind a 127.0.0.1:80
S
confine_steps none reach <<'S'
0 map
EPERM setuid 1000
EPERM chown file 1000
EPERM chroot /tmp
EPERM sethostname other
EPERM mknod device
EPERM settime
EPERM reboot
EPERM delete_module nothing
0 nice -5
0 setgid 1000
S
t_event "net_raw is told" '"policy":"none"' '"class":"capability"' '"object":{"capability":"net_raw"}' \
	"$(confine_line none default)"
t_event "setuid is told" '"policy":"none"' '"object":{"capability":"setuid"}' '"verdict":"denied"'
t_event "what a rule has logged is told as allowed" '"policy":"none"' '"object":{"capability":"setgid"}' '"verdict":"allowed"' \
	"$(confine_line none sys_nice)"
confine_steps some reach <<'S'
0 map
0 setuid 1000
0 setgid 1000
0 chown file 1000
0 chown file 0
0 chroot /tmp
0 sethostname policyd-vm
0 mknod device
0 unlink device
EPERM settime
EPERM reboot
S
t_event "what is refused to it is told" '"policy":"some"' '"object":{"capability":"sys_boot"}'
t_no_event "but not what a rule wants quiet" '"policy":"some"' '"object":{"capability":"sys_time"}'
confine_steps open reach <<'S'
EPERM setuid 1000
EPERM chown file 1000
0 setgid 1000
0 sethostname policyd-vm
0 settime
S
confine_steps open net <<'S'
EPERM socket a inet raw icmp
0 socket a inet stream 0
0 bind a 127.0.0.1:81
S
t_event "the rule that denies" '"policy":"open"' "$(confine_line open net_raw)" '"object":{"capability":"chown"}'

# Memory accounting asks for sys_admin at every mapping, and says not to audit it.
confine none /bin/sh -c 'for i in 1 2 3; do /bin/true; done'
confine_steps none reach <<'S'
0 map
EPERM settime
S
t_event "capabilities are told" '"policy":"none"' '"object":{"capability":"sys_time"}'
if confine_find '"policy":"none"' '"object":{"capability":"sys_admin"}' '"comm":"sh"'; then
	t_fail "what the kernel asks for without audit is not told" "$(cat events.found)"
else
	t_ok "what the kernel asks for without audit is not told"
fi

confine_steps audit reach <<'S'
0 setuid 1000
0 chown file 1000
0 settime
0 sethostname policyd-vm
0 mknod device
0 unlink device
S
t_event "audit: chown would be denied" '"policy":"audit"' '"verdict":"would_deny"' '"object":{"capability":"chown"}'
t_event "audit: setuid would be denied" '"policy":"audit"' '"verdict":"would_deny"' '"object":{"capability":"setuid"}'
t_no_event "audit: nothing is denied" '"policy":"audit"' '"verdict":"denied"'
kill "$policyd"
t_done
