/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/compile_run.h"
#include "policyd/policy/symbols.h"

void compiled_free(struct compiled *compiled)
{
	if (!compiled)
		return;
	free(compiled->image);
	free(compiled);
}

/* ---- errors ---------------------------------------------------------------------------------- */

int blame_add(struct blames *blames, const struct policy *policy, struct policy_place place,
	      const char *text, uint32_t *ret_owner)
{
	if (ARRAY_GROW(blames->items, blames->room, blames->count, 1))
		return -ENOMEM;
	blames->items[blames->count] =
		(struct blame){ .policy = policy, .place = place, .text = text };
	*ret_owner = blames->count++;
	return 0;
}

int compile_too_large(const struct compile_run *run, const struct blames *blames, uint32_t owner)
{
	const struct blame *b;
	const char *file;

	if (owner >= blames->count)
		return error_set(run->error, -E2BIG,
				 "the patterns of the policies are too complex");
	b = &blames->items[owner];
	file = b->place.file < b->policy->file_count ? b->policy->files[b->place.file] : NULL;
	return error_at(
		run->error, -E2BIG, file, b->place.line, b->place.column,
		"the patterns of policy %s are too complex together; %s%.200s%s contributes "
		"most: use fewer '*' and '**' in the middle of patterns",
		b->policy->name, b->text ? "\"" : "this rule", b->text ? b->text : "",
		b->text ? "\"" : "");
}

int compile_failed(const struct compile_run *run, int code)
{
	if (run->error && run->error->text[0])
		return code;
	if (code == -ENOMEM)
		return error_set(run->error, code, "out of memory");
	if (code == -E2BIG)
		return error_set(run->error, code,
				 "the compiled policies do not fit into %u MiB; policy %s takes "
				 "most of it (%zu KiB)",
				 PD_IMAGE_SIZE >> 20, run->largest ? run->largest->name : "?",
				 run->largest_size >> 10);
	return error_set(run->error, code, "the policies cannot be compiled");
}

/* ---- policies -------------------------------------------------------------------------------- */

