// SPDX-License-Identifier: GPL-2.0-or-later
/* The reverse of event_json.c, for lines that come from files or other processes: nothing is trusted. */
#include "policyd/audit/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "policyd/base/clock.h"
#include "policyd/base/json.h"
#include "policyd/policy/words.h"

/* What event_parse_json() returns points into this. */
struct parsed {
	struct event event; /* first: event_free() gets its address */
	struct pd_event record;
	char *names[4]; /* owned: object, object2, exe, cgroup */
	struct event_container container;
	char *file;   /* owned: of the rule */
	json_t *root; /* owns the other strings */
};

void event_free(struct event *event)
{
	struct parsed *parsed = (struct parsed *)event;

	if (!parsed)
		return;
	for (size_t i = 0; i < sizeof(parsed->names) / sizeof(parsed->names[0]); i++)
		free(parsed->names[i]);
	free(parsed->file);
	json_decref(parsed->root);
	free(parsed);
}

/* The number whose word is @text, 0 when there is none. */
#define FIND(name, word, type, count)                                                              \
	static uint8_t name(const char *text)                                                      \
	{                                                                                          \
		for (unsigned int n = 0; n < (count); n++)                                         \
			if (!strcmp(word((type)n), text))                                          \
				return (uint8_t)n;                                                 \
		return 0;                                                                          \
	}
FIND(find_verdict, word_verdict, enum pd_verdict, PD_WOULD_DENY + 1)
FIND(find_operation, word_operation, enum pd_operation, PD_OP_COUNT)
FIND(find_reason, word_reason, enum pd_reason, PD_REASON_COUNT)
FIND(find_guard, word_guard, enum pd_guard, PD_GUARD_COUNT)

/* A word of a vocabulary, or a number in digits. */
static uint32_t number_of(const struct words *words, const char *text, uint32_t max)
{
	uint32_t value = 0;
	char *end;
	unsigned long number;

	if (words_find(words, text, &value))
		return value;
	number = strtoul(text, &end, 10);
	return *text && !*end && number <= max ? (uint32_t)number : 0;
}

static uint32_t get_number(const json_t *object, const char *key)
{
	uint64_t number = 0;

	json_get_unsigned(object, key, UINT32_MAX, &number);
	return (uint32_t)number;
}

static const char *get_text(const json_t *object, const char *key)
{
	const char *text = "";

	json_get_string(object, key, &text);
	return text;
}

/* A name into @ret_slice and its owner; @lead, unless 0, is put in front. */
static int take_name(const json_t *object, const char *key, size_t max, char lead, char **ret_owned,
		     struct slice *ret_slice)
{
	struct slice bytes;
	char *text;
	int r = json_get_bytes(object, key, &bytes);

	if (r <= 0)
		return r;
	text = (char *)bytes.data;
	if (*ret_owned || bytes.length + (lead != 0) > max) {
		free(text);
		return -EINVAL;
	}
	if (lead) {
		char *longer = realloc(text, bytes.length + 2);

		if (!longer) {
			free(text);
			return -ENOMEM;
		}
		text = longer;
		memmove(text + 1, text, bytes.length + 1);
		text[0] = lead;
		bytes.length++;
	}
	*ret_owned = text;
	*ret_slice = (struct slice){ text, bytes.length };
	return 0;
}

static void parse_socket(struct pd_event *record, const json_t *object)
{
	struct pd_socket_key *key = &record->key;
	const char *family, *address;
	uint32_t protocol, port;

	if (!json_get_string(object, "family", &family))
		return;
	key->family = (uint8_t)number_of(&words_families, family, UINT8_MAX);
	key->type = (uint8_t)number_of(&words_types, get_text(object, "type"), UINT8_MAX);
	protocol = number_of(key->family == AF_NETLINK ? &words_netlink_protocols :
							 &words_ip_protocols,
			     get_text(object, "protocol"), UINT16_MAX);
	key->protocol[0] = (uint8_t)(protocol >> 8);
	key->protocol[1] = (uint8_t)protocol;
	record->key_len = PD_SOCKET_KEY_BARE;
	if (!json_get_string(object, "address", &address))
		return;
	port = get_number(object, "port");
	key->port[0] = (uint8_t)(port >> 8);
	key->port[1] = (uint8_t)port;
	if (key->family == AF_INET && inet_pton(AF_INET, address, key->addr) == 1)
		record->key_len = PD_SOCKET_KEY_V4;
	else if (key->family == AF_INET6 && inet_pton(AF_INET6, address, key->addr) == 1)
		record->key_len = PD_SOCKET_KEY_V6;
}

