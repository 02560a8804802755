/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One effective policy: its program classes, and for each class one automaton per kind of object.
 */
#include "policyd/policy/compile_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/glob.h"

#define ACCEPT_BY 0x80000000u /* an accept that is the number of a by-pattern */
#define NO_SET UINT32_MAX

struct by_pattern {
	const struct policy *policy;
	const struct policy_string *string;
};

struct slot_build {
	struct compile_run *run;
	uint32_t slot;
	struct effective effective;
	struct by_pattern *by; /* distinct texts */
	size_t by_count, by_room;
	struct intern by_sets; /* sets of by-patterns that some path matches exactly */
	uint32_t *set_program; /* the class of a set */
	uint32_t set_count;    /* sets numbered */
	uint32_t *program_set; /* the set of a class; NO_SET: no path has it any more */
	uint32_t program_count;

	/* the automaton at hand */
	enum pd_object object;
	struct blames blames;
	struct intern infos; /* colours are numbers in it; below_* is still 0 */
	struct dfa dfa;	     /* of all classes */
	uint32_t *start_of;  /* index of its start, by class */
};

/* ---- program classes ------------------------------------------------------------------------- */

static uint32_t find_by(const struct slot_build *b, const char *text)
{
	for (size_t i = 0; i < b->by_count; i++)
		if (!strcmp(b->by[i].string->text, text))
			return i;
	return NO_SET;
}

static int collect_by(struct slot_build *b)
{
	for (size_t i = 0; i < b->effective.rule_count; i++) {
		const struct effective_rule *rule = &b->effective.rules[i];

		for (size_t n = 0; n < rule->rule->by.count; n++) {
			const struct policy_string *s = &rule->rule->by.items[n];

			if (find_by(b, s->text) != NO_SET)
				continue;
			if (ARRAY_GROW(b->by, b->by_room, b->by_count, 1))
				return -ENOMEM;
			b->by[b->by_count++] =
				(struct by_pattern){ .policy = rule->policy, .string = s };
		}
	}
	return 0;
}

/* The by-patterns into a trie; also into those of the paths, whose states tell the class. */
static int add_by(struct slot_build *b, struct nfa *nfa)
{
	uint32_t owner;
	int r = 0;

	for (size_t i = 0; i < b->by_count && !r; i++) {
		const struct policy_string *s = b->by[i].string;

		r = blame_add(&b->blames, b->by[i].policy, s->place, s->text, &owner);
		if (!r)
			r = nfa_add_glob(nfa, s->text, strlen(s->text), GLOB_ALIASES, ACCEPT_BY | i,
					 owner);
	}
	return r;
}

static int colour_by(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	struct slot_build *b = context;
	int r = intern_add(&b->by_sets, accepts, count, ret_colour, NULL);

	/* Bound this early: n patterns can overlap in 2^n ways. */
	if (!r && b->by_sets.count > COMPILE_PROGRAMS_MAX)
		return -EOVERFLOW;
	return r;
}

static int too_many_programs(const struct slot_build *b)
{
	const struct by_pattern *by = &b->by[b->by_count - 1];

	return error_at(b->run->error, -E2BIG, by->policy->files[by->string->place.file],
			by->string->place.line, by->string->place.column,
			"by: the programs of policy %s fall into more than %u classes, those of "
			"former versions of it included; use fewer or less overlapping patterns, "
			"or have the former ones forgotten: 'policyctl detach', which ends "
			"enforcement, and start policyd again",
			by->policy->name, COMPILE_PROGRAMS_MAX);
}

