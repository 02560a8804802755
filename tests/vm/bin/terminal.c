// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * terminal KEYS COMMAND... - run a command on a terminal of its own and type
 *
 * KEYS are typed one at a time, each when the command has said READY once more ("^C" and "^Z" are one key,
 * "^J" ends a line). When the command stops, "STOPPED" is printed and it is continued. What it writes comes
 * out here; its exit status is ours, 128 and the signal if one killed it, 124 when it takes longer than 60 s.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *type(int fd, const char *keys)
{
	char key = keys[0];

	if (!key)
		return keys;
	if (key == '^' && keys[1]) {
		key = (char)(keys[1] & 0x1f);
		keys++;
	}
	return write(fd, &key, 1) == 1 ? keys + 1 : keys;
}

int main(int argc, char **argv)
{
	const char *keys = argc > 2 ? argv[1] : "";
	time_t end = time(NULL) + 60;
	char seen[65536];
	size_t have = 0, looked = 0;
	int fd, status;
	pid_t child;

	if (argc < 3)
		return 2;
	child = forkpty(&fd, NULL, NULL, NULL);
	if (child < 0)
		return 2;
	if (child == 0) {
		/* ignored by what a shell runs in the background, but not on a terminal of one's own */
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		pid_t pid;

		if (poll(&ready, 1, 100) > 0 && have < sizeof(seen) - 1) {
			ssize_t n = read(fd, seen + have, sizeof(seen) - 1 - have);

			if (n > 0) {
				if (write(STDOUT_FILENO, seen + have, (size_t)n) < 0)
					return 2;
				have += (size_t)n;
			}
		}
		seen[have] = '\0';
		for (char *at; (at = strstr(seen + looked, "READY"));
		     looked = (size_t)(at - seen) + 5)
			keys = type(fd, keys);
		pid = waitpid(child, &status, WNOHANG | WUNTRACED);
		if (pid == child && WIFSTOPPED(status)) {
			puts("STOPPED");
			fflush(stdout);
			kill(child, SIGCONT);
		} else if (pid == child) {
			break;
		}
		if (time(NULL) > end) {
			kill(child, SIGKILL);
			return 124;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
