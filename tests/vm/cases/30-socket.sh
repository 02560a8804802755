#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Internet and other sockets: what may be made, bound, listened on, accepted, connected and sent to.
# shellcheck disable=SC1091,SC2154 # what is sourced
. /tests/lib.sh
. /tests/cases/confine.inc.sh

anything='default: {file: allow, exec: allow, socket: allow, capability: allow}'
confine_policy strict <<'P'
default: {file: allow, exec: allow, socket: deny, capability: allow}
socket:
  - {allow: create, family: unix}
  - {allow: create, family: [inet, inet6], type: [stream, dgram], protocol: [tcp, udp]}
  - {allow: [create, bind, send], family: netlink, protocol: route}
  - {allow: [bind, listen, accept], protocol: tcp, port: [80, 8000-8009]}
  - {allow: bind, protocol: tcp, port: 0}
  - {allow: bind, protocol: udp, port: 8000-8009}
  - {allow: connect, protocol: tcp, to: ["127.0.0.1:7000-7009", "[::1]:7000", "[::ffff:127.0.0.2]:7020"]}
  - {allow: [connect, send], protocol: udp, to: ["127.0.0.1:7000", "[::1]:7000"]}
P
sed 's/^default/mode: audit\n&/' /etc/policyd/policies/strict.yaml | sed 1,3d | confine_policy audit
confine_policy open <<P
$anything
socket:
  - {deny: create, family: [packet, alg, vsock, smc, rds]}
  - {deny: create, family: [inet, inet6], type: raw}
  - {deny: create, protocol: [mptcp, sctp, dccp]}
  - {deny: create, family: netlink, protocol: audit}
  - {deny: create, family: unix, type: dgram}
  - {deny: [connect, send], to: ["127.0.0.1:7000", "[::1]:7000"]}
  - {deny: bind, port: 6670-6680}
  - {deny: [listen, accept], port: 6690}
  - {deny: accept, port: 6691}
P
confine_policy raw <<P
$anything
socket:
  - {deny: [connect, send], to: ["127.0.0.2", "::1"]}
  - {deny: bind, port: 6670}
  - {deny: send, family: packet}
  - {deny: bind, family: packet}
P
confine_start

modprobe -a sctp af_alg vsock vsock_loopback tipc 2>/dev/null
cat >server.txt <<'S'
- socket a inet stream 0
- option a fastopen 5
- bind a 127.0.0.1:7000
- listen a
- socket b inet stream 0
- bind b 127.0.0.1:7010
- listen b
- socket c inet6 stream 0
- bind c [::1]:7000
- listen c
- socket d inet6 stream 0
- bind d [::1]:7010
- listen d
- socket e inet stream 0
- bind e 127.0.0.2:7020
- listen e
- socket f inet stream 0
- bind f 127.0.0.2:7000
- listen f
- socket g inet dgram 0
- bind g 127.0.0.1:7000
- socket h inet dgram 0
- bind h 127.0.0.1:7010
- socket i inet6 dgram 0
- bind i [::1]:7000
- socket j inet6 dgram 0
- bind j [::1]:7010
- socket k inet stream 0
- bind k 127.0.0.1:7009
- listen k
- pause
S
/tests/bin/net server <server.txt &
server=$!
echo 7 >/proc/sys/net/ipv4/tcp_fastopen

echo "# which sockets may be made"
confine_steps strict net <<'S'
0 socket a inet stream 0
0 socket a inet stream tcp
0 socket a inet dgram udp
0 socket a inet6 stream tcp
0 socket a inet6 dgram 0
0 socket a unix stream 0
0 socket a unix dgram 0
0 socket a unix seqpacket 0
0 pair unix stream
0 pair unix dgram
0 socket a netlink raw route
0 socket a netlink dgram route
EACCES socket a netlink raw audit
EACCES socket a netlink raw uevent
EACCES socket a netlink raw generic
EACCES socket a inet raw icmp
EACCES socket a inet raw raw
EACCES socket a inet dgram icmp
EACCES socket a inet6 raw icmpv6
EACCES socket a inet6 dgram icmpv6
EACCES socket a inet stream mptcp
EACCES socket a inet6 stream mptcp
EACCES socket a inet stream sctp
EACCES socket a inet seqpacket sctp
EACCES socket a inet seqpacket 0
EACCES socket a inet dgram udplite
EACCES socket a inet dccp 0
EACCES socket a inet packet 0x300
EACCES socket a packet raw 0
EACCES socket a packet raw 0x300
EACCES socket a packet dgram 0
EACCES socket a vsock stream 0
EACCES socket a vsock dgram 0
EACCES socket a alg seqpacket 0
EACCES socket a tipc stream 0
EACCES socket a can raw 1
EACCES socket a xdp raw 0
EACCES socket a smc stream 0
EACCES socket a key raw 2
S
t_event "the event has family, type and protocol, and the default that decided" '"policy":"strict"' \
	'"operation":"socket"' '"object":{"family":"packet","type":"raw","protocol":' '"default":{"class":"socket"' \
	"$(confine_line strict default)"