static int parse_object(struct parsed *parsed, const json_t *root)
{
	struct pd_event *record = &parsed->record;
	struct event *event = &parsed->event;
	const json_t *object = json_object_get(root, "object");
	const char *word;
	int r;

	parse_socket(record, object);
	if (json_get_string(object, "capability", &word))
		record->detail = number_of(&words_capabilities, word, UINT32_MAX);
	if (json_get_string(object, "guard", &word)) {
		record->guard = find_guard(word);
		record->detail =
			get_number(object, record->guard == PD_GUARD_SIGNAL ? "signal" : "detail");
	}
	if (record->operation == PD_OP_IOCTL)
		record->detail = get_number(object, "command");
	r = take_name(object, "path", PD_PATH_MAX, 0, &parsed->names[0], &event->object);
	if (!r)
		r = take_name(object, "abstract", PD_PATH_MAX, '@', &parsed->names[0],
			      &event->object);
	if (!r)
		r = take_name(object, "anonymous", PD_PATH_MAX, 0, &parsed->names[0],
			      &event->object);
	if (!r)
		r = take_name(json_object_get(root, "target"), "path", PD_PATH_MAX, 0,
			      &parsed->names[1], &event->object2);
	return r;
}

static void parse_permissions(struct pd_event *record, const json_t *root)
{
	const json_t *list = json_object_get(root, "permissions");
	size_t index;
	json_t *item;
	uint32_t value, perms = 0;

	json_array_foreach(list, index, item) {
		const char *name = json_string_value(item);

		if (!name)
			continue;
		if (record->class == PD_CLASS_CAPABILITY || record->class == PD_CLASS_GUARD)
			perms |= PD_USE;
		else if (!strcmp(name, "exec"))
			perms |= PD_EXEC;
		else if (record->class == PD_CLASS_SOCKET &&
			 words_find(&words_socket_operations, name, &value))
			/* which bits: those of unix addresses where the object has a name */
			perms |= record->object_len ? words_unix_perms(value) : value;
		else if (words_find(&words_file_permissions, name, &value))
			perms |= value;
	}
	record->refused = record->wanted = perms;
}

static int parse_cause(struct parsed *parsed, const json_t *root)
{
	struct symbol *symbol = &parsed->event.symbol;
	const json_t *rule = json_object_get(root, "rule");
	const json_t *by_default = json_object_get(root, "default");
	const char *policy = NULL;
	struct slice file = { 0 };
	uint32_t value = 0;
	int r;

	json_get_string(root, "policy", &policy);
	parsed->event.policies = policy;
	if (by_default) {
		symbol->is_default = symbol->deny = true;
		words_find(&words_classes, get_text(by_default, "class"), &value);
		rule = by_default;
	} else if (!rule) {
		return 0;
	} else {
		parsed->record.rule = get_number(rule, "number");
		if (parsed->record.rule || !policy)
			return 0;
		json_get_bool(rule, "deny", &symbol->deny);
		value = parsed->record.class;
	}
	symbol->policy = policy;
	symbol->class = (enum pd_class)value;
	symbol->text = get_text(rule, "text");
	symbol->line = get_number(rule, "line");
	symbol->column = get_number(rule, "column");
	r = take_name(rule, "file", SIZE_MAX, 0, &parsed->file, &file);
	symbol->file = file.data ? file.data : "";
	return r;
}

/* Strings are the JSON's, which is kept. */
static void parse_container(struct parsed *parsed, const json_t *object)
{
	struct event_container *container = &parsed->container;

	if (!json_is_object(object))
		return;
	json_get_string(object, "id", &container->id);
	json_get_string(object, "name", &container->name);
	json_get_string(object, "image", &container->image);
	json_get_string(object, "pod", &container->pod);
	json_get_string(object, "namespace", &container->namespace);
	json_get_string(object, "runtime", &container->runtime);
	parsed->event.container = container;
}

