// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documents: the keys of a policy and of an include file, and how includes come together. Every
 * document starts a policy of its own, with its includes read anew: what a policy consists of does
 * not depend on its neighbours.
 */
#include "policyd/policy/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/array.h"
#include "policyd/base/sha256.h"
#include "policyd/policy/parse_file.h"
#include "policyd/policy/parse_value.h"

enum document_key {
	KEY_VERSION,
	KEY_INCLUDE,
	KEY_FILE,
	KEY_EXEC,
	KEY_SOCKET,
	KEY_CAPABILITY,
	KEY_GUARD,
	KEY_MEMORY,
	KEY_NAME,
	KEY_DESCRIPTION,
	KEY_MODE,
	KEY_MATCH,
	KEY_DEFAULT,
	KEY_INHERITED,
	KEY_EXPECT,
	KEY_COUNT,
};

/* An include file has the first KEY_NAME of them. */
static const struct word key_items[] = {
	{ "version", KEY_VERSION }, { "include", KEY_INCLUDE },
	{ "file", KEY_FILE },	    { "exec", KEY_EXEC },
	{ "socket", KEY_SOCKET },   { "capability", KEY_CAPABILITY },
	{ "guard", KEY_GUARD },	    { "memory", KEY_MEMORY },
	{ "name", KEY_NAME },	    { "description", KEY_DESCRIPTION },
	{ "mode", KEY_MODE },	    { "match", KEY_MATCH },
	{ "default", KEY_DEFAULT }, { "inherited", KEY_INHERITED },
	{ "expect", KEY_EXPECT },
};
static const struct words document_keys = { key_items, KEY_COUNT, "a policy" };

/* The files being read, innermost first. */
struct chain {
	const char *name; /* as included; the document's own file for the outermost */
	const char *path;
	const struct chain *by;
	unsigned int depth;
};

struct loader {
	struct parser parser;
	struct sha256 hash;
};

/* ---- small keys ------------------------------------------------------------------------------ */

static int take_version(const struct parser *parser, const struct node *document,
			const struct node *value)
{
	struct shown shown;
	const char *text;
	int ret;

	if (!value)
		return parser_fail(parser, &document->place,
				   "version: is missing; write version: 1");
	ret = value_text(parser, "version", value, &text);
	if (!ret && strcmp(text, "1") != 0)
		ret = parser_fail(parser, &value->place,
				  "version: \"%s\" is not known; write version: 1",
				  show(&shown, text));
	return ret;
}

static int take_verdict(const struct parser *parser, const char *key, const struct node *value,
			bool *ret_deny)
{
	struct shown shown;
	const char *text;
	int ret = value_text(parser, key, value, &text);

	if (ret)
		return ret;
	*ret_deny = !strcmp(text, "deny");
	if (!*ret_deny && strcmp(text, "allow") != 0)
		return parser_fail(parser, &value->place, "%s: \"%s\" must be allow or deny", key,
				   show(&shown, text));
	return 0;
}

static int take_default(const struct parser *parser, const struct node *document,
			const struct node *value)
{
	static const struct word items[] = {
		{ "file", PD_CLASS_FILE },
		{ "exec", PD_CLASS_EXEC },
		{ "socket", PD_CLASS_SOCKET },
		{ "capability", PD_CLASS_CAPABILITY },
	};
	static const struct words keys = { items, sizeof(items) / sizeof(items[0]), "default" };
	const struct node *values[PD_CLASS_COUNT] = { NULL };
	struct policy *policy = parser->policy;
	bool deny = true;
	int ret;

	if (!value)
		return parser_fail(
			parser, &document->place,
			"default: is missing; write default: deny, or allow, for what no "
			"rule names");
	policy->default_place = value->place;
	policy->deny_default = (1u << PD_CLASS_COUNT) - 1;
	if (value->kind == NODE_MAP) {
		ret = map_take(parser, value, &keys, values);
		if (!ret && !value->count)
			ret = parser_fail(parser, &value->place,
					  "default: the map is empty; write deny or allow");
	} else {
		ret = take_verdict(parser, "default", value, &deny);
	}
	for (size_t i = 0; !ret && i < keys.count; i++) {
		bool deny_class = deny;

		if (values[items[i].value])
			ret = take_verdict(parser, items[i].name, values[items[i].value],
					   &deny_class);
		if (!deny_class)
			policy->deny_default &= ~(1u << items[i].value);
	}
	return ret;
}

