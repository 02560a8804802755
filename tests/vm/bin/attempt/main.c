// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attempt COMMAND ARGS... - one operation in a test guest; prints "ok" or the name of the error.
 * attempt                 - a table on standard input: EXPECTED COMMAND ARGS..., each line tried in a
 *                           process of its own and told as the cases tell it. Exit status 1: not
 *                           everything was as expected. EXPECTED "refused" is any word but "ok", and no answer.
 *
 * FLAGS are open(2)'s, comma-separated: r w rw mode3 trunc append creat excl dir path tmpfile
 * nofollow nonblock. PATH may be fd:N. \xHH in a word is that byte. Commands that end in CMD... do something to
 * the process and run CMD in it. Each file here has its commands at its end.
 */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int result(long r)
{
	return r < 0 ? -errno : 0;
}

/* ---- the commands ---------------------------------------------------------------------------- */

static const struct command *const tables[] = {
	open_commands, descriptor_commands, name_commands,    mount_commands, exec_commands,
	pass_commands, process_commands,    running_commands, NULL,
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; tables[i]; i++)
		for (const struct command *c = tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

int run(int argc, char **argv)
{
	const struct command *command = argc ? find(argv[0]) : NULL;

	if (command && argc > command->arguments)
		return command->run(argv);
	fprintf(stderr, "attempt: %s: what?\n", argc ? argv[0] : "");
	_exit(2); /* not exit(): it would move the table's offset */
}

static const char *told(int r)
{
	static char text[32];

	if (r == NO_DESCRIPTOR)
		return "nothing";
	if (r == SECURE)
		return "secure";
	if (r == NOT_SAME)
		return "other";
	if (r >= SIGNALLED)
		snprintf(text, sizeof(text), "signal-%d", r - SIGNALLED);
	else if (r >= EXITED)
		snprintf(text, sizeof(text), "exit-%d", r - EXITED);
	else
		return r ? strerrorname_np(-r) : "ok";
	return text;
}

/* ---- a table --------------------------------------------------------------------------------- */

static void unescape(char *word)
{
	char *to = word;

	while (*word) {
		unsigned int byte;

		if (!strncmp(word, "\\x", 2) && sscanf(word + 2, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			word += 4;
		} else {
			*to++ = *word++;
		}
	}
	*to = '\0';
}

static int split(char *line, char **words)
{
	int n = 0;

	for (char *word = strtok(line, " \t\n"); word && n < 30; word = strtok(NULL, " \t\n")) {
		unescape(word);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* In a process of its own; its word comes through a pipe. */
static void answer(int argc, char **argv, char *text, size_t size)
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0)
		exit(2);
	pid = fork();
	if (pid == 0) {
		const char *word = told(run(argc, argv));

		if (write(ends[1], word, strlen(word)) < 0)
			_exit(2);
		_exit(0);
	}
	close(ends[1]);
	n = pid < 0 ? 0 : read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	if (pid < 0 || n <= 0)
		snprintf(text, size, "no answer");
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

static int is_expected(const char *got, const char *expected)
{
	return strcmp(expected, "refused") ? !strcmp(got, expected) : strcmp(got, "ok") != 0;
}

static int table(void)
{
	char line[8192], copy[8192], got[64], *words[32];
	int failed = 0, right;

	while (fgets(line, sizeof(line), stdin)) {
		int n;

		line[strcspn(line, "\n")] = '\0';
		snprintf(copy, sizeof(copy), "%s", line);
		n = split(copy, words);
		if (n < 2 || words[0][0] == '#')
			continue;
		answer(n - 1, words + 1, got, sizeof(got));
		right = is_expected(got, words[0]);
		failed |= !right;
		printf("%s - %s%s%s\n", right ? "ok" : "not ok", line, right ? "" : ": ",
		       right ? "" : got);
	}
	fflush(stdout);
	return failed;
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 2)
		return table();
	for (int i = 1; i < argc; i++)
		unescape(argv[i]);
	r = run(argc - 1, argv + 1);
	puts(told(r));
	return r ? 1 : 0;
}
