/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subset construction. A state is a set of trie nodes. Most nodes mention one or two bytes, so
 * a state stores where "any other byte" and '/' lead and the exceptions; there are no tables.
 */
#include "policyd/policy/automaton_nfa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct move {
	uint32_t byte;
	uint32_t node; /* UINT32_MAX: the byte is mentioned, but only by what excludes it */
};

struct subset {
	struct dfa *dfa;
	const struct nfa *nfa;
	struct intern sets; /* number n is state first + n */
	struct intern accepts;
	uint32_t *colours; /* of an accept set; as many as accepts has */
	size_t colour_room;
	size_t first, states_max;
	uint64_t work_max;
	dfa_colour_fn *colour;
	void *context;
	uint64_t work;

	uint32_t *set; /* the set being made */
	size_t set_count;
	uint32_t *stamps; /* set number a node was last added to */
	uint32_t stamp;
	uint32_t *base_any, *base_other; /* where all bytes, and all but '/', lead at least */
	size_t base_any_count, base_other_count;
	uint32_t *wide; /* children by a token that takes most bytes */
	size_t wide_count, wide_room;
	struct move *moves;
	size_t move_count, move_room;
	uint32_t *found; /* accepts of a state */
	size_t found_room;
};

/* ---- sets ------------------------------------------------------------------------------------ */

static void set_begin(struct subset *s)
{
	s->set_count = 0;
	s->stamp++;
}

/* Adds a node and what is reached from it without a byte. */
static void set_add(struct subset *s, uint32_t node)
{
	while (node || !s->set_count) {
		const struct nfa_node *n = &s->nfa->nodes[node];

		if (s->stamps[node] == s->stamp)
			return;
		s->stamps[node] = s->stamp;
		s->set[s->set_count++] = node;
		if (n->star && n->globstar)
			set_add(s, n->star);
		node = n->globstar ? n->globstar : n->star;
	}
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void words_sort(uint32_t *words, size_t count)
{
	uint32_t w;
	size_t j;

	if (count > 24) {
		qsort(words, count, sizeof(*words), compare_words);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		w = words[i];
		for (j = i; j && words[j - 1] > w; j--)
			words[j] = words[j - 1];
		words[j] = w;
	}
}

/* The state of the set; a new one is noted but not yet looked at. */
static int set_state(struct subset *s, uint32_t *ret_state)
{
	uint32_t number;
	bool is_new;

	words_sort(s->set, s->set_count);
	s->work += s->set_count + 1;
	if (intern_add(&s->sets, s->set, s->set_count, &number, &is_new))
		return -ENOMEM;
	if (s->work > s->work_max || (is_new && (s->sets.count > s->states_max ||
						 s->first + s->sets.count > DFA_STATES_MAX)))
		return -E2BIG;
	*ret_state = s->first + number;
	return 0;
}

static void set_add_all(struct subset *s, const uint32_t *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->stamps[nodes[i]] = s->stamp;
		s->set[s->set_count++] = nodes[i];
	}
}

/* ---- one state ------------------------------------------------------------------------------- */

static int state_colour(struct subset *s, const uint32_t *nodes, size_t count, uint32_t *ret_colour)
{
	size_t found = 0, kept = 0;
	uint32_t number;
	bool is_new;
	int r;

	for (size_t i = 0; i < count; i++) {
		uint32_t a = s->nfa->nodes[nodes[i]].accept;

		for (; a; a = s->nfa->accepts[a - 1].next) {
			if (ARRAY_GROW(s->found, s->found_room, found, 1))
				return -ENOMEM;
			s->found[found++] = s->nfa->accepts[a - 1].accept;
		}
	}
	s->work += found;
	words_sort(s->found, found);
	for (size_t i = 0; i < found; i++)
		if (!i || s->found[i] != s->found[i - 1])
			s->found[kept++] = s->found[i];
	if (intern_add(&s->accepts, s->found, kept, &number, &is_new) ||
	    ARRAY_GROW(s->colours, s->colour_room, number, 1))
		return -ENOMEM;
	if (is_new) {
		r = s->colour(s->context, s->found, kept, &s->colours[number]);
		if (r)
			return r;
	}
	*ret_colour = s->colours[number];
	return 0;
}

