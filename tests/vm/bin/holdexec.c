// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * holdexec HELD GO PROGRAM [ARGS...] - execute PROGRAM, and stay in the middle of that: after the kernel has
 * asked whether it may be executed, before it has become the new program. Makes the file HELD then, and goes
 * on when there is a file GO. Exits with PROGRAM's status.
 *
 * An exec waits for all other threads of the process to end. Here a tracer stops one of them at its end.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int thread_out, go_in; /* the other thread's number goes out, the word to execute comes in */

static int fail(const char *what)
{
	fprintf(stderr, "holdexec: %s: %m\n", what);
	return 125;
}

static void *other_thread(void *unused)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	if (write(thread_out, &tid, sizeof(tid)) == sizeof(tid))
		for (;;)
			pause();
	return unused;
}

static int execute(char **command)
{
	pthread_t thread;
	char go;

	if (pthread_create(&thread, NULL, other_thread, NULL))
		return fail("thread");
	if (read(go_in, &go, 1) != 1)
		return 125;
	execv(command[0], command);
	return fail(command[0]);
}

/* Until the thread has stopped at its end; 0, or -1. */
static int wait_for_end(pid_t tid)
{
	int status;

	while (waitpid(tid, &status, __WALL) == tid) {
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			return 0;
		if (!WIFSTOPPED(status) || ptrace(PTRACE_CONT, tid, 0, 0))
			return -1;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int numbers[2], words[2], status;
	pid_t child, tid;

	if (argc < 4)
		return fail("usage: holdexec HELD GO PROGRAM [ARGS...]");
	if (pipe(numbers) || pipe(words))
		return fail("pipe");
	thread_out = numbers[1];
	go_in = words[0];
	child = fork();
	if (!child)
		return execute(argv + 3);
	if (child < 0 || read(numbers[0], &tid, sizeof(tid)) != sizeof(tid))
		return fail("fork");
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXIT))
		return fail("ptrace");
	if (write(words[1], "g", 1) != 1 || wait_for_end(tid))
		return fail("the other thread does not end");
	close(open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	while (access(argv[2], F_OK))
		usleep(20000);
	if (ptrace(PTRACE_CONT, tid, 0, 0))
		return fail("ptrace");
	/* the thread's end, too, which its tracer has to take notice of */
	while (waitpid(-1, &status, __WALL) != child)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
