/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The automaton walk: the same C for the kernel programs, policyctl test, unit tests and fuzzers.
 * No helpers, no kernel types, no calls.
 *
 * A state is a __u32: bits 0-1 its kind, bits 2-21 the offset of its record in the image (4-aligned),
 * bits 22-31 the position inside a run. Records are arrays of __u32; word 0 is the offset of the
 * state's struct pd_info, but see pd_state_info().
 *
 *   DENSE   info, next[columns]           column = classes[byte]
 *   SPARSE  info, other, slash, bytes, next[n]
 *                                         n = 1..4 exceptions, one per byte of `bytes` (lowest
 *                                         first); unused bytes repeat the first and have no next.
 *                                         Any other byte leads to `slash` if it is '/', else to
 *                                         `other`
 *   RUN     info, other, slash, next, length, bytes[(n + 3) / 4]
 *                                         a chain of n = length >> 22 (1..1023) states with one
 *                                         successor each; position p expects bytes[p]; after the
 *                                         last one comes `next`. Any other byte as in SPARSE. What
 *                                         lies below a name makes the info of the states that
 *                                         expect a '/' another one: its offset is bits 2-21 of
 *                                         `length`. 8 bytes after the record must be readable.
 *   SINK    info                          every byte stays here
 */
#ifndef PD_LSM_MATCH_H
#define PD_LSM_MATCH_H

#include "lsm/abi.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the walk takes the first of eight bytes to be the lowest"
#endif

enum pd_state_kind {
	PD_DENSE,
	PD_SPARSE,
	PD_RUN,
	PD_SINK,
};
#define PD_STATE_KIND(state) ((state)&3u)
#define PD_STATE_OFFSET(state) ((state)&0x3ffffcu)
#define PD_STATE_POSITION(state) ((state) >> 22)
#define PD_RUN_STATE(offset, position) ((offset) | PD_RUN | ((__u32)(position) << 22))
#define PD_RUN_MAX 1023u

enum { PD_WORD_INFO, PD_WORD_OTHER, PD_WORD_SLASH, PD_WORD_BYTES, PD_WORD_EXCEPTIONS };
enum { PD_WORD_RUN_NEXT = 3, PD_WORD_RUN_LENGTH, PD_WORD_RUN_BYTES };

/* Text buffers are at least this large and readable up to PD_TEXT_SIZE + 8 bytes, whatever the
 * length of the text in them. */
#define PD_TEXT_SIZE 4096u

#ifdef __bpf__
/* The masks are kept from the optimiser: the 6.1 verifier must see each of them on the register
 * that is used as an index. Loads are one instruction each, aligned or not. */
