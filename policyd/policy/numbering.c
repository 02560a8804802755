/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/numbering.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERING_VERSION 1

/* ---- sets of names --------------------------------------------------------------------------- */

static void name_set_done(struct name_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->names[i]);
	free(set->names);
	*set = (struct name_set){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and without repetitions; the strings stay the caller's. */
static const char **sorted_names(const char *const *names, size_t *ret_count)
{
	size_t count = 0, kept = 0;
	const char **sorted;

	while (names[count])
		count++;
	sorted = malloc((count + 1) * sizeof(*sorted));
	if (!sorted)
		return NULL;
	memcpy(sorted, names, count * sizeof(*sorted));
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_names);
	for (size_t i = 0; i < count; i++)
		if (!i || strcmp(sorted[i], sorted[i - 1]) != 0)
			sorted[kept++] = sorted[i];
	sorted[kept] = NULL;
	*ret_count = kept;
	return sorted;
}

static int name_set_copy(struct name_set *set, const char *const *names, size_t count)
{
	*set = (struct name_set){ .names = calloc(count + 1, sizeof(*set->names)) };
	if (!set->names)
		return -ENOMEM;
	for (; set->count < count; set->count++) {
		set->names[set->count] = strdup(names[set->count]);
		if (!set->names[set->count]) {
			name_set_done(set);
			return -ENOMEM;
		}
	}
	return 0;
}

