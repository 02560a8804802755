/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/answer.h"

#include <string.h>
#include <sys/socket.h>

#include "policyd/policy/glob.h"

static int any_glob(const struct policy_strings *globs, const void *name, size_t length,
		    unsigned int flags)
{
	int r = 0;

	for (size_t i = 0; i < globs->count && !r; i++)
		r = glob_match_name(globs->items[i].text, strlen(globs->items[i].text), name,
				    length, flags);
	return r;
}

static bool has_number(const uint16_t *numbers, size_t count, unsigned int number)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return !count;
}

static bool has_port(const struct policy_ports *ports, size_t count, unsigned int port)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i].first <= port && port <= ports[i].last)
			return true;
	return !count;
}

static bool has_address(const struct policy_address *to, const struct pd_socket_key *key,
			unsigned int port)
{
	if (!has_port(&to->ports, 1, port))
		return false;
	if (!to->family)
		return true;
	if (to->family != key->family)
		return false;
	for (unsigned int bit = 0; bit < to->prefix; bit++)
		if ((to->addr[bit / 8] ^ key->addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool has_peer(const struct policy_rule *rule, const struct pd_socket_key *key)
{
	unsigned int port = key->port[0] << 8 | key->port[1];
	bool found = !rule->to_count;

	if (key->family != AF_INET && key->family != AF_INET6)
		return false;
	for (size_t i = 0; i < rule->to_count && !found; i++)
		found = has_address(&rule->to[i], key, port);
	return found && has_port(rule->ports, rule->port_count, port);
}

/* Whoever may use sockets of a kind may create them. */
static bool may_create(const struct policy_rule *rule, unsigned int family)
{
	bool peers = rule->port_count || rule->to_count;

	if (family == AF_UNIX && rule->path_perms)
		return true;
	if (!(rule->socket_perms & ~(uint32_t)PD_SOCK_CREATE))
		return false;
	if (!peers)
		return true;
	if (family == AF_INET6 || (family == AF_INET && !rule->to_count))
		return true;
	for (size_t i = 0; i < rule->to_count && family == AF_INET; i++)
		if (rule->to[i].family != AF_INET6)
			return true;
	return false;
}

static bool socket_matches(const struct policy_rule *rule, const struct request *request)
{
	struct pd_socket_key key = { 0 };

	if (request->length < PD_SOCKET_KEY_BARE || request->length > sizeof(key))
		return false;
	memcpy(&key, request->name, request->length);
	if (!has_number(rule->families, rule->family_count, key.family) ||
	    !has_number(rule->types, rule->type_count, key.type) ||
	    !has_number(rule->protocols, rule->protocol_count,
			key.protocol[0] << 8 | key.protocol[1]))
		return false;
	if (!rule->deny && request->perm == PD_SOCK_CREATE && may_create(rule, key.family))
		return true;
	if (!(rule->socket_perms & request->perm))
		return false;
	if (!rule->port_count && !rule->to_count)
		return true;
	return request->length > PD_SOCKET_KEY_BARE && has_peer(rule, &key);
}

static int object_matches(const struct policy_rule *rule, const struct request *request)
{
	const unsigned char *number = request->name;

	switch (request->object) {
	case PD_OBJ_PATH:
		if (!(rule->path_perms & request->perm))
			return 0;
		if (!rule->paths.count)
			return 1;
		return any_glob(&rule->paths, request->name, request->length,
				GLOB_ALIASES | GLOB_DIRECTORY);
	case PD_OBJ_SOCKET:
		return rule->class == PD_CLASS_SOCKET && socket_matches(rule, request);
	case PD_OBJ_CAPABILITY:
		return *number < 64 && rule->capabilities >> *number & 1;
	default:
		return *number < 32 && rule->guards >> *number & 1;
	}
}

int rule_matches(const struct policy_rule *rule, const struct request *request)
{
	int r = object_matches(rule, request);

	if (r <= 0 || !rule->by.count)
		return r;
	if (!request->program)
		return 0;
	return any_glob(&rule->by, request->program, strlen(request->program), GLOB_ALIASES);
}

enum pd_class request_class(const struct request *request)
{
	switch (request->object) {
	case PD_OBJ_PATH:
		if (request->perm & PD_PATH_FILE)
			return PD_CLASS_FILE;
		return request->perm & PD_PATH_EXEC ? PD_CLASS_EXEC : PD_CLASS_SOCKET;
	case PD_OBJ_SOCKET:
		return PD_CLASS_SOCKET;
	case PD_OBJ_CAPABILITY:
		return PD_CLASS_CAPABILITY;
	default:
		return PD_CLASS_GUARD;
	}
}