t_event "also of a protocol with a number of its own" '"policy":"strict"' \
	'"object":{"family":"inet","type":"stream","protocol":"mptcp"}'
confine_steps open net <<'S'
0 socket a inet stream 0
0 socket a inet dgram icmp|0
EACCES socket a packet raw 0
EACCES socket a packet dgram 0x300
EACCES socket a inet packet 0x300
EACCES socket a alg seqpacket 0
EACCES socket a vsock stream 0
EACCES socket a smc stream 0
EACCES socket a inet raw icmp
EACCES socket a inet6 raw icmpv6
EACCES socket a inet stream mptcp
EACCES socket a inet stream sctp
EACCES socket a inet seqpacket sctp
EACCES socket a inet seqpacket 0
EACCES socket a inet6 seqpacket 0
EACCES socket a inet dccp 0
EACCES socket a netlink raw audit
0 socket a netlink raw route
0 socket a unix stream 0
EACCES socket a unix dgram 0
EACCES socket a unix raw 0
S
free_steps free net <<'S'
0 socket a packet raw 0
0 socket a inet raw icmp
0 socket a inet stream mptcp
0 socket a inet seqpacket 0
0 socket a vsock stream 0
0 socket a alg seqpacket 0
0 socket a netlink raw audit
0 socket a unix raw 0
S

echo "# bind, listen, accept"
confine_steps strict net <<'S'
0 socket a inet stream 0
0 bind a 127.0.0.1:8000
0 listen a
0 socket a inet stream 0
0 bind a 0.0.0.0:8009
0 socket a inet stream 0
EACCES bind a 127.0.0.1:7999
EACCES bind a 127.0.0.1:8010
EACCES bind a 127.0.0.1:32776
EACCES bind a unspec/0.0.0.0:9999
0 bind a unspec/0.0.0.0:8001
0 socket a inet6 stream 0
EACCES bind a [::1]:8010
EACCES bind a [::ffff:127.0.0.1]:8010
0 bind a [::ffff:127.0.0.1]:8002
0 socket a inet6 stream 0
0 bind a [::]:8003
0 listen a
0 socket a inet stream 0
0 bind a 127.0.0.1:0
0 port a
EACCES listen a         # on the port it was given
0 socket a inet stream 0
EACCES listen a         # unbound: port 0, and a port from the kernel
0 socket a inet dgram 0
0 bind a 127.0.0.1:8000
0 socket a inet dgram 0
EACCES bind a 127.0.0.1:8010
EACCES bind a 127.0.0.1:0
0 socket a netlink raw route
0 bind a nl
S
t_event "bind: address and port" '"policy":"strict"' '"operation":"bind"' '"port":8010' '"address":"127.0.0.1"'
t_event "listen: the port that the kernel gave" '"policy":"strict"' '"operation":"listen"' '"permissions":["listen"]'
confine_steps open net <<'S'
0 socket a inet stream 0
EACCES bind a 127.0.0.1:6670
EACCES bind a 0.0.0.0:6680
EACCES bind a unspec/0.0.0.0:6675
0 bind a 127.0.0.1:6681
0 listen a
0 socket b inet stream 0
0 connect b 127.0.0.1:6681
0 accept a c
0 socket a inet stream 0
0 bind a 127.0.0.1:6669
0 socket a inet stream 0
0 bind a 127.0.0.1:6690
EACCES listen a
0 socket a inet stream 0
0 bind a 127.0.0.1:6691
0 listen a
0 socket b inet stream 0
0 connect b 127.0.0.1:6691
EACCES accept a c
0 socket a inet stream 0
0 listen a              # unbound, and nothing denies it
0 socket a inet6 stream 0
EACCES bind a [::1]:6670
S
t_event "the rule that denies a range" "$(confine_line open 6670-6680)" '"port":6675' '"operation":"bind"'

