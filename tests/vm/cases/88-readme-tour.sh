#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 900
#
# README's tour of containers, word for word: what stands there is done, and must say what stands there.
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

prepare_runtimes
# shellcheck disable=SC2154 # of life.inc.sh
rm "$policies/box.yaml"
demo_image web:latest "$PWD/root" web.tar
ln -s busybox root/bin/id
demo_image web:latest "$PWD/root" web.tar
# There are no bridges here, which the tour does not speak of.
mkdir -p /etc/containers
printf '[containers]\nnetns = "none"\n' >/etc/containers/containers.conf
containerd >containerd.log 2>&1 &
dockerd --containerd /run/containerd/containerd.sock --iptables=false --bridge=none >dockerd.log 2>&1 &
t_wait 60 docker info || t_fail "docker starts" "$(tail -n 5 dockerd.log)"
docker load -q -i web.tar >/dev/null
podman load -q -i web.tar >/dev/null 2>&1
start_policyd

sed -n '/^### Containers/,/^## /p' /tests/README.md >tour
# shellcheck disable=SC2016 # these are backticks
sed -n '/^```yaml/,/^```/p' tour | sed '/^```/d' >web.yaml
t_allowed "the policy is one" policyctl check web.yaml

# What differs from one machine to the next: ids, times, process numbers, folders, how words are spaced
same() {
	# the order of a program's two outputs is up to chance
	sort | sed -E 's/[0-9a-f]{12}/ID/g; s/^[0-9]{4}-[0-9-]+ [0-9:]+/TIME/; s/\[[0-9]+\]/[PID]/; s|[^ ]*/web.yaml|web.yaml|; s/ +/ /g; s/ $//'
}
sed -n 's/^    //p' tour | sed -n '/^# /,$p' >lines
: >expected
: >said
count=0
while IFS= read -r line; do
	case $line in
	'# '*)
		same <said >said.same
		same <expected >expected.same
		[ $count = 0 ] || t_is "$command" "$(cat expected.same)" "$(cat said.same)"
		command=${line#\# }
		count=$((count + 1))
		: >expected
		sh -c "$command" >said 2>said.errors </dev/null # apart: docker may put one into a line of the other
		cat said.errors >>said
		[ "${command#docker run -d}" = "$command" ] || : >said # the new container's number
		;;
	*) printf '%s\n' "$line" >>expected ;;
	esac
done <lines
same <said >said.same
same <expected >expected.same
t_is "$command" "$(cat expected.same)" "$(cat said.same)"
t_is "the tour has its seven commands" 7 $count
docker rm -f shop >/dev/null 2>&1
t_done