static int move_add(struct subset *s, uint32_t byte, uint32_t node)
{
	if (ARRAY_GROW(s->moves, s->move_room, s->move_count, 1))
		return -ENOMEM;
	s->moves[s->move_count++] = (struct move){ .byte = byte, .node = node };
	return 0;
}

/* A set of most bytes is part of the rule, its complement the exception. */
static int set_moves(struct subset *s, uint32_t token, uint32_t child)
{
	const struct byteset *set = nfa_get_set(s->nfa, token);
	unsigned int count = 0;
	bool wide;

	for (int i = 0; i < 4; i++)
		count += __builtin_popcountll(set->bits[i]);
	wide = count > 128;
	if (wide) {
		if (ARRAY_GROW(s->wide, s->wide_room, s->wide_count, 1))
			return -ENOMEM;
		s->wide[s->wide_count++] = child;
	}
	for (unsigned int byte = 0; byte < 256 && count - 1 < 255; byte++)
		if (byteset_has(set, byte) != wide && move_add(s, byte, wide ? UINT32_MAX : child))
			return -ENOMEM;
	return 0;
}

/* Sorts what the nodes of a state do with the next byte into bases and moves. */
static int gather(struct subset *s, const uint32_t *nodes, size_t count)
{
	s->base_any_count = s->base_other_count = s->wide_count = s->move_count = 0;
	set_begin(s);
	for (size_t i = 0; i < count; i++)
		if (s->nfa->nodes[nodes[i]].token == TOKEN_GLOBSTAR)
			set_add(s, nodes[i]);
	memcpy(s->base_any, s->set, s->set_count * sizeof(*s->set));
	s->base_any_count = s->set_count;
	for (size_t i = 0; i < count; i++)
		if (s->nfa->nodes[nodes[i]].token == TOKEN_STAR)
			set_add(s, nodes[i]);
	memcpy(s->base_other, s->set, s->set_count * sizeof(*s->set));
	s->base_other_count = s->set_count;
	for (size_t i = 0; i < count; i++) {
		uint32_t child = s->nfa->nodes[nodes[i]].first;

		for (; child; child = s->nfa->nodes[child].next) {
			uint32_t token = s->nfa->nodes[child].token;
			int r;

			s->work++;
			if (TOKEN_KIND(token) == TOKEN_BYTE)
				r = move_add(s, TOKEN_VALUE(token), child);
			else
				r = set_moves(s, token, child);
			if (r)
				return r;
		}
	}
	return 0;
}

