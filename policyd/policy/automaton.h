/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From many patterns to one automaton: a trie of tokens (an NFA that shares prefixes), the subset
 * construction over it, and the minimal automaton.
 */
#ifndef PD_POLICY_AUTOMATON_H
#define PD_POLICY_AUTOMATON_H

#include "policyd/policy/automaton_intern.h"

struct byteset {
	uint64_t bits[4];
};

static inline bool byteset_has(const struct byteset *set, unsigned int byte)
{
	return set->bits[byte / 64] >> (byte % 64) & 1;
}

static inline void byteset_add(struct byteset *set, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		set->bits[i / 64] |= 1ull << (i % 64);
}

/* ---- patterns -------------------------------------------------------------------------------- */

/* One element of a pattern, in a word: the kind on top, below it the byte or the set's number. */
#define TOKEN_BYTE 0x00000000u
#define TOKEN_SET 0x01000000u
#define TOKEN_STAR 0x02000000u	   /* any run without '/' */
#define TOKEN_GLOBSTAR 0x03000000u /* any run */
#define TOKEN_KIND(token) ((token)&0xff000000u)
#define TOKEN_VALUE(token) ((token)&0x00ffffffu)

struct nfa;

/** nfa_new() - NULL: no memory */
struct nfa *nfa_new(void);
void nfa_free(struct nfa *nfa);

/** nfa_set() - the token of a set of bytes; a set of one is a byte. 0, -ENOMEM or -E2BIG */
int nfa_set(struct nfa *nfa, const struct byteset *set, uint32_t *ret_token);
/** nfa_get_set() - the set of a TOKEN_SET */
const struct byteset *nfa_get_set(const struct nfa *nfa, uint32_t token);

/**
 * nfa_add() - one pattern
 * @accept: what the automaton finds when the pattern matches
 * @owner:  who is named when this pattern makes the automaton too large
 *
 * Returns 0, -ENOMEM, or -E2BIG when there are too many patterns.
 */
int nfa_add(struct nfa *nfa, const uint32_t *tokens, size_t count, uint32_t accept, uint32_t owner);

/**
 * nfa_add_glob() - a pattern in the syntax of glob.h, all alternatives of its braces
 * @flags: GLOB_* of glob.h
 *
 * Returns as nfa_add(), or -EINVAL for what glob_check() refuses.
 */
int nfa_add_glob(struct nfa *nfa, const char *pattern, size_t length, unsigned int flags,
		 uint32_t accept, uint32_t owner);

/* ---- automata -------------------------------------------------------------------------------- */

#define DFA_STATES_MAX 0xffffffu /* what fits into an edge */
#define DFA_EDGE(byte, target) ((uint32_t)(byte) << 24 | (target))
#define DFA_EDGE_BYTE(edge) ((edge) >> 24)
#define DFA_EDGE_TARGET(edge) ((edge)&0xffffffu)

/* Complete and deterministic: a byte among the edges goes there, '/' (never among them) to slash,
 * any other to other. */
struct dfa_state {
	uint32_t colour; /* what the state says; equal for equal decisions */
	uint32_t other, slash;
	uint32_t edge; /* first of `edges` in dfa.edges, sorted by byte */
	uint32_t edges;
};

struct dfa {
	struct dfa_state *states;
	size_t count, room;
	uint32_t *edges; /* DFA_EDGE; never NULL once built */
	size_t edge_count, edge_room;
	uint32_t *starts; /* several automata may share one struct, to be minimised together */
	size_t start_count, start_room;
};

void dfa_done(struct dfa *dfa);

/** dfa_next() - where a byte leads */
uint32_t dfa_next(const struct dfa *dfa, uint32_t state, unsigned char byte);

/* The colour of a state in which the patterns of @accepts (sorted, distinct) match. 0 or an error
 * that ends the construction. */
typedef int dfa_colour_fn(void *context, const uint32_t *accepts, size_t count,
			  uint32_t *ret_colour);

/* How much may be spent. Work is counted in trie nodes looked at: some 200 million are a second. */
struct dfa_budget {
	size_t states;	     /* of one automaton */
	uint64_t work;	     /* for one automaton */
	uint64_t total_work; /* for all; what has been spent is taken off */
};

/**
 * dfa_build() - determinise, and append to @dfa as one more start
 * @ret_owner: on -E2BIG, the owner of the patterns in most states
 *
 * Returns 0; -E2BIG when the budget does not suffice; -ENOMEM; or what @colour returned. On failure
 * @dfa holds part of it and can only be freed.
 */
int dfa_build(struct dfa *dfa, const struct nfa *nfa, struct dfa_budget *budget,
	      dfa_colour_fn *colour, void *context, uint32_t *ret_owner);

/**
 * dfa_minimise() - replace by the smallest automaton that gives the same colours
 *
 * All starts together, so that they share states. States that no start reaches go. 0 or -ENOMEM.
 */
int dfa_minimise(struct dfa *dfa);

/** dfa_append() - copy the automata of @from to the end of @to; 0, -ENOMEM or -E2BIG */
int dfa_append(struct dfa *to, const struct dfa *from);

/*
 * Masks gathered over what can be reached. own_*: of each state; on return `any` and `all` are the
 * union and the intersection over the state and all that can be reached from it.
 */
struct dfa_reach {
	uint64_t any, all;
};

/** dfa_gather() - @reach: one per state, filled with the state's own masks. 0 or -ENOMEM */
int dfa_gather(const struct dfa *dfa, struct dfa_reach *reach);

/**
 * graph_components() - strongly connected components, those without successors first
 * @successors: calls back once for every node, any order of edges
 *
 * ret_order: nodes, component by component; ret_component: the number of each node's. Both have
 * @count words of the caller's. 0 or -ENOMEM.
 */
struct graph {
	size_t count;
	/* The n-th successor of a node, UINT32_MAX past the last. */
	uint32_t (*successor)(const void *context, uint32_t node, uint32_t n);
	const void *context;
};
int graph_components(const struct graph *graph, uint32_t *ret_order, uint32_t *ret_component);

#endif
