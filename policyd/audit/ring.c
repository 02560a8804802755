// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policyd/base/fd.h"

/* struct bpf_ringbuf_hdr and the flags in its length, kernel/bpf/ringbuf.c */
#define HEADER_SIZE 8u
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

struct ring {
	unsigned long *consumer; /* ours to write */
	const unsigned long *producer;
	const unsigned char *data;
	unsigned char *whole; /* a copy of the one record in the ring that wraps; size bytes */
	size_t page, size;
	unsigned long next; /* position of the record ring_next() looks at; consumer <= next */
	uint64_t damaged;
};

static int size_of_map(int map_fd, size_t *ret_bytes, struct pd_error *error)
{
	char path[64];
	CLEANUP_FREE char *text = NULL;
	const char *entry;
	unsigned long bytes;
	int r;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map_fd);
	r = file_load(path, 1u << 16, &text, NULL);
	if (r < 0)
		return error_set(error, r, "%s: %s", path, strerror(-r));
	entry = strstr(text, "max_entries:");
	if (!entry || sscanf(entry, "max_entries: %lu", &bytes) != 1)
		return error_set(error, -EINVAL, "%s: this is no BPF map", path);
	*ret_bytes = bytes;
	return 0;
}

int ring_open(int map_fd, size_t bytes, struct ring **ret_ring, struct pd_error *error)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;
	struct ring *ring;
	int r;

	if (!bytes) {
		r = size_of_map(map_fd, &bytes, error);
		if (r < 0)
			return r;
	}
	if (!bytes || bytes < page || (bytes & (bytes - 1)) || bytes > 1u << 30)
		return error_set(error, -EINVAL, "no ring buffer has %zu bytes", bytes);
	ring = calloc(1, sizeof(*ring));
	if (ring)
		ring->whole = malloc(bytes); /* pages nobody writes cost nothing */
	if (!ring || !ring->whole) {
		free(ring);
		return error_set(error, -ENOMEM, "out of memory");
	}
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED) {
		r = error_set(error, -errno, "cannot map a ring buffer: %s", strerror(errno));
		free(ring->whole);
		free(ring);
		return r;
	}
	producer = mmap(NULL, page + bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		r = error_set(error, -errno, "cannot map a ring buffer's data: %s",
			      strerror(errno));
		munmap(consumer, page);
		free(ring->whole);
		free(ring);
		return r;
	}
	ring->consumer = consumer;
	ring->producer = producer;
	ring->data = (const unsigned char *)producer + page;
	ring->page = page;
	ring->size = bytes;
	ring->next = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	*ret_ring = ring;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	munmap((void *)ring->producer, ring->page + ring->size);
	munmap(ring->consumer, ring->page);
	free(ring->whole);
	free(ring);
}

/*
 * A record's data in one piece. What is between consumer and producer is no longer than the ring, so that
 * no two of its records wrap, and one copy is enough.
 */
static const void *in_one_piece(struct ring *ring, unsigned long position, size_t length)
{
	size_t start = position & (ring->size - 1), first = ring->size - start;

	if (length <= first)
		return ring->data + start;
	memcpy(ring->whole, ring->data + start, first);
	memcpy(ring->whole + first, ring->data, length - first);
	return ring->whole;
}

bool ring_next(struct ring *ring, struct ring_record *ret_record)
{
	unsigned long produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	while (ring->next != produced) {
		unsigned long at = ring->next;
		const unsigned char *header = ring->data + (ring->next & (ring->size - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		size_t length = word & ~(BUSY | DISCARDED);
		size_t step = (HEADER_SIZE + length + 7) & ~(size_t)7;

		if (word & BUSY)
			return false;
		if (step > produced - ring->next || step > ring->size) {
			ring->damaged++;
			ring->next = produced;
			return false;
		}
		ring->next += step;
		if (word & DISCARDED)
			continue;
		*ret_record = (struct ring_record){
			.data = in_one_piece(ring, at + HEADER_SIZE, length),
			.length = length,
			.end = ring->next,
		};
		return true;
	}
	return false;
}

void ring_commit(struct ring *ring)
{
	__atomic_store_n(ring->consumer, ring->next, __ATOMIC_RELEASE);
}

void ring_commit_to(struct ring *ring, uint64_t end)
{
	ring->next = (unsigned long)end;
	ring_commit(ring);
}

uint64_t ring_position(const struct ring *ring)
{
	return ring->next;
}

void ring_rewind(struct ring *ring)
{
	ring->next = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
}

size_t ring_waiting(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
}

uint64_t ring_damaged(const struct ring *ring)
{
	return ring->damaged;
}
