#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# kernels: one
#
# policyctl run, without a daemon and with one, attacked: terminals, deaths in every order, commands that do not
# want to end. Never is the command free, and never is anything left.
. /tests/lib.sh
. /tests/cases/life.inc.sh
export HAMMER_PAUSE=1000 # as in 61-survival

prepare
: >log
cat >p.yaml <<-P
	version: 1
	name: runner
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file: [{deny: [read, write], path: /secret}]
P
run() { policyctl run --policy "$PWD/p.yaml" -- "$@"; }
left() { # what a run leaves behind
	ls -d /sys/fs/cgroup/policyd.run /sys/fs/bpf/* /run/policyd/runs/* 2>/dev/null
	! running 'policyd.*' || echo "a private policyd"
	! running hammer || echo "the command"
}
clean() { [ -z "$(left)" ]; }
nothing_left() { # TEXT
	t_soon 30 "$1: nothing is left" clean
	clean || left
}
private() { # process ids of private policyds
	grep -lsx policyd /proc/[0-9]*/comm | sed 's/[^0-9]//g'
}
attack() { # starts a hammer in a run; sets $runner
	rm -f beat
	policyctl run --policy "$PWD/p.yaml" -- hammer "$PWD/beat" /secret /twin 1 >out 2>&1 &
	runner=$! # not of a function, which would be a shell's
	t_wait 90 struck beat 100 || t_fail "the command starts" "$(cat out)"
}
dead() { # the hammer, and it did not escape
	t_soon 30 "$1: the command is killed" sh -c "[ \"\$(hammer read beat)\" = \"\$(sleep 0.3; hammer read beat)\" ]"
	no_escape "$1" beat
}

### what can be seen before and after, and a run in a run
cat >inside.sh <<'E'
#!/bin/sh
policyctl run --policy "$1/p.yaml" -- cat /twin >nested 2>nested.err
echo $? >>nested
exec hammer "$1/once" /secret /twin 1 1
E
chmod +x inside.sh
run ./inside.sh "$PWD" 2>err
t_is "denied the one, allowed the other" 0 $?
t_is "a run in a run is refused, not half-done" 2 "$(cat nested)"
t_like "in words" "*policyctl: *" "$(grep policyctl nested.err)"
nothing_left "after it"

### deaths
attack
kill -9 $runner
dead "the runner is killed"
nothing_left "the runner is killed"
attack
first=$(private | head -n 1)
t_allowed "there is a private policyd" test -n "$first"
kill -9 "$first"
wait $runner
t_is "the private policyd is killed: the command's status" 137 $?
dead "the private policyd is killed"
nothing_left "the private policyd is killed"
attack
kill -STOP "$(private | head -n 1)"
t_allowed "the private policyd is stopped: the command goes on, confined" goes_on beat
kill -9 $runner
kill -CONT "$(private | head -n 1)"
dead "it goes on, the runner has been killed meanwhile"
nothing_left "it goes on"
attack
# shellcheck disable=SC2046 # several
kill -9 $runner $(private)
dead "both are killed at once"
nothing_left "both are killed at once"

### commands that do not want to end
cat >escape.sh <<'E'
#!/bin/sh
# Everything a task may do to get away from its group and its runner
trap '' TERM HUP INT QUIT
echo 0 2>/dev/null >/sys/fs/cgroup/cgroup.procs && echo moved
mkdir /sys/fs/cgroup/away 2>/dev/null && echo made
echo $$ 2>/dev/null >/sys/fs/cgroup/cgroup.procs && echo moved
kill -9 $PPID 2>/dev/null && echo killed
setsid sh -c "while :; do cat /secret >>$1/stolen 2>/dev/null; usleep 10000; done" </dev/null >/dev/null 2>&1 &
(setsid sleep 1234 >/dev/null 2>&1 &)
exit 3
E
chmod +x escape.sh
: >stolen
out=$(run ./escape.sh "$PWD" 2>err)
t_is "a command cannot leave its group or kill its runner" "3 " "$? $out"
t_is "what it left running got nothing" "" "$(cat stolen)"
asleep() { grep -sa '[1]234' /proc/[0-9]*/cmdline; } # who is dead has no arguments, but a name until its parent has looked
if t_wait 1 asleep; then t_fail "and is dead" "$(asleep)"; else t_ok "and is dead"; fi
nothing_left "a command that does not want to end"

