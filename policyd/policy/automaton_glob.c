/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the text of a glob to the token sequences of the trie: one per choice of its braces, and
 * more for what a rule means beyond its text (directories, aliases).
 */
#include "policyd/policy/automaton.h"
#include "policyd/policy/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Positions in a token sequence, in no order. */
struct positions {
	size_t *items;
	size_t count;
};

struct expansion {
	struct nfa *nfa;
	const unsigned char *pattern;
	size_t length;
	unsigned int flags;
	bool below;
	uint32_t accept, owner;
	uint32_t *tokens;  /* the sequence so far */
	uint32_t *scratch; /* room for a longer one */
	struct positions link, target, spare;
};

/* Where to go on after the end of a brace's alternative. */
struct outer {
	size_t at;
	const struct outer *outer;
};

/* ---- aliases --------------------------------------------------------------------------------- */

static void positions_add(struct positions *set, size_t position)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i] == position)
			return;
	set->items[set->count++] = position;
}

static bool positions_have(const struct positions *set, size_t position)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i] == position)
			return true;
	return false;
}

/* Stars may match nothing: what follows them is reached with them. */
static void positions_close(const uint32_t *tokens, size_t count, struct positions *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i] < count && TOKEN_KIND(tokens[set->items[i]]) >= TOKEN_STAR)
			positions_add(set, set->items[i] + 1);
}

/* Lets a closed set eat one byte; the result is not closed. */
static void positions_step(const struct expansion *x, const uint32_t *tokens, size_t count,
			   const struct positions *from, struct positions *to, unsigned char byte)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		size_t at = from->items[i];

		if (at >= count)
			continue;
		switch (TOKEN_KIND(tokens[at])) {
		case TOKEN_BYTE:
			if (TOKEN_VALUE(tokens[at]) == byte)
				positions_add(to, at + 1);
			break;
		case TOKEN_SET:
			if (byteset_has(nfa_get_set(x->nfa, tokens[at]), byte))
				positions_add(to, at + 1);
			break;
		case TOKEN_STAR:
			if (byte != '/')
				positions_add(to, at);
			break;
		case TOKEN_GLOBSTAR:
			positions_add(to, at);
		}
	}
}

static void positions_eat(struct expansion *x, const uint32_t *tokens, size_t count,
			  struct positions *set, const char *text)
{
	struct positions swap;

	set->count = 0;
	positions_add(set, 0);
	positions_close(tokens, count, set);
	for (; *text && set->count; text++) {
		positions_step(x, tokens, count, set, &x->spare, *text);
		swap = *set;
		*set = x->spare;
		x->spare = swap;
		positions_close(tokens, count, set);
	}
}

static int add_alias_rest(struct expansion *x, const uint32_t *tokens, size_t count,
			  const char *target, size_t rest)
{
	/* The longest target is shorter than any link and the rest that follows it, plus this. */
	uint32_t sequence[16];
	uint32_t *whole;
	size_t n = strlen(target);
	int r;

	for (size_t i = 0; i < n; i++)
		sequence[i] = TOKEN_BYTE | (unsigned char)target[i];
	if (rest == SIZE_MAX)
		return nfa_add(x->nfa, sequence, n, x->accept, x->owner);
	sequence[n++] = TOKEN_BYTE | '/';
	whole = malloc((n + count - rest) * sizeof(*whole));
	if (!whole)
		return -ENOMEM;
	memcpy(whole, sequence, n * sizeof(*whole));
	memcpy(whole + n, tokens + rest, (count - rest) * sizeof(*whole));
	r = nfa_add(x->nfa, whole, n + count - rest, x->accept, x->owner);
	free(whole);
	return r;
}

/*
 * What the sequence says about names at and below an alias's link is said of its target too: the
 * link is eaten, and what may follow (nothing, or a '/' and more) goes behind the target, unless
 * the sequence says it there already.
 */
static int add_alias(struct expansion *x, const uint32_t *tokens, size_t count,
		     const struct glob_alias *alias)
{
	struct positions swap;
	int r = 0;

	positions_eat(x, tokens, count, &x->link, alias->link);
	if (!x->link.count)
		return 0;
	positions_eat(x, tokens, count, &x->target, alias->target);
	if (positions_have(&x->link, count) && !positions_have(&x->target, count))
		r = add_alias_rest(x, tokens, count, alias->target, SIZE_MAX);
	positions_step(x, tokens, count, &x->target, &x->spare, '/');
	swap = x->target;
	x->target = x->spare;
	x->spare = swap;
	positions_close(tokens, count, &x->target);
	positions_step(x, tokens, count, &x->link, &x->spare, '/');
	for (size_t i = 0; i < x->spare.count && !r; i++)
		if (!positions_have(&x->target, x->spare.items[i]))
			r = add_alias_rest(x, tokens, count, alias->target, x->spare.items[i]);
	return r;
}

static int add_sequence(struct expansion *x, const uint32_t *tokens, size_t count)
{
	int r = nfa_add(x->nfa, tokens, count, x->accept, x->owner);

	if (!(x->flags & GLOB_ALIASES))
		return r;
	for (const struct glob_alias *alias = glob_aliases; alias->link && !r; alias++)
		r = add_alias(x, tokens, count, alias);
	return r;
}