static bool name_set_is(const struct name_set *set, const char *const *names, size_t count)
{
	if (set->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(set->names[i], names[i]) != 0)
			return false;
	return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

struct numbering *numbering_new(void)
{
	return calloc(1, sizeof(struct numbering));
}

static void slot_done(struct numbering_slot *slot)
{
	name_set_done(&slot->policies);
	for (size_t i = 0; i < slot->program_count; i++)
		name_set_done(&slot->programs[i]);
	free(slot->programs);
}

void numbering_free(struct numbering *numbering)
{
	if (!numbering)
		return;
	for (size_t i = 0; i < numbering->count; i++)
		slot_done(&numbering->slots[i]);
	free(numbering->slots);
	free(numbering);
}

static int append_slot(struct numbering *numbering, const char *const *names, size_t count)
{
	struct numbering_slot *slots;
	int r;

	if (numbering->count >= COMPILE_SLOTS_MAX)
		return -E2BIG;
	slots = reallocarray(numbering->slots, numbering->count + 1, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	numbering->slots = slots;
	slots[numbering->count] = (struct numbering_slot){ 0 };
	r = name_set_copy(&slots[numbering->count].policies, names, count);
	if (!r)
		numbering->count++;
	return r;
}

static int append_program(struct numbering_slot *slot, const char *const *names, size_t count)
{
	struct name_set *programs;
	int r;

	if (slot->program_count + 1 >= COMPILE_PROGRAMS_MAX)
		return -E2BIG;
	programs = reallocarray(slot->programs, slot->program_count + 1, sizeof(*programs));
	if (!programs)
		return -ENOMEM;
	slot->programs = programs;
	r = name_set_copy(&programs[slot->program_count], names, count);
	if (!r)
		slot->program_count++;
	return r;
}

static uint32_t find_slot(const struct numbering *numbering, const char *const *names, size_t count)
{
	for (size_t i = 0; i < numbering->count; i++)
		if (name_set_is(&numbering->slots[i].policies, names, count))
			return i + 1;
	return 0;
}

int numbering_slot(struct numbering *numbering, const char *const *names, uint32_t *ret_slot)
{
	size_t count;
	const char **sorted = sorted_names(names, &count);
	uint32_t slot;
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	slot = find_slot(numbering, sorted, count);
	if (!slot) {
		r = append_slot(numbering, sorted, count);
		slot = numbering->count;
	}
	free(sorted);
	if (!r)
		*ret_slot = slot;
	return r;
}

uint32_t compile_slot(const struct numbering *numbering, const char *const *names)
{
	size_t count;
	const char **sorted = sorted_names(names, &count);
	uint32_t slot;

	if (!sorted)
		return 0;
	slot = find_slot(numbering, sorted, count);
	free(sorted);
	return slot;
}

int numbering_program(struct numbering *numbering, uint32_t slot, const char *const *patterns,
		      uint32_t *ret_program)
{
	struct numbering_slot *s = &numbering->slots[slot - 1];
	size_t count, i;
	const char **sorted = sorted_names(patterns, &count);
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; count && i < s->program_count; i++)
		if (name_set_is(&s->programs[i], sorted, count))
			break;
	if (count && i == s->program_count)
		r = append_program(s, sorted, count);
	free(sorted);
	if (!r)
		*ret_program = count ? i + 1 : 0;
	return r;
}

struct numbering *numbering_copy(const struct numbering *numbering)
{
	struct numbering *copy = numbering_new();
	int r = copy ? 0 : -ENOMEM;

	for (size_t i = 0; i < numbering->count && !r; i++) {
		const struct numbering_slot *s = &numbering->slots[i];

		r = append_slot(copy, (const char *const *)s->policies.names, s->policies.count);
		for (size_t j = 0; j < s->program_count && !r; j++)
			r = append_program(&copy->slots[i],
					   (const char *const *)s->programs[j].names,
					   s->programs[j].count);
	}
	if (r) {
		numbering_free(copy);
		return NULL;
	}
	return copy;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Patterns are bytes, JSON strings are characters: byte n is written as character n. */
static json_t *name_to_json(const char *name)
{
	size_t n = strlen(name), out = 0;
	char *text = malloc(2 * n + 1);
	json_t *json;

	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = name[i];

		if (c >= 0x80)
			text[out++] = (char)(0xc0 | c >> 6);
		text[out++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	json = json_stringn(text, out);
	free(text);
	return json;
}

static char *name_from_json(const json_t *json)
{
	const char *text = json_string_value(json);
	size_t n = json_string_length(json), out = 0;
	char *name;

	if (!text || memchr(text, 0, n))
		return NULL;
	name = malloc(n + 1);
	if (!name)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = text[i];

		if (c >= 0x80) { /* jansson has checked that it is UTF-8 */
			if ((c & 0xfc) != 0xc0 || ++i >= n) {
				free(name);
				return NULL;
			}
			c = (unsigned char)(c << 6) | ((unsigned char)text[i] & 0x3f);
		}
		name[out++] = (char)c;
	}
	name[out] = '\0';
	return name;
}

static json_t *set_to_json(const struct name_set *set)
{
	json_t *array = json_array();

	for (size_t i = 0; i < set->count && array; i++) {
		if (json_array_append_new(array, name_to_json(set->names[i]))) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *slot_to_json(const struct numbering_slot *slot)
{
	json_t *programs = json_array();

	for (size_t i = 0; i < slot->program_count && programs; i++) {
		if (json_array_append_new(programs, set_to_json(&slot->programs[i]))) {
			json_decref(programs);
			programs = NULL;
		}
	}
	return json_pack("{s:o, s:o}", "policies", set_to_json(&slot->policies), "programs",
			 programs);
}

char *numbering_save(const struct numbering *numbering)
{
	json_t *slots = json_array(), *root;
	char *text = NULL;

	for (size_t i = 0; i < numbering->count && slots; i++) {
		if (json_array_append_new(slots, slot_to_json(&numbering->slots[i]))) {
			json_decref(slots);
			slots = NULL;
		}
	}
	root = json_pack("{s:i, s:o}", "version", NUMBERING_VERSION, "slots", slots);
	if (root)
		text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(root);
	return text;
}

/* Sets are stored sorted, and none is stored twice: what breaks that was not written by us. */
static int set_from_json(const json_t *array, struct name_set *set)
{
	size_t n = json_array_size(array);

	*set = (struct name_set){ 0 };
	if (!n)
		return -EINVAL;
	set->names = calloc(n + 1, sizeof(*set->names));
	if (!set->names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char *name = name_from_json(json_array_get(array, i));

		if (!name || (i && strcmp(set->names[i - 1], name) >= 0)) {
			free(name);
			name_set_done(set);
			return -EINVAL;
		}
		set->names[set->count++] = name;
	}
	return 0;
}

static int slot_from_json(struct numbering *numbering, const json_t *json)
{
	const json_t *programs = json_object_get(json, "programs");
	const json_t *entry;
	struct name_set set;
	size_t count, i;
	int r = set_from_json(json_object_get(json, "policies"), &set);

	if (r)
		return r;
	r = -EINVAL;
	if (!find_slot(numbering, (const char *const *)set.names, set.count))
		r = append_slot(numbering, (const char *const *)set.names, set.count);
	name_set_done(&set);
	if (r)
		return r;
	json_array_foreach(programs, i, entry) {
		uint32_t program = 0;

		r = set_from_json(entry, &set);
		if (r)
			return r;
		count = numbering->slots[numbering->count - 1].program_count;
		r = numbering_program(numbering, numbering->count, (const char *const *)set.names,
				      &program);
		name_set_done(&set);
		if (r || program != count + 1)
			return r ? r : -EINVAL;
	}
	return 0;
}

int numbering_load(const char *text, size_t size, struct numbering **ret_numbering,
		   struct pd_error *error)
{
	struct numbering *numbering = numbering_new();
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *slots = json_object_get(root, "slots");
	const json_t *entry;
	int r = 0;
	size_t i;

	if (!numbering)
		r = -ENOMEM;
	else if (!json_is_array(slots) ||
		 json_integer_value(json_object_get(root, "version")) != NUMBERING_VERSION)
		r = -EINVAL;
	if (!r) {
		json_array_foreach(slots, i, entry) {
			r = slot_from_json(numbering, entry);
			if (r)
				break;
		}
	}
	json_decref(root);
	if (r) {
		numbering_free(numbering);
		return error_set(error, r == -ENOMEM ? -ENOMEM : -EINVAL,
				 r == -ENOMEM ? "out of memory" :
						"the numbering of policies is damaged");
	}
	*ret_numbering = numbering;
	return 0;
}
