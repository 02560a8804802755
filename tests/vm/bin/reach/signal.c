// SPDX-License-Identifier: GPL-2.0-or-later
/* What ends or wakes other processes: signals of all kinds, and a limit. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* PID SIGNAL */
static int do_kill(char **w)
{
	int r = step_result(kill(pid_of(w[0]), atoi(w[1])));

	child_done();
	return r;
}

static int do_killpg(char **w)
{
	return step_result(kill(-getpgid(pid_of(w[0])), atoi(w[1])));
}

static int do_tgkill(char **w)
{
	pid_t pid = pid_of(w[0]);
	int r = step_result(syscall(SYS_tgkill, pid, pid, atoi(w[1])));

	child_done();
	return r;
}

static int do_tkill(char **w)
{
	int r = step_result(syscall(SYS_tkill, pid_of(w[0]), atoi(w[1])));

	child_done();
	return r;
}

static int do_sigqueue(char **w)
{
	union sigval value = { 0 };
	int r = step_result(sigqueue(pid_of(w[0]), atoi(w[1]), value));

	child_done();
	return r;
}

static int do_pidfd_kill(char **w)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid_of(w[0]), 0), r;

	if (pidfd < 0)
		return -errno;
	r = step_result(syscall(SYS_pidfd_send_signal, pidfd, atoi(w[1]), NULL, 0));
	close(pidfd);
	child_done();
	return r;
}

/* Sends data to a socket whose owner then gets the signal */
static int rouse(int fds[2], int signal_number)
{
	int r = 0;

	if (signal_number)
		r = step_result(fcntl(fds[0], F_SETSIG, signal_number));
	if (!r)
		r = step_result(fcntl(fds[0], F_SETFL, O_ASYNC));
	if (!r && write(fds[1], "x", 1) != 1)
		r = -errno;
	close(fds[0]);
	close(fds[1]);
	return r;
}

/* HOW PID [SIGNAL]: HOW is setown, setown_ex, fiosetown, siocspgrp, setown_group */
static int do_sigio(char **w)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID };
	int fds[2], r, pid = pid_of(w[1]);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	owner.pid = pid;
	if (!strcmp(w[0], "setown"))
		r = step_result(fcntl(fds[0], F_SETOWN, pid));
	else if (!strcmp(w[0], "setown_group"))
		r = step_result(fcntl(fds[0], F_SETOWN, -getpgid(pid)));
	else if (!strcmp(w[0], "setown_ex"))
		r = step_result(fcntl(fds[0], F_SETOWN_EX, &owner));
	else
		r = step_result(
			ioctl(fds[0], !strcmp(w[0], "fiosetown") ? FIOSETOWN : SIOCSPGRP, &pid));
	if (!r)
		r = rouse(fds, w[2] ? atoi(w[2]) : 0);
	child_done();
	return r;
}

/* Do our own signals of this kind reach us? */
static volatile sig_atomic_t roused;

static void on_rouse(int signal_number)
{
	(void)signal_number;
	roused = 1;
}

static int do_sigio_own(char **w)
{
	int fds[2], r;

	(void)w;
	signal(SIGIO, on_rouse);
	roused = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	r = step_result(fcntl(fds[0], F_SETOWN, getpid()));
	if (!r)
		r = rouse(fds, 0);
	signal(SIGIO, SIG_DFL);
	return r ? r : roused ? 0 : -ENODATA;
}

/* PID: a processor time limit that would soon kill it */
static int do_prlimit(char **w)
{
	struct rlimit limit = { 3600, 3600 };
	int r = step_result(prlimit(pid_of(w[0]), RLIMIT_CPU, &limit, NULL));

	child_done();
	return r;
}

const struct step_command signal_commands[] = {
	{ "kill", 2, do_kill },		{ "killpg", 2, do_killpg },
	{ "tgkill", 2, do_tgkill },	{ "tkill", 2, do_tkill },
	{ "sigqueue", 2, do_sigqueue }, { "pidfd_kill", 2, do_pidfd_kill },
	{ "sigio", 2, do_sigio },	{ "sigio_own", 0, do_sigio_own },
	{ "prlimit", 1, do_prlimit },	{ NULL, 0, NULL },
};
