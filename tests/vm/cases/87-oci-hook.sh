#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: runtimes
# init: systemd
# timeout: 1800
#
# Containers that the runtime's hook binds: what is not bound by it does not start (on_unknown: deny), and a container
# that cannot be bound is not made.
# shellcheck disable=SC2317,SC2086,SC2154 # functions are called by others; $IMAGE is one word; of life.inc.sh
. /tests/lib.sh
. /tests/cases/runtimes.inc.sh

made() { "$@" 2>&1 | grep -x twin; }
# That it is not known when it begins is likely, but a look through the cgroups may find it before.
refused_without_hook() { # RUNTIME COMMAND...
	text="$1: without the hook nothing starts"
	shift
	for _ in 1 2 3 4 5; do
		"$@" >out 2>&1
		case $(cat out) in
		*twin*) ;;
		*[Pp]"ermission denied"*) t_ok "$text"; return ;;
		*) break ;;
		esac
	done
	t_fail "$text" "$(cat out; policyctl ps)"
}

hooked() { # RUNTIME IMAGE
	judged "$1" "$2"
	t_allowed "$1: without a policy" go other cat /secret
	kill_policyd
	go box3 cat /twin >out 2>&1
	t_is "$1: with policyd dead none is made" 0 "$(grep -c twin out)"
	case $(cat out) in
	*"policyd is not running"*) t_ok "$1: and its runtime says why" ;;
	*) # crun keeps to itself what hooks say
		t_soon 20 "$1: and the journal says why" sh -c 'journalctl -q -t policyctl | grep "policyd is not running"'
		journalctl -q --rotate --vacuum-time=1s >/dev/null 2>&1
		;;
	esac
	start_policyd
	t_allowed "$1: and when it is back one is" go box5 cat /twin
}

prepare_runtimes
echo 'on_unknown: deny' >/etc/policyd/policyd.yaml
start_policyd
podman load -q -i demo.tar >/dev/null 2>&1
go() { name=$1; shift; podman --log-level error run --network none --rm --name "$name" $IMAGE "$@"; }
refused_without_hook podman go box0 cat /twin
mkdir -p /usr/share/containers/oci/hooks.d
cp /usr/share/policyd/oci-hook.json /usr/share/containers/oci/hooks.d/
hooked podman "\"$IMAGE\""

# Somebody else answers, or nobody does, or half: frames that are whole, and others.
answers() { # raw|frame TEXT
	rm -f $T_SOCKET answering
	timeout 60 python3 -c '
import socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
open("answering", "w")
text = sys.argv[3].encode()
while True:
    client = server.accept()[0]
    client.recv(65536)
    client.sendall((struct.pack("<I", len(text)) if sys.argv[2] == "frame" else b"") + text)
    client.close()' $T_SOCKET "$1" "$2" &
	liar=$!
	t_wait 10 [ -e answering ]
}
hook_says() { printf '{"id":"box","pid":%s,"bundle":"%s"}' $$ "$PWD" | policyctl oci-hook >out 2>&1; echo $?; }
kill_policyd
answers frame '{"ok":true,"policies":[]}'
t_is "who answers as policyd does is believed" 0 "$(hook_says)"
kill $liar
answers raw ''
t_is "the hook fails when nothing is answered" 2 "$(hook_says)"
kill $liar
answers raw nonsense
t_is "or nonsense" 2 "$(hook_says)"
kill $liar
for answer in nonsense '{' '{}' '[]' '{"ok":1}' '{"ok":"true"}' '{"ok":false}' '{"version":1}' '{"error":"no"}'; do
	answers frame "$answer"
	t_is "or '$answer'" 2 "$(hook_says)"
	t_is "and not for want of a daemon" 0 "$(grep -c 'not running' out)"
	kill $liar
done
answers frame nonsense
t_is "and no container is made" '' "$(made go box6 cat /twin)"
kill $liar
start_policyd

