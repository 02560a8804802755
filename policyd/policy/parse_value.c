// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/parse_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/array.h"
#include "policyd/base/text.h"
#include "policyd/policy/glob.h"

int parser_fail(const struct parser *parser, const struct policy_place *place, const char *format,
		...)
{
	const struct policy *policy = parser->policy;
	char text[sizeof(parser->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_at(parser->error, -EINVAL,
			place->file < policy->file_count ? policy->files[place->file] : "",
			place->line, place->column, "%s", text);
}

int parser_no_memory(const struct parser *parser)
{
	return error_set(parser->error, -ENOMEM, "out of memory");
}

const char *show(struct shown *shown, const char *text)
{
	struct buffer buffer;
	uint32_t rune;

	buffer_init(&buffer, shown->text, sizeof(shown->text) - sizeof("..."));
	for (size_t n; *text && !buffer.overflow; text += n) {
		n = text_next(text, strlen(text), &rune);
		n = n ? n : 1;
		text_escape(&buffer, (struct slice){ text, n });
	}
	shown->text[buffer.used] = '\0';
	if (buffer.overflow)
		strcpy(shown->text + buffer.used, "...");
	return shown->text;
}

const char *show_meant(struct shown *shown, const struct words *words, const char *text)
{
	const char *meant = words_nearest(words, text);

	shown->text[0] = '\0';
	if (meant)
		snprintf(shown->text, sizeof(shown->text), "; did you mean \"%s\"?", meant);
	return shown->text;
}

/* ---- maps and lists -------------------------------------------------------------------------- */

int map_take(const struct parser *parser, const struct node *map, const struct words *keys,
	     const struct node **values)
{
	struct shown name, meant;

	for (size_t i = 0; i < keys->count; i++)
		values[keys->items[i].value] = NULL;
	if (map->kind != NODE_MAP)
		return parser_fail(parser, &map->place, "%s must be a map of keys and values",
				   keys->what);
	for (size_t i = 0; i < map->count; i += 2) {
		const struct node *key = &map->items[i], **value;
		uint32_t index;

		if (key->kind != NODE_SCALAR)
			return parser_fail(parser, &key->place,
					   "%s: a key must be a word, not a list or map",
					   keys->what);
		if (!words_find(keys, key->text, &index)) {
			bool merge = !strcmp(key->text, "<<");

			return parser_fail(parser, &key->place, "unknown key \"%s\" in %s%s",
					   show(&name, key->text), keys->what,
					   merge ? "; YAML merge keys are not supported, use "
						   "include" :
						   show_meant(&meant, keys, key->text));
		}
		value = &values[index];
		if (*value)
			return parser_fail(parser, &key->place,
					   "duplicate key \"%s\"; it was given on line %u",
					   show(&name, key->text), map_key(*value)->place.line);
		*value = key + 1;
	}
	return 0;
}

int list_check(const struct parser *parser, const char *key, const struct node *node)
{
	if (node->kind == NODE_MAP)
		return parser_fail(parser, &node->place,
				   "%s: must be a value or a list of values, not a map; put a "
				   "pattern with braces in quotes",
				   key);
	if (!list_count(node))
		return parser_fail(parser, &node->place,
				   "%s: the list is empty; leave the key out or name something",
				   key);
	return 0;
}

size_t list_count(const struct node *node)
{
	return node->kind == NODE_LIST ? node->count : 1;
}

const struct node *list_item(const struct node *node, size_t index)
{
	return node->kind == NODE_LIST ? &node->items[index] : node;
}

/* ---- scalars --------------------------------------------------------------------------------- */

int value_text(const struct parser *parser, const char *key, const struct node *node,
	       const char **ret_text)
{
	if (node->kind != NODE_SCALAR)
		return parser_fail(parser, &node->place, "%s: must be a single value, not a %s",
				   key, node->kind == NODE_MAP ? "map" : "list");
	if (!node->text[0])
		return parser_fail(parser, &node->place, "%s: the value is missing", key);
	*ret_text = node->text;
	return 0;
}

int value_copy(const struct parser *parser, const char *key, const struct node *node,
	       char **ret_copy)
{
	const char *text = NULL;
	int ret = value_text(parser, key, node, &text);

	if (ret)
		return ret;
	*ret_copy = strdup(node->text);
	return *ret_copy ? 0 : parser_no_memory(parser);
}

int value_bool(const struct parser *parser, const char *key, const struct node *node,
	       bool *ret_value)
{
	struct shown shown;
	const char *text;
	int ret = value_text(parser, key, node, &text);

	if (ret)
		return ret;
	*ret_value = !strcmp(text, "true");
	if (node->quoted || (!*ret_value && strcmp(text, "false")))
		return parser_fail(parser, &node->place, "%s: \"%s\" must be true or false%s", key,
				   show(&shown, text), node->quoted ? ", without quotes" : "");
	return 0;
}

/* What is a word elsewhere deserves more than "unknown". */
static const char *elsewhere(const struct words *words, const char *text)
{
	uint32_t value;

	if (words == &words_file_permissions && !strcmp(text, "exec"))
		return "; programs are named under exec:";
	if (words == &words_file_permissions && words_find(&words_socket_operations, text, &value))
		return "; socket operations belong under socket:";
	if (words == &words_socket_operations && words_find(&words_file_permissions, text, &value))
		return "; file permissions belong under file:";
	if (words == &words_guards && words_capability(text, &value))
		return "; capabilities belong under capability:";
	if (words == &words_capabilities && words_find(&words_guards, text, &value))
		return "; guards are granted under guard:";
	return NULL;
}

int value_word(const struct parser *parser, const char *key, const struct node *node,
	       const struct words *words, uint32_t *ret_value)
{
	struct shown name, meant;
	const char *text, *hint;
	int ret = value_text(parser, key, node, &text);

	if (ret)
		return ret;
	if (words == &words_capabilities ? words_capability(text, ret_value) :
					   words_find(words, text, ret_value))
		return 0;
	hint = elsewhere(words, text);
	return parser_fail(parser, &node->place, "%s: unknown %s \"%s\"%s", key, words->what,
			   show(&name, text), hint ? hint : show_meant(&meant, words, text));
}

int value_mask(const struct parser *parser, const char *key, const struct node *node,
	       const struct words *words, uint32_t *ret_mask, bool *ret_all)
{
	bool all = false;
	uint32_t mask = 0;
	int ret = list_check(parser, key, node);

	for (size_t i = 0; !ret && i < list_count(node); i++) {
		const struct node *item = list_item(node, i);
		uint32_t value;

		ret = value_word(parser, key, item, words, &value);
		if (ret)
			break;
		all |= !strcmp(item->text, "all");
		mask |= value;
	}
	if (ret)
		return ret;
	*ret_mask = mask;
	*ret_all = all;
	return 0;
}

int value_name(const struct parser *parser, const char *key, const struct node *node,
	       const char **ret_name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	struct shown shown;
	const char *text;
	int ret = value_text(parser, key, node, &text);

	if (ret)
		return ret;
	if (strlen(text) > POLICY_NAME_MAX)
		return parser_fail(parser, &node->place, "%s: longer than %u characters", key,
				   POLICY_NAME_MAX);
	if (text[strspn(text, letters)] || strchr("._-", text[0]))
		return parser_fail(parser, &node->place,
				   "%s: \"%s\" is not a name: lower case letters, digits, '.', '_' "
				   "and '-', beginning with a letter or digit",
				   key, show(&shown, text));
	*ret_name = text;
	return 0;
}

bool value_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	unsigned long number = 0;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && text[1]))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		number = number * 10 + (unsigned long)(*text - '0');
		if (number > max)
			return false;
	}
	if (*text)
		return false;
	*ret_number = number;
	return true;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static const char *check_start(const char *text, enum pattern_kind kind)
{
	static const char *const pseudo[] = { "memfd:", "mqueue:", "nsfs:" };

	if (kind == PATTERN_TEXT || text[0] == '/')
		return NULL;
	switch (kind) {
	case PATTERN_OBJECT:
		for (size_t i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++)
			if (!strncmp(text, pseudo[i], strlen(pseudo[i])))
				return NULL;
		if (text[0] == '@')
			return "is an abstract address; those belong under socket:, as unix:";
		return "must begin with '/' (or be \"memfd:\", \"mqueue:\" or \"nsfs:\" for files "
		       "without a path)";
	case PATTERN_UNIX:
		return text[0] == '@' ? NULL : "must begin with '/', or '@' for abstract addresses";
	case PATTERN_BINDING:
	case PATTERN_EXE:
		return strcmp(text, "**") ? "must begin with '/'" : NULL;
	default:
		return "must begin with '/'";
	}
}

