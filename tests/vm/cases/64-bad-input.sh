#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# kernels: one
#
# What policyd says when it cannot do what it is asked: one line, with the remedy, an exit status, and
# nothing half-done behind it. Each is followed by the same with the cause removed, at the end.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
web=/etc/policyd/policies/web.yaml
policy $web web

refuses() { # TEXT PATTERN COMMAND...: status 1 or 2, one line, nothing pinned
	refuses_text=$1 refuses_pattern=$2
	shift 2
	"$@" >out 2>err
	refuses_status=$?
	case $refuses_status in
	1 | 2) t_like "$refuses_text" "$refuses_pattern" "$(cat err)" ;;
	*) t_fail "$refuses_text" "status $refuses_status: $(cat err)" ;;
	esac
	[ "$(grep -c . err)" = 1 ] || t_fail "$refuses_text: in one line" "$(cat err)"
	[ -z "$(ls /sys/fs/bpf)" ] || t_fail "$refuses_text: nothing is pinned" "$(find /sys/fs/bpf)"
}
elsewhere() { # COMMAND TEXT: policyd in a mount namespace where COMMAND was run before
	unshare -m sh -c "mount --make-rprivate / 2>/dev/null; $1 && exec policyd"
}
alone() { policyctl run --policy $web -- true; }

### the machine
refuses "no bpffs" "*mount -t bpf bpf /sys/fs/bpf*" elsewhere "umount /sys/fs/bpf"
refuses "a cgroup v1 hierarchy" "*cgroup v1*unified_cgroup_hierarchy*" elsewhere "mount -t tmpfs none /sys/fs/cgroup"
refuses "no type information" "*CONFIG_DEBUG_INFO_BTF*" elsewhere "mount -t tmpfs none /sys/kernel/btf"
refuses "no securityfs" "*mount securityfs*" elsewhere "umount /sys/kernel/security"
t_untraced
echo 0 >/proc/sys/kernel/ftrace_enabled
refuses "ftrace_enabled=0" "*kernel.ftrace_enabled is 0*sysctl kernel.ftrace_enabled=1*" policyd
refuses "ftrace_enabled=0, policyctl run" "*sysctl kernel.ftrace_enabled=1*" alone
echo 1 >/proc/sys/kernel/ftrace_enabled
mkdir -p /sys/fs/bpf/policyd/abi-999
policyd 2>err
t_is "a foreign pin layout" 1 $?
t_like "is named, with the remedy" "*/sys/fs/bpf/policyd/abi-999*policyctl detach*" "$(cat err)"
t_allowed "which works" policyctl detach
t_is "nothing is left of it" "" "$(ls /sys/fs/bpf)"
mkdir -m 777 /sys/fs/bpf/policyd
policyd 2>err
t_is "a pin folder that others may write" 1 $?
t_like "is named, with the remedy" "*only root can write*policyctl detach*" "$(cat err)"
policyctl detach
fillhook sb_mount >filled &
filler=$!
t_wait 60 grep -q . filled
t_like "36 or 38 programs fill a hook, by kernel" "3[68] Argument list too long" "$(cat filled)"
refuses "a full trampoline" "*hook sb_mount has no room: the most *detach some*" policyd
refuses "a full trampoline, policyctl run" "*hook sb_mount has no room: the most *" alone
kill $filler
t_wait 20 sh -c '! grep -q fillhook /proc/[0-9]*/comm'

mkdir /sys/fs/cgroup/small
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo 40M >/sys/fs/cgroup/small/memory.max
echo 'rings: {denials: 64M}' >c.yaml
small() { sh -c 'echo $$ >/sys/fs/cgroup/small/cgroup.procs; exec policyd -c "$PWD/c.yaml"'; }
refuses "no memory for the maps" "*cannot load the BPF programs: *" small
rmdir /sys/fs/cgroup/small

### who asks
chmod 755 /tests/bin /tests
refuses "policyd by a user" "*root*" su user -c policyd
refuses "policyctl run by a user" "*only root*" su user -c "policyctl run --policy $web -- true"
refuses "policyctl load by a user" "*" su user -c "policyctl load $web"
refuses "policyctl detach by a user" "*root*" su user -c "policyctl detach"
refuses "policyctl status without policyd" "*policyd*" policyctl status
t_like "policyctl doctor by a user: no failure of ours" "*root*" "$(su user -c 'policyctl doctor' 2>&1)"

