#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# A hundred policies of fifty rules: what policyd needs while it waits stays below 10 MB.
. /tests/lib.sh
. /tests/cases/life.inc.sh

POLICIES=100 RULES=50
MOST=10000 # kB, of /proc/PID/status

prepare
awk -v policies=$POLICIES -v rules=$RULES 'BEGIN {
	for (p = 1; p <= policies; p++) {
		file = "/etc/policyd/policies/p" p ".yaml"
		printf "version: 1\nname: p%d\nmatch: [{cgroup: \"/many/p%d\"}]\n", p, p >file
		print "default: deny\nexec: [{allow: \"/**\"}]\nfile:" >file
		print "  - {deny: [read, write], path: /secret}" >file
		for (r = 3; r <= rules; r++)
			printf "  - {allow: [read, write], path: \"/srv/app%d/%s%d/**/*.%s\"}\n", p, r % 2 ? "data" : "log", r, r % 3 ? "txt" : "db" >file
		close(file)
	}
}'
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
