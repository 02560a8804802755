/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int symbols_number(struct effective_policy *policy, uint32_t *next)
{
	const struct policy *p = policy->policy;

	policy->rule_symbols = calloc(p->rule_count + 1, sizeof(*policy->rule_symbols));
	if (!policy->rule_symbols)
		return -ENOMEM;
	for (size_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].deny || p->rules[i].audit)
			policy->rule_symbols[i] = (*next)++;
	for (int c = 0; c < PD_CLASS_COUNT; c++)
		if (c == PD_CLASS_GUARD || p->deny_default >> c & 1)
			policy->default_symbols[c] = (*next)++;
	return 0;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* The pool while it grows; equal strings are kept once, looked up by their words. */
struct pool {
	char *text;
	size_t used, room;
	struct intern seen;
	uint32_t *offsets; /* by number in seen */
	size_t offset_room;
};

static void pool_done(struct pool *pool)
{
	free(pool->text);
	free(pool->offsets);
	intern_done(&pool->seen);
}

/* The place of a string in the pool. */
static int pool_add(struct pool *pool, const char *text, uint32_t *ret_offset)
{
	size_t size = strlen(text) + 1, count = (size + 3) / 4;
	uint32_t *words = calloc(count, sizeof(*words));
	uint32_t number;
	bool is_new;
	int r = words ? 0 : -ENOMEM;

	if (!r) {
		memcpy(words, text, size);
		r = intern_add(&pool->seen, words, count, &number, &is_new);
		free(words);
	}
	if (r || ARRAY_GROW(pool->offsets, pool->offset_room, number, 1))
		return -ENOMEM;
	if (is_new) {
		if (ARRAY_GROW(pool->text, pool->room, pool->used, size))
			return -ENOMEM;
		memcpy(pool->text + pool->used, text, size);
		pool->offsets[number] = pool->used;
		pool->used += size;
	}
	*ret_offset = pool->offsets[number];
	return 0;
}

/* ---- the section ----------------------------------------------------------------------------- */

struct section {
	struct symbol_rule *rules;
	struct symbol_policy *policies;
	uint32_t *slots; /* indexes into names */
	uint32_t *names; /* struct symbol_slot after struct symbol_slot */
	size_t name_count, name_room;
	uint32_t numbering; /* string */
	struct pool pool;
};

/* The image carries its own numbering, so that both are swapped, and adopted, as one. */
static int add_numbering(struct section *s, const struct numbering *numbering)
{
	char *text = numbering_save(numbering);
	int r = text ? pool_add(&s->pool, text, &s->numbering) : -ENOMEM;

	free(text);
	return r;
}

/* @flags: SYMBOL_* that go with the line. */
static int add_rule(struct section *s, uint32_t number, const struct policy *p, size_t policy,
		    const struct policy_place *place, uint32_t flags, const char *text)
{
	const char *file = place->file < p->file_count ? p->files[place->file] : "";
	struct symbol_rule *rule = &s->rules[number];
	int r = pool_add(&s->pool, file, &rule->file);

	if (!r)
		r = pool_add(&s->pool, text, &rule->text);
	rule->line = SYMBOL_LINE(place->line) | flags;
	rule->column = place->column < UINT16_MAX ? place->column : UINT16_MAX;
	rule->policy = policy;
	return r;
}

static int add_policy_rules(struct section *s, const struct effective_policy *policy, size_t index)
{
	const struct policy *p = policy->policy;
	char text[SYMBOLS_TEXT_MAX + 1];
	uint32_t flags;
	int r = 0;

	for (size_t i = 0; i < p->rule_count && !r; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (!policy->rule_symbols[i])
			continue;
		symbols_text(rule, text);
		flags = SYMBOL_AS_CLASS(rule->class) | (rule->deny ? SYMBOL_DENY : 0);
		r = add_rule(s, policy->rule_symbols[i], p, index, &rule->place, flags, text);
	}
	for (int c = 0; c < PD_CLASS_COUNT && !r; c++) {
		flags = SYMBOL_AS_CLASS(c) | SYMBOL_DENY | SYMBOL_DEFAULT;
		if (policy->default_symbols[c])
			r = add_rule(s, policy->default_symbols[c], p, index, &p->default_place,
				     flags, "");
	}
	return r;
}

static int add_policy(struct section *s, const struct effective_policy *policy, size_t index)
{
	const struct policy *p = policy->policy;
	struct symbol_policy *to = &s->policies[index];
	int r = pool_add(&s->pool, p->name, &to->name);

	if (!r)
		r = pool_add(&s->pool, p->description ? p->description : "", &to->description);
	if (!r)
		r = pool_add(&s->pool, p->file_count ? p->files[0] : "", &to->file);
	to->mode = policy->mode;
	to->rules = p->rule_count;
	to->deny_default = p->deny_default;
	memcpy(to->digest, p->digest, sizeof(to->digest));
	return r ? r : add_policy_rules(s, policy, index);
}

