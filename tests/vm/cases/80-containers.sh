#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
#
# Containers, as a small launcher makes them: held at their entry point, bound, judged from the first instruction
# on, whatever becomes of the daemon meanwhile. Counted from how the programs in them end.
# shellcheck disable=SC2154,SC2086,SC2016 # of life.inc.sh; without blanks; for others to expand
. /tests/lib.sh
. /tests/cases/life.inc.sh

prepare
: >log
mkdir -p /box/bin /box/etc
box violate /box/violate
echo secret >/box/secret
cp /usr/bin/busybox /box/bin/
ln -s busybox /box/bin/sh
for program in cat sleep; do ln -s busybox /box/bin/$program; done
printf '#!/bin/sh\nexit 42\n' >/box/script # which counts as escaped
chmod 755 /box/script

rule() { # NAME MATCH LINES...
	printf 'version: 1\nname: %s\nmatch: [%s]\n' "$1" "$2"
	shift 2
	printf '%s\n' "$@"
}
allow='default: {file: allow, exec: allow, socket: allow, capability: allow}'
rule box '{container: "box-*"}' "$allow" 'file: [{deny: read, path: /secret}]' >"$policies"/box.yaml
rule none '{container: "none-*"}' 'default: {file: allow, exec: deny, socket: allow, capability: allow}' \
	'exec: [{allow: /bin/busybox}]' >"$policies"/none.yaml
echo 'hold_seconds: 3' >/etc/policyd/policyd.yaml

t_is "without policyd all of them can" "refused 0 escaped 3 killed 0 other 0" "$(box run box 3 /box /violate)"
start_policyd
t_is "no container of a policy's can" "refused 20 escaped 0 killed 0 other 0" "$(box run box 20 /box /violate)"
t_is "one that no policy is for can" "refused 0 escaped 20 killed 0 other 0" "$(box run other 20 /box /violate)"
# or its exec is refused, where a look through the cgroups has come before it
t_is "a program that is refused is killed before it has begun" "refused 0 escaped 0 killed 20 other 0" \
	"$(box run -b none 20 /box /violate)"
t_is "its twin runs" "refused 1 escaped 0 killed 0 other 0" "$(box run none 1 /box /bin/busybox true)"
t_is "a script is refused, though its interpreter is not" "refused 0 escaped 0 killed 1 other 0" \
	"$(box run -b none 1 /box /script)"
t_is "one whose runtime tells late waits" "refused 5 escaped 0 killed 0 other 0" \
	"$(box run -d 200 box 5 /box /violate)"
t_like "whose they are is in the events" "*\"container\":{\"id\":\"box-4\",\"name\":\"box-4\"*\"runtime\":\"crun\"}*" \
	"$(policyctl events --json -n 1 --path /secret)"
t_is "one that nobody claims is held for a while, and killed" "refused 0 escaped 0 killed 1 other 0" \
	"$(box run -d -1 box 1 /box /violate)"
t_like "which is said" "*/boxes/box-0: after 3 s *no runtime claims it*refused*runtimes*" "$(cat log)"
claimed() { # COMMAND: puts the file "claim" where crun's state of box-0 is
	mkdir -p /run/crun/box-0
	echo '{"root":{"path":"/box"}}' >/run/crun/box-0/config.json
	echo '{"cgroup-path":"/boxes/box-0","bundle":"/run/crun/box-0"}' >claim
	"$@"
	box run -d -1 box 1 /box /violate
	rm -rf /run/crun/box-0
}
state=/run/crun/box-0/status
t_is "a state is believed" "refused 1 escaped 0 killed 0 other 0" "$(claimed mv claim $state)"
t_is "not if it is a link" "refused 0 escaped 0 killed 1 other 0" "$(claimed ln -s "$PWD/claim" $state)"
t_is "nor of a user's" "refused 0 escaped 0 killed 1 other 0" "$(claimed sh -c 'chown 1000 claim; mv claim $0' $state)"
t_is "nor if everybody may write it" "refused 0 escaped 0 killed 1 other 0" \
	"$(claimed sh -c 'chmod 666 claim; mv claim $0' $state)"
t_is "so are many at once" "refused 0 escaped 0 killed 60 other 0" "$(box run -d -1 -w 60 box 60 /box /violate)"
t_soon 30 "which is said of a few of them" grep -q ' more containers like these; see policyctl ps' log
t_is "and of no more" 1 "$([ "$(grep -c 'after 3 s it is still not known' log)" -lt 60 ] && echo 1)"
t_like "as is by the event" "*exec /violate*not known yet*" "$(policyctl events -n 1 --reason unknown_container)"

