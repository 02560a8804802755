/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/grant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "policyd/base/text.h"
#include "policyd/policy/words.h"

enum pd_object grant_object(const struct event *event)
{
	switch (event->record->class) {
	case PD_CLASS_SOCKET:
		return event->record->key_len ? PD_OBJ_SOCKET : PD_OBJ_PATH;
	case PD_CLASS_CAPABILITY:
		return PD_OBJ_CAPABILITY;
	case PD_CLASS_GUARD:
		return PD_OBJ_GUARD;
	default:
		return PD_OBJ_PATH;
	}
}

/* A literal name as a glob in double quotes. What YAML cannot hold becomes '?'. */
static void put_pattern(struct buffer *b, struct slice name)
{
	buffer_byte(b, '"');
	for (size_t i = 0; i < name.length;) {
		uint32_t rune;
		size_t n = text_next(name.data + i, name.length - i, &rune);

		if (!n || !text_is_printable(rune)) {
			for (size_t j = 0; j < (n ? n : 1); j++)
				buffer_byte(b, '?');
		} else if (n == 1 && strchr("*?[]{}\\", name.data[i])) {
			buffer_text(b, "\\\\"); /* one backslash, for YAML */
			if (name.data[i] == '\\')
				buffer_text(b, "\\\\");
			else
				buffer_byte(b, name.data[i]);
		} else {
			if (name.data[i] == '"')
				buffer_byte(b, '\\');
			buffer_add(b, name.data + i, n);
		}
		i += n ? n : 1;
	}
	buffer_byte(b, '"');
}

static void put_words(struct buffer *b, enum pd_object object, uint32_t perms)
{
	const char *word;

	buffer_byte(b, '[');
	for (size_t i = 0; (word = word_permission(object, perms, i)); i++)
		buffer_format(b, "%s%s", i ? ", " : "", word);
	buffer_byte(b, ']');
}

static void put_file(struct buffer *b, const struct event *event, uint32_t perms)
{
	buffer_text(b, "  file:\n    - {allow: ");
	put_words(b, PD_OBJ_PATH, perms & PD_PATH_FILE);
	buffer_text(b, ", path: ");
	if (event->object2.length) {
		buffer_byte(b, '[');
		put_pattern(b, event->object);
		buffer_text(b, ", ");
		put_pattern(b, event->object2);
		buffer_byte(b, ']');
	} else {
		put_pattern(b, event->object);
	}
	buffer_text(b, "}\n");
}

/* What has no name is written as a number: a key left out would allow any. */
static void put_key(struct buffer *b, const char *key, const char *name, unsigned int number)
{
	if (name)
		buffer_format(b, ", %s: %s", key, name);
	else
		buffer_format(b, ", %s: %u", key, number);
}

static void put_key_names(struct buffer *b, const struct pd_socket_key *key)
{
	unsigned int protocol = (unsigned int)key->protocol[0] << 8 | key->protocol[1];

	put_key(b, "family", word_family(key->family), key->family);
	put_key(b, "type", word_socktype(key->type), key->type);
	if (key->family != AF_UNIX) /* which has none, and rules cannot name one */
		put_key(b, "protocol", word_protocol(key->family, protocol), protocol);
}

static void put_address(struct buffer *b, const struct event *event)
{
	const struct pd_socket_key *key = &event->record->key;
	unsigned int port = (unsigned int)key->port[0] << 8 | key->port[1];
	unsigned int operation = event->record->operation;
	char address[INET6_ADDRSTRLEN];

	if (operation == PD_OP_BIND || operation == PD_OP_LISTEN || operation == PD_OP_ACCEPT) {
		buffer_format(b, ", port: %u", port);
		return;
	}
	inet_ntop(key->family, key->addr, address, sizeof(address));
	buffer_format(b, key->family == AF_INET6 ? ", to: \"[%s]:%u\"" : ", to: \"%s:%u\"", address,
		      port);
}

static int put_socket(struct buffer *b, const struct event *event, uint32_t perms)
{
	const struct pd_socket_key *key = &event->record->key;
	unsigned int protocol = (unsigned int)key->protocol[0] << 8 | key->protocol[1];

	buffer_text(b, "  socket:\n    - {allow: ");
	put_words(b, grant_object(event), perms);
	if (!event->record->key_len) {
		if (!event->object.length)
			return -ENOENT;
		buffer_text(b, ", unix: ");
		put_pattern(b, event->object);
	} else if (event->record->key_len == PD_SOCKET_KEY_BARE) {
		put_key_names(b, key);
	} else {
		put_key(b, "protocol", word_protocol(key->family, protocol), protocol);
		put_address(b, event);
	}
	buffer_text(b, "}\n");
	return 0;
}

static int put_grant(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;
	uint32_t perms = record->refused ? record->refused : record->wanted;
	const char *capability;

	switch (record->class) {
	case PD_CLASS_FILE:
		if (!event->object.length || !(perms & PD_PATH_FILE))
			return -ENOENT;
		put_file(b, event, perms);
		return 0;
	case PD_CLASS_EXEC:
		if (!event->object.length || event->object.data[0] != '/')
			return -ENOENT;
		buffer_text(b, "  exec:\n    - {allow: ");
		put_pattern(b, event->object);
		buffer_text(b, "}\n");
		return 0;
	case PD_CLASS_SOCKET:
		return put_socket(b, event, perms);
	case PD_CLASS_CAPABILITY:
		capability = word_capability(record->detail);
		if (!capability)
			return -ENOENT;
		buffer_format(b, "  capability:\n    - {allow: [%s]}\n", capability);
		return 0;
	case PD_CLASS_GUARD:
		buffer_format(b, "  guard: {allow: [%s]}\n",
			      word_guard((enum pd_guard)record->guard));
		return 0;
	default:
		return -ENOENT;
	}
}

int grant_snippet(const struct event *event, char *ret_text, size_t size)
{
	struct buffer b;
	int r;

	/* Nameless objects, widening renames and self-protection are no rule's business. */
	if (event->record->reason != PD_REASON_RULE)
		return -ENOENT;
	buffer_init(&b, ret_text, size - 1);
	r = put_grant(&b, event);
	if (r)
		return r;
	if (b.overflow)
		return -E2BIG;
	ret_text[b.used] = '\0';
	return 0;
}
