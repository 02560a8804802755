/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel side as memory: for tests of what stands on it. */
#ifndef PD_TESTS_FAKE_ENFORCE_H
#define PD_TESTS_FAKE_ENFORCE_H

#include "policyd/enforce/enforce.h"

#define FAKE_BINDINGS 16

/* What was done to it, and what it is to do. Shared between processes that fork from here. */
struct fake {
	unsigned int swaps, binds, unbinds, proofs;
	bool fail_swap;		 /* the next one */
	enum enforce_hold asker; /* of whoever connects from now on */
	uint32_t groups;
	struct {
		uint64_t cgroup;
		uint32_t slot;
	} bindings[FAKE_BINDINGS];
	unsigned char image[PD_IMAGE_SIZE];
	bool has_image;
	struct pd_state state;
};

/** fake_new() - zeroed, in memory that children share */
struct fake *fake_new(void);
void fake_free(struct fake *fake);

/** fake_enforcer() - as enforce_open() would return it; an image that is there is adopted */
struct enforcer *fake_enforcer(struct fake *fake);

#endif
