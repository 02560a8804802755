// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/audit/event_parts.h"
#include "policyd/base/array.h"
#include "policyd/policy/glob.h"
#include "policyd/policy/words.h"

/* A criterion is a mask of words, or a list of texts of which one must match. */
enum criterion {
	BY_VERDICT,
	BY_CLASS,
	BY_OPERATION,
	BY_RING,
	BY_REASON,
	MASKS, /* how many are masks */
	BY_POLICY = MASKS,
	BY_PATH,
	BY_EXE,
	BY_COMM,
	BY_PID,
	BY_CGROUP,
	CRITERIA,
};

static const char *const keys[] = {
	[BY_VERDICT] = "verdict", [BY_CLASS] = "class",	  [BY_OPERATION] = "operation",
	[BY_RING] = "ring",	  [BY_REASON] = "reason", [BY_POLICY] = "policy",
	[BY_PATH] = "path",	  [BY_EXE] = "exe",	  [BY_COMM] = "comm",
	[BY_PID] = "pid",	  [BY_CGROUP] = "cgroup", [CRITERIA] = NULL,
};

struct filter {
	uint64_t masks[MASKS]; /* bit n: value n is wanted; 0: anything is */
	struct texts {
		char **items;
		size_t count;
	} texts[CRITERIA - MASKS];
};

const char *const *filter_keys(void)
{
	return keys;
}

struct filter *filter_new(void)
{
	return calloc(1, sizeof(struct filter));
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < CRITERIA - MASKS; i++) {
		for (size_t j = 0; j < filter->texts[i].count; j++)
			free(filter->texts[i].items[j]);
		free(filter->texts[i].items);
	}
	free(filter);
}

/* The n-th word of a criterion, NULL past the last; "" where a number has none. */
static const char *word_of(enum criterion by, unsigned int n)
{
	static const char *const rings[] = { "denials", "notices" };

	switch (by) {
	case BY_VERDICT:
		return n > PD_WOULD_DENY ? NULL : n ? word_verdict((enum pd_verdict)n) : "";
	case BY_CLASS:
		return n >= PD_CLASS_COUNT ? NULL : word_class((enum pd_class)n);
	case BY_OPERATION:
		return n >= PD_OP_COUNT ? NULL : n ? word_operation((enum pd_operation)n) : "";
	case BY_RING:
		return n >= PD_RING_COUNT ? NULL : rings[n];
	default:
		return n >= PD_REASON_COUNT ? NULL : word_reason((enum pd_reason)n);
	}
}

static int wrong_word(enum criterion by, const char *word, struct pd_error *error)
{
	char list[512];
	struct buffer b;
	const char *name;

	buffer_init(&b, list, sizeof(list) - 1);
	for (unsigned int n = 0; (name = word_of(by, n)); n++)
		if (*name)
			buffer_format(&b, "%s%s", b.used ? ", " : "", name);
	list[b.used] = '\0';
	return error_set(error, -EINVAL, "%s: \"%s\" is none of %s", keys[by], word, list);
}

static int add_word(struct filter *filter, enum criterion by, const char *word,
		    struct pd_error *error)
{
	const char *name;

	for (unsigned int n = 0; (name = word_of(by, n)); n++) {
		if (!*word || strcmp(name, word))
			continue;
		filter->masks[by] |= 1ull << n;
		return 0;
	}
	return wrong_word(by, word, error);
}

static int add_text(struct filter *filter, enum criterion by, const char *text,
		    struct pd_error *error)
{
	struct texts *texts = &filter->texts[by - MASKS];
	const char *reason = "";
	char **item;

	if (!*text)
		return error_set(error, -EINVAL, "%s: a value is missing", keys[by]);
	if (by == BY_PID && (strlen(text) > 10 || strspn(text, "0123456789") != strlen(text)))
		return error_set(error, -EINVAL, "pid: \"%s\" is not a number", text);
	if ((by == BY_PATH || by == BY_EXE || by == BY_CGROUP) &&
	    glob_check(text, strlen(text), NULL, &reason) < 0)
		return error_set(error, -EINVAL, "%s: \"%s\": %s", keys[by], text, reason);
	item = array_append((void *)&texts->items, &texts->count, sizeof(*item));
	if (!item)
		return error_set(error, -ENOMEM, "out of memory");
	*item = strdup(text);
	if (*item)
		return 0;
	texts->count--;
	return error_set(error, -ENOMEM, "out of memory");
}

