/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files metadata*.c: one reader for each runtime. */
#ifndef PD_WORKLOAD_METADATA_READ_H
#define PD_WORKLOAD_METADATA_READ_H

#include <jansson.h>

#include "policyd/workload/metadata.h"

#define METADATA_FILE_MAX (16u << 20) /* bytes of one file */

/** metadata_load() - a JSON file of root's. -ENOENT; -EACCES: not root's, or no plain file; -EFBIG; -EINVAL */
int metadata_load(const char *path, json_t **ret_json, struct pd_error *error);

/** metadata_pairs() - the string members of an object */
int metadata_pairs(const json_t *object, struct pairs *pairs);

/** metadata_set() - a copy of a string that is no empty one; 0 or -ENOMEM */
int metadata_set(char **place, const char *text);

/** metadata_told() - note that these facts are known; takes FACT_* in one mask */
#define METADATA_TOLD(fact) (1u << FACT_##fact)

/**
 * oci_config() - annotations, and whether the root directory is the host's, from a bundle's config.json
 * @bundle: the folder
 */
int oci_config(const char *bundle, struct container *container, struct pd_error *error);

/* Each fills the container whose id and cgroup are set. As metadata_find(). */
int docker_read(const struct metadata_places *places, struct container *container,
		struct pd_error *error);
int podman_read(const struct metadata_places *places, struct container *container,
		struct pd_error *error);
int crio_read(const struct metadata_places *places, struct container *container,
	      struct pd_error *error);
int containerd_read(const struct metadata_places *places, const char *namespace,
		    struct container *container, struct pd_error *error);

/** containerd_database(), podman_database() - add what their databases tell; where they tell nothing, nothing
 * is told. 0; -ENOMEM; -EAGAIN: it is being written all the time */
int containerd_database(const struct metadata_places *places, struct container *container);
int podman_database(const struct metadata_places *places, struct container *container);

/**
 * oci_claims() - does crun or runc say that this cgroup is a container's?
 * @places: whose states are read
 * @own:    a cgroup that is known to be the container's; NULL: none is
 *
 * Looks for a state whose cgroup is @path or above it, or @own or below it: crun's are children of its scopes. Fills cgroup, id and runtime, and all else. -ENOENT: none.
 */
int oci_claims(const struct metadata_places *places, const char *path, const char *own,
	       struct container *container, struct pd_error *error);

#endif
