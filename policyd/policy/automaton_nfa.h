/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct nfa, for the two files that work on it. */
#ifndef PD_POLICY_AUTOMATON_NFA_H
#define PD_POLICY_AUTOMATON_NFA_H

#include "policyd/policy/automaton.h"

/* A node is the end of a shared prefix. A node made by a star loops. */
struct nfa_node {
	uint32_t token;		 /* that led here; its kind says whether the node loops */
	uint32_t first;		 /* child; 0: none (the root is nobody's child) */
	uint32_t next;		 /* sibling */
	uint32_t star, globstar; /* children reached without a byte, 0: none */
	uint32_t accept;	 /* index + 1 of the first of a list, 0: none */
	uint32_t owner;
};

struct nfa_accept {
	uint32_t accept;
	uint32_t next;
};

struct nfa {
	struct nfa_node *nodes; /* nodes[0] is the root */
	size_t count, room;
	struct nfa_accept *accepts;
	size_t accept_count, accept_room;
	struct byteset *sets;
	size_t set_count, set_room;
	uint32_t *table; /* (parent, token) -> child, 0 empty; the key is in parents[] */
	uint32_t *parents;
	size_t table_size, parent_room;
};

#define NFA_NODES_MAX (2u << 20)

#endif
