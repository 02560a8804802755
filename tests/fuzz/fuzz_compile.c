/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of "flags pattern" make up to two policies, every line is also asked about as a name: what
 * compiles passes its own check, and every answer of the automaton is the one the rules give.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/decide.h"
#include "policyd/policy/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 24

/* The model of a policy whose strings are the fuzzer's. */
struct sketch {
	struct policy policy;
	struct policy_rule rules[LINES];
	struct policy_string paths[LINES], by[LINES];
	char *file;
};

static void take_line(struct sketch *s, uint8_t flags, char *pattern)
{
	size_t n = s->policy.rule_count;
	struct policy_rule *rule = &s->rules[n];

	if (glob_check(pattern, strlen(pattern), NULL, NULL))
		return;
	*rule = (struct policy_rule){
		.class = flags & 1 ? PD_CLASS_FILE : PD_CLASS_EXEC,
		.deny = flags & 2,
		.audit = flags & 4 && !(flags & 2),
		.quiet = flags & 4 && flags & 2,
		.audit_mode = flags & 8,
		.path_perms = flags & 1 ? PD_READ | (flags & 16 ? PD_WRITE : 0) : PD_EXEC,
		.place = { 0, n + 1, 1 },
	};
	if (flags & 32 && n) {
		s->by[n].text = s->paths[n - 1].text;
		rule->by = (struct policy_strings){ &s->by[n], 1 };
	}
	s->paths[n].text = pattern;
	rule->paths = (struct policy_strings){ &s->paths[n], 1 };
	s->policy.rule_count++;
}

static void ask(const struct answerer *a, struct policy_rule *question, const char *name)
{
	static const uint32_t perms[] = { PD_READ, PD_WRITE, PD_EXEC };
	struct answer answer;

	for (int i = 0; i < 3; i++) {
		question->class = perms[i] == PD_EXEC ? PD_CLASS_EXEC : PD_CLASS_FILE;
		question->path_perms = perms[i];
		question->paths.items->text = (char *)name;
		if (answerer_ask(a, question, &answer, NULL))
			abort();
	}
}

static void run(struct sketch *s, char *const *lines, size_t count)
{
	struct policy_string path = { 0 }, by = { 0 };
	struct policy_rule question = { .paths = { &path, 1 } };
	struct answerer *a;
	int r = answerer_new(&s->policy, &a, NULL);

	if (r == -7 || r == -12) /* E2BIG, ENOMEM */
		return;
	if (r)
		abort();
	for (size_t i = 0; i < count; i++) {
		question.by.count = 0;
		ask(a, &question, lines[i]);
		by.text = lines[(i + 1) % count];
		question.by = (struct policy_strings){ &by, 1 };
		ask(a, &question, lines[i]);
	}
	answerer_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sketch s = { .policy = { .name = "p", .file_count = 1 } };
	char text[512], *lines[LINES], *at = text;
	size_t count = 0;

	if (size < 2 || size >= sizeof(text) || memchr(data, 0, size))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	s.file = s.policy.name;
	s.policy.files = &s.file;
	s.policy.rules = s.rules;
	s.policy.mode = *at & 1 ? POLICY_ENFORCE : POLICY_AUDIT;
	s.policy.deny_default = (uint8_t)*at >> 1 & 3;
	for (at++; at && *at && count < LINES; count++) {
		char *line = strsep(&at, "\n");

		lines[count] = *line ? line + 1 : line;
		if (*line)
			take_line(&s, *line, lines[count]);
	}
	if (count)
		run(&s, lines, count);
	return 0;
}
