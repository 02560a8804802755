/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose container is this cgroup, by its name alone?
 */
#ifndef PD_WORKLOAD_RECOGNISE_H
#define PD_WORKLOAD_RECOGNISE_H

#include <stddef.h>

#include "policyd/workload/container.h"

#define RECOGNISE_ID_MAX 256u

struct recognised {
	enum runtime runtime; /* RUNTIME_NONE: by its name it may be anybody's */
	size_t above; /* of the path above that, when a part of it may be anybody's container; else 0 */
	size_t length; /* of the path of the container's own cgroup, which begins the one asked for */
	char id[RECOGNISE_ID_MAX];
};

/**
 * recognise() - look at the path of a cgroup
 * @path: from "/" on
 *
 * The outermost container counts: one that runs within another is the other's. Returns false when there is
 * none: all of it are systemd's own units. A cgroup that is not, and that no runtime's custom explains, is
 * RUNTIME_NONE: it stands for itself, and its name is the id.
 */
bool recognise(const char *path, struct recognised *ret);

/** recognise_is_long_id() - 64 hexadecimal digits: docker's, podman's and Kubernetes' */
bool recognise_is_long_id(const char *text, size_t length);

#endif
