#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a kernel forgets to refuse as soon as BPF is among its LSMs, and policyd refuses in its place, whoever it is: on 6.1
# anybody may set attributes of security.* on any file that is found, and take a program's capabilities away.
# shellcheck disable=SC2154,SC2016 # of life.inc.sh; for others to expand
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
attempt=/tests/bin/attempt
mkdir -p /x
for file in roots tool mine; do echo content >/x/$file; done
chown 1000 /x/mine
$attempt setcap /x/tool >/dev/null
# with no rule about files
printf 'version: 1\nname: some\nmatch: [{exe: /tests/bin/hammer}]\ndefault: {file: allow, exec: allow, %s\n' \
	'socket: deny, capability: deny}' >"$policies/some.yaml"

forgets= # nobody asks, as a look at a file of root's tells
[ "$($attempt user setxattr security.mine /x/roots)" = EPERM ] || forgets=1
echo "# $(uname -r) ${forgets:+forgets to ask}"
case $(uname -r) in 6.1.*) t_is "this kernel forgets, without policyd" 1 "$forgets" ;; esac
start_policyd
t_is "enforcing" enforcing "$(state)"
is() { # EXPECTED ARGS...
	is_expected=$1
	shift
	t_is "$*" "$is_expected" "$($attempt "$@")"
}
is EPERM user setxattr security.mine /x/roots
is EPERM user setxattr security.mine /x/mine
is EPERM user removexattr security.mine /x/roots
is EPERM user setcap /x/mine
is EPERM user removexattr security.capability /x/tool
is ok user unshare user exists /
is EPERM user unshare user setxattr security.mine /x/mine
is EPERM user unshare user removexattr security.capability /x/tool
if [ -n "$forgets" ]; then
	told() { policyctl events -n 3 --reason kernel | tr '\n' ' '; }
	t_like "which is told, by whom and of what" "*attempt*removexattr*/x/tool*forgets to ask*" "$(told)"
fi

### who may still may
is ok setxattr security.mine /x/roots
is ok removexattr security.mine /x/roots
is ok setcap /x/roots
is ok removexattr security.capability /x/tool
own='mount -t tmpfs own /mnt && echo content >/mnt/f && exec "$0" setxattr security.mine /mnt/f'
t_is "in a file system of a user namespace's own its root may" ok "$(unshare -Urm sh -c "$own" $attempt 2>&1)"
unshare -Urm sh -c 'mount -t tmpfs own /mnt && echo content >/mnt/f && echo $$ >/x/own && exec sleep 100' &
t_wait 10 test -s /x/own
inside=/proc/$(cat /x/own)/root/mnt/f
is ok setxattr security.mine "$inside" # of the namespace above it
kill "$(cat /x/own)"

### a policy's own word about capabilities
printf 'version: 1\nname: none\nmatch: [{exe: /x/confined}]\ndefault: {file: allow, exec: allow, %s\n%s\n' \
	'socket: allow, capability: allow}' 'capability: [{deny: [setfcap, sys_admin]}]' >"$policies/none.yaml"
cp $attempt /x/confined
t_soon 10 "a policy without these capabilities" sh -c 'policyctl list | grep -q ^none'
$attempt setcap /x/tool >/dev/null
t_is "confined: set" EPERM "$(/x/confined setxattr security.mine /x/roots)"
t_is "confined: removed" EPERM "$(/x/confined removexattr security.capability /x/tool)"
is ok removexattr security.capability /x/tool
t_allowed "detach" policyctl detach
forgotten() { [ "$($attempt user setxattr security.mine /x/roots)" = ok ]; }
[ -z "$forgets" ] || t_soon 20 "then the kernel forgets again" forgotten
t_done