echo "# connect"
confine_steps strict net <<'S'
0 socket a inet stream 0
0 connect a 127.0.0.1:7000
0 send a
0 sendto a 127.0.0.1:7010       # a connected stream takes no address
0 socket a inet stream 0
EACCES connect a 127.0.0.1:7010
EACCES connect a 127.0.0.2:7000
0 connect a unspec              # nothing to dissolve
0 connect a 127.0.0.1:7009
0 connect a unspec
EACCES connect a 127.0.0.1:7010
0 socket a inet stream 0
ECONNREFUSED connect a 127.0.0.1:7001
0 socket a inet stream 0
EACCES connect a 127.0.0.1:0
0 socket a inet6 stream 0
EACCES connect a [::1]:7010
0 connect a [::1]:7000
0 socket a inet6 stream 0
EACCES connect a [::ffff:127.0.0.1]:7010
0 connect a [::ffff:127.0.0.1]:7000
0 socket a inet6 stream 0
0 connect a [::ffff:127.0.0.2]:7020
0 socket a inet stream 0
0 connect a 127.0.0.2:7020      # the rule says it mapped
0 socket a inet6 stream 0
0 connect a [::ffff:127.0.0.1]:7000
0 option a addrform 2           # an IPv4 socket from here on
0 connect a unspec
EACCES connect a 127.0.0.1:7010
S
t_event "connect: IPv4 in IPv6 is told as IPv4" '"policy":"strict"' '"operation":"connect"' '"family":"inet"' \
	'"address":"127.0.0.1"' '"port":7010'
t_event "connect: IPv6" '"policy":"strict"' '"operation":"connect"' '"family":"inet6"' '"address":"::1"' '"port":7010'
confine_steps open net <<'S'
0 socket a inet stream 0
EACCES connect a 127.0.0.1:7000
0 connect a 127.0.0.1:7010
0 socket a inet6 stream 0
EACCES connect a [::ffff:127.0.0.1]:7000
EACCES connect a [::1]:7000
0 connect a [::1]:7010
0 socket a inet6 dgram 0
EACCES connect a [::ffff:127.0.0.1]:7000
EACCES connect a 127.0.0.1:7000
EACCES connect a [::1]:7000
EACCES connect a [::1]:7000,24
EACCES connect a [::1]:7000,26
0 connect a [::1]:7010
S
t_event "the rule that denies an address" "$(confine_line open '127.0.0.1:7000')" '"operation":"connect"'

echo "# connecting by sending"
for fastopen in 0 1 3; do
	echo $fastopen >/proc/sys/net/ipv4/tcp_fastopen
	confine_steps strict net <<-'S'
	0 socket a inet stream 0
	EACCES fastopen a 127.0.0.1:7010
	0|EOPNOTSUPP|EINPROGRESS fastopen a 127.0.0.1:7000
	0 socket a inet6 stream 0
	EACCES fastopen a [::ffff:127.0.0.1]:7010
	EACCES fastopen a [::1]:7010
	EPIPE sendto a [::1]:7010
	0|EOPNOTSUPP|EINPROGRESS fastopen a [::1]:7000
	0 socket a inet stream 0
	EACCES fastopen a unspec/127.0.0.1:7010
	S
done
echo 7 >/proc/sys/net/ipv4/tcp_fastopen
confine_steps strict net <<'S'
0 socket a inet stream 0
0 option a fastopen_connect 1
EACCES connect a 127.0.0.1:7010
0 connect a 127.0.0.1:7000      # later, with the first data
0|EINPROGRESS|EISCONN fastopen a 127.0.0.1:7000
S
t_event "connecting by sending is told as what it is" '"policy":"strict"' '"operation":"connect"' '"port":7010' \
	'"type":"stream"' '"address":"127.0.0.1"'

echo "# send"
confine_steps strict net <<'S'
0 socket a inet dgram 0
0 sendto a 127.0.0.1:7000
EACCES sendto a 127.0.0.1:7010
EACCES sendto a 127.0.0.2:7000
EACCES sendto a unspec/127.0.0.1:7010
0 sendto a unspec/127.0.0.1:7000
0 sendmsg a 127.0.0.1:7000
EACCES sendmsg a 127.0.0.1:7010
0 sendmsg a 127.0.0.1:7000 127.0.0.1:7000 127.0.0.1:7000
EACCES sendmsg a 127.0.0.1:7010 127.0.0.1:7000
EACCES sendmsg a 127.0.0.1:7000 127.0.0.1:7010
EACCES sendmsg a 127.0.0.1:7000 127.0.0.1:7000 127.0.0.1:7010
EACCES connect a 127.0.0.1:7010
0 connect a 127.0.0.1:7000
0 send a
EACCES sendto a 127.0.0.1:7010
0 connect a unspec
EDESTADDRREQ send a
0 socket a inet6 dgram 0
0 sendto a [::1]:7000
EACCES sendto a [::1]:7010
EACCES sendto a [::ffff:127.0.0.1]:7010
0 sendto a [::ffff:127.0.0.1]:7000
EACCES sendto a 127.0.0.1:7010
0 sendto a 127.0.0.1:7000
0 socket a inet6 dgram 0
# no address on such a socket, but one of IPv4 if IPV6_ADDRFORM comes in between
EACCES sendto a unspec/127.0.0.1:7010
EDESTADDRREQ sendto a unspec/127.0.0.1:7000
0 connect a [::1]:7000
EACCES sendto a unspec/127.0.0.1:7010
0 sendto a unspec/127.0.0.1:7000    # goes where it is connected to
EACCES sendto a [::1]:7010,24
# the unspecified address is loopback
0 socket a inet6 dgram 0
0 sendto a [::]:7000
EACCES sendto a [::]:7010
EACCES sendto a [::ffff:0.0.0.0]:7010
0 sendto a [::ffff:0.0.0.0]:7000
0 socket a inet dgram 0
0 sendto a 0.0.0.0:7000
EACCES sendto a 0.0.0.0:7010
0 socket a netlink raw route
0 sendto a nl
S
t_event "send: address and port" '"policy":"strict"' '"operation":"send"' '"address":"127.0.0.2"' '"port":7000' \
	'"permissions":["send"]'
