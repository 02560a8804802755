#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 400
# kernels: one
#
# What the tests and manuals of comparable programs promise, with Debian's own programs: scenarios 1-8 and 10-12.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

anything='default: {file: allow, exec: allow, socket: allow, capability: allow}'
confine_policy p1 <<P
$anything
exec:
  - {deny: /bin/sleep}
P
sed 's/^default/mode: audit\n&/; 1,3d' /etc/policyd/policies/p1.yaml | confine_policy p1audit
confine_policy p2 <<P
$anything
exec:
  - {deny: /bin/ls, by: /bin/dash}
P
confine_policy p3 <<P
$anything
file:
  - {deny: all, path: /credentials/}
P
confine_policy p4 <<P
$anything
file:
  - {deny: [write, append, create, delete, attr], path: /credentials/password}
P
confine_policy p5 <<'P'
default: {file: deny, exec: allow, socket: allow, capability: allow}
include: [base, terminal]
file:
  - {allow: read, path: [/credentials/, "/{,.}"]}
  - {allow: [read, mmap_exec], path: ["/usr/bin/**"]}
  - {allow: write, path: /tmp/}
P
confine_policy p6 <<P
$anything
file:
  - {deny: read, path: /run/secrets/token}
P
confine_policy p6by <<'P'
default: {file: deny, exec: allow, socket: allow, capability: allow}
include: [base, terminal]
file:
  - {allow: read, path: [/credentials/, "/{,.}"]}
  - {allow: [read, mmap_exec], path: ["/usr/bin/**"]}
  - {allow: write, path: /tmp/}
  - {allow: read, path: /run/secrets/token, by: /usr/bin/head}
P
confine_policy p7 <<P
$anything
capability:
  - {deny: net_raw}
P
confine_policy p8 <<'P'
default: {file: allow, exec: allow, socket: deny, capability: allow}
socket:
  - {allow: [create, connect], protocol: tcp, by: /usr/bin/curl}
  - {allow: create, family: unix}
P
confine_policy p10 <<P
$anything
exec:
  - {deny: "memfd:"}
P
sed 's/^default/mode: audit\n&/; 1,3d' /etc/policyd/policies/p10.yaml | confine_policy p10audit
confine_policy p11 <<P
$anything
socket:
  - {deny: [connect, send], to: ["172.0.0.0/11", "2001:db8::/31"]}
P
confine_policy p12 <<P
$anything
socket:
  - {deny: [connect, send, bind], port: 6670-6680}
P
mkdir -p /credentials/keys /run/secrets
echo s3cret >/credentials/password
echo key >/credentials/keys/key
echo token >/run/secrets/token
confine_start

echo "# 1: block the exec of /bin/sleep"
t_denied "1: sleep is denied" confine p1 /bin/sleep 0
t_denied "1: by its other name, too" confine p1 /usr/bin/sleep 0
t_denied "1: from a shell" confine p1 /bin/sh -c '/bin/sleep 0'
t_allowed "1: another program is not" confine p1 /bin/true
t_allowed "1: and where it is not confined it runs" /bin/sleep 0
t_event "1: the event names policy and rule" '"policy":"p1"' '"verdict":"denied"' '"operation":"exec"' \
	'"object":{"path":"/usr/bin/sleep"' "$(confine_line p1 /bin/sleep)"
t_allowed "1: in audit mode it runs" confine p1audit /bin/sleep 0
t_event "1: and is told" '"policy":"p1audit"' '"verdict":"would_deny"' '"object":{"path":"/usr/bin/sleep"' \
	"$(confine_line p1audit /bin/sleep)"

echo "# 2: block /bin/ls from /bin/dash only"
t_denied "2: dash -c ls" confine p2 /bin/dash -c 'ls /; exit $?'
t_is "2: dash -c pwd" "$PWD" "$(confine p2 /bin/dash -c pwd)"
t_allowed "2: dash runs other programs" confine p2 /bin/dash -c 'cat /etc/hostname'
t_allowed "2: ls from another shell" confine p2 /bin/bash -c 'ls / >/dev/null; exit $?'
t_event "2: the event" '"policy":"p2"' '"verdict":"denied"' '"object":{"path":"/usr/bin/ls"' "$(confine_line p2 /bin/ls)"

