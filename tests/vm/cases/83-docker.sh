#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 1800
#
# docker, and containerd's own client
# shellcheck disable=SC2317,SC2086 # functions are called by others; $IMAGE is one word
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

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

ctr images import demo.tar >/dev/null
go() { name=$1; shift; ctr run --rm $IMAGE "$name" "$@"; }
up() { ctr run -d $IMAGE "$1" sleep 1000; }
join() { name=$1; shift; ctr tasks exec --exec-id "e$(date +%N)" "$name" "$@"; }
down() { ctr tasks kill -s KILL "$1"; sleep 2; ctr containers delete "$1"; }
stands "containerd by ctr" "\"$IMAGE\""
many "containerd by ctr"
t_done
