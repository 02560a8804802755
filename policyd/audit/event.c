// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policyd/audit/event_parts.h"
#include "policyd/policy/words.h"

static bool key_is_sound(const struct pd_event *record)
{
	switch (record->key_len) {
	case 0:
	case PD_SOCKET_KEY_BARE:
		return true;
	case PD_SOCKET_KEY_V4:
		return record->key.family == AF_INET;
	case PD_SOCKET_KEY_V6:
		return record->key.family == AF_INET6;
	default:
		return false;
	}
}

int event_view(const void *data, size_t length, enum pd_ring ring, struct event *ret_event)
{
	const struct pd_event *record = data;
	const char *tail = (const char *)data + sizeof(*record);
	struct event event = { .record = record, .ring = ring };
	size_t need;

	if (length < sizeof(*record) || (uintptr_t)data % _Alignof(struct pd_event) ||
	    (unsigned int)ring >= PD_RING_COUNT)
		return -EPROTO;
	if (record->object_len > PD_PATH_MAX || record->object2_len > PD_PATH_MAX ||
	    record->exe_len > PD_EXE_MAX || record->cgroup_len > PD_CGROUP_MAX)
		return -EPROTO;
	need = sizeof(*record) + record->object_len + record->object2_len + record->exe_len +
	       record->cgroup_len;
	if (length < need || !key_is_sound(record))
		return -EPROTO;
	if (record->verdict < PD_ALLOWED || record->verdict > PD_WOULD_DENY ||
	    record->class >= PD_CLASS_COUNT)
		return -EPROTO;
	event.object = (struct slice){ tail, record->object_len };
	tail += record->object_len;
	event.object2 = (struct slice){ tail, record->object2_len };
	tail += record->object2_len;
	event.exe = (struct slice){ tail, record->exe_len };
	tail += record->exe_len;
	event.cgroup = (struct slice){ tail, record->cgroup_len };
	*ret_event = event;
	return 0;
}

const char *event_explanation(unsigned int reason)
{
	return reason == PD_REASON_RULE ? NULL : word_reason_text((enum pd_reason)reason);
}

enum pd_object event_automaton(const struct pd_event *record)
{
	switch (record->class) {
	case PD_CLASS_SOCKET:
		/* the bits of unix addresses and of other sockets do not overlap */
		return (record->refused | record->wanted) & PD_PATH_UNIX ? PD_OBJ_PATH :
									   PD_OBJ_SOCKET;
	case PD_CLASS_CAPABILITY:
		return PD_OBJ_CAPABILITY;
	case PD_CLASS_GUARD:
		return PD_OBJ_GUARD;
	default:
		return PD_OBJ_PATH;
	}
}

const char *event_object_key(const struct event *event)
{
	const struct slice *name = &event->object;

	if (!name->length)
		return NULL;
	if (name->data[0] == '/')
		return "path";
	return event->record->class == PD_CLASS_SOCKET && name->data[0] == '@' ? "abstract" :
										 "anonymous";
}

struct slice event_comm(const struct pd_event *record)
{
	return (struct slice){ record->comm, strnlen(record->comm, sizeof(record->comm)) };
}

void event_add_address(struct buffer *b, const struct pd_event *record)
{
	char text[INET6_ADDRSTRLEN];

	if (record->key_len == PD_SOCKET_KEY_V4) {
		for (int i = 0; i < 4; i++) {
			if (i)
				buffer_byte(b, '.');
			buffer_unsigned(b, record->key.addr[i]);
		}
	} else if (inet_ntop(AF_INET6, record->key.addr, text, sizeof(text))) {
		buffer_add(b, text, strlen(text));
	}
}

void event_add_word(struct buffer *b, const char *word, unsigned int number)
{
	if (word)
		buffer_add(b, word, strlen(word));
	else
		buffer_unsigned(b, number);
}
