#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 900
#
# crun and runc by themselves, with both cgroup drivers.
# shellcheck disable=SC2317,SC2086,SC2154 # functions are called by others; $IMAGE is one word; of life.inc.sh
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

# Between create and start the runtime's own process waits in the container: what looks through the tasks every five
# seconds is not to confine it, as it has to open what is the host's.
sed -i 's/^file: .*/file: [{deny: read, path: \/secret}, {deny: write, path: \/etc\/}]/' "$policies/box.yaml"
t_soon 20 "a policy that denies writing" sh -c 'policyctl list | grep -q "^box.* 3 "'
for runtime in crun runc; do
	for file in twin secret; do
		demo_bundle "created-$file"
		bundle_runs "created-$file" cat "/$file"
		(cd "created-$file" && $runtime create "box-$file-$runtime" >"../$file-$runtime" 2>&1 </dev/null)
	done
done
sleep 16 # two sweeps: one passes them over while they are young
for runtime in crun runc; do
	for file in twin secret; do
		$runtime start "box-$file-$runtime" >>"$file-$runtime" 2>&1
		t_wait 10 grep -q . "$file-$runtime"
		sleep 1
		$runtime delete -f "box-$file-$runtime"
	done
	t_is "$runtime: created, and started later: it runs, confined" "twin cat: can't open '/secret': Permission denied" \
		"$(cat "twin-$runtime" "secret-$runtime" | tr '\n' ' ' | sed 's/ $//')"
done

# Whoever is in a cgroup first does not decide for the next in it.
demo_bundle bundle
bundle_runs bundle sleep 1000
sed -i 's|"linux": {|"linux": {"cgroupsPath": "/pool/one",|' bundle/config.json
(cd bundle && exec runc run free >/dev/null 2>&1) &
runner=$!
t_soon 20 "one that no policy is for, in a cgroup of choice" sh -c 'policyctl ps | grep -q "^unmatched *free "'
kill -KILL $runner
bundle_runs bundle cat /secret
next() { (cd bundle && runc run box-next); }
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_soon 1 "all of it killed, it is forgotten at once" sh -c '! policyctl ps | grep -q " free "'
t_is "another in the same cgroup is killed, while the first one's state is left" 137 "$(next >/dev/null 2>&1; echo $?)"
t_like "which is said" "*/pool/one: after * (both /run/runc/* and /run/runc/* say that it is theirs; delete*" "$(cat log)"
runc delete -f box-next
runc delete -f free
next >out 2>&1
t_like "and without it, too" "*Permission denied*" "$(cat out)"
t_done
