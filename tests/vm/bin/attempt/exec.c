// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs, from files and from memory. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFSIGNALED(status))
		return SIGNALLED + WTERMSIG(status);
	return WEXITSTATUS(status) ? EXITED + WEXITSTATUS(status) : 0;
}

/* ---- whose hands are in it ------------------------------------------------------------------- */

static int sleep_for_ever(void *context)
{
	(void)context;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() != 1) /* else it has gone before that */
		pause();
	return 0;
}

static void *wait_for_ever(void *context)
{
	for (;;)
		pause();
	return context;
}

static int be_traced(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int share_root(void)
{
	static char stack[16384];

	return clone(sleep_for_ever, stack + sizeof(stack), CLONE_FS | CLONE_VM | SIGCHLD, NULL);
}

static int have_threads(void)
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, wait_for_ever, NULL);
}

static int be_supervised(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static int be_alone(void)
{
	return 0;
}

/* Who else has a hand in the process that is about to execute something */
static const struct hands {
	const char *name;
	int (*put)(void);
} all_hands[] = {
	{ "alone", be_alone },	     { "traced", be_traced },	      { "shared", share_root },
	{ "threads", have_threads }, { "supervised", be_supervised },
};

static const struct hands *hands = all_hands;

/* ---- execution ------------------------------------------------------------------------------- */

/* In a child, which writes errno into a pipe if it comes back. */
static int execute(int fd, const char *path, char **argv)
{
	int failed[2], error = 0, ended;
	pid_t pid;

	if (pipe2(failed, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		if (hands->put() < 0)
			_exit(97);
		if (fd >= 0)
			syscall(SYS_execveat, fd, path ? path : "", argv, environ,
				path ? 0 : AT_EMPTY_PATH);
		else
			execv(path, argv);
		error = errno;
		if (write(failed[1], &error, sizeof(error)) < 0)
			_exit(99);
		_exit(98);
	}
	close(failed[1]);
	if (read(failed[0], &error, sizeof(error)) < 0)
		error = EIO;
	close(failed[0]);
	ended = wait_for(pid);
	return error ? -error : ended;
}

static int copy_into(int to, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	while (st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

		if (n <= 0)
			return -errno;
		st.st_size -= n;
	}
	return 0;
}

static int do_exec(char **a) /* PROGRAM ARGS... */
{
	return execute(-1, a[1], a + 1);
}

static int do_handsexec(char **a) /* HANDS PROGRAM ARGS... */
{
	const size_t count = sizeof(all_hands) / sizeof(*all_hands);

	hands = NULL;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(all_hands[i].name, a[1]))
			hands = &all_hands[i];
	if (!hands)
		_exit(2);
	return execute(-1, a[2], a + 2);
}

#define AT_EXECVE_CHECK 0x10000

static int
do_execcheck(char **a) /* PROGRAM CMD...: asks whether it might execute PROGRAM, then does CMD */
{
	char *argv[] = { a[1], NULL };
	int n = 0;

	if (syscall(SYS_execveat, AT_FDCWD, a[1], argv, environ, AT_EXECVE_CHECK) < 0)
		return -errno;
	while (a[2 + n])
		n++;
	return run(n, a + 2);
}

static int do_fexec(char **a) /* FLAGS PROGRAM ARGS... */
{
	int fd = get(a[1], a[2]);

	if (fd >= 0) /* a script's interpreter has to find it again */
		fcntl(fd, F_SETFD, 0);
	return fd < 0 ? -errno : execute(fd, NULL, a + 2);
}

static int do_execdeleted(char **a) /* PROGRAM ARGS... */
{
	int fd = get("r", a[1]);

	if (fd < 0 || unlink(a[1]) < 0)
		return -errno;
	return execute(fd, NULL, a + 1);
}

static int do_execmemfd(char **a) /* NAME PROGRAM ARGS...: a copy of it in memory */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC), copied;

	if (fd < 0)
		return -errno;
	copied = copy_into(fd, a[2]);
	if (!copied) {
		int readable = again(fd, O_RDONLY); /* ETXTBSY while it can be written */

		close(fd);
		fd = readable;
	}
	return copied ? copied : fd < 0 ? -errno : execute(fd, NULL, a + 2);
}

static int do_mapmemfd(char **a) /* NAME */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -errno;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED ? -errno :
											  0;
}

static int do_secure(char **a)
{
	(void)a;
	return getauxval(AT_SECURE) ? SECURE : 0;
}

const struct command exec_commands[] = {
	{ "exec", 1, do_exec },
	{ "handsexec", 2, do_handsexec },
	{ "execcheck", 2, do_execcheck },
	{ "fexec", 2, do_fexec },
	{ "execdeleted", 1, do_execdeleted },
	{ "execmemfd", 2, do_execmemfd },
	{ "mapmemfd", 1, do_mapmemfd },
	{ "secure", 0, do_secure },
	{ NULL, 0, NULL },
};