#define PD_INDEX(offset, mask) PD_INDEX_NAMED(offset, mask, __COUNTER__)
#define PD_INDEX_NAMED(offset, mask, number) PD_INDEX_AS(offset, mask, number)
#define PD_INDEX_AS(offset, mask, number)                                                          \
	({                                                                                         \
		__u64 _x##number = (offset);                                                       \
		asm volatile("%0 &= %1" : "+r"(_x##number) : "i"(mask));                           \
		_x##number;                                                                        \
	})
#define PD_LOAD64(p)                                                                               \
	({                                                                                         \
		__u64 _v;                                                                          \
		asm volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(_v) : "r"(p) : "memory");              \
		_v;                                                                                \
	})
#else
#define PD_INDEX(offset, mask) ((__u64)(offset) & (mask))
static inline __u64 pd_load64(const void *p)
{
	__u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}
#define PD_LOAD64(p) pd_load64(p)
#endif

/* A word of the image. The last 16 bytes of the image are never part of a record. */
#define PD_IMAGE_WORD(image, offset)                                                               \
	(*(const __u32 *)((image) + PD_INDEX((offset), PD_IMAGE_SIZE - 4)))
#define PD_IMAGE_BYTE(image, offset) (*((image) + PD_INDEX((offset), PD_IMAGE_SIZE - 1)))
/* Eight bytes at any alignment; an offset in the image's last 8 bytes is wrapped. */
#define PD_IMAGE_BYTES8(image, offset)                                                             \
	({                                                                                         \
		__u64 _o = PD_INDEX((offset), PD_IMAGE_SIZE - 1);                                  \
		if (_o > PD_IMAGE_SIZE - 8)                                                        \
			_o = 0;                                                                    \
		PD_LOAD64((image) + _o);                                                           \
	})

/* Numbers only, and in the kernel kept in map memory: what the 6.12 verifier cannot follow there it
 * need not follow for each round of the loop. */
struct pd_walk {
	__u32 classes; /* struct pd_automaton.classes */
	__u32 state;   /* in: where to start; out: the state reached */
	__u32 at;      /* next byte of the text */
	__u32 end;     /* one past the last; at most PD_TEXT_SIZE */
};

/* How many bytes, from the first on, are equal; differ is not 0. */
static inline __u32 pd_equal_bytes(__u64 differ)
{
	__u32 same = 0;

	if (!(__u32)differ) {
		same = 4;
		differ >>= 32;
	}
	if (!(differ & 0xffff)) {
		same += 2;
		differ >>= 16;
	}
	return differ & 0xff ? same : same + 1;
}

/* Eats up to eight bytes of a run. Not more: the caller's loop bounds the work of one step. */
static inline void pd_walk_run(const __u8 *image, const __u8 *text, struct pd_walk *w, __u32 record,
			       __u32 position)
{
	__u32 length = PD_IMAGE_WORD(image, record + 4 * PD_WORD_RUN_LENGTH) >> 22;
	__u64 want = PD_IMAGE_BYTES8(image, record + 4 * PD_WORD_RUN_BYTES + position);
	__u64 have = PD_LOAD64(text + PD_INDEX(w->at, PD_TEXT_SIZE - 1));
	__u32 most = w->end - w->at;
	__u64 differ = want ^ have;
	__u32 n = length - position;
	__u32 same;

	if (position >= length) { /* damaged image */
		w->at = w->end;
		return;
	}
	if (n > 8)
		n = 8;
	if (n > most)
		n = most;
	if (n < 8)
		differ &= (1ull << 8 * n) - 1;
	if (!differ) {
		w->at += n;
		position += n;
		w->state = position == length ?
				   PD_IMAGE_WORD(image, record + 4 * PD_WORD_RUN_NEXT) :
				   PD_RUN_STATE(record, position);
		return;
	}
	same = pd_equal_bytes(differ);
	w->at += same + 1;
	w->state = PD_IMAGE_WORD(image,
				 record + ((__u8)(have >> 8 * same) == '/' ? 4 * PD_WORD_SLASH :
									     4 * PD_WORD_OTHER));
}

/** pd_state_info() - the offset of the struct pd_info of a state */
static inline __u32 pd_state_info(const __u8 *image, __u32 state)
{
	__u32 record = PD_STATE_OFFSET(state);

	if (PD_STATE_KIND(state) == PD_RUN &&
	    PD_IMAGE_BYTE(image, record + 4 * PD_WORD_RUN_BYTES + PD_STATE_POSITION(state)) == '/')
		return PD_STATE_OFFSET(PD_IMAGE_WORD(image, record + 4 * PD_WORD_RUN_LENGTH));
	return PD_IMAGE_WORD(image, record);
}

/**
 * pd_walk_step() - let the automaton eat at least one byte
 * @image: PD_IMAGE_SIZE bytes
 * @text:  PD_TEXT_SIZE + 8 readable bytes
 *
 * Returns 0 when there is nothing left to do: the text is used up or the state absorbs everything.
 * w->state is then the answer. Call it at most w->end times.
 */
static inline int pd_walk_step(const __u8 *image, const __u8 *text, struct pd_walk *w)
{
	__u32 record = PD_STATE_OFFSET(w->state);
	__u32 next, bytes;
	__u8 byte;

	if (w->at >= w->end || PD_STATE_KIND(w->state) == PD_SINK)
		return 0;
	if (PD_STATE_KIND(w->state) == PD_RUN) {
		pd_walk_run(image, text, w, record, PD_STATE_POSITION(w->state));
		return 1;
	}
	byte = text[PD_INDEX(w->at, PD_TEXT_SIZE - 1)];
	if (PD_STATE_KIND(w->state) == PD_DENSE) {
		next = record + 4 + PD_IMAGE_BYTE(image, w->classes + byte) * 4u;
	} else {
		next = record + (byte == '/' ? 4 * PD_WORD_SLASH : 4 * PD_WORD_OTHER);
		bytes = PD_IMAGE_WORD(image, record + 4 * PD_WORD_BYTES);
		if ((__u8)(bytes >> 24) == byte)
			next = record + 4 * (PD_WORD_EXCEPTIONS + 3);
		if ((__u8)(bytes >> 16) == byte)
			next = record + 4 * (PD_WORD_EXCEPTIONS + 2);
		if ((__u8)(bytes >> 8) == byte)
			next = record + 4 * (PD_WORD_EXCEPTIONS + 1);
		if ((__u8)bytes == byte)
			next = record + 4 * PD_WORD_EXCEPTIONS;
	}
	w->state = PD_IMAGE_WORD(image, next);
	w->at++;
	return 1;
}

#endif