### one that is held, and continued by somebody else
continued() { # PROGRAM...: what becomes of one that nobody claims
	box run -d -1 box 1 /box "$@" &
	continued=$!
	while kill -0 $continued 2>/dev/null; do
		kill -CONT "$(head -n 1 /sys/fs/cgroup/boxes/box-0/cgroup.procs)" 2>/dev/null
		usleep 100000
	done
}
t_is "continued too early, it may open nothing" "refused 1 escaped 0 killed 0 other 0" "$(continued /violate)"
t_is "nor fork" "refused 0 escaped 0 killed 0 other 1" "$(continued /bin/sh -c '(exit 42); exit $?' 2>/dev/null)"
t_is "nor execute" "refused 0 escaped 0 killed 0 other 1" "$(continued /bin/sh -c 'exec /violate' 2>/dev/null)"

### a policy for a part of one that no policy selects
printf 'version: 1\nname: part\nmatch: [{cgroup: /boxes/outer-0/part}]\n%s\nfile: [{deny: read, path: /secret}]\n' \
	"$allow" >"$policies/part.yaml"
rm -f /box/go
box run outer 1 /box /bin/sh -c 'until [ -e /go ]; do sleep 0.1; done; sh -c "cat /secret"' >said 2>&1 &
outer=$!
t_soon 20 "it is known" sh -c 'policyctl ps | grep -q "^unmatched *outer-0"'
mkdir /sys/fs/cgroup/boxes/outer-0/part
while read -r pid; do
	echo "$pid" >/sys/fs/cgroup/boxes/outer-0/part/cgroup.procs
done </sys/fs/cgroup/boxes/outer-0/cgroup.procs 2>/dev/null
touch /box/go
t_wait 20 sh -c "! kill -0 $outer 2>/dev/null || { rmdir /sys/fs/cgroup/boxes/outer-0/part; false; }"
t_like "what executes there is confined" "*Permission denied*" "$(cat said)"
rm "$policies/part.yaml"

### more than one at a time, and a daemon that dies half way
box run -w 8 box 1000 /box /violate >many &
many=$!
t_wait 60 sh -c '[ "$(policyctl events -n 0 >/dev/null; policyctl status --json | sed "s/.*\"denials\":{\"generated\":\([0-9]*\).*/\1/")" -gt 400 ]'
kill_policyd
sleep 2
t_is "with no daemon they wait" 1 "$(kill -0 $many 2>/dev/null && echo 1)"
start_policyd
wait $many
t_is "1000, and the daemon killed meanwhile: none can" "refused 1000 escaped 0 killed 0 other 0" "$(cat many)"
t_is "it has no container left" '{"ok":true,"containers":[]}' "$(policyctl ps --json | tr -d ' \n')"

### running ones: policies come, change and go
box run late 1 /box /bin/sh -c 'while sleep 0.1; do cat /secret && echo yes || echo no; done' >said 2>/dev/null &
late=$!
last() { [ "$(tail -n 1 said)" = "$1" ]; }
t_soon 20 "one that runs, and no policy is for" last yes
t_like "is listed" "*unmatched*late-0*crun*" "$(policyctl ps)"
rule late '{container: "late-*"}' "$allow" 'file: [{deny: read, path: /secret}]' >"$policies.not/late.yaml"
t_allowed "a policy comes" policyctl load $policies.not/late.yaml
t_soon 20 "it is for what runs already" last no
t_like "which is listed" "*bound*late-0*crun*late *0*" "$(policyctl ps)"
sed -i 's/path: .secret/path: \/none/' $policies.not/late.yaml
t_allowed "another takes its place" policyctl load $policies.not/late.yaml
t_soon 20 "and counts" last yes
sed -i 's/path: .none/path: \/secret/' $policies.not/late.yaml
t_allowed "as does a third" policyctl load $policies.not/late.yaml
t_soon 20 "at once" last no
kill_policyd
start_policyd
t_soon 20 "a daemon that is started again keeps it" last no
t_like "and knows it" "*bound*late-0*" "$(policyctl ps)"
t_allowed "it goes" policyctl unload late
t_soon 20 "what it was for is free" last yes

