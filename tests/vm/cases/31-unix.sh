#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Unix sockets: by path, by symbolic link and other aliases, by abstract name, without a name.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

confine_policy unix <<'P'
default: {file: allow, exec: allow, socket: deny, capability: allow}
socket:
  - {allow: create, family: unix}
  - {allow: [connect, send], unix: ["/run/open.*", "@open*", "/run/own.*", "@own*"]}
  - {allow: [bind, listen, accept], unix: ["/run/own.*", "@own*"]}
P
# Everything granted that would have hooks attached which these rules need: they come by themselves
confine_policy only <<'P'
default: {file: allow, exec: allow, socket: allow, capability: allow}
socket:
  - {deny: [connect, send], unix: ["/run/closed.*", "@closed*"]}
  - {deny: bind, unix: ["/run/no.*", "@no*", "@"]}
  - {deny: [listen, accept], unix: "/run/quiet.*"}
guard: {allow: [bpf, mount, userns, ptrace, signal, io_uring, perf, module, cgroup, kernel]}
P
confine_start

cat >server.txt <<'S'
- socket a unix stream 0
- bind a /run/open.stream
- listen a
- socket b unix dgram 0
- bind b /run/open.dgram
- socket c unix seqpacket 0
- bind c /run/open.packets
- listen c
- socket d unix stream 0
- bind d @open-stream
- listen d
- socket e unix dgram 0
- bind e @open-dgram
- socket f unix stream 0
- bind f /run/closed.stream
- listen f
- socket g unix dgram 0
- bind g /run/closed.dgram
- socket h unix seqpacket 0
- bind h /run/closed.packets
- listen h
- socket i unix stream 0
- bind i @closed-stream
- listen i
- socket j unix dgram 0
- bind j @closed-dgram
- socket k unix stream 0
- bind k auto
- listen k
- pause
S
/tests/bin/net server <server.txt &
server=$!
t_wait 20 test -S /run/closed.packets
t_wait 20 grep -q @closed-dgram /proc/net/unix
ln -s /run/closed.stream /run/open.link
ln -s /run/open.stream /run/link
ln /run/closed.dgram /run/open.hard
mkdir -p /run/alias
mount --bind /run /run/alias
auto=@$(sed -n 's/.* @\([0-9a-f]\{5\}\)$/\1/p' /proc/net/unix | tail -n 1)

for policy in unix only; do
	confine_steps $policy net <<-'S'
	0 socket a unix stream 0
	0 connect a /run/open.stream
	0 send a
	0 socket a unix seqpacket 0
	0 connect a /run/open.packets
	0 socket a unix dgram 0
	0 sendto a /run/open.dgram
	0 connect a /run/open.dgram
	0 send a
	0 socket a unix stream 0
	0 connect a @open-stream
	0 socket a unix dgram 0
	0 sendto a @open-dgram
	0 sendmsg a @open-dgram /run/open.dgram
	0 pair unix stream
	0 pair unix dgram
	0 pair unix seqpacket
	0 socket a unix stream 0
	0 connect a /run/link
	0 socket a unix stream 0
	0 connect a /run/alias/open.stream
	ENOENT connect a /run/open.missing
	ECONNREFUSED connect a @open-missing

	0 socket a unix stream 0
	EACCES connect a /run/closed.stream
	EACCES connect a @closed-stream
	EACCES connect a /run/open.link         # a link with a good name
	EACCES connect a /run/alias/closed.stream
	EACCES connect a /proc/self/root/run/closed.stream
	0 socket a unix seqpacket 0
	EACCES connect a /run/closed.packets
	0 socket a unix dgram 0
	EACCES connect a /run/closed.dgram
	EACCES connect a /run/open.hard         # a hard link: the name it was bound by
	EACCES sendto a /run/closed.dgram
	EACCES sendto a @closed-dgram
	EACCES sendmsg a @closed-dgram
	EACCES sendmsg a @open-dgram @closed-dgram
	EACCES sendmsg a /run/closed.dgram @open-dgram
	0 connect a /run/open.dgram
	EACCES sendto a /run/closed.dgram
	0 connect a unspec
	0 option a passcred 1
	EACCES sendto a /run/closed.dgram
	S