echo "# 3: block a directory, recursively"
t_denied "3: absolute" confine p3 /bin/cat /credentials/password
t_denied "3: relative" sh -c 'cd / && echo $$ >/sys/fs/cgroup/case/p3/cgroup.procs && exec /bin/cat credentials/password'
t_denied "3: relative, from below" sh -c 'cd /credentials/keys && echo $$ >/sys/fs/cgroup/case/p3/cgroup.procs && exec /bin/cat ../password'
t_denied "3: deeper" confine p3 /bin/cat /credentials/keys/key
t_denied "3: written" confine p3 /bin/sh -c 'echo x >/credentials/new'
t_denied "3: listed" confine p3 /bin/ls /credentials
t_allowed "3: the one next to it" confine p3 /bin/cat /etc/hostname
t_allowed "3: not confined" cat /credentials/password
t_event "3: the event" '"policy":"p3"' '"path":"/credentials/keys/key"' "$(confine_line p3 /credentials)"

echo "# 4: read-only"
t_is "4: read" s3cret "$(confine p4 /bin/cat /credentials/password)"
t_denied "4: written" confine p4 /bin/sh -c 'echo x >/credentials/password'
t_denied "4: appended to" confine p4 /bin/sh -c 'echo x >>/credentials/password'
t_denied "4: truncated" confine p4 /usr/bin/truncate -s 0 /credentials/password
t_denied "4: removed" confine p4 /bin/rm -f /credentials/password
t_denied "4: replaced" confine p4 /bin/sh -c 'echo x >/credentials/x && mv -f /credentials/x /credentials/password'
t_denied "4: its mode changed" confine p4 /bin/chmod 666 /credentials/password
t_is "4: it is as it was" "s3cret 644" "$(cat /credentials/password) $(stat -c %a /credentials/password)"
t_allowed "4: another file is written" confine p4 /bin/sh -c 'echo x >/credentials/other'
confine_steps p4 reach <<'S'
0 map_file /credentials/password r
EACCES map_file /credentials/password rw
0 map_file /credentials/other rw
S

echo "# 5: default deny"
t_is "5: what is allowed is read" s3cret "$(confine p5 /bin/cat /credentials/password)"
t_is "5: also below" key "$(confine p5 /bin/cat /credentials/keys/key)"
t_denied "5: what is not, is not" confine p5 /bin/cat /etc/hostname
t_denied "5: nor written" confine p5 /bin/sh -c 'echo x >/credentials/password'
t_event "5: by default" '"policy":"p5"' '"path":"/etc/hostname"' '"default":{"class":"file"' "$(confine_line p5 default)"

echo "# 6: readable by one program only"
t_is "6: that one" token "$(confine p6by /usr/bin/head -n 1 /run/secrets/token)"
t_denied "6: another" confine p6by /bin/cat /run/secrets/token
t_denied "6: another, started by that one's shell" confine p6by /bin/sh -c 'cat </run/secrets/token'
t_denied "6: nobody, where it is denied" confine p6 /usr/bin/head -n 1 /run/secrets/token
t_allowed "6: other files" confine p6 /bin/cat /credentials/password
t_event "6: the event names the program" '"policy":"p6by"' '"path":"/run/secrets/token"' '"exe":"/usr/bin/cat"'

echo "# 7: no net_raw, no ping"
echo "1 0" >/proc/sys/net/ipv4/ping_group_range
t_allowed "7: ping, not confined" ping -c 1 127.0.0.1
t_denied "7: ping" confine p7 /bin/ping -c 1 127.0.0.1
t_allowed "7: other capabilities" confine p7 /bin/chown 1:1 /credentials/other
t_event "7: the event" '"policy":"p7"' '"object":{"capability":"net_raw"}' "$(confine_line p7 net_raw)" '"comm":"ping"'

