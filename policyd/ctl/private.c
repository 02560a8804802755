/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"

#define RUNS_FOLDER CGROUP_ROOT "/policyd.run"

char *policyd_path(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *beside;

	if (n > 0) {
		self[n] = '\0';
		*(strrchr(self, '/') + 1) = '\0';
		beside = string_format("%spolicyd", self);
		if (beside && access(beside, X_OK) == 0)
			return beside;
		free(beside);
	}
	return strdup("/usr/sbin/policyd");
}

static void exec_private(const char *path, const char *config_path, int fd)
{
	char number[16];
	sigset_t none;
	int copy = dup(fd); /* without close-on-exec */

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(number, sizeof(number), "%d", copy);
	execl(path, "policyd", "--config", config_path, "--private", number, (char *)NULL);
	dprintf(STDERR_FILENO, "policyctl: %s: %s\n", path, strerror(errno));
	_exit(127);
}

int private_start(const char *config_path, struct client **ret_client, pid_t *ret_pid,
		  struct pd_error *error)
{
	CLEANUP_FREE char *path = policyd_path();
	struct client *client;
	int pair[2];
	pid_t pid;

	if (!path)
		return error_set(error, -ENOMEM, "out of memory");
	if (geteuid() != 0)
		return error_set(error, -EPERM,
				 "policyd is not running, and only root can start one");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(error, -errno, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		exec_private(path, config_path, pair[1]);
	fd_close(pair[1]);
	if (pid < 0) {
		fd_close(pair[0]);
		return error_set(error, -errno, "fork: %s", strerror(errno));
	}
	client = client_new(pair[0]);
	if (!client)
		return error_set(error, -ENOMEM, "out of memory");
	*ret_client = client;
	*ret_pid = pid;
	return 0;
}

int run_cgroup_new(char **ret_path, struct pd_error *error)
{
	unsigned int number = 0;
	int r = cgroup_check_v2(error);

	if (r)
		return r;
	/* Another runner may remove the empty folder between our two calls. */
	for (unsigned int attempt = 0; attempt < 16; attempt++) {
		char *path;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return error_set(error, -EIO, "getrandom: %s", strerror(errno));
		path = string_format(RUNS_FOLDER "/%d-%08x", (int)getpid(), number);
		if (!path)
			return error_set(error, -ENOMEM, "out of memory");
		if ((mkdir(RUNS_FOLDER, 0755) == 0 || errno == EEXIST) && mkdir(path, 0755) == 0) {
			*ret_path = path;
			return 0;
		}
		r = -errno;
		free(path);
		if (r != -ENOENT && r != -EEXIST)
			break;
	}
	return error_set(error, r, RUNS_FOLDER ": %s%s", strerror(-r),
			 r == -EACCES || r == -EPERM ? "; this needs root" : "");
}

static void wait_until_empty(const char *path)
{
	CLEANUP_FREE char *file = string_format("%s/cgroup.events", path);
	CLEANUP_FD int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	struct pollfd pollfd = { .fd = fd, .events = POLLPRI };

	while (cgroup_populated(path) == 1) {
		char text[256];

		/* Reading arms the notification; the timeout is for what happened in between. */
		if (pread(fd, text, sizeof(text), 0) < 0)
			return;
		poll(&pollfd, 1, 100);
	}
}

void run_cgroup_end(const char *path)
{
	if (access(path, F_OK) == 0) {
		cgroup_kill(path);
		wait_until_empty(path);
		cgroup_remove(path);
	}
	rmdir(RUNS_FOLDER); /* unless another command has its group there */
}

/* Only what is needed: a socket or pipe kept open here would hide that its owner is gone. */
static void close_others(const int *kept, size_t count, const int pidfds[2])
{
	int last = pidfds[0] > pidfds[1] ? pidfds[0] : pidfds[1];

	for (size_t i = 0; i < count; i++)
		last = kept[i] > last ? kept[i] : last;
	for (int fd = 0; fd < last; fd++) {
		bool needed = fd == pidfds[0] || fd == pidfds[1];

		for (size_t i = 0; !needed && i < count; i++)
			needed = kept[i] == fd;
		if (!needed)
			close(fd);
	}
	close_range((unsigned int)last + 1, ~0u, 0);
}

static void guardian_main(const int pidfds[2], const char *cgroup)
{
	sigset_t all;

	/* The terminal's signals are for the command; SIGKILL ends us. */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "policyctl-guard");
	for (int i = 0; i < 2; i++) {
		struct pollfd pollfd = { .fd = pidfds[i], .events = POLLIN };

		while (poll(&pollfd, 1, -1) < 1)
			;
	}
	run_cgroup_end(cgroup);
	_exit(0);
}

pid_t guardian_start(const struct client *client, pid_t private_pid, const char *cgroup,
		     struct pd_error *error)
{
	const int pidfds[2] = { (int)syscall(SYS_pidfd_open, getpid(), 0),
				(int)syscall(SYS_pidfd_open, private_pid, 0) };
	size_t count;
	const int *kept = client_kept(client, &count);
	pid_t pid = pidfds[0] < 0 || pidfds[1] < 0 ? -1 : fork();
	int r = -errno;

	if (pid == 0) {
		close_others(kept, count, pidfds);
		guardian_main(pidfds, cgroup);
	}
	fd_close(pidfds[0]);
	fd_close(pidfds[1]);
	return pid < 0 ? error_set(error, r, "the guardian cannot be started: %s", strerror(-r)) :
			 pid;
}

void guardian_end(pid_t guardian)
{
	if (guardian <= 0)
		return;
	kill(guardian, SIGKILL);
	while (waitpid(guardian, NULL, 0) < 0 && errno == EINTR)
		;
}
