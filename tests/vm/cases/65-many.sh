#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# kernels: one
#
# A hundred policies of fifty rules: what policyd needs while it waits stays below 10 MB.
. /tests/lib.sh
. /tests/cases/life.inc.sh

POLICIES=100 RULES=50
MOST=10000 # kB, of /proc/PID/status

prepare
# Of fifty rules 24 deny, 2 are audited, 9 are about sockets: allows leave no trace in what has to be kept
# for events, the others do.
awk -v policies=$POLICIES 'BEGIN {
	for (p = 1; p <= policies; p++) {
		file = "/etc/policyd/policies/p" p ".yaml"
		printf "version: 1\nname: p%d\ndescription: service number %d of many\n", p, p >file
		printf "match: [{cgroup: \"/many/p%d\"}]\ndefault: deny\nexec:\n", p >file
		print "  - {allow: \"/**\"}" >file
		printf "  - {deny: [\"/usr/bin/{gcc,cc}\", \"/opt/app%d/tools/**\"]}\n", p >file
		printf "  - {deny: \"/srv/app%d/upload/**\", quiet: true}\n", p >file
		print "capability:\n  - {allow: [net_bind_service, setuid, setgid]}\n  - {deny: sys_admin, quiet: true}\nsocket:" >file
		printf "  - {allow: [bind, listen, accept], protocol: tcp, port: [%d, %d-%d]}\n", 8000 + p, 20000 + p, 20100 + p >file
		printf "  - {allow: connect, to: [\"10.%d.0.0/16:5432\", \"[2001:db8:%d::]/48:443\"]}\n", p, p >file
		printf "  - {allow: connect, unix: [\"/run/app%d/*.sock\", \"@app%d-*\"], audit: true}\n", p, p >file
		for (r = 1; r <= 6; r++)
			printf "  - {deny: connect, to: \"10.%d.%d.0/24:1-1023\"}\n", p, r >file
		print "file:\n  - {deny: [read, write], path: /secret}" >file
		printf "  - {allow: [read, lock], path: \"/srv/app%d/keys/*.pem\", audit: true}\n", p >file
		for (r = 1; r <= 20; r++)
			printf "  - {allow: [read, write], path: \"/srv/app%d/%s%d/**/*.%s\"}\n", p, r % 2 ? "data" : "log", r, r % 3 ? "txt" : "db" >file
		for (r = 1; r <= 14; r++)
			printf "  - {deny: [%s], path: \"/srv/app%d/%s%d/**/%s%d*\"}\n", r % 2 ? "write, create, delete" : "read", p, r % 2 ? "data" : "log", r, r % 3 ? "secret" : ".private", p >file
		close(file)
	}
}'
t_is "rules" $((POLICIES * RULES)) "$(grep -hcE "^  - " /etc/policyd/policies/*.yaml | awk '{n += $1} END {print n}')"
echo '  - {allow: read, path: ["/tests/**", /twin, "/tmp/**"]}' >>/etc/policyd/policies/p77.yaml
start_policyd
resident() { awk '/VmRSS/ {print $2}' "/proc/${daemon:-0}/status"; }
parts() { awk '/^(VmRSS|RssAnon|RssFile|RssShmem|VmHWM)/ {printf "%s %s kB, ", $1, $2}' "/proc/$daemon/status"; }
t_is "$POLICIES policies" $POLICIES "$(policyctl status --json | sed 's/.*"policies":\([0-9]*\).*/\1/')"
sleep 1
echo "# after the start: $(parts)"
t_allowed "after the start: below $MOST kB" test "$(resident)" -lt $MOST
in_77() { sh -c 'mkdir -p /sys/fs/cgroup/many/p77; echo 0 >/sys/fs/cgroup/many/p77/cgroup.procs; exec "$@"' sh "$@"; }
t_denied "one of them is in force" in_77 cat /secret
t_allowed "and allows what it allows" in_77 cat /twin
for i in 1 2 3 4 5; do
	printf '  - {deny: read, path: /srv/more%d}\n' $i >>/etc/policyd/policies/p1.yaml
	policyctl load >/dev/null || t_fail "reload $i"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
	in_77 find /srv /etc /usr/share >/dev/null 2>&1
	policyctl status >/dev/null
done
sleep 1
echo "# after reloads and events: $(parts)$(policyctl status | sed -n 's/^image *//p; s/^memory *//p' | tr '\n' ' ')"
t_allowed "after reloads and events: below $MOST kB" test "$(resident)" -lt $MOST
t_denied "and in force" in_77 cat /secret
adds_up "of all those" denials
t_allowed "detach" policyctl detach
rmdir /sys/fs/cgroup/many/p77 /sys/fs/cgroup/many
t_done
