/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct numbering (compile.h), for the compiler. */
#ifndef PD_POLICY_NUMBERING_H
#define PD_POLICY_NUMBERING_H

#include "policyd/policy/compile.h"

/* Distinct strings in strcmp() order. */
struct name_set {
	char **names;
	size_t count;
};

struct numbering_slot {
	struct name_set policies;
	struct name_set *programs; /* programs[n] is class n + 1: the by-patterns that match it */
	size_t program_count;
};

struct numbering {
	struct numbering_slot *slots; /* slots[n] is slot n + 1 */
	size_t count;
};

/**
 * numbering_slot() - the number of a set of policies, a new one if need be
 * @names: NULL-terminated, any order, repetitions are fine
 *
 * Returns 0, -ENOMEM, or -E2BIG when all COMPILE_SLOTS_MAX are taken.
 */
int numbering_slot(struct numbering *numbering, const char *const *names, uint32_t *ret_slot);

/** numbering_program() - the same for a program class of a slot; -E2BIG: COMPILE_PROGRAMS_MAX */
int numbering_program(struct numbering *numbering, uint32_t slot, const char *const *patterns,
		      uint32_t *ret_program);

#endif