static int add_slot(struct section *s, size_t index, const struct name_set *set,
		    const struct effective_defaults *defaults)
{
	size_t words = sizeof(struct symbol_slot) / 4 + set->count;
	struct symbol_slot *slot;
	int r = 0;

	if (ARRAY_GROW(s->names, s->name_room, s->name_count, words))
		return -ENOMEM;
	slot = (struct symbol_slot *)(s->names + s->name_count);
	s->slots[index] = s->name_count;
	s->name_count += words;
	slot->defaults = *defaults;
	slot->count = set->count;
	for (size_t i = 0; i < set->count && !r; i++)
		r = pool_add(&s->pool, set->names[i], &slot->names[i]);
	return r;
}

/* ---- into the image -------------------------------------------------------------------------- */

struct place {
	uint32_t header, rules, policies, slots, names, pool;
};

static int reserve(struct image *image, const struct section *s, size_t rules, size_t policies,
		   size_t slots, struct place *at)
{
	int r = image_reserve(image, sizeof(struct symbols_header), 8, &at->header);

	if (!r)
		r = image_reserve(image, rules * sizeof(*s->rules), 4, &at->rules);
	if (!r)
		r = image_reserve(image, policies * sizeof(*s->policies), 4, &at->policies);
	if (!r)
		r = image_reserve(image, slots * sizeof(*s->slots), 4, &at->slots);
	if (!r)
		r = image_reserve(image, s->name_count * sizeof(*s->names), 4, &at->names);
	if (!r)
		r = image_reserve(image, s->pool.used, 4, &at->pool);
	return r;
}

static void copy(struct image *image, struct section *s, const struct place *at, size_t rules,
		 size_t policies, size_t slots)
{
	for (size_t i = 1; i < rules; i++) {
		s->rules[i].file += at->pool;
		s->rules[i].text += at->pool;
	}
	for (size_t i = 0; i < policies; i++) {
		s->policies[i].name += at->pool;
		s->policies[i].description += at->pool;
		s->policies[i].file += at->pool;
	}
	for (size_t i = 1; i < slots; i++) {
		struct symbol_slot *slot = (struct symbol_slot *)(s->names + s->slots[i]);

		for (uint32_t n = 0; n < slot->count; n++)
			slot->names[n] += at->pool;
		s->slots[i] = at->names + 4 * s->slots[i];
	}
	memcpy(image_at(image, at->rules), s->rules, rules * sizeof(*s->rules));
	memcpy(image_at(image, at->policies), s->policies, policies * sizeof(*s->policies));
	memcpy(image_at(image, at->slots), s->slots, slots * sizeof(*s->slots));
	if (s->name_count)
		memcpy(image_at(image, at->names), s->names, s->name_count * sizeof(*s->names));
	memcpy(image_at(image, at->pool), s->pool.text, s->pool.used);
	*(struct symbols_header *)image_at(image, at->header) = (struct symbols_header){
		.rules = at->rules,
		.rule_count = rules,
		.policies = at->policies,
		.policy_count = policies,
		.slots = at->slots,
		.pool = at->pool,
		.pool_size = s->pool.used,
		.numbering = s->numbering + at->pool,
	};
}

int symbols_write(struct image *image, const struct effective_policy *policies, size_t count,
		  uint32_t rule_count, const struct numbering *numbering,
		  const struct effective_defaults *defaults)
{
	size_t slots = numbering->count + 1;
	struct section s = { .rules = calloc(rule_count + 1, sizeof(*s.rules)),
			     .policies = calloc(count + 1, sizeof(*s.policies)),
			     .slots = calloc(slots, sizeof(*s.slots)) };
	struct pd_image *header = image_at(image, 0);
	struct place at;
	uint32_t empty;
	int r = s.rules && s.policies && s.slots ? 0 : -ENOMEM;

	if (!r)
		r = pool_add(&s.pool, "", &empty);
	for (size_t i = 0; i < count && !r; i++)
		r = add_policy(&s, &policies[i], i);
	for (size_t i = 1; i < slots && !r; i++)
		r = add_slot(&s, i, &numbering->slots[i - 1].policies, &defaults[i]);
	if (!r)
		r = add_numbering(&s, numbering);
	if (!r)
		r = reserve(image, &s, rule_count, count, slots, &at);
	if (!r) {
		copy(image, &s, &at, rule_count, count, slots);
		header->symbols = at.header;
		header->symbols_size = image->used - at.header;
	}
	free(s.rules);
	free(s.policies);
	free(s.slots);
	free(s.names);
	pool_done(&s.pool);
	return r;
}
