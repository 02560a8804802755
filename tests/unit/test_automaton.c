/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/automaton.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policyd/policy/glob.h"
#include "tests/unit/policies.h"

#define PATTERNS 6
#define FLAGS (GLOB_ALIASES | GLOB_DIRECTORY)

/* The colour is the set of patterns that match, as bits. */
static int colour(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	uint32_t bits = 0;

	(void)context;
	for (size_t i = 0; i < count; i++) {
		assert_true(!i || accepts[i] > accepts[i - 1]);
		bits |= 1u << accepts[i];
	}
	*ret_colour = bits;
	return 0;
}

static void build(struct dfa *dfa, char patterns[][64], size_t count)
{
	struct nfa *nfa = nfa_new();
	uint32_t owner;

	assert_non_null(nfa);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(nfa_add_glob(nfa, patterns[i], strlen(patterns[i]), FLAGS, i, i),
				 0);
	assert_int_equal(dfa_build(dfa, nfa, &(struct dfa_budget){ 100000, 100000000, 100000000 },
				   colour, NULL, &owner),
			 0);
	nfa_free(nfa);
}

static uint32_t run(const struct dfa *dfa, uint32_t start, const char *name, size_t length)
{
	uint32_t state = dfa->starts[start];

	for (size_t i = 0; i < length; i++)
		state = dfa_next(dfa, state, name[i]);
	return dfa->states[state].colour;
}

static void check_name(const struct dfa *dfa, uint32_t start, char patterns[][64], size_t count,
		       const char *name, size_t length)
{
	uint32_t expected = 0, got = run(dfa, start, name, length);

	for (size_t i = 0; i < count; i++)
		if (glob_match_name(patterns[i], strlen(patterns[i]), name, length, FLAGS) == 1)
			expected |= 1u << i;
	if (got == expected)
		return;
	for (size_t i = 0; i < count; i++)
		print_message("%zu: %s\n", i, patterns[i]);
	fail_msg("\"%.*s\": automaton %x, patterns %x", (int)length, name, got, expected);
}

/* Moore's algorithm, as slow as it is simple: how many classes of states are there? */
static size_t count_classes(const struct dfa *dfa)
{
	uint32_t *class = malloc(dfa->count * sizeof(*class));
	uint32_t *next = malloc(dfa->count * sizeof(*next));
	size_t classes = 0, before;

	assert_true(class && next);
	for (size_t i = 0; i < dfa->count; i++)
		class[i] = dfa->states[i].colour;
	do {
		before = classes;
		classes = 0;
		for (uint32_t i = 0; i < dfa->count; i++) {
			uint32_t j;

			for (j = 0; j < i; j++) {
				int b = class[i] == class[j] ? 1 : 256;

				while (b < 256 &&
				       class[dfa_next(dfa, i, b)] == class[dfa_next(dfa, j, b)])
					b++;
				if (b == 256 && class[i] == class[j])
					break;
			}
			next[i] = j < i ? next[j] : classes++;
		}
		memcpy(class, next, dfa->count * sizeof(*class));
	} while (classes != before);
	free(class);
	free(next);
	return classes;
}

static void agrees_with_matcher(void **state)
{
	struct lots lots = { 1 };
	char patterns[PATTERNS][64], name[128];
	size_t length;

	(void)state;
	for (int round = 0; round < 1500; round++) {
		size_t count = 1 + lot(&lots, PATTERNS);
		struct dfa dfa = { 0 };

		for (size_t i = 0; i < count; i++)
			random_pattern(&lots, patterns[i], sizeof(patterns[i]));
		build(&dfa, patterns, count);
		for (int n = 0; n < 30; n++) {
			length = random_name(&lots, name, sizeof(name));
			check_name(&dfa, 0, patterns, count, name, length);
		}
		assert_int_equal(dfa_minimise(&dfa), 0);
		for (int n = 0; n < 30; n++) {
			length = random_name(&lots, name, sizeof(name));
			check_name(&dfa, 0, patterns, count, name, length);
		}
		dfa_done(&dfa);
	}
}

static void is_minimal(void **state)
{
	struct lots lots = { 2 };
	char patterns[PATTERNS][64];
	size_t raw;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t count = 1 + lot(&lots, 3);
		struct dfa dfa = { 0 };

		for (size_t i = 0; i < count; i++)
			random_pattern(&lots, patterns[i], sizeof(patterns[i]));
		build(&dfa, patterns, count);
		raw = count_classes(&dfa);
		assert_int_equal(dfa_minimise(&dfa), 0);
		assert_int_equal(dfa.count, raw);
		assert_int_equal(count_classes(&dfa), dfa.count);
		dfa_done(&dfa);
	}
}