echo "# 8: tcp for curl only"
nginx
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
t_like "8: curl" '*Welcome to nginx*' "$(confine p8 /usr/bin/curl -s http://127.0.0.1/)"
t_is "8: curl cannot look names up" 6 "$(confine p8 /usr/bin/curl -s -m 5 http://example.org/ >/dev/null; echo $?)"
t_event "8: since that takes udp" '"policy":"p8"' '"operation":"socket"' '"type":"dgram","protocol":"udp"' '"comm":"curl"'
t_is "8: tcp for another program" 1 "$(confine p8 /usr/bin/nc -z 127.0.0.1 80 2>/dev/null; echo $?)"
t_event "8: is refused" '"policy":"p8"' '"operation":"socket"' '"type":"stream","protocol":"tcp"' '"comm":"nc"'
t_allowed "8: and works when it is not confined" nc -z 127.0.0.1 80
echo "# 10: programs in memory"
memfd='import os, sys
fd = os.memfd_create("innocent")
os.write(fd, open("/bin/echo", "rb").read())
os.execve(fd, ["echo", "ran"], {})'
t_is "10: not confined" ran "$(python3 -c "$memfd")"
t_denied "10: denied" confine p10 /usr/bin/python3 -c "$memfd"
t_allowed "10: a program from a file" confine p10 /bin/echo
t_event "10: told" '"policy":"p10"' '"verdict":"denied"' '"operation":"exec"' "$(confine_line p10 memfd)" 'memfd:'
t_is "10: in audit mode it runs" ran "$(confine p10audit /usr/bin/python3 -c "$memfd")"
t_event "10: and is told" '"policy":"p10audit"' '"verdict":"would_deny"' '"operation":"exec"' "$(confine_line p10audit memfd)"

echo "# 11: odd networks"
for address in 172.17.0.1/32 172.31.255.254/32 172.32.1.101/32 171.255.0.1/32 172.0.0.1/32; do
	ip addr add $address dev lo
done
for address in 2001:db7::1/128 2001:db8::1/128 2001:db9::1/128 2001:dba::1/128; do
	ip addr add $address dev lo nodad
done
confine_steps p11 net <<'S'
0 socket a inet stream 0
EACCES connect a 172.0.0.1:81
EACCES connect a 172.17.0.1:81
EACCES connect a 172.31.255.254:81
ECONNREFUSED connect a 172.32.1.101:81
0 socket a inet stream 0
ECONNREFUSED connect a 171.255.0.1:81
0 socket a inet6 stream 0
EACCES connect a [2001:db8::1]:81
EACCES connect a [2001:db9::1]:81
EACCES connect a [::ffff:172.17.0.1]:81
ECONNREFUSED connect a [2001:dba::1]:81
0 socket a inet6 stream 0
ECONNREFUSED connect a [2001:db7::1]:81
0 socket a inet6 stream 0
ECONNREFUSED connect a [::ffff:172.32.1.101]:81
0 socket a inet dgram 0
EACCES sendto a 172.17.0.1:81
0 sendto a 172.32.1.101:81
S
t_event "11: the event" '"policy":"p11"' '"address":"2001:db9::1"' '"port":81' "$(confine_line p11 172.0)"

echo "# 12: a range of ports"
confine_steps p12 net <<'S'
0 socket a inet stream 0
EACCES connect a 127.0.0.1:6670
EACCES connect a 127.0.0.1:6675
EACCES connect a 127.0.0.1:6680
ECONNREFUSED connect a 127.0.0.1:6681
0 socket a inet stream 0
ECONNREFUSED connect a 127.0.0.1:6669
0 socket a inet stream 0
EACCES bind a 127.0.0.1:6680
0 bind a 127.0.0.1:6681
S
t_event "12: the event" '"policy":"p12"' '"port":6670' "$(confine_line p12 6670-6680)"
nginx -s stop
kill "$policyd"
t_done
