#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demonstration itself, called by tools/demo here or in a microVM, as root: Debian's nginx serves a
# page, first free, then under policies/nginx.yaml, and each time "someone who has taken it over"
# (demo-attack.so, inside its master process) tries things. Fails when an attack works that must
# not, when one does not work without the policy (it would prove nothing), or the page is not served.
set -euo pipefail

attack=${DEMO_ATTACK:-/tests/demo-attack.so}
policyd=${DEMO_POLICYD_PROGRAM:-/usr/sbin/policyd}
policyctl=${DEMO_POLICYCTL:-/usr/bin/policyctl}
policy=${DEMO_POLICY:-/usr/share/policyd/policies/nginx.yaml}
module=/usr/share/nginx/modules/policyd-demo-attack.so
tmp=$(mktemp -d)
config=$tmp/policyd.yaml events=$tmp/events.jsonl
failed=0 nginx_pid='' policyd_pid=''
placed=()

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	exec 7>&- 8<&- || true
	[ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true
	[ -z "$policyd_pid" ] || "$policyctl" -c "$config" detach 2>/dev/null || true
	rm -rf "$tmp" "${placed[@]}"
}
trap cleanup EXIT

title() { printf '\n== %s\n' "$*"; }

fail() {
	printf '   FAILED: %s\n' "$*"
	failed=1
}

start_nginx() {
	rm -f "$tmp/order" "$tmp/report"
	mkfifo "$tmp/order" "$tmp/report"
	exec 7<>"$tmp/order" 8<>"$tmp/report"
	DEMO_POLICYD=$policyd_pid LD_PRELOAD=$module /usr/sbin/nginx -g 'daemon off;' \
		<"$tmp/order" >"$tmp/report" 2>"$tmp/nginx.log" &
	nginx_pid=$!
}

stop_nginx() {
	exec 7>&- 8<&-
	kill "$nginx_pid" 2>/dev/null || true
	wait "$nginx_pid" 2>/dev/null || true
	nginx_pid=''
}

fetch_page() {
	local page=''
	for _ in {1..100}; do
		page=$(curl -s --max-time 5 http://127.0.0.1/ || true)
		[ -z "$page" ] || break
		sleep 0.1
	done
	if [[ $page == *"<title>"* ]]; then
		echo "   curl http://127.0.0.1/: $(grep -o '<title>.*</title>' <<<"$page")"
	else
		fail "no page is served"
		cat "$tmp/nginx.log"
	fi
}

attack() { # refused|worked: what must happen to each
	local outcome name
	echo go >&7
	while read -r -t 60 outcome name <&8; do
		[ "$outcome" != end ] || return 0
		if [ "$outcome" = "$1" ]; then
			printf '   %-34s %s\n' "$name" "$outcome"
		elif [ "$1" = refused ]; then
			printf '   %-34s NOT REFUSED\n' "$name"
			failed=1
		else
			printf '   %-34s %s, though nothing confines it\n' "$name" "$outcome"
			failed=1
		fi
	done
	fail "nginx has stopped answering"
}

# What is the machine's own, policies and events, is none of the demonstration's.
mkdir -p "$tmp/policies" "${module%/*}" /var/www/html
cp "$policy" "$tmp/policies/nginx.yaml"
cat >"$config" <<E
policy_dirs: [$tmp/policies]
include_dirs: [${policy%/*}/include]
events: {file: {path: $events}}
E
if [ ! -e "$module" ]; then placed+=("$module"); fi
cp "$attack" "$module"
if [ -z "$(ls /var/www/html)" ]; then
	echo '<html><title>It works</title></html>' >/var/www/html/index.html
	placed+=(/var/www/html/index.html)
fi

title "nginx without a policy, and someone who has taken it over"
start_nginx
fetch_page
attack worked
stop_nginx

title "the same under $(basename "$policy"): everything is denied that it does not allow"
"$policyctl" -c "$config" check "$tmp/policies/nginx.yaml" | sed 's/^/   /'
"$policyd" -c "$config" 2>"$tmp/policyd.log" &
policyd_pid=$!
for _ in {1..300}; do
	! "$policyctl" -c "$config" status >/dev/null 2>&1 || break
	kill -0 "$policyd_pid" 2>/dev/null || break
	sleep 0.1
done
if ! "$policyctl" -c "$config" status >"$tmp/status" 2>&1; then
	cat "$tmp/policyd.log" "$tmp/status"
	policyd_pid=''
	exit 1
fi
head -n 1 "$tmp/status" | sed 's/^/   /'
start_nginx
fetch_page
attack refused
fetch_page
stop_nginx

title "what policyd says about it (policyctl events)"
"$policyctl" -c "$config" events -n 100 --verdict denied | tee "$tmp/events" | sed 's/^/   /'
[ -s "$tmp/events" ] || fail "there are no events"
grep -q 'nginx\.yaml:[0-9]' "$tmp/events" || fail "no event names the line that decided"

title "one of them explained (policyctl explain)"
"$policyctl" -c "$config" events -n 1000 --json --path /etc/shadow >"$tmp/shadow"
if [ -s "$tmp/shadow" ]; then
	tail -n 1 "$tmp/shadow" | "$policyctl" -c "$config" explain - | sed 's/^/   /'
else
	fail "the attempt on /etc/shadow has left no event"
fi

if [ "$failed" = 0 ]; then
	title "nginx did its work, and each attack was refused"
else
	title "FAILED, see above"
fi
exit "$failed"
