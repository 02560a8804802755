#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 1800
#
# podman, over crun and over runc
# shellcheck disable=SC2317,SC2086 # functions are called by others; $IMAGE is one word
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

prepare_runtimes
podman load -q -i demo.tar >/dev/null 2>&1
start_policyd
for runtime in runc crun; do
	run() { podman --log-level error --runtime $runtime run --network none "$@"; }
	go() { name=$1; shift; run --rm --name "$name" $IMAGE "$@"; }
	up() { run -d --name "$1" $IMAGE sleep 1000; }
	join() { podman --runtime $runtime exec "$@"; }
	down() { podman rm -f -t 0 "$1"; }
	if [ $runtime = crun ]; then
		stands "podman and $runtime" "\"$IMAGE\""
	else # what differs: the cgroup, and who makes it
		t_allowed "podman and $runtime: what is allowed" go box1 cat /twin
		t_denied "podman and $runtime: what is denied" go box2 cat /secret
		up box4 >out 2>&1 || t_fail "podman and $runtime: one that stays" "$(cat out)"
		# With policyd dead, one that is still held would be so for ever, and who joins it.
		t_wait 20 policyctl_knows box4 || t_fail "podman and $runtime: it is bound" "$(policyctl ps)"
		kill_policyd
		t_denied "podman and $runtime: who joins it, with policyd dead" join box4 cat /secret
		start_policyd
		t_denied "podman and $runtime: and after its start" join box4 cat /secret
		t_allowed "podman and $runtime: what is allowed" join box4 cat /twin
		down box4 >/dev/null 2>&1
	fi
done
many podman
# A service that is a container has its cgroups below its own.
go() { name=$1; shift; systemd-run -q --pipe --wait -p Delegate=yes podman --log-level error run --cgroups=split --network none --rm --name "$name" $IMAGE "$@"; }
judged "podman --cgroups=split" "\"$IMAGE\""
t_done
