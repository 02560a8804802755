/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of distinct sequences of words, numbered in the order they were first seen.
 */
#ifndef PD_POLICY_AUTOMATON_INTERN_H
#define PD_POLICY_AUTOMATON_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intern {
	uint32_t *words; /* all sequences, one after the other */
	size_t used, room;
	size_t *starts; /* of sequence n; starts[count] is the end of the last */
	size_t count, start_room;
	uint32_t *table;   /* number + 1, 0 empty */
	size_t table_size; /* a power of two */
};

/** intern_done() - free what it owns */
void intern_done(struct intern *intern);

/**
 * intern_add() - the number of a sequence
 * @ret_new: whether it had none before; may be NULL
 *
 * Returns 0 or -ENOMEM.
 */
int intern_add(struct intern *intern, const uint32_t *words, size_t count, uint32_t *ret_number,
	       bool *ret_new);

/** intern_get() - the words of a number; valid until the next intern_add() */
static inline const uint32_t *intern_get(const struct intern *intern, uint32_t number,
					 size_t *ret_count)
{
	*ret_count = intern->starts[number + 1] - intern->starts[number];
	return intern->words + intern->starts[number];
}

/** words_hash() - of a sequence of words */
static inline uint64_t words_hash(const uint32_t *words, size_t count)
{
	uint64_t h = count + 0x9e3779b97f4a7c15ull;

	for (size_t i = 0; i < count; i++) {
		h = (h ^ words[i]) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	return h;
}

/** array_grow() - make room for @more items beyond @used in a doubling array; 0 or -ENOMEM */
int array_grow(void **items, size_t *room, size_t used, size_t more, size_t item_size);
#define ARRAY_GROW(items, room, used, more)                                                        \
	array_grow((void **)&(items), &(room), (used), (more), sizeof(*(items)))

#endif