static int take_inherited(const struct parser *parser, const struct node *value)
{
	static const struct word items[] = { { "trust", false }, { "recheck", true } };
	static const struct words words = { items, 2, "treatment of inherited descriptors" };
	uint32_t recheck = false;
	int ret = value ? value_word(parser, "inherited", value, &words, &recheck) : 0;

	parser->policy->recheck = recheck;
	return ret;
}

static int take_name(const struct parser *parser, const struct node *document,
		     const struct node *value)
{
	struct policy *policy = parser->policy;
	const char *name;
	int ret;

	if (!value)
		return parser_fail(parser, &document->place,
				   "name: is missing; every policy has one");
	ret = value_name(parser, "name", value, &name);
	if (ret)
		return ret;
	policy->name_place = value->place;
	policy->name = strdup(name);
	return policy->name ? 0 : parser_no_memory(parser);
}

/* ---- rules and includes ---------------------------------------------------------------------- */

static int take_rules(const struct parser *parser, const struct node **values)
{
	static const struct {
		const char *name;
		enum document_key key;
		enum pd_class class;
	} lists[] = {
		{ "file", KEY_FILE, PD_CLASS_FILE },
		{ "exec", KEY_EXEC, PD_CLASS_EXEC },
		{ "socket", KEY_SOCKET, PD_CLASS_SOCKET },
		{ "capability", KEY_CAPABILITY, PD_CLASS_CAPABILITY },
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct node *list = values[lists[i].key];

		if (!list)
			continue;
		if (list->kind != NODE_LIST || !list->count)
			return parser_fail(parser, &list->place,
					   "%s: must be a list of rules, each a line such as - "
					   "{allow: ...}",
					   lists[i].name);
		for (size_t j = 0; !ret && j < list->count; j++)
			ret = rule_parse(parser, lists[i].class, &list->items[j]);
		if (ret)
			return ret;
	}
	if (values[KEY_GUARD])
		ret = rule_parse_guard(parser, values[KEY_GUARD]);
	if (!ret && values[KEY_MEMORY])
		ret = rule_parse_memory(parser, values[KEY_MEMORY]);
	return ret;
}

/* Enters a file into the policy; its number is what places carry. */
static int add_file(struct loader *loader, const struct policy_place *place, const char *path,
		    const char *text, size_t size, uint16_t *ret_index)
{
	struct policy *policy = loader->parser.policy;
	uint64_t length = size;
	char **file;

	if (policy->file_count >= POLICY_FILES_MAX)
		return parser_fail(&loader->parser, place, "more than %u files in one policy",
				   POLICY_FILES_MAX);
	file = array_append((void *)&policy->files, &policy->file_count, sizeof(*file));
	if (!file)
		return parser_no_memory(&loader->parser);
	*file = strdup(path);
	if (!*file)
		return parser_no_memory(&loader->parser);
	sha256_add(&loader->hash, &length, sizeof(length));
	sha256_add(&loader->hash, text, size);
	*ret_index = (uint16_t)(policy->file_count - 1);
	return 0;
}

/* "base, required by web.yaml" for one more file that went wrong. */
static void show_chain(const struct chain *chain, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; chain && used < size; chain = chain->by)
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " <- " : "",
					 chain->name);
}

static int load_include(struct loader *loader, const struct chain *by, const struct node *node);

static int load_includes(struct loader *loader, const struct chain *by, const struct node *value)
{
	int ret;

	if (!value)
		return 0;
	ret = list_check(&loader->parser, "include", value);
	for (size_t i = 0; !ret && i < list_count(value); i++)
		ret = load_include(loader, by, list_item(value, i));
	return ret;
}

static int parse_include(struct loader *loader, const struct chain *chain,
			 const struct node *document)
{
	static const struct words keys = { key_items, KEY_NAME, "an include file" };
	const struct node *values[KEY_COUNT] = { NULL };
	struct parser *parser = &loader->parser;
	int ret = 0;

	for (size_t i = 0; document->kind == NODE_MAP && i < document->count; i += 2) {
		const struct node *key = &document->items[i];
		uint32_t known;

		if (key->kind == NODE_SCALAR && words_find(&document_keys, key->text, &known) &&
		    known >= KEY_NAME)
			return parser_fail(
				parser, &key->place,
				"%s: belongs in a policy; an include file holds rules only",
				key->text);
	}
	ret = map_take(parser, document, &keys, values);
	if (!ret)
		ret = take_version(parser, document, values[KEY_VERSION]);
	if (!ret)
		ret = load_includes(loader, chain, values[KEY_INCLUDE]);
	return ret ? ret : take_rules(parser, values);
}

