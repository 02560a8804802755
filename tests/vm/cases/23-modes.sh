#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# How policies count: modes of policies and of rules, what is logged, defaults by class, includes, several
# policies for one task, and descriptors from before.
. /tests/lib.sh

attempt=/tests/bin/attempt
policies=/etc/policyd/policies
log=/var/log/policyd/events.jsonl
mkdir -p $policies/include /m/lib /sys/fs/cgroup/case/merge /sys/fs/cgroup/case/first
for f in a b c d e f g quiet loud; do echo content >/m/$f; done
cp $attempt /m/attempt
cp $attempt /m/gone
cat >$policies/include/local.yaml <<P
version: 1
file:
  - {allow: read, path: /m/a}
  - {deny: read, path: /m/b}
P
cat >$policies/audit.yaml <<P
version: 1
name: audit
mode: audit
default: deny
file: [{allow: read, path: [/m/a, /tests/]}]
exec: [{allow: /tests/bin/attempt}]
P
cat >$policies/rules.yaml <<P
version: 1
name: rules
default: {file: deny, exec: allow, socket: allow, capability: allow}
include: local
file:
  - {allow: read, path: ["/m/[b-z]*", /tests/]}
  - {deny: read, path: /m/c, mode: audit}
  - {deny: read, path: /m/quiet, quiet: true}
  - {deny: read, path: /m/loud}
  - {allow: read, path: /m/d, audit: true}
  - {deny: read, path: /m/d, mode: audit, by: /m/attempt}
  - {allow: write, path: /m/e, mode: audit}
P
cat >$policies/class.yaml <<P
version: 1
name: class
default: {file: allow, exec: deny, socket: allow, capability: allow}
exec: [{allow: [/usr/bin/busybox, /tests/bin/attempt, "memfd:"]}]
P
cat >$policies/free.yaml <<P
version: 1
name: free
default: {file: allow, exec: allow, socket: allow, capability: allow}
file: [{deny: read, path: /m/a}]
P
for p in trust recheck; do
	cat >$policies/$p.yaml <<-P
	version: 1
	name: $p
	inherited: $p
	default: {file: deny, exec: allow, socket: allow, capability: allow}
	file:
	  - {allow: [read, write], path: [/tests/, "$PWD/**", /m/ok]}
	  - {allow: [read, append], path: /m/log}
	  - {deny: read, path: /tests/bin/}
	P
done
cat >$policies/off.yaml <<P
version: 1
name: off
mode: disabled
match: [{cgroup: /case/merge}]
default: deny
P
# Two for one cgroup: allows add up, a denial of either wins, one default-deny is enough; one more in audit mode
cat >$policies/merge.yaml <<P
version: 1
name: one
match: [{cgroup: "/case/{merge,first}"}]
default: {file: deny, exec: allow, socket: allow, capability: allow}
file: [{allow: read, path: [/tests/, /m/a, /m/b, /m/f]}]
---
version: 1
name: two
match: [{cgroup: /case/merge}]
default: {file: allow, exec: deny, socket: allow, capability: allow}
exec: [{allow: /tests/bin/attempt}]
file: [{allow: read, path: [/m/c, /m/d]}, {deny: read, path: /m/b}]
---
version: 1
name: three
mode: audit
match: [{cgroup: /case/merge}]
default: {file: allow, exec: allow, socket: allow, capability: allow}
file: [{deny: read, path: [/m/f, /m/b]}, {allow: read, path: /m/g}]
P

policyd 2>policyd.log &
ready() { policyctl status >/dev/null 2>&1; }
t_wait 90 ready || t_fail "policyd starts" "$(cat policyd.log)"

