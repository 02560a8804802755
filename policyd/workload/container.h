/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container as its runtime describes it.
 */
#ifndef PD_WORKLOAD_CONTAINER_H
#define PD_WORKLOAD_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum runtime {
	RUNTIME_NONE, /* nobody claims it yet */
	RUNTIME_DOCKER,
	RUNTIME_PODMAN,
	RUNTIME_CONTAINERD,
	RUNTIME_CRIO,
	RUNTIME_CRUN,
	RUNTIME_RUNC,
	RUNTIME_NSPAWN,
	RUNTIME_LXC,
	RUNTIME_COUNT,
};

/* What a selector may ask for. */
enum fact {
	FACT_NAME,
	FACT_IMAGE,
	FACT_POD,
	FACT_NAMESPACE,
	FACT_LABELS,
	FACT_ANNOTATIONS,
	FACT_COUNT,
};

struct pair {
	char *key, *value;
};

struct pairs {
	struct pair *items;
	size_t count;
};

/* Strings are the container's; NULL: it has none, or it is not known, as `told` says. One that is there but not told is
 * perhaps it: it matches, but that it does not says nothing. */
struct container {
	char *cgroup;	    /* where it begins, from "/" on, below the cgroup mount */
	uint64_t cgroup_id; /* of that; 0: not asked for yet */
	enum runtime runtime;
	char *id;
	char *name;
	char *image; /* as the runtime writes it */
	char *pod;
	char *namespace;
	struct pairs labels, annotations;
	unsigned int told; /* bit n: enum fact n is known, be it that there is none */
	bool host_root;	   /* its root directory is the host's */
};

/** runtime_name() - as in `runtime:`, and in events; "" for RUNTIME_NONE */
const char *runtime_name(enum runtime runtime);

/** fact_name() - the key of match: that asks for it */
const char *fact_name(enum fact fact);

/** container_done() - frees what it holds, and zeroes it */
void container_done(struct container *container);

/** container_forget() - all that its runtime has told; where it is stays */
void container_forget(struct container *container);

/** pairs_add() - copies; a key that is there gets the new value. 0, -ENOMEM, -E2BIG beyond PAIRS_MAX */
#define PAIRS_MAX 512u
int pairs_add(struct pairs *pairs, const char *key, const char *value);

/** pairs_get() - NULL: there is none */
const char *pairs_get(const struct pairs *pairs, const char *key);

void pairs_done(struct pairs *pairs);

#endif
