/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is an image of unknown origin one that can be read? Everything decide.c or the walk follows from
 * the header on is followed here first, with every offset and number checked.
 */
#include "policyd/policy/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lsm/match.h"
#include "policyd/policy/image.h"
#include "policyd/policy/symbols.h"

/* States met, all automata together: an honest image has fewer than bytes. */
#define MET_MAX (2u << 20)

/* States still to be looked at. A dense state is another one under other byte classes. */
struct met {
	uint32_t state, classes;
};

struct checker {
	const unsigned char *image;
	uint32_t size; /* bytes in use */
	struct pd_error *error;
	struct met *todo;
	size_t todo_count, todo_room;
	struct met *seen; /* hash table; state 0 never occurs */
	size_t seen_count, seen_room;
	uint32_t columns;	/* of the classes at hand */
	uint32_t program_max;	/* largest info.program of the automaton at hand */
	uint32_t program_limit; /* number of classes, rows or columns it may name */
	uint32_t rule_count;
};

static int bad(struct checker *c, const char *what)
{
	return error_set(c->error, -EPROTO, "not a policy image, or a damaged one: %s", what);
}

/* @count items of @size bytes at @offset, 4-aligned and inside? */
static bool inside(const struct checker *c, uint32_t offset, uint64_t count, size_t size)
{
	return !(offset & 3) && offset >= sizeof(struct pd_image) && offset <= c->size &&
	       count <= (c->size - offset) / size;
}

static const void *at(const struct checker *c, uint32_t offset)
{
	return c->image + offset;
}

/* ---- automata -------------------------------------------------------------------------------- */

static size_t seen_slot(const struct checker *c, struct met m)
{
	uint32_t key[2] = { m.state, m.classes };
	size_t slot = words_hash(key, 2) & (c->seen_room - 1);

	while (c->seen[slot].state &&
	       (c->seen[slot].state != m.state || c->seen[slot].classes != m.classes))
		slot = (slot + 1) & (c->seen_room - 1);
	return slot;
}

static int seen_grow(struct checker *c)
{
	struct met *old = c->seen;
	size_t room = c->seen_room;

	c->seen_room = room ? room * 2 : 1024;
	c->seen = calloc(c->seen_room, sizeof(*c->seen));
	if (!c->seen) {
		c->seen = old;
		c->seen_room = room;
		return error_set(c->error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < room; i++)
		if (old[i].state)
			c->seen[seen_slot(c, old[i])] = old[i];
	free(old);
	return 0;
}

static int meet(struct checker *c, uint32_t state, uint32_t classes)
{
	/* All positions of a run share a record, which is looked at once; the position is
	 * checked against its length here. */
	uint32_t offset = PD_STATE_OFFSET(state), position = PD_STATE_POSITION(state);
	struct met m = { offset | PD_STATE_KIND(state), classes };
	const uint32_t *record;
	size_t slot;

	if (!inside(c, offset, 1, 4))
		return bad(c, "a state lies outside");
	if (PD_STATE_KIND(state) == PD_RUN) {
		if (!inside(c, offset, PD_WORD_RUN_BYTES, 4))
			return bad(c, "a run lies outside");
		record = at(c, offset);
		if (position >= PD_STATE_POSITION(record[PD_WORD_RUN_LENGTH]))
			return bad(c, "a position lies outside its run");
	} else if (position) {
		return bad(c, "a position where there is no run");
	}
	if (c->seen_count * 2 >= c->seen_room && seen_grow(c))
		return -ENOMEM;
	slot = seen_slot(c, m);
	if (c->seen[slot].state)
		return 0;
	if (c->seen_count >= MET_MAX)
		return bad(c, "too many states");
	c->seen[slot] = m;
	c->seen_count++;
	if (ARRAY_GROW(c->todo, c->todo_room, c->todo_count, 1))
		return error_set(c->error, -ENOMEM, "out of memory");
	c->todo[c->todo_count++] = m;
	return 0;
}

static bool is_rule(const struct checker *c, uint32_t rule)
{
	if (rule & PD_RULE_DEFAULT)
		return (rule & ~(PD_RULE_DEFAULT | PD_RULE_TESTED)) < PD_CLASS_COUNT;
	return rule && rule < c->rule_count;
}

static int check_info(struct checker *c, uint32_t offset)
{
	const struct pd_info *info;
	unsigned int entries;

	if (!inside(c, offset, 1, sizeof(*info)))
		return bad(c, "a decision lies outside");
	info = at(c, offset);
	entries = info->n_enforced + info->n_tested + info->n_audited;
	if (!inside(c, offset + sizeof(*info), entries, sizeof(info->rules[0])))
		return bad(c, "the rules of a decision lie outside");
	if (info->program >= c->program_limit)
		return bad(c, "a program class that does not exist");
	for (unsigned int i = 0; i < entries; i++)
		if (!is_rule(c, info->rules[i].rule))
			return bad(c, "a rule that does not exist");
	return 0;
}

static int meet_all(struct checker *c, const uint32_t *states, size_t count, uint32_t classes)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = meet(c, states[i], classes);
	return r;
}

