/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_BASE_ARRAY_H
#define PD_BASE_ARRAY_H

#include <stddef.h>

/**
 * array_append() - room for one more item at the end of a growing array
 * @array: address of the pointer to the first item (NULL while empty), as `(void *)&items`
 * @count: number of items; grows by one
 * @size:  bytes of one item
 *
 * The room doubles whenever @count is a power of two, so that no capacity needs to be kept; an array
 * grown by this must only be grown by this. Returns the new item, zeroed, or NULL: no memory,
 * nothing changed.
 */
void *array_append(void *array, size_t *count, size_t size);

#endif
