/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

const struct metadata_places metadata_default_places = {
	.docker = "/var/lib/docker",
	.podman = "/var/lib/containers/storage",
	.crio = "/run/containers/storage",
	.containerd = "/run/containerd/io.containerd.runtime.v2.task",
	.containerd_meta = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
	.crun = "/run/crun",
	.runc = "/run/runc",
	.lxc = "/var/lib/lxc",
};

int metadata_places_copy(struct metadata_places *to, const struct metadata_places *from)
{
	*to = (struct metadata_places){
		.docker = strdup(from->docker),
		.podman = strdup(from->podman),
		.crio = strdup(from->crio),
		.containerd = strdup(from->containerd),
		.containerd_meta = strdup(from->containerd_meta),
		.crun = strdup(from->crun),
		.runc = strdup(from->runc),
		.lxc = strdup(from->lxc),
	};
	return to->docker && to->podman && to->crio && to->containerd && to->containerd_meta &&
			       to->crun && to->runc && to->lxc ?
		       0 :
		       -ENOMEM;
}

void metadata_places_done(struct metadata_places *places)
{
	free(places->docker);
	free(places->podman);
	free(places->crio);
	free(places->containerd);
	free(places->containerd_meta);
	free(places->crun);
	free(places->runc);
	free(places->lxc);
}

/* ---- reading --------------------------------------------------------------------------------- */

int metadata_load(const char *path, size_t limit, json_t **ret_json, struct pd_error *error)
{
	CLEANUP_FD int fd = file_open_roots(path);
	CLEANUP_FREE char *text = NULL;
	struct pd_error why;
	size_t size;
	int r = fd < 0 ? fd : 0;

	if (!r)
		r = fd_read_all(fd, limit, &text, &size);
	if (r == -EACCES)
		return error_at(error, -EACCES, path, 0, 0,
				"not a plain file that only root may write; not read");
	if (r)
		return error_at(error, r, path, 0, 0, "%s", strerror(-r));
	r = json_read_foreign(text, size, ret_json, &why);
	return r ? error_at(error, r, path, 0, 0, "%s", why.text) : 0;
}

int metadata_set(char **place, const char *text)
{
	free(*place);
	*place = NULL;
	if (!text || !*text)
		return 0;
	*place = strdup(text);
	return *place ? 0 : -ENOMEM;
}

int metadata_pairs(const json_t *object, struct pairs *pairs)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (object && !json_is_object(object) && !json_is_null(object))
		return -EINVAL;
	json_object_foreach((json_t *)object, key, value) {
		const char *text;

		r = json_take_string(value, &text);
		r = r == 1 ? pairs_add(pairs, key, text) : r;
		if (r)
			break;
	}
	return r;
}

int metadata_text(char **place, const json_t *value)
{
	const char *text;
	int r = json_take_string(value, &text);

	return r == 1 && metadata_set(place, text) ? -ENOMEM : r;
}

const char *metadata_strange(int code)
{
	return code == -E2BIG ? "more labels or annotations than policyd takes" :
				"what should be text is none";
}

/* ---- whose ----------------------------------------------------------------------------------- */

/* By its cgroup Kubernetes', which may be over docker; and docker runs its plugins as containerd's. */
static int engines_find(const struct metadata_places *places, const char *first,
			struct container *c, struct pd_error *error)
{
	int r = engine_read(places, first, c, error);

	return r == -ENOENT ? engine_any(places, c, error) : r;
}

static int read_by_runtime(const struct metadata_places *places, struct container *c,
			   struct pd_error *error)
{
	switch (c->runtime) {
	case RUNTIME_DOCKER:
		return engines_find(places, ENGINE_DOCKERS, c, error);
	case RUNTIME_PODMAN:
		return podman_read(places, c, error);
	case RUNTIME_CRIO:
		return crio_read(places, c, error);
	case RUNTIME_CONTAINERD:
		return engines_find(places, "k8s.io", c, error);
	case RUNTIME_NSPAWN:
	case RUNTIME_LXC:
		c->told = METADATA_TOLD(NAME);
		/* nspawn refuses / as a directory, but not what is mounted from there. What it executes in its
		 * payload has changed the root directory before, so this harms no other. */
		c->host_root = true;
		if (metadata_set(&c->name, c->id))
			return -ENOMEM;
		return c->runtime == RUNTIME_LXC ? lxc_read(places, c, error) : 0;
	default:
		return oci_state(places, c, error);
	}
}

/* A name below what somebody claims is that one's own choice: the outermost counts. */
static int claims_above(const struct metadata_places *places, const struct recognised *known,
			struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *above = strndup(c->cgroup, known->above);
	struct container other = { 0 };
	int r = above ? metadata_claims(places, above, &other, error) : -ENOMEM;

	if (r) {
		container_done(&other);
		return r;
	}
	container_done(c);
	*c = other;
	return 0;
}

static int find(const struct metadata_places *places, const char *path,
		const struct recognised *known, struct container *c, struct pd_error *error)
{
	int r = -ENOENT;

	if (known->runtime == RUNTIME_NONE)
		return metadata_claims(places, path, c, error);
	if (known->above)
		r = claims_above(places, known, c, error);
	return r == -ENOENT ? read_by_runtime(places, c, error) : r;
}

int metadata_find(const struct metadata_places *places, const char *path, struct container *ret,
		  struct pd_error *error)
{
	uint64_t id = ret->cgroup_id;
	struct recognised known;
	int r;

	container_done(ret);
	ret->cgroup_id = id;
	if (!recognise(path, &known))
		return error_set(error, -ENODATA, "%s: no container's cgroup", path);
	ret->runtime = known.runtime;
	ret->cgroup = strndup(path, known.length);
	ret->id = strdup(known.id);
	r = ret->cgroup && ret->id ? find(places, path, &known, ret, error) : -ENOMEM;
	ret->cgroup_id = id;
	if (r && error->code != r)
		error_set(error, r, "%s", strerror(-r));
	if (r == -ENOMEM)
		error_set(error, r, "out of memory");
	else if (r == -ENOENT && known.runtime == RUNTIME_NONE)
		error_set(error, r, "no runtime claims it");
	if (!r)
		return 0;
	/* Where it is, is known all the same. */
	container_forget(ret);
	ret->runtime = known.runtime;
	free(ret->cgroup);
	ret->cgroup = strndup(path, known.length);
	metadata_set(&ret->id, known.id);
	return ret->cgroup && ret->id ? r : error_set(error, -ENOMEM, "out of memory");
}
