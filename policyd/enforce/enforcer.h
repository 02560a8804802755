/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of struct enforcer, for the files of this folder. */
#ifndef PD_ENFORCE_ENFORCER_H
#define PD_ENFORCE_ENFORCER_H

#include "policyd/enforce/enforce.h"
#include "policyd/enforce/hooks.h"
#include "policyd/enforce/judges.h"
#include "policyd/enforce/pins.h"

struct bpf_link;
struct policyd_bpf;

/* Programs that no canary can prove: attached with PD_GROUP_CORE. */
enum extra_program {
	EXTRA_TASK_NEWTASK,
	EXTRA_TASK_ALLOC_GUARD,
	EXTRA_GUARD_SYSCTL,
	EXTRA_GUARD_SIGIO,
	EXTRA_SOCKET_SCTP,
	EXTRA_COUNT,
};

struct enforcer {
	struct policyd_bpf *skeleton;
	struct pins pins;
	struct judges judges;
	struct pins_held replaced; /* of the daemon before; their judges go when they have gone */
	struct hook hooks[PD_HOOK_COUNT];
	struct bpf_link *links[PD_HOOK_COUNT];
	struct bpf_link *extras[EXTRA_COUNT];
	const unsigned char *image; /* mapped; NULL: none in force */
	size_t image_bytes;	    /* so much of it; all of it when it was adopted */
	struct pd_state *state;	    /* mapped */
	struct prover *prover;
	uint64_t unproved; /* hooks taken over: our programs are attached to them, and not proved yet */
	uint64_t judged; /* hooks whose programs have their judges */
	uint32_t extras_judged;
	bool adopted;
};

/* give_back.c */

/** give_back_instructions() - memory of loaded programs that libbpf does not read again */
void give_back_instructions(struct policyd_bpf *skeleton);

/* attach.c */

/**
 * attach_groups() - attach what is missing for these groups, and have that and what was taken over proved
 *
 * *ret_fresh: hooks it has attached, by number. On failure whatever this call attached is detached again.
 */
int attach_groups(struct enforcer *enforcer, uint32_t groups, uint64_t *ret_fresh,
		  struct pd_error *error);

/** attach_undo() - detach what attach_groups() has attached, when its image did not come into force */
void attach_undo(struct enforcer *enforcer, uint64_t fresh);

/** attach_drop() - detach every hook that is in none of these groups */
void attach_drop(struct enforcer *enforcer, uint32_t groups);

/** attach_adopted() - our programs in place of pinned ones of the daemon before */
int attach_adopted(struct enforcer *enforcer, struct pd_error *error);

#endif