/* Names the kernel never forms would be rules that never decide. */
static const char *check_path(const char *text, enum pattern_kind kind, size_t *ret_at)
{
	bool program = kind == PATTERN_PROGRAM || kind == PATTERN_EXE;

	for (const char *p = text; (p = strchr(p, '/')); p++) {
		size_t dots = strspn(p + 1, ".");

		*ret_at = (size_t)(p - text);
		if (p[1] == '/')
			return "\"//\" never occurs in a path";
		if ((dots == 1 || dots == 2) && (p[dots + 1] == '/' || !p[dots + 1]))
			return "\".\" and \"..\" never occur in a path; write the path they lead "
			       "to";
		if (program && !p[1])
			return "is a folder, and no program is one; add \"*\" for each program "
			       "in it";
	}
	return NULL;
}

const char *name_reason(const char *text, enum pattern_kind kind)
{
	const char *reason = check_start(text, kind);
	size_t at;

	if (!reason && strlen(text) > POLICY_PATTERN_MAX)
		reason = "is too long";
	if (!reason && text[0] == '/')
		reason = check_path(text, kind, &at);
	return reason;
}

int value_pattern(const struct parser *parser, const char *key, const struct node *node,
		  enum pattern_kind kind, const char **ret_pattern)
{
	const char *text, *reason;
	struct shown shown;
	size_t length, at = 0;
	int ret = value_text(parser, key, node, &text);

