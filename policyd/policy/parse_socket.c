// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Socket rules. A unix address is judged as a path and everything else as a struct pd_socket_key, so
 * one written rule may fill both halves of struct policy_rule.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "policyd/base/array.h"
#include "policyd/policy/parse_value.h"

#define NUMBER_FAMILY_MAX 255ul
#define NUMBER_TYPE_MAX 15ul

/* Operations that name an address of their own kind. */
#define WITH_PORT (PD_SOCK_ALL & ~(uint32_t)PD_SOCK_CREATE)
#define WITH_PEER ((uint32_t)PD_SOCK_CONNECT | PD_SOCK_SEND)

static bool has_family(const struct policy_rule *rule, unsigned int family)
{
	for (size_t i = 0; i < rule->family_count; i++)
		if (rule->families[i] == family)
			return true;
	return false;
}

static bool only_families(const struct policy_rule *rule, unsigned int a, unsigned int b)
{
	for (size_t i = 0; i < rule->family_count; i++)
		if (rule->families[i] != a && rule->families[i] != b)
			return false;
	return rule->family_count > 0;
}

/* A word of the table or a number. */
static int take_numbers(const struct parser *parser, const char *key, const struct node *node,
			const struct words *words, unsigned long max, uint16_t **numbers,
			size_t *count)
{
	int ret = list_check(parser, key, node);

	for (size_t i = 0; !ret && i < list_count(node); i++) {
		const struct node *item = list_item(node, i);
		unsigned long number;
		uint32_t value;

		if (item->kind == NODE_SCALAR && value_number(item->text, max, &number) && number)
			value = (uint32_t)number;
		else
			ret = value_word(parser, key, item, words, &value);
		if (!ret && !numbers_add(numbers, count, (uint16_t)value))
			ret = parser_no_memory(parser);
	}
	return ret;
}

int socket_protocol(const struct parser *parser, const struct node *node,
		    const struct policy_rule *rule, uint16_t *ret_protocol)
{
	const struct words *words = NULL;
	struct shown shown;
	unsigned long number;
	uint32_t value;
	int ret;

	if (node->kind == NODE_SCALAR && value_number(node->text, 65535, &number)) {
		*ret_protocol = (uint16_t)number;
		return 0;
	}
	if (only_families(rule, AF_NETLINK, AF_NETLINK))
		words = &words_netlink_protocols;
	else if (!rule->family_count || only_families(rule, AF_INET, AF_INET6))
		words = &words_ip_protocols;
	else if (node->kind == NODE_SCALAR)
		return parser_fail(
			parser, &node->place,
			"protocol: \"%s\": only protocols of inet, inet6 or netlink have "
			"names, each in a rule of their own; write the number",
			show(&shown, node->text));
	if (words == &words_ip_protocols && node->kind == NODE_SCALAR &&
	    !words_find(words, node->text, &value) &&
	    words_find(&words_netlink_protocols, node->text, &value))
		return parser_fail(parser, &node->place,
				   "protocol: \"%s\" is a protocol of netlink; add family: netlink",
				   node->text);
	ret = value_word(parser, "protocol", node, words ? words : &words_ip_protocols, &value);
	if (!ret)
		*ret_protocol = (uint16_t)value;
	return ret;
}

static int take_ports(const struct parser *parser, const struct node *node,
		      struct policy_rule *rule)
{
	int ret = list_check(parser, "port", node);

	for (size_t i = 0; !ret && i < list_count(node); i++) {
		const struct node *item = list_item(node, i);
		struct policy_ports ports, *added;
		struct shown shown;
		const char *text, *reason;

		ret = value_text(parser, "port", item, &text);
		if (ret)
			break;
		reason = address_ports(text, &ports);
		if (reason)
			return parser_fail(parser, &item->place, "port: \"%s\" %s",
					   show(&shown, text), reason);
		added = array_append((void *)&rule->ports, &rule->port_count, sizeof(*added));
		if (!added)
			return parser_no_memory(parser);
		*added = ports;
	}
	return ret;
}