### what is not to be held
kill -9 $late
t_soon 20 "all is forgotten" sh -c "echo 1 >/sys/fs/cgroup/boxes/cgroup.kill; rmdir /sys/fs/cgroup/boxes/late-0; [ -z \"\$(policyctl ps | grep late)\" ]"
mkdir /sys/fs/cgroup/mine.slice
t_allowed "a chroot of the host's" sh -c 'echo $$ >/sys/fs/cgroup/mine.slice/cgroup.procs; exec chroot /box /bin/cat /secret'
rmdir /sys/fs/cgroup/mine.slice
t_is "one in a cgroup that is no unit's may be a container's" 137 "$(chroot /box /bin/cat /secret >/dev/null 2>&1; echo $?)"
mkdir /sys/fs/cgroup/mine
t_allowed "a cgroup of the host's" sh -c 'echo $$ >/sys/fs/cgroup/mine/cgroup.procs; exec cat /secret'
rmdir /sys/fs/cgroup/mine

### one that started while no policy asked for containers, and never executes anything
mkfifo /box/fifo
mv "$policies/box.yaml" "$policies/none.yaml" "$policies.not/"
t_allowed "no policies" policyctl load
# shellcheck disable=SC2016 # the container's
reads='while :; do if read -r x </secret; then echo yes; else echo no; fi; read -r -t 0.2 x <>/fifo; done'
box run quiet 1 /box /bin/sh -c "$reads" >said 2>/dev/null &
t_soon 20 "it reads" last yes
t_is "it is not known" 0 "$(policyctl ps | grep -c quiet)"
rule quiet '{container: "quiet-*"}' "$allow" 'file: [{deny: read, path: /secret}]' >"$policies.not/quiet.yaml"
t_allowed "a policy comes" policyctl load "$policies.not/quiet.yaml"
t_soon 20 "it is for it" last no
t_like "and says so" "*bound*quiet-0*" "$(policyctl ps)"
echo 1 >/sys/fs/cgroup/boxes/cgroup.kill
t_allowed "it goes" policyctl unload quiet
mv "$policies.not/box.yaml" "$policies.not/none.yaml" "$policies/"
t_soon 20 "the others are back" sh -c 'policyctl list | grep -q ^none'

### one that executes nothing, and one with the host's root directory
box run -a box-admin 1 /box - >keeps & # may still mount, and is a runtime's perhaps, for a minute
admin=$!
t_is "one that executes nothing is found" "refused 1 escaped 0 killed 0 other 0" "$(box run -n box 1 /box -)"
t_is "whatever it may in a user namespace of its own" "refused 1 escaped 0 killed 0 other 0" "$(box run -u box 1 /box -)"
t_is "so is one that forks on and on" "refused 1 escaped 0 killed 0 other 0" "$(box run -f box 1 /box -)"
t_is "in a scope, too" "refused 1 escaped 0 killed 0 other 0" "$(box run -s box 1 /box /violate)"
cp /box/violate /violate
t_is "the host's root directory is no way out" "refused 1 escaped 0 killed 0 other 0" "$(box run -s box 1 / /violate)"
t_is "but for those that no policy is for" "refused 0 escaped 1 killed 0 other 0" "$(box run -s other 1 / /violate)"
wait $admin
t_is "one that has not given up CAP_SYS_ADMIN is confined later" "refused 1 escaped 0 killed 0 other 0" "$(cat keeps)"

### one that mounts the host's root directory over its own, for who joins it
rule moved '{container: "moved-*"}' "$allow" 'guard: {allow: [mount]}' 'file: [{deny: read, path: /secret}]' \
	>"$policies/moved.yaml"
t_soon 20 "a policy for it" sh -c 'policyctl list | grep -q ^moved'
mkdir -p /box/host /mnt
mount --bind / /box/host
joined() { # CONTAINER: as its runtime would
	box run "$1" 1 /box /bin/sh -c '/bin/busybox pivot_root /host /host/mnt; exec /bin/sleep 1000' >/dev/null &
	moved=$!
	t_wait 20 sh -c 'grep -q sleep "/proc/$(head -n 1 /sys/fs/cgroup/boxes/'"$1"'-0/cgroup.procs)/cmdline"'
	# policies change, and so do bindings: who is in the container since it began is not forgotten
	policyctl mode moved audit >/dev/null
	policyctl mode moved enforce >/dev/null
	sh -c 'read -r pid </sys/fs/cgroup/boxes/$0/cgroup.procs; echo $$ >/sys/fs/cgroup/boxes/$0/cgroup.procs
		exec nsenter -t "$pid" -m cat /secret' "$1-0" 2>&1
	echo 1 >/sys/fs/cgroup/boxes/cgroup.kill
	wait $moved
}
t_like "who joins is confined" "*Permission denied" "$(joined moved)"
t_is "its twin is not" secret "$(joined other)"
umount /box/host
rm "$policies/moved.yaml"

