// SPDX-License-Identifier: GPL-2.0-or-later
/* `match:`, which tasks a policy is for. */
#include <stdlib.h>
#include <string.h>

#include "policyd/base/array.h"
#include "policyd/policy/parse_value.h"

#define LABELS_MAX 64u

enum match_key {
	KEY_CGROUP,
	KEY_EXE,
	KEY_IMAGE,
	KEY_CONTAINER,
	KEY_POD,
	KEY_NAMESPACE,
	KEY_RUNTIME,
	KEY_LABEL,
	KEY_ANNOTATION,
	KEY_COUNT,
};

static const struct word key_items[] = {
	{ "cgroup", KEY_CGROUP },	{ "exe", KEY_EXE },	{ "image", KEY_IMAGE },
	{ "container", KEY_CONTAINER }, { "pod", KEY_POD },	{ "namespace", KEY_NAMESPACE },
	{ "runtime", KEY_RUNTIME },	{ "label", KEY_LABEL }, { "annotation", KEY_ANNOTATION },
};
static const struct words match_keys = { key_items, KEY_COUNT, "an entry of match" };

static int take_pairs(const struct parser *parser, const char *key, const struct node *node,
		      struct policy_pair **pairs, size_t *count)
{
	struct shown shown;

	if (node->kind != NODE_MAP || !node->count)
		return parser_fail(parser, &node->place, "%s: must be a map such as {app: web}",
				   key);
	if (node->count / 2 > LABELS_MAX)
		return parser_fail(parser, &node->place, "%s: more than %u entries", key,
				   LABELS_MAX);
	for (size_t i = 0; i < node->count; i += 2) {
		const struct node *name = &node->items[i];
		struct policy_pair *pair;
		const char *text, *pattern;
		int ret = value_text(parser, key, name, &text);

		if (!ret)
			ret = value_pattern(parser, text, &node->items[i + 1], PATTERN_TEXT,
					    &pattern);
		if (ret)
			return ret;
		for (size_t j = 0; j < *count; j++)
			if (!strcmp((*pairs)[j].key, text))
				return parser_fail(parser, &name->place, "duplicate key \"%s\"",
						   show(&shown, text));
		pair = array_append((void *)pairs, count, sizeof(*pair));
		if (!pair)
			return parser_no_memory(parser);
		pair->key = strdup(text);
		pair->value = strdup(pattern);
		if (!pair->key || !pair->value)
			return parser_no_memory(parser);
	}
	return 0;
}

static int parse_entry(const struct parser *parser, const struct node *node)
{
	const struct node *values[KEY_COUNT] = { NULL };
	struct policy *policy = parser->policy;
	struct policy_match *match;
	int ret;

	ret = map_take(parser, node, &match_keys, values);
	if (ret)
		return ret;
	if (!node->count)
		return parser_fail(parser, &node->place,
				   "an entry of match needs a key: cgroup, exe, image, container, "
				   "pod, namespace, runtime, label or annotation");
	match = array_append((void *)&policy->matches, &policy->match_count, sizeof(*match));
	if (!match)
		return parser_no_memory(parser);
	match->place = node->place;

	char **const texts[] = {
		[KEY_CGROUP] = &match->cgroup,	 [KEY_EXE] = &match->exe,
		[KEY_IMAGE] = &match->image,	 [KEY_CONTAINER] = &match->container,
		[KEY_POD] = &match->pod,	 [KEY_NAMESPACE] = &match->namespace,
		[KEY_RUNTIME] = &match->runtime,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *pattern;

		if (!values[i])
			continue;
		ret = value_pattern(parser, key_items[i].name, values[i],
				    i == KEY_CGROUP ? PATTERN_BINDING :
				    i == KEY_EXE    ? PATTERN_EXE :
						      PATTERN_TEXT,
				    &pattern);
		if (ret)
			return ret;
		*texts[i] = strdup(pattern);
		if (!*texts[i])
			return parser_no_memory(parser);
	}
	if (values[KEY_LABEL])
		ret = take_pairs(parser, "label", values[KEY_LABEL], &match->labels,
				 &match->label_count);
	if (!ret && values[KEY_ANNOTATION])
		ret = take_pairs(parser, "annotation", values[KEY_ANNOTATION], &match->annotations,
				 &match->annotation_count);
	return ret;
}

int match_parse(const struct parser *parser, const struct node *list)
{
	int ret = 0;

	if (list->kind != NODE_LIST || !list->count)
		return parser_fail(
			parser, &list->place,
			"match: must be a list of maps such as - {exe: /usr/sbin/nginx}");
	for (size_t i = 0; !ret && i < list->count; i++)
		ret = parse_entry(parser, &list->items[i]);
	return ret;
}
