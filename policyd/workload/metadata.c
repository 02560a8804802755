/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/metadata.h"

#include <dirent.h>
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
	};
	return to->docker && to->podman && to->crio && to->containerd && to->containerd_meta &&
			       to->crun && to->runc ?
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
}

/* ---- reading --------------------------------------------------------------------------------- */

int metadata_load(const char *path, json_t **ret_json, struct pd_error *error)
{
	CLEANUP_FD int fd = file_open_roots(path);
	CLEANUP_FREE char *text = NULL;
	struct pd_error why;
	size_t size;
	int r = fd < 0 ? fd : 0;

	if (!r)
		r = fd_read_all(fd, METADATA_FILE_MAX, &text, &size);
	if (r == -EACCES)
		return error_at(error, -EACCES, path, 0, 0,
				"not a plain file that only root may write; not read");
	if (r)
		return error_at(error, r, path, 0, 0, "%s", strerror(-r));
	r = json_read(text, size, ret_json, &why);
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

	json_object_foreach((json_t *)object, key, value) {
		if (!json_is_string(value))
			continue;
		r = pairs_add(pairs, key, json_string_value(value));
		if (r)
			break;
	}
	return r;
}

/* ---- whose ----------------------------------------------------------------------------------- */

/* In whichever namespace it is: Kubernetes' is k8s.io */
static int containerd_find(const struct metadata_places *places, struct container *c,
			   struct pd_error *error)
{
	DIR *dir;
	struct dirent *entry;
	int r = containerd_read(places, "k8s.io", c, error);

	if (r != -ENOENT)
		return r;
	dir = opendir(places->containerd);
	while (dir && r == -ENOENT && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = containerd_read(places, entry->d_name, c, error);
	if (dir)
		closedir(dir);
	return r;
}

/* Its state names the cgroup, or one below: crun puts the container into a child of its scope. */
static int state_read(const struct metadata_places *places, const char *path, struct container *c,
		      struct pd_error *error)
{
	CLEANUP_FREE char *own = strdup(c->cgroup);
	int r = own ? oci_claims(places, path, own, c, error) : -ENOMEM;

	return r ? r : metadata_set(&c->cgroup, own);
}

static int read_by_runtime(const struct metadata_places *places, const char *path,
			   struct container *c, struct pd_error *error)
{
	switch (c->runtime) {
	case RUNTIME_DOCKER:
		return docker_read(places, c, error);
	case RUNTIME_PODMAN:
		return podman_read(places, c, error);
	case RUNTIME_CRIO:
		return crio_read(places, c, error);
	case RUNTIME_CONTAINERD:
		return containerd_find(places, c, error);
	case RUNTIME_NSPAWN:
	case RUNTIME_LXC:
		c->told = METADATA_TOLD(NAME);
		return metadata_set(&c->name, c->id);
	default:
		return state_read(places, path, c, error);
	}
}

/* ctr's cgroups are /NAMESPACE/ID, wherever in the hierarchy; cri-containerd's with another driver are, too. */
static int containerd_claims(const struct metadata_places *places, const char *path,
			     struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *own = strdup(path);
	int r = -ENOENT;

	if (!own)
		return -ENOMEM;
	for (char *end = own + strlen(own); end && r == -ENOENT; end = strrchr(own, '/')) {
		char *id, *namespace;

		*end = '\0';
		id = strrchr(own, '/');
		if (!id || id == own)
			return -ENOENT;
		*id = '\0';
		namespace = strrchr(own, '/');
		if (namespace) {
			container_done(c);
			if (metadata_set(&c->id, id + 1))
				return -ENOMEM;
			c->runtime = RUNTIME_CONTAINERD;
			r = containerd_read(places, namespace + 1, c, error);
		}
		*id = '/';
		if (!r && metadata_set(&c->cgroup, own))
			r = -ENOMEM;
	}
	return r;
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
	r = ret->cgroup && ret->id ? 0 : -ENOMEM;
	if (!r && known.runtime != RUNTIME_NONE)
		r = read_by_runtime(places, path, ret, error);
	else if (!r) {
		r = oci_claims(places, path, NULL, ret, error);
		if (r == -ENOENT)
			r = containerd_claims(places, path, ret, error);
		if (r == -ENOENT)
			error_set(error, r, "no runtime claims it");
	}
	ret->cgroup_id = id;
	if (r == -ENOMEM)
		error_set(error, r, "out of memory");
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
