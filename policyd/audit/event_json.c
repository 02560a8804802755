// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An event as one line of JSON. Called for every event, so: no allocation, literals copied whole, and
 * the members always in the same order.
 */
#include "policyd/audit/event.h"

#include <assert.h>

#include "policyd/audit/event_parts.h"
#include "policyd/base/clock.h"
#include "policyd/base/json.h"
#include "policyd/policy/words.h"

/* Names longer than this cannot come from the kernel, hence only from elsewhere: cut. */
#define FILE_MAX 4096u
#define TEXT_MAX 256u
#define HOST_MAX 256u
#define POLICIES_MAX 1024u
#define CONTAINER_MAX 512u /* each of six */
#define FIXED_MAX 4096u	   /* keys, numbers, words */

static_assert(JSON_BYTES_GROWTH * (2 * PD_PATH_MAX + PD_EXE_MAX + PD_CGROUP_MAX + 16 + FILE_MAX) +
			      JSON_STRING_GROWTH *
				      (TEXT_MAX + HOST_MAX + POLICIES_MAX + 6 * CONTAINER_MAX) +
			      FIXED_MAX <=
		      EVENT_JSON_MAX,
	      "the longest event fits");

static struct slice cut(const char *text, size_t max)
{
	return (struct slice){ text, strnlen(text, max) };
}

static void add_number(struct buffer *b, const char *key, uint64_t number)
{
	/* readers hold integers in 63 bits; nothing we count gets there */
	buffer_text(b, key);
	buffer_unsigned(b, number > INT64_MAX ? INT64_MAX : number);
}

/* For words of ours, which need no escaping. */
static void add_word(struct buffer *b, const char *key, const char *word)
{
	buffer_text(b, key);
	buffer_text(b, word);
	buffer_byte(b, '"');
}

static void add_permissions(struct buffer *b, const struct pd_event *record)
{
	enum pd_object object = event_automaton(record);
	const char *name;

	buffer_text(b, ",\"permissions\":[");
	for (size_t n = 0; (name = word_permission(object, record->refused, n)); n++) {
		if (n)
			buffer_byte(b, ',');
		buffer_byte(b, '"');
		buffer_text(b, name);
		buffer_byte(b, '"');
	}
	buffer_byte(b, ']');
}

static void add_socket(struct buffer *b, const struct pd_event *record)
{
	const struct pd_socket_key *key = &record->key;

	buffer_text(b, "\"family\":\"");
	event_add_word(b, word_family(key->family), key->family);
	buffer_text(b, "\",\"type\":\"");
	event_add_word(b, word_socktype(key->type), key->type);
	buffer_text(b, "\",\"protocol\":\"");
	event_add_word(b, word_protocol(key->family, event_protocol(record)),
		       event_protocol(record));
	buffer_byte(b, '"');
	if (!event_has_address(record))
		return;
	buffer_text(b, ",\"address\":\"");
	event_add_address(b, record);
	add_number(b, "\",\"port\":", event_port(record));
}

static void add_guard(struct buffer *b, const struct pd_event *record)
{
	add_word(b, "\"guard\":\"", word_guard(record->guard));
	if (record->guard == PD_GUARD_SIGNAL)
		add_number(b, ",\"signal\":", record->detail);
	else if (record->detail)
		add_number(b, ",\"detail\":", record->detail);
}

static void add_object(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;
	const char *key = event_object_key(event);
	struct slice name = event->object;
	size_t start;

	buffer_text(b, ",\"object\":{");
	start = b->used;
	if (record->class == PD_CLASS_CAPABILITY) {
		buffer_text(b, "\"capability\":\"");
		event_add_word(b, word_capability(record->detail), record->detail);
		buffer_byte(b, '"');
	} else if (record->class == PD_CLASS_GUARD) {
		add_guard(b, record);
	}
	if (record->key_len) {
		if (b->used != start)
			buffer_byte(b, ',');
		add_socket(b, record);
	}
	if (key) {
		if (b->used != start)
			buffer_byte(b, ',');
		if (!strcmp(key, "abstract")) {
			name.data++;
			name.length--;
		}
		json_put_bytes(b, key, name);
	}
	if (record->operation == PD_OP_IOCTL) {
		if (b->used != start)
			buffer_byte(b, ',');
		add_number(b, "\"command\":", record->detail);
	}
	buffer_byte(b, '}');
	if (event->object2.length) {
		buffer_text(b, ",\"target\":{");
		json_put_bytes(b, "path", event->object2);
		buffer_byte(b, '}');
	}
}

static void add_place(struct buffer *b, const struct symbol *symbol)
{
	json_put_bytes(b, "file", cut(symbol->file ? symbol->file : "", FILE_MAX));
	add_number(b, ",\"line\":", symbol->line);
	add_number(b, ",\"column\":", symbol->column);
}