### what a service manager sends to a service reaches the private policyd as well; and another configuration
cat >slow.sh <<'E'
#!/bin/sh
trap 'sleep 2; echo "ended by itself"; exit 5' TERM
echo READY
while :; do sleep 1; done
E
chmod +x slow.sh
printf 'rings: {denials: 128K}\n' >other.yaml
policyctl -c other.yaml run --policy "$PWD/p.yaml" -- ./slow.sh >out 2>err &
runner=$!
t_wait 90 grep -q READY out || t_fail "the command starts" "$(cat err)"
other_size() { for p in $(private); do grep -hs max_entries: "/proc/$p/fdinfo/"* && break; done | grep -q '131072$'; }
t_allowed "what -c says is for the private policyd, too" other_size
# shellcheck disable=SC2046 # several
kill -TERM $runner $(private)
wait $runner
t_is "a service is stopped: the command ends as it wants to" "5 ended by itself" "$? $(tail -n 1 out)"
nothing_left "a service is stopped"

### with a daemon, which is quicker to ask: several at once
start_policyd
i=1
while [ $i -le 3 ]; do
	run sh -c "cat /twin >/dev/null && ! cat /secret 2>/dev/null && exit 4$i" 2>/dev/null &
	eval "run$i=$!"
	i=$((i + 1))
done
for i in 1 2 3; do
	eval "wait \$run$i"
	t_is "run $i of three at once" 4$i $?
done

# With a policy in force the hooks stay attached in between, and the rest is quicker.
# shellcheck disable=SC2154 # of life.inc.sh
policy "$policies/web.yaml" web
t_allowed "a policy of the daemon's own" policyctl load

run /etc/hostname 2>err
t_is "a command that cannot be executed" 126 $?
t_like "is said" "*policyctl: /etc/hostname: *" "$(cat err)"

### descriptors and terminals
run sh -c 'cat; exit 5' <&- 2>/dev/null >out
t_is "without a standard input" 5 $?
t_is "standard output and error are kept apart" "to-out to-err" \
	"$(run sh -c 'echo to-out; echo to-err >&2' 2>err) $(grep -o to-err err)"
terminal '' policyctl run --policy "$PWD/p.yaml" -- sh -c 'tty; [ -t 0 ] && [ -t 1 ] && exit 6' >out
t_is "a terminal is one for the command" 6 $?
# shellcheck disable=SC2016 # of the inner shell
terminal 'hi^J' policyctl run --policy "$PWD/p.yaml" -- \
	sh -c 'for i in 1 2 3; do echo READY; sleep 1; done; read -r line; [ "$line" = hi ] && exit 7' >out
t_is "and read from" 7 $?
terminal '^C' policyctl run --policy "$PWD/p.yaml" -- \
	sh -c 'trap "echo GOT; exit 8" INT; echo READY; while :; do sleep 1; done' >out
t_is "ctrl-C is the command's: status" 8 $?
t_is "and comes once" 1 "$(grep -c GOT out)"
terminal '^C' policyctl run --policy "$PWD/p.yaml" -- sh -c 'echo READY; sleep 100' >out
t_is "ctrl-C kills a command that does not care" 130 $?
# shellcheck disable=SC2016 # of the inner shell
terminal 'x^J' sh -c 'policyctl run --policy "$1" -- sh -c "sleep 3; echo done" |
	sh -c "echo READY; echo READY; read -r line </dev/tty && cat && exit 4"' sh "$PWD/p.yaml" >out
t_is "a pager keeps the terminal" "4 done" "$? $(grep -o "[d]one" out)"
terminal '^Z' policyctl run --policy "$PWD/p.yaml" -- sh -c 'echo READY; sleep 2; echo ON; exit 9' >out
t_is "ctrl-Z stops it, and it goes on" "9 STOPPED" "$? $(grep -o STOPPED out | head -n 1)"
no_runs() { [ ! -d /sys/fs/cgroup/policyd.run ] && [ -z "$(ls /run/policyd/runs)" ] && ! policyctl list | grep -q ^runner; }
t_soon 30 "nothing is left of any of them" no_runs
cat >p.yaml <<-P
	version: 1
	name: runner
	defualt: deny
P
run true 2>err
t_is "a bad policy" 2 $?
t_like "is said with file, line and column" "*p.yaml:3:1: *" "$(cat err)"
t_is "in one line" 1 "$(grep -c . err)"
t_soon 30 "and nothing is left of it" no_runs
t_allowed "detach" policyctl detach
t_done
