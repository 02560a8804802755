/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/automaton_intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void intern_done(struct intern *intern)
{
	free(intern->words);
	free(intern->starts);
	free(intern->table);
	*intern = (struct intern){ 0 };
}

int array_grow(void **items, size_t *room, size_t used, size_t more, size_t item_size)
{
	size_t wanted = *room ? *room : 16;
	void *bigger;

	if (used + more <= *room)
		return 0;
	while (wanted < used + more)
		wanted *= 2;
	bigger = realloc(*items, wanted * item_size);
	if (!bigger)
		return -ENOMEM;
	*items = bigger;
	*room = wanted;
	return 0;
}

static int table_grow(struct intern *in)
{
	size_t size = in->table_size ? in->table_size * 2 : 64;
	uint32_t *table = calloc(size, sizeof(*table));
	const uint32_t *words;
	size_t count, slot;

	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < in->count; i++) {
		words = intern_get(in, i, &count);
		slot = words_hash(words, count) & (size - 1);
		while (table[slot])
			slot = (slot + 1) & (size - 1);
		table[slot] = i + 1;
	}
	free(in->table);
	in->table = table;
	in->table_size = size;
	return 0;
}

int intern_add(struct intern *in, const uint32_t *words, size_t count, uint32_t *ret_number,
	       bool *ret_new)
{
	const uint32_t *have;
	size_t slot, n;

	if (in->count * 2 >= in->table_size && table_grow(in))
		return -ENOMEM;
	slot = words_hash(words, count) & (in->table_size - 1);
	for (; in->table[slot]; slot = (slot + 1) & (in->table_size - 1)) {
		have = intern_get(in, in->table[slot] - 1, &n);
		if (n != count || (n && memcmp(have, words, n * sizeof(*words))))
			continue;
		*ret_number = in->table[slot] - 1;
		if (ret_new)
			*ret_new = false;
		return 0;
	}
	if (ARRAY_GROW(in->words, in->room, in->used, count + 1) ||
	    ARRAY_GROW(in->starts, in->start_room, in->count, 2))
		return -ENOMEM;
	if (count)
		memcpy(in->words + in->used, words, count * sizeof(*words));
	in->starts[in->count] = in->used;
	in->used += count;
	in->starts[in->count + 1] = in->used;
	in->table[slot] = ++in->count;
	*ret_number = in->count - 1;
	if (ret_new)
		*ret_new = true;
	return 0;
}
