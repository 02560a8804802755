#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# kernels: one
#
# A process of which nobody can tell whether a policy is for it, as any user can make one: it
# is said, with its number, and keeps nobody from starting, loading or running anything.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
: >log
# A program of too long a name: the folder it is in moves into another one while it runs.
long=$(printf '%0190d' 0)
deep=$PWD/deep
further=further
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	deep=$deep/$long
	further=$further/$long
done
mkdir -p "$deep" "$further"
cp /usr/bin/busybox "$deep/sleep"
"$deep/sleep" 1000 &
odd=$!
until [ "$(cat /proc/$odd/comm)" = sleep ]; do sleep 0.05; done # else its folder is gone before it is executed
mv deep "$further/"
# shellcheck disable=SC2154 # of life.inc.sh
policy "$policies/web.yaml" web
policy "$PWD/more.yaml" more
echo 'match: [{exe: /none}]' >match
sed -i '/^match/d' more.yaml && cat match >>more.yaml
trouble() { policyctl status | grep '^trouble'; }

start_policyd
t_is "policyd starts all the same" enforcing "$(state)"
t_allowed "and confines" once
t_like "status tells of the process" "*process $odd *end them, or move *" "$(trouble)"
t_like "so does the log" "*in force, but of 1 running tasks, process $odd *" "$(cat log)"
out=$(policyctl load more.yaml 2>&1)
t_like "load: a warning, and done" "0 *warning: *process $odd *2 policies*" "$? $(echo "$out" | tr '\n' ' ')"
out=$(policyctl load 2>&1)
t_like "reading all again does not hide it" "0 *warning: *process $odd *nothing has changed*" "$? $(echo "$out" | tr '\n' ' ')"
policyctl run --policy more.yaml -- sh -c 'exit 7' 2>err
t_is "a command can be run" 7 $?
kill_policyd
: >log
start_policyd
t_is "started again: not stale" enforcing "$(state)"
t_allowed "still confined" once
kill $odd
wait $odd 2>/dev/null
no_trouble() { [ -z "$(trouble)" ]; }
t_soon 10 "once it has ended, nothing is said of it" no_trouble
t_like "but that" "*all running tasks have been labelled now*" "$(cat log)"
t_is "status is content" 0 "$(policyctl status >/dev/null; echo $?)"
t_allowed "detach" policyctl detach
# shellcheck disable=SC2154 # set by start_policyd
wait "$daemon"
mv "$further/deep" . # or nothing could remove it
t_done
