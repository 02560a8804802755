/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the image (lsm/abi.h): a buffer filled from the front, in which equal pieces are kept once.
 */
#ifndef PD_POLICY_IMAGE_H
#define PD_POLICY_IMAGE_H

#include "lsm/abi.h"
#include "policyd/policy/automaton.h"

/* Kept free at the end, so that a reader that looks 8 bytes past a record stays inside. */
#define IMAGE_ROOM (PD_IMAGE_SIZE - 64)

struct image_piece;

struct image {
	unsigned char *data; /* PD_IMAGE_SIZE bytes, zeroed */
	size_t used;
	struct image_piece *pieces; /* hash table of what may be shared */
	size_t piece_count, piece_room;
};

/** image_init() - 0 or -ENOMEM; the header's place is taken */
int image_init(struct image *image);
void image_done(struct image *image);

/* All three: 0, -ENOMEM, or -E2BIG when the image is full. */

/** image_reserve() - zeroed bytes */
int image_reserve(struct image *image, size_t size, size_t align, uint32_t *ret_offset);
/** image_share() - words, wherever they stand already, 4-aligned */
int image_share(struct image *image, const uint32_t *words, size_t count, uint32_t *ret_offset);
/**
 * image_automata() - the automata of @dfa, which is minimal
 * @infos:     offset of the struct pd_info of each state
 * @ret_start: one per start
 */
int image_automata(struct image *image, const struct dfa *dfa, const uint32_t *infos,
		   struct pd_automaton *ret_start);

/* For image_automata(): a record in which state words with offset 0 stand for the record itself. */
int image_share_record(struct image *image, unsigned int kind, const uint32_t *words, size_t count,
		       uint32_t *ret_offset);

static inline void *image_at(const struct image *image, uint32_t offset)
{
	return image->data + offset;
}

#endif
