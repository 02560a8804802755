/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/json_splice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"

/* The text is valid JSON, and ends with NUL: so none of these runs beyond it. */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* What is nested is only counted: validity is not ours to see to. */
static const char *skip_value(const char *at)
{
	size_t depth = 0;

	do {
		at = skip_blanks(at);
		if (*at == '"') {
			at = skip_string(at);
		} else if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (*at == '}' || *at == ']') {
			depth--;
			at++;
		} else if (*at == ',' || *at == ':') {
			at++;
		} else {
			at += strcspn(at, " \t\r\n,:{}[]\"");
		}
		if (depth)
			at = skip_blanks(at);
	} while (depth && *at);
	return at;
}

/* However it is escaped */
static bool is_key(const char *from, const char *to, const char *key)
{
	json_t *text = json_loadb(from, (size_t)(to - from), JSON_DECODE_ANY, NULL);
	bool same = json_is_string(text) && strcmp(json_string_value(text), key) == 0;

	json_decref(text);
	return same;
}

/* Where the value of a member begins; NULL: the object that begins at @at has none of that name */
static const char *find_member(const char *at, const char *key)
{
	for (at = skip_blanks(at + 1); *at == '"'; at = skip_blanks(at + 1)) {
		const char *end = skip_string(at);
		bool found = is_key(at, end, key);

		at = skip_blanks(skip_blanks(end) + 1); /* beyond ':' */
		if (found)
			return at;
		at = skip_blanks(skip_value(at));
		if (*at != ',')
			break;
	}
	return NULL;
}

static bool is_empty(const char *container)
{
	const char *at = skip_blanks(container + 1);

	return *at == '}' || *at == ']';
}

/* {"a":{"b":[ITEM]}} without the first brace and its key, for what is missing of the path */
static char *nest(const char *const *path, const char *item)
{
	CLEANUP_FREE char *inner = NULL;

	if (!*path)
		return string_format("[%s]", item);
	inner = nest(path + 1, item);
	return inner ? string_format("{\"%s\":%s}", *path, inner) : NULL;
}

int json_splice_first(const char *text, const char *const *path, const char *item, char **ret)
{
	const char *at = skip_blanks(text), *end = NULL;
	CLEANUP_FREE char *new = NULL;

	for (; *path; path++) {
		const char *value;

		if (*at != '{')
			return -EINVAL;
		value = find_member(at, *path);
		if (!value) { /* becomes the object's first */
			CLEANUP_FREE char *inner = nest(path + 1, item);

			new = inner ? string_format("\"%s\":%s%s", *path, inner,
						    is_empty(at) ? "" : ",") :
				      NULL;
			end = ++at;
			break;
		}
		at = value;
		if (strncmp(at, "null", 4) == 0) {
			new = nest(path + 1, item);
			end = at + 4;
			break;
		}
	}
	if (!end) {
		if (*at != '[')
			return -EINVAL;
		new = string_format("%s%s", item, is_empty(at) ? "" : ",");
		end = ++at;
	}
	*ret = new ? string_format("%.*s%s%s", (int)(at - text), text, new, end) : NULL;
	return *ret ? 0 : -ENOMEM;
}