static int take_to(const struct parser *parser, const struct node *node, struct policy_rule *rule)
{
	int ret = list_check(parser, "to", node);

	for (size_t i = 0; !ret && i < list_count(node); i++) {
		const struct node *item = list_item(node, i);
		struct policy_address address, *added;
		struct shown shown, meant;
		const char *text, *reason;

		ret = value_text(parser, "to", item, &text);
		if (ret)
			break;
		reason = address_parse(text, &address, &meant);
		if (reason)
			return parser_fail(parser, &item->place, "to: \"%s\" %s%s%s",
					   show(&shown, text), reason,
					   meant.text[0] ? "; write " : "", meant.text);
		if (address.family && rule->family_count && !has_family(rule, address.family))
			return parser_fail(parser, &item->place,
					   "to: \"%s\" is no address of the family given",
					   show(&shown, text));
		added = array_append((void *)&rule->to, &rule->to_count, sizeof(*added));
		if (!added)
			return parser_no_memory(parser);
		*added = address;
	}
	return ret;
}

/* port: beside to: is the peer's port too; afterwards only `to` says it. */
static int fold_ports(const struct parser *parser, const struct socket_keys *keys,
		      struct policy_rule *rule)
{
	struct policy_address *folded = NULL;
	size_t count = 0;

	if (rule->to_count > POLICY_RULES_MAX / rule->port_count)
		return parser_fail(parser, &map_key(keys->to)->place,
				   "to: with port: these are more than %u combinations",
				   POLICY_RULES_MAX);
	for (size_t i = 0; i < rule->to_count * rule->port_count; i++) {
		const struct policy_address *to = &rule->to[i / rule->port_count];
		struct policy_address *added;

		if (to->ports.first || to->ports.last != 65535) {
			free(folded);
			return parser_fail(parser, &map_key(keys->port)->place,
					   "port: the port is already given in to:");
		}
		added = array_append((void *)&folded, &count, sizeof(*added));
		if (!added) {
			free(folded);
			return parser_no_memory(parser);
		}
		*added = *to;
		added->ports = rule->ports[i % rule->port_count];
	}
	free(rule->to);
	free(rule->ports);
	rule->to = folded;
	rule->to_count = count;
	rule->ports = NULL;
	rule->port_count = 0;
	return 0;
}

/* Keys that contradict each other, told before any of them is read further. */
static int check_keys(const struct parser *parser, const struct socket_keys *keys,
		      const struct policy_rule *rule)
{
	const struct node *ip = keys->to ? keys->to : keys->port;

	if (keys->unix_ && (ip || keys->protocol)) {
		const struct node *other = ip ? ip : keys->protocol;

		return parser_fail(parser, &map_key(other)->place,
				   "%s: is about IP and unix: about unix sockets; write two rules",
				   map_key(other)->text);
	}
	if (keys->unix_ && keys->family && !only_families(rule, AF_UNIX, AF_UNIX))
		return parser_fail(parser, &keys->family->place,
				   "family: a rule with unix: is about family unix only");
	if (ip && keys->family && !only_families(rule, AF_INET, AF_INET6))
		return parser_fail(parser, &keys->family->place,
				   "family: a rule with %s: is about inet and inet6 only",
				   map_key(ip)->text);
	if (keys->protocol && has_family(rule, AF_UNIX))
		return parser_fail(parser, &map_key(keys->protocol)->place,
				   "protocol: unix sockets have none; write a rule of its own for "
				   "family unix");
	return 0;
}

