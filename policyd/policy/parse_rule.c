// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of the classes file, exec, capability and guard, and what all rules share. The keys of
 * socket rules are parse_socket.c's.
 */
#include <errno.h>
#include <string.h>

#include "policyd/base/array.h"
#include "policyd/policy/parse_value.h"

enum rule_key {
	KEY_ALLOW,
	KEY_DENY,
	KEY_BY,
	KEY_AUDIT,
	KEY_QUIET,
	KEY_KILL,
	KEY_MODE,
	KEY_PATH,
	KEY_FAMILY,
	KEY_TYPE,
	KEY_PROTOCOL,
	KEY_PORT,
	KEY_TO,
	KEY_UNIX,
	KEY_COUNT,
};

#define KEYS_COMMON                                                                                \
	{ "allow", KEY_ALLOW }, { "deny", KEY_DENY }, { "by", KEY_BY }, { "audit", KEY_AUDIT },    \
		{ "quiet", KEY_QUIET }, { "kill", KEY_KILL },                                      \
	{                                                                                          \
		"mode", KEY_MODE                                                                   \
	}

static const struct word keys_file[] = { KEYS_COMMON, { "path", KEY_PATH } };
static const struct word keys_capability[] = { KEYS_COMMON };
static const struct word keys_socket[] = {
	KEYS_COMMON,	      { "family", KEY_FAMILY },
	{ "type", KEY_TYPE }, { "protocol", KEY_PROTOCOL },
	{ "port", KEY_PORT }, { "to", KEY_TO },
	{ "unix", KEY_UNIX },
};

#define KEYS(array, what)                                                                          \
	{                                                                                          \
		array, sizeof(array) / sizeof((array)[0]), what                                    \
	}
static const struct words class_keys[] = {
	[PD_CLASS_FILE] = KEYS(keys_file, "a file rule"),
	[PD_CLASS_EXEC] = KEYS(keys_file, "an exec rule"),
	[PD_CLASS_SOCKET] = KEYS(keys_socket, "a socket rule"),
	[PD_CLASS_CAPABILITY] = KEYS(keys_capability, "a capability rule"),
};

static int take_flags(const struct parser *parser, const struct node **values,
		      struct policy_rule *rule)
{
	const struct node *audit = values[KEY_AUDIT], *quiet = values[KEY_QUIET];
	const struct node *kills = values[KEY_KILL];
	uint32_t mode = POLICY_ENFORCE;
	int ret = 0;

	if (audit && rule->deny)
		return parser_fail(parser, &map_key(audit)->place,
				   "audit: only for allow; refusals are always logged, unless "
				   "quiet: true");
	if (quiet && !rule->deny)
		return parser_fail(parser, &map_key(quiet)->place,
				   "quiet: only for deny; what is allowed is not logged, unless "
				   "audit: true");
	if (kills && !rule->deny)
		return parser_fail(parser, &map_key(kills)->place,
				   "kill: only for deny; nobody is ended for what is allowed");
	if (audit)
		ret = value_bool(parser, "audit", audit, &rule->audit);
	if (!ret && quiet)
		ret = value_bool(parser, "quiet", quiet, &rule->quiet);
	if (!ret && kills)
		ret = value_bool(parser, "kill", kills, &rule->kill);
	if (!ret && values[KEY_MODE])
		ret = value_word(parser, "mode", values[KEY_MODE], &words_modes, &mode);
	if (ret)
		return ret;
	if (mode == POLICY_DISABLED)
		return parser_fail(parser, &values[KEY_MODE]->place,
				   "mode: a rule can be enforce or audit; remove the rule instead");
	rule->audit_mode = mode == POLICY_AUDIT;
	if (values[KEY_BY])
		ret = value_patterns(parser, "by", values[KEY_BY], PATTERN_PROGRAM, &rule->by);
	return ret;
}

static int take_file(const struct parser *parser, const char *verdict, const struct node *what,
		     const struct node *path, const struct node *rule_node,
		     struct policy_rule *rule)
{
	bool all;
	int ret;

	ret = value_mask(parser, verdict, what, &words_file_permissions, &rule->path_perms, &all);
	if (ret)
		return ret;
	if (!path)
		return parser_fail(parser, &rule_node->place,
				   "path: is missing; \"/**\" is every file with a path");
	return value_patterns(parser, "path", path, PATTERN_OBJECT, &rule->paths);
}

static int take_exec(const struct parser *parser, const char *verdict, const struct node *what,
		     const struct node *path, struct policy_rule *rule)
{
	int ret = list_check(parser, verdict, what);

	/* What may be executed may be mapped for execution, and what may not may not: else `ld.so FILE`
	 * would run it. */
	rule->path_perms = PD_EXEC | PD_MMAP_EXEC;
	if (ret)
		return ret;
	if (!path) {
		const struct node *first = list_item(what, 0);

		if (first->kind == NODE_SCALAR && !strcmp(first->text, "exec"))
			return parser_fail(parser, &first->place,
					   "path: is missing; write {%s: /usr/bin/program}",
					   verdict);
		return value_patterns(parser, verdict, what, PATTERN_OBJECT, &rule->paths);
	}
	for (size_t i = 0; i < list_count(what); i++) {
		const struct node *item = list_item(what, i);

		if (item->kind != NODE_SCALAR || strcmp(item->text, "exec") != 0)
			return parser_fail(parser, &item->place,
					   "%s: with path:, the only permission of an exec rule is "
					   "\"exec\"",
					   verdict);
	}
	return value_patterns(parser, "path", path, PATTERN_OBJECT, &rule->paths);
}

