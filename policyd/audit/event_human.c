// SPDX-License-Identifier: GPL-2.0-or-later
/* An event as a line for people. Everything that is not ours goes through text_escape(). */
#include "policyd/audit/event.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "policyd/audit/event_parts.h"
#include "policyd/base/clock.h"
#include "policyd/base/text.h"
#include "policyd/policy/words.h"

#define FILE_MAX 4096u
#define TEXT_MAX 256u
#define POLICIES_MAX 1024u
#define CONTAINER_MAX 512u
#define FIXED_MAX 2048u

static_assert(4 * (2 * PD_PATH_MAX + 16 + FILE_MAX + TEXT_MAX + POLICIES_MAX + 3 * CONTAINER_MAX) +
			      FIXED_MAX <=
		      EVENT_HUMAN_MAX,
	      "the longest line fits");

static void add_text(struct buffer *b, const char *text, size_t max)
{
	text_escape(b, (struct slice){ text, strnlen(text, max) });
}

static void add_verdict(struct buffer *b, const struct pd_event *record, unsigned int flags)
{
	static const char *const colours[] = {
		[PD_ALLOWED] = "\033[32m",
		[PD_DENIED] = "\033[1;31m",
		[PD_WOULD_DENY] = "\033[33m",
	};
	bool coloured = flags & EVENT_COLOUR;

	if (coloured)
		buffer_text(b, colours[record->verdict]);
	buffer_text(b, word_verdict(record->verdict));
	if (coloured)
		buffer_text(b, "\033[0m");
}

/* "open(read, write)"; only "connect" where that is also the permission */
static void add_operation(struct buffer *b, const struct pd_event *record)
{
	enum pd_object object = event_automaton(record);
	const char *operation = word_operation(record->operation);
	const char *name = word_permission(object, record->refused, 0);

	if (record->class == PD_CLASS_GUARD) {
		buffer_text(b, "guard(");
		buffer_text(b, word_guard(record->guard));
		buffer_byte(b, ')');
		if (record->operation == PD_OP_GUARD)
			return;
		buffer_byte(b, ' ');
	}
	buffer_text(b, operation);
	if (record->class == PD_CLASS_CAPABILITY || record->class == PD_CLASS_GUARD || !name ||
	    (!strcmp(name, operation) && !word_permission(object, record->refused, 1)) ||
	    record->operation == PD_OP_SOCKET)
		return;
	for (size_t n = 0; (name = word_permission(object, record->refused, n)); n++) {
		buffer_text(b, n ? ", " : "(");
		buffer_text(b, name);
	}
	buffer_byte(b, ')');
}

/* Each part of an object brings the space in front of it. */
static void add_socket(struct buffer *b, const struct pd_event *record)
{
	const struct pd_socket_key *key = &record->key;
	const char *protocol = word_protocol(key->family, event_protocol(record));

	if (event_has_address(record) && protocol) {
		buffer_byte(b, ' ');
		buffer_text(b, protocol);
	} else {
		buffer_byte(b, ' ');
		event_add_word(b, word_family(key->family), key->family);
		buffer_byte(b, ' ');
		event_add_word(b, word_socktype(key->type), key->type);
		if (protocol || event_protocol(record)) {
			buffer_byte(b, ' ');
			event_add_word(b, protocol, event_protocol(record));
		}
	}
	if (!event_has_address(record))
		return;
	buffer_byte(b, ' ');
	if (key->family == AF_INET6)
		buffer_byte(b, '[');
	event_add_address(b, record);
	buffer_text(b, key->family == AF_INET6 ? "]:" : ":");
	buffer_unsigned(b, event_port(record));
}

static void add_guard_detail(struct buffer *b, const struct pd_event *record)
{
	const char *name;

	if (record->guard == PD_GUARD_SIGNAL) {
		name = record->detail < NSIG ? sigabbrev_np((int)record->detail) : NULL;
		buffer_text(b, name ? " SIG" : " signal ");
		event_add_word(b, name, record->detail);
	} else if (record->detail) {
		buffer_format(b, " 0x%x", record->detail);
	}
}