/* The operations written, cut to those the other keys leave when "all" was written. */
static int take_operations(const struct parser *parser, const struct socket_keys *keys,
			   const struct node *node, struct policy_rule *rule)
{
	const struct node *key = keys->to ? keys->to : keys->port ? keys->port : keys->unix_;
	uint32_t possible = keys->to ? WITH_PEER : key ? WITH_PORT : PD_SOCK_ALL;
	uint32_t perms;
	bool all;
	int ret;

	ret = value_mask(parser, rule->deny ? "deny" : "allow", node, &words_socket_operations,
			 &perms, &all);
	if (ret)
		return ret;
	if (all)
		perms &= possible;
	if (perms & ~possible & ~(uint32_t)PD_SOCK_CREATE)
		return parser_fail(parser, &map_key(keys->to)->place,
				   "to: is the peer's address, for connect and send; the address "
				   "of %s is given by port:",
				   word_permission(PD_OBJ_SOCKET,
						   perms & ~possible & ~(uint32_t)PD_SOCK_CREATE,
						   0));
	if (perms & ~possible)
		return parser_fail(
			parser, &map_key(key)->place,
			"%s: a socket has no address yet when it is created; create takes "
			"family, type and protocol",
			map_key(key)->text);
	rule->socket_perms = perms;
	return 0;
}

static int imply_families(const struct parser *parser, const struct socket_keys *keys,
			  struct policy_rule *rule)
{
	bool added = true;

	if (rule->family_count)
		return 0;
	if (keys->unix_)
		added = numbers_add(&rule->families, &rule->family_count, AF_UNIX);
	else if (keys->port || keys->to || keys->protocol)
		added = numbers_add(&rule->families, &rule->family_count, AF_INET) &&
			numbers_add(&rule->families, &rule->family_count, AF_INET6);
	return added ? 0 : parser_no_memory(parser);
}

/* Fills the half that judges unix addresses. */
static int split_unix(const struct parser *parser, const struct socket_keys *keys,
		      const struct node *node, struct policy_rule *rule)
{
	uint32_t perms = words_unix_perms(rule->socket_perms);

	if (rule->family_count && !has_family(rule, AF_UNIX))
		return 0;
	if (perms && rule->type_count)
		return parser_fail(
			parser, &map_key(keys->type)->place,
			"type: unix sockets are judged by address, not by type, once they "
			"are created; %s",
			rule->family_count ? "leave type out" : "add family:");
	if (only_families(rule, AF_UNIX, AF_UNIX))
		rule->socket_perms &= PD_SOCK_CREATE;
	rule->path_perms = perms;
	if (!perms)
		return 0;
	if (keys->unix_)
		return value_patterns(parser, "unix", keys->unix_, PATTERN_UNIX, &rule->paths);
	if (!strings_add(&rule->paths, "/**", &node->place) ||
	    !strings_add(&rule->paths, "@**", &node->place))
		return parser_no_memory(parser);
	return 0;
}

int socket_parse(const struct parser *parser, const struct socket_keys *keys,
		 const struct node *operations, struct policy_rule *rule)
{
	int ret = take_operations(parser, keys, operations, rule);

	if (!ret && keys->family)
		ret = take_numbers(parser, "family", keys->family, &words_families,
				   NUMBER_FAMILY_MAX, &rule->families, &rule->family_count);
	if (!ret && keys->type)
		ret = take_numbers(parser, "type", keys->type, &words_types, NUMBER_TYPE_MAX,
				   &rule->types, &rule->type_count);
	if (!ret)
		ret = check_keys(parser, keys, rule);
	if (!ret && keys->protocol)
		ret = list_check(parser, "protocol", keys->protocol);
	for (size_t i = 0; !ret && keys->protocol && i < list_count(keys->protocol); i++) {
		uint16_t protocol;

		ret = socket_protocol(parser, list_item(keys->protocol, i), rule, &protocol);
		if (!ret && !numbers_add(&rule->protocols, &rule->protocol_count, protocol))
			ret = parser_no_memory(parser);
	}
	if (!ret)
		ret = imply_families(parser, keys, rule);
	if (!ret && keys->port)
		ret = take_ports(parser, keys->port, rule);
	if (!ret && keys->to)
		ret = take_to(parser, keys->to, rule);
	if (!ret && keys->to && keys->port)
		ret = fold_ports(parser, keys, rule);
	return ret ? ret : split_unix(parser, keys, operations, rule);
}
