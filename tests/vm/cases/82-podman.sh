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
for runtime in crun runc; do
	run() { podman --log-level error --runtime $runtime run --network none "$@"; }
	go() { name=$1; shift; run --rm --name "$name" $IMAGE "$@"; }
	up() { run -d --name "$1" $IMAGE sleep 1000; }
	join() { podman --runtime $runtime exec "$@"; }
	down() { podman rm -f -t 0 "$1"; }
	stands "podman and $runtime" "\"$IMAGE\""
done
many podman
t_done
