// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/base/array.h"

#include <stdlib.h>
#include <string.h>

void *array_append(void *array, size_t *count, size_t size)
{
	unsigned char *items;

	/* through memcpy: @array points to a pointer of a type unknown here */
	memcpy(&items, array, sizeof(items));
	if (!(*count & (*count - 1))) {
		unsigned char *grown = reallocarray(items, *count ? *count * 2 : 1, size);

		if (!grown)
			return NULL;
		items = grown;
		memcpy(array, &items, sizeof(items));
	}
	return memset(items + (*count)++ * size, 0, size);
}
