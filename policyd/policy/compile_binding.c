/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match: entries that need no container: an automaton over cgroup paths gives a row, one over
 * program paths a column, and the table of both the effective policy.
 */
#include "policyd/policy/compile_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/glob.h"

#define CELLS_MAX (256u << 10) /* a megabyte of the image */

/* The distinct globs of one key of match: and the sets of them that some name matches exactly. */
struct axis {
	struct compile_run *run;
	const char **texts;
	size_t count, room;
	struct blames blames;
	struct intern sets; /* set 0 is the empty one */
	bool *in;	    /* by pattern: in the set at hand */
};

/* An entry as indexes into the axes; SIZE_MAX: the key is absent and anything matches. */
struct entry {
	size_t policy, cgroup, exe;
};

struct binding {
	struct compile_run *run;
	struct axis cgroups, exes;
	struct entry *entries; /* by policy */
	size_t count, room;
	struct intern members; /* sets of policies met so far */
	uint32_t *slots;       /* of such a set */
	size_t slot_room;
	enum pd_unknown unknown;
};

static int axis_pattern(struct axis *axis, const struct policy *policy,
			const struct policy_match *match, const char *text, size_t *ret_index)
{
	uint32_t owner;
	size_t i;

	*ret_index = SIZE_MAX;
	if (!text)
		return 0;
	for (i = 0; i < axis->count; i++)
		if (!strcmp(axis->texts[i], text))
			break;
	*ret_index = i;
	if (i < axis->count)
		return 0;
	if (ARRAY_GROW(axis->texts, axis->room, axis->count, 1) ||
	    blame_add(&axis->blames, policy, match->place, text, &owner))
		return -ENOMEM;
	axis->texts[axis->count++] = text;
	return 0;
}

static int members_slot(struct binding *b, const uint32_t *members, size_t count,
			uint32_t *ret_slot);

/* A container comes to have a slot when it starts; so that hooks are there by then, its policy has one that
 * it is alone in. */
static int expect_containers(struct binding *b, uint32_t policy)
{
	uint32_t slot;

	b->run->holds = b->run->input->unknown == PD_UNKNOWN_HOLD;
	b->unknown = b->run->input->unknown;
	return members_slot(b, &policy, 1, &slot);
}

static int collect(struct binding *b)
{
	int r;

	for (size_t p = 0; p < b->run->policy_count; p++) {
		const struct policy *policy = b->run->policies[p].policy;

		for (size_t i = 0; i < policy->match_count; i++) {
			const struct policy_match *m = &policy->matches[i];
			struct entry *e;

			if (policy_match_asks_runtime(m)) {
				r = expect_containers(b, p);
				if (r)
					return r;
				continue;
			}
			if (!m->cgroup && !m->exe)
				continue;
			if (ARRAY_GROW(b->entries, b->room, b->count, 1))
				return -ENOMEM;
			e = &b->entries[b->count++];
			e->policy = p;
			if (axis_pattern(&b->cgroups, policy, m, m->cgroup, &e->cgroup) ||
			    axis_pattern(&b->exes, policy, m, m->exe, &e->exe))
				return -ENOMEM;
		}
	}
	return 0;
}

/* ---- one axis -------------------------------------------------------------------------------- */

static int colour(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	struct axis *axis = context;
	int r = intern_add(&axis->sets, accepts, count, ret_colour, NULL);

	if (!r && axis->sets.count > UINT16_MAX)
		return -EOVERFLOW;
	return r;
}

static int too_many(const struct compile_run *run)
{
	return error_set(run->error, -E2BIG,
			 "match: the cgroup: and exe: patterns of all policies can be combined in "
			 "more than %u ways; use fewer or less overlapping ones",
			 CELLS_MAX);
}

static int axis_write(struct axis *axis, const struct dfa *dfa, struct pd_automaton *ret_automaton)
{
	struct compile_run *run = axis->run;
	uint32_t *infos = malloc((dfa->count + 1) * sizeof(*infos));
	int r = infos ? 0 : -ENOMEM;

	for (size_t i = 0; i < dfa->count && !r; i++) {
		struct pd_info info = { .program = dfa->states[i].colour };
		uint32_t words[sizeof(info) / 4];

		memcpy(words, &info, sizeof(info));
		r = image_share(&run->image, words, sizeof(info) / 4, &infos[i]);
	}
	if (!r)
		r = image_automata(&run->image, dfa, infos, ret_automaton);
	run->stats.states += dfa->count;
	free(infos);
	return r;
}