static int take_capability(const struct parser *parser, const char *verdict,
			   const struct node *what, struct policy_rule *rule)
{
	int ret = list_check(parser, verdict, what);

	for (size_t i = 0; !ret && i < list_count(what); i++) {
		const struct node *item = list_item(what, i);
		uint32_t number;

		if (item->kind == NODE_SCALAR && !strcmp(item->text, "all")) {
			rule->capabilities |= (UINT64_C(1) << words_capabilities.count) - 1;
			continue;
		}
		ret = value_word(parser, verdict, item, &words_capabilities, &number);
		if (!ret)
			rule->capabilities |= UINT64_C(1) << number;
	}
	return ret;
}

static int take_socket(const struct parser *parser, const struct node **values,
		       const struct node *what, struct policy_rule *rule)
{
	struct socket_keys keys = {
		.family = values[KEY_FAMILY],
		.type = values[KEY_TYPE],
		.protocol = values[KEY_PROTOCOL],
		.port = values[KEY_PORT],
		.to = values[KEY_TO],
		.unix_ = values[KEY_UNIX],
	};

	return socket_parse(parser, &keys, what, rule);
}

/* The new rule, or NULL with *ret_code set. */
static struct policy_rule *rule_append(const struct parser *parser, enum pd_class class,
				       const struct node *node, int *ret_code)
{
	struct policy *policy = parser->policy;
	struct policy_rule *rule;

	if (policy->rule_count >= POLICY_RULES_MAX) {
		*ret_code = parser_fail(parser, &node->place,
					"more than %u rules in one policy, includes counted",
					POLICY_RULES_MAX);
		return NULL;
	}
	rule = array_append((void *)&policy->rules, &policy->rule_count, sizeof(*rule));
	if (!rule) {
		*ret_code = parser_no_memory(parser);
		return NULL;
	}
	rule->class = class;
	rule->place = node->place;
	return rule;
}

int rule_parse(const struct parser *parser, enum pd_class class, const struct node *node)
{
	const struct node *values[KEY_COUNT] = { NULL }, *what;
	const char *verdict;
	struct policy_rule *rule;
	int ret;

	ret = map_take(parser, node, &class_keys[class], values);
	if (ret)
		return ret;
	if (!values[KEY_ALLOW] == !values[KEY_DENY])
		return parser_fail(parser, &node->place, "%s needs either allow or deny%s",
				   class_keys[class].what, values[KEY_ALLOW] ? ", not both" : "");
	rule = rule_append(parser, class, node, &ret);
	if (!rule)
		return ret;
	rule->deny = values[KEY_DENY];
	what = rule->deny ? values[KEY_DENY] : values[KEY_ALLOW];
	verdict = rule->deny ? "deny" : "allow";
	switch (class) {
	case PD_CLASS_FILE:
		ret = take_file(parser, verdict, what, values[KEY_PATH], node, rule);
		break;
	case PD_CLASS_EXEC:
		ret = take_exec(parser, verdict, what, values[KEY_PATH], rule);
		break;
	case PD_CLASS_SOCKET:
		ret = take_socket(parser, values, what, rule);
		break;
	default:
		ret = take_capability(parser, verdict, what, rule);
		break;
	}
	return ret ? ret : take_flags(parser, values, rule);
}

int rule_parse_guard(const struct parser *parser, const struct node *node)
{
	static const struct word items[] = { { "allow", KEY_ALLOW } };
	static const struct words keys = KEYS(items, "guard");
	const struct node *values[KEY_COUNT] = { NULL };
	struct policy_rule *rule;
	int ret;

	ret = map_take(parser, node, &keys, values);
	if (ret)
		return ret;
	if (!values[KEY_ALLOW])
		return parser_fail(parser, &node->place,
				   "guard: needs allow and a list of what is granted; leave guard "
				   "out to grant nothing");
	ret = list_check(parser, "allow", values[KEY_ALLOW]);
	if (ret)
		return ret;
	rule = rule_append(parser, PD_CLASS_GUARD, node, &ret);
	if (!rule)
		return ret;
	for (size_t i = 0; !ret && i < list_count(values[KEY_ALLOW]); i++) {
		uint32_t guard;

		ret = value_word(parser, "allow", list_item(values[KEY_ALLOW], i), &words_guards,
				 &guard);
		if (!ret)
			rule->guards |= 1u << guard;
	}
	return ret;
}

int rule_parse_memory(const struct parser *parser, const struct node *node)
{
	static const struct word items[] = { { "wx", KEY_ALLOW } };
	static const struct word verdicts[] = { { "allow", false }, { "deny", true } };
	static const struct words keys = KEYS(items, "memory");
	static const struct words words = KEYS(verdicts, "verdict");
	const struct node *values[KEY_COUNT] = { NULL };
	struct policy_rule *rule;
	uint32_t deny = false;
	int ret;

	ret = map_take(parser, node, &keys, values);
	if (ret)
		return ret;
	if (!values[KEY_ALLOW])
		return parser_fail(parser, &node->place,
				   "memory: needs wx: deny; leave memory out to allow it");
	ret = value_word(parser, "wx", values[KEY_ALLOW], &words, &deny);
	if (ret || !deny)
		return ret;
	rule = rule_append(parser, PD_CLASS_GUARD, node, &ret);
	if (!rule)
		return ret;
	rule->deny = true;
	rule->guards = 1u << PD_GUARD_WX;
	return 0;
}
