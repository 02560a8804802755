#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Logging never touches a verdict and nothing is lost uncounted: a stopped reader and a flood, a full disk,
# files moved away and cut, followers that do not read, clients that talk nonsense.
. /tests/lib.sh
. /tests/cases/life.inc.sh

FLOOD=$((50000 * SOAK)) # denied attempts of each of two processes
MANY=600		# other files, each refused a few times: aggregation does not spare the ring these

prepare
web=/etc/policyd/policies/web.yaml events=/var/log/policyd/events.jsonl
mkdir -p /many /var/log/policyd
i=0
while [ $i -lt $MANY ]; do
	echo >"/many/a-file-with-a-rather-long-name-so-that-the-ring-fills-$i"
	i=$((i + 1))
done
policy $web web '  - {deny: [read, write], path: "/many/**"}'
sed 's/name: web/name: runner/; s/^match.*//' $web >runner.yaml
mount -t tmpfs -o size=256k small /var/log/policyd || t_fail "a small file system"
cat >/etc/policyd/policyd.yaml <<-P
	rings: {denials: 65536, notices: 65536}
P
start_policyd
cat >/etc/policyd/policies/flood.yaml <<-P
	version: 1
	name: flood
	match: [{cgroup: "/flood/*"}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file: [{deny: [read, write], path: "/many/**"}]
P
t_allowed "two policies" policyctl load
find /many -type f >list
each_in() { # CGROUP: opens all of the list there
	mkdir -p "/sys/fs/cgroup/$1"
	sh -c 'echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"; exec hammer each list' sh "$1"
}
all_refused="opened 0 refused $MANY other 0"

### the reader is stopped; who has been quiet is heard nevertheless
policyctl run --policy "$PWD/runner.yaml" -- sh -c 'until [ -e go ]; do usleep 50000; done; hammer single /secret /twin 1 1' 2>single.err &
runner=$!
t_wait 60 sh -c 'policyctl list | grep -q ^runner'
kill -STOP "${daemon:-0}"
hammer "$PWD/flood" /secret /twin 2 $FLOOD &
hammer=$!
t_wait 30 struck flood 1000
t_is "reader stopped: $MANY different files are refused" "$all_refused" "$(hammer each list)"
t_is "so too in another cgroup" "$all_refused" "$(each_in flood/1)"
touch go
t_wait 30 struck single 1
for i in 2 3 4 5 6 7 8 9 10; do # more than have a share of the ring: it is full
	t_is "so too in cgroup $i" "$all_refused" "$(each_in flood/$i)"
done
wait $hammer
t_is "$((2 * FLOOD)) attempts with the reader stopped: every one refused, its twin never" \
	"attempts $((2 * FLOOD)) escaped 0 refused 0 other 0" "$(hammer read flood)"
kill -CONT "$daemon"
adds_up "the reader goes on" denials
adds_up "the reader goes on" notices
echo "# generated lost suppressed delivered sink_lost: $(ring denials)"
# shellcheck disable=SC2046 # five numbers
set -- $(ring denials)
t_is "as many were generated as were refused" $((2 * FLOOD + 11 * MANY + 1)) "$1"
t_allowed "most repeat others, and were not told one by one" test "$3" -gt $((2 * FLOOD - 1000))
t_allowed "the ring was full" test "$2" -gt 0
wait $runner
t_like "the single denial in a run is told" "*denied*/secret*" "$(cat single.err)"
hammer_on beat 2
policyctl run --policy "$PWD/runner.yaml" -- hammer "$PWD/single2" /secret /twin 1 1 2>single.err
t_like "so is one during a flood" "*denied*/secret*" "$(cat single.err)"
hammer_off
adds_up "after the attack" denials

### the disk is full
told() { policyctl events --json -n 3 | grep -q "$1"; }
lost() { policyctl status --json | sed 's/.*"kind":"file"[^}]*"lost":\([0-9]*\).*/\1/'; }
dd if=/dev/zero of=/var/log/policyd/fill bs=4k 2>/dev/null
before=$(lost)
t_is "full disk: refused as ever, $MANY times" "$all_refused" "$(hammer each list)"
t_allowed "full disk: refused as ever" once
more_lost() { [ "$(lost)" -gt "$before" ]; }
t_soon 20 "events are counted as lost" more_lost
t_like "status says why" "*No space left on device*" "$(policyctl status)"
adds_up "full disk" denials
rm /var/log/policyd/fill
: >$events
written() { once; grep -q '"/secret"' $events; }
t_soon 20 "with space again, events are kept" written
t_is "whole lines only" 0 "$(grep -vc '^{"version":.*}$' $events)"

### moved away, cut
mv $events $events.1
t_soon 20 "logrotate moves the file: the next is begun" written
t_soon 10 "and the old one is left alone" test -s $events.1
cp $events $events.copy && : >$events
t_soon 20 "copytruncate: written from the start again" written
t_is "no holes" "$(wc -c <$events)" "$(tr -d '\000' <$events | wc -c)"
rm $events
kill -HUP "$daemon"
t_soon 20 "removed, and SIGHUP: a new one" written
t_is "whole lines only, there too" 0 "$(grep -vc '^{"version":.*}$' $events)"
adds_up "after rotations" denials

### clients
clients() { policyctl status --json | sed 's/.*"clients":\([0-9]*\).*/\1/'; }
resident() { awk '/VmRSS/ {print $2}' "/proc/$daemon/status"; }
control deaf 20 >deaf.out &
deaf=$!
policyctl events --follow --json -n 0 >followed 2>followed.err &
follower=$!
t_wait 20 grep -q ready deaf.out
t_wait 20 sh -c 'policyctl status --json | grep -q "\"clients\":2[2-9]"'
t_is "$MANY events for those who follow" "$all_refused" "$(hammer each list)"
t_soon 20 "20 followers that never read: the one that reads is served" grep -q rather-long followed
adds_up "and" denials
kill $deaf $follower
echo "# with 20 deaf followers: $(resident) kB"
gone() { [ "$(clients)" = 1 ]; }
t_soon 20 "they are forgotten when they go" gone
t_like "a huge length: refused" "reply *too long*" "$(control raw ffffffff00)"
t_like "a length of nothing" "*" "$(control raw 00000000)"
t_like "a string" '*"ok":false*' "$(control raw 04000000 22616222 )"
t_like "an array" '*"ok":false*' "$(control raw 04000000 5b5b5d5d)"
t_like "broken JSON" '*"ok":false*' "$(control raw 04000000 7b7b7d7d)"
for request in '{"v":2,"command":"status"}' '{"v":1,"command":"no"}' '{"v":1}' '{"command":"status"}' '{"v":1,"command":7}' \
	'{"v":1,"command":"show"}' '{"v":1,"command":"load","files":7}' '{"v":1,"command":"status","more":1}' \
	'{"v":1,"command":"mode","name":"web","mode":"off"}' '{"v":1,"command":"unload","name":"nobody"}' \
	'{"v":1,"command":"run","cgroup":"/sys/fs/cgroup/../../etc","files":[]}' '{"v":1,"command":"run-end"}' \
	'{"v":1,"command":"run","cgroup":"/sys/fs/cgroup/policyd.run/..","name":"web"}'; do
	t_like "refused: $request" '*"ok":false,"error":*' "$(control ask "$request")"
done
t_allowed "50 connections of random bytes" control random 50
t_allowed "policyd is there" policyctl status
control half 62 >half.out &
half=$!
t_wait 20 grep -q ready half.out
t_allowed "62 half requests keep nobody out" policyctl status
control flood 1 >flooded &
flooded=$!
t_wait 20 grep -q ready flooded
control flood 1 >/dev/null & # the 65th
more=$!
out=$(policyctl status 2>&1)
t_like "too many clients is said" "*too many clients*" "$out"
kill $flooded $more
t_soon 20 "who does not end its request is dropped" gone
kill $half
t_is "policyd is the same process" "$daemon" "$(policyctl status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')"
t_allowed "and refuses as ever" once
t_allowed "detach" policyctl detach
wait "$daemon"
umount /var/log/policyd
rm -f /etc/policyd/policyd.yaml
rmdir /sys/fs/cgroup/flood/[0-9]* /sys/fs/cgroup/flood
t_done
