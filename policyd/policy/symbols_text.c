/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/symbols.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policyd/policy/words.h"

struct text {
	char *buffer;
	size_t used;
	size_t items; /* of the list being written */
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *format, ...)
{
	size_t room = SYMBOLS_TEXT_MAX + 1 - t->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buffer + t->used, room, format, args);
	va_end(args);
	if (n > 0)
		t->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void key(struct text *t, const char *name, size_t count)
{
	if (count)
		put(t, "%s%s: %s", t->used > 1 ? ", " : "", name, count > 1 ? "[" : "");
	t->items = 0;
}

static void end(struct text *t)
{
	if (t->items > 1)
		put(t, "]");
}

/* Quoted where YAML would read something else. */
static void item(struct text *t, const char *word)
{
	const char *separator = t->items++ ? ", " : "";

	if (!*word || strpbrk(word, "\"\\"))
		put(t, "%s'%s'", separator, word);
	else if (strpbrk(word, "*&!{}[],#?|>@`%: ") || word[0] == '-')
		put(t, "%s\"%s\"", separator, word);
	else
		put(t, "%s%s", separator, word);
}

static void strings(struct text *t, const char *name, const struct policy_strings *list)
{
	key(t, name, list->count);
	for (size_t i = 0; i < list->count; i++)
		item(t, list->items[i].text);
	end(t);
}

static void number(struct text *t, const char *name, unsigned int value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", value);
	item(t, name ? name : digits);
}

static void ports(struct text *t, const struct policy_ports *p)
{
	char range[16];

	snprintf(range, sizeof(range), p->first == p->last ? "%u" : "%u-%u", p->first, p->last);
	item(t, range);
}

static void address(struct text *t, const struct policy_address *a)
{
	char host[INET6_ADDRSTRLEN] = "*", whole[INET6_ADDRSTRLEN + 32];
	unsigned int full = a->family == AF_INET ? 32 : 128;
	bool bracket = a->family == AF_INET6;
	int n;

	if (a->family)
		inet_ntop(a->family, a->addr, host, sizeof(host));
	n = snprintf(whole, sizeof(whole), "%s%s%s", bracket ? "[" : "", host, bracket ? "]" : "");
	if (a->family && a->prefix < full)
		n += snprintf(whole + n, sizeof(whole) - n, "/%u", a->prefix);
	if (a->ports.first == a->ports.last)
		snprintf(whole + n, sizeof(whole) - n, ":%u", a->ports.first);
	else if (a->ports.first || a->ports.last != UINT16_MAX)
		snprintf(whole + n, sizeof(whole) - n, ":%u-%u", a->ports.first, a->ports.last);
	item(t, whole);
}

static size_t perm_count(enum pd_object object, uint32_t perms)
{
	size_t count = 0;

	while (word_permission(object, perms, count))
		count++;
	return count;
}

/* What "allow:" or "deny:" is followed by. */
static void subject(struct text *t, const struct policy_rule *rule)
{
	const char *verb = rule->deny ? "deny" : "allow";
	bool unix_only = !rule->socket_perms;
	enum pd_object object = rule->class == PD_CLASS_SOCKET && !unix_only ? PD_OBJ_SOCKET :
									       PD_OBJ_PATH;
	uint32_t perms = object == PD_OBJ_SOCKET ? rule->socket_perms : rule->path_perms;
	size_t count = 0;

	switch (rule->class) {
	case PD_CLASS_EXEC:
		strings(t, verb, &rule->paths);
		return;
	case PD_CLASS_CAPABILITY:
		key(t, verb, __builtin_popcountll(rule->capabilities));
		for (unsigned int n = 0; n < 64; n++)
			if (rule->capabilities >> n & 1)
				number(t, word_capability(n), n);
		break;
	case PD_CLASS_GUARD:
		key(t, verb, __builtin_popcount(rule->guards));
		for (unsigned int n = 0; n < 32; n++)
			if (rule->guards >> n & 1)
				item(t, word_guard(n));
		break;
	default:
		count = perm_count(object, perms);
		key(t, verb, count);
		for (size_t n = 0; n < count; n++)
			item(t, word_permission(object, perms, n));
	}
	end(t);
}

static void socket_keys(struct text *t, const struct policy_rule *rule)
{
	unsigned int family = rule->family_count ? rule->families[0] : AF_INET;

	key(t, "family", rule->family_count);
	for (size_t i = 0; i < rule->family_count; i++)
		number(t, word_family(rule->families[i]), rule->families[i]);
	end(t);
	key(t, "type", rule->type_count);
	for (size_t i = 0; i < rule->type_count; i++)
		number(t, word_socktype(rule->types[i]), rule->types[i]);
	end(t);
	key(t, "protocol", rule->protocol_count);
	for (size_t i = 0; i < rule->protocol_count; i++)
		number(t, word_protocol(family, rule->protocols[i]), rule->protocols[i]);
	end(t);
	key(t, "port", rule->port_count);
	for (size_t i = 0; i < rule->port_count; i++)
		ports(t, &rule->ports[i]);
	end(t);
	key(t, "to", rule->to_count);
	for (size_t i = 0; i < rule->to_count; i++)
		address(t, &rule->to[i]);
	end(t);
	strings(t, "unix", &rule->paths);
}

void symbols_text(const struct policy_rule *rule, char buffer[SYMBOLS_TEXT_MAX + 1])
{
	struct text t = { .buffer = buffer };

	put(&t, "{");
	subject(&t, rule);
	if (rule->class == PD_CLASS_FILE)
		strings(&t, "path", &rule->paths);
	if (rule->class == PD_CLASS_SOCKET)
		socket_keys(&t, rule);
	strings(&t, "by", &rule->by);
	if (rule->audit)
		put(&t, ", audit: true");
	if (rule->quiet)
		put(&t, ", quiet: true");
	if (rule->kill)
		put(&t, ", kill: true");
	if (rule->audit_mode)
		put(&t, ", mode: audit");
	put(&t, "}");
}