static int axis_build(struct axis *axis, unsigned int flags, struct pd_automaton *ret_automaton)
{
	struct nfa *nfa = nfa_new();
	struct dfa dfa = { 0 };
	uint32_t owner = 0, empty;
	int r = nfa ? intern_add(&axis->sets, NULL, 0, &empty, NULL) : -ENOMEM;

	for (size_t i = 0; i < axis->count && !r; i++)
		r = nfa_add_glob(nfa, axis->texts[i], strlen(axis->texts[i]), flags, i, i);
	if (!r)
		r = dfa_build(&dfa, nfa, &axis->run->budget, colour, axis, &owner);
	if (r == -E2BIG)
		compile_too_large(axis->run, &axis->blames, owner);
	else if (r == -EOVERFLOW)
		r = too_many(axis->run);
	if (!r)
		r = dfa_minimise(&dfa);
	if (!r)
		r = axis_write(axis, &dfa, ret_automaton);
	dfa_done(&dfa);
	nfa_free(nfa);
	return r;
}

/* Marks the patterns of a set. */
static void axis_mark(struct axis *axis, uint32_t set)
{
	size_t count;
	const uint32_t *words = intern_get(&axis->sets, set, &count);

	memset(axis->in, 0, axis->count * sizeof(*axis->in));
	for (size_t i = 0; i < count; i++)
		axis->in[words[i]] = true;
}

static void axis_done(struct axis *axis)
{
	free(axis->texts);
	free(axis->blames.items);
	intern_done(&axis->sets);
	free(axis->in);
}

/* ---- the table ------------------------------------------------------------------------------- */

static int members_slot(struct binding *b, const uint32_t *members, size_t count,
			uint32_t *ret_slot)
{
	const char **names;
	uint32_t number;
	bool is_new;
	int r;

	*ret_slot = 0;
	if (!count)
		return 0;
	if (intern_add(&b->members, members, count, &number, &is_new) ||
	    ARRAY_GROW(b->slots, b->slot_room, number, 1))
		return -ENOMEM;
	if (is_new) {
		names = malloc((count + 1) * sizeof(*names));
		if (!names)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++)
			names[i] = b->run->policies[members[i]].policy->name;
		names[count] = NULL;
		r = numbering_slot(b->run->numbering, names, &b->slots[number]);
		free(names);
		if (r)
			return r;
	}
	*ret_slot = b->slots[number];
	return 0;
}

static int fill_cell(struct binding *b, uint32_t *members, uint32_t *ret_slot)
{
	size_t count = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct entry *e = &b->entries[i];

		if ((e->cgroup == SIZE_MAX || b->cgroups.in[e->cgroup]) &&
		    (e->exe == SIZE_MAX || b->exes.in[e->exe]) &&
		    (!count || members[count - 1] != e->policy))
			members[count++] = e->policy;
	}
	return members_slot(b, members, count, ret_slot);
}

static int fill_table(struct binding *b, uint32_t *table)
{
	uint32_t *members = malloc((b->count + 1) * sizeof(*members));
	int r = members ? 0 : -ENOMEM;

	for (uint32_t row = 0; row < b->cgroups.sets.count && !r; row++) {
		axis_mark(&b->cgroups, row);
		for (uint32_t column = 0; column < b->exes.sets.count && !r; column++) {
			axis_mark(&b->exes, column);
			r = fill_cell(b, members, table++);
		}
	}
	free(members);
	if (r == -E2BIG)
		error_set(b->run->error, -E2BIG,
			  "match: the policies can be combined in more than %u ways, those of "
			  "policies unloaded since policyd was first started included; use less "
			  "overlapping cgroup: and exe: patterns",
			  COMPILE_SLOTS_MAX);
	return r;
}

static int write_table(struct binding *b)
{
	struct pd_image *header = image_at(&b->run->image, 0);
	size_t rows = b->cgroups.sets.count, columns = b->exes.sets.count;
	int r;

	if (rows > CELLS_MAX / columns)
		return too_many(b->run);
	b->cgroups.in = calloc(b->cgroups.count + 1, sizeof(bool));
	b->exes.in = calloc(b->exes.count + 1, sizeof(bool));
	if (!b->cgroups.in || !b->exes.in)
		return -ENOMEM;
	header->unknown = b->unknown;
	header->bind_rows = rows;
	header->bind_columns = columns;
	r = image_reserve(&b->run->image, rows * columns * sizeof(uint32_t), 4,
			  &header->bind_table);
	return r ? r : fill_table(b, image_at(&b->run->image, header->bind_table));
}

int compile_binding(struct compile_run *run)
{
	struct binding b = { .run = run, .cgroups = { .run = run }, .exes = { .run = run } };
	struct pd_image *header = image_at(&run->image, 0);
	int r = collect(&b);

	/* What runs in a bound cgroup may make cgroups below it: they are bound too. */
	if (!r)
		r = axis_build(&b.cgroups, GLOB_BELOW, &header->bind_cgroup);
	if (!r)
		r = axis_build(&b.exes, GLOB_ALIASES, &header->bind_exe);
	if (!r)
		r = write_table(&b);
	axis_done(&b.cgroups);
	axis_done(&b.exes);
	free(b.entries);
	intern_done(&b.members);
	free(b.slots);
	return r;
}
