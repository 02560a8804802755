#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Who is confined: by program and by cgroup, from the execution on, for good, with all descendants; and tasks
# that run already when a policy comes, among them those being forked at that moment.
. /tests/lib.sh

PATH=$PATH:/tests/bin
attempt=/tests/bin/attempt
policies=/etc/policyd/policies
cgroup=/sys/fs/cgroup/case
mkdir -p $policies /l $cgroup/in $cgroup/in/below $cgroup/out $cgroup/later
echo content >/l/secret
echo content >/l/other
for f in confined relay threads; do cp $attempt /l/$f; done
policy() { # NAME MATCH [LINE]
	cat <<-P
	version: 1
	name: $1
	match: [{$2}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file: [{deny: all, path: /l/secret}]
	${3:-}
	P
}
policy program 'exe: /l/confined' >$policies/program.yaml
policy group 'cgroup: "/case/in{,/**}"' 'guard: {allow: [cgroup, userns, mount, signal]}' >$policies/group.yaml

policyd 2>policyd.log &
daemon=$!
ready() { policyctl status >/dev/null 2>&1; }
t_wait 90 ready || t_fail "policyd starts" "$(cat policyd.log)"

### by program
t_is "a program is confined" EACCES "$(/l/confined read /l/secret)"
t_is "in what is denied only" ok "$(/l/confined read /l/other)"
t_is "others are not" ok "$($attempt read /l/secret)"
ln -s /l/confined /l/symlink
t_is "by its real name" EACCES "$(/l/symlink read /l/secret)"
cat >table <<T
exit-1 exec $attempt read /l/secret
ok exec $attempt read /l/other
exit-1 exec /usr/bin/busybox cat /l/secret
EACCES fork read /l/secret
EACCES fork fork fork read /l/secret
EACCES thread read /l/secret
EACCES thread fork thread read /l/secret
ok thread fork thread read /l/other
EACCES user read /l/secret
EACCES unshare cgroup read /l/secret
EACCES unshare pid fork read /l/secret
EACCES unshare mount read /l/secret
EPERM unshare user read /l/other
EPERM write w $cgroup/out/cgroup.procs
EPERM into $cgroup/out read /l/secret
EACCES chroot / read /l/secret
EACCES in /proc/self/root read l/secret
T
/l/confined <table
t_is "its label is never lost" 0 $?

### who only asks whether it may execute a program
cp $attempt /l/asked
policy asked 'exe: /l/asked' 'exec: [{deny: /l/asked}]' >asked.yaml
t_allowed "a policy that refuses its own program" policyctl load asked.yaml
t_is "refused" EACCES "$($attempt exec /l/asked exists /)"
if [ "$($attempt execcheck /usr/bin/busybox exists /)" != EINVAL ]; then
	t_is "who asks of one without a policy is told yes" ok "$($attempt execcheck /usr/bin/busybox exists /)"
	t_is "which is answered, too" EACCES "$($attempt execcheck /l/asked exists /)"
	t_is "who asks of another that it may execute stays free" ok "$($attempt execcheck /l/confined read /l/secret)"
else
	t_skip "this kernel has no AT_EXECVE_CHECK"
fi
t_allowed "it goes" policyctl unload asked

### by cgroup: from the execution on
in_cgroup() { # CGROUP COMMAND...
	# shellcheck disable=SC2016 # of the inner shell
	sh -c 'echo $$ >/sys/fs/cgroup/case/$0/cgroup.procs && exec "$@"' "$@"
}
t_is "in the cgroup" EACCES "$(in_cgroup in $attempt read /l/secret)"
t_is "below it" EACCES "$(in_cgroup in/below $attempt read /l/secret)"
t_is "beside it" ok "$(in_cgroup out $attempt read /l/secret)"
t_is "before an execution there, nothing" content "$(sh -c "echo \$\$ >$cgroup/in/cgroup.procs; read -r a </l/secret; echo \$a")"
t_is "born into it, before an execution, neither" ok "$($attempt into $cgroup/in read /l/secret)"
t_is "born into it, from the execution on" exit-1 "$($attempt into $cgroup/in exec $attempt read /l/secret >/dev/null; echo exit-$?)"
cat >table <<T
# its policy lets it leave the cgroup, which changes nothing
EACCES into $cgroup/out read /l/secret
EACCES into $cgroup/out fork read /l/secret
exit-1 into $cgroup/out exec $attempt read /l/secret
ok into $cgroup/out read /l/other
EACCES unshare user read /l/secret
EACCES unshare user unshare mount read /l/secret
ok unshare user read /l/other
EACCES setns /proc/1/ns/mnt read /l/secret
EACCES setns /proc/1/ns/cgroup read /l/secret
ok setns /proc/self/ns/cgroup read /l/other
EACCES setns /proc/self/ns/cgroup read /l/secret
T
in_cgroup in $attempt <table
t_is "its label is never lost" 0 $?
# shellcheck disable=SC2016 # of the inner shell
t_is "it moves itself out: still confined" "/case/out EACCES" \
	"$(in_cgroup in sh -c 'echo $$ >/sys/fs/cgroup/case/out/cgroup.procs; sed s/0::// /proc/self/cgroup; /tests/bin/attempt read /l/secret' | xargs)"
in_cgroup in sh -c "until [ -e go ]; do usleep 10000; done; $attempt read /l/secret >answer" &
moved=$!
sleep 0.5
echo $moved >$cgroup/out/cgroup.procs
touch go
wait $moved
t_is "it is moved out: still confined" EACCES "$(cat answer)"

### cgroups too deep for a name: nothing is executed there, as a policy may be for them
mkdir $cgroup/deep
executes() { # LEVELS down
	# shellcheck disable=SC2164 # it is there
	(
		cd $cgroup/deep
		i=0
		while [ $i -lt "$1" ]; do
			mkdir -p d && cd d
			i=$((i + 1))
		done
		echo 0 >cgroup.procs && exec $attempt read /l/secret
	) 2>&1
}
t_is "200 levels down" ok "$(executes 200)"
t_like "300 levels down" "*Permission denied*" "$(executes 300)"
find $cgroup/deep -depth -type d -exec rmdir {} +

### what runs already
tally() { $attempt tally "$@"; }
/l/threads threads /l/secret threads.tally 8 &
busy=$!
(echo 0 >$cgroup/later/cgroup.procs && exec $attempt threads /l/secret later.tally 3) &
busy="$busy $!"
mkdir $cgroup/relays
for size in 1 8 32; do
	(echo 0 >$cgroup/relays/cgroup.procs && exec /l/relay relay /l/secret relay$size.tally $size) &
done
running() {
	for t in threads later relay1 relay8 relay32; do [ "$(tally $t.tally opened)" -gt 3 ] || return 1; done
}
t_wait 60 running
t_is "before there is a policy, all of them may" 0 $?
refused() { for t; do echo "$t $(tally "$t.tally" refused)"; done; }
t_is "really" "threads 0
relay1 0" "$(refused threads relay1)"
policy relay 'exe: /l/relay' >relay.yaml
policy threads 'exe: /l/threads' >threads.yaml
policy later 'cgroup: /case/later' >later.yaml
out=$(policyctl load relay.yaml threads.yaml later.yaml 2>&1)
t_is "policies are loaded" 0 $?
t_is "for all that runs" "" "$(echo "$out" | grep warning)"
opened=$(for t in threads later relay1 relay8 relay32; do echo "$t $(tally $t.tally opened)"; done)
for t in threads later relay1 relay8 relay32; do
	enough() { [ "$(tally "$t.tally" refused)" -gt 20 ]; }
	t_wait 60 enough
	t_is "$t: refused from then on" 0 $?
	t_is "$t: never let through again" "$(echo "$opened" | grep "^$t ")" "$t $(tally $t.tally opened)"
done
t_is "all threads of a process" 8 "$(tally threads.tally tasks)"
# These are in the way of all that follows.
echo 1 >$cgroup/relays/cgroup.kill
# shellcheck disable=SC2086 # two
kill -STOP $busy

### policies for the cgroup of what a program has bound
mkdir $cgroup/added
cp $attempt /l/bound
cp $attempt /l/class
policy bound 'exe: /l/bound' >bound.yaml
policy class 'exe: /l/class' | sed 's|^file: .*|file: [{deny: read, path: /l/other, by: /l/class}]|' >class.yaml
policy added 'cgroup: /case/added' | sed 's|/l/secret|/l/other|' >added.yaml
t_allowed "policies are loaded" policyctl load bound.yaml class.yaml
in_cgroup added /l/bound threads /l/other bound.tally 2 &
in_cgroup added /l/bound exec $attempt threads /l/other gone.tally 2 &
/l/class unshare mount threads /l/other class.tally 1 &
opens() { [ "$(tally "$1.tally" opened)" -gt "$2" ]; }
refuses() { [ "$(tally "$1.tally" refused)" -gt "$2" ]; }
t_allowed "bound by its program: free for its cgroup" t_wait 20 opens bound 3
t_allowed "and so is what that has executed" t_wait 20 opens gone 3
t_allowed "by the program's rule, in a mount namespace of its own" t_wait 20 refuses class 3
policyctl load added.yaml >out 2>&1
t_is "a policy comes for the cgroup" 0 $?
t_like "which tells who does not get it" "*warning*process [1-9]*restart*" "$(cat out)"
until_then=$(tally bound.tally opened)
t_allowed "bound by its program: the cgroup's policy is added" t_wait 20 refuses bound 20
t_is "and nothing has been let through since" "$until_then" "$(tally bound.tally opened)"
t_allowed "what has executed another program goes on" opens gone "$(($(tally gone.tally opened) - 1))"
refused=$(tally class.tally refused)
t_allowed "the class stays, though the program cannot be named from here" t_wait 20 refuses class $((refused + 20))
t_is "never let through" 0 "$(tally class.tally opened)"
echo 1 >$cgroup/added/cgroup.kill

### a policy comes, or changes, in the middle of an exec: the image in force at its end decides
for f in late moved; do cp $attempt /l/$f; done
policy late 'exe: /l/late' >late.yaml
policy moved 'exe: /l/moved' | sed 's|^file: .*|file: [{deny: read, path: /l/secret, by: /l/moved}]|' >moved.yaml
held() { # NAME: its exec has been judged, and is not over
	rm -f held go
	holdexec held go "/l/$1" read /l/secret >"$1.out" 2>&1 &
	exec=$!
	t_wait 20 test -e held
}
lets_go() { # the status of what was executed
	: >go
	wait $exec
}
for name in late moved; do
	held $name
	t_is "$name: an exec is held" 0 $?
	t_allowed "$name: a policy for it comes" policyctl load $name.yaml
	lets_go
	t_is "$name: it is for what was being executed" EACCES "$(cat $name.out)"
done
held late
t_is "late: one more" 0 $?
t_allowed "late: its policy goes" policyctl unload late
lets_go
t_is "late: it was judged by one that is no more" ok "$(cat late.out)"
policyctl unload moved >out 2>&1

### it goes again
# shellcheck disable=SC2086 # two
kill -CONT $busy
t_allowed "unload" policyctl unload threads
before=$(tally threads.tally opened)
again() { [ "$(tally threads.tally opened)" -gt "$before" ]; }
t_allowed "what an unloaded policy confined is free" t_wait 20 again
t_is "what another confined is not" "$(echo "$opened" | grep '^later')" "later $(tally later.tally opened)"

# The daemon's death changes nothing, and new cgroups are matched without it
kill -9 $daemon
t_is "without a daemon: by program" EACCES "$(/l/confined read /l/secret)"
mkdir $cgroup/in/new
t_is "without a daemon: in a new cgroup" EACCES "$(in_cgroup in/new $attempt read /l/secret)"
t_is "without a daemon: the others" ok "$($attempt read /l/secret)"
echo 1 >$cgroup/later/cgroup.kill
t_done
