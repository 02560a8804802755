/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An append-only text buffer of fixed size: no allocation, no failure to handle at each call. What
 * does not fit is left out whole and remembered in `overflow`, to be tested once at the end.
 */
#ifndef PD_BASE_BUFFER_H
#define PD_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	char *data;  /* the caller's */
	size_t size; /* bytes at data */
	size_t used;
	bool overflow; /* something did not fit; stays set until buffer_cut() */
};

/* Bytes that are not terminated, owned by someone else. */
struct slice {
	const char *data; /* may be NULL when length is 0 */
	size_t length;
};

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline void buffer_init(struct buffer *b, char *data, size_t size)
{
	*b = (struct buffer){ .data = data, .size = size };
}

/** buffer_cut() - go back to a length buffer->used once had */
static inline void buffer_cut(struct buffer *b, size_t used)
{
	b->used = used;
	b->overflow = false;
}

static inline void buffer_add(struct buffer *b, const void *data, size_t length)
{
	if (length > b->size - b->used) {
		b->overflow = true;
		return;
	}
	if (length)
		memcpy(b->data + b->used, data, length);
	b->used += length;
}

static inline void buffer_byte(struct buffer *b, char byte)
{
	if (b->used == b->size) {
		b->overflow = true;
		return;
	}
	b->data[b->used++] = byte;
}

/** buffer_text() - a terminated string, without its NUL; inlined to a plain copy for literals */
#define buffer_text(b, text) buffer_add((b), (text), strlen(text))

/** buffer_unsigned() - in decimal */
void buffer_unsigned(struct buffer *b, uint64_t number);

/** buffer_padded() - in decimal with leading zeros, exactly @digits (1..20) long; the rest is cut */
void buffer_padded(struct buffer *b, uint64_t number, unsigned int digits);

/** buffer_format() - printf(), for what is not on a hot path */
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
