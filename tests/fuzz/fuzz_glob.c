/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pattern\nname": both readings of a pattern agree, whatever the bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/automaton.h"
#include "policyd/policy/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int colour(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	(void)context;
	(void)accepts;
	*ret_colour = count;
	return 0;
}

static void compare(const char *pattern, size_t length, const char *name, size_t name_length,
		    unsigned int flags)
{
	struct nfa *nfa = nfa_new();
	struct dfa dfa = { 0 };
	uint32_t owner, state;
	int expected = glob_match_name(pattern, length, name, name_length, flags);

	if (nfa && expected >= 0 && !nfa_add_glob(nfa, pattern, length, flags, 0, 0) &&
	    !dfa_build(&dfa, nfa, &(struct dfa_budget){ 2000, 100000000, 100000000 }, colour, NULL,
		       &owner) &&
	    !dfa_minimise(&dfa)) {
		state = dfa.starts[0];
		for (size_t i = 0; i < name_length; i++)
			state = dfa_next(&dfa, state, name[i]);
		if (dfa.states[state].colour != (uint32_t)expected)
			abort();
	}
	dfa_done(&dfa);
	nfa_free(nfa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size ? memchr(data, '\n', size) : NULL;
	size_t length = end ? (size_t)(end - text) : size, name_length, at = 0;
	const char *reason = NULL;
	int r;

	if (size > 300)
		return 0;
	r = glob_check(text, length, &at, &reason);
	if (r && (!reason || at > length))
		abort();
	if (r || !end)
		return 0;
	name_length = size - length - 1;
	if (memchr(end + 1, 0, name_length))
		return 0;
	for (unsigned int flags = 0; flags < 8; flags++)
		compare(text, length, end + 1, name_length, flags);
	return 0;
}