table() { # TEXT COMMAND...: the table of standard input, by COMMAND
	text=$1
	shift
	"$@" 2>err
	t_is "$text: the table was as expected" 0 $?
}
table audit policyctl run --policy audit -- $attempt <<T
ok open r /m/a
ok open r /m/b
ok write w /m/e
ok exec /m/attempt exists /
ok mkdir /m/made
ok unshare cgroup exists /
T
table rules policyctl run --policy rules -- $attempt <<T
ok open r /m/a
EACCES open r /m/b
ok open r /m/c
EACCES open r /m/quiet
EACCES open r /m/loud
ok open r /m/d
EACCES open w /m/e
ok open r /m/e
ok exec /m/attempt open r /m/d
T
table class policyctl run --policy class -- $attempt <<T
ok open r /m/b
ok open w /m/b
ok exec /usr/bin/busybox true
EACCES exec /m/attempt exists /
ok execmemfd x $attempt exists /
EACCES execdeleted /m/gone exists /
T
table free policyctl run --policy free -- $attempt <<T
EACCES open r /m/a
ok open r /m/b
ok exec /m/attempt exists /
ok mapmemfd x
ok execmemfd x $attempt exists /
T
mkdir /m/dir
echo content >/m/ok
echo content >/m/log
exec 5<>/m/a 6</m/dir 7<>/m/ok 8>>/m/log
table trust policyctl run --policy trust -- $attempt <<T
EACCES open r /m/a
EACCES reopen r fd:5 r
ok read fd:5
ok write rw fd:5
ok sendfile fd:5
ok map r r fd:5
ok map w rw fd:5
ok map-later rw fd:5
ok list fd:6
EACCES openat fd:6 r .
EACCES ftruncate rw fd:5
EACCES ioctl r fd:5
EACCES lock flock r fd:5
EACCES fchmod r fd:5
EACCES futimes r fd:5
ok harmless r fd:5
ok fork read fd:5
T
table recheck policyctl run --policy recheck -- $attempt <<T
EACCES open r /m/a
EACCES read fd:5
EACCES write rw fd:5
EACCES sendfile fd:5
EACCES fallocate rw fd:5
EACCES map r r fd:5
EACCES map w rw fd:5
EACCES map-later rw fd:5
EACCES list fd:6
EACCES fork read fd:5
EACCES thread write rw fd:5
ok exec $attempt exists /
ok exec /usr/bin/busybox true
ok read fd:7
ok write rw fd:7
ok sendfile fd:7
ok map r r fd:7
ok map w rw fd:7
ok write w fd:8
EACCES setfl w fd:8
EACCES fallocate w fd:8
EACCES map-later w fd:8
T
in_cgroup() { # CGROUP COMMAND...: the execution there is what confines
	# shellcheck disable=SC2016 # of the inner shell
	sh -c 'echo $$ >/sys/fs/cgroup/case/$0/cgroup.procs; exec "$@"' "$@"
}
table "one policy" in_cgroup first $attempt <<T
ok open r /m/a
ok open r /m/b
EACCES open r /m/c
ok open r /m/f
ok exec /m/attempt exists /
T
table "three policies" in_cgroup merge $attempt <<T
ok open r /m/a
EACCES open r /m/b
ok open r /m/c
ok open r /m/d
EACCES open r /m/e
ok open r /m/f
EACCES open r /m/g
EACCES exec /m/attempt exists /
T

event() { # TEXT PATTERN
	t_text=$1
	if t_wait 10 grep -q "$2" $log; then t_ok "event: $t_text"; else t_fail "event: $t_text" "$(grep "${3:-denied}" $log)"; fi
}
event "would_deny of a policy in audit mode" '"verdict":"would_deny","mode":"audit".*"operation":"open","permissions":\["read"\],"object":{"path":"/m/b"},"policy":"audit","default":{.*audit.yaml","line":4'
event "would_deny of an execution" '"verdict":"would_deny".*"class":"exec".*"path":"/m/attempt"},"policy":"audit"'
event "would_deny of making a folder" '"verdict":"would_deny".*"operation":"mkdir".*"path":"/m/made"'
event "an include's rule, by its own file" '"verdict":"denied".*"path":"/m/b"},"policy":"rules","rule":{"file":"/etc/policyd/policies/include/local.yaml","line":4'
event "would_deny of a rule in audit mode" '"verdict":"would_deny".*"path":"/m/c"},"policy":"rules","rule":{.*rules.yaml","line":7'
event "a denial that is not quiet" '"verdict":"denied".*"path":"/m/loud"},"policy":"rules","rule":{.*rules.yaml","line":9'
event "an allowed operation that is logged" '"verdict":"allowed".*"path":"/m/d"},"policy":"rules","rule":{.*rules.yaml","line":10'
event "a rule in audit mode for one program" '"verdict":"would_deny".*"path":"/m/d"},"policy":"rules","rule":{.*rules.yaml","line":11.*"exe":"/m/attempt"'
event "an allow in audit mode does not allow yet" '"verdict":"denied".*"permissions":\["write"\],"object":{"path":"/m/e"},"policy":"rules"'
event "an inherited descriptor that is used" '"operation":"read","permissions":\["read"\],"object":{"path":"/m/a"},"policy":"recheck"'
event "and mapped" '"operation":"mmap","permissions":\["read"\],"object":{"path":"/m/a"},"policy":"recheck"'
event "the policy of two that denies" '"verdict":"denied".*"path":"/m/b"},"policy":"two","rule":{.*merge.yaml","line":12'
event "and the one whose default does" '"verdict":"denied".*"path":"/m/e"},"policy":"one","default":{.*merge.yaml","line":4'
event "the third, in audit mode" '"verdict":"would_deny".*"path":"/m/f"},"policy":"three","rule":{.*merge.yaml","line":19'
t_is "a quiet denial is not logged" "" "$(grep /m/quiet $log)"
t_is "nor what is allowed" "" "$(grep -E '"path":"/m/a"},"policy":"(rules|audit|one|two|three)' $log)"
t_is "a policy in audit mode denied nothing" "" "$(grep '"verdict":"denied"' $log | grep '"policy":"\(audit\|three\)"')"
t_done
