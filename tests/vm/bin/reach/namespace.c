// SPDX-License-Identifier: GPL-2.0-or-later
/* Namespaces, made and entered. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int namespace_flag(const char *name)
{
	if (!strcmp(name, "user"))
		return CLONE_NEWUSER;
	if (!strcmp(name, "mnt"))
		return CLONE_NEWNS;
	return strcmp(name, "pid") ? CLONE_NEWUTS : CLONE_NEWPID;
}

static int unshare_one(char **w)
{
	return step_result(unshare(namespace_flag(w[0])));
}

static int do_unshare(char **w)
{
	return apart(unshare_one, w);
}

static int do_clone(char **w)
{
	long pid = syscall(SYS_clone, namespace_flag(w[0]) | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(0);
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int setns_one(char **w)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid_of(w[0]), w[1]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : step_result(setns(fd, 0));
}

/* PID mnt|user|... */
static int do_setns(char **w)
{
	return apart(setns_one, w);
}

const struct step_command namespace_commands[] = {
	{ "unshare", 1, do_unshare },
	{ "clone", 1, do_clone },
	{ "setns", 2, do_setns },
	{ NULL, 0, NULL },
};