static int number_set(struct slot_build *b, uint32_t set, uint32_t *ret_program)
{
	const char *patterns[COMPILE_PROGRAMS_MAX + 1];
	const char **names = patterns;
	const uint32_t *words;
	size_t count;
	int r;

	words = intern_get(&b->by_sets, set, &count);
	if (count > COMPILE_PROGRAMS_MAX) {
		names = malloc((count + 1) * sizeof(*names));
		if (!names)
			return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		names[i] = b->by[words[i] & ~ACCEPT_BY].string->text;
	names[count] = NULL;
	r = numbering_program(b->run->numbering, b->slot, names, ret_program);
	if (names != patterns)
		free(names);
	return r == -E2BIG ? too_many_programs(b) : r;
}

static int find_sets(struct slot_build *b)
{
	struct nfa *nfa = nfa_new();
	struct dfa dfa = { 0 };
	uint32_t owner;
	int r = nfa ? add_by(b, nfa) : -ENOMEM;

	if (!r)
		r = dfa_build(&dfa, nfa, &b->run->budget, colour_by, b, &owner);
	if (r == -E2BIG)
		compile_too_large(b->run, &b->blames, owner);
	else if (r == -EOVERFLOW)
		r = too_many_programs(b);
	dfa_done(&dfa);
	nfa_free(nfa);
	return r;
}

static int number_programs(struct slot_build *b)
{
	uint32_t empty, program;
	int r = intern_add(&b->by_sets, NULL, 0, &empty, NULL);

	if (!r && b->by_count)
		r = find_sets(b);
	b->set_program = calloc(b->by_sets.count + 1, sizeof(*b->set_program));
	if (!b->set_program)
		return -ENOMEM;
	b->set_count = b->by_sets.count;
	for (uint32_t i = 0; i < b->set_count && !r; i++)
		r = number_set(b, i, &b->set_program[i]);
	if (r)
		return r;
	b->program_count = b->run->numbering->slots[b->slot - 1].program_count + 1;
	b->program_set = malloc(2 * b->program_count * sizeof(*b->program_set));
	if (!b->program_set)
		return -ENOMEM;
	b->start_of = b->program_set + b->program_count;
	memset(b->program_set, 0xff, b->program_count * sizeof(*b->program_set));
	for (uint32_t i = 0; i < b->by_sets.count; i++) {
		program = b->set_program[i];
		b->program_set[program] = i;
	}
	return 0;
}

/* Does a rule with `by:` apply to the programs that match exactly @set? */
static bool set_names(const struct slot_build *b, uint32_t set, const struct policy_strings *by)
{
	size_t count;
	const uint32_t *words = intern_get(&b->by_sets, set, &count);

	for (size_t i = 0; i < by->count; i++) {
		uint32_t pattern = find_by(b, by->items[i].text) | ACCEPT_BY;

		for (size_t n = 0; n < count; n++)
			if (words[n] == pattern)
				return true;
	}
	return false;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static bool concerns(enum pd_object object, const struct policy_rule *rule)
{
	switch (object) {
	case PD_OBJ_PATH:
		return rule->path_perms;
	case PD_OBJ_SOCKET:
		return rule->class == PD_CLASS_SOCKET;
	case PD_OBJ_CAPABILITY:
		return rule->capabilities;
	default:
		return rule->guards;
	}
}

static int add_paths(struct slot_build *b, struct nfa *nfa, const struct effective_rule *rule,
		     uint32_t accept)
{
	uint32_t any = TOKEN_GLOBSTAR, owner = 0;
	int r = 0;

	if (!rule->rule->paths.count)
		return nfa_add(nfa, &any, 1, accept, owner);
	for (size_t i = 0; i < rule->rule->paths.count && !r; i++) {
		const struct policy_string *s = &rule->rule->paths.items[i];

		r = blame_add(&b->blames, rule->policy, s->place, s->text, &owner);
		if (!r)
			r = nfa_add_glob(nfa, s->text, strlen(s->text),
					 GLOB_ALIASES | GLOB_DIRECTORY, accept, owner);
	}
	return r;
}

static int add_numbers(struct nfa *nfa, uint64_t numbers, uint32_t accept, uint32_t owner)
{
	struct byteset set = { { numbers, 0, 0, 0 } };
	uint32_t token;
	int r = nfa_set(nfa, &set, &token);

	return r ? r : nfa_add(nfa, &token, 1, accept, owner);
}

static int add_rule(struct slot_build *b, struct nfa *nfa, uint32_t index)
{
	const struct effective_rule *rule = &b->effective.rules[index];
	uint32_t owner, accept = EFFECTIVE_ACCEPT(index, 0);
	int r;

	if (b->object == PD_OBJ_PATH)
		return add_paths(b, nfa, rule, accept);
	r = blame_add(&b->blames, rule->policy, rule->rule->place, NULL, &owner);
	if (r)
		return r;
	if (b->object == PD_OBJ_SOCKET)
		return socket_add_rule(nfa, rule->rule, index, owner);
	return add_numbers(
		nfa, b->object == PD_OBJ_GUARD ? rule->rule->guards : rule->rule->capabilities,
		accept, owner);
}

/* ---- one automaton --------------------------------------------------------------------------- */

static int colour(void *context, const uint32_t *accepts, size_t count, uint32_t *ret_colour)
{
	struct slot_build *b = context;
	uint32_t words[EFFECTIVE_INFO_WORDS], set;
	struct pd_info *info = (struct pd_info *)words;
	size_t rules = count, n;
	int r;

	while (rules && accepts[rules - 1] & ACCEPT_BY)
		rules--;
	n = effective_info(&b->effective, b->object, accepts, rules, words);
	if (rules < count) {
		r = intern_add(&b->by_sets, accepts + rules, count - rules, &set, NULL);
		if (r)
			return r;
		if (set < b->set_count)
			info->program = b->set_program[set];
	}
	return intern_add(&b->infos, words, n, ret_colour, NULL);
}

/* Does a class have rules of this kind that class 0 does not have? */
static bool differs(const struct slot_build *b, uint32_t program)
{
	for (size_t i = 0; i < b->effective.rule_count; i++) {
		const struct policy_rule *rule = b->effective.rules[i].rule;

		if (rule->by.count && concerns(b->object, rule) &&
		    set_names(b, b->program_set[program], &rule->by))
			return true;
	}
	return false;
}

static int determinise(struct slot_build *b, const struct nfa *nfa)
{
	struct dfa one = { 0 };
	uint32_t owner = 0;
	int r = dfa_build(&one, nfa, &b->run->budget, colour, b, &owner);

	if (r == -E2BIG)
		compile_too_large(b->run, &b->blames, owner);
	if (!r)
		r = dfa_minimise(&one);
	if (!r && b->dfa.count + one.count > COMPILE_SLOT_STATES_MAX)
		r = error_set(
			b->run->error, -E2BIG,
			"policy %s needs more than %u states for its programs named by by: use "
			"fewer of them",
			b->effective.rules[0].policy->name, COMPILE_SLOT_STATES_MAX);
	if (!r && !b->dfa.count) {
		b->dfa = one;
		return 0;
	}
	if (!r)
		r = dfa_append(&b->dfa, &one);
	dfa_done(&one);
	return r;
}

static int build_program(struct slot_build *b, uint32_t program)
{
	struct nfa *nfa = nfa_new();
	int r = nfa ? 0 : -ENOMEM;

	b->blames.count = 0;
	for (uint32_t i = 0; i < b->effective.rule_count && !r; i++) {
		const struct policy_rule *rule = b->effective.rules[i].rule;

		if (concerns(b->object, rule) &&
		    (!rule->by.count || set_names(b, b->program_set[program], &rule->by)))
			r = add_rule(b, nfa, i);
	}
	if (!r && b->object == PD_OBJ_PATH)
		r = add_by(b, nfa);
	if (!r)
		r = determinise(b, nfa);
	else if (r == -E2BIG)
		error_set(b->run->error, -E2BIG, "policy %s has too many patterns",
			  b->effective.rule_count ? b->effective.rules[0].policy->name : "");
	nfa_free(nfa);
	return r;
}

static int build_automata(struct slot_build *b)
{
	int r = 0;

	for (uint32_t p = 0; p < b->program_count && !r; p++) {
		b->start_of[p] = 0;
		if (p && (b->program_set[p] == NO_SET || !differs(b, p)))
			continue;
		b->start_of[p] = b->dfa.start_count;
		r = build_program(b, p);
	}
	if (!r && b->dfa.start_count > 1)
		r = dfa_minimise(&b->dfa);
	return r;
}

/* ---- into the image -------------------------------------------------------------------------- */

/* What states grant, E in the lower half and T in the upper. */
static int gather_below(const struct slot_build *b, struct dfa_reach *reach)
{
	uint32_t all = effective_all_perms(b->object);
	size_t words;

	for (size_t i = 0; i < b->dfa.count; i++) {
		const struct pd_info *info = (const struct pd_info *)intern_get(
			&b->infos, b->dfa.states[i].colour, &words);

		reach[i].any = (all & ~info->deny_e) | (uint64_t)(all & ~info->deny_t) << 32;
		reach[i].all = reach[i].any;
	}
	return dfa_gather(&b->dfa, reach);
}

static int write_info(const struct slot_build *b, uint32_t state, const struct dfa_reach *below,
		      uint32_t *ret_offset)
{
	uint32_t words[EFFECTIVE_INFO_WORDS];
	struct pd_info *info = (struct pd_info *)words;
	size_t count;
	const uint32_t *colour_words = intern_get(&b->infos, b->dfa.states[state].colour, &count);
	const struct pd_info *own = (const struct pd_info *)colour_words;

	memcpy(words, colour_words, count * sizeof(*words));
	b->run->decides[b->object] |= own->deny_e | own->deny_t | own->audit;
	if (below) {
		info->below_e_any = below->any;
		info->below_e_all = below->all;
		info->below_t_any = below->any >> 32;
		info->below_t_all = below->all >> 32;
	}
	return image_share(&b->run->image, words, count, ret_offset);
}

static int write_infos(const struct slot_build *b, uint32_t *offsets)
{
	struct dfa_reach *reach = NULL;
	int r = 0;

	if (b->object == PD_OBJ_PATH) {
		reach = malloc((b->dfa.count + 1) * sizeof(*reach));
		if (!reach)
			return -ENOMEM;
		r = gather_below(b, reach);
	}
	for (uint32_t i = 0; i < b->dfa.count && !r; i++)
		r = write_info(b, i, reach ? &reach[b->dfa.states[i].slash] : NULL, &offsets[i]);
	free(reach);
	return r;
}

/* Numbers below 64 for which nothing is refused and nobody watches. */
static uint64_t free_numbers(const struct slot_build *b, uint32_t start)
{
	uint64_t numbers = 0;
	size_t words;

	for (unsigned int n = 0; n < 64; n++) {
		uint32_t state = dfa_next(&b->dfa, start, n);
		const struct pd_info *info = (const struct pd_info *)intern_get(
			&b->infos, b->dfa.states[state].colour, &words);

		if (!((info->deny_e | info->deny_t | info->audit) & PD_USE))
			numbers |= 1ull << n;
	}
	return numbers;
}

static int write_automata(struct slot_build *b, struct pd_program *programs)
{
	struct pd_automaton *starts = calloc(b->dfa.start_count, sizeof(*starts));
	uint32_t *infos = malloc((b->dfa.count + 1) * sizeof(*infos));
	int r = starts && infos ? write_infos(b, infos) : -ENOMEM;

	if (!r)
		r = image_automata(&b->run->image, &b->dfa, infos, starts);
	for (uint32_t p = 0; p < b->program_count && !r; p++) {
		uint64_t free_mask = 0;

		programs[p].objects[b->object] = starts[b->start_of[p]];
		if (b->object == PD_OBJ_CAPABILITY || b->object == PD_OBJ_GUARD)
			free_mask = free_numbers(b, b->dfa.starts[b->start_of[p]]);
		if (b->object == PD_OBJ_CAPABILITY)
			programs[p].capabilities = free_mask;
		if (b->object != PD_OBJ_GUARD)
			continue;
		programs[p].guards = free_mask & ((1u << PD_GUARD_COUNT) - 2);
		b->run->guards |= ~programs[p].guards;
	}
	b->run->stats.states += b->dfa.count;
	free(infos);
	free(starts);
	return r;
}

static int build_object(struct slot_build *b, enum pd_object object, struct pd_program *programs)
{
	int r;

	b->object = object;
	r = build_automata(b);
	if (!r)
		r = write_automata(b, programs);
	intern_done(&b->infos);
	dfa_done(&b->dfa);
	return r;
}

static void slot_build_done(struct slot_build *b)
{
	effective_done(&b->effective);
	free(b->by);
	intern_done(&b->by_sets);
	free(b->set_program);
	free(b->program_set);
	free(b->blames.items);
	intern_done(&b->infos);
	dfa_done(&b->dfa);
}

int compile_programs(struct compile_run *run, uint32_t slot,
		     const struct effective_policy *const *members, size_t count,
		     struct pd_slot *ret_slot)
{
	struct slot_build b = { .run = run, .slot = slot };
	struct pd_program *programs = NULL;
	int r = effective_init(&b.effective, members, count);

	if (!r)
		r = collect_by(&b);
	if (!r)
		r = number_programs(&b);
	if (!r) {
		programs = calloc(b.program_count, sizeof(*programs));
		if (!programs)
			r = -ENOMEM;
	}
	for (int object = 0; object < PD_OBJ_COUNT && !r; object++)
		r = build_object(&b, object, programs);
	if (!r)
		r = image_reserve(&run->image, b.program_count * sizeof(*programs), 8,
				  &ret_slot->programs);
	if (!r) {
		memcpy(image_at(&run->image, ret_slot->programs), programs,
		       b.program_count * sizeof(*programs));
		ret_slot->program_count = b.program_count;
		ret_slot->flags = (b.by_count ? PD_SLOT_BY : 0) |
				  (b.effective.recheck ? PD_SLOT_RECHECK : 0);
		run->defaults[slot] = b.effective.defaults;
		run->recheck |= b.effective.recheck || b.effective.append_only;
	}
	free(programs);
	slot_build_done(&b);
	return r;
}