	if (ret)
		return ret;
	length = strlen(text);
	if (length > POLICY_PATTERN_MAX)
		return parser_fail(parser, &node->place, "%s: pattern longer than %u bytes", key,
				   POLICY_PATTERN_MAX);
	reason = check_start(text, kind);
	if (reason)
		return parser_fail(parser, &node->place, "%s: \"%s\" %s", key, show(&shown, text),
				   reason);
	reason = text[0] == '/' ? check_path(text, kind, &at) : NULL;
	if (!reason && glob_check(text, length, &at, &reason) == 0)
		reason = NULL;
	if (reason)
		return parser_fail(parser, &node->place, "%s: \"%s\": %s (at byte %zu)", key,
				   show(&shown, text), reason, at + 1);
	*ret_pattern = text;
	return 0;
}

int value_patterns(const struct parser *parser, const char *key, const struct node *node,
		   enum pattern_kind kind, struct policy_strings *strings)
{
	int ret = list_check(parser, key, node);

	for (size_t i = 0; !ret && i < list_count(node); i++) {
		const struct node *item = list_item(node, i);
		const char *pattern;

		ret = value_pattern(parser, key, item, kind, &pattern);
		if (!ret && !strings_add(strings, pattern, &item->place))
			ret = parser_no_memory(parser);
	}
	return ret;
}

bool strings_add(struct policy_strings *strings, const char *text, const struct policy_place *place)
{
	char *copy = strdup(text);
	struct policy_string *item;

	if (!copy)
		return false;
	item = array_append((void *)&strings->items, &strings->count, sizeof(*item));
	if (!item) {
		free(copy);
		return false;
	}
	item->text = copy;
	item->place = *place;
	return true;
}

bool numbers_add(uint16_t **numbers, size_t *count, uint16_t number)
{
	uint16_t *item;

	for (size_t i = 0; i < *count; i++)
		if ((*numbers)[i] == number)
			return true;
	item = array_append((void *)numbers, count, sizeof(*item));
	if (item)
		*item = number;
	return item;
}
