/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket rules as patterns over struct pd_socket_key: a byte set for the family, one for the type,
 * then the protocol, the port and the address byte by byte.
 */
#include "policyd/policy/compile_run.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct key_pattern {
	struct nfa *nfa;
	uint32_t tokens[8 + sizeof(((struct pd_socket_key *)0)->addr)];
	size_t count;
	uint32_t accept, owner;
};

static const struct byteset all_bytes = { { ~0ull, ~0ull, ~0ull, ~0ull } };

static int put_set(struct key_pattern *p, const struct byteset *set)
{
	return nfa_set(p->nfa, set, &p->tokens[p->count++]);
}

static int put_range(struct key_pattern *p, unsigned int first, unsigned int last)
{
	struct byteset set = { { 0 } };

	byteset_add(&set, first, last);
	return put_set(p, &set);
}

static bool set_empty(const struct byteset *set)
{
	return !(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]);
}

/* Numbers of a rule as a set of bytes; none given means any. */
static struct byteset number_set(const uint16_t *numbers, size_t count)
{
	struct byteset set = { { 0 } };

	if (!count)
		return all_bytes;
	for (size_t i = 0; i < count; i++)
		if (numbers[i] < 256)
			byteset_add(&set, numbers[i], numbers[i]);
	return set;
}

/* The pattern ends here: whatever bytes follow do not matter. */
static int finish(struct key_pattern *p)
{
	p->tokens[p->count] = TOKEN_GLOBSTAR;
	return nfa_add(p->nfa, p->tokens, p->count + 1, p->accept, p->owner);
}

static int finish_address(struct key_pattern *p, const struct policy_address *to)
{
	unsigned int bits = to ? to->prefix : 0, i;
	size_t count = p->count;
	int r = 0;

	if (!to || !to->family)
		bits = 0;
	for (i = 0; i < bits / 8 && !r; i++)
		r = put_range(p, to->addr[i], to->addr[i]);
	if (!r && bits % 8) {
		unsigned int host = 0xffu >> (bits % 8);

		r = put_range(p, to->addr[i] & ~host, to->addr[i] | host);
	}
	if (!r)
		r = finish(p);
	p->count = count;
	return r;
}

static int finish_port(struct key_pattern *p, unsigned int high1, unsigned int high2,
		       unsigned int low1, unsigned int low2, const struct policy_address *to)
{
	size_t count = p->count;
	int r = put_range(p, high1, high2);

	if (!r)
		r = put_range(p, low1, low2);
	if (!r)
		r = finish_address(p, to);
	p->count = count;
	return r;
}

/* A range of big-endian numbers is at most three products of byte ranges. */
static int finish_ports(struct key_pattern *p, unsigned int first, unsigned int last,
			const struct policy_address *to)
{
	unsigned int h1 = first >> 8, h2 = last >> 8, l1 = first & 0xff, l2 = last & 0xff;
	int r = 0;

	if (first > last)
		return 0;
	if (h1 == h2)
		return finish_port(p, h1, h1, l1, l2, to);
	if (l1) {
		r = finish_port(p, h1, h1, l1, 255, to);
		h1++;
	}
	if (!r && l2 != 255) {
		r = finish_port(p, h2, h2, 0, l2, to);
		h2--;
	}
	if (!r && h1 <= h2)
		r = finish_port(p, h1, h2, 0, 255, to);
	return r;
}

/* Every combination of `port:` and one `to:`; the family byte is put by the caller. */
static int finish_peer(struct key_pattern *p, const struct policy_rule *rule,
		       const struct policy_address *to)
{
	unsigned int first = to ? to->ports.first : 0, last = to ? to->ports.last : UINT16_MAX;
	int r = 0;

	if (!rule->port_count)
		return finish_ports(p, first, last, to);
	for (size_t i = 0; i < rule->port_count && !r; i++) {
		const struct policy_ports *ports = &rule->ports[i];

		r = finish_ports(p, ports->first > first ? ports->first : first,
				 ports->last < last ? ports->last : last, to);
	}
	return r;
}

