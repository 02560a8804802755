#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 900
# kernels: one
#
# policies/container-baseline.yaml lets a container live and refuses what escapes need; without it,
# all of that works here.
. /tests/cases/servers.inc.sh

script=/tests/cases/baseline.inc.sh
chmod +x $script
$script world
policy=/usr/share/policyd/policies/container-baseline.yaml

$script escapes >free
t_is "free: all of it works" "" "$(grep -v '^worked' free)"

# with a denial between the two parts
cat >both <<-B
	#!/bin/sh
	$script work
	/dev/shm/marker
	$script escapes
B
chmod +x both
cp /usr/bin/true /dev/shm/marker
policyctl run --json --policy $policy -- ./both >told 2>run.events
t_is "all the work is done" "" "$(grep '^failed' told)"
t_is "and was tried" "$(grep -c '^[[:space:]]*work "' $script)" "$(grep -c '^done' told)"
t_is "all escapes are refused" "" "$(grep '^worked' told)"
t_is "and were tried" "$(grep -c '^[[:space:]]*escape "' $script)" "$(grep -c '^refused' told)"
grep '"verdict":"denied"' run.events >denied
t_is "no denials in the work" "" "$(sed '/"path":"\/dev\/shm\/marker"/,$d' denied | s_short)"
t_allowed "but one after it" grep -q '"path":"/dev/shm/marker"' denied
t_is "three guards of what the kernel runs" 3 "$(grep -c '"guard":"kernel"' denied)"

while IFS='|' read -r class operation object what; do
	if grep "\"class\":\"$class\",\"operation\":\"$operation\"" denied | grep -q "\"object\":{[^}]*$object"; then
		t_ok "denied: $what"
	else
		t_fail "denied: $what" "$(s_short <denied | cut -c 1-200)"
	fi
done <<'L'
file|open|"path":"/dev/vda"|a disk
file|open|"path":"/proc/kcore"|the kernel's memory
file|open|"path":"/proc/kallsyms"|its symbols
guard|guard|"guard":"kernel"|what the kernel runs
file|open|"path":"/sys/devices/virtual/mem/null/uevent"|an event of a device
socket|connect|"path":"/run/docker.sock"|docker
socket|connect|"abstract":"/containerd-shim/moby/x/shim.sock"|a shim
socket|connect|"address":"169.254.169.254"|the cloud
socket|socket|"family":"packet"|packets
socket|socket|"family":"inet","type":"raw"|raw sockets
socket|socket|"family":"vsock"|vsock
exec|exec|memfd|memory
exec|exec|"path":"/dev/shm/true"|shared memory
guard|guard|"guard":"mount"|mounts
guard|guard|"guard":"userns"|user namespaces
guard|guard|"guard":"bpf"|bpf()
guard|guard|"guard":"ptrace"|PID 1
capability|capable|"capability":"sys_time"|the clock
capability|capable|"capability":"sys_module"|modules
capability|capable|"capability":"net_admin"|network devices
L
t_done