/* The one document of an include file. */
static int read_include(struct loader *loader, const struct chain *chain, uint16_t index,
			const char *text, size_t size)
{
	struct pd_error *error = loader->parser.error;
	struct yaml_reader *reader = NULL;
	struct node *document = NULL, *more = NULL;
	int ret = yaml_open(chain->path, index, text, size, &reader, error);

	if (!ret)
		ret = yaml_next(reader, &document, error);
	if (!ret && document)
		ret = parse_include(loader, chain, document);
	else if (!ret)
		ret = error_at(error, -EINVAL, chain->path, 0, 0, "nothing in this file");
	if (!ret)
		ret = yaml_next(reader, &more, error);
	if (!ret && more)
		ret = parser_fail(&loader->parser, &more->place,
				  "an include file has one document only");
	node_free(document);
	node_free(more);
	yaml_close(reader);
	return ret;
}

/* First match in the include directories; -ENOENT has no error filled. */
static int find_include(const struct loader *loader, const char *name, char path[PATH_MAX])
{
	const struct parse_options *options = loader->parser.options;
	const char *const *dirs = options ? options->include_dirs : NULL;

	for (; dirs && *dirs; dirs++) {
		if (snprintf(path, PATH_MAX, "%s/%s.yaml", *dirs, name) >= PATH_MAX)
			continue;
		/* what exists but cannot be read is an error when it is opened, not "missing" */
		if (!faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) || errno != ENOENT)
			return 0;
	}
	return -ENOENT;
}

static int missing_include(const struct loader *loader, const struct node *node,
			   const struct chain *by)
{
	const struct parse_options *options = loader->parser.options;
	const char *const *dirs = options ? options->include_dirs : NULL;
	char list[256] = "no include directory is set", chain[256];
	size_t used = 0;

	for (; dirs && *dirs && used < sizeof(list); dirs++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? ", " : "not found in ", *dirs);
	show_chain(by, chain, sizeof(chain));
	return parser_fail(&loader->parser, &node->place, "include: \"%s\": %s.yaml %s%s%s%s",
			   node->text, node->text, list, by->by ? " (" : "", by->by ? chain : "",
			   by->by ? ")" : "");
}

static int load_include(struct loader *loader, const struct chain *by, const struct node *node)
{
	struct parser *parser = &loader->parser;
	char path[PATH_MAX], shown[256], *text = NULL;
	struct chain chain = { .path = path, .by = by, .depth = by->depth + 1 };
	uint16_t index;
	size_t size;
	int ret = value_name(parser, "include", node, &chain.name);

	if (ret)
		return ret;
	show_chain(&chain, shown, sizeof(shown));
	if (find_include(loader, chain.name, path))
		return missing_include(loader, node, by);
	for (const struct chain *c = by; c; c = c->by)
		if (!strcmp(c->path, path))
			return parser_fail(parser, &node->place, "include: loop: %s", shown);
	for (size_t i = 0; i < parser->policy->file_count; i++)
		if (!strcmp(parser->policy->files[i], path))
			return 0;
	if (chain.depth > POLICY_INCLUDE_DEPTH)
		return parser_fail(parser, &node->place, "include: more than %u deep: %s",
				   POLICY_INCLUDE_DEPTH, shown);
	ret = file_read(path, parser->options->trust_files, &text, &size, parser->error);
	if (ret)
		return ret;
	ret = add_file(loader, &node->place, path, text, size, &index);
	if (!ret)
		ret = read_include(loader, &chain, index, text, size);
	free(text);
	return ret;
}

/* ---- policies -------------------------------------------------------------------------------- */

