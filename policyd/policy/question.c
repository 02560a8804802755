// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "policyd/base/array.h"
#include "policyd/policy/parse_value.h"

static const char *const part_names[PART_COUNT] = {
	[PART_OPERATION] = "operation", [PART_BY] = "by",
	[PART_FAMILY] = "family",	[PART_TYPE] = "type",
	[PART_PROTOCOL] = "protocol",	[PART_PATH] = "path",
	[PART_UNIX] = "unix",		[PART_TO] = "to",
	[PART_PORT] = "port",		[PART_CAPABILITY] = "capability",
	[PART_GUARD] = "guard",
};

#define FAIL(parts, part, ...)                                                                     \
	((parts)->blame = (part), error_set((parts)->error, -EINVAL, __VA_ARGS__))

static int no_memory(const struct parts *parts)
{
	return error_set(parts->error, -ENOMEM, "out of memory");
}

static int find_word(struct parts *parts, enum part part, const struct words *words,
		     uint32_t *ret_value)
{
	const char *text = parts->text[part];
	struct shown shown, meant;

	if (words == &words_capabilities ? words_capability(text, ret_value) :
					   words_find(words, text, ret_value))
		return 0;
	return FAIL(parts, part, "unknown %s \"%s\"%s", words->what, show(&shown, text),
		    show_meant(&meant, words, text));
}

/* One bit: a question about several permissions has no single answer. */
static int one_permission(struct parts *parts, const struct words *words, uint32_t *ret_perm)
{
	uint32_t perms;
	int ret = find_word(parts, PART_OPERATION, words, &perms);

	if (ret)
		return ret;
	if (words == &words_file_permissions && !strcmp(parts->text[PART_OPERATION], "write"))
		perms = PD_WRITE;
	if (perms & (perms - 1))
		return FAIL(parts, PART_OPERATION, "\"%s\" is several; ask one at a time",
			    parts->text[PART_OPERATION]);
	*ret_perm = perms;
	return 0;
}

static int add_name(struct parts *parts, enum part part, enum pattern_kind kind,
		    struct policy_strings *strings)
{
	const char *reason = name_reason(parts->text[part], kind);
	struct shown shown;

	if (reason)
		return FAIL(parts, part, "\"%s\": %s", show(&shown, parts->text[part]), reason);
	return strings_add(strings, parts->text[part], &parts->place[part]) ? 0 : no_memory(parts);
}

static int ask_path(struct parts *parts, struct policy_rule *rule)
{
	int ret = 0;

	rule->class = PD_CLASS_FILE;
	if (!strcmp(parts->text[PART_OPERATION], "exec")) {
		rule->class = PD_CLASS_EXEC;
		rule->path_perms = PD_EXEC;
	} else {
		ret = one_permission(parts, &words_file_permissions, &rule->path_perms);
	}
	return ret ? ret : add_name(parts, PART_PATH, PATTERN_OBJECT, &rule->paths);
}

static int ask_unix(struct parts *parts, struct policy_rule *rule)
{
	uint32_t perm;
	int ret = one_permission(parts, &words_socket_operations, &perm);

	rule->class = PD_CLASS_SOCKET;
	if (ret)
		return ret;
	rule->path_perms = words_unix_perms(perm);
	if (!rule->path_perms)
		return FAIL(
			parts, PART_OPERATION,
			"a socket has no address yet when it is created; ask about family unix");
	return add_name(parts, PART_UNIX, PATTERN_UNIX, &rule->paths);
}

/* ---- socket keys ----------------------------------------------------------------------------- */

static uint16_t usual_type(unsigned int family, bool has_protocol, unsigned int protocol)
{
	switch (family) {
	case AF_INET:
	case AF_INET6:
		if (!has_protocol || protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP ||
		    protocol == IPPROTO_MPTCP || !protocol)
			return SOCK_STREAM;
		if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
			return SOCK_DGRAM;
		return protocol == IPPROTO_DCCP ? SOCK_DCCP : SOCK_RAW;
	case AF_UNIX:
	case AF_VSOCK:
		return SOCK_STREAM;
	case AF_ALG:
	case AF_TIPC:
		return SOCK_SEQPACKET;
	default:
		return SOCK_RAW;
	}
}

