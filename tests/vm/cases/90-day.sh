#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# kernels: one
#
# A day of policyd's, in short: containers come and go, policies change, well and badly, readers of events come and go,
# and policyd is killed, all at once and under attack. What is denied stays denied, every event is accounted for, and
# afterwards nothing has grown: no binding, no program, no map, no descriptor, no memory.
# shellcheck disable=SC2154 # of life.inc.sh
. /tests/lib.sh
. /tests/cases/life.inc.sh
export HAMMER_PAUSE=1000 # as in 61-survival

HALF=$((10 * SOAK)) # seconds with kills, and then without

prepare
: >log
mkdir -p /box/bin
box violate /box/violate
echo secret >/box/secret
cp /usr/bin/busybox /box/bin/

container_policy() { # LINE
	printf 'version: 1\nname: box\nmatch: [{container: "box-*"}]\ndefault: {file: allow, exec: allow, %s\n%s\n' \
		'socket: allow, capability: allow}' 'file: [{deny: read, path: /secret}]' >part
	printf '%s\n' "$1" >>part
	mv part "$policies/box.yaml"
}
policy "$policies/web.yaml" web
container_policy '# first'
start_policyd
t_is "enforcing" enforcing "$(state)"
hammer_on beat 1

### what goes on
for_ever() { until [ -e over ]; do "$@"; done; }
containers() {
	box run -w 2 box 10 /box /violate >>denied
	box run other 2 /box /violate >>free
}
reloads() {
	reload=$((${reload:-0} + 1))
	policy "$policies/web.yaml" web "  - {deny: read, path: '/day/$reload/**/b*'}"
	container_policy "  # $reload"
	policyctl load >/dev/null 2>&1
	echo broken >"$policies/zz.yaml"
	policyctl load >/dev/null 2>&1
	rm "$policies/zz.yaml"
	policyctl load >/dev/null 2>&1
	usleep 300000
}
readers() {
	policyctl events --follow --json >/dev/null 2>&1 &
	reader=$!
	policyctl events -n 20 >/dev/null 2>&1
	policyctl status >/dev/null 2>&1
	policyctl ps >/dev/null 2>&1
	usleep 500000
	kill -9 $reader
	wait $reader 2>/dev/null
}
begin() {
	rm -f over
	actors=
	for actor in containers reloads readers; do
		for_ever $actor &
		actors="$actors $!"
	done
}
finish() {
	touch over
	for actor in $actors; do wait "$actor"; done
	t_wait 30 all_is_over || t_fail "all comes to its end" "$(policyctl ps; policyctl status)"
}
all_is_over() { [ "$(policyctl ps --json | grep -c 'box-\|other-')" = 0 ] && settled denials && settled notices; }

begin
until=$(($(date +%s) + HALF)) kills=0
while [ "$(date +%s)" -lt $until ]; do
	sleep 2
	kill_policyd
	usleep $((kills % 7 * 100000))
	start_policyd
	kills=$((kills + 1))
done
finish
t_is "policyd was killed" 1 $((kills > 0))
no_escape "policyd is killed now and then" beat
adds_up "policyd is killed now and then" denials

begin # so that it has everything once
sleep 3
finish
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }
open_files() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }
bound() { bpftool map dump pinned /sys/fs/bpf/policyd/abi-*/maps/bindings >listed || echo none; grep -c '"key"\|^key' listed; }
loaded() { bpftool "$1" show | grep -c '^[0-9]'; }
counts() { echo "$(open_files) files, $(bound) bindings, $(loaded prog) programs, $(loaded map) maps, $(loaded link) links"; }
is_as_before() { [ "$(counts)" = "$before" ]; }
is_same() { before=$(counts) && sleep 1 && is_as_before; }
t_wait 30 is_same || t_fail "nothing comes or goes any more" "$before, then $(counts)"
memory=$(resident)
begin
sleep $HALF
finish
if t_wait 30 is_as_before; then # the kernel lets go a moment later
	t_ok "nothing has become more: $before"
else
	t_fail "nothing has become more: $before" "$(counts)"
fi
after=$(resident)
t_is "nor memory ($memory kB, then $after kB)" 1 $((after <= memory + 512))
no_escape "all day" beat
hammer_off
adds_up "all day" denials
adds_up "all day" notices
total() { # FILE N: the Nth number of all lines of box
	awk -v n="$2" '{ sum += $(2 * n) } END { print sum + 0 }' "$1"
}
t_is "no container's first instruction was let through, of $(total denied 1) that tried" "1 0" \
	"$(($(total denied 1) > 0)) $(total denied 2)"
t_is "and none was stopped that no policy is for, of $(total free 2)" "1 0" "$(($(total free 2) > 0)) $(total free 1)"
echo "# killed: $(total denied 3) and $(total free 3)"
t_like "policyd said that a policy was bad" "*zz.yaml*" "$(cat log)"
t_allowed "detach" policyctl detach
t_done