static int parse_policy(struct loader *loader, const struct chain *chain,
			const struct node *document)
{
	const struct node *values[KEY_COUNT] = { NULL };
	struct parser *parser = &loader->parser;
	struct policy *policy = parser->policy;
	uint32_t mode = POLICY_ENFORCE;
	int ret;

	ret = map_take(parser, document, &document_keys, values);
	if (!ret)
		ret = take_version(parser, document, values[KEY_VERSION]);
	if (!ret)
		ret = take_name(parser, document, values[KEY_NAME]);
	if (!ret && values[KEY_DESCRIPTION])
		ret = value_copy(parser, "description", values[KEY_DESCRIPTION],
				 &policy->description);
	if (!ret && values[KEY_MODE])
		ret = value_word(parser, "mode", values[KEY_MODE], &words_modes, &mode);
	policy->mode = (enum policy_mode)mode;
	if (!ret)
		ret = take_default(parser, document, values[KEY_DEFAULT]);
	if (!ret)
		ret = take_inherited(parser, values[KEY_INHERITED]);
	if (!ret && values[KEY_MATCH])
		ret = match_parse(parser, values[KEY_MATCH]);
	if (!ret)
		ret = load_includes(loader, chain, values[KEY_INCLUDE]);
	if (!ret)
		ret = take_rules(parser, values);
	if (!ret && values[KEY_EXPECT])
		ret = expect_parse(parser, values[KEY_EXPECT]);
	return ret;
}

static int load_policy(const char *name, const char *text, size_t size, const struct node *document,
		       const struct parse_options *options, const struct parse_sink *sink,
		       struct policy **ret_policy, struct pd_error *error)
{
	struct chain chain = { .name = name, .path = name };
	struct loader loader = { .parser = { .options = options, .error = error } };
	struct policy *policy = calloc(1, sizeof(*policy));
	uint16_t index;
	int ret;

	loader.parser.policy = policy;
	if (!policy)
		return parser_no_memory(&loader.parser);
	sha256_init(&loader.hash);
	ret = add_file(&loader, &document->place, name, text, size, &index);
	if (!ret)
		ret = parse_policy(&loader, &chain, document);
	if (ret) {
		policy_free(policy);
		return ret;
	}
	sha256_finish(&loader.hash, policy->digest);
	if (sink && sink->warn)
		lint(policy, sink);
	*ret_policy = policy;
	return 0;
}

static int check_unique(struct policy *const *policies, size_t count, struct pd_error *error)
{
	const struct policy *last = policies[count - 1];

	for (size_t i = 0; i + 1 < count; i++)
		if (!strcmp(policies[i]->name, last->name))
			return error_at(error, -EINVAL, last->files[0], last->name_place.line,
					last->name_place.column,
					"name: \"%s\" is also the policy on line %u", last->name,
					policies[i]->name_place.line);
	return 0;
}

int parse_text(const char *name, const char *text, size_t size, const struct parse_options *options,
	       const struct parse_sink *sink, struct policy ***ret_policies, size_t *ret_count,
	       struct pd_error *error)
{
	struct policy **policies = NULL;
	struct yaml_reader *reader = NULL;
	size_t count = 0;
	int ret = 0;

	if (size > POLICY_FILE_MAX)
		return error_at(error, -EFBIG, name, 0, 0, "larger than %u bytes", POLICY_FILE_MAX);
	ret = yaml_open(name, 0, text, size, &reader, error);
	while (!ret) {
		struct node *document = NULL;
		struct policy **policy = NULL;

		ret = yaml_next(reader, &document, error);
		if (ret || !document)
			break;
		policy = array_append((void *)&policies, &count, sizeof(*policy));
		if (!policy)
			ret = error_set(error, -ENOMEM, "out of memory");
		else if (count > POLICY_DOCUMENTS_MAX)
			ret = error_at(error, -EINVAL, name, document->place.line,
				       document->place.column, "more than %u policies in one file",
				       POLICY_DOCUMENTS_MAX);
		else
			ret = load_policy(name, text, size, document, options, sink, policy, error);
		node_free(document);
		if (!ret)
			ret = check_unique(policies, count, error);
	}
	yaml_close(reader);
	if (!ret && !count)
		ret = error_at(error, -EINVAL, name, 0, 0, "no policy in this file");
	if (ret) {
		for (size_t i = 0; i < count; i++)
			policy_free(policies[i]);
		free(policies);
		return ret;
	}
	*ret_policies = policies;
	*ret_count = count;
	return 0;
}

int parse_file(const char *path, const struct parse_options *options, const struct parse_sink *sink,
	       struct policy ***ret_policies, size_t *ret_count, struct pd_error *error)
{
	size_t size;
	char *text;
	int ret;

	ret = file_read(path, options && options->trust_files, &text, &size, error);
	if (ret)
		return ret;
	ret = parse_text(path, text, size, options, sink, ret_policies, ret_count, error);
	free(text);
	return ret;
}
