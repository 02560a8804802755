#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# What no confined task gets: each refused, each granted by its word and by no other, told in audit mode.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

anything='default: {file: allow, exec: allow, socket: allow, capability: allow}'
guards='bpf mount userns ptrace signal io_uring perf module cgroup kernel terminal'
echo "$anything" | confine_policy kept
for guard in $guards; do
	printf '%s\nguard: {allow: [%s]}\n' "$anything" "$guard" | confine_policy "$guard"
done
printf '%s\nguard: {allow: [%s]}\n' "$anything" "$(echo "$guards" | tr ' ' ',')" | confine_policy granted
printf 'mode: audit\n%s\n' "$anything" | confine_policy audit
printf '%s\nsocket: [{deny: send, to: 192.0.2.1}]\n' "$anything" | confine_policy addresses
printf '%s\nsocket: [{deny: send, to: 192.0.2.1}]\nguard: {allow: kernel}\n' "$anything" | confine_policy told
mkdir -p /nap
cp /usr/bin/busybox /nap/sleep
printf '%s\nfile: [{deny: write, path: /none, by: /nap/sleep}]\n' "$anything" | confine_policy classes
confine_start

# Whom they reach for: one that is not confined, and one that is, by another policy
sleep 10000 &
outside=$!
echo $outside >outside
sleeper() { # POLICY PROGRAM: the number of the one that runs it there
	for _ in $(seq 200); do
		while read -r pid; do
			[ "$(cat "/proc/$pid/comm") $(readlink -f "/proc/$pid/exe")" != "sleep $(readlink -f "$2")" ] || { echo "$pid"; return; }
		done <"$CONFINE_CGROUP/$1/cgroup.procs"
		sleep 0.1
	done
}
confine granted /bin/sleep 10000 &
confine classes /bin/sleep 10000 &
confine classes /nap/sleep 10000 &
other=$(sleeper granted /bin/sleep)
stranger=$(sleeper classes /nap/sleep)
sleeper classes /bin/sleep >fellow
echo "$other" >other
echo "$stranger" >stranger
mkdir -p /mnt/a /mnt/b
mount -t tmpfs tree /mnt/a
mkdir /mnt/a/dir /mnt/a/old
echo inside >/mnt/a/file
mkdir -p /run/bpf /run/cgroup-v1
mount -t bpf bpf /run/bpf
mount -t cgroup -o none,name=guard guard /run/cgroup-v1
mount -t debugfs debugfs /sys/kernel/debug
modprobe binfmt_misc 2>/dev/null
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null
pattern=$(cat /proc/sys/kernel/core_pattern)

unharmed() { # TEXT
	t_is "$1" "S (sleeping) 0" "$(awk '/^State/ {s = $2 " " $3} /^TracerPid/ {print s, $2}' /proc/$outside/status)"
	t_is "$1: the other one" "S (sleeping) 0" "$(awk '/^State/ {s = $2 " " $3} /^TracerPid/ {print s, $2}' "/proc/$other/status")"
}

echo "# each by itself"
# GUARD RESULT COMMAND...: what comes of it when it is let through
table() {
	cat <<-T
	bpf 0 bpf
	bpf 0 mkdir /run/bpf/x
	mount 0 mount tmpfs /mnt/b
	mount 0 umount /mnt/b
	mount 0 mount_remount /mnt/a
	mount 0 fsopen tmpfs
	mount 0 open_tree /mnt/a
	mount 0 mount_setattr /mnt/a
	userns 0 unshare user
	ptrace 0 attach @outside
	signal 0 kill @outside 18
	signal 0 sigio setown @outside 18
	io_uring 0 io_uring
	terminal 0 type
	perf 0 perf self
	module ENOEXEC init_module
	cgroup 0 mkdir /sys/fs/cgroup/case/made
	cgroup 0 rmdir /sys/fs/cgroup/case/made
	kernel 0 write /proc/sys/kernel/core_pattern core
	mount 0 setns self mnt
	kernel ENOTTY move_ext /mnt/a/file
	T
}
for policy in $guards; do
	table | while read -r guard result command; do
		[ "$guard" = "$policy" ] || result=EPERM
		case $result:$command in # what was not made
		EPERM:umount*) result='EPERM|EINVAL' ;;
		EPERM:rmdir*) result='EPERM|ENOENT' ;;
		esac
		echo "$result $command"
	done | confine_steps "$policy" reach
	rmdir /run/bpf/x 2>/dev/null
done
echo "$pattern" >/proc/sys/kernel/core_pattern

echo "# a destination that is not where the address is, for policies that look at addresses"
echo 'EPERM pktinfo' | confine_steps addresses reach
echo '0 pktinfo' | confine_steps told reach