done
t_event "connect: the path it leads to" '"policy":"unix"' '"operation":"connect"' '"path":"/run/closed.stream"'
t_no_event "and not the link" '"policy":"unix"' '/run/open.link'
t_event "connect: the abstract name" '"policy":"unix"' '"operation":"connect"' '"abstract":"closed-stream"'
t_event "send: the path" '"policy":"unix"' '"operation":"send"' '"path":"/run/closed.dgram"'
t_event "send: the abstract name" '"policy":"unix"' '"operation":"send"' '"abstract":"closed-dgram"'
t_event "the rule that denies a path" '"policy":"only"' "$(confine_line only /run/closed)" '"path":"/run/closed.stream"'

echo "# from another mount namespace: what they are called there, by every mount that shows them"
cat >steps.txt <<'S'
0 socket a unix stream 0
0 connect a /run/open.stream
0 socket a unix dgram 0
0 sendto a /run/open.dgram
0 sendto a @open-dgram
EACCES sendto a /run/closed.dgram
0 socket a unix stream 0
EACCES connect a /run/closed.stream
EACCES connect a /run/open.bound
0 socket a unix seqpacket 0
EACCES connect a /run/open.packets      # /run/closed.bound shows it, too
EACCES connect a /run/closed.bound
S
# shellcheck disable=SC2016 # for the inner shell
unshare -m sh -c 'umount /run/alias && touch /run/open.bound /run/closed.bound &&
	mount --bind /run/closed.stream /run/open.bound && mount --bind /run/open.packets /run/closed.bound &&
	echo $$ >"$0" && exec /tests/bin/net other <steps.txt' "$CONFINE_CGROUP/unix/cgroup.procs" >steps.out 2>&1
confine_told steps.txt steps.out
rm -f /run/open.bound /run/closed.bound
t_event "the name in the event" '"policy":"unix"' '"operation":"connect"' '"path":"/run/closed.bound"'

echo "# an autobound name is a name"
{
	echo "0 socket a unix stream 0"
	echo "EACCES connect a $auto"
} | confine_steps unix net
{
	echo "0 socket a unix stream 0"
	echo "0 connect a $auto"
} | confine_steps only net

confine_steps unix net <<'S'
0 socket a unix stream 0
0 bind a /run/own.stream
0 listen a
0 socket b unix stream 0
0 connect b /run/own.stream
0 accept a c
0 socket a unix stream 0
0 bind a @own-stream
0 listen a
0 socket b unix stream 0
0 connect b @own-stream
0 accept a c
0 socket a unix dgram 0
0 bind a /run/own.dgram
0 socket b unix dgram 0
0 sendto b /run/own.dgram
0 recv a
0 socket a unix stream 0
EACCES bind a /run/other.stream
EACCES bind a @other
EACCES bind a auto
EINVAL listen a
0 unlink /run/own.stream
0 unlink /run/own.dgram
S
t_event "bind: the path" '"policy":"unix"' '"operation":"bind"' '"path":"/run/other.stream"'
t_event "bind: the abstract name" '"policy":"unix"' '"operation":"bind"' '"abstract":"other"'
confine_steps only net <<'S'
0 socket a unix stream 0
EACCES bind a /run/no.stream
EACCES bind a @no-stream
EACCES bind a @no
EACCES bind a auto
0 bind a /run/quiet.stream
EACCES listen a
0 socket a unix stream 0
0 bind a @yes
0 listen a
0 socket a unix dgram 0
EACCES bind a /run/no.dgram
0 bind a /run/yes.dgram
0 unlink /run/quiet.stream
0 unlink /run/yes.dgram
S
umount /run/alias
kill "$server" "$policyd"
t_done