/* Who decided, and why when that was not simply a rule. */
static void add_cause(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;
	const struct symbol *symbol = &event->symbol;
	const char *policy = symbol->policy ? symbol->policy : event->policies;

	buffer_text(b, ",\"policy\":");
	if (policy)
		json_put_string(b, cut(policy, POLICIES_MAX));
	else
		buffer_text(b, "null");
	if (symbol->policy && symbol->is_default) {
		add_word(b, ",\"default\":{\"class\":\"", word_class(symbol->class));
		buffer_byte(b, ',');
		add_place(b, symbol);
		buffer_byte(b, '}');
	} else if (symbol->policy) {
		buffer_text(b, ",\"rule\":{");
		add_place(b, symbol);
		buffer_text(b, symbol->deny ? ",\"deny\":true" : ",\"deny\":false");
		buffer_text(b, ",\"text\":");
		json_put_string(b, cut(symbol->text ? symbol->text : "", TEXT_MAX));
		buffer_byte(b, '}');
	} else if (record->rule) {
		add_number(b, ",\"rule\":{\"number\":", record->rule);
		buffer_byte(b, '}');
	}
	add_word(b, ",\"reason\":\"", word_reason(record->reason));
	if (record->reason != PD_REASON_RULE)
		add_word(b, ",\"explanation\":\"", event_explanation(record->reason));
	if (record->flags & PD_EVENT_MAYBE_EXISTS)
		buffer_text(b, ",\"maybe_exists\":true");
	if (record->flags & PD_EVENT_KILLED)
		buffer_text(b, ",\"killed\":true");
}

static void add_text(struct buffer *b, const char *key, const char *text)
{
	buffer_text(b, key);
	if (text)
		json_put_string(b, cut(text, CONTAINER_MAX));
	else
		buffer_text(b, "null");
}

static void add_container(struct buffer *b, const struct event_container *container)
{
	buffer_text(b, ",\"container\":");
	if (!container) {
		buffer_text(b, "null");
		return;
	}
	add_text(b, "{\"id\":", container->id);
	add_text(b, ",\"name\":", container->name);
	add_text(b, ",\"image\":", container->image);
	add_text(b, ",\"pod\":", container->pod);
	add_text(b, ",\"namespace\":", container->namespace);
	add_text(b, ",\"runtime\":", container->runtime);
	buffer_byte(b, '}');
}

static void add_subject(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;

	add_number(b, ",\"subject\":{\"pid\":", record->pid);
	add_number(b, ",\"tid\":", record->tid);
	add_number(b, ",\"ppid\":", record->ppid);
	add_number(b, ",\"uid\":", record->uid);
	add_number(b, ",\"gid\":", record->gid);
	buffer_byte(b, ',');
	json_put_bytes(b, "comm", event_comm(record));
	buffer_byte(b, ',');
	json_put_bytes(b, "exe", event->exe);
	if (record->flags & PD_EVENT_CUT_EXE)
		buffer_text(b, ",\"exe_cut\":true");
	buffer_byte(b, ',');
	json_put_bytes(b, "cgroup", event->cgroup);
	if (record->flags & PD_EVENT_CUT_CGROUP)
		buffer_text(b, ",\"cgroup_cut\":true");
	add_number(b, ",\"cgroup_id\":", record->cgroup_id);
	add_container(b, event->container);
	buffer_byte(b, '}');
}

void event_json(struct buffer *b, const struct event *event)
{
	const struct pd_event *record = event->record;

	buffer_text(b, "{\"version\":1,\"time\":\"");
	static_assert(EVENT_VERSION == 1, "the literal above");
	clock_utc(b, event->time_us);
	add_number(b, "\",\"sequence\":", record->sequence);
	add_word(b, ",\"ring\":\"", event->ring == PD_RING_DENIALS ? "denials" : "notices");
	buffer_text(b, ",\"host\":");
	json_put_string(b, cut(event->host ? event->host : "", HOST_MAX));
	add_word(b, ",\"verdict\":\"", word_verdict(record->verdict));
	add_word(b, ",\"mode\":\"", record->mode ? "audit" : "enforce");
	add_word(b, ",\"class\":\"", word_class(record->class));
	add_word(b, ",\"operation\":\"", word_operation(record->operation));
	add_permissions(b, record);
	add_object(b, event);
	add_cause(b, event);
	add_subject(b, event);
	add_number(b, ",\"repeat\":", record->repeat ? record->repeat : 1);
	add_number(b, ",\"generation\":", record->generation);
	buffer_text(b, "}\n");
}
