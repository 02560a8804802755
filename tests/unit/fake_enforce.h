/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel side as memory: for tests of what stands on it. */
#ifndef PD_TESTS_FAKE_ENFORCE_H
#define PD_TESTS_FAKE_ENFORCE_H

#include "policyd/enforce/enforce.h"

#define FAKE_BINDINGS 16
#define FAKE_CGROUPS 4

/* What was done to it, and what it is to do. Shared between processes that fork from here. */
struct fake {
	unsigned int swaps, binds, unbinds, proofs;
	unsigned int sweeps, detaches;
	bool fail_swap;	  /* the next one */
	bool fail_detach; /* before anything has changed ... */
	bool fail_after;  /* ... or when it is over already */
	struct pd_error unswept;
	bool fail_sweep;	 /* each: there is a task of which nothing can be told */
	enum enforce_hold asker; /* of whoever connects from now on */
	uint32_t groups;
	struct {
		uint64_t cgroup;
		uint32_t slot;
	} bindings[FAKE_BINDINGS];
	struct {
		char path[128]; /* "": none */
		int populated;	/* or a negative errno */
		unsigned int kills;
	} cgroups[FAKE_CGROUPS]; /* by index: their id is one more */
	unsigned char image[PD_IMAGE_SIZE];
	bool has_image;
	struct pd_state state;
};

/** fake_new() - zeroed, in memory that children share */
struct fake *fake_new(void);
void fake_free(struct fake *fake);

/** fake_cgroup() - make one with a task in it; returns its index */
unsigned int fake_cgroup(struct fake *fake, const char *path);

/** fake_enforcer() - as enforce_open() would return it; an image that is there is adopted */
struct enforcer *fake_enforcer(struct fake *fake);

#endif
