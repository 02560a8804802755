#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 900
#
# crun and runc by themselves, with both cgroup drivers.
# shellcheck disable=SC2317,SC2086 # functions are called by others; $IMAGE is one word
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

prepare_runtimes
start_policyd
for runtime in crun runc "crun --systemd-cgroup" "runc --systemd-cgroup"; do
	demo_bundle bundle
	go() { name=$1; shift; bundle_runs bundle "$@"; (cd bundle && $runtime run "$name"); }
	up() { bundle_runs bundle sleep 1000; (cd bundle && $runtime run -d "$1" </dev/null >/dev/null 2>&1); }
	join() { $runtime exec "$@"; }
	down() { $runtime kill "$1" KILL; sleep 1; $runtime delete -f "$1"; }
	stands "$runtime" null
	case $runtime in *--*) ;; *) many "$runtime" ;; esac
done
t_done
