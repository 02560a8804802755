// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "policyd/policy/parse_value.h"

#define ADDRESS_TEXT_MAX 64u /* the longest, "[8 groups]/128:65535-65535", is 60 */

const char *address_ports(const char *text, struct policy_ports *ret_ports)
{
	char first[8];
	const char *dash = strchr(text, '-');
	size_t length = dash ? (size_t)(dash - text) : strlen(text);
	unsigned long low, high;

	if (length >= sizeof(first))
		return "is not a port (0-65535) or a range of ports such as 8000-8099";
	memcpy(first, text, length);
	first[length] = '\0';
	if (!value_number(first, 65535, &low) || (dash && !value_number(dash + 1, 65535, &high)))
		return "is not a port (0-65535) or a range of ports such as 8000-8099";
	if (!dash)
		high = low;
	if (high < low)
		return "is a range that ends before it begins";
	ret_ports->first = (uint16_t)low;
	ret_ports->last = (uint16_t)high;
	return NULL;
}

/* Clears what lies below the prefix; true when something did. */
static bool clear_host(uint8_t *addr, unsigned int bytes, unsigned int prefix)
{
	bool any = false;

	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int kept = prefix > i * 8 ? prefix - i * 8 : 0;
		uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff00u >> kept);

		any |= (addr[i] & ~mask) != 0;
		addr[i] &= mask;
	}
	return any;
}

static void fold_mapped(struct policy_address *address)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (address->family != AF_INET6 || address->prefix < 96 ||
	    memcmp(address->addr, mapped, sizeof(mapped)) != 0)
		return;
	memmove(address->addr, address->addr + 12, 4);
	memset(address->addr + 4, 0, 12);
	address->family = AF_INET;
	address->prefix = (uint8_t)(address->prefix - 96);
}

/* "10.0.0.0", then optionally "/8"; without brackets and ports. */
static const char *parse_network(const char *text, const char *prefix,
				 struct policy_address *address, struct shown *ret_meant)
{
	unsigned int bits = strchr(text, ':') ? 128 : 32;
	unsigned long length = bits;
	char network[INET6_ADDRSTRLEN];

	address->family = bits == 32 ? AF_INET : AF_INET6;
	if (inet_pton(address->family, text, address->addr) != 1)
		return "is not an address such as 10.0.0.0/8:5432, [2001:db8::]/32:443 or *:53; "
		       "host names are not resolved";
	if (prefix && !value_number(prefix, bits, &length))
		return bits == 32 ? "has a prefix length outside 0-32" :
				    "has a prefix length outside 0-128";
	address->prefix = (uint8_t)length;
	if (clear_host(address->addr, bits / 8, address->prefix)) {
		inet_ntop(address->family, address->addr, network, sizeof(network));
		snprintf(ret_meant->text, sizeof(ret_meant->text), bits == 32 ? "%s/%u" : "[%s]/%u",
			 network, address->prefix);
		return "has bits set below its prefix";
	}
	fold_mapped(address);
	return NULL;
}

const char *address_parse(const char *text, struct policy_address *ret_address,
			  struct shown *ret_meant)
{
	struct policy_address address = { .ports = { 0, 65535 } };
	char copy[ADDRESS_TEXT_MAX], *rest, *host = copy, *prefix = NULL, *ports = NULL;
	const char *reason;

	ret_meant->text[0] = '\0';
	if (strlen(text) >= sizeof(copy))
		return "is not an address";
	memcpy(copy, text, strlen(text) + 1);
	if (copy[0] == '[') {
		host = copy + 1;
		rest = strchr(host, ']');
		if (!rest)
			return "lacks the closing ']'";
		*rest++ = '\0';
		if (!strchr(host, ':'))
			return "has brackets around what is not an IPv6 address";
		if (*rest && *rest != '/' && *rest != ':')
			return "has something else than /prefix or :port behind the ']'";
		if (*rest == '/') {
			*rest++ = '\0';
			prefix = rest;
		}
		ports = strchr(rest, ':');
	} else {
		bool bare_v6 = strchr(copy, ':') != strrchr(copy, ':');

		ports = bare_v6 ? NULL : strchr(copy, ':');
		prefix = strchr(copy, '/');
		if (prefix)
			*prefix++ = '\0';
	}
	if (ports) {
		*ports++ = '\0';
		reason = strcmp(ports, "*") ? address_ports(ports, &address.ports) : NULL;
		if (reason)
			return "has no port (0-65535) or range of ports behind the last ':'";
	}
	if (!strcmp(host, "*")) {
		if (prefix)
			return "has a prefix length, but '*' is any address";
	} else {
		reason = parse_network(host, prefix, &address, ret_meant);
		if (reason)
			return reason;
	}
	*ret_address = address;
	return NULL;
}