/* What the kernel makes of protocol 0, which is how most programs ask. */
static uint16_t usual_protocol(unsigned int family, unsigned int type)
{
	if (family != AF_INET && family != AF_INET6)
		return 0;
	switch (type) {
	case SOCK_STREAM:
		return IPPROTO_TCP;
	case SOCK_DGRAM:
		return IPPROTO_UDP;
	case SOCK_SEQPACKET:
		return IPPROTO_SCTP;
	case SOCK_DCCP:
		return IPPROTO_DCCP;
	default:
		return IPPROTO_RAW;
	}
}

static int find_number(struct parts *parts, enum part part, const struct words *words,
		       unsigned long max, uint16_t *ret_value)
{
	unsigned long number;
	uint32_t value;
	int ret;

	if (value_number(parts->text[part], max, &number)) {
		*ret_value = (uint16_t)number;
		return 0;
	}
	ret = find_word(parts, part, words, &value);
	if (!ret)
		*ret_value = (uint16_t)value;
	return ret;
}

/* Family, type and protocol as they stand in struct pd_socket_key. */
static int ask_key(struct parts *parts, uint16_t family, struct policy_rule *rule)
{
	bool has_protocol = parts->text[PART_PROTOCOL];
	uint16_t type, protocol = 0;
	int ret = 0;

	if (has_protocol)
		ret = find_number(parts, PART_PROTOCOL,
				  family == AF_NETLINK ? &words_netlink_protocols :
							 &words_ip_protocols,
				  65535, &protocol);
	type = usual_type(family, has_protocol, protocol);
	if (!ret && parts->text[PART_TYPE])
		ret = find_number(parts, PART_TYPE, &words_types, 15, &type);
	if (ret)
		return ret;
	if (!protocol)
		protocol = usual_protocol(family, type);
	if (!numbers_add(&rule->families, &rule->family_count, family) ||
	    !numbers_add(&rule->types, &rule->type_count, type) ||
	    !numbers_add(&rule->protocols, &rule->protocol_count, protocol))
		return no_memory(parts);
	return 0;
}

static int add_address(struct parts *parts, const struct policy_address *address,
		       struct policy_rule *rule)
{
	struct policy_address *added;
	int ret = ask_key(parts, address->family, rule);

	if (ret)
		return ret;
	added = array_append((void *)&rule->to, &rule->to_count, sizeof(*added));
	if (!added)
		return no_memory(parts);
	*added = *address;
	return 0;
}

/* What the kernel takes the unspecified address for, if the socket is not bound to one. */
static void unspecified_is_loopback(struct policy_address *address)
{
	static const uint8_t nowhere[16];

	if (memcmp(address->addr, nowhere, sizeof(nowhere)) != 0)
		return;
	if (address->family == AF_INET)
		address->addr[0] = 127;
	address->addr[address->prefix / 8 - 1] = 1;
}

static int ask_to(struct parts *parts, struct policy_rule *rule)
{
	const char *text = parts->text[PART_TO], *protocol = parts->text[PART_PROTOCOL];
	struct policy_address address;
	struct shown shown, meant;
	const char *reason = address_parse(text, &address, &meant);
	bool any_port;

	if (reason)
		return FAIL(parts, PART_TO, "\"%s\" %s", show(&shown, text), reason);
	if (!address.family || address.prefix != (address.family == AF_INET ? 32 : 128))
		return FAIL(parts, PART_TO, "\"%s\" is not one address", show(&shown, text));
	any_port = !address.ports.first && address.ports.last == 65535;
	if (any_port && protocol && !strncmp(protocol, "icmp", 4))
		address.ports.last = 0;
	if (address.ports.first != address.ports.last)
		return FAIL(parts, PART_TO, "\"%s\" needs one port, as in 10.0.0.1:443",
			    show(&shown, text));
	unspecified_is_loopback(&address);
	return add_address(parts, &address, rule);
}