echo "# all of them refused"
refused() { # WHO: EPERM or EACCES where the kernel says that instead
	cat <<-'T'
	EPERM setns self mnt
	EPERM move_ext /mnt/a/file
	EPERM bpf
	EPERM bpf /sys/fs/bpf/policyd
	EPERM mkdir /run/bpf/x
	EPERM mount tmpfs /mnt/b
	EPERM mount proc /mnt/b
	EPERM mount_bind /mnt/a /mnt/b
	EPERM mount_move /mnt/a /mnt/b
	EPERM mount_remount /mnt/a
	EPERM mount_private /mnt/a
	EPERM umount /mnt/a
	EPERM umount_detach /mnt/a
	EPERM pivot_root /mnt/a /mnt/a/old
	EPERM pivot_apart /mnt/a /mnt/a/old
	EPERM fsopen tmpfs
	EPERM fsconfig tmpfs
	EPERM fsmount tmpfs
	EPERM fsmount tmpfs /mnt/b
	EPERM open_tree /mnt/a
	EPERM read_in_tree /mnt/a file
	EPERM move_mount /mnt/a /mnt/b
	EPERM mount_setattr /mnt/a
	EPERM fspick /mnt/a
	EPERM unshare user
	EPERM clone user
	EPERM attach @outside
	EPERM seize @outside
	EPERM traceme
	EPERM vm_read @outside
	EPERM vm_write @outside
	EACCES proc @outside mem
	EACCES proc @outside mem w
	EACCES proc @outside environ
	EACCES proc @outside maps
	EACCES proc @outside root/etc/passwd
	EACCES proc @outside cwd/.
	EACCES proc @outside fd/0
	EACCES proc @outside ns/mnt
	EACCES setns @outside mnt
	EPERM pidfd_getfd @outside
	EPERM kcmp @outside
	EPERM set_mm
	EPERM attach @other
	EPERM vm_write @other
	EACCES proc @other mem w
	EPERM kill @outside 9
	EPERM kill @outside 19
	EPERM tgkill @outside 9
	EPERM tkill @outside 9
	EPERM sigqueue @outside 9
	EPERM pidfd_kill @outside 9
	EPERM kill @other 9
	EPERM sigio setown @outside
	EPERM sigio setown @outside 9
	EPERM sigio setown_ex @outside 9
	EPERM sigio setown_group @outside 9
	EPERM sigio fiosetown @outside 9
	EPERM sigio siocspgrp @outside 9
	EPERM prlimit @outside
	EPERM io_uring
	EPERM type
	EPERM perf self
	EPERM|EACCES perf @outside
	EPERM init_module
	EPERM finit_module /bin/busybox
	EPERM kexec
	EPERM write /sys/fs/cgroup/cgroup.procs 0
	EPERM write /sys/fs/cgroup/case/cgroup.freeze 1
	EPERM write /sys/fs/cgroup/case/cgroup.kill 1
	EPERM mkdir /sys/fs/cgroup/case/made
	EPERM rmdir /sys/fs/cgroup/case/audit
	EPERM unlink /sys/fs/bpf/policyd/none
	EPERM write /proc/sys/kernel/core_pattern |/bin/false
	EPERM write /proc/sys/kernel/modprobe /bin/false
	EPERM write /proc/sys/kernel/poweroff_cmd /bin/false
	EPERM write /proc/sysrq-trigger h
	EPERM|ENOENT write /sys/kernel/uevent_helper /bin/false
	EPERM write /sys/kernel/tracing/tracing_on 0
	EPERM lock /sys/fs/cgroup/cgroup.procs
	EPERM lock /sys/kernel/tracing/tracing_on
	EPERM mkdir /sys/kernel/tracing/instances/made
	EPERM write /sys/kernel/debug/clear_warn_once 1
	EPERM write /sys/kernel/security/lockdown nothing
	EPERM|ENOENT write /proc/sys/fs/binfmt_misc/status 1
	EPERM mkdir /run/cgroup-v1/made
	EPERM write /run/cgroup-v1/release_agent /bin/false
	T
}
touch /sys/fs/bpf/policyd/none 2>/dev/null
refused | grep -v "unlink" | confine_steps kept reach
unharmed "kept from it, the others run on"
t_is "and nothing was written" "$pattern" "$(cat /proc/sys/kernel/core_pattern)"
t_is "and nothing was mounted" "" "$(grep ' /mnt/b ' /proc/mounts)"
for guard in $guards; do
	t_event "refused: $guard" '"policy":"kept"' '"verdict":"denied"' '"class":"guard"' "\"object\":{\"guard\":\"$guard\"" \
		"$(confine_line kept default)"
done