### one that somebody stops soon after its start is not continued
box run other 1 /box /bin/sh -c 'echo begins; sleep 3; echo continued' >said &
t_wait 20 grep -q begins said
sleep 1
first() { head -n 1 /sys/fs/cgroup/boxes/other-0/cgroup.procs; }
kill -STOP "$(first)"
sleep 7 # a look at all containers
t_is "who is stopped stays so" 0 "$(grep -c continued said)"
kill -CONT "$(first)"
t_soon 20 "until somebody continues him" grep -q continued said

### names that others can choose
chown 1000 /sys/fs/cgroup/boxes
t_is "who may make cgroups may not choose whose they are" "refused 0 escaped 0 killed 1 other 0" \
	"$(box run other 1 /box /violate)"
t_like "which is said" "*/boxes/other-0: after 3 s *not only root may make cgroups*refused*" "$(cat log)"
chown 0:1000 /sys/fs/cgroup/boxes
chmod g+w /sys/fs/cgroup/boxes
t_is "nor may a group that may make them" "refused 0 escaped 0 killed 1 other 0" "$(box run other 1 /box /violate)"
chmod g-w /sys/fs/cgroup/boxes
t_is "its twin runs" "refused 0 escaped 1 killed 0 other 0" "$(box run other 1 /box /violate)"
chown 0:0 /sys/fs/cgroup/boxes

### what is called as only a runtime's is, but is the host's, and leaves no policy by that
mkdir -p /opt
cp /usr/bin/busybox /opt/busybox
rule mine '{exe: /opt/busybox}' "$allow" 'file: [{deny: read, path: /secret}]' >"$policies/mine.yaml"
rule below '{cgroup: /below/}' "$allow" 'file: [{deny: read, path: /secret}]' >"$policies/below.yaml"
t_soon 20 "policies for a program and a cgroup" sh -c 'policyctl list | grep -q ^below'
for name in docker-x.scope payload kubepods; do
	mkdir -p "/sys/fs/cgroup/below/$name"
	chown -R 1000 /sys/fs/cgroup/below
	t_denied "$name: a program" sh -c "echo \$\$ >/sys/fs/cgroup/below/$name/cgroup.procs; exec /opt/busybox cat /secret"
	t_denied "$name: a cgroup" sh -c "echo \$\$ >/sys/fs/cgroup/below/$name/cgroup.procs; exec cat /secret"
	rmdir "/sys/fs/cgroup/below/$name"
done
rmdir /sys/fs/cgroup/below
t_allowed "its twin" sh -c 'exec cat /secret'
rm "$policies/mine.yaml" "$policies/below.yaml"

### scopes, of which a user's service manager makes as many as it has programs
in_scope() { # CGROUP: as a sandbox of a desktop's, with a root directory and mounts of its own
	mkdir -p "/sys/fs/cgroup/$1"
	sh -c "echo \$\$ >'/sys/fs/cgroup/$1/cgroup.procs'; exec unshare -m chroot /box /bin/cat /secret" 2>&1
	rmdir "/sys/fs/cgroup/$1"
}
t_is "a user's scope is no container" secret "$(in_scope user.slice/user-1000.slice/user@1000.service/vte-spawn-1.scope)"
t_is "its twin of the system's may be one" Killed "$(in_scope system.slice/vte-spawn-1.scope)"
t_is "nor is there a way out by calling one inside so" Killed "$(in_scope box.scope/user@1.service)"
t_is "one that nobody knows is refused with the host's root directory, too" "refused 0 escaped 0 killed 1 other 0" \
	"$(box run -s -d -1 box 1 / /violate)"

