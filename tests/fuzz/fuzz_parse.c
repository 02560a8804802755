// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a policy file, with includes and warnings, and any two words as a question. What is
 * checked: no crash, no leak, an error always filled, a parsed policy always whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *context, const struct pd_error *warning)
{
	size_t *count = context;

	if (!warning->text[0] || !warning->line)
		abort();
	++*count;
}

static void check_policy(const struct policy *policy)
{
	if (!policy->name || !policy->name[0] || !policy->file_count)
		abort();
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (!rule->place.line || rule->place.file >= policy->file_count)
			abort();
		if (!rule->path_perms && !rule->socket_perms && !rule->capabilities &&
		    !rule->guards)
			abort();
		if (!rule->path_perms != !rule->paths.count)
			abort();
	}
	for (size_t i = 0; i < policy->expect_count; i++) {
		const struct policy_rule *q = &policy->expects[i].question;
		int bits = __builtin_popcount(q->path_perms) + __builtin_popcount(q->socket_perms) +
			   __builtin_popcountll(q->capabilities) + __builtin_popcount(q->guards);

		if (bits != 1 || q->to_count > 1 || q->paths.count > 1 || q->by.count > 1)
			abort();
		if (q->socket_perms &&
		    (q->family_count != 1 || q->type_count != 1 || q->protocol_count != 1))
			abort();
	}
}

static void fuzz_question(const uint8_t *data, size_t size)
{
	struct policy_rule rule;
	struct pd_error error;
	char *text = malloc(size + 1), *object;

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	object = strchr(text, ' ');
	if (object) {
		*object++ = '\0';
		if (!parse_question(text, object, NULL, &rule, &error))
			policy_rule_done(&rule);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const dirs[] = { "policies/include", NULL };
	struct parse_options options = { .include_dirs = dirs, .trust_files = true };
	size_t warnings = 0, count = 0;
	struct parse_sink sink = { warn, &warnings };
	struct pd_error error = { .text = "" };
	struct policy **policies = NULL;

	if (size < 300)
		fuzz_question(data, size);
	if (parse_text("fuzz", (const char *)data, size, &options, &sink, &policies, &count,
		       &error)) {
		if (!error.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		check_policy(policies[i]);
		policy_free(policies[i]);
	}
	free(policies);
	return 0;
}