for runtime in crun runc; do
	demo_bundle bundle
	go() {
		name=$1
		shift
		bundle_runs bundle "$@"
		policyctl oci-runtime $runtime run --bundle bundle "$name"
	}
	hooked $runtime null
	t_is "$runtime: the hook is in the configuration once" 1 "$(grep -o oci-hook bundle/config.json | wc -l)"
	demo_bundle bundle
	bundle_runs bundle cat /twin
	refused_without_hook $runtime $runtime run --bundle bundle box6
done

# What the hook has said counts more than the state of one that was killed in the same cgroup.
demo_bundle bundle
bundle_runs bundle sleep 1000
sed -i 's|"linux": {|"linux": {"cgroupsPath": "/pool/one",|' bundle/config.json
policyctl oci-runtime runc run -d --bundle bundle free >/dev/null 2>&1 </dev/null
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_soon 10 "one is killed, and leaves its state" sh -c '! policyctl ps | grep -q " free " && [ -e /run/runc/free ]'
policyctl oci-runtime runc run -d --bundle bundle box-next >/dev/null 2>&1 </dev/null
runc pause box-next # its cgroup's events change, and so it is doubted
runc resume box-next
sleep 12            # two looks
t_like "the next is as its hook said" "*bound*box-next*" "$(policyctl ps)"
t_allowed "who joins it may what is allowed" runc exec box-next cat /twin
t_denied "and not what is denied" runc exec box-next cat /secret

# Whose hook comes while another is in the cgroup, or in the one above, changes nothing for that one.
place() { sed -i "s|\"cgroupsPath\": \"[^\"]*\"|\"cgroupsPath\": \"/pool/$1\"|" bundle/config.json; }
for place in one/below one; do
	place $place
	policyctl oci-runtime runc run -d --bundle bundle other >/dev/null 2>&1 </dev/null
	t_is "another begins in /pool/$place" 1 "$(runc list | grep -c '^other .*running')"
	sleep 6 # a look
	t_like "the first is known as before" "*bound*box-next*" "$(policyctl ps)"
	t_denied "nobody who joins it may more" runc exec box-next cat /secret
	t_denied "nor does the other have its own policies" runc exec other cat /secret
	runc delete -f other
done
runc delete -f box-next
rm -r /run/runc/free

# What a hook has said is of no use for the next in the cgroup, of which policyd has not seen that it is another.
policyctl oci-runtime runc run -d --bundle bundle free >/dev/null 2>&1 </dev/null
t_soon 10 "one that no policy is for" sh -c 'policyctl ps | grep -q "^unmatched *free "'
kill -STOP "$daemon"
echo 1 >/sys/fs/cgroup/pool/one/cgroup.kill
t_wait 10 grep -q "populated 0" /sys/fs/cgroup/pool/one/cgroup.events
rm -r /run/runc/free
demo_bundle bundle
bundle_runs bundle cat /secret
sed -i 's|"linux": {|"linux": {"cgroupsPath": "/pool/one",|' bundle/config.json
runc run --bundle bundle box-after >out 2>&1 </dev/null &
runner=$!
sleep 2
kill -CONT "$daemon"
wait $runner
t_like "the next one, without a hook, has nothing of it" "*ermission denied*" "$(cat out)"
runc delete -f box-after >/dev/null 2>&1

# as policyctl(1) says
mkdir -p /etc/docker
cat >/etc/docker/daemon.json <<-E
	{"default-runtime": "policyd",
	 "runtimes": {"policyd": {"path": "/usr/bin/policyctl",
	                          "runtimeArgs": ["oci-runtime", "runc"]}}}
E
containerd >containerd.log 2>&1 &
dockerd --containerd /run/containerd/containerd.sock --iptables=false --bridge=none >dockerd.log 2>&1 &
t_wait 60 docker info || t_fail "docker starts" "$(tail -n 5 dockerd.log)"
docker load -q -i demo.tar >/dev/null
# --ulimit: a number that is larger than any of ours
go() { name=$1; shift; docker run --rm --network none --ulimit memlock=-1 --name "$name" $IMAGE "$@"; }
hooked docker "\"$IMAGE\""
t_done