echo "# what is nobody else's business"
confine_steps kept reach <<'S'
0 attach child
0 seize child
0 traceme_child
0 vm_read child
0 vm_write child
0 proc child mem w
0 proc child environ
0 proc child root/etc/passwd
0 proc self environ
0 proc self mem w
0 proc parent status
0 pidfd_getfd child
0 kcmp child
0 kill child 9
0 kill self 18
0 tgkill child 9
0 sigqueue child 18
0 pidfd_kill child 9
0 kill @outside 0
0 sigio_own
0 sigio setown self 18
0 prlimit child
0 prlimit self
0 unshare mnt
0 unshare uts
0 clone pid
0 write /proc/sys/kernel/panic_on_warn 0
0 read /proc/sys/kernel/core_pattern
0 read /sys/fs/cgroup/cgroup.procs
0 lock /mnt/a/file
0 read /sys/kernel/tracing/tracing_on
S
t_is "out of the cgroup, still confined" "0::/" "$(confine granted /bin/sh -c 'echo 0 >/sys/fs/cgroup/cgroup.procs; grep ^0: /proc/self/cgroup')"

echo "# of one policy, but of another program that rules tell apart"
confine_steps classes reach <<'S'
0 attach @fellow
0 vm_read @fellow
0 proc @fellow mem w
0 kill @fellow 18
EPERM attach @stranger
EPERM vm_read @stranger
EACCES proc @stranger mem w
0 prlimit @stranger
0 kill @stranger 18
EPERM kill @stranger 11
EPERM tgkill @stranger 6
0 kill @fellow 11
S

echo "# all of them granted"
confine_steps granted reach <<'S'
0 bpf
0 mkdir /run/bpf/x
0 rmdir /run/bpf/x
0 mount tmpfs /mnt/b
0 umount_detach /mnt/b
0 mount_bind /mnt/a /mnt/b
0 umount /mnt/b
0 mount_remount /mnt/a
0 mount_private /mnt/a
0 pivot_apart /mnt/a /mnt/a/old
0 fsopen tmpfs
0 fsconfig tmpfs
0 fsmount tmpfs /mnt/b
0 umount /mnt/b
0 open_tree /mnt/a
0 mount_setattr /mnt/a
0 fspick /mnt/a
0 unshare user
0 clone user
0 attach @outside
0 vm_read @outside
0 proc @outside mem w
0 proc @outside environ
0 proc @outside root/etc/passwd
0 setns @outside mnt
0 setns self mnt
ENOTTY move_ext /mnt/a/file
0 pidfd_getfd @outside
0 kcmp @outside
0 set_mm
0 kill @outside 18
0 tgkill @outside 18
0 sigqueue @outside 18
0 pidfd_kill @outside 18
0 sigio setown @outside 18
0 sigio setown_ex @outside 18
0 sigio setown_group @outside 18
0 sigio fiosetown @outside 18
0 prlimit @outside
0 io_uring
0 type
0 perf self
0 perf @outside
ENOEXEC init_module
ENOEXEC finit_module /bin/busybox
0 kexec
0 write /sys/fs/cgroup/case/cgroup.max.depth 5
0 mkdir /sys/fs/cgroup/case/made
0 rmdir /sys/fs/cgroup/case/made
0 write /proc/sys/kernel/core_pattern core
0 write /proc/sys/kernel/poweroff_cmd /sbin/poweroff
0 write /proc/sysrq-trigger h
0 write /sys/kernel/tracing/tracing_on 1
S
echo "$pattern" >/proc/sys/kernel/core_pattern

echo "# audit mode refuses none of it"
t_no_event "nothing was told of what is granted" '"policy":"granted"'
confine_steps audit reach <<'S'
0 bpf
0 mkdir /run/bpf/x
0 rmdir /run/bpf/x
0 mount tmpfs /mnt/b
0 umount /mnt/b
0 unshare user
0 attach @outside
0 kill @outside 18
0 sigio setown @outside 18
0 io_uring
0 type
0 perf self
ENOEXEC init_module
0 mkdir /sys/fs/cgroup/case/made
0 rmdir /sys/fs/cgroup/case/made
0 write /proc/sys/kernel/core_pattern core
S
for guard in $guards; do
	t_event "would be refused: $guard" '"policy":"audit"' '"verdict":"would_deny"' "\"object\":{\"guard\":\"$guard\""
done
t_no_event "and nothing is refused" '"policy":"audit"' '"verdict":"denied"'
echo "$pattern" >/proc/sys/kernel/core_pattern

echo "# what a trace by an outsider would be good for: last, because it changes our child"
echo "0 traceme" | confine_steps granted reach
unharmed "granted and done gently, the others run on"
umount /mnt/a /run/bpf /run/cgroup-v1 /sys/kernel/debug
umount /proc/sys/fs/binfmt_misc 2>/dev/null
kill $outside "$other" "$stranger" "$policyd"
t_done
