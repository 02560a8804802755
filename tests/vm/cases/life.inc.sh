# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# For the cases about policyd's life: start it, hammer at it, count. Not a case itself: it is not executable.
# SOAK, by soak=N on the kernel's command line, multiplies how long the cases try.
# shellcheck disable=SC2034 # used by the cases
SOAK=$(sed -n 's/.*\bsoak=\([0-9]*\).*/\1/p' /proc/cmdline)
SOAK=${SOAK:-1}
PATH=$PATH:/tests/bin
policies=/etc/policyd/policies # and beside it what is not in force: $policies.not
events=/var/log/policyd/events.jsonl
socket=/run/policyd/policyd.sock

t_soon() { # SECONDS TEXT COMMAND...: it succeeds before they are over
	t_text=$2 t_seconds=$1
	shift 2
	if t_wait "$t_seconds" "$@"; then t_ok "$t_text"; else t_fail "$t_text" "$("$@" 2>&1; tail -n 5 log)"; fi
}

ready() { policyctl status >/dev/null 2>&1 || [ $? = 1 ]; }

start_policyd() { # [OPTIONS]: sets $daemon; POLICYD: another program than policyd
	t_before_socket
	"${POLICYD:-policyd}" "$@" 2>>log &
	daemon=$!
	t_wait 90 t_has_socket
	t_wait 30 ready || t_fail "policyd starts" "$(cat log)"
}

kill_policyd() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
}

# What hammer reaches for, and a policy that keeps it from it
prepare() { # and forget what a case before this one left
	rm -rf /etc/policyd /run/policyd /var/log/policyd
	mkdir -p $policies $policies.not
	echo secret >/secret
	echo twin >/twin
}

policy() { # FILE NAME [LINE...]: a policy for hammer; whatever else, /secret is denied
	policy_file=$1
	{
		printf 'version: 1\nname: %s\nmatch: [{exe: /tests/bin/hammer}]\n' "$2"
		echo 'default: {file: allow, exec: allow, socket: allow, capability: allow}'
		printf 'file:\n  - {deny: [read, write], path: /secret}\n'
		shift 2
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$policy_file.part"
	mv "$policy_file.part" "$policy_file"
}

hammer_on() { # COUNTERS PROCESSES: strikes for ever; sets $hammer
	rm -f "$1"
	hammer "$PWD/$1" /secret /twin "$2" &
	hammer=$!
	t_wait 30 struck "$1" 1 || t_fail "the hammer strikes"
}

strikes() { hammer read "$1" | cut -d ' ' -f 2; }
struck() { [ "$(strikes "$1")" -ge "$2" ]; }
goes_on() { # COUNTERS: it has struck again, a hundred times
	goal=$(($(strikes "$1") + 100))
	t_wait 60 struck "$1" $goal
}
no_escape() { # TEXT COUNTERS
	t_like "$1: no escape, and the twin is never refused" "attempts [1-9]* escaped 0 refused 0 other 0" "$(hammer read "$2")"
	echo "# $1: $(hammer read "$2")"
}
hammer_off() {
	kill -9 "$hammer" # the others die with it
	wait "$hammer" 2>/dev/null
}

once() { # 0: it was denied the one and not the other
	rm -f once
	hammer "$PWD/once" /secret /twin 1 1
}

# "generated lost suppressed delivered sink_lost" of a ring
ring() { # denials|notices
	policyctl status --json | sed "s/.*\"$1\":{\([^}]*\)}.*/\1/" | tr ',' '\n' | awk -F '[":]+' '
		{ n[$2] = $3 } END { print n["generated"], n["lost"], n["suppressed"], n["delivered"], n["sink_lost"] }'
}
settled() { # RING: every event has come to its end
	# shellcheck disable=SC2046 # five numbers
	set -- $(ring "$1")
	[ "$1" = $(($2 + $3 + $4 + $5)) ]
}
running() { # NAME: a regular expression for what a process may be called
	grep -qsx "$1" /proc/[0-9]*/comm
}
adds_up() { # TEXT RING
	if t_wait 30 settled "$2"; then
		t_ok "$1: every event is accounted for ($(ring "$2"))"
	else
		t_fail "$1: every event is accounted for" "generated lost suppressed delivered sink_lost: $(ring "$2")"
	fi
}
said() { grep -q "$1" log; } # by policyd
state() { policyctl status --json | sed 's/.*"state":"\([a-z]*\)".*/\1/'; }
