/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_BASE_SHA256_H
#define PD_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4), to tell whether files changed. */
struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	unsigned char block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_finish(struct sha256 *hash, unsigned char ret_digest[32]);

#endif
