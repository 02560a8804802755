#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
# kernels: one
#
# policyd itself: what it gives up, that it sleeps, who may ask it, what it can be told, and its events.
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
mkdir -p /opt/confined
cp /usr/bin/busybox /opt/confined/busybox
confined() { /opt/confined/busybox "$@"; }
confined_policy() { # FILE NAME SECRET
	cat >"$1" <<-P
	version: 1
	name: $2
	match: [{exe: /opt/confined/busybox}]
	default: {file: allow, exec: allow, socket: allow, capability: allow}
	file:
	  - {deny: [read, modify], path: $3}
	P
}
# shellcheck disable=SC2154 # of life.inc.sh
web=$policies/web.yaml
: >log

confined_policy "$web" web /secret
chmod 666 "$web"
policyd 2>err
t_like "a policy that others may write is refused" "*web.yaml*others*" "$(cat err)"
chmod 644 "$web"
t_allowed "policyd -n finds nothing wrong" policyd -n

echo 'socket: {group: user}' >c.yaml
start_policyd -c "$PWD/c.yaml"
t_denied "confined" confined cat /secret
t_allowed "confined, allowed" confined cat /twin

### what it gives up
# shellcheck disable=SC2154 # set by start_policyd
status=/proc/$daemon/status
t_is "it has few capabilities" 000000c400001020 "$(awk '/CapEff/ {print $2}' "$status")"
t_is "and cannot gain any" "0000000000000000 1" "$(awk '/CapBnd/ {b=$2} /NoNewPrivs/ {n=$2} END {print b, n}' "$status")"
t_is "its system calls are filtered" 2 "$(awk '/Seccomp:/ {print $2}' "$status")"
t_is "the kernel does not kill it for memory" -1000 "$(cat "/proc/$daemon/oom_score_adj")"
switches() { awk '/ctxt_switches/ {s += $2} END {print s}' "$status"; }
sleep 1
before=$(switches)
sleep 3
t_is "idle, it never wakes up" "$before" "$(switches)"

### who may ask
t_allowed "the group may ask" su user -c 'policyctl status'
t_like "but change nothing" "*only root*" "$(su user -c 'policyctl mode web disabled' 2>&1)"
t_like "others may not even connect" "*Permission denied*" "$(su nobody -s /bin/sh -c 'policyctl status' 2>&1)"
t_denied "still confined" confined cat /secret

kill -STOP "$daemon"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do policyctl status >"status.$i" 2>&1 & done
sleep 1
t_like "who asks a stopped daemon, as many others do, is told so" "*SIGSTOP*" "$(timeout 60 policyctl status 2>&1)"
kill -CONT "$daemon"
answered() { [ "$(grep -l '^hooks' status.* | wc -l)" = 17 ]; }
t_soon 10 "those whom the queue had place for get their answer" answered

### load
confined_policy "$PWD/more.yaml" more /twin
t_allowed "load" policyctl load more.yaml
t_denied "both count" confined cat /twin
confined_policy "$PWD/dup.yaml" web /twin
t_like "a second policy of one name is refused" "*named 'web' is in $web:2*" "$(policyctl load dup.yaml 2>&1)"
sed 's/^match.*/match: [{image: x, exe: \/y}]/; s/^name.*/name: box/' more.yaml >box.yaml
t_like "what cannot be enforced is refused" "*cannot be enforced*" "$(policyctl load box.yaml 2>&1)"
t_like "what is in a folder is not unloaded" "*mode web disabled*" "$(policyctl unload web 2>&1)"
t_allowed "unload" policyctl unload more
t_allowed "then it counts no more" confined cat /twin
t_like "show" "*deny*/secret*web.yaml:6*" "$(policyctl show web)"

### events
# shellcheck disable=SC2154 # of life.inc.sh
t_soon 10 "events are in the file" grep -q '"/secret"' "$events"
t_like "explain knows the rule" "*web.yaml:6*" "$(policyctl events --json --path /secret -n 1 | policyctl explain)"
policyctl events --follow -n 0 >followed &
follower=$!
sleep 1
confined cat /secret 2>/dev/null
t_soon 10 "and can be followed" grep -q /secret followed
kill $follower

t_like "doctor asks the running one" "*by the running policyd*" "$(policyctl doctor)"
mv "$web" web.kept
t_allowed "no policies" policyctl load
policyctl doctor >proof 2>&1
t_is "doctor proves it without policies too" 0 $?
t_like "by one of its own" "*hooks refused what they had to, by a policyd of its own, as the running one*" "$(cat proof)"
mv web.kept "$web"
t_allowed "with the policy again" policyctl load
t_denied "it is in force" confined cat /secret
t_allowed "detach" policyctl detach
wait "$daemon"
t_is "policyd has ended well" 0 $?
t_allowed "doctor on its own" policyctl doctor
t_is "which leaves nothing" "" "$(ls /sys/fs/bpf)"

### pins on another BPF file system than the usual one, which is not there
mkdir -p /mnt/bpf
mount -t bpf bpf /mnt/bpf
umount /sys/fs/bpf
t_like "no BPF file system, and what to do" "*failed*/sys/fs/bpf/policyd is in no BPF file system*mount -t bpf*" "$(policyctl doctor 2>&1)"
echo 'pin_dir: /mnt/bpf/policyd' >pins.yaml
t_allowed "doctor with another pin_dir" policyctl -c "$PWD/pins.yaml" doctor
start_policyd -c "$PWD/pins.yaml"
t_denied "pinned elsewhere, confined" confined cat /secret
t_allowed "there" test -d /mnt/bpf/policyd
t_allowed "detach" policyctl -c "$PWD/pins.yaml" detach
t_is "nothing is left there" "" "$(ls /mnt/bpf)"
mount -t bpf bpf /sys/fs/bpf
umount /mnt/bpf
t_done