/* Where one byte leads; @moves are those that mention it. UINT32_MAX: a byte nobody mentions. */
static int target(struct subset *s, uint32_t byte, const struct move *moves, size_t count,
		  uint32_t *ret_state)
{
	set_begin(s);
	if (byte == '/')
		set_add_all(s, s->base_any, s->base_any_count);
	else
		set_add_all(s, s->base_other, s->base_other_count);
	for (size_t i = 0; i < s->wide_count; i++) {
		uint32_t token = s->nfa->nodes[s->wide[i]].token;

		if (byte == UINT32_MAX || byteset_has(nfa_get_set(s->nfa, token), byte))
			set_add(s, s->wide[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (moves[i].node != UINT32_MAX)
			set_add(s, moves[i].node);
	return set_state(s, ret_state);
}

static int compare_moves(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	return x->byte < y->byte ? -1 : x->byte > y->byte;
}

static void moves_sort(struct move *moves, size_t count)
{
	struct move m;
	size_t j;

	if (count > 24) {
		qsort(moves, count, sizeof(*moves), compare_moves);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		m = moves[i];
		for (j = i; j && moves[j - 1].byte > m.byte; j--)
			moves[j] = moves[j - 1];
		moves[j] = m;
	}
}

static int state_edges(struct subset *s, struct dfa_state *state)
{
	size_t at, next;
	uint32_t to;
	int r;

	r = target(s, UINT32_MAX, NULL, 0, &state->other);
	if (r)
		return r;
	moves_sort(s->moves, s->move_count);
	state->edge = s->dfa->edge_count;
	state->slash = UINT32_MAX;
	for (at = 0; at < s->move_count; at = next) {
		for (next = at + 1; next < s->move_count; next++)
			if (s->moves[next].byte != s->moves[at].byte)
				break;
		r = target(s, s->moves[at].byte, s->moves + at, next - at, &to);
		if (r)
			return r;
		if (s->moves[at].byte == '/') {
			state->slash = to;
			continue;
		}
		if (to == state->other)
			continue;
		if (ARRAY_GROW(s->dfa->edges, s->dfa->edge_room, s->dfa->edge_count, 1))
			return -ENOMEM;
		s->dfa->edges[s->dfa->edge_count++] = DFA_EDGE(s->moves[at].byte, to);
		state->edges++;
	}
	if (state->slash == UINT32_MAX)
		return target(s, '/', NULL, 0, &state->slash);
	return 0;
}

/* When every byte is an exception, nothing leads to `other`: it must not make anything seem
 * reachable. */
static void state_trim(struct subset *s, struct dfa_state *state)
{
	if (state->edges == 255)
		state->other = DFA_EDGE_TARGET(s->dfa->edges[state->edge]);
}

static int state_build(struct subset *s, uint32_t number, uint32_t *nodes, size_t count)
{
	struct dfa_state state = { 0 };
	int r;

	r = state_colour(s, nodes, count, &state.colour);
	if (!r)
		r = gather(s, nodes, count);
	if (!r)
		r = state_edges(s, &state);
	if (r)
		return r;
	state_trim(s, &state);
	if (ARRAY_GROW(s->dfa->states, s->dfa->room, s->first + number, 1))
		return -ENOMEM;
	s->dfa->states[s->dfa->count++] = state;
	return 0;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Whose nodes are in most states? Literal nodes count too: they are there because of a star. */
static void blame(const struct subset *s, uint32_t *ret_owner)
{
	uint32_t owners = 0, *score;
	size_t best = 0;

	for (size_t i = 0; i < s->nfa->count; i++)
		if (s->nfa->nodes[i].owner >= owners)
			owners = s->nfa->nodes[i].owner + 1;
	*ret_owner = 0;
	score = calloc(owners + 1, sizeof(*score));
	if (!score)
		return;
	for (size_t i = 0; i < s->sets.used; i++)
		if (s->sets.words[i])
			score[s->nfa->nodes[s->sets.words[i]].owner]++;
	for (size_t i = 0; i < owners; i++)
		if (score[i] > score[best])
			best = i;
	*ret_owner = best;
	free(score);
}

static int build(struct subset *s)
{
	uint32_t start, *nodes = NULL;
	size_t room = 0, count;
	const uint32_t *set;
	int r;

	set_begin(s);
	set_add(s, 0);
	r = set_state(s, &start);
	if (!r && (ARRAY_GROW(s->dfa->starts, s->dfa->start_room, s->dfa->start_count, 1) ||
		   ARRAY_GROW(s->dfa->edges, s->dfa->edge_room, s->dfa->edge_count, 1)))
		r = -ENOMEM;
	if (!r)
		s->dfa->starts[s->dfa->start_count++] = start;
	for (uint32_t i = 0; i < s->sets.count && !r; i++) {
		set = intern_get(&s->sets, i, &count);
		r = ARRAY_GROW(nodes, room, 0, count + 1);
		if (r)
			break;
		/* The table moves when it grows. */
		memcpy(nodes, set, count * sizeof(*set));
		r = state_build(s, i, nodes, count);
	}
	free(nodes);
	return r;
}

int dfa_build(struct dfa *dfa, const struct nfa *nfa, struct dfa_budget *budget,
	      dfa_colour_fn *colour, void *context, uint32_t *ret_owner)
{
	struct subset s = { .dfa = dfa,
			    .nfa = nfa,
			    .first = dfa->count,
			    .states_max = budget->states,
			    .work_max = budget->work < budget->total_work ? budget->work :
									    budget->total_work,
			    .colour = colour,
			    .context = context };
	uint32_t *memory = calloc(4 * nfa->count, sizeof(*memory));
	int r = -ENOMEM;

	if (memory) {
		s.set = memory;
		s.stamps = memory + nfa->count;
		s.base_any = memory + 2 * nfa->count;
		s.base_other = memory + 3 * nfa->count;
		r = build(&s);
	}
	budget->total_work -= s.work < budget->total_work ? s.work : budget->total_work;
	if (r == -E2BIG)
		blame(&s, ret_owner);
	free(memory);
	free(s.colours);
	free(s.wide);
	free(s.moves);
	free(s.found);
	intern_done(&s.sets);
	intern_done(&s.accepts);
	return r;
}