### policies: policyd -n looks at them without loading anything
chmod 646 $web
refuses "a policy that others may write" "*$web*others*" policyd -n
chmod 644 $web
chmod 777 /etc/policyd/policies
refuses "a folder of policies that others may write" "*/etc/policyd/policies*others*" policyd -n
chmod 755 /etc/policyd/policies
chown user $web
refuses "a policy that is a user's" "*$web*" policyd -n
chown root $web
mkdir -p /etc/policyd/policies/include
printf 'include: [common]\n' >>$web
printf 'name: common\n' >/etc/policyd/policies/include/common.yaml
chmod 666 /etc/policyd/policies/include/common.yaml
refuses "an include that others may write" "*common.yaml*others*" policyd -n
rm -r /etc/policyd/policies/include
refuses "an include that is missing" "*$web:7:11: *common*" policyd -n
policy $web web
echo 'nonsense: 1' >c.yaml
refuses "a configuration with an unknown key" "*c.yaml:1:1: *nonsense*" policyd -n -c c.yaml
echo 'rings: {denials: 5000}' >c.yaml
refuses "an impossible ring" "*c.yaml:1:18: *" policyd -n -c c.yaml
echo 'pin_dir: /tmp/policyd' >c.yaml
refuses "pins outside of a bpffs" "*/tmp/policyd is in no BPF file system*" policyd -c c.yaml
whole() { # MATCH
	printf 'version: 1\nname: whole\nmatch: [%s]\ndefault: deny\n' "$1" >/etc/policyd/policies/whole.yaml
}
for match in '{cgroup: "/**"}' '{exe: "/**"}' '{cgroup: /}' '{exe: /usr/sbin/policyd}' '{exe: "/usr/sbin/*"}' '{cgroup: /case}' '{cgroup: "/init.scope"}'; do
	whole "$match"
	refuses "match: $match" "*whole.yaml:4:10: *would confine*narrow its match*force-name whole*" policyd -n
done
rm /etc/policyd/policies/whole.yaml

### caches off, but enforcing
echo 2 >/proc/sys/kernel/kptr_restrict
t_like "kptr_restrict=2 is said by doctor" "*kptr_restrict is 2*enforcement is not affected*" "$(policyctl doctor 2>&1)"
start_policyd
t_allowed "and enforced nevertheless" once
t_like "policyd says so too" "*kptr_restrict*" "$(cat log)"
echo 0 >/proc/sys/kernel/kptr_restrict

### with policyd running
printf 'version: 1\nname: all\nmatch: [{exe: "/**"}]\ndefault: deny\n' >all.yaml
mkdir -p /open/mine
chmod 777 /open
policy /open/mine/other.yaml other
out=$(policyctl load /open/mine/other.yaml 2>&1)
t_like "a policy in a folder that others can exchange" "2 *others*" "$? $out"
chmod 1777 /open
t_allowed "where they cannot" policyctl load /open/mine/other.yaml
policyctl unload other
out=$(policyctl load all.yaml 2>&1)
t_like "a policy for everything is refused" "2 *would confine*" "$? $out"
t_allowed "nobody is confined by it" cat /secret
sed 's/^default/mode: audit\ndefault/' all.yaml >audit.yaml
t_allowed "in audit mode it may come" policyctl load audit.yaml
t_like "but not be switched to enforce" "*would confine*" "$(policyctl mode all enforce 2>&1)"
t_allowed "nobody is confined by it, yet" cat /secret
t_allowed "unload" policyctl unload all
if echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled; then
	t_fail "nobody switches ftrace off while policyd enforces"
	echo 1 >/proc/sys/kernel/ftrace_enabled
else
	t_ok "nobody switches ftrace off while policyd enforces"
fi
t_allowed "still denied" once

t_allowed "detach" policyctl detach
wait "${daemon:-}"
t_is "nothing is left" "" "$(ls /sys/fs/bpf)"
t_allowed "ftrace can be switched again" sh -c 'echo 0 >/proc/sys/kernel/ftrace_enabled && echo 1 >/proc/sys/kernel/ftrace_enabled'
t_done
