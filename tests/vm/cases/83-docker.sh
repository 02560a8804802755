#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 1800
#
# docker, and containerd's own client
# shellcheck disable=SC2317,SC2086,SC2154 # functions are called by others; $IMAGE is one word; of life.inc.sh
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

# Every policy that comes into force is for tasks that run, too, which are all looked at. docker's container is known long
# before its runtime has made it, and that is not to be confined meanwhile: it mounts, and opens what is the host's.
loaded_meanwhile() {
	sed 's/name: box/name: late/; s/box\*/nobody/' "$policies/box.yaml" >late.yaml
	sed -i 's/^file: .*/file: [{deny: read, path: \/secret}, {deny: write, path: \/etc\/}]/' "$policies/box.yaml"
	t_soon 20 "a policy that denies writing" sh -c 'policyctl list | grep -q "^box.* 3 "'
	(while [ ! -e enough ]; do policyctl load late.yaml; policyctl unload late; sleep 0.5; done) >/dev/null 2>&1 &
	loads=$!
	: >started
	for i in $(seq "$number"); do go "box-$i" cat /twin >>started 2>&1; done
	go box-secret cat /secret >>started 2>&1
	up box-7 >/dev/null 2>&1
	for i in $(seq "$number"); do join box-7 cat /twin >>started 2>&1; done
	down box-7 >/dev/null 2>&1
	: >enough
	wait $loads
	t_is "docker: made and joined while policies come and go: all runs, confined" "$((2 * number)) twin, 1 cat: can't open '/secret': Permission denied, " \
		"$(sort started | uniq -c | sed 's/^ *//; s/$/,/' | sort -r | tr '\n' ' ')"
}

prepare_runtimes
containerd >containerd.log 2>&1 &
dockerd --containerd /run/containerd/containerd.sock --iptables=false --bridge=none >dockerd.log 2>&1 &
t_wait 60 docker info || t_fail "docker starts" "$(tail -n 5 dockerd.log)"
docker load -q -i demo.tar >/dev/null
start_policyd
go() { name=$1; shift; docker run --rm --network none --name "$name" $IMAGE "$@"; }
up() { docker run -d --network none --name "$1" $IMAGE sleep 1000; }
join() { docker exec "$@"; }
down() { docker rm -f "$1"; }
stands docker "\"$IMAGE\""
many docker
loaded_meanwhile

ctr images import demo.tar >/dev/null
go() { name=$1; shift; ctr run --rm $IMAGE "$name" "$@"; }
up() { ctr run -d $IMAGE "$1" sleep 1000; }
join() { name=$1; shift; ctr tasks exec --exec-id "e$(date +%N)" "$name" "$@"; }
down() { ctr tasks kill -s KILL "$1"; sleep 2; ctr containers delete "$1"; }
stands "containerd by ctr" "\"$IMAGE\""
many "containerd by ctr"
t_done