static int ask_port(struct parts *parts, struct policy_rule *rule)
{
	const char *text = parts->text[PART_PORT], *family = parts->text[PART_FAMILY];
	struct policy_address address = { .family = AF_INET, .prefix = 32 };
	const char *reason = address_ports(text, &address.ports);
	struct shown shown;
	uint32_t number = AF_INET;
	int ret;

	if (!reason && address.ports.first != address.ports.last)
		reason = "is not one port";
	if (reason)
		return FAIL(parts, PART_PORT, "\"%s\" %s", show(&shown, text), reason);
	ret = family ? find_word(parts, PART_FAMILY, &words_families, &number) : 0;
	if (ret)
		return ret;
	if (number != AF_INET && number != AF_INET6)
		return FAIL(parts, PART_FAMILY, "only inet and inet6 have ports");
	if (number == AF_INET6) {
		address.family = AF_INET6;
		address.prefix = 128;
	}
	return add_address(parts, &address, rule);
}

static int ask_family(struct parts *parts, struct policy_rule *rule)
{
	uint16_t family;
	int ret = find_number(parts, PART_FAMILY, &words_families, 255, &family);

	if (ret)
		return ret;
	if (rule->socket_perms != PD_SOCK_CREATE &&
	    (family == AF_INET || family == AF_INET6 || family == AF_UNIX))
		return FAIL(parts, PART_FAMILY, "\"%s\" needs an address for this operation",
			    parts->text[PART_FAMILY]);
	return ask_key(parts, family, rule);
}

static int ask_socket(struct parts *parts, enum part object, struct policy_rule *rule)
{
	int ret = one_permission(parts, &words_socket_operations, &rule->socket_perms);

	rule->class = PD_CLASS_SOCKET;
	if (ret)
		return ret;
	if (object != PART_FAMILY && rule->socket_perms == PD_SOCK_CREATE)
		return FAIL(parts, object,
			    "a socket has no address yet when it is created; ask about its family, "
			    "type and protocol");
	if (object == PART_TO)
		return ask_to(parts, rule);
	return object == PART_PORT ? ask_port(parts, rule) : ask_family(parts, rule);
}

/* ---- from parts to a rule -------------------------------------------------------------------- */

static int ask_use(struct parts *parts, enum part object, struct policy_rule *rule)
{
	bool guard = object == PART_GUARD;
	uint32_t number;
	int ret;

	if (strcmp(parts->text[PART_OPERATION], "use") != 0)
		return FAIL(parts, PART_OPERATION, "with %s, the operation is \"use\"",
			    part_names[object]);
	rule->class = guard ? PD_CLASS_GUARD : PD_CLASS_CAPABILITY;
	ret = find_word(parts, object, guard ? &words_guards : &words_capabilities, &number);
	if (ret)
		return ret;
	if (guard)
		rule->guards = 1u << number;
	else
		rule->capabilities = UINT64_C(1) << number;
	return 0;
}

static int find_object(struct parts *parts, enum part *ret_object)
{
	enum part object = PART_COUNT;

	for (enum part part = PART_PATH; part < PART_COUNT; part++) {
		if (!parts->text[part])
			continue;
		if (object != PART_COUNT)
			return FAIL(parts, part, "is about %s already; ask one at a time",
				    part_names[object]);
		object = part;
	}
	if (object == PART_COUNT && parts->text[PART_FAMILY])
		object = PART_FAMILY;
	if (object == PART_COUNT)
		return FAIL(parts, PART_OPERATION,
			    "what about? one of path, to, port, unix, family, capability, guard");
	for (enum part part = PART_FAMILY; part <= PART_PROTOCOL; part++)
		if (parts->text[part] && object != PART_TO && object != PART_PORT &&
		    object != PART_FAMILY)
			return FAIL(parts, part, "has no meaning with %s", part_names[object]);
	if (object == PART_TO && parts->text[PART_FAMILY])
		return FAIL(parts, PART_FAMILY, "the address says it already");
	*ret_object = object;
	return 0;
}

