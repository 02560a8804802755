#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 900
#
# systemd-nspawn and LXC
# shellcheck disable=SC2317,SC2086,SC2154 # functions are called by others; $IMAGE is one word; of life.inc.sh
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

prepare_runtimes
cp -a root root2
start_policyd
go() { name=$1; shift; systemd-nspawn -q --register=yes -D "$PWD/root" -M "$name" "$@"; }
up() {
	systemd-run -q --unit "nspawn-$1" systemd-nspawn -q -D "$PWD/root2" -M "$1" sleep 1000
	t_wait 30 in_payload "$1"
}
# machinectl shell wants a system inside; one that joins by hand joins the cgroup, too
payload() { echo "/sys/fs/cgroup/machine.slice/machine-$1.scope/payload"; }
in_payload() { grep -q . "$(payload "$1")/cgroup.procs"; }
join() {
	group=$(payload "$1")
	leader=$(head -n 1 "$group/cgroup.procs")
	shift
	sh -c 'echo $$ >"$0/cgroup.procs"; exec nsenter -t '"$leader"' -m -p -r "$@"' "$group" "$@"
}
down() { machinectl terminate "$1"; }
stands nspawn null
many nspawn
t_allowed "nspawn: without being registered it may what is allowed" \
	systemd-nspawn -q --register=no -D "$PWD/root" -M box2 cat /twin
t_denied "nspawn: and not what is denied" systemd-nspawn -q --register=no -D "$PWD/root" -M box2 cat /secret
t_like "nspawn: by the name it has" '*"name":"box2"*' "$(policyctl events --json -n 1 --path /secret)"

lxc_config() {
	mkdir -p "/var/lib/lxc/$1"
	printf '%s\n' "lxc.uts.name = $1" "lxc.rootfs.path = dir:$PWD/root" 'lxc.net.0.type = empty' \
		'lxc.apparmor.profile = unconfined' >"/var/lib/lxc/$1/config"
}
go() { name=$1; shift; lxc_config "$name"; lxc-execute -n "$name" -- "$@"; }
up() { lxc_config "$1"; lxc-execute -n "$1" -d -- sleep 1000; t_wait 30 lxc-wait -n "$1" -s RUNNING -t 1; }
join() { name=$1; shift; lxc-attach -n "$name" -- "$@"; }
down() { lxc-stop -k -n "$1"; }
stands lxc null
many lxc

# A monitor leaves its cgroup when it can, and whoever comes next takes the next number if it could not.
gone() { rmdir /sys/fs/cgroup/lxc.*.web-1; ! stat /sys/fs/cgroup/lxc.*.web-1; }
# While its cgroup is still there, the next of the same name gets another.
sed 's/name: box/name: web/; s/box\*/web/' "$policies/box.yaml" >"$policies/web.yaml"
t_soon 20 "a policy for one called web" sh -c 'policyctl list | grep -q ^web'
up web >/dev/null 2>&1
t_denied "lxc: web may not" join web cat /secret
pkill -KILL -f '^\[lxc monitor\] [^ ]* web'
t_denied "lxc: nor may it as web-1" go web cat /secret
t_like "which it was called" '*lxc.payload.web-1"*"name":"web"*' "$(policyctl events --json -n 1 --path /secret)"
lxc_config web-1
t_soon 10 "both its cgroups go after it" gone
t_denied "lxc: nor if web-1 is the name of another, as its arguments say" go web cat /secret
t_soon 10 "and again" gone
up web >/dev/null 2>&1
t_denied "lxc: nor if web-1 is the name of another, as its monitor says" join web cat /secret
t_like "which it is called, where who joins has a cgroup further down" '*lxc.payload.web-1/*"name":"web"*' \
	"$(policyctl events --json -n 1 --path /secret)"
mkdir /sys/fs/cgroup/lxc.payload.web-1/init.scope
head -n 1 /sys/fs/cgroup/lxc.payload.web-1/cgroup.procs >/sys/fs/cgroup/lxc.payload.web-1/init.scope/cgroup.procs
t_is "its first process moves" 1 "$(wc -l </sys/fs/cgroup/lxc.payload.web-1/init.scope/cgroup.procs)"
kill_policyd
start_policyd
t_denied "lxc: nor if its first process is further down when policyd starts" join web cat /secret
t_like "which it is called then, too" '*lxc.payload.web-1/*"name":"web"*' "$(policyctl events --json -n 1 --path /secret)"
down web >/dev/null 2>&1
echo 1 >/sys/fs/cgroup/lxc.payload.web/cgroup.kill
t_wait 10 rmdir /sys/fs/cgroup/lxc.payload.web
t_allowed "lxc: the other may, which no policy is for" go web-1 cat /secret
t_done
