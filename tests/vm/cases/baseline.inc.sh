#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For 53 and 54: a day in the life of a container, and what escapes from one try, with a line for each:
# "done TEXT" or "failed TEXT" for work, "worked TEXT" or "refused TEXT" for escapes.
#
# usage: baseline.inc.sh world|work|escapes, in a folder of its own
work() { # TEXT COMMAND...
	what=$1
	shift
	if out=$("$@" 2>&1); then echo "done $what"; else echo "failed $what: $out" | tr -d '\000'; fi
}

escape() { # TEXT COMMAND...
	what=$1
	shift
	if out=$("$@" 2>&1); then echo "worked $what"; else echo "refused $what: $out" | tr -d '\000'; fi
}

serve() {
	/usr/sbin/nginx && page=$(curl -s --retry 20 --retry-connrefused http://127.0.0.1/) &&
		nginx -s stop && echo "$page" | grep -q Welcome
}
database() {
	redis-server --save '' --daemonize yes --dir "$PWD" --unixsocket "$PWD/redis.sock" >redis.log
	tries=100
	until redis-cli -s "$PWD/redis.sock" set key value; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
	redis-cli -s "$PWD/redis.sock" shutdown nosave
}
files() {
	mkdir -p a/b && echo x >a/b/c && ln a/b/c a/d && ln -s d a/e && mv a/b a/f && chmod 600 a/d && chown user a/d &&
		truncate -s 100 a/d && cp /usr/bin/true a/true && a/true && rm -r a
}
reads() { cat /proc/meminfo /proc/self/status /proc/net/dev /sys/devices/system/cpu/online /etc/passwd >/dev/null; }
devices() { head -c 10 /dev/urandom >/dev/null && head -c 10 /dev/zero >/dev/null && echo x >/dev/shm/x && rm /dev/shm/x; }
python() { python3 -c "$1"; }

docker() { echo hello | socat -t 2 - UNIX-CONNECT:/run/docker.sock | grep hello; }
shim() { echo hello | socat -t 2 - ABSTRACT-CONNECT:/containerd-shim/moby/x/shim.sock | grep hello; }
metadata() { echo hello | socat -t 2 - TCP:169.254.169.254:8181 | grep hello; }
socket() { python "import socket; socket.socket(socket.AF_$1)"; }
module() { modprobe dummy && modprobe -r dummy; }
device() { ip link add name veth9 type veth && ip link delete veth9; }
shm() { cp /usr/bin/true /dev/shm/true && /dev/shm/true; }
overwrite() { # with what is there
	cat "$1" >value && cat value >"$1"
}

node() { mknod disk b 254 0 && rm disk; }

case $1 in
world) # what they reach for
	echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range # as container run-times set it
	ip address replace 169.254.169.254/32 dev lo
	socat TCP-LISTEN:8181,bind=169.254.169.254,fork,reuseaddr EXEC:/bin/cat &
	socat UNIX-LISTEN:/run/docker.sock,unlink-early,fork EXEC:/bin/cat &
	socat ABSTRACT-LISTEN:/containerd-shim/moby/x/shim.sock,fork EXEC:/bin/cat &
	;;
work)
	work "a shell" sh -c 'id | grep -q root'
	work "another user" su -s /bin/sh nobody -c 'id -un | grep -q nobody'
	work "files" files
	work "what a system tells" reads
	work "devices" devices
	work "processes of its own" sh -c 'sleep 60 & kill $!'
	work "a debugger for its own" strace -o /dev/null -e trace=none true
	work "a web server" serve
	work "a database" database
	work "ping" ping -c 1 127.0.0.1
	work "the network's addresses" ip address show lo
	work "python and its threads" python 'import _thread; _thread.start_new_thread(print, (1,))'
	;;
escapes)
	escape "read a disk" head -c 1 /dev/vda
	escape "make the node of a disk" node
	escape "read the kernel's memory" head -c 1 /proc/kcore
	escape "read the kernel's symbols" head -c 1 /proc/kallsyms
	escape "read the kernel's log" dmesg
	escape "set the handler of core dumps" overwrite /proc/sys/kernel/core_pattern
	escape "set the loader of modules" overwrite /proc/sys/kernel/modprobe
	escape "press SysRq" sh -c 'echo h >/proc/sysrq-trigger'
	escape "make an event of a device" sh -c 'echo change >/sys/class/mem/null/uevent'
	escape "speak to docker" docker
	escape "speak to a shim" shim
	escape "ask the cloud for credentials" metadata
	escape "open a packet socket" socket "PACKET, socket.SOCK_RAW"
	escape "open a raw socket" socket "INET, socket.SOCK_RAW, 253"
	escape "open a vsock" socket "VSOCK, socket.SOCK_STREAM"
	escape "run from memory" python 'import os
fd = os.memfd_create("x", 0)
os.write(fd, open("/usr/bin/true", "rb").read())
if os.fork() == 0: os.execv("/proc/self/fd/%d" % fd, ["x"])
os._exit(os.wait()[1] != 0)'
	escape "run from shared memory" shm
	escape "mount" mount -t tmpfs none /mnt
	escape "make a user namespace" unshare -U true
	escape "enter a namespace of PID 1" nsenter -t 1 -u true
	escape "look at PID 1's files" ls /proc/1/root/
	escape "load a module" module
	escape "set the clock" date -s "@$(date +%s)"
	escape "set the host's name" hostname "$(hostname)"
	escape "make a network device" device
	escape "use bpf()" bpftool prog list
	;;
esac
