/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From policies to the image the kernel reads (lsm/abi.h). Pure: no files, no kernel.
 */
#ifndef PD_POLICY_COMPILE_H
#define PD_POLICY_COMPILE_H

#include "policyd/policy/policy.h"

#define COMPILE_SLOTS_MAX 4096u		   /* effective policies, unconfined ones included */
#define COMPILE_PROGRAMS_MAX 64u	   /* program classes of one effective policy */
#define COMPILE_STATES_MAX 400000u	   /* of one automaton before it is minimised */
#define COMPILE_SLOT_STATES_MAX 1500000u   /* of all program classes of a slot, each minimised */
#define COMPILE_WORK_MAX 250000000u	   /* for one automaton: about a second */
#define COMPILE_TOTAL_WORK_MAX 1000000000u /* for all */

/*
 * Numbering that must survive reloads and restarts, because labels carry the numbers: a slot is a
 * set of policy names, a program class of a slot a set of `by:` patterns. A number is never given
 * anew: a task may carry it for as long as the machine runs. Only detaching ends that. Opaque; kept by
 * the daemon as text (numbering_save) in the pinned image.
 */
struct numbering;
struct numbering *numbering_new(void);
void numbering_free(struct numbering *numbering);
/** numbering_copy() - a reload works on a copy, so that a failed one changes nothing; NULL: no memory */
struct numbering *numbering_copy(const struct numbering *numbering);
/** numbering_save() - as JSON text; the caller frees it; NULL: no memory */
char *numbering_save(const struct numbering *numbering);
/** numbering_load() - -EINVAL when the text is not one numbering_save() made */
int numbering_load(const char *text, size_t size, struct numbering **ret_numbering,
		   struct pd_error *error);

struct compile_input {
	struct policy *const *policies; /* distinct names; POLICY_DISABLED ones are left out */
	size_t policy_count;
	/* Policies bound together by name other than through match: (policyctl run, containers):
	 * each is a NULL-terminated array of names that gets a slot of its own. */
	const char *const *const *extra_sets;
	size_t extra_set_count;
	/* What becomes of containers that start before anybody has bound them; counts only when some policy
	 * selects containers by more than their cgroup. */
	enum pd_unknown unknown;
	uint64_t generation;
	bool rescue; /* treat every policy as audit-mode (policyd.enforce=0) */
};

/* What became of it, besides the bytes. */
struct compile_stats {
	size_t rules, slots, states, image_size;
	uint32_t groups; /* bit n: enum pd_hook_group n is needed */
};

struct compiled {
	unsigned char *image; /* PD_IMAGE_SIZE bytes, zero beyond stats.image_size */
	struct compile_stats stats;
};
void compiled_free(struct compiled *compiled);

/**
 * compile() - build the image of all policies
 * @numbering: gets new numbers as needed; known ones are kept. Slots whose policies are gone are
 *             written as PD_SLOT_UNCONFINED.
 *
 * Bounded in time and memory. Returns 0; -E2BIG with the pattern or policy to blame when a limit
 * (states, programs, slots, image size) is passed; -EINVAL for two policies of one name;
 * -ENOMEM. On failure @numbering may have gained numbers and is to be thrown away.
 */
int compile(const struct compile_input *input, struct numbering *numbering,
	    struct compiled **ret_compiled, struct pd_error *error);

/** compile_slot() - the number of the slot for a set of names, 0 when there is none */
uint32_t compile_slot(const struct numbering *numbering, const char *const *names);

#endif
