#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 1800
#
# Kubernetes' way: pods and their containers, by containerd's CRI
# shellcheck disable=SC2317,SC2086,SC2153 # functions are called by others; $IMAGE is one word
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

cri() { python3 /tests/cases/cri.py "$@"; }
prepare_runtimes
# What a pod's sandbox runs is the image's own program; the demo's sleeps.
sed 's/"Env"/"Entrypoint":["sleep","100000"],"Env"/' /tests/cases/runtimes.inc.sh >pause.sh
(. ./pause.sh && demo_image localhost/pause:1 root pause.tar)
mkdir -p /etc/containerd
cat >/etc/containerd/config.toml <<-E
	version = 2
	[plugins."io.containerd.grpc.v1.cri"]
	sandbox_image = "localhost/pause:1"
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
	runtime_type = "io.containerd.runc.v2"
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
	SystemdCgroup = true
E
containerd >containerd.log 2>&1 &
t_wait 60 ctr version || t_fail "containerd starts" "$(tail -n 5 containerd.log)"
for image in demo pause; do ctr -n k8s.io images import $image.tar >/dev/null; done
# shellcheck disable=SC2154 # of life.inc.sh
rm -f "$policies/box.yaml"
policy_for() { # NAME MATCH
	printf 'version: 1\nname: %s\nmatch: [%s]\n' "$1" "$2"
	echo 'default: {file: allow, exec: allow, socket: allow, capability: allow}'
	echo 'file: [{deny: read, path: /secret}]'
}
policy_for box '{namespace: shop, pod: "web-*", container: "box*"}' >"$policies/box.yaml"
policy_for labelled '{label: {tier: secret}}' >"$policies/labelled.yaml"
start_policyd

pod=$(cri run-pod web-1 shop kubepods.slice) || t_fail "a pod" "$pod $(tail -n 5 containerd.log)"
go() {
	name=$1
	shift
	made=$(cri create "$pod" "$name" $IMAGE "$@") && cri start "$made" && cri wait "$made"
	status=$?
	cri remove "$made"
	return $status
}
up() { up=$(cri create "$pod" "$1" $IMAGE sleep 1000) && cri start "$up"; }
join() { shift; cri exec "$up" "$@"; }
down() { cri stop "$up"; cri remove "$up"; }
said_by() {
	policyctl events --json -n 1 --path /secret | grep "\"name\":\"$1\",\"image\":$2" |
		grep -q '"pod":"web-1","namespace":"shop"'
}
t_allowed "CRI: what is allowed" go box1 cat /twin
t_denied "CRI: what is denied" go box2 cat /secret
if said_by box2 "\"$IMAGE\""; then
	t_ok "the event names container, image, pod and namespace"
else
	t_fail "the event names container, image, pod and namespace" "$(policyctl events --json -n 1)"
fi
t_allowed "another container of the pod is left alone" go other cat /secret
up box4 || t_fail "one that stays"
t_denied "who joins it is confined" join box4 cat /secret
t_allowed "its twin" join box4 cat /twin
kill_policyd
t_denied "with policyd dead, too" join box4 cat /secret
start_policyd
t_denied "and when it is back" join box4 cat /secret
t_like "ps tells of them" "*bound*shop/web-1/box4*containerd*$IMAGE*box*" "$(policyctl ps)"
down box4
many CRI
cri stop-pod "$pod"
cri remove-pod "$pod"

pod=$(cri run-pod db-1 shop kubepods.slice tier=secret) || t_fail "a pod with a label" "$pod"
t_denied "a pod's label selects its containers" go any cat /secret
t_allowed "and allows the twin" go any cat /twin
cri stop-pod "$pod"
cri remove-pod "$pod"
t_done