static int compare_policies(const void *a, const void *b)
{
	const struct policy *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int check_names(struct compile_run *run)
{
	size_t count = run->input->policy_count;
	const struct policy **sorted = malloc((count + 1) * sizeof(*sorted));
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		sorted[i] = run->input->policies[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_policies);
	for (size_t i = 1; i < count && !r; i++) {
		const struct policy *p = sorted[i], *other = sorted[i - 1];

		if (strcmp(p->name, other->name) != 0)
			continue;
		r = error_at(run->error, -EINVAL, p->file_count ? p->files[0] : NULL,
			     p->name_place.line, p->name_place.column,
			     "name: there is another policy %s in %s", p->name,
			     other->file_count ? other->files[0] : "the same set");
	}
	free(sorted);
	return r;
}

static int collect_policies(struct compile_run *run, uint32_t *ret_symbols)
{
	uint32_t next = 1;
	int r = check_names(run);

	if (r)
		return r;
	run->policies = calloc(run->input->policy_count + 1, sizeof(*run->policies));
	if (!run->policies)
		return -ENOMEM;
	for (size_t i = 0; i < run->input->policy_count; i++) {
		const struct policy *policy = run->input->policies[i];
		struct effective_policy *p = &run->policies[run->policy_count];

		if (policy->mode == POLICY_DISABLED)
			continue;
		p->policy = policy;
		p->mode = run->input->rescue ? POLICY_AUDIT : policy->mode;
		run->stats.rules += policy->rule_count;
		run->policy_count++;
		r = symbols_number(p, &next);
		if (r)
			return r;
	}
	if (run->policy_count > UINT16_MAX)
		return error_set(run->error, -E2BIG, "there are more than %u policies", UINT16_MAX);
	*ret_symbols = next;
	return 0;
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* The slots while they are written. */
struct slots {
	uint32_t offset;			 /* of struct pd_slot[] in the image */
	const struct effective_policy **members; /* of the slot at hand */
	uint32_t *indexes;			 /* the same as numbers */
	struct intern sets;			 /* sets of members met */
	uint32_t set;				 /* number of the one at hand */
	uint32_t *first;			 /* by set: the first slot with it */
	size_t first_room;
};

/* Each policy alone, for policyctl run, and the sets the caller knows of. */
static int add_slots(struct compile_run *run)
{
	uint32_t slot;
	int r = 0;

	for (size_t i = 0; i < run->policy_count && !r; i++) {
		const char *names[] = { run->policies[i].policy->name, NULL };

		r = numbering_slot(run->numbering, names, &slot);
	}
	for (size_t i = 0; i < run->input->extra_set_count && !r; i++)
		if (run->input->extra_sets[i][0])
			r = numbering_slot(run->numbering, run->input->extra_sets[i], &slot);
	if (r == -E2BIG)
		error_set(run->error, -E2BIG,
			  "there are more than %u policies and combinations of them, those "
			  "unloaded since enforcement began included; have these forgotten: "
			  "'policyctl detach', which ends enforcement, and start policyd again",
			  COMPILE_SLOTS_MAX);
	return r;
}

static int compare_effective(const void *key, const void *element)
{
	const struct effective_policy *const *e = element;

	return strcmp(key, (*e)->policy->name);
}

static int compare_by_name(const void *a, const void *b)
{
	const struct effective_policy *const *x = a;

	return compare_effective((*x)->policy->name, b);
}

static int compare_places(const void *a, const void *b)
{
	const struct effective_policy *const *x = a, *const *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What of a slot's policies is there, in the order the policies were given. */
static size_t find_members(const struct compile_run *run,
			   const struct effective_policy *const *by_name,
			   const struct name_set *set, const struct effective_policy **members)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct effective_policy *const *found =
			bsearch(set->names[i], by_name, run->policy_count, sizeof(*by_name),
				compare_effective);

		if (found)
			members[count++] = *found;
	}
	if (count)
		qsort(members, count, sizeof(*members), compare_places);
	return count;
}

/* The slot before this one with the same policies, unless it depends on the slot's own numbering
 * of programs: after a policy was unloaded there may be many. */
static int find_twin(struct slots *s, const struct compile_run *run, uint32_t number, size_t count,
		     const struct pd_slot **ret_twin)
{
	const struct pd_slot *all = image_at(&run->image, s->offset);
	bool is_new;

	for (size_t i = 0; i < count; i++)
		s->indexes[i] = s->members[i] - run->policies;
	if (intern_add(&s->sets, s->indexes, count, &s->set, &is_new) ||
	    ARRAY_GROW(s->first, s->first_room, s->set, 1))
		return -ENOMEM;
	if (is_new)
		s->first[s->set] = number;
	*ret_twin = &all[s->first[s->set]];
	if (is_new || (*ret_twin)->program_count != 1 || (*ret_twin)->flags & PD_SLOT_BY ||
	    run->numbering->slots[number - 1].program_count)
		*ret_twin = NULL;
	return 0;
}

static int write_slot(struct compile_run *run, struct slots *s, uint32_t number, size_t count)
{
	struct pd_slot *slot = (struct pd_slot *)image_at(&run->image, s->offset) + number;
	size_t before = run->image.used;
	const struct effective_policy **members = s->members;
	const struct pd_slot *twin;
	int r;

	if (!count) {
		slot->flags = PD_SLOT_UNCONFINED;
		return 0;
	}
	run->stats.slots++;
	r = find_twin(s, run, number, count, &twin);
	if (r)
		return r;
	if (twin) {
		*slot = *twin;
		run->defaults[number] = run->defaults[s->first[s->set]];
		return 0;
	}
	r = compile_programs(run, number, members, count, slot);
	if (run->image.used - before >= run->largest_size) {
		run->largest = members[0]->policy;
		run->largest_size = run->image.used - before;
	}
	slot->flags |= PD_SLOT_LIVE;
	return r;
}

static int write_all_slots(struct compile_run *run, struct slots *s,
			   const struct effective_policy **by_name)
{
	size_t count;
	int r = 0;

	for (size_t i = 0; i < run->policy_count; i++)
		by_name[i] = &run->policies[i];
	if (run->policy_count)
		qsort(by_name, run->policy_count, sizeof(*by_name), compare_by_name);
	for (uint32_t i = 1; i <= run->numbering->count && !r; i++) {
		count = find_members(run, by_name, &run->numbering->slots[i - 1].policies,
				     s->members);
		r = write_slot(run, s, i, count);
	}
	return r;
}

static int write_slots(struct compile_run *run)
{
	size_t count = run->numbering->count + 1;
	struct pd_image *header = image_at(&run->image, 0);
	const struct effective_policy **by_name = calloc(run->policy_count + 1, sizeof(*by_name));
	struct slots s = { .members = calloc(run->policy_count + 1, sizeof(*s.members)),
			   .indexes = calloc(run->policy_count + 1, sizeof(*s.indexes)) };
	int r = image_reserve(&run->image, count * sizeof(struct pd_slot), 4, &s.offset);

	run->defaults = calloc(count, sizeof(*run->defaults));
	if (!r && (!by_name || !s.members || !s.indexes || !run->defaults))
		r = -ENOMEM;
	header->slots = s.offset;
	header->slot_count = count;
	if (!r)
		r = write_all_slots(run, &s, by_name);
	free(by_name);
	free(s.members);
	free(s.indexes);
	free(s.first);
	intern_done(&s.sets);
	return r;
}

/* Which programs the kernel needs. */
static uint32_t groups(const struct compile_run *run)
{
	const uint32_t file_guards = 1u << PD_GUARD_CGROUP | 1u << PD_GUARD_BPF |
				     1u << PD_GUARD_KERNEL | 1u << PD_GUARD_SIGNAL |
				     1u << PD_GUARD_TERMINAL | 1u << PD_GUARD_WX;
	uint32_t paths = run->decides[PD_OBJ_PATH], set;

	if (!run->stats.slots)
		return 0;
	set = 1u << PD_GROUP_CORE;
	if (run->holds) /* who is held is refused everything */
		set |= 1u << PD_GROUP_FILE | 1u << PD_GROUP_SOCKET | 1u << PD_GROUP_CAPABILITY;
	/* unix sockets are bound, and renamed, by hooks of files */
	if (paths || run->guards & file_guards)
		set |= 1u << PD_GROUP_FILE;
	if (paths & PD_PATH_UNIX || run->decides[PD_OBJ_SOCKET])
		set |= 1u << PD_GROUP_SOCKET;
	if (run->decides[PD_OBJ_CAPABILITY] || run->guards & 1u << PD_GUARD_MOUNT)
		set |= 1u << PD_GROUP_CAPABILITY;
	if (run->recheck)
		set |= 1u << PD_GROUP_RECHECK;
	return set;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int compile_image(struct compile_run *run)
{
	struct pd_image *header;
	uint32_t symbols = 1;
	int r = collect_policies(run, &symbols);

	if (!r)
		r = image_init(&run->image);
	if (!r)
		r = compile_binding(run);
	if (!r)
		r = add_slots(run);
	if (!r)
		r = write_slots(run);
	if (!r)
		r = symbols_write(&run->image, run->policies, run->policy_count, symbols,
				  run->numbering, run->defaults);
	if (r)
		return r;
	header = image_at(&run->image, 0);
	header->magic = PD_IMAGE_MAGIC;
	header->abi = PD_ABI;
	header->generation = run->input->generation;
	header->size = run->image.used;
	run->stats.image_size = run->image.used;
	run->stats.groups = groups(run);
	return 0;
}

int compile(const struct compile_input *input, struct numbering *numbering,
	    struct compiled **ret_compiled, struct pd_error *error)
{
	struct pd_error own = { .file = "" };
	struct compile_run run = { .input = input,
				   .numbering = numbering,
				   .error = &own,
				   .budget = { COMPILE_STATES_MAX, COMPILE_WORK_MAX,
					       COMPILE_TOTAL_WORK_MAX } };
	struct compiled *compiled = calloc(1, sizeof(*compiled));
	int r = compiled ? compile_image(&run) : -ENOMEM;

	if (r) {
		compile_failed(&run, r);
		if (error)
			*error = own;
		free(compiled);
	} else {
		compiled->image = run.image.data;
		run.image.data = NULL;
		compiled->stats = run.stats;
		*ret_compiled = compiled;
	}
	for (size_t i = 0; i < run.policy_count; i++)
		free(run.policies[i].rule_symbols);
	free(run.policies);
	free(run.defaults);
	image_done(&run.image);
	return r;
}
