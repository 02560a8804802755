/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that render and parse events share; nobody else's business. */
#ifndef PD_AUDIT_EVENT_PARTS_H
#define PD_AUDIT_EVENT_PARTS_H

#include "policyd/audit/event.h"

/** event_automaton() - whose permission bits record->refused has */
enum pd_object event_automaton(const struct pd_event *record);

/** event_object_key() - "path", "abstract" (the name begins with '@') or "anonymous"; NULL: no name */
const char *event_object_key(const struct event *event);

/** event_comm() - the task's name, any bytes */
struct slice event_comm(const struct pd_event *record);

/** event_add_address() - of a socket key with an address: 10.0.0.1, 2001:db8::1 */
void event_add_address(struct buffer *b, const struct pd_event *record);

/** event_add_word() - a word or, where it is NULL, the number */
void event_add_word(struct buffer *b, const char *word, unsigned int number);

static inline unsigned int event_protocol(const struct pd_event *record)
{
	return (unsigned int)record->key.protocol[0] << 8 | record->key.protocol[1];
}

static inline unsigned int event_port(const struct pd_event *record)
{
	return (unsigned int)record->key.port[0] << 8 | record->key.port[1];
}

static inline bool event_has_address(const struct pd_event *record)
{
	return record->key_len > PD_SOCKET_KEY_BARE;
}

#endif
