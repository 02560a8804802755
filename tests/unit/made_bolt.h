/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The beginning of a bbolt database made by hand, for the unit test and the fuzzer. */
#ifndef TESTS_UNIT_MADE_BOLT_H
#define TESTS_UNIT_MADE_BOLT_H

#include <stdint.h>
#include <string.h>

#define BOLT_PAGE 4096u

/* A number of so many bytes, the lowest first */
static inline void bolt_put(unsigned char *at, uint64_t n, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(n >> 8 * i);
}

/* A meta page with its checksum; @page is where the page begins */
static inline void bolt_put_meta(unsigned char *page, uint64_t root, uint64_t pages, uint64_t txid)
{
	unsigned char *at = page + 16;
	uint64_t hash = 0xcbf29ce484222325u;

	bolt_put(at, 0xED0CDAED, 4);
	bolt_put(at + 4, 2, 4);
	bolt_put(at + 8, BOLT_PAGE, 4);
	bolt_put(at + 16, root, 8);
	bolt_put(at + 40, pages, 8);
	bolt_put(at + 48, txid, 8);
	for (unsigned int i = 0; i < 56; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	bolt_put(at + 56, hash, 8);
}

#endif
