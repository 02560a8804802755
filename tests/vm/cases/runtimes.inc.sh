# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# For the cases about container runtimes: an image, and what every runtime has to stand. Not a case itself.
# shellcheck disable=SC2034,SC2154 # used by the cases; set by life.inc.sh
. /tests/cases/life.inc.sh
IMAGE=localhost/demo:1
# Most of the runtimes are Go's, and end before a collection of their garbage pays.
export GOGC=1000

# A root directory with busybox, a secret, its twin, and a script
demo_root() { # DIRECTORY
	mkdir -p "$1/bin" "$1/usr" "$1/proc" "$1/sys" "$1/dev" "$1/tmp" "$1/etc"
	cp /bin/busybox "$1/bin/"
	for program in sh cat echo sleep true; do ln -s busybox "$1/bin/$program"; done
	printf '#!/bin/sh\necho script\n' >"$1/script"
	chmod 755 "$1/script"
	echo secret >"$1/secret"
	echo twin >"$1/twin"
	echo root:x:0:0::/:/bin/sh >"$1/etc/passwd"
}

# The same as an image that docker, podman and ctr load
demo_image() { # NAME ROOT OUT
	work=$(mktemp -d)
	tar -C "$2" --numeric-owner --owner=0 --group=0 -cf "$work/layer.tar" .
	layer=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
	printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/bin"],"Labels":{"app":"demo"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
		"$layer" >"$work/config"
	config=$(sha256sum "$work/config" | cut -d ' ' -f 1)
	mv "$work/config" "$work/$config.json"
	printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$1" >"$work/manifest.json"
	tar -C "$work" -cf "$3" layer.tar "$config.json" manifest.json
	rm -rf "$work"
}

# A bundle for crun and runc; its program is set by bundle_runs
demo_bundle() { # DIRECTORY
	mkdir -p "$1"
	[ -d "$1/rootfs" ] || demo_root "$1/rootfs"
	(cd "$1" && rm -f config.json && runc spec)
}
bundle_runs() { # DIRECTORY PROGRAM ARGUMENTS...
	(cd "$1" && shift && python3 -c '
import json, sys
config = json.load(open("config.json"))
config["process"]["args"] = sys.argv[1:]
config["process"]["terminal"] = False
json.dump(config, open("config.json", "w"))' "$@")
}

prepare_runtimes() { # what all of them need, and policies for containers called box*
	prepare
	: >log
	modprobe -a overlay veth 2>/dev/null
	[ -S /run/dbus/system_bus_socket ] || systemctl start dbus 2>/dev/null
	demo_root "$PWD/root"
	demo_image "$IMAGE" "$PWD/root" "$PWD/demo.tar"
	cat >$policies/box.yaml <<-E
	version: 1
	name: box
	match: [{container: "box*"}]
	default: {file: allow, exec: deny, socket: allow, capability: allow}
	exec: [{allow: /bin/busybox}]
	file: [{deny: read, path: /secret}]
	E
}

said_by() { # CONTAINER IMAGE: the last event about /secret names them, and the rule
	policyctl events --json -n 1 --path /secret |
		grep -q "\"line\":6,.*\"container\":{.*\"name\":\"$1\",\"image\":$2"
}

# One that may, and one that may not, of which the event says all
judged() { # RUNTIME IMAGE: as JSON, "null" where the runtime knows none
	t_allowed "$1: what is allowed" go box1 cat /twin
	t_denied "$1: what is denied" go box2 cat /secret
	if t_wait 10 said_by box2 "$2"; then
		t_ok "$1: the event names container, image and rule"
	else
		t_fail "$1: the event names container, image and rule" "$(policyctl events --json -n 1)"
	fi
}

# What every runtime stands. go NAME PROGRAM... runs one to its end; up NAME starts one that sleeps, join NAME
# PROGRAM... executes in it, down NAME ends it; each is given by the case.
stands() { # RUNTIME IMAGE
	judged "$1" "$2"
	# Not what its runtime says of /script: it gets to say it where the container was bound before its exec.
	go box3 /script >out 2>&1
	t_is "$1: a program that is refused does not begin" '' "$(grep -x script out)"
	t_allowed "$1: no policy, no denial" go other cat /secret
	up box4 >out 2>&1 || t_fail "$1: one that stays" "$(cat out)"
	t_wait 20 policyctl_knows box4 || t_fail "$1: it is bound" "$(policyctl ps)"
	t_allowed "$1: who joins it may what is allowed" join box4 cat /twin
	t_denied "$1: and not what is denied" join box4 cat /secret
	kill_policyd
	t_denied "$1: with policyd dead, neither" join box4 cat /secret
	go box5 cat /secret >out 2>&1 &
	late=$!
	sleep 2
	start_policyd
	t_denied "$1: started again, neither" join box4 cat /secret
	wait $late
	t_like "$1: what was begun meanwhile was held, and is denied, too" "*Permission denied*" "$(cat out)"
	down box4 >/dev/null 2>&1
	t_soon 30 "$1: what is gone is forgotten" policyctl_forgot box4
}
policyctl_knows() { policyctl ps | grep -q "^bound .* \([^ ]*/\)\?$1 "; }
policyctl_forgot() { ! policyctl_knows "$1" || { policyctl ps; false; }; }

# Three, or as many=N on the kernel's command line says, whose very first instruction is denied, counted from what
# they say themselves; the daemon is killed half way.
number=$(sed -n 's/.*many=\([0-9]*\).*/\1/p' /proc/cmdline)
number=${number:-3}
many() { # RUNTIME
	escaped=0 refused=0 other=''
	i=0
	while [ $i -lt "$number" ]; do
		i=$((i + 1))
		if [ $i = $((number / 2)) ]; then
			kill_policyd
			(sleep 3; exec policyd 2>>log) &
			daemon=$!
		fi
		out=$(go "box-many-$i" cat /secret 2>&1)
		case $out in
		secret) escaped=$((escaped + 1)) ;;
		*"Permission denied"*) refused=$((refused + 1)) ;;
		*) other=$out ;;
		esac
	done
	t_is "$1: $number that begin with what is denied" "$number refused, 0 escaped, other: " "$refused refused, $escaped escaped, other: $other"
}
