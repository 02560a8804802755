// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any record, and any line of JSON: rendering must give valid JSON without raw newlines and a human
 * line without control bytes, and names must read back as they were.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/audit/event.h"
#include "policyd/audit/filter.h"
#include "policyd/base/json.h"
#include "policyd/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* Renders both forms into @room; returns the length of the JSON line. */
static size_t render(const struct event *event, char *room)
{
	struct buffer b;
	size_t length;
	json_t *root;

	buffer_init(&b, room, EVENT_HUMAN_MAX);
	event_human(&b, event, 0);
	CHECK(!b.overflow && b.used > 1 && room[b.used - 1] == '\n');
	for (size_t i = 0; i < b.used - 1; i++)
		CHECK((unsigned char)room[i] >= 0x20 && room[i] != 0x7f);
	CHECK(text_is_utf8((struct slice){ room, b.used }));

	buffer_init(&b, room, EVENT_JSON_MAX);
	event_json(&b, event);
	CHECK(!b.overflow && b.used > 1 && room[b.used - 1] == '\n');
	length = b.used;
	CHECK(memchr(room, '\n', length) == room + length - 1);
	CHECK(!json_read(room, length, &root, NULL));
	CHECK(json_is_object(root));
	json_decref(root);
	return length;
}

/* @event as JSON, read back: the names survive byte by byte. */
static void round_trip(const struct event *event)
{
	char *first = malloc(EVENT_JSON_MAX), *second = malloc(EVENT_JSON_MAX);
	size_t length = render(event, first);
	struct pd_error error;
	struct event *back;

	CHECK(!event_parse_json(first, length, &back, &error));
	CHECK(back->object.length == event->object.length);
	CHECK(!back->object.length ||
	      !memcmp(back->object.data, event->object.data, back->object.length));
	CHECK(back->exe.length == event->exe.length);
	render(back, second);
	event_free(back);
	free(first);
	free(second);
}

static void from_json(const char *text, size_t length)
{
	char *room;
	struct event *event;
	struct pd_error error;

	if (event_parse_json(text, length, &event, &error))
		return;
	room = malloc(EVENT_JSON_MAX);
	render(event, room);
	free(room);
	event_free(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbol symbol = { .policy = "web",
				 .file = "web.yaml",
				 .line = 1,
				 .column = 1,
				 .deny = true,
				 .text = "deny write /etc/**" };
	struct event event;
	uint8_t *copy;
	uint8_t choice;

	if (!size)
		return 0;
	choice = data[0];
	data++;
	size--;
	if (data[-1] == '{') {
		from_json((const char *)data - 1, size + 1);
		return 0;
	}
	copy = malloc(size + 1); /* aligned, and a red zone behind it */
	memcpy(copy, data, size);
	if (!event_view(copy, size, choice & 1 ? PD_RING_NOTICES : PD_RING_DENIALS, &event)) {
		char *name = strndup((const char *)data, size);

		memcpy(&event.time_us, data, sizeof(event.time_us));
		if (choice & 2) {
			symbol.is_default = choice & 4;
			symbol.class = (enum pd_class)event.record->class;
			if (choice & 8)
				symbol.file = symbol.text = symbol.policy = name;
			event.symbol = symbol;
		}
		if (choice & 16)
			event.host = event.policies = name;
		round_trip(&event);
		free(name);
	}
	free(copy);
	return 0;
}