static void add_object(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;

	if (record->class == PD_CLASS_CAPABILITY) {
		buffer_byte(b, ' ');
		event_add_word(b, word_capability(record->detail), record->detail);
	} else if (record->class == PD_CLASS_GUARD) {
		add_guard_detail(b, record);
	}
	if (record->key_len && !(record->key.family == AF_UNIX && event->object.length))
		add_socket(b, record);
	if (event->object.length) {
		buffer_byte(b, ' ');
		text_escape(b, event->object);
	}
	if (event->object2.length) {
		buffer_text(b, " -> ");
		text_escape(b, event->object2);
	}
	if (record->operation == PD_OP_IOCTL)
		buffer_format(b, " command 0x%x", record->detail);
}

void event_object_text(struct buffer *b, const struct event *event)
{
	size_t start = b->used;

	add_object(b, event);
	if (b->used > start) { /* without the leading space */
		memmove(b->data + start, b->data + start + 1, b->used - start - 1);
		b->used--;
	}
}

static void add_place(struct buffer *b, const struct symbol *symbol)
{
	add_text(b, symbol->file ? symbol->file : "", FILE_MAX);
	if (!symbol->line)
		return;
	buffer_byte(b, ':');
	buffer_unsigned(b, symbol->line);
}

static void add_cause(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;
	const struct symbol *symbol = &event->symbol;
	const char *policy = symbol->policy ? symbol->policy : event->policies;
	const char *lead = " — ";

	if (policy) {
		buffer_text(b, " — policy ");
		add_text(b, policy, POLICIES_MAX);
		lead = ", ";
	}
	if (symbol->policy && symbol->is_default) {
		buffer_text(b, lead);
		buffer_text(b, "by default (");
		buffer_text(b, word_class(symbol->class));
		buffer_text(b, symbol->deny ? ": deny" : ": allow");
		if (symbol->file && symbol->file[0] && symbol->line) {
			buffer_text(b, ", ");
			add_place(b, symbol);
		}
		buffer_byte(b, ')');
	} else if (symbol->policy) {
		buffer_text(b, lead);
		buffer_text(b, "rule ");
		add_place(b, symbol);
		buffer_text(b, ": ");
		add_text(b, symbol->text ? symbol->text : "", TEXT_MAX);
	} else if (record->rule) {
		buffer_text(b, lead);
		buffer_text(b, "rule number ");
		buffer_unsigned(b, record->rule);
		buffer_text(b, " of policies that are no longer loaded");
	}
	if (record->reason == PD_REASON_RULE)
		return;
	buffer_text(b, symbol->policy || record->rule ? "; " : policy ? ": " : " — ");
	buffer_text(b, event_explanation(record->reason));
}

/* in web-1 (docker.io/library/nginx:1.25): */
static void add_container(struct buffer *b, const struct event_container *container)
{
	if (!container)
		return;
	buffer_text(b, "in ");
	if (container->pod) {
		add_text(b, container->pod, CONTAINER_MAX);
		buffer_byte(b, '/');
	}
	add_text(b,
		 container->name ? container->name :
		 container->id	 ? container->id :
				   "?",
		 CONTAINER_MAX);
	if (container->image) {
		buffer_text(b, " (");
		add_text(b, container->image, CONTAINER_MAX);
		buffer_byte(b, ')');
	}
	buffer_text(b, ": ");
}

void event_human(struct buffer *b, const struct event *event, unsigned int flags)
{
	const struct pd_event *record = event->record;

	if (!(flags & EVENT_NO_TIME)) {
		clock_local(b, event->time_us, flags & EVENT_DATE);
		buffer_byte(b, ' ');
	}
	add_verdict(b, record, flags);
	buffer_byte(b, ' ');
	text_escape(b, event_comm(record));
	buffer_byte(b, '[');
	buffer_unsigned(b, record->pid);
	buffer_text(b, "] ");
	add_container(b, event->container);
	add_operation(b, record);
	add_object(b, event);
	if (record->flags & PD_EVENT_MAYBE_EXISTS)
		buffer_text(b, " (opened without creating, if it existed)");
	if (record->flags & PD_EVENT_KILLED)
		buffer_text(b, " and was killed");
	add_cause(b, event);
	if (record->repeat > 1) {
		buffer_text(b, " (x");
		buffer_unsigned(b, record->repeat);
		buffer_byte(b, ')');
	}
	buffer_byte(b, '\n');
}