/* What follows the family: type and protocol, and then the peer unless the key is bare. */
static int finish_protocol(struct key_pattern *p, const struct policy_rule *rule, bool bare,
			   const struct policy_address *to)
{
	struct byteset types = number_set(rule->types, rule->type_count);
	size_t count = p->count, before;
	int r = set_empty(&types) ? 0 : put_set(p, &types);

	before = p->count;
	for (size_t i = 0; i < (rule->protocol_count ? rule->protocol_count : 1) && !r; i++) {
		if (before == count)
			break; /* a type that does not exist */
		if (rule->protocol_count) {
			r = put_range(p, rule->protocols[i] >> 8, rule->protocols[i] >> 8);
			if (!r)
				r = put_range(p, rule->protocols[i] & 0xff,
					      rule->protocols[i] & 0xff);
		} else {
			r = put_set(p, &all_bytes);
			if (!r)
				r = put_set(p, &all_bytes);
		}
		if (!r)
			r = bare ? finish(p) : finish_peer(p, rule, to);
		p->count = before;
	}
	p->count = count;
	return r;
}

static int add_families(struct key_pattern *p, const struct policy_rule *rule, struct byteset set,
			bool bare, const struct policy_address *to)
{
	struct byteset given = number_set(rule->families, rule->family_count);
	int r;

	for (int i = 0; i < 4; i++)
		set.bits[i] &= given.bits[i];
	if (set_empty(&set))
		return 0;
	p->count = 0;
	r = put_set(p, &set);
	return r ? r : finish_protocol(p, rule, bare, to);
}

static struct byteset inet_families(const struct policy_address *to)
{
	struct byteset set = { { 0 } };

	if (!to || to->family != AF_INET6)
		byteset_add(&set, AF_INET, AF_INET);
	if (!to || to->family != AF_INET)
		byteset_add(&set, AF_INET6, AF_INET6);
	return set;
}

static int add_operations(struct key_pattern *p, const struct policy_rule *rule)
{
	int r = 0;

	if (!rule->port_count && !rule->to_count)
		return add_families(p, rule, all_bytes, true, NULL);
	if (!rule->to_count)
		return add_families(p, rule, inet_families(NULL), false, NULL);
	for (size_t i = 0; i < rule->to_count && !r; i++)
		r = add_families(p, rule, inet_families(&rule->to[i]), false, &rule->to[i]);
	return r;
}

/* Which families of sockets a rule is about, for the right to create them. An IPv4 peer is also
 * reached from inet6 sockets, by its mapped address. */
static struct byteset created_families(const struct policy_rule *rule)
{
	struct byteset set = { { 0 } };

	if (rule->socket_perms & ~(uint32_t)PD_SOCK_CREATE) {
		if (!rule->port_count && !rule->to_count)
			return all_bytes;
		byteset_add(&set, AF_INET6, AF_INET6);
		for (size_t i = 0; i < rule->to_count; i++)
			if (rule->to[i].family != AF_INET6)
				byteset_add(&set, AF_INET, AF_INET);
		if (!rule->to_count)
			byteset_add(&set, AF_INET, AF_INET);
	}
	if (rule->path_perms)
		byteset_add(&set, AF_UNIX, AF_UNIX);
	return set;
}

int socket_add_rule(struct nfa *nfa, const struct policy_rule *rule, uint32_t index, uint32_t owner)
{
	struct key_pattern p = { .nfa = nfa, .owner = owner };
	int r = 0;

	p.accept = EFFECTIVE_ACCEPT(index, 0);
	if (rule->socket_perms)
		r = add_operations(&p, rule);
	p.accept = EFFECTIVE_ACCEPT(index, 1);
	if (!r && !rule->deny)
		r = add_families(&p, rule, created_families(rule), true, NULL);
	return r;
}
