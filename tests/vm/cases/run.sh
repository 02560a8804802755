#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
#
# policyctl run, without a daemon and with one: what passes through, what is left (nothing), and that no
# death of anybody sets the command free.
. /tests/lib.sh

echo secret >/secret
mkdir -p work
cat >work/p.yaml <<'P'
version: 1
name: runner
mode: enforce
default: {file: allow, exec: allow, socket: allow, capability: allow}
file:
  - {deny: [read, modify], path: /secret}
P
run() { policyctl run --policy "$PWD/work/p.yaml" -- "$@"; }

t_eventually() { # SECONDS TEXT COMMAND...
	seconds=$1 text=$2
	shift 2
	if t_wait "$seconds" "$@"; then t_ok "$text"; else t_fail "$text" "not within $seconds s: $*"; fi
}

nothing_left() {
	[ ! -e /sys/fs/cgroup/policyd.run ] && [ -z "$(private)" ]
}
private() { # process ids of private policyds and their helpers, oldest first
	for pid in $(pidof policyd); do
		! grep -q -e --private "/proc/$pid/cmdline" 2>/dev/null || echo "$pid"
	done | sort -n
}
# A command that tries for ever, and writes down what it could read
cat >work/tries.sh <<'S'
#!/bin/sh
echo $$ >work/pid
while :; do
	if cat /secret 2>/dev/null >>work/leaked; then :; fi
	echo x >>work/alive
	usleep 20000
done
S
chmod +x work/tries.sh

alive() { [ -s work/alive ]; }
start_tries() {
	rm -f work/alive work/leaked work/pid
	policyctl run --policy "$PWD/work/p.yaml" -- work/tries.sh >work/out 2>&1 &
	runner=$!
	t_wait 30 alive || t_fail "the command starts" "$(cat work/out)"
	command=$(cat work/pid)
}
no_leak() {
	t_is "$1: the secret was never read" "" "$(cat work/leaked 2>/dev/null)"
}
gone() { [ ! -d "/proc/$command" ]; }

cat >work/works.sh <<'S'
#!/bin/sh
cat /secret
echo "secret $?"
cat /etc/hostname
cat
sleep 1000 &
echo $! >work/left
exit 7
S
chmod +x work/works.sh

passing() {
	out=$(echo hello | run work/works.sh 2>work/err)
	t_is "$1: the exit status passes" 7 $?
	t_is "$1: a denied read fails, an allowed one does not, standard input passes" "secret 1 policyd-vm hello" \
		"$(echo "$out" | tr '\n' ' ' | sed 's/ $//')"
	t_like "$1: the event is shown, with file and line" "*denied*/secret*p.yaml:6*" "$(cat work/err)"
	t_allowed "$1: what the command leaves running is killed" test ! -d "/proc/$(cat work/left)"
	run /no/such/program 2>/dev/null
	t_is "$1: no such program" 127 $?
	# shellcheck disable=SC2016 # of the inner shell
	policyctl run --audit --policy "$PWD/work/p.yaml" -- sh -c 'cat /secret; kill -9 $$' >work/out 2>work/err
	t_is "$1: audit mode lets it pass, and death by a signal is told" "137 secret" "$? $(cat work/out)"
	t_like "$1: with what would have been denied" "*would_deny*/secret*" "$(cat work/err)"
	policyctl run --policy "$PWD/work/p.yaml" -- sh -c 'trap "echo term >work/term; exit 5" TERM; echo >work/ready; while :; do usleep 10000; done' &
	runner=$!
	t_wait 30 test -e work/ready
	kill -TERM $runner
	wait $runner
	t_is "$1: SIGTERM is passed on" "5 term" "$? $(cat work/term)"
	rm -f work/ready work/term
	t_eventually 10 "$1: nothing is left" nothing_left
}

runner_killed() {
	start_tries
	kill -9 $runner
	t_eventually 20 "$1: the runner is killed: so is the command" gone
	no_leak "$1, runner killed"
	t_eventually 20 "$1: and nothing is left" nothing_left
}

### without a daemon
passing "alone"
t_is "alone: nothing is pinned" "" "$(ls /sys/fs/bpf)"
runner_killed "alone"
start_tries
kill -9 "$(private | head -n 1)"
wait $runner
t_is "alone: the private policyd is killed: so is the command" 137 $?
no_leak "alone, policyd killed"
t_eventually 20 "alone: and nothing is left" nothing_left

printf 'version: 1\nname: x\ndefualt: deny\n' >work/bad.yaml
policyctl run --policy "$PWD/work/bad.yaml" -- true 2>work/err
t_is "a wrong policy is an error" 2 $?
t_like "that names the place" "*bad.yaml:3:1: *" "$(cat work/err)"
chmod 666 work/bad.yaml
run_bad() { policyctl run --policy "$PWD/work/bad.yaml" -- true; }
t_like "a policy that others may write is refused" "*others may write*" \
	"$(run_bad 2>&1)"
t_like "only root can" "*only root*" "$(su user -c 'policyctl run --policy x -- true' 2>&1)"

### with a daemon
ready() { policyctl status >/dev/null 2>&1; }
policyd 2>work/log &
daemon=$!
t_wait 60 ready || t_fail "policyd starts" "$(cat work/log)"
passing "with policyd"
runner_killed "with policyd"
policies() { [ "$(policyctl list | wc -l)" = $((1 + $1)) ]; }
t_wait 20 policies 0
t_is "with policyd: its policy is gone again" 1 "$(policyctl list | wc -l)"

start_tries
kill -9 $daemon
wait $daemon 2>/dev/null
rm -f work/alive
t_eventually 10 "policyd is killed: the command goes on" alive
policyd 2>>work/log &
daemon=$!
t_wait 60 ready || t_fail "policyd starts again" "$(cat work/log)"
rm -f work/alive
t_wait 10 alive
no_leak "policyd killed and started again"
t_is "the new policyd knows of it" 2 "$(policyctl list | wc -l)"
kill -9 $daemon
wait $daemon 2>/dev/null
kill -9 $runner
policyd 2>>work/log &
daemon=$!
t_wait 60 ready
t_eventually 20 "both are killed: the next policyd ends the command" gone
no_leak "both killed"
t_eventually 20 "and nothing is left" nothing_left
policyctl detach
t_is "after detach, nothing is pinned" "" "$(ls /sys/fs/bpf)"
t_done
