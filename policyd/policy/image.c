/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lsm/match.h"

struct image_piece {
	uint32_t hash;
	uint32_t offset; /* 0: empty */
	uint32_t count;	 /* words */
	uint32_t kind;
};

#define KIND_PLAIN 4u /* no record, or one that does not refer to itself */

int image_init(struct image *image)
{
	*image = (struct image){ .used = sizeof(struct pd_image) };
	image->data = calloc(1, PD_IMAGE_SIZE);
	return image->data ? 0 : -ENOMEM;
}

void image_done(struct image *image)
{
	free(image->data);
	free(image->pieces);
	*image = (struct image){ 0 };
}

static int take(struct image *image, size_t size, size_t align, uint32_t *ret_offset)
{
	size_t at = (image->used + align - 1) & ~(align - 1);

	if (at > IMAGE_ROOM || size > IMAGE_ROOM - at)
		return -E2BIG;
	image->used = at + ((size + 3) & ~3ul);
	*ret_offset = at;
	return 0;
}

int image_reserve(struct image *image, size_t size, size_t align, uint32_t *ret_offset)
{
	return take(image, size, align, ret_offset);
}

/* Does a word of a record name a state? */
static bool is_state_word(unsigned int kind, size_t word)
{
	switch (kind) {
	case PD_DENSE:
		return word > PD_WORD_INFO;
	case PD_SPARSE:
		return word == PD_WORD_OTHER || word == PD_WORD_SLASH || word >= PD_WORD_EXCEPTIONS;
	case PD_RUN:
		return word == PD_WORD_OTHER || word == PD_WORD_SLASH || word == PD_WORD_RUN_NEXT;
	default:
		return false;
	}
}

static uint32_t resolve(unsigned int kind, const uint32_t *words, size_t i, uint32_t self)
{
	if (is_state_word(kind, i) && !PD_STATE_OFFSET(words[i]))
		return words[i] | self;
	return words[i];
}

static bool piece_is(const struct image *image, const struct image_piece *piece, unsigned int kind,
		     const uint32_t *words, size_t count)
{
	const uint32_t *have = image_at(image, piece->offset);

	if (piece->count != count || piece->kind != kind)
		return false;
	for (size_t i = 0; i < count; i++)
		if (have[i] != resolve(kind, words, i, piece->offset))
			return false;
	return true;
}

static int pieces_grow(struct image *image)
{
	size_t room = image->piece_room ? image->piece_room * 2 : 1024;
	struct image_piece *pieces = calloc(room, sizeof(*pieces));

	if (!pieces)
		return -ENOMEM;
	for (size_t i = 0; i < image->piece_room; i++) {
		size_t slot = image->pieces[i].hash & (room - 1);

		if (!image->pieces[i].offset)
			continue;
		while (pieces[slot].offset)
			slot = (slot + 1) & (room - 1);
		pieces[slot] = image->pieces[i];
	}
	free(image->pieces);
	image->pieces = pieces;
	image->piece_room = room;
	return 0;
}

int image_share_record(struct image *image, unsigned int kind, const uint32_t *words, size_t count,
		       uint32_t *ret_offset)
{
	uint32_t hash = words_hash(words, count), offset;
	uint32_t *to;
	size_t slot;
	int r;

	if (image->piece_count * 2 >= image->piece_room && pieces_grow(image))
		return -ENOMEM;
	slot = hash & (image->piece_room - 1);
	for (; image->pieces[slot].offset; slot = (slot + 1) & (image->piece_room - 1)) {
		if (image->pieces[slot].hash != hash ||
		    !piece_is(image, &image->pieces[slot], kind, words, count))
			continue;
		*ret_offset = image->pieces[slot].offset;
		return 0;
	}
	r = take(image, count * sizeof(*words), 4, &offset);
	if (r)
		return r;
	to = image_at(image, offset);
	for (size_t i = 0; i < count; i++)
		to[i] = resolve(kind, words, i, offset);
	image->pieces[slot] = (struct image_piece){ hash, offset, count, kind };
	image->piece_count++;
	*ret_offset = offset;
	return 0;
}

int image_share(struct image *image, const uint32_t *words, size_t count, uint32_t *ret_offset)
{
	return image_share_record(image, KIND_PLAIN, words, count, ret_offset);
}
