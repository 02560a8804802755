/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void print_table(const char *const *cells, size_t rows, size_t columns)
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t column = 0; column < columns; column++) {
			size_t width = 0;

			for (size_t i = 0; i < rows; i++) {
				size_t length = strlen(cells[i * columns + column]);

				width = length > width ? length : width;
			}
			if (column + 1 == columns)
				printf("%s\n", cells[row * columns + column]);
			else
				printf("%-*s  ", (int)width, cells[row * columns + column]);
		}
	}
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
