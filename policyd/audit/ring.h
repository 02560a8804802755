/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own reader of a BPF ring buffer. libbpf's tells the kernel after each record that it is done with
 * it; this one looks ahead and says so once a batch has reached the sinks, so that a daemon that dies
 * repeats records and loses none.
 *
 * Facts: kernel/bpf/ringbuf.c. The map is mapped as one page with the consumer's position (writable), one
 * with the producer's, then the data, twice, so that a record need not wrap. Each page that is mapped
 * counts as the process's memory, so the second time is left out: that record is copied. A record is a u32
 * length with BUSY (bit 31) and DISCARD (bit 30), a u32 the kernel uses, and the data, in all a multiple of 8.
 */
#ifndef PD_AUDIT_RING_H
#define PD_AUDIT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policyd/base/error.h"

struct ring;

/**
 * ring_open() - map a ring buffer
 * @map_fd: descriptor of the map, not taken over; poll it for EPOLLIN (level-triggered)
 * @bytes:  size of the data area, 0: ask the kernel (/proc/self/fdinfo)
 *
 * Returns 0, -EINVAL for a size no ring has, or what failed, with @error filled.
 */
int ring_open(int map_fd, size_t bytes, struct ring **ret_ring, struct pd_error *error);
void ring_close(struct ring *ring);

struct ring_record {
	const void *data; /* 8-aligned, valid until it is committed; unchanging */
	size_t length;
	uint64_t end; /* position just behind it, for ring_commit_to() */
};

/**
 * ring_next() - look at the next record, without telling the kernel
 *
 * Discarded records are stepped over. Returns false when there is none, or it is still being
 * written. A length that cannot be (damaged ring) is counted in ring_damaged() and everything up to the
 * producer's position is skipped.
 */
bool ring_next(struct ring *ring, struct ring_record *ret_record);

/** ring_commit() - all that was looked at is done with and may be overwritten */
void ring_commit(struct ring *ring);

/** ring_commit_to() - the same up to a record's end; what was looked at behind it will come again */
void ring_commit_to(struct ring *ring, uint64_t end);

/** ring_position() - behind the last record looked at; after opening, where the last reader committed */
uint64_t ring_position(const struct ring *ring);

/** ring_rewind() - look again at everything that was not committed */
void ring_rewind(struct ring *ring);

/** ring_waiting() - bytes the kernel has written and nobody committed */
size_t ring_waiting(const struct ring *ring);

/** ring_damaged() - how often ring_next() met an impossible length */
uint64_t ring_damaged(const struct ring *ring);

#endif
