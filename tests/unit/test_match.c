/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over images: every kind of record, whole names and names in pieces. */
#include "lsm/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policyd/policy/image.h"
#include "tests/unit/policies.h"

struct world {
	struct image image;
	struct dfa dfa;
	uint32_t *infos;
	struct pd_automaton automaton;
	size_t kinds[4]; /* states met by kind */
	size_t middles;	 /* runs entered elsewhere than at their start */
};

static int colour(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	(void)context;
	*ret_colour = 0;
	for (size_t i = 0; i < count; i++)
		*ret_colour |= 1u << accepts[i];
	return 0;
}

/* The colour is kept in info.deny_e. */
static void world_make(struct world *w, const char *const *patterns, size_t count)
{
	struct nfa *nfa = nfa_new();
	uint32_t owner;

	*w = (struct world){ 0 };
	for (size_t i = 0; i < count; i++)
		assert_int_equal(nfa_add_glob(nfa, patterns[i], strlen(patterns[i]), 0, i, i), 0);
	assert_int_equal(dfa_build(&w->dfa, nfa,
				   &(struct dfa_budget){ 100000, 100000000, 100000000 }, colour,
				   NULL, &owner),
			 0);
	assert_int_equal(dfa_minimise(&w->dfa), 0);
	nfa_free(nfa);
	assert_int_equal(image_init(&w->image), 0);
	w->infos = calloc(w->dfa.count, sizeof(*w->infos));
	assert_non_null(w->infos);
	for (size_t i = 0; i < w->dfa.count; i++) {
		struct pd_info info = { .deny_e = w->dfa.states[i].colour };
		uint32_t words[sizeof(info) / 4];

		memcpy(words, &info, sizeof(info));
		assert_int_equal(image_share(&w->image, words, sizeof(info) / 4, &w->infos[i]), 0);
	}
	assert_int_equal(image_automata(&w->image, &w->dfa, w->infos, &w->automaton), 0);
}

static void world_done(struct world *w)
{
	image_done(&w->image);
	dfa_done(&w->dfa);
	free(w->infos);
}

static uint32_t colour_of(const struct world *w, uint32_t state)
{
	const struct pd_info *info = image_at(&w->image, pd_state_info(w->image.data, state));

	return info->deny_e;
}

/* Feeds text[from..to) to a walk that stands at @state, step by step. */
static uint32_t feed(struct world *w, uint32_t state, const char *name, size_t length)
{
	unsigned char text[PD_TEXT_SIZE + 8];
	struct pd_walk walk = { .classes = w->automaton.classes, .state = state, .end = length };
	uint32_t before = 0;

	/* What lies behind the text must not matter. */
	memset(text, 'x', sizeof(text));
	memcpy(text, name, length);
	do {
		if (PD_STATE_KIND(walk.state) == PD_RUN && PD_STATE_POSITION(walk.state) &&
		    PD_STATE_OFFSET(before) != PD_STATE_OFFSET(walk.state))
			w->middles++;
		w->kinds[PD_STATE_KIND(walk.state)]++;
		before = walk.state;
	} while (pd_walk_step(w->image.data, text, &walk));
	return walk.state;
}

static void check(struct world *w, struct lots *lots, const char *name, size_t length)
{
	uint32_t state = w->dfa.starts[0], whole, pieces = w->automaton.start;
	size_t at = 0, n;

	for (size_t i = 0; i < length; i++)
		state = dfa_next(&w->dfa, state, name[i]);
	whole = feed(w, w->automaton.start, name, length);
	if (colour_of(w, whole) != w->dfa.states[state].colour)
		fail_msg("%.*s", (int)length, name);
	while (at < length) {
		n = 1 + lot(lots, length - at);
		pieces = feed(w, pieces, name + at, n);
		at += n;
	}
	assert_int_equal(pieces, whole);
}

static void all_kinds(void **state)
{
	static const char *const patterns[] = {
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libcrypt.so.1",
		"/usr/lib/x86_64-linux-gnu/libssl.so.3",
		"/usr/lib/aarch64-linux-gnu/libssl.so.3",
		"/usr/share/**",
		"/var/{a,b,c,d,e,f,g}1/x",
		"/srv/*/public/**.html",
		"/srv/**/secret",
	};
	static const char *const names[] = {
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3/",
		"/usr/lib/x86_64-linux-gnu/libcrypt.so.1",
		"/usr/lib/aarch64-linux-gnu/libssl.so.3",
		"/usr/lib/aarch64-linux-gnu/libssl",
		"/usr/share/doc/a/b/c",
		"/var/d1/x",
		"/var/g1/xx",
		"/srv/a/public/deep/er/x.html",
		"/srv/public/public/secret",
		"/srv/public/public/secret/secre",
		"",
		"/",
	};
	struct lots lots = { 4 };
	struct world w;

	(void)state;
	world_make(&w, patterns, sizeof(patterns) / sizeof(patterns[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int round = 0; round < 20; round++)
			check(&w, &lots, names[i], strlen(names[i]));
	for (int kind = 0; kind < 4; kind++)
		assert_true(w.kinds[kind] > 0);
	assert_true(w.middles > 0);
	world_done(&w);
}

static void random_worlds(void **state)
{
	struct lots lots = { 5 };
	char texts[5][64], name[128];
	const char *patterns[5];
	struct world w;

	(void)state;
	for (int round = 0; round < 400; round++) {
		size_t count = 1 + lot(&lots, 5), length;

		for (size_t i = 0; i < count; i++) {
			random_pattern(&lots, texts[i], sizeof(texts[i]));
			patterns[i] = texts[i];
		}
		world_make(&w, patterns, count);
		for (int n = 0; n < 40; n++) {
			length = random_name(&lots, name, sizeof(name));
			check(&w, &lots, name, length);
		}
		world_done(&w);
	}
}

/* A literal longer than a run can be, and names that leave it anywhere. */
static void long_runs(void **state)
{
	struct lots lots = { 6 };
	const char *patterns[1];
	char text[3000];
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 97 == 50 ? '/' : (char)('a' + i % 7);
	text[sizeof(text) - 1] = '\0';
	patterns[0] = text;
	world_make(&w, patterns, 1);
	check(&w, &lots, text, sizeof(text) - 1);
	for (int i = 0; i < 300; i++) {
		size_t at = lot(&lots, sizeof(text) - 1);
		char was = text[at];

		text[at] = (char)(1 + lot(&lots, 255));
		check(&w, &lots, text, sizeof(text) - 1);
		text[at] = was;
		check(&w, &lots, text, at);
	}
	world_done(&w);
}

/* Equal records are there once, also between automata, unless on a cycle of several. */
static void shared_records(void **state)
{
	static const char *const patterns[] = { "/a/*", "/b/**", "/c/{1,2,3,4,5,6}/x" };
	struct pd_automaton second;
	struct world w;
	size_t used;

	(void)state;
	world_make(&w, patterns, 3);
	used = w.image.used;
	assert_int_equal(image_automata(&w.image, &w.dfa, w.infos, &second), 0);
	assert_int_equal(w.image.used, used);
	assert_int_equal(second.start, w.automaton.start);
	assert_int_equal(second.classes, w.automaton.classes);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(random_worlds),
		cmocka_unit_test(long_runs),
		cmocka_unit_test(shared_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
