/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/text.h"

#define READABLE_MAX (4 * 4096)

void print_event(FILE *to, const struct event *event, bool json, unsigned int flags)
{
	char *data = malloc(EVENT_JSON_MAX);
	struct buffer b;

	if (!data)
		return;
	buffer_init(&b, data, EVENT_JSON_MAX);
	if (json)
		event_json(&b, event);
	else
		event_human(&b, event, flags);
	fwrite(data, 1, b.used, to);
	fflush(to);
	free(data);
}

int event_from_json(const json_t *object, struct event **ret_event, struct pd_error *error)
{
	char *text = json_dumps(object, JSON_COMPACT);
	int r;

	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	r = event_parse_json(text, strlen(text), ret_event, error);
	free(text);
	return r;
}

/* Fit for a terminal: containers and their cgroups are called as others like. */
static const char *readable(const char *text, char out[static READABLE_MAX])
{
	struct buffer b;

	buffer_init(&b, out, READABLE_MAX - 1);
	text_escape(&b, slice_of(text));
	out[b.used] = '\0';
	return out;
}

void print_text(const char *text)
{
	char out[READABLE_MAX];

	fputs(readable(text, out), stdout);
}

void print_table(const char *const *cells, size_t rows, size_t columns)
{
	int *widths = calloc(columns, sizeof(*widths));
	char out[READABLE_MAX];

	for (size_t i = 0; widths && i < rows * columns; i++) {
		int length = (int)strlen(readable(cells[i], out));

		if (length > widths[i % columns])
			widths[i % columns] = length;
	}
	for (size_t i = 0; i < rows * columns; i++) {
		if (i % columns + 1 == columns)
			printf("%s\n", readable(cells[i], out));
		else
			printf("%-*s  ", widths ? widths[i % columns] : 0, readable(cells[i], out));
	}
	free(widths);
}

const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
