#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# root: debian
# timeout: 900
# kernels: one
#
# policies/audit-all.yaml refuses nothing, neither work nor escapes, and reports all of it.
. /tests/cases/servers.inc.sh

script=/tests/cases/baseline.inc.sh
chmod +x $script
$script world
cat >both <<-B
	#!/bin/sh
	$script work
	$script escapes
	cat /etc/shadow >/dev/null && exit 7
B
chmod +x both

policyctl run --json --policy /usr/share/policyd/policies/audit-all.yaml -- ./both >told 2>run.events
t_is "the command's status" 7 $?
t_is "everything works" "" "$(grep -v '^done\|^worked' told)"
t_is "and was tried" "$(grep -c '^[[:space:]]*\(work\|escape\) "' $script)" "$(wc -l <told)"
t_is "nothing was denied" "" "$(grep '"verdict":"denied"' run.events | cut -c 1-600)"
while IFS='|' read -r class operation object; do
	if grep '"verdict":"would_deny"' run.events | grep "\"class\":\"$class\",\"operation\":\"$operation\"" |
		grep -q "\"object\":{[^}]*$object"; then
		t_ok "reported: $class $operation $object"
	else
		t_fail "reported: $class $operation $object" "$(tail -n 3 run.events)"
	fi
done <<'L'
exec|exec|"path":"/usr/sbin/nginx"
file|open|"path":"/etc/shadow"
file|open|"path":"/var/www/html/index.nginx-debian.html"
socket|bind|"port":80
socket|connect|"address":"127.0.0.1","port":80
capability|capable|"capability":"sys_time"
guard|guard|"guard":"mount"
guard|guard|"guard":"bpf"
L
t_done
