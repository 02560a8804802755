// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/parse_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policyd/base/array.h"
#include "policyd/base/text.h"

struct yaml_reader {
	yaml_parser_t yaml;
	const char *file;
	uint16_t index;
	struct pd_error *error;
};

static int no_memory(struct pd_error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static int fail_mark(const struct yaml_reader *reader, yaml_mark_t mark, const char *message)
{
	return error_at(reader->error, -EINVAL, reader->file, (unsigned int)mark.line + 1,
			(unsigned int)mark.column + 1, "%s", message);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* What libyaml would refuse without saying on which line. */
static int check_bytes(const char *file, const char *text, size_t size, struct pd_error *error)
{
	unsigned int line = 1, column = 1;

	for (size_t at = 0; at < size;) {
		unsigned char byte = (unsigned char)text[at];
		uint32_t rune;
		size_t length = text_next(text + at, size - at, &rune);

		if (!byte)
			return error_at(error, -EINVAL, file, line, column,
					"NUL byte: not a text file");
		if (!length)
			return error_at(error, -EINVAL, file, line, column,
					"byte 0x%02x is not valid UTF-8", byte);
		if ((byte < 0x20 && !strchr("\t\n\r", byte)) || byte == 0x7f)
			return error_at(error, -EINVAL, file, line, column,
					"control character 0x%02x; write it as \"\\x%02x\" in "
					"double quotes",
					byte, byte);
		at += length;
		column++;
		if (byte == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

/* ---- events to nodes ------------------------------------------------------------------------- */

static int syntax_error(const struct yaml_reader *reader)
{
	const yaml_parser_t *yaml = &reader->yaml;
	const char *problem = yaml->problem ? yaml->problem : "unreadable";
	yaml_mark_t mark = yaml->problem_mark;

	if (yaml->error == YAML_MEMORY_ERROR)
		return no_memory(reader->error);
	if (yaml->error == YAML_READER_ERROR) {
		return error_at(reader->error, -EINVAL, reader->file, 0, 0, "YAML: %s at byte %zu",
				problem, yaml->problem_offset);
	}
	if (!strcmp(problem, "found character that cannot start any token"))
		return fail_mark(reader, mark,
				 *yaml->buffer.pointer == '\t' ?
					 "YAML: a tab cannot indent; use spaces" :
					 "YAML: a value cannot start with this character; put the "
					 "value in quotes");
	if (!strcmp(problem, "could not find expected ':'") && yaml->context)
		/* the mark is where it gave up; where the key began is what helps */
		return error_at(reader->error, -EINVAL, reader->file,
				(unsigned int)yaml->context_mark.line + 1,
				(unsigned int)yaml->context_mark.column + 1, "YAML: %s", problem);
	if (!yaml->context)
		return error_at(reader->error, -EINVAL, reader->file, (unsigned int)mark.line + 1,
				(unsigned int)mark.column + 1, "YAML: %s", problem);
	return error_at(reader->error, -EINVAL, reader->file, (unsigned int)mark.line + 1,
			(unsigned int)mark.column + 1, "YAML: %s %s that begins on line %zu",
			problem, yaml->context, yaml->context_mark.line + 1);
}

static int next_event(struct yaml_reader *reader, yaml_event_t *event)
{
	if (!yaml_parser_parse(&reader->yaml, event))
		return syntax_error(reader);
	return 0;
}

/* Refuses what could make one node stand for many, or be something else than it looks like. */
static int check_event(const struct yaml_reader *reader, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return fail_mark(
			reader, event->start_mark,
			"YAML aliases are not supported; put a value that starts with * in "
			"quotes");
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return fail_mark(
			reader, event->start_mark,
			"YAML anchors are not supported; put a value that starts with & in "
			"quotes");
	if (tag)
		return fail_mark(reader, event->start_mark,
				 "YAML tags are not supported; put a value that starts with ! in "
				 "quotes");
	return 0;
}

static int take_scalar(const struct yaml_reader *reader, const yaml_event_t *event,
		       struct node *node)
{
	const char *value = (const char *)event->data.scalar.value;

	node->kind = NODE_SCALAR;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (memchr(value, '\0', event->data.scalar.length))
		return fail_mark(reader, event->start_mark, "a value cannot contain NUL");
	node->text = strdup(value);
	return node->text ? 0 : no_memory(reader->error);
}

static void node_done(struct node *node)
{
	free(node->text);
	for (size_t i = 0; i < node->count; i++)
		node_done(&node->items[i]);
	free(node->items);
}

void node_free(struct node *node)
{
	if (node)
		node_done(node);
	free(node);
}

/* Recursion is bounded by YAML_DEPTH_MAX. @event is the node's first; it is released here. */
static int take_node(struct yaml_reader *reader, yaml_event_t *event, struct node *node,
		     unsigned int depth)
{
	yaml_event_type_t end;
	int ret = check_event(reader, event);

	node->place.file = reader->index;
	node->place.line = (uint32_t)event->start_mark.line + 1;
	node->place.column = (uint32_t)event->start_mark.column + 1;
	if (!ret && event->type == YAML_SCALAR_EVENT) {
		ret = take_scalar(reader, event, node);
		yaml_event_delete(event);
		return ret;
	}
	if (!ret && depth >= YAML_DEPTH_MAX)
		ret = fail_mark(reader, event->start_mark, "nested too deeply");
	node->kind = event->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
	end = node->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	yaml_event_delete(event);
	while (!ret) {
		struct node *item;

		ret = next_event(reader, event);
		if (ret)
			return ret;
		if (event->type == end) {
			yaml_event_delete(event);
			return 0;
		}
		item = array_append((void *)&node->items, &node->count, sizeof(*item));
		if (!item) {
			yaml_event_delete(event);
			return no_memory(reader->error);
		}
		ret = take_node(reader, event, item, depth + 1);
	}
	return ret;
}

int yaml_open(const char *file, uint16_t index, const char *text, size_t size,
	      struct yaml_reader **ret_reader, struct pd_error *error)
{
	struct yaml_reader *reader;
	int ret;

	/* libyaml would count a byte order mark as indentation */
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		size -= 3;
	}
	ret = check_bytes(file, text, size, error);
	if (ret)
		return ret;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return no_memory(error);
	reader->file = file;
	reader->index = index;
	if (!yaml_parser_initialize(&reader->yaml)) {
		free(reader);
		return no_memory(error);
	}
	/* not guessed from the first bytes */
	yaml_parser_set_encoding(&reader->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->yaml, (const unsigned char *)text, size);
	*ret_reader = reader;
	return 0;
}

int yaml_next(struct yaml_reader *reader, struct node **ret_node, struct pd_error *error)
{
	struct node *node = NULL;
	yaml_event_t event;
	int ret;

	reader->error = error;
	for (;;) {
		yaml_event_type_t type;

		ret = next_event(reader, &event);
		if (ret)
			break;
		type = event.type;
		if (type == YAML_STREAM_END_EVENT || type == YAML_DOCUMENT_END_EVENT) {
			yaml_event_delete(&event);
			*ret_node = node;
			return 0;
		}
		if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT) {
			yaml_event_delete(&event);
			continue;
		}
		node = calloc(1, sizeof(*node));
		if (!node) {
			yaml_event_delete(&event);
			return no_memory(error);
		}
		ret = take_node(reader, &event, node, 0);
		if (ret)
			break;
	}
	node_free(node);
	return ret;
}

void yaml_close(struct yaml_reader *reader)
{
	if (!reader)
		return;
	yaml_parser_delete(&reader->yaml);
	free(reader);
}