/* The end of the first of several values. In a pattern a comma may also be part of {a,b}, [,] or \,. */
static char *end_of_value(char *text, bool is_pattern)
{
	unsigned int depth = 0;
	bool in_set = false;

	for (; *text; text++) {
		if (*text == ',' && !depth && !in_set)
			break;
		if (!is_pattern)
			continue;
		if (*text == '\\' && text[1])
			text++;
		else if (in_set)
			in_set = *text != ']';
		else if (*text == '[')
			in_set = true;
		else if (*text == '{')
			depth++;
		else if (*text == '}' && depth)
			depth--;
	}
	return text;
}

int filter_add(struct filter *filter, const char *key, const char *value, struct pd_error *error)
{
	enum criterion by = 0;
	char *copy, *word, *end;
	bool is_pattern, more = true;
	int r = 0;

	while (by < CRITERIA && strcmp(keys[by], key))
		by++;
	if (by == CRITERIA)
		return error_set(error, -EINVAL, "events cannot be filtered by \"%s\"", key);
	is_pattern = by == BY_PATH || by == BY_EXE || by == BY_CGROUP;
	copy = word = strdup(value);
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	for (; !r && more; word = end + 1) {
		end = end_of_value(word, is_pattern);
		more = *end;
		*end = '\0';
		r = by < MASKS ? add_word(filter, by, word, error) :
				 add_text(filter, by, word, error);
	}
	free(copy);
	return r;
}

static bool is_same(const char *text, struct slice value)
{
	return strlen(text) == value.length && !memcmp(text, value.data, value.length);
}

static bool glob_is_match(const char *pattern, struct slice name, unsigned int flags)
{
	return name.length &&
	       glob_match_name(pattern, strlen(pattern), name.data, name.length, flags) == 1;
}

/* The policy that decided; where none did, any the subject is under ("a, b"). */
static bool policy_matches(const char *wanted, const struct event *event)
{
	const char *at = event->policies ? event->policies : "";

	if (event->symbol.policy)
		return !strcmp(wanted, event->symbol.policy);
	while (*at) {
		size_t length = strcspn(at, ",");

		if (is_same(wanted, (struct slice){ at, length }))
			return true;
		at += length;
		at += strspn(at, ", ");
	}
	return false;
}

static bool text_matches(enum criterion by, const char *wanted, const struct event *event)
{
	switch (by) {
	case BY_POLICY:
		return policy_matches(wanted, event);
	case BY_PATH:
		return glob_is_match(wanted, event->object, GLOB_ALIASES | GLOB_DIRECTORY) ||
		       glob_is_match(wanted, event->object2, GLOB_ALIASES | GLOB_DIRECTORY);
	case BY_EXE:
		return glob_is_match(wanted, event->exe, GLOB_ALIASES);
	case BY_CGROUP:
		return glob_is_match(wanted, event->cgroup, GLOB_BELOW);
	case BY_COMM:
		return is_same(wanted, event_comm(event->record));
	default:
		return strtoul(wanted, NULL, 10) == event->record->pid;
	}
}

static unsigned int value_of(enum criterion by, const struct event *event)
{
	switch (by) {
	case BY_VERDICT:
		return event->record->verdict;
	case BY_CLASS:
		return event->record->class;
	case BY_OPERATION:
		return event->record->operation;
	case BY_RING:
		return event->ring;
	default:
		return event->record->reason;
	}
}

bool filter_match(const struct filter *filter, const struct event *event)
{
	for (enum criterion by = 0; by < MASKS; by++) {
		unsigned int value = value_of(by, event);

		if (filter->masks[by] && (value > 63 || !(filter->masks[by] >> value & 1)))
			return false;
	}
	for (enum criterion by = MASKS; by < CRITERIA; by++) {
		const struct texts *texts = &filter->texts[by - MASKS];
		bool found = !texts->count;

		for (size_t i = 0; i < texts->count && !found; i++)
			found = text_matches(by, texts->items[i], event);
		if (!found)
			return false;
	}
	return true;
}