### one that nobody knows, before there is anything to be enforced
for policy in box none; do t_allowed "audit mode" policyctl mode $policy audit; done
box run -d -1 box 1 /box /bin/sh -c "$reads" >said 2>/dev/null &
t_soon 20 "it is let go" last yes
t_like "and listed" "*unknown*box-0*" "$(policyctl ps)"
t_allowed "enforce mode" policyctl mode box enforce
t_soon 20 "now it is refused" last no
t_like "and listed" "*refused*box-0*" "$(policyctl ps)"
echo 1 >/sys/fs/cgroup/boxes/cgroup.kill
t_soon 20 "and forgotten with its cgroup" sh -c '[ -z "$(policyctl ps | grep box)" ]'

### policies that cannot be read
kill_policyd
echo broken >"$policies/broken.yaml"
start_policyd
t_is "stale" stale "$(state)"
t_is "who starts is held, and refused" "refused 0 escaped 0 killed 1 other 0" "$(box run box 1 /box /violate)"
t_like "which is said" "*box-0*policies cannot be loaded*refused*" "$(cat log)"
rm "$policies/broken.yaml"
t_soon 20 "mended" sh -c '[ "$(policyctl status --json | grep -c enforcing)" = 1 ]'
t_is "all is as before" "refused 1 escaped 0 killed 0 other 0" "$(box run box 1 /box /violate)"

### settings
kill_policyd
echo 'on_unknown: allow' >/etc/policyd/policyd.yaml
start_policyd
box run -d 3000 box 1 /box /bin/sh -c 'while sleep 0.1; do cat /secret && echo yes || echo no; done' >said 2>/dev/null &
t_soon 20 "on_unknown: allow, it is not held" grep -qx yes said
t_soon 20 "its policy comes when it is known" last no
echo 1 >/sys/fs/cgroup/boxes/cgroup.kill
kill_policyd
echo 'on_unknown: deny' >/etc/policyd/policyd.yaml
start_policyd
t_is "on_unknown: deny, it executes nothing" "refused 1 escaped 0 killed 0 other 0" "$(box run other 1 /box /violate)"
kill_policyd
printf 'hold_seconds: 3\nignore_cgroups: [/case]\n' >/etc/policyd/policyd.yaml
start_policyd
t_allowed "ignore_cgroups: it may not" chroot /box /bin/cat /secret
kill_policyd
printf 'hold_seconds: 3\nignore_cgroups: [/boxes]\n' >/etc/policyd/policyd.yaml
chown 1000 /sys/fs/cgroup/boxes
start_policyd
t_is "others' names are not believed then either" "refused 0 escaped 1 killed 0 other 0" \
	"$(box run box 1 /box /violate)"
chown 0 /sys/fs/cgroup/boxes
t_allowed "what runs in the ignored cgroup itself may" \
	sh -c 'echo $$ >/sys/fs/cgroup/boxes/cgroup.procs; exec chroot /box /bin/cat /secret'
t_is "a container below it is held and known all the same" "refused 1 escaped 0 killed 0 other 0" \
	"$(box run box 1 /box /violate)"

### many come and go
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }
bound() { bpftool map dump pinned /sys/fs/bpf/policyd/abi-*/maps/bindings >bindings || echo none; grep -c '"key"\|^key' bindings; }
case $(uname -r) in 6.1.*) number=10000 ;; *) number=300 ;; esac
box run -w 4 box 200 /box /violate >/dev/null
before=$(memory) bindings=$(bound)
box run box 1 /box /bin/sleep 4 >/dev/null &
one=$!
t_soon 4 "there is one" sh -c 'policyctl ps | grep -q "^bound *box-0 "'
t_is "which has a binding" $((bindings + 1)) "$(bound)"
wait $one
t_is "$number come and go" "refused $number escaped 0 killed 0 other 0" "$(box run -w 4 box $number /box /violate)"
left=$(bound) # of those before, one may have gone meanwhile
t_is "no binding is left of them" 1 "$([ "$left" -le "$bindings" ] && echo 1)"
t_is "nor anything listed" 0 "$(policyctl ps --json | grep -c box-)"
after=$(memory)
if [ "$after" -le $((before + 512)) ]; then # of 10,000, a leak of 52 bytes each
	t_ok "nor memory ($before kB, then $after kB)"
else
	t_fail "nor memory" "$before kB, then $after kB"
fi
adds_up "in the end" denials
t_allowed "detach" policyctl detach
t_is "then all of them can" "refused 0 escaped 3 killed 0 other 0" "$(box run box 3 /box /violate)"
t_done
