/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One compilation under way: what the files compile*.c share. */
#ifndef PD_POLICY_COMPILE_RUN_H
#define PD_POLICY_COMPILE_RUN_H

#include "policyd/policy/automaton.h"
#include "policyd/policy/effective.h"
#include "policyd/policy/image.h"
#include "policyd/policy/numbering.h"

/* Whom to name when an automaton grows too large: the owner of a pattern in the trie. */
struct blame {
	const struct policy *policy;
	struct policy_place place;
	const char *text;
};

struct blames {
	struct blame *items;
	size_t count, room;
};

struct compile_run {
	const struct compile_input *input;
	struct numbering *numbering;
	struct effective_policy *policies; /* those that are not disabled, as given */
	size_t policy_count;
	struct image image;
	struct compile_stats stats;
	struct pd_error *error;
	uint32_t decides[PD_OBJ_COUNT]; /* permissions somebody is refused or watched using */
	uint32_t guards;		/* bit n: guard n is not granted to somebody */
	bool recheck;			/* descriptors are looked at when they are used */
	bool holds;			/* containers are held until they are known */
	struct dfa_budget budget;
	struct effective_defaults *defaults; /* of each slot, from 0 */
	const struct policy *largest;	     /* whose slot took most of the image */
	size_t largest_size;
};

/** blame_add() - the owner number of a pattern; 0 or -ENOMEM */
int blame_add(struct blames *blames, const struct policy *policy, struct policy_place place,
	      const char *text, uint32_t *ret_owner);

/** compile_too_large() - -E2BIG with the pattern of @owner named */
int compile_too_large(const struct compile_run *run, const struct blames *blames, uint32_t owner);

/** compile_failed() - a text for an error that has none yet; returns @code */
int compile_failed(const struct compile_run *run, int code);

/** compile_programs() - the programs of one effective policy into the image
 *
 * Fills @ret_slot but for its flags PD_SLOT_LIVE and PD_SLOT_UNCONFINED.
 */
int compile_programs(struct compile_run *run, uint32_t slot,
		     const struct effective_policy *const *members, size_t count,
		     struct pd_slot *ret_slot);

/** compile_binding() - which slots exist because of match:, and the automata that find them */
int compile_binding(struct compile_run *run);

/** socket_add_rule() - the patterns of a socket rule, in both its roles */
int socket_add_rule(struct nfa *nfa, const struct policy_rule *rule, uint32_t index,
		    uint32_t owner);

#endif
