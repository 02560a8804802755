/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's part of a ring buffer, played in a memfd laid out like the map. */
#ifndef PD_TESTS_FAKE_RING_H
#define PD_TESTS_FAKE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi.h"

struct fake_ring {
	int fd;
	size_t page, size;
	unsigned char *map;		  /* consumer page, producer page, data, data */
	struct pd_ring_counters counters; /* as the kernel program keeps them */
};

#define FAKE_BUSY (1u << 31)
#define FAKE_DISCARDED (1u << 30)

void fake_ring_open(struct fake_ring *ring, size_t size);
void fake_ring_close(struct fake_ring *ring);

/** fake_ring_put() - returns false, and counts a loss, when there is no room */
bool fake_ring_put(struct fake_ring *ring, const void *data, size_t length, uint32_t flags);

/** fake_ring_header() - write a record header of any length word and move the producer by @step */
void fake_ring_header(struct fake_ring *ring, uint32_t word, size_t step);

unsigned long fake_ring_consumer(const struct fake_ring *ring);

/* Texts of an event's tail; NULL: empty. */
struct fake_event {
	struct pd_event record;
	const char *object, *object2, *exe, *cgroup;
	unsigned char bytes[sizeof(struct pd_event) + 2 * PD_PATH_MAX + PD_EXE_MAX + PD_CGROUP_MAX]
		__attribute__((aligned(8)));
};

/** fake_event_init() - nginx[812] was refused open(write) /etc/passwd by rule 1 of generation 1 */
void fake_event_init(struct fake_event *event);

/** fake_event_build() - lengths and tail into event->bytes; returns how many */
size_t fake_event_build(struct fake_event *event);

/** fake_image() - an image with one policy of that name and a few rules; PD_IMAGE_SIZE bytes, to be
 * freed */
unsigned char *fake_image(uint64_t generation, const char *policy);

#endif
