/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/automaton_nfa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int node_new(struct nfa *nfa, uint32_t parent, uint32_t token, uint32_t owner)
{
	if (nfa->count >= NFA_NODES_MAX)
		return -E2BIG;
	if (ARRAY_GROW(nfa->nodes, nfa->room, nfa->count, 1) ||
	    ARRAY_GROW(nfa->parents, nfa->parent_room, nfa->count, 1))
		return -ENOMEM;
	nfa->nodes[nfa->count] = (struct nfa_node){ .token = token, .owner = owner };
	nfa->parents[nfa->count++] = parent;
	return 0;
}

struct nfa *nfa_new(void)
{
	struct nfa *nfa = calloc(1, sizeof(*nfa));

	if (!nfa)
		return NULL;
	if (node_new(nfa, 0, TOKEN_BYTE, 0)) {
		nfa_free(nfa);
		return NULL;
	}
	return nfa;
}

void nfa_free(struct nfa *nfa)
{
	if (!nfa)
		return;
	free(nfa->nodes);
	free(nfa->accepts);
	free(nfa->sets);
	free(nfa->table);
	free(nfa->parents);
	free(nfa);
}

int nfa_set(struct nfa *nfa, const struct byteset *set, uint32_t *ret_token)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < 4; i++)
		count += __builtin_popcountll(set->bits[i]);
	if (count == 1) {
		for (i = 0; !byteset_has(set, i); i++)
			;
		*ret_token = TOKEN_BYTE | i;
		return 0;
	}
	for (i = 0; i < nfa->set_count; i++)
		if (!memcmp(&nfa->sets[i], set, sizeof(*set)))
			break;
	if (i == nfa->set_count) {
		if (i >= 0xffff)
			return -E2BIG;
		if (ARRAY_GROW(nfa->sets, nfa->set_room, i, 1))
			return -ENOMEM;
		nfa->sets[nfa->set_count++] = *set;
	}
	*ret_token = TOKEN_SET | i;
	return 0;
}

const struct byteset *nfa_get_set(const struct nfa *nfa, uint32_t token)
{
	return &nfa->sets[TOKEN_VALUE(token)];
}

static size_t child_slot(const struct nfa *nfa, uint32_t parent, uint32_t token)
{
	uint32_t key[2] = { parent, token };
	size_t slot = words_hash(key, 2) & (nfa->table_size - 1);
	uint32_t child;

	while ((child = nfa->table[slot])) {
		if (nfa->parents[child] == parent && nfa->nodes[child].token == token)
			break;
		slot = (slot + 1) & (nfa->table_size - 1);
	}
	return slot;
}

static int table_grow(struct nfa *nfa)
{
	size_t size = nfa->table_size ? nfa->table_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	free(nfa->table);
	nfa->table = table;
	nfa->table_size = size;
	for (uint32_t i = 1; i < nfa->count; i++)
		table[child_slot(nfa, nfa->parents[i], nfa->nodes[i].token)] = i;
	return 0;
}

/* The node one token further, made when there is none yet. */
static int child_get(struct nfa *nfa, uint32_t parent, uint32_t token, uint32_t owner,
		     uint32_t *ret_child)
{
	struct nfa_node *node;
	uint32_t child;
	size_t slot;
	int r;

	if (nfa->count * 2 >= nfa->table_size && table_grow(nfa))
		return -ENOMEM;
	slot = child_slot(nfa, parent, token);
	child = nfa->table[slot];
	if (!child) {
		child = nfa->count;
		r = node_new(nfa, parent, token, owner);
		if (r)
			return r;
		nfa->table[slot] = child;
		node = &nfa->nodes[parent];
		if (token == TOKEN_STAR) {
			node->star = child;
		} else if (token == TOKEN_GLOBSTAR) {
			node->globstar = child;
		} else {
			nfa->nodes[child].next = node->first;
			node->first = child;
		}
	}
	*ret_child = child;
	return 0;
}

int nfa_add(struct nfa *nfa, const uint32_t *tokens, size_t count, uint32_t accept, uint32_t owner)
{
	uint32_t node = 0, list;
	int r;

	for (size_t i = 0; i < count; i++) {
		/* A star after a star of its kind, from joined alternatives, adds nothing. */
		if (i && TOKEN_KIND(tokens[i]) >= TOKEN_STAR && tokens[i] == tokens[i - 1])
			continue;
		r = child_get(nfa, node, tokens[i], owner, &node);
		if (r)
			return r;
	}
	for (list = nfa->nodes[node].accept; list; list = nfa->accepts[list - 1].next)
		if (nfa->accepts[list - 1].accept == accept)
			return 0;
	if (ARRAY_GROW(nfa->accepts, nfa->accept_room, nfa->accept_count, 1))
		return -ENOMEM;
	nfa->accepts[nfa->accept_count] =
		(struct nfa_accept){ .accept = accept, .next = nfa->nodes[node].accept };
	nfa->nodes[node].accept = ++nfa->accept_count;
	return 0;
}
