#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Whatever the programs ask for and do not get: memory, room in a map or a ring, what another processor may be at.
# Each of these is made to fail in turn (see tests/vm/faults.h), and nothing that is denied ever succeeds for that.
# shellcheck disable=SC2154,SC2086 # of life.inc.sh; numbers
. /tests/lib.sh
. /tests/cases/life.inc.sh
# shellcheck disable=SC2034 # of start_policyd
POLICYD=policyd-faulty

case $(uname -r) in
6.1.*)
	t_skip "with these points bprm_committed_creds takes 544 bytes of stack here, and may take 512"
	t_done
	;;
esac
prepare
: >log
attempt=/tests/bin/attempt
other=/sys/fs/cgroup/case/other
mkdir -p /l $other /box/bin
for program in confined denied; do cp $attempt /l/$program; done
cp /usr/bin/busybox /l/
box violate /box/violate
echo secret >/box/secret
for file in secret other; do echo content >/l/$file; done
echo 'hold_seconds: 2' >/etc/policyd/policyd.yaml

rules() { # NAME MATCH
	cat <<-P
	version: 1
	name: $1
	match: [$2]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file: [{deny: all, path: /l/secret}, {deny: read, path: /secret}]
	exec: [{deny: /l/denied}]
	capability: [{deny: sys_chroot}]
	socket: [{deny: connect, unix: /l/denied.socket}]
	P
}
rules battery '{exe: /l/confined}' >$policies/battery.yaml
rules box '{container: "box-*"}' >$policies/box.yaml
rules runs '{exe: /l/busybox}' >runs.yaml
cat >battery <<T
EACCES read /l/secret
EACCES open w /l/secret
EACCES fork read /l/secret
EACCES thread read /l/secret
exit-1 exec $attempt read /l/secret
exit-1 exec /usr/bin/busybox cat /l/secret
EACCES exec /l/denied exists /
EACCES rename plain /l/secret /l/moved
EACCES link /l/secret /l/alias
EACCES truncate /l/secret
EPERM chroot / exists /
EPERM unshare user exists /
EPERM into $other exists /
EPERM open w $other/cgroup.procs
EACCES receive /l/denied.socket r /l/other
nothing receive /l/open.socket r /l/secret
T
cat >allowed <<T
ok read /l/other
ok fork read /l/other
ok exec $attempt read /l/other
ok receive /l/open.socket r /l/other
T
sed 's/^[^ ]*/refused/' battery >refused
for name in denied open; do $attempt serve /l/$name.socket & done

unseen=$(head -c 512 /dev/zero | hexdump -v -e '1/1 "%d "')
fails() { # POINT AFTER: a thousand times; what came by before is forgotten
	until bpftool map update name .data.faults key 0 0 0 0 value $1 0 0 0 ${2:-0} 0 0 0 0xe8 3 0 0 $unseen; do :; done 2>/dev/null
}
seen() { # the numbers of the points
	bpftool -j map dump name .data.faults | sed 's/.*"seen":\[\([0-9,]*\)\].*/\1/' | tr ',' '\n' |
		awk '$1 == 1 { print NR - 1 }'
}

ended() { ! kill -0 "$1" 2>/dev/null; }
start_policyd
[ "$T_FAILED" = 0 ] || t_done
fails 0
/l/confined <battery >out 2>&1
t_is "what is denied is, while nothing fails" 0 $?
grep '^not ok' out
/l/confined <allowed >out 2>&1
t_is "and what is allowed is not" 0 $?
grep '^not ok' out
t_like "so in a container" "refused [1-9]* escaped 0 *" "$(box run box 2 /box /violate)"
points=$(seen)
t_is "there are places that can fail" 1 "$([ "$(echo "$points" | wc -l)" -gt 10 ] && echo 1)"
echo "# places: $points" | tr '\n' ' ' && echo

# Not asked: whether what is allowed still is. It may fail with what it needs.
for point in $points; do
	out=
	for after in 0 1 2 5; do # who comes by several times: at each of them
		fails $point $after
		/l/confined <refused >told 2>&1
		fails 0 # or there may be no grep
		out="$out$(grep '^not ok' told)"
	done
	fails $point
	box run box 2 /box /violate >boxed 2>/dev/null &
	box=$!
	t_wait 2 ended $box # or is held, and let go when nothing fails any more
	fails 0
	wait $box
	result=$?
	case $result$(cat boxed) in
	126) ;; # not even that can be executed
	*' escaped 0 '*) ;;
	*) out="$out a container's: $result $(cat boxed)" ;;
	esac
	t_is "place $point fails: nothing that is denied succeeds" "" "$out"
done
sleep 1
/l/confined <allowed >out 2>&1
t_is "afterwards all is as before: what is allowed" 0 $?
/l/confined <battery >out 2>&1
t_is "and what is denied" 0 $?

### what runs already when a policy comes
runs() { # sets $runs
	/l/busybox sh -c 'while :; do read -r x </l/secret && echo yes || echo no; sleep 0.1; done' >said 2>/dev/null &
	runs=$!
	t_wait 20 last yes
}
last() { [ "$(tail -n 1 said)" = "$1" ]; }
ends() {
	kill -9 $runs
	wait $runs 2>/dev/null
	policyctl unload runs >/dev/null
}
runs
fails 0
t_allowed "a policy comes" policyctl load runs.yaml
t_soon 20 "it is for what runs" last no
ends
points=$(seen)
for point in $points; do
	runs
	fails $point
	policyctl load runs.yaml >out 2>&1
	result=$?
	: >said
	t_wait 5 test -s said
	if last yes; then
		if [ $result = 0 ]; then policyctl status >out 2>&1; else echo trouble >out; fi
		t_is "place $point fails while a policy comes: who is not confined is told of" 1 "$(grep -c '^trouble' out)"
	else
		t_ok "place $point fails while a policy comes: who runs is confined"
	fi
	fails 0
	[ $result != 0 ] || t_soon 20 "and is afterwards" last no
	ends
done
adds_up "in the end" denials
t_allowed "detach" policyctl detach
t_done
