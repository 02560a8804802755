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
next >out 2>&1
t_like "another in the same cgroup has its own, while the first one's state is left" "*Permission denied*" "$(cat out)"
rm -r /run/runc/free
next >out 2>&1
t_like "and without it, too" "*Permission denied*" "$(cat out)"

# crun writes its state after its container has begun.
bundle_runs bundle sleep 1000
(cd bundle && exec crun run free >/dev/null 2>&1 </dev/null) &
runner=$!
t_soon 20 "crun's, that no policy is for, in a cgroup of choice" sh -c 'policyctl ps | grep -q "^unmatched *free "'
kill -KILL $runner
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_wait 10 grep -q "populated 0" /sys/fs/cgroup/pool/one/cgroup.events
bundle_runs bundle cat /secret
(cd bundle && crun run box-crun) >out 2>&1
t_like "another of crun's has its own, while that one's state is left" "*Permission denied*" "$(cat out)"
rm -r /run/crun/free

# Nor when policyd sees nothing of it: the kernel's programs know that nobody was left.
bundle_runs bundle sleep 1000
(cd bundle && exec runc run free >/dev/null 2>&1) &
runner=$!
t_soon 20 "one that no policy is for again" sh -c 'policyctl ps | grep -q "^unmatched *free "'
bundle_runs bundle cat /secret
kill -STOP "$daemon"
kill -KILL $runner
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_wait 10 grep -q "populated 0" /sys/fs/cgroup/pool/one/cgroup.events
rm -r /run/runc/free
next >out 2>&1 &
runner=$!
t_soon 20 "the next one is there" sh -c 'grep -q . /sys/fs/cgroup/pool/one/cgroup.procs'
sleep 2
t_is "and waits for policyd" "" "$(cat out)"
kill -CONT "$daemon"
wait $runner
t_like "which refuses it what its policy does" "*Permission denied*" "$(cat out)"

# Two at a time: the first one's policies, for as long as anybody is there, whatever else happens to the cgroup.
bundle_runs bundle sleep 1000
(cd bundle && exec runc run box-first >/dev/null 2>&1) &
t_soon 20 "one that a policy is for" sh -c 'policyctl ps | grep -q "^bound *box-first "'
(cd bundle && exec runc run free >/dev/null 2>&1) &
two() { [ "$(grep -c . /sys/fs/cgroup/pool/one/cgroup.procs)" = 2 ]; }
t_soon 20 "and another in its cgroup" two
runc pause box-first
runc resume box-first
sleep 6 # a look
t_like "are the first" "*bound*box-first*" "$(policyctl ps)"
t_allowed "who joins it may what is allowed" runc exec box-first cat /twin
t_denied "and not what is denied" runc exec box-first cat /secret
t_denied "nor may who joins the other" runc exec free cat /secret
runc delete -f free
runc delete -f box-first

# Nor does policyd rely on what it knew before there was no policy.
(cd bundle && exec runc run free >/dev/null 2>&1) &
runner=$!
t_soon 20 "one that no policy is for, for the last time" sh -c 'policyctl ps | grep -q "^unmatched *free "'
mv "$policies/box.yaml" box.kept
none() { ! policyctl list | grep -q ^box; }
t_soon 20 "the policies go" none
kill -KILL $runner
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_wait 10 grep -q "populated 0" /sys/fs/cgroup/pool/one/cgroup.events
rm -r /run/runc/free
(cd bundle && exec runc run box-late >/dev/null 2>&1) &
t_wait 20 grep -q . /sys/fs/cgroup/pool/one/cgroup.procs
sleep 1
cp box.kept "$policies/box.yaml"
t_soon 20 "when they are back, who is there by then has his own" sh -c 'policyctl ps | grep -q "^bound *box-late "'
t_denied "and who joins him" runc exec box-late cat /secret
runc delete -f box-late
t_done
