/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database of somebody's. Its first meta page is made right, as no input would find the checksum; which page
 * is the root, the input says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/workload/bolt.h"
#include "tests/unit/made_bolt.h"

#define PAGE BOLT_PAGE
#define PAGES_MAX 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/policyd-fuzz.XXXXXX";
static int fd = -1;

static void end(void)
{
	unlink(path);
}

static int note(void *context, const unsigned char *key, size_t key_size,
		const unsigned char *value, size_t value_size)
{
	unsigned int *sum = context;

	for (size_t i = 0; i < key_size; i++)
		*sum += key[i];
	for (size_t i = 0; i < value_size; i++)
		*sum += value[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char image[PAGES_MAX * PAGE];
	const char *const paths[][4] = { { "a", NULL }, { "a", "b", NULL }, { "v1", "x", "l" } };
	size_t used = size < (PAGES_MAX - 2) * PAGE ? size : (PAGES_MAX - 2) * PAGE;
	struct bolt_value value;
	unsigned int sum = 0;
	struct bolt *bolt;

	if (fd < 0) {
		fd = mkstemp(path);
		if (fd < 0)
			abort();
		atexit(end);
	}
	memset(image, 0, sizeof(image));
	bolt_put_meta(image, size ? data[0] % PAGES_MAX : 2, PAGES_MAX, 0);
	memcpy(image + 2 * PAGE, data, used);
	/* Each page is the one that it should be. */
	for (unsigned int i = 2; i < PAGES_MAX; i++)
		bolt_put(image + (size_t)i * PAGE, i, 8);
	if (pwrite(fd, image, sizeof(image), 0) != sizeof(image) || bolt_open(path, &bolt))
		abort();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!bolt_get(bolt, paths[i], &value)) {
			for (size_t k = 0; k <= value.size; k++)
				sum += value.data[k];
			bolt_value_done(&value);
		}
		bolt_each(bolt, paths[i], note, &sum);
	}
	bolt_close(bolt);
	return sum == 0xffffffff; /* so that nothing of it is left out */
}