/* One choice of all braces is complete. */
static int add_choice(struct expansion *x, size_t count)
{
	int r = 0;

	if (!x->below)
		return add_sequence(x, x->tokens, count);
	if (count || x->length)
		r = add_sequence(x, x->tokens, count);
	if (r)
		return r;
	memcpy(x->scratch, x->tokens, count * sizeof(*x->tokens));
	x->scratch[count++] = TOKEN_BYTE | '/';
	x->scratch[count++] = TOKEN_GLOBSTAR;
	return add_sequence(x, x->scratch, count);
}

/* ---- the text -------------------------------------------------------------------------------- */

/* The place of the ',' or '}' that ends the alternative starting at @at. */
static size_t alternative_end(const struct expansion *x, size_t at)
{
	size_t depth = 0;

	for (; at < x->length; at++) {
		switch (x->pattern[at]) {
		case '\\':
			at++;
			break;
		case '[':
			while (at < x->length && x->pattern[at] != ']')
				at += x->pattern[at] == '\\' ? 2 : 1;
			break;
		case '{':
			depth++;
			break;
		case ',':
			if (!depth)
				return at;
			break;
		case '}':
			if (!depth--)
				return at;
		}
	}
	return at;
}

/* A class at @at, which glob_check() has found well-formed; returns the place behind it. */
static size_t read_class(const struct expansion *x, size_t at, struct byteset *set)
{
	const unsigned char *p = x->pattern;
	bool negate = p[at + 1] == '!';
	unsigned char first, last;

	*set = (struct byteset){ { 0 } };
	at += negate ? 2 : 1;
	while (p[at] != ']') {
		at += p[at] == '\\';
		first = last = p[at++];
		if (p[at] == '-' && p[at + 1] != ']') {
			at++;
			at += p[at] == '\\';
			last = p[at++];
		}
		byteset_add(set, first, last);
	}
	for (int i = 0; i < 4 && negate; i++)
		set->bits[i] = ~set->bits[i];
	return at + 1;
}

/* One token that is not a brace; returns 0 or an error. */
static int read_token(struct expansion *x, size_t *at, size_t count)
{
	struct byteset set = { { ~0ull, ~0ull, ~0ull, ~0ull } };
	const unsigned char *p = x->pattern;

	switch (p[*at]) {
	case '*':
		x->tokens[count] = TOKEN_STAR;
		if (*at + 1 < x->length && p[*at + 1] == '*') {
			x->tokens[count] = TOKEN_GLOBSTAR;
			++*at;
		}
		++*at;
		return 0;
	case '[':
		*at = read_class(x, *at, &set);
		break;
	case '?':
		++*at;
		break;
	case '\\':
		++*at;
		/* fall through */
	default:
		x->tokens[count] = TOKEN_BYTE | p[(*at)++];
		return 0;
	}
	set.bits['/' / 64] &= ~(1ull << ('/' % 64));
	return nfa_set(x->nfa, &set, &x->tokens[count]);
}

/* All that can follow the first @count tokens when the text goes on at @at, within @outer braces.
 * As deep as a pattern has braces, of which GLOB_ALTERNATIVES_MAX leaves room for few. */
static int expand(struct expansion *x, size_t at, size_t count, const struct outer *outer)
{
	struct outer inner = { .outer = outer };
	size_t end;
	int r;

	while (at < x->length) {
		if (outer && (x->pattern[at] == ',' || x->pattern[at] == '}')) {
			at = outer->at;
			outer = outer->outer;
			inner.outer = outer;
			continue;
		}
		if (x->pattern[at] != '{') {
			r = read_token(x, &at, count++);
			if (r)
				return r;
			continue;
		}
		for (end = at; x->pattern[end] != '}'; end = alternative_end(x, end + 1))
			;
		inner.at = end + 1;
		do {
			r = expand(x, at + 1, count, &inner);
			at = alternative_end(x, at + 1);
		} while (!r && at < end);
		return r;
	}
	return add_choice(x, count);
}

int nfa_add_glob(struct nfa *nfa, const char *pattern, size_t length, unsigned int flags,
		 uint32_t accept, uint32_t owner)
{
	struct expansion x = { .nfa = nfa,
			       .pattern = (const unsigned char *)pattern,
			       .length = length,
			       .flags = flags,
			       .accept = accept,
			       .owner = owner };
	size_t room = length + 2;
	size_t *memory;
	int r = glob_check(pattern, length, NULL, NULL);

	if (r)
		return r;
	x.below = flags & GLOB_BELOW;
	if (glob_ends_in_slash(pattern, length) && flags & (GLOB_BELOW | GLOB_DIRECTORY)) {
		x.below = true;
		x.length--;
	}
	memory = malloc(room * (3 * sizeof(size_t) + 2 * sizeof(uint32_t)) + 3 * sizeof(size_t));
	if (!memory)
		return -ENOMEM;
	x.link.items = memory;
	x.target.items = memory + room + 1;
	x.spare.items = memory + 2 * (room + 1);
	x.tokens = (uint32_t *)(memory + 3 * (room + 1));
	x.scratch = x.tokens + room;
	r = expand(&x, 0, 0, NULL);
	free(memory);
	return r;
}
