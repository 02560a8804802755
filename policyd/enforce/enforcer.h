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
	EXTRA_GUARD_SYSCTL, /* without it the kernel may be unable to attach and detach the others */
	EXTRA_TASK_NEWTASK,
	EXTRA_TASK_ALLOC_GUARD,
	EXTRA_GUARD_SIGIO,
	EXTRA_SOCKET_SCTP,
	EXTRA_CGROUP_EMPTIED,
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
	uint64_t watched;	    /* state->asked_emptied when enforce_watch() was called */
	const unsigned char *image; /* mapped; NULL: none in force */
	size_t image_bytes;	    /* so much of it; all of it when it was adopted */
	struct pd_state *state;	    /* mapped */
	struct prover *prover;
	uint64_t judged; /* hooks whose programs have their judges */
	uint32_t extras_judged;
	bool adopted, tidied;
	bool settling;		 /* all that was replaced is closed */
	struct pd_error unswept; /* what the last sweep left undone, code 0: nothing */
	bool sweep_unfinished;	 /* the last sweep has left somebody for a later one */
};

/* Programs, by their hooks' and extras' numbers. */
struct attachment {
	uint64_t hooks;
	unsigned int extras;
};

/* enforce.c */

/** enforcer_let_go() - close the links: where they are not pinned any more, their programs are gone when it returns */
void enforcer_let_go(struct enforcer *enforcer);

/* hold.c */

/**
 * enforcer_iterate() - have a program look at every task
 * @take: gets what it writes, piece by piece; NULL: it writes nothing
 *
 * A negative errno of @take ends it.
 */
int enforcer_iterate(struct bpf_program *program,
		     int (*take)(void *context, const unsigned char *data, size_t size),
		     void *context, struct pd_error *error);

/* give_back.c */

/** give_back_instructions() - memory of loaded programs that libbpf does not read again */
void give_back_instructions(struct policyd_bpf *skeleton);

/* attach.c */

/**
 * attach_groups() - attach what is missing for these groups, have it proved, and pin it
 *
 * *ret_fresh: what it has attached. On failure all of that is detached again.
 */
int attach_groups(struct enforcer *enforcer, uint32_t groups, struct attachment *ret_fresh,
		  struct pd_error *error);

/** attach_undo() - detach what attach_groups() has attached, when its image did not come into force */
void attach_undo(struct enforcer *enforcer, const struct attachment *fresh);

/** attach_drop() - detach every hook that is in none of these groups */
void attach_drop(struct enforcer *enforcer, uint32_t groups);

/** attach_release() - close what keeps programs attached; pins may still */
void attach_release(struct enforcer *enforcer);

/**
 * attach_adopted() - our programs in place of pinned ones of the daemon before
 *
 * Those stay as they are when ours cannot be attached or proved.
 */
int attach_adopted(struct enforcer *enforcer, struct pd_error *error);

#endif
