# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# For the cases: ". /tests/lib.sh" first, t_done last. A case is run by tests/vm/suite in a guest as
# root, in a folder and a cgroup of its own; whatever it starts is killed when it ends. Comments in
# its head choose the guest: "# root: debian" (else busybox), "# init: systemd", "# cmdline: ...",
# "# processors: at once" (else in turns), and "# timeout: SECONDS" (else 180). "# kernels: one": in
# "make test" on one kernel only.
T_PASSED=0 T_FAILED=0 T_SKIPPED=0
T_FIRST=$(grep -o "t\.first" /proc/cmdline) # for tests/vm/mutate: the first failure ends the case

t_ok() { # TEXT
	T_PASSED=$((T_PASSED + 1))
	echo "ok - $1"
}

t_fail() { # TEXT [DETAILS]: details are shown below it
	T_FAILED=$((T_FAILED + 1))
	echo "not ok - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
	[ -z "$T_FIRST" ] || exit 1
}

t_skip() { # TEXT: what could not be tried, and why
	T_SKIPPED=$((T_SKIPPED + 1))
	echo "skip - $1"
}

t_allowed() { # TEXT COMMAND...: it succeeds
	t_text=$1
	shift
	if t_out=$("$@" 2>&1); then t_ok "$t_text"; else t_fail "$t_text" "status $?: $* -> $t_out"; fi
}

t_denied() { # TEXT COMMAND...: it fails, and says EACCES or EPERM
	t_text=$1
	shift
	if t_out=$("$@" 2>&1); then
		t_fail "$t_text" "succeeded: $* -> $t_out"
		return
	fi
	case $t_out in
	*"Permission denied"* | *"Operation not permitted"*) t_ok "$t_text" ;;
	*) t_fail "$t_text" "failed for another reason: $* -> $t_out" ;;
	esac
}

t_is() { # TEXT EXPECTED GOT
	if [ "$2" = "$3" ]; then t_ok "$1"; else t_fail "$1" "expected: $2
got:      $3"; fi
}

t_like() { # TEXT PATTERN GOT: a pattern of the shell
	# shellcheck disable=SC2254 # it is a pattern
	case $3 in $2) t_ok "$1" ;; *) t_fail "$1" "expected: $2
got:      $3" ;; esac
}

t_wait() { # SECONDS COMMAND...: until it succeeds; fails when thrice the time is over, as guests share processors
	t_until=$(($(date +%s) + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le $t_until ] || return 1
		sleep 0.2
	done
}

# In front of a policyd that is started, and then: has it made its socket? To ask by policyctl takes longer, and
# keeps it from starting.
T_SOCKET=/run/policyd/policyd.sock
t_before_socket() { t_socket=$(stat -c %i $T_SOCKET 2>/dev/null); }
t_has_socket() { [ -S $T_SOCKET ] && [ "$(stat -c %i $T_SOCKET)" != "$t_socket" ]; }

# Before kernel.ftrace_enabled is written: a kernel that is still taking programs off, those of the case
# before, would give tracing up for good.
t_untraced() {
	t_traced() { [ -n "$(cat /sys/kernel/tracing/enabled_functions)" ]; }
	t_until=$(($(date +%s) + 60))
	while t_traced; do
		[ "$(date +%s)" -le $t_until ] || { t_fail "nothing is traced"; break; }
		sleep 0.2
	done
}

t_done() { # ends the case
	[ "$T_FAILED" = 0 ] && [ $((T_PASSED + T_SKIPPED)) -gt 0 ]
	exit
}
