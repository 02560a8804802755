/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files metadata*.c: one reader for each runtime. */
#ifndef PD_WORKLOAD_METADATA_READ_H
#define PD_WORKLOAD_METADATA_READ_H

#include <jansson.h>

#include "policyd/workload/metadata.h"

#define METADATA_FILE_MAX (4u << 20)  /* bytes of one container's */
#define METADATA_LIST_MAX (16u << 20) /* of all containers' */

/**
 * metadata_load() - a JSON file of root's
 * @limit: in bytes
 *
 * -ENOENT; -EACCES: not root's, or no plain file; -EFBIG; -EINVAL
 */
int metadata_load(const char *path, size_t limit, json_t **ret_json, struct pd_error *error);

/** metadata_pairs() - an object's members, if there is one; -EINVAL: not all are strings; -ENOMEM, -E2BIG */
int metadata_pairs(const json_t *object, struct pairs *pairs);

/** metadata_text() - metadata_set() from JSON. 1: there is one; 0; -EINVAL: it is no string; -ENOMEM */
int metadata_text(char **place, const json_t *value);

/** metadata_strange() - the text of an error where labels, annotations and names stand */
const char *metadata_strange(int code);

/** metadata_set() - a copy of a string that is no empty one; 0 or -ENOMEM */
int metadata_set(char **place, const char *text);

/** metadata_told() - note that these facts are known; takes FACT_* in one mask */
#define METADATA_TOLD(fact) (1u << FACT_##fact)

/** metadata_is_host_root() - is this folder the host's root directory, also as a mount? So is what cannot be told. */
bool metadata_is_host_root(const char *path);

/**
 * oci_config() - annotations, and whether the root directory is the host's, from a bundle's config.json
 * @bundle: the folder
 */
int oci_config(const char *bundle, struct container *container, struct pd_error *error);

/*
 * Each fills the container whose id and cgroup are set. As metadata_find(): only what its runtime did not write is
 * "not told". A file that cannot be read, or a member that is something else, is an error: the container waits.
 */
int docker_read(const struct metadata_places *places, struct container *container,
		struct pd_error *error);
int podman_read(const struct metadata_places *places, struct container *container,
		struct pd_error *error);
int crio_read(const struct metadata_places *places, struct container *container,
	      struct pd_error *error);
/** lxc_read() - may also give it the name that it is not told by its cgroup. -EEXIST: which of two it is cannot be told */
int lxc_read(const struct metadata_places *places, struct container *container,
	     struct pd_error *error);
int containerd_read(const struct metadata_places *places, const char *namespace,
		    struct container *container, struct pd_error *error);

/**
 * containerd_database(), podman_database() - add what their databases tell
 *
 * Without a database, and of one whose version is not known or not told, nothing is told, and that is no error. Any other
 * failure is: a container must not lose its labels by having too many. -ENOENT: it is not in there yet.
 */
int containerd_database(const struct metadata_places *places, struct container *container,
			struct pd_error *error);
int podman_database(const struct metadata_places *places, struct container *container,
		    struct pd_error *error);

#define ENGINE_DOCKERS "moby" /* the namespace, where containerd is docker's */

/** engine_read() - containerd_read(), or docker_read() in docker's namespace. @container: forgotten before */
int engine_read(const struct metadata_places *places, const char *namespace,
		struct container *container, struct pd_error *error);

/** engine_any() - the same in whichever namespace it is. -ENOENT: in none, or the id is not one that engines make */
int engine_any(const struct metadata_places *places, struct container *container,
	       struct pd_error *error);

/**
 * oci_state() - what crun or runc keep of the container whose id and cgroup are set
 *
 * Only a state counts whose cgroup is the container's, or below: crun's are children of its scopes. -ENOENT: none.
 */
int oci_state(const struct metadata_places *places, struct container *container,
	      struct pd_error *error);

/**
 * oci_claims() - does crun or runc say that this cgroup, or one above it, is a container's?
 *
 * Of several the outermost. Fills all of the container but cgroup_id. -ENOENT: none. -EEXIST: two of them say it of
 * the same cgroup.
 */
int oci_claims(const struct metadata_places *places, const char *path, struct container *container,
	       struct pd_error *error);

/** metadata_claims() - the same of all runtimes whose cgroups can have any name */
int metadata_claims(const struct metadata_places *places, const char *path,
		    struct container *container, struct pd_error *error);

/**
 * metadata_by_bundle() - a container of which crun or runc are told no more than an id and a bundle
 *
 * By where the bundle is an engine's: then runtime becomes that, and it is read as that engine's.
 */
int metadata_by_bundle(const struct metadata_places *places, const char *bundle,
		       struct container *container, struct pd_error *error);

#endif
