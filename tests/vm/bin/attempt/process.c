// SPDX-License-Identifier: GPL-2.0-or-later
/* A process changed, then CMD in it. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int length(char **a)
{
	int n = 0;

	while (a[n])
		n++;
	return n;
}

static int rest(char **a)
{
	return run(length(a), a);
}

static int do_in(char **a) /* DIR CMD... */
{
	return chdir(a[1]) < 0 ? -errno : rest(a + 2);
}

static int do_chroot(char **a) /* DIR CMD... */
{
	return chroot(a[1]) < 0 || chdir("/") < 0 ? -errno : rest(a + 2);
}

static int do_escape(char **a) /* DIR FLAGS NAME: NAME below the old root, from inside a chroot */
{
	int root = open("/", O_PATH | O_CLOEXEC);

	if (root < 0 || chroot(a[1]) < 0)
		return -errno;
	return result(openat(root, a[3], open_flags(a[2])));
}

static int do_unshare(char **a) /* mount|user|cgroup|pid CMD... */
{
	int flags = !strcmp(a[1], "mount") ? CLONE_NEWNS :
		    !strcmp(a[1], "user")  ? CLONE_NEWUSER :
		    !strcmp(a[1], "pid")   ? CLONE_NEWPID :
					     CLONE_NEWCGROUP;

	return unshare(flags) < 0 ? -errno : rest(a + 2);
}

static int do_setns(char **a) /* PATH CMD... */
{
	int fd = get("r", a[1]);

	return fd < 0 || setns(fd, 0) < 0 ? -errno : rest(a + 2);
}

static int child(char **a)
{
	int r = rest(a);
	/* 0, an error, or a program's status, in what an exit status can hold */
	return r <= 0 ? -r : r > EXITED && r < EXITED + 50 ? 200 + r - EXITED : 250;
}

static int from_child(int r)
{
	if (r > EXITED && r < EXITED + 200)
		return EXITED - r;
	return r > EXITED + 200 && r < EXITED + 250 ? r - 200 : r;
}

static int do_fork(char **a) /* CMD... */
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(a + 1));
	return from_child(wait_for(pid));
}

static int do_into(char **a) /* CGROUP CMD...: born there */
{
	int fd = open(a[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (unsigned int)fd };
	pid_t pid;

	if (fd < 0)
		return -errno;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(child(a + 2));
	return from_child(wait_for(pid));
}

struct job {
	char **argv;
	int result;
};

static void *job(void *context)
{
	struct job *j = context;

	j->result = rest(j->argv);
	return NULL;
}

static int do_thread(char **a) /* CMD... */
{
	struct job j = { .argv = a + 1 };
	pthread_t thread;
	int error = pthread_create(&thread, NULL, job, &j);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return j.result;
}

static int do_user(char **a) /* CMD...: as another user, who made the process dumpable */
{
	return setgid(1000) < 0 || setuid(1000) < 0 ? -errno : rest(a + 1);
}

static int do_deep(char **a) /* COUNT LENGTH CMD...: that many folders down */
{
	int count = atoi(a[1]), size = atoi(a[2]);
	char name[256] = "";

	memset(name, 'd', (size_t)size);
	for (int i = 0; i < count; i++)
		if (chdir(name) < 0)
			return -errno;
	return rest(a + 3);
}

static int do_dig(char **a) /* COUNT LENGTH: makes what "deep" goes down */
{
	int count = atoi(a[1]), size = atoi(a[2]);
	char name[256] = "";

	memset(name, 'd', (size_t)size);
	for (int i = 0; i < count; i++)
		if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
			return -errno;
	return 0;
}

const struct command process_commands[] = {
	{ "in", 2, do_in },	      { "chroot", 2, do_chroot }, { "escape", 3, do_escape },
	{ "unshare", 2, do_unshare }, { "setns", 2, do_setns },	  { "fork", 1, do_fork },
	{ "into", 2, do_into },	      { "thread", 1, do_thread }, { "deep", 3, do_deep },
	{ "dig", 2, do_dig },	      { "user", 1, do_user },	  { NULL, 0, NULL },
};