static int check_run(struct checker *c, uint32_t offset, uint32_t classes)
{
	const uint32_t *record = at(c, offset);
	uint32_t length = PD_STATE_POSITION(record[PD_WORD_RUN_LENGTH]);
	int r;

	/* Eight bytes from the last position on are read; the image ends 64 bytes early. */
	if (!length || !inside(c, offset + 4 * PD_WORD_RUN_BYTES, (length + 3) / 4, 4))
		return bad(c, "a run lies outside");
	r = check_info(c, PD_STATE_OFFSET(record[PD_WORD_RUN_LENGTH]));
	return r ? r : meet_all(c, record + PD_WORD_OTHER, 3, classes);
}

/* Of equal bytes the lowest is followed, so that there are no more `next` than distinct bytes. */
static size_t exceptions(uint32_t bytes)
{
	size_t count = 1;

	for (size_t i = 1; i < 4; i++) {
		size_t j = 0;

		while ((uint8_t)(bytes >> 8 * j) != (uint8_t)(bytes >> 8 * i))
			j++;
		if (j == i)
			count = i + 1;
	}
	return count;
}

static int check_sparse(struct checker *c, uint32_t offset, uint32_t classes)
{
	const uint32_t *record = at(c, offset);
	size_t count;
	int r;

	if (!inside(c, offset, PD_WORD_EXCEPTIONS, 4))
		return bad(c, "a state lies outside");
	count = exceptions(record[PD_WORD_BYTES]);
	if (!inside(c, offset, PD_WORD_EXCEPTIONS + count, 4))
		return bad(c, "a state lies outside");
	r = meet_all(c, record + PD_WORD_OTHER, 2, classes);
	return r ? r : meet_all(c, record + PD_WORD_EXCEPTIONS, count, classes);
}

static int check_record(struct checker *c, struct met m)
{
	uint32_t offset = PD_STATE_OFFSET(m.state);
	const uint32_t *record = at(c, offset);
	int r = check_info(c, record[PD_WORD_INFO]);

	if (r)
		return r;
	switch (PD_STATE_KIND(m.state)) {
	case PD_RUN:
		return check_run(c, offset, m.classes);
	case PD_SPARSE:
		return check_sparse(c, offset, m.classes);
	case PD_DENSE:
		if (!inside(c, offset, 1 + c->columns, 4))
			return bad(c, "a state lies outside");
		return meet_all(c, record + 1, c->columns, m.classes);
	default:
		return 0;
	}
}

