#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# policyd itself is out of reach for confined root, in audit mode and with every guard granted, too; and
# nobody switches tracing off, without which BPF LSM programs do not run.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

switch=/proc/sys/kernel/ftrace_enabled
anything='default: {file: allow, exec: allow, socket: allow, capability: allow}'
printf 'mode: audit\n%s\n' "$anything" | confine_policy audit
printf '%s\nguard: {allow: [ptrace, signal, kernel, perf, mount, cgroup, bpf]}\n' "$anything" | confine_policy granted

t_untraced
echo 0 >$switch
policyd 2>refused.log
t_is "where tracing is off, policyd does not start" 1 $?
t_like "and says so" '*ftrace_enabled*' "$(cat refused.log)"
t_is "and leaves nothing behind" "" "$(ls /sys/fs/bpf)"
policyctl run --policy /etc/policyd/policies/audit.yaml -- /bin/true 2>refused.log
t_is "nor does policyctl run" 2 $?
t_like "which says it, too" '*ftrace_enabled*' "$(cat refused.log)"
echo 1 >$switch
t_is "tracing can be switched on" 1 "$(cat $switch)"

confine_start
echo "$policyd" >policyd.pid
sleep 10000 &
outside=$!
echo $outside >outside
before=$(awk '/^CapEff|^Threads/' "/proc/$policyd/status"; cat "/proc/$policyd/oom_score_adj")
pin=$(find /sys/fs/bpf/policyd -path '*links/file_open')

for policy in audit granted; do
	confine_steps $policy reach <<-'S'
	EPERM kill @policyd.pid 9
	EPERM kill @policyd.pid 15
	EPERM kill @policyd.pid 19
	EPERM tgkill @policyd.pid 9
	EPERM tkill @policyd.pid 9
	EPERM sigqueue @policyd.pid 1
	EPERM pidfd_kill @policyd.pid 9
	0 kill @policyd.pid 0
	EPERM attach @policyd.pid
	EPERM seize @policyd.pid
	EPERM vm_read @policyd.pid
	EPERM vm_write @policyd.pid
	EACCES proc @policyd.pid mem
	EPERM proc @policyd.pid mem w
	EACCES proc @policyd.pid environ
	EACCES proc @policyd.pid root/etc/passwd
	EACCES proc @policyd.pid fd/0
	EACCES setns @policyd.pid mnt
	EPERM pidfd_getfd @policyd.pid
	EPERM kcmp @policyd.pid
	EPERM prlimit @policyd.pid
	EPERM proc @policyd.pid oom_score_adj w
	0 proc @policyd.pid stat
	0 sigio setown @policyd.pid 9          # accepted, but nothing comes of it
	0 sigio setown_ex @policyd.pid 9
	0 sigio fiosetown @policyd.pid 19
	0 sigio siocspgrp @policyd.pid 15
	0 kill @outside 18
	0 attach @outside
	0 vm_read @outside
	0 proc @outside mem w
	0 prlimit @outside
	0 sigio setown @outside 18
	EPERM write /proc/sys/kernel/ftrace_enabled 0
	0 read /proc/sys/kernel/ftrace_enabled
	0 write /proc/sys/kernel/panic_on_warn 0
	S
	# Who changes the policies changes what is refused; elsewhere these policies refuse nothing.
	t_denied "$policy: no policy is changed" confine $policy /bin/sh -c 'echo "# x" >>/etc/policyd/policies/audit.yaml'
	t_denied "$policy: nor replaced" confine $policy /bin/sh -c 'echo x >/etc/x.yaml && mv /etc/x.yaml /etc/policyd/policies/audit.yaml'
	t_denied "$policy: nor added" confine $policy /bin/sh -c 'echo x >/etc/policyd/policies/new.yaml'
	t_denied "$policy: nor removed" confine $policy /bin/rm /etc/policyd/policies/audit.yaml
	t_denied "$policy: nor is their folder" confine $policy /bin/mv /etc/policyd/policies /etc/policyd/gone
	t_denied "$policy: nor the one above" confine $policy /bin/mv /etc/policyd /etc/gone
	t_denied "$policy: nor what is kept in /run" confine $policy /bin/sh -c 'echo "{}" >/run/policyd/modes.json'
	t_denied "$policy: nor the socket" confine $policy /bin/rm /run/policyd/policyd.sock
	t_denied "$policy: nor a pin" confine $policy /bin/rm "$pin"
	t_denied "$policy: nor is one moved" confine $policy /bin/mv "$pin" "${pin}gone"
	t_denied "$policy: nor their folder" confine $policy /bin/mv /sys/fs/bpf/policyd /sys/fs/bpf/gone
	t_allowed "$policy: their neighbours are free" confine $policy /bin/sh -c 'echo x >/etc/x.yaml && rm /etc/x.yaml'
	t_allowed "$policy: and they can be read" confine $policy cat /etc/policyd/policies/audit.yaml
	t_is "after all of it ($policy) policyd is as it was" "$before" \
		"$(awk '/^CapEff|^Threads/' "/proc/$policyd/status"; cat "/proc/$policyd/oom_score_adj")"
	t_is "runs" "S (sleeping)" "$(awk '/^State/ {print $2, $3}' "/proc/$policyd/status")"
	t_allowed "and answers" policyctl list
	for guard in signal ptrace kernel; do
		t_event "told as self-protection: $policy, $guard" "\"policy\":\"$policy\"" '"verdict":"denied"' '"reason":"self"' \
			"\"object\":{\"guard\":\"$guard\""
	done
done
echo "# tracing stays on"
for value in 0 1; do
	t_denied "nobody writes $value" sh -c "echo $value >$switch"
done
t_denied "nor by another mount of procfs" sh -c 'mkdir -p proc; mount -t proc proc proc; echo 0 >proc/sys/kernel/ftrace_enabled'
t_is "it is on" 1 "$(cat $switch)"
t_allowed "other settings can be written" sh -c 'echo 0 >/proc/sys/kernel/panic_on_warn'
mkdir -p /sys/fs/cgroup/other/below
t_denied "nor from another cgroup" sh -c 'echo $$ >/sys/fs/cgroup/other/below/cgroup.procs; echo 0 >/proc/sys/kernel/ftrace_enabled'
kill -9 "$policyd"
wait "$policyd" 2>/dev/null
t_denied "nor while policyd is dead, for the policies are in force" sh -c "echo 0 >$switch"
t_is "as they are" 1 "$(confine granted /bin/sh -c 'echo "EPERM unshare user" | /tests/bin/reach dead' | grep -c '^ok')"
t_allowed "policyctl detach" policyctl detach
t_allowed "then it can be written" sh -c "echo 0 >$switch && echo 1 >$switch"
t_is "and tracing has survived" 1 "$(cat $switch)"
umount proc 2>/dev/null
kill $outside 2>/dev/null
t_done
