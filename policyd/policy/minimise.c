/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Minimisation by partition refinement over signatures: a state's signature is the blocks its bytes
 * lead to. Whenever a block is split, its largest part keeps the number, so that only the
 * predecessors of the smaller parts need a second look: n log n, and close to linear on tries.
 * (Jacobs and Wissmann, "Fast Coalgebraic Bisimilarity Minimization", POPL 2023.)
 *
 * Exceptions that lead where any other byte leads are left out of a signature; that makes equal
 * behaviour give equal signatures although states store their exceptions differently.
 */
#include "policyd/policy/automaton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block {
	uint32_t first, end; /* in order[] */
	uint32_t dirty;	     /* order[dirty .. end) need a new signature */
};

struct refine {
	const struct dfa *dfa;
	uint32_t *block_of; /* of a state */
	uint32_t *order;    /* states, block by block */
	uint32_t *place;    /* of a state in order[] */
	struct block *blocks;
	size_t block_count;
	uint32_t *queue; /* blocks with dirty states; a ring of as many as there are states */
	size_t queue_head, queue_count;
	uint32_t *pred_start, *preds;
	struct intern signatures; /* of the block at hand */
	uint32_t *group;	  /* by position in the dirty range */
	uint32_t *sizes, *fill;	  /* of groups */
	uint32_t *sorted;
};

/* ---- setting up ------------------------------------------------------------------------------ */

static void refine_done(struct refine *f)
{
	free(f->block_of);
	free(f->order);
	free(f->place);
	free(f->blocks);
	free(f->queue);
	free(f->pred_start);
	free(f->preds);
	free(f->group);
	free(f->sizes);
	free(f->fill);
	free(f->sorted);
	intern_done(&f->signatures);
}

static uint32_t successor(const struct dfa *dfa, const struct dfa_state *s, uint32_t n)
{
	if (n == 0)
		return s->other;
	if (n == 1)
		return s->slash;
	return DFA_EDGE_TARGET(dfa->edges[s->edge + n - 2]);
}

