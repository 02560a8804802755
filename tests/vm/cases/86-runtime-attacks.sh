#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# What containers have done to their runtimes: write over the runtime's program through /proc/PID/exe while it joins
# (CVE-2019-5736), and reach the host by a descriptor that it leaked (CVE-2024-21626). Each works on a container
# without a policy, and is refused to one with.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
: >log
mkdir -p /box/bin /box/proc /box/tmp
cp /usr/bin/busybox /tests/bin/box /box/bin/
for program in sh cat sleep sed; do ln -s busybox /box/bin/$program; done
echo inside >/box/secret
echo host >/host-file
# shellcheck disable=SC2154 # of life.inc.sh
cat >"$policies/box.yaml" <<-END
	version: 1
	name: box
	match: [{container: "box-*"}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file: [{deny: [read, write, create], path: /secret}]
END
start_policyd

attack() { # NAME: prints what came of it
	cp /tests/bin/box runtime # a runtime of the host's, by another name
	box run "$1" 1 /box /bin/sh -c '/bin/box overwrite runtime >/tmp/said 2>&1' >/dev/null &
	attacked=$!
	t_wait 20 grep -q . "/sys/fs/cgroup/boxes/$1-0/cgroup.procs"
	./runtime join "$1-0" 2
	wait $attacked
	cat /box/tmp/said
	rm -f /box/tmp/said
}
t_is "without a policy the runtime is overwritten" overwritten "$(attack free)"
t_is "its first bytes are others'" owned "$(head -c 5 runtime)"
t_is "with a policy it cannot be opened" "overwrite: Permission denied" "$(attack box)"
t_is "and is as it was" ELF "$(head -c 4 runtime | tail -c 3)"
t_like "the event says so" "*denied box*in box-0*ptrace*" "$(policyctl events -n 3)"

leak() { box run -l "$1" 1 /box /bin/sh -c "$2" 2>&1; }
t_like "without a policy the host is reached by what leaked" "host*" "$(leak free 'cat host-file')"
t_like "with one it is not" "*Permission denied*" "$(leak box 'cat host-file')"
t_like "nor written to" "*Permission denied*" "$(leak box 'echo x >host-new')"
t_is "nothing is there" 1 "$(test -e /host-new; echo $?)"
t_like "what is inside may be read" "twin*" "$(echo twin >/box/twin; leak box 'cd / && cat twin')"

### root with all capabilities in a container, of which none is confined by namespaces: as --privileged has it
for program in mount umount mkdir; do ln -s busybox /box/bin/$program; done
# shellcheck disable=SC2016 # the container's
escapes='mkdir -p /tmp/proc; mount -t proc proc /tmp/proc && echo mounted
	umount /proc && echo unmounted; mount -t proc proc /proc
	echo core >/proc/sys/kernel/core_pattern && echo written'
privileged() { box run "$1" 1 /box /bin/sh -c "$escapes" 2>privileged.log | grep -v ^refused | tr "\n" " "; }
sed -e 's/^  - {image: .*/  - {container: "box-*"}/' /usr/share/policyd/policies/container-baseline.yaml >"$policies/box.yaml"
t_soon 20 "the baseline is for it" sh -c 'policyctl list | grep -q ^container-baseline'
t_is "without a policy a privileged container gets out" "mounted unmounted written " "$(privileged free)"
echo host >/proc/sys/kernel/core_pattern
t_is "with the baseline it does not" "" "$(privileged box)"
t_is "nothing is written" host "$(cat /proc/sys/kernel/core_pattern)"
t_allowed "detach" policyctl detach
t_done