confine_steps open net <<'S'
0 socket a inet dgram 0
EACCES sendto a 127.0.0.1:7000
0 sendto a 127.0.0.1:7010
EACCES sendto a 0.0.0.0:7000
0 sendto a 0.0.0.0:7010
0 socket a inet dgram 0
0 bind a 127.0.0.2:0
0 sendto a 0.0.0.0:7000         # reaches 127.0.0.2
0 socket a inet stream 0
EACCES connect a 0.0.0.0:7000
0 connect a 0.0.0.0:7010
0 socket a inet6 stream 0
EACCES connect a [::]:7000
EACCES connect a [::ffff:0.0.0.0]:7000
0 connect a [::]:7010
0 socket a inet dgram 0
EACCES sendto a unspec/127.0.0.1:7000
0 socket a inet6 dgram 0
EACCES sendto a [::ffff:127.0.0.1]:7000
EACCES sendto a 127.0.0.1:7000
EACCES sendto a [::1]:7000
0 sendto a [::1]:7010
S

echo "# addresses that claim to be of another family than they are taken for"
confine_steps raw net <<'S'
0 socket a inet raw 253
0 sendto a 127.0.0.1:0
EACCES sendto a 127.0.0.2:0
EACCES sendto a unspec/127.0.0.2:0
0 socket b inet6 raw 253
EACCES sendto b [::1]:253
EACCES sendto b unspec/[::1]:253
0 socket c inet6 dgram 0
EACCES sendto c unspec/127.0.0.2:7000
EACCES sendto c [::ffff:127.0.0.2]:7000
EDESTADDRREQ sendto c unspec/127.0.0.1:7000
0 socket d packet dgram 0
EACCES sendto d ll
EACCES sendto d inet/ll
EACCES sendto d inet6/ll
EACCES bind d ll
EACCES bind d inet/ll
S
confine_steps raw net <<'S'
0 socket e inet stream sctp
EACCES bind e 127.0.0.1:6670
EACCES bindx e 127.0.0.1:6670
EACCES bindx e 127.0.0.1:6671 127.0.0.1:6670
0 bindx e 127.0.0.1:6671
EACCES connect e 127.0.0.2:6672
EACCES connectx e 127.0.0.2:6672
EACCES connectx e 127.0.0.1:6672 127.0.0.2:6672
EACCES sendto e 127.0.0.2:6672
ECONNREFUSED connectx e 127.0.0.1:6672
0 socket e inet6 seqpacket 0
EACCES connectx e [::1]:6672
EACCES connectx e [::ffff:127.0.0.2]:6672
EACCES sendto e [::1]:6672
S
free_steps free net <<'S'
0 socket e inet stream sctp
0 bindx e 127.0.0.1:6670
ECONNREFUSED connectx e 127.0.0.2:6672
0 socket b inet6 raw 253
0 sendto b [::1]:253
0 sendto b unspec/[::1]:253
0 socket d packet dgram 0
0 sendto d ll
0 sendto d inet/ll
S

echo "# audit mode refuses nothing and tells the same"
confine_steps audit net <<'S'
0 socket a inet raw icmp
0 socket a packet raw 0
0 socket a inet stream 0
0 bind a 127.0.0.1:8010
0 listen a
0 socket a inet stream 0
0 connect a 127.0.0.1:7010
0 socket a inet dgram 0
0 sendto a 127.0.0.1:7010
0 sendto a 127.0.0.1:7000
S
for what in '"operation":"socket"' '"operation":"bind"' '"operation":"listen"' '"operation":"connect"' '"operation":"send"'; do
	t_event "audit: $what" '"policy":"audit"' '"verdict":"would_deny"' "$what" '"mode":"audit"'
done
t_no_event "audit: nothing is said to be denied" '"policy":"audit"' '"verdict":"denied"'
t_no_event "and the one that is allowed is not told" '"policy":"audit"' '"operation":"send"' '"port":7000'
kill "$server" "$policyd"
t_done
