// SPDX-License-Identifier: GPL-2.0-or-later
/* `expect:`, a policy's own tests. */
#include <errno.h>
#include <string.h>

#include "policyd/base/array.h"
#include "policyd/policy/parse_value.h"
#include "policyd/policy/question.h"

enum expect_key {
	/* beside enum part */
	KEY_ALLOW = PART_COUNT,
	KEY_DENY,
	KEY_COUNT,
};

static const struct word expect_items[] = {
	{ "allow", KEY_ALLOW },
	{ "deny", KEY_DENY },
	{ "by", PART_BY },
	{ "family", PART_FAMILY },
	{ "type", PART_TYPE },
	{ "protocol", PART_PROTOCOL },
	{ "path", PART_PATH },
	{ "unix", PART_UNIX },
	{ "to", PART_TO },
	{ "port", PART_PORT },
	{ "capability", PART_CAPABILITY },
	{ "guard", PART_GUARD },
};
static const struct words expect_keys = { expect_items,
					  sizeof(expect_items) / sizeof(expect_items[0]),
					  "an entry of expect" };

/* A literal written as in rules: backslashes are taken away, in place; wildcards are refused. */
static const char *unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (strchr("*?[]{}", *text))
			return "one literal name is asked for; put \\ before a character that is "
			       "meant as such";
		if (*text == '\\' && !*++text)
			return "'\\' at the end; write \\\\ for the character itself";
		*out++ = *text;
	}
	*out = '\0';
	return NULL;
}

static int collect(const struct parser *parser, const struct node **values, struct parts *parts)
{
	static const bool literal[PART_COUNT] = {
		[PART_BY] = true, [PART_PATH] = true, [PART_UNIX] = true
	};
	const struct node *verdict = values[KEY_DENY] ? values[KEY_DENY] : values[KEY_ALLOW];

	values[PART_OPERATION] = verdict;
	for (enum part part = 0; part < PART_COUNT; part++) {
		const struct node *value = values[part];
		const char *key, *reason;
		int ret;

		if (!value)
			continue;
		key = map_key(value)->text;
		ret = value_text(parser, key, value, &parts->text[part]);
		if (ret)
			return ret;
		reason = literal[part] ? unescape(value->text) : NULL;
		if (reason)
			return parser_fail(parser, &value->place, "%s: %s", key, reason);
		parts->place[part] = value->place;
	}
	return 0;
}

static int check_direction(const struct parser *parser, const struct node **values)
{
	const struct node *operation = values[PART_OPERATION];
	bool outward = !strcmp(operation->text, "connect") || !strcmp(operation->text, "send");
	bool inward = !strcmp(operation->text, "bind") || !strcmp(operation->text, "listen") ||
		      !strcmp(operation->text, "accept");

	if (values[PART_TO] && inward)
		return parser_fail(
			parser, &map_key(values[PART_TO])->place,
			"to: is the peer's address, for connect and send; %s takes port:",
			operation->text);
	if (values[PART_PORT] && outward)
		return parser_fail(
			parser, &map_key(values[PART_PORT])->place,
			"port: is the own port, for bind, listen and accept; %s takes to: "
			"with an address and a port",
			operation->text);
	return 0;
}

static int parse_expect(const struct parser *parser, const struct node *node)
{
	const struct node *values[KEY_COUNT] = { NULL };
	struct policy *policy = parser->policy;
	struct policy_expect *expect;
	struct pd_error error;
	struct parts parts = { .error = &error };
	int ret;

	ret = map_take(parser, node, &expect_keys, values);
	if (ret)
		return ret;
	if (!values[KEY_ALLOW] == !values[KEY_DENY])
		return parser_fail(parser, &node->place, "%s needs either allow or deny%s",
				   expect_keys.what, values[KEY_ALLOW] ? ", not both" : "");
	ret = collect(parser, values, &parts);
	if (!ret)
		ret = check_direction(parser, values);
	if (ret)
		return ret;
	expect = array_append((void *)&policy->expects, &policy->expect_count, sizeof(*expect));
	if (!expect)
		return parser_no_memory(parser);
	expect->place = expect->question.place = node->place;
	expect->question.deny = values[KEY_DENY];
	ret = question_build(&parts, &expect->question);
	if (ret == -ENOMEM)
		return parser_no_memory(parser);
	if (ret)
		return parser_fail(parser, &values[parts.blame]->place, "%s: %s",
				   map_key(values[parts.blame])->text, error.text);
	return 0;
}

int expect_parse(const struct parser *parser, const struct node *list)
{
	int ret = 0;

	if (list->kind != NODE_LIST || !list->count)
		return parser_fail(parser, &list->place,
				   "expect: must be a list of maps such as - {deny: read, path: "
				   "/etc/shadow}");
	for (size_t i = 0; !ret && i < list->count; i++)
		ret = parse_expect(parser, &list->items[i]);
	return ret;
}
