/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runtimes tell of their containers in plain files. Which runtime tells what:
 *
 *               container image pod namespace label annotation  from
 *   docker          x       i    k      k       x       -       /var/lib/docker/containers/ID/config.v2.json
 *   podman          x       x    d      -       d       x       storage's containers.json and userdata/config.json
 *   containerd      x       b    x      x       b       x       the bundle's config.json
 *   cri-o           x       x    x      x       x       x       userdata/config.json
 *   crun, runc      x       -    -      -       -       x       their state and the bundle's config.json
 *   nspawn, lxc     x       -    -      -       -       -       the cgroup's name; lxc: its config, for the root
 *
 * i: but not when it was started by the image's number; k: of cri-dockerd's, by the container's name; b: from
 * containerd's database, d: from podman's, when their versions are known to us. "-": there is none to be told, or it
 * cannot be told: a selector that asks for it matches nothing.
 */
#ifndef PD_WORKLOAD_METADATA_H
#define PD_WORKLOAD_METADATA_H

#include "policyd/base/error.h"
#include "policyd/workload/container.h"
#include "policyd/workload/recognise.h"

/* Where the runtimes keep what. */
struct metadata_places {
	char *docker;	       /* /var/lib/docker */
	char *podman;	       /* /var/lib/containers/storage */
	char *crio;	       /* /run/containers/storage */
	char *containerd;      /* /run/containerd/io.containerd.runtime.v2.task */
	char *containerd_meta; /* /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db */
	char *crun, *runc;     /* /run/crun, /run/runc */
	char *lxc;	       /* /var/lib/lxc */
};
extern const struct metadata_places metadata_default_places;

/** metadata_places_copy() - 0 or -ENOMEM; metadata_places_done() frees the copy, also a failed one */
int metadata_places_copy(struct metadata_places *to, const struct metadata_places *from);
void metadata_places_done(struct metadata_places *places);

/**
 * metadata_find() - the container of a cgroup, with all that its runtime tells
 * @path: of a task's cgroup, from "/" on
 *
 * Fills @ret but for cgroup_id, which is left alone. Returns 0; -ENOENT when nobody claims it, or its runtime
 * has not written yet what it will; -ENODATA when the path is none of a container; any other error, with
 * its place, when what is there makes no sense. Bounded in time and memory; symbolic links, FIFOs and
 * files of others than root are refused.
 */
int metadata_find(const struct metadata_places *places, const char *path, struct container *ret,
		  struct pd_error *error);

/** metadata_forget_caches() - frees what metadata_find() keeps to answer again sooner */
void metadata_forget_caches(void);

/**
 * metadata_from_hook() - the same of a container that is being made by crun or runc, which write their state later
 * @ret: cgroup and cgroup_id stay as they are
 */
int metadata_from_hook(const struct metadata_places *places, const char *id, const char *bundle,
		       struct container *ret, struct pd_error *error);

#endif