static int parse_subject(struct parsed *parsed, const json_t *root)
{
	struct pd_event *record = &parsed->record;
	const json_t *subject = json_object_get(root, "subject");
	struct slice comm = { 0 };
	char *owned = NULL;
	bool flag = false;
	int r;

	record->pid = get_number(subject, "pid");
	record->tid = get_number(subject, "tid");
	record->ppid = get_number(subject, "ppid");
	record->uid = get_number(subject, "uid");
	record->gid = get_number(subject, "gid");
	json_get_unsigned(subject, "cgroup_id", INT64_MAX, (uint64_t *)&record->cgroup_id);
	if (json_get_bool(subject, "exe_cut", &flag) && flag)
		record->flags |= PD_EVENT_CUT_EXE;
	if (json_get_bool(subject, "cgroup_cut", &flag) && flag)
		record->flags |= PD_EVENT_CUT_CGROUP;
	r = take_name(subject, "comm", sizeof(record->comm), 0, &owned, &comm);
	if (comm.length)
		memcpy(record->comm, comm.data, comm.length);
	free(owned);
	if (!r)
		r = take_name(subject, "exe", PD_EXE_MAX, 0, &parsed->names[2], &parsed->event.exe);
	if (!r)
		r = take_name(subject, "cgroup", PD_CGROUP_MAX, 0, &parsed->names[3],
			      &parsed->event.cgroup);
	parse_container(parsed, json_object_get(subject, "container"));
	return r;
}

/* What makes it an event at all. */
static int parse_head(struct parsed *parsed, const json_t *root, struct pd_error *error)
{
	struct pd_event *record = &parsed->record;
	uint64_t version = 0;
	uint32_t class;
	bool flag = false;

	if (!json_is_object(root) || !json_get_unsigned(root, "version", INT64_MAX, &version))
		return error_set(error, -EINVAL, "this is not an event: it has no version");
	if (version != EVENT_VERSION)
		return error_set(error, -EPROTO,
				 "an event of version %llu; this program knows version %d",
				 (unsigned long long)version, EVENT_VERSION);
	record->verdict = find_verdict(get_text(root, "verdict"));
	if (!record->verdict)
		return error_set(error, -EINVAL, "verdict must be allowed, denied or would_deny");
	if (!words_find(&words_classes, get_text(root, "class"), &class))
		return error_set(error, -EINVAL, "the event's class is unknown");
	record->class = (uint8_t) class;
	if (clock_parse_utc(get_text(root, "time"), &parsed->event.time_us) < 0)
		return error_set(error, -EINVAL,
				 "the event's time is not like "
				 "2025-01-31T10:32:05.123456Z");
	record->operation = find_operation(get_text(root, "operation"));
	record->reason = find_reason(get_text(root, "reason"));
	record->mode = !strcmp(get_text(root, "mode"), "audit");
	record->repeat = get_number(root, "repeat");
	json_get_unsigned(root, "sequence", INT64_MAX, (uint64_t *)&record->sequence);
	json_get_unsigned(root, "generation", INT64_MAX, (uint64_t *)&record->generation);
	parsed->event.ring = strcmp(get_text(root, "ring"), "notices") ? PD_RING_DENIALS :
									 PD_RING_NOTICES;
	parsed->event.host = get_text(root, "host");
	if (json_get_bool(root, "maybe_exists", &flag) && flag)
		record->flags |= PD_EVENT_MAYBE_EXISTS;
	if (json_get_bool(root, "killed", &flag) && flag)
		record->flags |= PD_EVENT_KILLED;
	return 0;
}

int event_parse_json(const char *text, size_t length, struct event **ret_event,
		     struct pd_error *error)
{
	struct parsed *parsed = calloc(1, sizeof(*parsed));
	int r;

	if (!parsed)
		return error_set(error, -ENOMEM, "out of memory");
	parsed->event.record = &parsed->record;
	r = json_read(text, length, &parsed->root, error);
	if (!r)
		r = parse_head(parsed, parsed->root, error);
	if (r < 0) {
		event_free(&parsed->event);
		return r;
	}
	r = parse_object(parsed, parsed->root);
	if (!r)
		r = parse_cause(parsed, parsed->root);
	if (!r)
		r = parse_subject(parsed, parsed->root);
	if (r < 0) {
		event_free(&parsed->event);
		return error_set(error, r,
				 r == -ENOMEM ? "out of memory" :
						"a name in the event makes no sense");
	}
	parsed->record.object_len = (uint16_t)parsed->event.object.length;
	parsed->record.object2_len = (uint16_t)parsed->event.object2.length;
	parsed->record.exe_len = (uint16_t)parsed->event.exe.length;
	parsed->record.cgroup_len = (uint16_t)parsed->event.cgroup.length;
	parse_permissions(&parsed->record, parsed->root);
	*ret_event = &parsed->event;
	return 0;
}