static int predecessors(struct refine *f)
{
	const struct dfa *dfa = f->dfa;
	size_t n = dfa->count;

	f->pred_start = calloc(n + 2, sizeof(*f->pred_start));
	f->preds = malloc((2 * n + dfa->edge_count + 1) * sizeof(*f->preds));
	if (!f->pred_start || !f->preds)
		return -ENOMEM;
	/* Counted one place further on, so that filling leaves the starts where they belong. */
	for (size_t i = 0; i < n; i++)
		for (uint32_t e = 0; e < dfa->states[i].edges + 2; e++)
			f->pred_start[successor(dfa, &dfa->states[i], e) + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		f->pred_start[i] += f->pred_start[i - 1];
	for (size_t i = 0; i < n; i++)
		for (uint32_t e = 0; e < dfa->states[i].edges + 2; e++)
			f->preds[f->pred_start[successor(dfa, &dfa->states[i], e) + 1]++] = i;
	return 0;
}

static int refine_init(struct refine *f, const struct dfa *dfa)
{
	size_t n = dfa->count;

	f->dfa = dfa;
	f->block_of = malloc(n * sizeof(*f->block_of));
	f->order = malloc(n * sizeof(*f->order));
	f->place = malloc(n * sizeof(*f->place));
	f->blocks = malloc(n * sizeof(*f->blocks));
	f->queue = malloc(n * sizeof(*f->queue));
	f->group = malloc(n * sizeof(*f->group));
	f->sizes = malloc((n + 1) * sizeof(*f->sizes));
	f->fill = malloc((n + 1) * sizeof(*f->fill));
	f->sorted = malloc(n * sizeof(*f->sorted));
	if (!f->block_of || !f->order || !f->place || !f->blocks || !f->queue || !f->group ||
	    !f->sizes || !f->fill || !f->sorted)
		return -ENOMEM;
	return predecessors(f);
}

/* One block per colour, all dirty. */
static int refine_start(struct refine *f)
{
	const struct dfa *dfa = f->dfa;
	struct intern colours = { 0 };
	uint32_t at = 0;
	int r = 0;

	for (size_t i = 0; i < dfa->count && !r; i++)
		r = intern_add(&colours, &dfa->states[i].colour, 1, &f->block_of[i], NULL);
	f->block_count = colours.count;
	intern_done(&colours);
	if (r)
		return r;
	memset(f->blocks, 0, f->block_count * sizeof(*f->blocks));
	for (size_t i = 0; i < dfa->count; i++)
		f->blocks[f->block_of[i]].end++;
	for (size_t b = 0; b < f->block_count; b++) {
		struct block *block = &f->blocks[b];

		block->first = block->dirty = at;
		at += block->end;
		block->end = block->first;
		f->queue[f->queue_count++] = b;
	}
	for (size_t i = 0; i < dfa->count; i++) {
		f->place[i] = f->blocks[f->block_of[i]].end++;
		f->order[f->place[i]] = i;
	}
	return 0;
}

/* ---- refining -------------------------------------------------------------------------------- */

static void mark_dirty(struct refine *f, uint32_t state)
{
	struct block *b = &f->blocks[f->block_of[state]];
	uint32_t at = f->place[state], other;

	if (at >= b->dirty)
		return;
	if (b->dirty == b->end) {
		f->queue[(f->queue_head + f->queue_count++) % f->dfa->count] = f->block_of[state];
	}
	other = f->order[--b->dirty];
	f->order[at] = other;
	f->place[other] = at;
	f->order[b->dirty] = state;
	f->place[state] = b->dirty;
}

static int signature(struct refine *f, uint32_t state, uint32_t *ret_group)
{
	const struct dfa_state *s = &f->dfa->states[state];
	const uint32_t *edges = f->dfa->edges + s->edge;
	uint32_t words[2 + 256], other = f->block_of[s->other], to;
	size_t n = 2;

	words[0] = other;
	words[1] = f->block_of[s->slash];
	for (uint32_t i = 0; i < s->edges; i++) {
		to = f->block_of[DFA_EDGE_TARGET(edges[i])];
		if (to != other)
			words[n++] = DFA_EDGE(DFA_EDGE_BYTE(edges[i]), to);
	}
	return intern_add(&f->signatures, words, n, ret_group, NULL);
}

/* Forgets the signatures without giving the memory back, unless it is out of proportion. */
static void signatures_clear(struct refine *f, size_t expected)
{
	struct intern *in = &f->signatures;

	if (in->table_size > 256 && in->table_size / 16 > expected) {
		intern_done(in);
		return;
	}
	if (in->table)
		memset(in->table, 0, in->table_size * sizeof(*in->table));
	in->count = in->used = 0;
}

/* Numbers the dirty states of a block by signature; the clean ones all have that of group 0. */
static int group_states(struct refine *f, const struct block *b)
{
	uint32_t g;
	int r;

	signatures_clear(f, b->end - b->dirty);
	if (b->dirty > b->first) {
		r = signature(f, f->order[b->first], &g);
		if (r)
			return r;
	}
	for (uint32_t i = b->dirty; i < b->end; i++) {
		r = signature(f, f->order[i], &f->group[i - b->dirty]);
		if (r)
			return r;
	}
	return 0;
}

/* Puts the dirty states in the order of their groups; returns the number of the largest group. */
static uint32_t sort_groups(struct refine *f, const struct block *b, uint32_t groups)
{
	uint32_t dirty = b->end - b->dirty, largest = 0, at = 0;

	memset(f->sizes, 0, groups * sizeof(*f->sizes));
	for (uint32_t i = 0; i < dirty; i++)
		f->sizes[f->group[i]]++;
	for (uint32_t g = 0; g < groups; g++) {
		f->fill[g] = at;
		at += f->sizes[g];
	}
	for (uint32_t i = 0; i < dirty; i++)
		f->sorted[f->fill[f->group[i]]++] = f->order[b->dirty + i];
	for (uint32_t i = 0; i < dirty; i++) {
		f->order[b->dirty + i] = f->sorted[i];
		f->place[f->sorted[i]] = b->dirty + i;
	}
	f->sizes[0] += b->dirty - b->first;
	for (uint32_t g = 1; g < groups; g++)
		if (f->sizes[g] > f->sizes[largest])
			largest = g;
	return largest;
}

static int split(struct refine *f, uint32_t number)
{
	struct block *b = &f->blocks[number];
	uint32_t groups, largest, at, fresh = f->block_count;
	int r = group_states(f, b);

	if (r)
		return r;
	groups = f->signatures.count;
	if (groups == 1) {
		b->dirty = b->end;
		return 0;
	}
	largest = sort_groups(f, b, groups);
	at = b->first;
	for (uint32_t g = 0; g < groups; g++) {
		struct block part = { at, at + f->sizes[g], at + f->sizes[g] };
		uint32_t name = g == largest ? number : f->block_count++;

		at = part.end;
		f->blocks[name] = part;
		if (name == number)
			continue;
		for (uint32_t i = part.first; i < part.end; i++)
			f->block_of[f->order[i]] = name;
	}
	/* Marking moves states about within their block, also in these: the members are named in
	 * sorted[] no more than in order[], so each block is copied before its turn. */
	for (uint32_t n = fresh; n < f->block_count; n++) {
		struct block part = f->blocks[n];

		memcpy(f->sorted, f->order + part.first,
		       (part.end - part.first) * sizeof(*f->sorted));
		for (uint32_t i = 0; i < part.end - part.first; i++) {
			uint32_t s = f->sorted[i];

			for (uint32_t p = f->pred_start[s]; p < f->pred_start[s + 1]; p++)
				mark_dirty(f, f->preds[p]);
		}
	}
	return 0;
}

/* ---- the quotient ---------------------------------------------------------------------------- */

static int quotient_state(struct dfa *to, const struct refine *f, uint32_t state,
			  const uint32_t *names, struct dfa_state *ret_state)
{
	const struct dfa_state *s = &f->dfa->states[state];
	uint32_t target;

	*ret_state = (struct dfa_state){ .colour = s->colour,
					 .other = names[f->block_of[s->other]],
					 .slash = names[f->block_of[s->slash]],
					 .edge = to->edge_count };
	for (uint32_t i = 0; i < s->edges; i++) {
		uint32_t edge = f->dfa->edges[s->edge + i];

		target = names[f->block_of[DFA_EDGE_TARGET(edge)]];
		if (target == ret_state->other)
			continue;
		if (ARRAY_GROW(to->edges, to->edge_room, to->edge_count, 1))
			return -ENOMEM;
		to->edges[to->edge_count++] = DFA_EDGE(DFA_EDGE_BYTE(edge), target);
		ret_state->edges++;
	}
	return 0;
}

/* Numbers the blocks that a start reaches, in the order a walk meets them; sorted[] gets one state
 * of each. */
static uint32_t reachable(struct refine *f, uint32_t *names)
{
	uint32_t count = 0, b;

	memset(names, 0xff, f->block_count * sizeof(*names));
	for (size_t i = 0; i < f->dfa->start_count; i++) {
		b = f->block_of[f->dfa->starts[i]];
		if (names[b] == UINT32_MAX) {
			names[b] = count;
			f->sorted[count++] = f->order[f->blocks[b].first];
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct dfa_state *s = &f->dfa->states[f->sorted[i]];

		for (uint32_t e = 0; e < s->edges + 2; e++) {
			b = f->block_of[successor(f->dfa, s, e)];
			if (names[b] != UINT32_MAX)
				continue;
			names[b] = count;
			f->sorted[count++] = f->order[f->blocks[b].first];
		}
	}
	return count;
}

static int quotient(struct refine *f, struct dfa *to)
{
	uint32_t *names = f->fill;
	uint32_t count = reachable(f, names);
	int r = 0;

	if (ARRAY_GROW(to->states, to->room, 0, count) ||
	    ARRAY_GROW(to->edges, to->edge_room, 0, 1) ||
	    ARRAY_GROW(to->starts, to->start_room, 0, f->dfa->start_count))
		return -ENOMEM;
	for (uint32_t i = 0; i < count && !r; i++)
		r = quotient_state(to, f, f->sorted[i], names, &to->states[i]);
	to->count = count;
	for (size_t i = 0; i < f->dfa->start_count; i++)
		to->starts[to->start_count++] = names[f->block_of[f->dfa->starts[i]]];
	return r;
}

int dfa_minimise(struct dfa *dfa)
{
	struct dfa smaller = { 0 };
	struct refine f = { 0 };
	uint32_t next;
	int r;

	if (!dfa->count)
		return 0;
	r = refine_init(&f, dfa);
	if (!r)
		r = refine_start(&f);
	while (!r && f.queue_count) {
		next = f.queue[f.queue_head];
		f.queue_head = (f.queue_head + 1) % dfa->count;
		f.queue_count--;
		r = split(&f, next);
	}
	if (!r)
		r = quotient(&f, &smaller);
	refine_done(&f);
	if (r) {
		dfa_done(&smaller);
		return r;
	}
	dfa_done(dfa);
	*dfa = smaller;
	return 0;
}
