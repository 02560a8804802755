// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/policy/automaton_intern.h"

/*
 * Images follow each other with few changes, so what is alike is kept once: a rule, a slot and each text
 * is a sequence of words with a number, the same for all generations.
 */
struct fact {			     /* of a rule */
	uint32_t policy, file, text; /* numbers of texts */
	uint32_t line, column;
	uint32_t class, is_default, deny;
};

struct place {							   /* of a slot */
	uint32_t policies;					   /* text "a, b", "" for none */
	uint32_t defaults[PD_CLASS_COUNT], tested[PD_CLASS_COUNT]; /* rules they stand for */
};

struct generation {
	uint64_t number;
	uint32_t *rules,
		*slots; /* numbers of struct fact and struct place; rule and slot 0 are none */
	uint32_t rule_count, slot_count;
	bool known;
};

struct names {
	struct generation known[NAMES_GENERATIONS];
	unsigned int oldest; /* index of the one that gives way next */
	struct intern words;
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

static void forget(struct names *names)
{
	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++) {
		free(names->known[i].rules);
		free(names->known[i].slots);
	}
	intern_done(&names->words);
}

void names_free(struct names *names)
{
	if (!names)
		return;
	forget(names);
	free(names);
}

#define WORDS(type) (sizeof(type) / sizeof(uint32_t))

static const void *get(const struct names *names, uint32_t number)
{
	size_t count;

	return intern_get(&names->words, number, &count);
}

static int add(struct names *names, const void *words, size_t count, uint32_t *ret_number)
{
	return intern_add(&names->words, words, count, ret_number, NULL);
}

/* Terminated, in whole words. */
static int add_text(struct names *names, const char *text, uint32_t *ret_number)
{
	size_t length = strlen(text), count = length / sizeof(uint32_t) + 1;
	uint32_t *words = calloc(count, sizeof(*words));
	int r;

	if (!words)
		return -ENOMEM;
	memcpy(words, text, length + 1);
	r = add(names, words, count, ret_number);
	free(words);
	return r;
}

static int add_symbol(struct names *names, const struct symbol *symbol, uint32_t *ret_number)
{
	struct fact fact = { .line = symbol->line,
			     .column = symbol->column,
			     .class = symbol->class,
			     .is_default = symbol->is_default,
			     .deny = symbol->deny };
	int r = add_text(names, symbol->policy, &fact.policy);

	if (!r)
		r = add_text(names, symbol->file, &fact.file);
	if (!r)
		r = add_text(names, symbol->text, &fact.text);
	return r ? r : add(names, &fact, WORDS(struct fact), ret_number);
}

/* Strings stay where they are until the next names_add(). */
static struct symbol get_symbol(const struct names *names, uint32_t number)
{
	const struct fact *fact = get(names, number);

	return (struct symbol){ .policy = get(names, fact->policy),
				.file = get(names, fact->file),
				.line = fact->line,
				.column = fact->column,
				.class = (enum pd_class)fact->class,
				.is_default = fact->is_default,
				.deny = fact->deny,
				.text = get(names, fact->text) };
}

static int make_room(struct generation *generation)
{
	generation->rules = calloc(generation->rule_count + 1, sizeof(*generation->rules));
	generation->slots = calloc(generation->slot_count + 1, sizeof(*generation->slots));
	return generation->rules && generation->slots ? 0 : -ENOMEM;
}

/* ---- of an image ----------------------------------------------------------------------------- */

static int add_slot(struct names *names, const unsigned char *image, uint32_t slot,
		    uint32_t *ret_number)
{
	const char **list = image_slot_policies(image, slot);
	struct place place = { 0 };
	size_t length = 1;
	char *text, *end;
	int r = -ENOMEM;

	for (size_t i = 0; list && list[i]; i++)
		length += strlen(list[i]) + 2;
	end = text = calloc(1, length);
	for (size_t i = 0; list && text && list[i]; i++)
		end = stpcpy(stpcpy(end, i ? ", " : ""), list[i]);
	for (uint32_t c = 0; c < PD_CLASS_COUNT; c++) {
		place.defaults[c] = image_rule(image, slot, PD_RULE_DEFAULT | c);
		place.tested[c] = image_rule(image, slot, PD_RULE_DEFAULT | PD_RULE_TESTED | c);
	}
	if (list && text)
		r = add_text(names, text, &place.policies);
	free(text);
	free(list);
	return r ? r : add(names, &place, WORDS(struct place), ret_number);
}

