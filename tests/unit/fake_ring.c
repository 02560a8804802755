// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policyd/policy/compile.h"
#include "policyd/policy/parse.h"

static unsigned long *producer(const struct fake_ring *ring)
{
	return (unsigned long *)(void *)(ring->map + ring->page);
}

unsigned long fake_ring_consumer(const struct fake_ring *ring)
{
	return *(unsigned long *)(void *)ring->map;
}

void fake_ring_open(struct fake_ring *ring, size_t size)
{
	*ring = (struct fake_ring){ .page = (size_t)sysconf(_SC_PAGESIZE), .size = size };
	ring->fd = memfd_create("ring", MFD_CLOEXEC);
	if (ring->fd < 0 || ftruncate(ring->fd, (off_t)(2 * ring->page + 2 * size)) < 0)
		abort();
	ring->map = mmap(NULL, 2 * ring->page + 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 ring->fd, 0);
	if (ring->map == MAP_FAILED)
		abort();
}

void fake_ring_close(struct fake_ring *ring)
{
	munmap(ring->map, 2 * ring->page + 2 * ring->size);
	close(ring->fd);
}

/* The data area is there twice. */
static void put_bytes(struct fake_ring *ring, unsigned long at, const void *data, size_t length)
{
	unsigned char *area = ring->map + 2 * ring->page;

	for (size_t i = 0; i < length; i++) {
		size_t offset = (at + i) & (ring->size - 1);

		area[offset] = area[offset + ring->size] = ((const unsigned char *)data)[i];
	}
}

void fake_ring_header(struct fake_ring *ring, uint32_t word, size_t step)
{
	put_bytes(ring, *producer(ring), &word, sizeof(word));
	__atomic_store_n(producer(ring), *producer(ring) + step, __ATOMIC_RELEASE);
}

bool fake_ring_put(struct fake_ring *ring, const void *data, size_t length, uint32_t flags)
{
	size_t step = (8 + length + 7) & ~(size_t)7;

	if (!flags)
		ring->counters.generated++;
	if (*producer(ring) - fake_ring_consumer(ring) + step > ring->size) {
		ring->counters.lost++;
		return false;
	}
	put_bytes(ring, *producer(ring) + 8, data, length);
	fake_ring_header(ring, (uint32_t)length | flags, step);
	return true;
}

void fake_event_init(struct fake_event *event)
{
	*event = (struct fake_event){
		.record = {
			.sequence = 1,
			.time_ns = 1,
			.generation = 1,
			.cgroup_id = 4242,
			.rule = 1,
			.slot = 1,
			.repeat = 1,
			.wanted = PD_WRITE,
			.refused = PD_WRITE,
			.pid = 812,
			.tid = 812,
			.ppid = 1,
			.uid = 33,
			.gid = 33,
			.verdict = PD_DENIED,
			.class = PD_CLASS_FILE,
			.operation = PD_OP_OPEN,
			.hook = PD_HOOK_file_open,
			.comm = "nginx",
		},
		.object = "/etc/passwd",
		.exe = "/usr/sbin/nginx",
		.cgroup = "/system.slice/nginx.service",
	};
}

size_t fake_event_build(struct fake_event *event)
{
	const char *texts[] = { event->object, event->object2, event->exe, event->cgroup };
	__u16 *lengths[] = { &event->record.object_len, &event->record.object2_len,
			     &event->record.exe_len, &event->record.cgroup_len };
	size_t at = sizeof(event->record);

	for (int i = 0; i < 4; i++) {
		size_t length = texts[i] ? strlen(texts[i]) : 0;

		*lengths[i] = (__u16)length;
		if (length)
			memcpy(event->bytes + at, texts[i], length);
		at += length;
	}
	memcpy(event->bytes, &event->record, sizeof(event->record));
	return at;
}

unsigned char *fake_image(uint64_t generation, const char *policy)
{
	const char *none[] = { NULL };
	struct parse_options options = { .include_dirs = none, .trust_files = true };
	struct compile_input input = { .generation = generation };
	struct numbering *numbering = numbering_new();
	struct compiled *compiled;
	struct policy **policies;
	struct pd_error error = { 0 };
	unsigned char *image;
	char text[512];
	int length =
		snprintf(text, sizeof(text),
			 "version: 1\nname: %s\nmatch: [{exe: /usr/sbin/nginx}]\n"
			 "default: {file: deny, exec: allow, socket: allow, capability: allow}\n"
			 "file:\n  - {allow: read, path: /srv/}\n  - {deny: write, path: /etc/}\n",
			 policy);

	if (parse_text("web.yaml", text, (size_t)length, &options, NULL, &policies,
		       &input.policy_count, &error))
		abort();
	input.policies = policies;
	if (compile(&input, numbering, &compiled, &error))
		abort();
	image = compiled->image;
	compiled->image = NULL;
	compiled_free(compiled);
	numbering_free(numbering);
	policy_free(policies[0]);
	free(policies);
	return image;
}