/* Automata minimised together share what they have in common and stay what they were. */
static void shares_between_starts(void **state)
{
	char patterns[][64] = { "/a/**/x", "/b/*", "/a/**/x", "/c" };
	struct dfa dfa = { 0 }, second = { 0 };
	size_t alone;

	(void)state;
	build(&dfa, patterns, 2);
	build(&second, patterns, 2);
	assert_int_equal(dfa_minimise(&dfa), 0);
	alone = dfa.count;
	assert_int_equal(dfa_append(&dfa, &second), 0);
	assert_int_equal(dfa_minimise(&dfa), 0);
	assert_int_equal(dfa.count, alone);
	assert_int_equal(dfa.starts[0], dfa.starts[1]);
	dfa_done(&second);
	build(&second, patterns + 2, 2);
	assert_int_equal(dfa_append(&dfa, &second), 0);
	assert_int_equal(dfa_minimise(&dfa), 0);
	assert_int_equal(run(&dfa, 0, "/b/q", 4), 2);
	assert_int_equal(run(&dfa, 2, "/b/q", 4), 0);
	assert_int_equal(run(&dfa, 2, "/c", 2), 2);
	assert_int_equal(run(&dfa, 2, "/a/1/2/x", 8), 1);
	dfa_done(&second);
	dfa_done(&dfa);
}

/* Reachability by brute force. */
static struct dfa_reach reach_from(const struct dfa *dfa, uint32_t from)
{
	struct dfa_reach sum = { 0, ~0ull };
	bool *met = calloc(dfa->count, sizeof(*met));
	uint32_t *todo = malloc(dfa->count * sizeof(*todo));
	size_t count = 0;

	assert_true(met && todo);
	todo[count++] = from;
	met[from] = true;
	while (count) {
		uint32_t s = todo[--count];

		sum.any |= dfa->states[s].colour;
		sum.all &= dfa->states[s].colour;
		for (int b = 1; b < 256; b++) {
			uint32_t next = dfa_next(dfa, s, b);

			if (!met[next])
				todo[count++] = next;
			met[next] = true;
		}
	}
	free(met);
	free(todo);
	return sum;
}

static void gathers_what_is_reachable(void **state)
{
	struct lots lots = { 3 };
	char patterns[PATTERNS][64];

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct dfa_reach *reach, expected;
		struct dfa dfa = { 0 };
		size_t count = 1 + lot(&lots, PATTERNS);

		for (size_t i = 0; i < count; i++)
			random_pattern(&lots, patterns[i], sizeof(patterns[i]));
		build(&dfa, patterns, count);
		assert_int_equal(dfa_minimise(&dfa), 0);
		reach = malloc(dfa.count * sizeof(*reach));
		assert_non_null(reach);
		for (size_t i = 0; i < dfa.count; i++)
			reach[i].any = reach[i].all = dfa.states[i].colour;
		assert_int_equal(dfa_gather(&dfa, reach), 0);
		for (size_t i = 0; i < dfa.count; i++) {
			expected = reach_from(&dfa, i);
			assert_int_equal(reach[i].any, expected.any);
			assert_int_equal(reach[i].all, expected.all);
		}
		free(reach);
		dfa_done(&dfa);
	}
}

/* Sets of almost all bytes, and states in which every byte is an exception. */
static void wide_sets(void **state)
{
	struct nfa *nfa = nfa_new();
	struct dfa dfa = { 0 };
	struct byteset odd = { { 0 } }, even = { { 0 } };
	uint32_t tokens[2] = { TOKEN_BYTE | '/' }, owner;
	struct dfa_reach *reach;

	(void)state;
	for (unsigned int b = 1; b < 256; b++)
		if (b != '/')
			byteset_add(b % 2 ? &odd : &even, b, b);
	assert_int_equal(nfa_set(nfa, &odd, &tokens[1]), 0);
	assert_int_equal(nfa_add(nfa, tokens, 2, 0, 0), 0);
	assert_int_equal(nfa_set(nfa, &even, &tokens[1]), 0);
	assert_int_equal(nfa_add(nfa, tokens, 2, 1, 1), 0);
	assert_int_equal(dfa_build(&dfa, nfa, &(struct dfa_budget){ 1000, 100000000, 100000000 },
				   colour, NULL, &owner),
			 0);
	assert_int_equal(dfa_minimise(&dfa), 0);
	for (unsigned int b = 1; b < 256; b++) {
		char name[2] = { '/', (char)b };

		assert_int_equal(run(&dfa, 0, name, 2), b == '/' ? 0 : 1 << (1 - b % 2));
	}
	reach = calloc(dfa.count, sizeof(*reach));
	assert_non_null(reach);
	assert_int_equal(dfa_gather(&dfa, reach), 0);
	free(reach);
	dfa_done(&dfa);
	nfa_free(nfa);
}

/* 2^n states end in an error that names the right pattern, soon and in little memory. */
static void explosions_end(void **state)
{
	static const char *const patterns[] = {
		"/etc/*.conf",
		"/**a?????????????????????????????????",
		"/usr/**",
	};
	struct nfa *nfa = nfa_new();
	struct dfa dfa = { 0 };
	uint32_t owner = 99;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(nfa_add_glob(nfa, patterns[i], strlen(patterns[i]), FLAGS, i, i),
				 0);
	assert_int_equal(dfa_build(&dfa, nfa, &(struct dfa_budget){ 50000, 100000000, 100000000 },
				   colour, NULL, &owner),
			 -E2BIG);
	assert_int_equal(owner, 1);
	assert_true(dfa.count <= 50000);
	dfa_done(&dfa);
	nfa_free(nfa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_matcher),
		cmocka_unit_test(is_minimal),
		cmocka_unit_test(shares_between_starts),
		cmocka_unit_test(gathers_what_is_reachable),
		cmocka_unit_test(wide_sets),
		cmocka_unit_test(explosions_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
