/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges: the BPF programs of lsm/judge.bpf.c, mounts.bpf.c and control.bpf.c, each of which takes the place of a function that hooks'
 * programs call. A kernel verifies and compiles that code once, and not once for every hook.
 *
 * A hook's program whose judge is missing refuses everything, so judges are put in before it is attached
 * and taken out after it is gone.
 */
#ifndef PD_ENFORCE_JUDGES_H
#define PD_ENFORCE_JUDGES_H

#include <stddef.h>

#include "policyd/base/error.h"
#include "policyd/enforce/pins.h"

struct bpf_program;
struct policyd_bpf;

#define JUDGES_MAX 8

struct judge {
	const char *function; /* which it takes the place of */
	unsigned int type;    /* its BTF type in the skeleton's object */
	int program;	      /* the skeleton's descriptor */
};

struct judges {
	struct policyd_bpf *skeleton;
	struct judge all[JUDGES_MAX];
	size_t count;
	char prefix[16]; /* of the names of the pins: tells those of one policyd from those of the next */
	int *links; /* descriptors of what is not pinned */
	size_t link_count;
};

/**
 * judges_announce() - have the skeleton's judges loaded as such; before it is opened
 * @judges: set judges->skeleton once it is open, before it is loaded
 *
 * Returns 0 or a negative errno.
 */
int judges_announce(struct judges *judges);

/** judges_find() - after the skeleton was loaded, or was not: ends what judges_announce() began */
void judges_find(struct judges *judges);

/**
 * judges_link() - put the judges into a program that is loaded and not attached
 * @name: of the program, for its pins
 *
 * Returns 0; -ENOMEM; what the kernel says.
 */
int judges_link(struct judges *judges, const struct pins *pins, struct bpf_program *program,
		const char *name, struct pd_error *error);

/** judges_release() - let go of those that are not pinned */
void judges_release(struct judges *judges);

#endif