static int read_image(struct names *names, const unsigned char *image,
		      struct generation *generation)
{
	const struct pd_image *header = (const struct pd_image *)image;
	struct symbol symbol;
	int r;

	generation->number = header->generation;
	generation->known = true;
	generation->slot_count = header->slot_count;
	generation->rule_count = 1;
	while (!image_symbol(image, generation->rule_count, &symbol))
		generation->rule_count++;
	r = make_room(generation);
	for (uint32_t i = 1; i < generation->rule_count && !r; i++) {
		image_symbol(image, i, &symbol);
		r = add_symbol(names, &symbol, &generation->rules[i]);
	}
	for (uint32_t i = 1; i < generation->slot_count && !r; i++)
		r = add_slot(names, image, i, &generation->slots[i]);
	return r;
}

/* ---- of the images before -------------------------------------------------------------------- */

static int copy_generation(struct names *to, const struct names *from, const struct generation *old,
			   struct generation *generation)
{
	struct symbol symbol;
	struct place place;
	int r;

	*generation = *old;
	generation->rules = generation->slots = NULL;
	r = make_room(generation);
	for (uint32_t i = 1; i < old->rule_count && !r; i++) {
		symbol = get_symbol(from, old->rules[i]);
		r = add_symbol(to, &symbol, &generation->rules[i]);
	}
	for (uint32_t i = 1; i < old->slot_count && !r; i++) {
		place = *(const struct place *)get(from, old->slots[i]);
		r = add_text(to, get(from, place.policies), &place.policies);
		if (!r)
			r = add(to, &place, WORDS(struct place), &generation->slots[i]);
	}
	return r;
}

/* Nothing is looked up by its words any more, and nothing is added. */
static void shrink(struct intern *intern)
{
	uint32_t *words = realloc(intern->words, (intern->used + 1) * sizeof(*words));
	size_t *starts = realloc(intern->starts, (intern->count + 2) * sizeof(*starts));

	if (words)
		intern->words = words;
	if (starts)
		intern->starts = starts;
	free(intern->table);
	intern->table = NULL;
	intern->table_size = 0;
}

int names_add(struct names *names, const unsigned char *image)
{
	const struct pd_image *header = (const struct pd_image *)image;
	struct names next = { .oldest = names->oldest };
	unsigned int at = names->oldest;
	int r;

	if (header->symbols > PD_IMAGE_SIZE ||
	    header->symbols_size > PD_IMAGE_SIZE - header->symbols ||
	    header->slot_count > PD_IMAGE_SIZE / sizeof(struct pd_slot))
		return -EPROTO;
	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++)
		if (names->known[i].known && names->known[i].number == header->generation)
			at = i;
	if (at == names->oldest)
		next.oldest = (names->oldest + 1) % NAMES_GENERATIONS;
	r = read_image(&next, image, &next.known[at]);
	for (unsigned int i = 0; i < NAMES_GENERATIONS && !r; i++)
		if (i != at && names->known[i].known)
			r = copy_generation(&next, names, &names->known[i], &next.known[i]);
	if (r) {
		forget(&next);
		return r;
	}
	shrink(&next.words);
	forget(names);
	*names = next;
	return 0;
}

/* ---- of an event ----------------------------------------------------------------------------- */

/* A default in a rule's place stands for the rule that the slot's policies make it. */
static uint32_t real_rule(const struct names *names, const struct generation *generation,
			  uint32_t slot, uint32_t rule)
{
	uint32_t class = rule & ~(PD_RULE_DEFAULT | PD_RULE_TESTED);
	const struct place *place;

	if (!(rule & PD_RULE_DEFAULT))
		return rule;
	if (!slot || slot >= generation->slot_count || class >= PD_CLASS_COUNT)
		return 0;
	place = get(names, generation->slots[slot]);
	return rule & PD_RULE_TESTED ? place->tested[class] : place->defaults[class];
}

void names_resolve(const struct names *names, struct event *event)
{
	const struct pd_event *record = event->record;

	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++) {
		const struct generation *g = &names->known[i];
		const struct place *place;
		const char *policies;
		uint32_t rule;

		if (!g->known || g->number != record->generation)
			continue;
		if (record->slot && record->slot < g->slot_count) {
			place = get(names, g->slots[record->slot]);
			policies = get(names, place->policies);
			event->policies = *policies ? policies : NULL;
		}
		rule = real_rule(names, g, record->slot, record->rule);
		if (rule && rule < g->rule_count)
			event->symbol = get_symbol(names, g->rules[rule]);
		return;
	}
}
