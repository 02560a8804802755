/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policies are for a container: their match: entries against what its runtime tells.
 */
#ifndef PD_WORKLOAD_SELECT_H
#define PD_WORKLOAD_SELECT_H

#include "policyd/policy/policy.h"
#include "policyd/workload/container.h"

/* The entries of one policy that may be for containers: those without exe: */
struct selector {
	char *policy;
	char *file; /* where the policy stands */
	bool enforce;
	struct policy_match *matches;
	size_t count;
};

struct selectors {
	struct selector *items; /* by policy, as they were added */
	size_t count;
	bool any; /* one of them asks for more than the cgroup */
	bool any_enforced;
};

/** selectors_add() - copies of a policy's entries; none, if there is none for containers. 0 or -ENOMEM */
int selectors_add(struct selectors *selectors, const struct policy *policy);
void selectors_done(struct selectors *selectors);

/* An entry that would be for a container, but for what its runtime does not tell. */
struct unanswered {
	const struct selector *selector;
	struct policy_place place;
	enum fact fact;
};

/**
 * select_policies() - names of the policies for a container, in the order of their selectors
 * @ret_names:  NULL-terminated; the caller frees the array, the names are the selectors'
 * @unanswered: called for each entry whose other keys match; may be NULL
 *
 * Returns 0 or -ENOMEM.
 */
int select_policies(const struct selectors *selectors, const struct container *container,
		    const char ***ret_names,
		    void (*unanswered)(void *context, const struct unanswered *what),
		    void *context);

/**
 * select_image() - does a pattern match an image?
 *
 * The image counts with and without its registry, tag and digest: docker.io/library/nginx:1.25@sha256:... is also
 * docker.io/library/nginx, library/nginx, nginx:1.25 and so on. One without a registry is docker.io's (as is
 * index.docker.io), one without a tag and digest has the tag latest. 1, 0 or a negative errno.
 */
int select_image(const char *pattern, const char *image);

#endif
