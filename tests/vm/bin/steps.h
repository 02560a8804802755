/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tools that attempt one thing after the other and check what came of each.
 *
 * Standard input has a step per line: "WANT COMMAND ARGUMENT...", where WANT is 0 or the name of an error,
 * or several of them ("EPERM|EACCES"). Each is told as "ok - ..." or "not ok - ...", as tests/vm/lib.sh
 * does. "#" begins a comment. WANT "-" runs a command whose result does not matter and is not told.
 */
#ifndef TESTS_VM_BIN_STEPS_H
#define TESTS_VM_BIN_STEPS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_WORDS 12

/* A table of them ends with one without a name, a list of tables with NULL. */
struct step_command {
	const char *name;
	int arguments;		      /* at least */
	int (*run)(char **arguments); /* 0 or -errno; NULL ends the arguments */
};

static inline int step_result(long r)
{
	return r < 0 ? -errno : 0;
}

static inline const char *step_name(int result)
{
	return result ? strerrorname_np(-result) : "0";
}

static inline int step_wanted(const char *want, const char *got)
{
	size_t length = strlen(got);

	for (const char *at = want; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (!strncmp(at, got, length) && (!at[length] || at[length] == '|'))
			return 1;
	}
	return 0;
}

static inline const struct step_command *step_find(const struct step_command *const *tables,
						   const char *name)
{
	for (; *tables; tables++)
		for (const struct step_command *c = *tables; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static inline int step_run(const struct step_command *const *tables, char **words)
{
	const struct step_command *command = step_find(tables, words[0]);
	int count = 0;

	while (words[count])
		count++;
	if (command && count - 1 >= command->arguments)
		return command->run(words + 1);
	fprintf(stderr, "steps: unknown or incomplete: %s\n", words[0]);
	exit(2);
}

/* Runs the steps of standard input. Returns the exit status: 0, or 1 when one went otherwise. */
static inline int steps(const char *who, const struct step_command *const *tables)
{
	char line[1024], text[1024], *words[STEP_WORDS + 1], *save;
	int status = 0;

	while (fgets(line, sizeof(line), stdin)) {
		const char *got;
		int count = 0, r;

		line[strcspn(line, "#\n")] = '\0';
		snprintf(text, sizeof(text), "%s", line + strspn(line, " \t"));
		for (char *word = strtok_r(line, " \t", &save); word && count < STEP_WORDS;
		     word = strtok_r(NULL, " \t", &save))
			words[count++] = word;
		words[count] = NULL;
		if (count < 2)
			continue;
		r = step_run(tables, words + 1);
		if (!strcmp(words[0], "-"))
			continue;
		got = step_name(r);
		if (step_wanted(words[0], got)) {
			printf("ok - %s: %s\n", who, text);
		} else {
			printf("not ok - %s: %s\n#   got %s\n", who, text, got);
			status = 1;
		}
		fflush(stdout);
	}
	return status;
}

#endif
