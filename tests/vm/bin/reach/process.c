// SPDX-License-Identifier: GPL-2.0-or-later
/* Other processes: which one a step means; ptrace, their memory, their descriptors, /proc. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- which process, and one for a step ------------------------------------------------------- */

static pid_t child_made;

static void pause_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

pid_t pid_of(const char *text)
{
	char number[32] = "";
	FILE *file;

	if (!strcmp(text, "self"))
		return getpid();
	if (!strcmp(text, "parent"))
		return getppid();
	if (!strcmp(text, "child")) {
		child_made = fork();
		if (child_made == 0)
			pause_for_ever();
		return child_made;
	}
	if (text[0] != '@')
		return atoi(text);
	file = fopen(text + 1, "re");
	if (!file || !fgets(number, sizeof(number), file))
		exit(3);
	fclose(file);
	return atoi(number);
}

void child_done(void)
{
	if (child_made <= 0)
		return;
	kill(child_made, SIGKILL);
	waitpid(child_made, NULL, 0);
	child_made = 0;
}

int apart(int (*run)(char **), char **w)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-run(w));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* ---- into it --------------------------------------------------------------------------------- */

static int do_attach(char **w)
{
	pid_t pid = pid_of(w[0]);
	int r = step_result(ptrace(PTRACE_ATTACH, pid, NULL, NULL));

	if (!r) {
		waitpid(pid, NULL, 0);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	child_done();
	return r;
}

static int do_seize(char **w)
{
	int r = step_result(ptrace(PTRACE_SEIZE, pid_of(w[0]), NULL, NULL));

	child_done();
	return r;
}

static int traceme(char **w)
{
	(void)w;
	return step_result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int do_traceme_child(char **w)
{
	return apart(traceme, w);
}

static int transfer(char **w, ssize_t (*move)(pid_t, const struct iovec *, unsigned long,
					      const struct iovec *, unsigned long, unsigned long))
{
	static long data;
	struct iovec local = { &data, sizeof(data) };
	int r = step_result(move(pid_of(w[0]), &local, 1, &local, 1, 0));

	child_done();
	return r;
}

static int do_vm_read(char **w)
{
	int r = transfer(w, process_vm_readv);

	return r == -EFAULT ? 0 : r; /* it was let in, and is another program */
}

static int do_vm_write(char **w)
{
	int r = transfer(w, process_vm_writev);

	return r == -EFAULT ? 0 : r;
}

/* PID FILE [w]: opens /proc/PID/FILE */
static int do_proc(char **w)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid_of(w[0]), w[1]);
	r = close_result(open(path, (w[2] ? O_RDWR : O_RDONLY) | O_CLOEXEC));
	child_done();
	return r;
}

static int do_pidfd_getfd(char **w)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid_of(w[0]), 0), r;

	if (pidfd < 0)
		return -errno;
	r = close_result(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	close(pidfd);
	child_done();
	return r;
}

static int do_kcmp(char **w)
{
	int r = step_result(syscall(SYS_kcmp, getpid(), pid_of(w[0]), 1, 0, 0));

	child_done();
	return r;
}

static int do_set_mm(char **w)
{
	(void)w;
	return step_result(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0)) == -EPERM ? -EPERM : 0;
}

const struct step_command process_commands[] = {
	{ "attach", 1, do_attach },
	{ "seize", 1, do_seize },
	{ "traceme", 0, traceme },
	{ "traceme_child", 0, do_traceme_child },
	{ "vm_read", 1, do_vm_read },
	{ "vm_write", 1, do_vm_write },
	{ "proc", 2, do_proc },
	{ "pidfd_getfd", 1, do_pidfd_getfd },
	{ "kcmp", 1, do_kcmp },
	{ "set_mm", 0, do_set_mm },
	{ NULL, 0, NULL },
};