int question_build(struct parts *parts, struct policy_rule *rule)
{
	enum part object = PART_COUNT;
	int ret = find_object(parts, &object);

	if (ret)
		return ret;
	switch (object) {
	case PART_PATH:
		ret = ask_path(parts, rule);
		break;
	case PART_UNIX:
		ret = ask_unix(parts, rule);
		break;
	case PART_CAPABILITY:
	case PART_GUARD:
		ret = ask_use(parts, object, rule);
		break;
	default:
		ret = ask_socket(parts, object, rule);
		break;
	}
	if (!ret && parts->text[PART_BY])
		ret = add_name(parts, PART_BY, PATTERN_PROGRAM, &rule->by);
	return ret;
}

/* ---- policyctl test -------------------------------------------------------------------------- */

/* "inet/dgram/udp": cuts the text at the slashes. */
static void split_key(char *text, struct parts *parts)
{
	static const enum part order[] = { PART_FAMILY, PART_TYPE, PART_PROTOCOL };

	for (size_t i = 0; text && i < sizeof(order) / sizeof(order[0]); i++) {
		char *slash = i < 2 ? strchr(text, '/') : NULL;

		parts->text[order[i]] = text;
		if (slash)
			*slash++ = '\0';
		text = slash;
	}
}

/* "[protocol/]address:port", or a key of a family without ports. @any gets ":80" completed. */
static void split_address(char *text, struct parts *parts, char *any, size_t any_size)
{
	char *slash = strchr(text, '/');
	uint32_t number;

	if (slash)
		*slash = '\0';
	if (words_find(&words_families, text, &number)) {
		if (slash)
			*slash = '/';
		split_key(text, parts);
		return;
	}
	if (slash && words_find(&words_ip_protocols, text, &number)) {
		parts->text[PART_PROTOCOL] = text;
		text = slash + 1;
	} else if (slash) {
		*slash = '/';
	}
	if (text[0] == ':' && text[1] != ':' && snprintf(any, any_size, "0.0.0.0%s", text) > 0)
		text = any;
	parts->text[PART_TO] = text;
}

/* The class is not known yet, so both vocabularies are asked what was meant. */
static int check_operation(struct parts *parts)
{
	const char *op = parts->text[PART_OPERATION];
	struct shown shown, meant;
	uint32_t perms;

	if (words_find(&words_file_permissions, op, &perms) ||
	    words_find(&words_socket_operations, op, &perms) || !strcmp(op, "exec") ||
	    !strcmp(op, "capability") || !strcmp(op, "guard"))
		return 0;
	if (!show_meant(&meant, &words_file_permissions, op)[0])
		show_meant(&meant, &words_socket_operations, op);
	return FAIL(parts, PART_OPERATION, "unknown operation \"%s\"%s", show(&shown, op),
		    meant.text);
}

int parse_question(const char *op, const char *object, const char *by, struct policy_rule *ret_rule,
		   struct pd_error *error)
{
	struct policy_rule rule = { 0 };
	struct parts parts = { .error = error, .text = { [PART_OPERATION] = op, [PART_BY] = by } };
	bool named = object[0] == '/' || object[0] == '@';
	char *copy, any[32];
	uint32_t perm;
	int ret;

	ret = check_operation(&parts);
	if (ret)
		return ret;
	copy = strdup(object);
	if (!copy)
		return no_memory(&parts);
	if (!strcmp(op, "capability") || !strcmp(op, "guard")) {
		parts.text[op[0] == 'c' ? PART_CAPABILITY : PART_GUARD] = copy;
		parts.text[PART_OPERATION] = "use";
	} else if (!words_find(&words_socket_operations, op, &perm) || !strcmp(op, "all") ||
		   (!strcmp(op, "create") && object[0] == '/')) {
		parts.text[PART_PATH] = copy;
	} else if (named) {
		parts.text[PART_UNIX] = copy;
	} else if (!strcmp(op, "create")) {
		split_key(copy, &parts);
	} else {
		split_address(copy, &parts, any, sizeof(any));
	}
	ret = question_build(&parts, &rule);
	free(copy);
	if (ret) {
		policy_rule_done(&rule);
		return ret;
	}
	*ret_rule = rule;
	return 0;
}
