// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/names.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* What is left of an image when only its symbols are asked for. */
struct remembered {
	uint64_t generation;
	unsigned char
		*image; /* PD_IMAGE_SIZE bytes, untouched but for header and symbols; NULL: free */
	char **slots;	/* by slot: names of its policies, NULL where it has none */
	uint32_t slot_count;
};

struct names {
	struct remembered known[NAMES_GENERATIONS];
	unsigned int oldest; /* index of the one that gives way next */
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

static void forget(struct remembered *r)
{
	if (r->image)
		munmap(r->image, PD_IMAGE_SIZE);
	for (uint32_t i = 0; r->slots && i < r->slot_count; i++)
		free(r->slots[i]);
	free(r->slots);
	*r = (struct remembered){ 0 };
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++)
		forget(&names->known[i]);
	free(names);
}

/* "a, b"; *ret_text is NULL for a slot without policies. */
static int slot_text(const unsigned char *image, uint32_t slot, char **ret_text)
{
	const char **list = image_slot_policies(image, slot);
	size_t length = 1;
	char *text, *end;

	*ret_text = NULL;
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; list[i]; i++)
		length += strlen(list[i]) + 2;
	text = list[0] ? malloc(length) : NULL;
	if (list[0] && !text) {
		free(list);
		return -ENOMEM;
	}
	end = text;
	for (size_t i = 0; list[i]; i++)
		end = stpcpy(stpcpy(end, i ? ", " : ""), list[i]);
	free(list);
	*ret_text = text;
	return 0;
}

static int remember_slots(struct remembered *new, const unsigned char *image)
{
	int r = 0;

	new->slots = calloc(new->slot_count ? new->slot_count : 1, sizeof(*new->slots));
	if (!new->slots)
		return -ENOMEM;
	/* slot 0 is never used */
	for (uint32_t i = 1; i < new->slot_count && !r; i++)
		r = slot_text(image, i, &new->slots[i]);
	return r;
}

int names_add(struct names *names, const unsigned char *image)
{
	const struct pd_image *header = (const struct pd_image *)image;
	struct remembered new = { .generation = header->generation,
				  .slot_count = header->slot_count };
	unsigned int at = names->oldest;
	int r;

	if (header->symbols > PD_IMAGE_SIZE ||
	    header->symbols_size > PD_IMAGE_SIZE - header->symbols ||
	    header->slot_count > PD_IMAGE_SIZE / sizeof(struct pd_slot))
		return -EPROTO;
	/* Offsets stay what they were; pages nobody writes cost nothing. */
	new.image = mmap(NULL, PD_IMAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (new.image == MAP_FAILED)
		return -ENOMEM;
	memcpy(new.image, image, sizeof(*header));
	memcpy(new.image + header->symbols, image + header->symbols, header->symbols_size);
	r = remember_slots(&new, image);
	if (r < 0) {
		forget(&new);
		return r;
	}
	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++)
		if (names->known[i].image && names->known[i].generation == new.generation)
			at = i;
	if (at == names->oldest)
		names->oldest = (names->oldest + 1) % NAMES_GENERATIONS;
	forget(&names->known[at]);
	names->known[at] = new;
	return 0;
}

void names_resolve(const struct names *names, struct event *event)
{
	const struct pd_event *record = event->record;

	for (unsigned int i = 0; i < NAMES_GENERATIONS; i++) {
		const struct remembered *r = &names->known[i];
		struct symbol symbol;

		if (!r->image || r->generation != record->generation)
			continue;
		if (record->slot < r->slot_count)
			event->policies = r->slots[record->slot];
		if (record->rule &&
		    !image_symbol(r->image, image_rule(r->image, record->slot, record->rule),
				  &symbol))
			event->symbol = symbol;
		return;
	}
}
