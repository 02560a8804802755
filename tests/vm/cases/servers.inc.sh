# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# For the cases that run Debian's servers under the shipped policies: a daemon with some of them, its
# events, and attacks that are tried twice: refused under enforce, working under audit.
. /tests/lib.sh

events=/var/log/policyd/events.jsonl

daemon=
s_soon() { t_wait 20 "$@"; } # COMMAND...: it succeeds, on however slow a machine

s_page() { # PORT PATH: of a server of this machine, as curl -f gives it, whose start alone takes a second
	printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" | nc -w 20 127.0.0.1 "$1" >reply
	read -r s_status <reply && case $s_status in *' 200 '*) sed '1,/^\r$/d' reply ;; *) false ;; esac
}

s_ready() { policyctl status >/dev/null 2>&1; }

s_start_daemon() { # starts policyd, in $daemon
	t_before_socket
	policyd >>policyd.log 2>&1 &
	# shellcheck disable=SC2034 # for the cases
	daemon=$!
	t_wait 90 t_has_socket
	t_wait 30 s_ready || t_fail "policyd starts" "$(cat policyd.log)"
}

s_start() { # POLICY...: policyd with these shipped policies, and nothing of other cases
	rm -rf /etc/policyd/policies /var/log/policyd
	mkdir -p /etc/policyd/policies
	for s_name; do cp "/usr/share/policyd/policies/$s_name.yaml" /etc/policyd/policies/; done
	s_start_daemon
	s_mark
}

s_mark() { s_from=$(($(wc -l <$events) + 1)); } # events count from here on

s_since() { tail -n "+$s_from" $events; }

# All that the kernel has generated until now has come to its end, most of it in the file.
s_settled() {
	policyctl status --json >status.json
	sed 's/.*"denials":{\([^}]*\)}.*/\1/' status.json | tr ',' '\n' | awk -F '[":]+' '
		{ n[$2] = $3 } END { exit n["generated"] != n["lost"] + n["suppressed"] + n["delivered"] + n["sink_lost"] }'
}

s_short() { # [VERDICT]: denials as "PROGRAM CLASS OPERATION OBJECT"
	grep "\"verdict\":\"${1:-denied}\"" | sed 's/.*"mode":"[a-z]*","class":"\([^"]*\)","operation":"\([^"]*\)".*"object":\({[^}]*}\).*"comm":"\([^"]*\)".*/\4 \1 \2 \3/'
}

s_no_denials() { # TEXT: since the last mark; those there are are shown
	s_soon s_settled || t_fail "events are delivered" "$(cat status.json)"
	s_found=$(s_since | grep '"verdict":"denied"')
	if [ -z "$s_found" ]; then t_ok "$1"; else t_fail "$1" "$s_found"; fi
}

s_event() { # VERDICT POLICY CLASS OPERATION OBJECT: there is one; OBJECT is a pattern of grep
	s_since | grep "\"verdict\":\"$1\"" | grep "\"class\":\"$3\",\"operation\":\"$4\"" |
		grep -e "\"object\":{[^}]*$5" | grep "\"policy\":\"$2\",\"\(rule\|default\)\":{"
}

# One attack a line: FUNCTION|CLASS|OPERATION|OBJECT|TEXT. The function succeeds when the attack does.
s_refused() { # POLICY, attacks on standard input: each fails, and an event says that it was policyd
	while IFS='|' read -r s_attack s_class s_operation s_object s_text; do
		s_mark
		if s_output=$($s_attack 2>&1); then
			t_fail "refused: $s_text" "it worked: $s_output"
		elif s_soon s_event denied "$1" "$s_class" "$s_operation" "$s_object"; then
			t_ok "refused: $s_text"
		else
			t_fail "refused: $s_text" "$s_output
there is no event: $1 $s_class $s_operation $s_object, but
$(s_since | s_short)"
		fi
	done
}

s_works() { # POLICY, attacks on standard input: each works, and an event tells what enforcement would do
	while IFS='|' read -r s_attack s_class s_operation s_object s_text; do
		s_mark
		if ! s_output=$($s_attack 2>&1); then
			t_fail "works in audit mode: $s_text" "$s_output"
		elif s_soon s_event would_deny "$1" "$s_class" "$s_operation" "$s_object"; then
			t_ok "works in audit mode: $s_text"
		else
			t_fail "works in audit mode: $s_text" "there is no event: $1 $s_class $s_operation $s_object, but
$(s_since | s_short would_deny)"
		fi
	done
}

s_twice() { # POLICY, attacks on standard input: refused, and working once the policy is in audit mode
	cat >attacks
	s_refused "$1" <attacks
	t_allowed "$1: audit mode" policyctl mode "$1" audit
	s_works "$1" <attacks
	t_allowed "$1: enforced again" policyctl mode "$1" enforce
}
