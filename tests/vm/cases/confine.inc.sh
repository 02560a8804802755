# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2034 # some is for the cases
#
# For cases with several policies: one policyd for all of them, a cgroup for each. After lib.sh.
CONFINE_CGROUP=/sys/fs/cgroup/case
CONFINE_EVENTS=/var/log/policyd/events.jsonl

# NAME, the rest of the policy on standard input: for what runs in the cgroup NAME
confine_policy() {
	mkdir -p /etc/policyd/policies "$CONFINE_CGROUP/$1"
	{
		printf 'version: 1\nname: %s\nmatch: [{cgroup: /case/%s}]\n' "$1" "$1"
		cat
	} >"/etc/policyd/policies/$1.yaml"
}

# The file:line of the line that contains TEXT, as events give it
confine_line() { # NAME TEXT
	grep -nF -- "$2" "/etc/policyd/policies/$1.yaml" | head -n 1 |
		sed "s|^\([0-9]*\):.*|\"file\":\"/etc/policyd/policies/$1.yaml\",\"line\":\1|"
}

confine_ready() { policyctl status >/dev/null 2>&1 || [ $? = 1 ]; }
confine_started() { t_has_socket || ! kill -0 "$policyd"; }

# Starts policyd with the policies made so far; its number is in $policyd
confine_start() {
	rm -f "$CONFINE_EVENTS"
	t_before_socket
	policyd 2>policyd.log &
	policyd=$!
	if ! t_wait 120 confine_started || ! t_wait 10 confine_ready; then
		t_fail "policyd starts" "$(cat policyd.log)"
		t_done
	fi
}

# NAME COMMAND...: runs it confined by the policy NAME
confine() {
	confine_name=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'echo $$ >"$0" && exec "$@"' "$CONFINE_CGROUP/$confine_name/cgroup.procs" "$@"
}

# Tells what a tool with steps (see tests/vm/bin/steps.h) found, and that it told all of it
confine_told() { # FILE OUTPUT
	confine_want=$(grep -cv '^[[:space:]]*\(#\|- \|$\)' "$1")
	confine_passed=$(grep -c '^ok - ' "$2")
	confine_failed=$(grep -c '^not ok - ' "$2")
	cat "$2"
	T_PASSED=$((T_PASSED + confine_passed))
	T_FAILED=$((T_FAILED + confine_failed))
	[ "$confine_want" = $((confine_passed + confine_failed)) ] ||
		t_fail "all $confine_want steps are told" "only $((confine_passed + confine_failed)) were"
}

# NAME TOOL: steps on standard input, confined
confine_steps() {
	cat >steps.txt
	confine "$1" "/tests/bin/$2" "$1" <steps.txt >steps.out 2>&1
	confine_told steps.txt steps.out
}

# NAME TOOL: steps on standard input, not confined
free_steps() {
	cat >steps.txt
	"/tests/bin/$2" "$1" <steps.txt >steps.out 2>&1
	confine_told steps.txt steps.out
}

confine_find() { # PATTERN...: events with all of these strings
	cat "$CONFINE_EVENTS" >events.found 2>/dev/null
	for confine_pattern; do
		grep -F -- "$confine_pattern" events.found >events.next
		mv events.next events.found
	done
	[ -s events.found ]
}

# TEXT PATTERN...: there is such an event
t_event() {
	confine_text=$1
	shift
	if t_wait 4 confine_find "$@"; then
		t_ok "$confine_text"
	else
		confine_find "$1"
		t_fail "$confine_text" "no event with: $*
$(tail -n 3 events.found)"
	fi
}

# TEXT PATTERN...: there is none. After a t_event that comes later, so that there is nothing to wait for.
t_no_event() {
	confine_text=$1
	shift
	if confine_find "$@"; then t_fail "$confine_text" "$(tail -n 3 events.found)"; else t_ok "$confine_text"; fi
}