static int check_automaton(struct checker *c, const struct pd_automaton *automaton)
{
	const uint8_t *classes;
	int r;

	if (!inside(c, automaton->classes, 64, 4))
		return bad(c, "byte classes lie outside");
	classes = at(c, automaton->classes);
	c->columns = 0;
	for (int i = 0; i < 256; i++)
		if (classes[i] >= c->columns)
			c->columns = classes[i] + 1;
	r = meet(c, automaton->start, automaton->classes);
	while (!r && c->todo_count)
		r = check_record(c, c->todo[--c->todo_count]);
	return r;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static int check_programs(struct checker *c, const struct pd_slot *slot)
{
	const struct pd_program *programs;
	int r = 0;

	if (!(slot->flags & PD_SLOT_LIVE))
		return 0;
	if (!slot->program_count || slot->program_count > COMPILE_PROGRAMS_MAX ||
	    slot->programs & 7 ||
	    !inside(c, slot->programs, slot->program_count, sizeof(*programs)))
		return bad(c, "the programs of a slot");
	programs = at(c, slot->programs);
	/* What one slot may name another may not: states are looked at anew. */
	memset(c->seen, 0, c->seen_room * sizeof(*c->seen));
	c->program_limit = slot->program_count;
	for (uint32_t p = 0; p < slot->program_count && !r; p++)
		for (int object = 0; object < PD_OBJ_COUNT && !r; object++)
			r = check_automaton(c, &programs[p].objects[object]);
	return r;
}

static int check_slots(struct checker *c, const struct pd_image *header)
{
	const struct pd_slot *slots;
	int r = 0;

	if (!header->slot_count || header->slot_count > COMPILE_SLOTS_MAX + 1 ||
	    !inside(c, header->slots, header->slot_count, sizeof(*slots)))
		return bad(c, "its slots");
	slots = at(c, header->slots);
	for (uint32_t i = 1; i < header->slot_count && !r; i++)
		r = check_programs(c, &slots[i]);
	return r;
}

static int check_axis(struct checker *c, const struct pd_automaton *automaton, uint32_t limit)
{
	memset(c->seen, 0, c->seen_room * sizeof(*c->seen));
	c->program_limit = limit;
	return check_automaton(c, automaton);
}

static int check_binding(struct checker *c, const struct pd_image *header)
{
	uint64_t cells = (uint64_t)header->bind_rows * header->bind_columns;
	const uint32_t *table;
	int r;

	if (header->unknown > PD_UNKNOWN_DENY)
		return bad(c, "what becomes of unknown containers");
	if (!cells || header->bind_rows > UINT16_MAX || header->bind_columns > UINT16_MAX ||
	    !inside(c, header->bind_table, cells, sizeof(*table)))
		return bad(c, "its bindings");
	table = at(c, header->bind_table);
	for (uint64_t i = 0; i < cells; i++)
		if (table[i] >= header->slot_count)
			return bad(c, "a binding to a slot that does not exist");
	r = check_axis(c, &header->bind_cgroup, header->bind_rows);
	return r ? r : check_axis(c, &header->bind_exe, header->bind_columns);
}

/* ---- symbols --------------------------------------------------------------------------------- */

static bool is_string(const struct symbols_header *s, uint32_t offset)
{
	return offset >= s->pool && offset - s->pool < s->pool_size;
}

static int check_symbol_tables(struct checker *c, const struct symbols_header *s)
{
	const struct symbol_rule *rules = at(c, s->rules);
	const struct symbol_policy *policies = at(c, s->policies);

	for (uint32_t i = 1; i < s->rule_count; i++)
		if (!is_string(s, rules[i].file) || !is_string(s, rules[i].text) ||
		    rules[i].policy >= s->policy_count ||
		    SYMBOL_CLASS(rules[i].line) >= PD_CLASS_COUNT)
			return bad(c, "a rule's description");
	for (uint32_t i = 0; i < s->policy_count; i++)
		if (!is_string(s, policies[i].name) || !is_string(s, policies[i].description) ||
		    !is_string(s, policies[i].file) || policies[i].mode > POLICY_DISABLED)
			return bad(c, "a policy's description");
	return 0;
}

static int check_slot_names(struct checker *c, const struct symbols_header *s, uint32_t slot_count)
{
	const struct symbol_slot *slot;
	const uint32_t *slots;

	if (!inside(c, s->slots, slot_count, sizeof(*slots)))
		return bad(c, "the names of slots");
	slots = at(c, s->slots);
	for (uint32_t i = 1; i < slot_count; i++) {
		if (!inside(c, slots[i], 1, sizeof(*slot)))
			return bad(c, "the names of a slot");
		slot = at(c, slots[i]);
		if (!inside(c, slots[i] + sizeof(*slot), slot->count, 4))
			return bad(c, "the names of a slot");
		for (uint32_t n = 0; n < slot->count; n++)
			if (!is_string(s, slot->names[n]))
				return bad(c, "the name of a slot's policy");
	}
	return 0;
}

static int check_symbols(struct checker *c, const struct pd_image *header)
{
	const struct symbols_header *s;
	int r;

	if (!inside(c, header->symbols, 1, sizeof(*s)))
		return bad(c, "its symbols");
	s = at(c, header->symbols);
	if (!s->rule_count || !inside(c, s->rules, s->rule_count, sizeof(struct symbol_rule)) ||
	    !inside(c, s->policies, s->policy_count, sizeof(struct symbol_policy)) ||
	    !s->pool_size || !inside(c, s->pool, s->pool_size, 1) ||
	    c->image[s->pool + s->pool_size - 1] || !is_string(s, s->numbering))
		return bad(c, "its symbols");
	r = check_symbol_tables(c, s);
	if (!r)
		r = check_slot_names(c, s, header->slot_count);
	c->rule_count = s->rule_count;
	return r;
}

static int check_header(struct checker *c, size_t size)
{
	const struct pd_image *header = at(c, 0);

	if (size < PD_IMAGE_SIZE)
		return bad(c, "it is too short");
	if (header->magic != PD_IMAGE_MAGIC)
		return bad(c, "it does not begin like one");
	if (header->abi != PD_ABI)
		return error_set(c->error, -EPROTO,
				 "the policy image has layout %u, this program knows %u",
				 header->abi, PD_ABI);
	if (header->size < sizeof(*header) || header->size > IMAGE_ROOM)
		return bad(c, "its size");
	c->size = header->size;
	return 0;
}

int image_check(const unsigned char *image, size_t size, struct pd_error *error)
{
	struct checker c = { .image = image, .error = error };
	const struct pd_image *header = (const struct pd_image *)image;
	int r = check_header(&c, size);

	if (!r)
		r = seen_grow(&c);
	if (!r)
		r = check_symbols(&c, header);
	if (!r)
		r = check_slots(&c, header);
	if (!r)
		r = check_binding(&c, header);
	free(c.todo);
	free(c.seen);
	return r;
}
