/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all of them have: the bundle's config.json. And those of whom nothing but that and a state is known:
 * crun, runc, and containerd's tasks.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

#define STATES_MAX 4096u /* of one runtime that are looked through */

/* A bind mount of the host's root, or the root itself */
static bool is_host_root(const char *bundle, const char *path)
{
	CLEANUP_FREE char *full = path[0] == '/' ? strdup(path) :
						   string_format("%s/%s", bundle, path);
	struct stat root, st;

	return full && !stat("/", &root) && !stat(full, &st) && st.st_dev == root.st_dev &&
	       st.st_ino == root.st_ino;
}

int oci_config(const char *bundle, struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *path = string_format("%s/config.json", bundle);
	const char *root = NULL;
	json_t *config = NULL;
	int r = path ? metadata_load(path, &config, error) : -ENOMEM;

	if (r)
		return r;
	if (!json_is_object(config))
		r = error_at(error, -EINVAL, path, 0, 0, "no configuration of a container");
	if (!r)
		r = metadata_pairs(json_object_get(config, "annotations"), &c->annotations);
	if (!r && json_get_string(json_object_get(config, "root"), "path", &root))
		c->host_root = is_host_root(bundle, root);
	c->told |= METADATA_TOLD(ANNOTATIONS);
	json_decref(config);
	return r;
}

/* The Kubernetes of containerd's CRI plugin; a sandbox has no container-name. */
static int take_kubernetes(struct container *c)
{
	const struct pairs *a = &c->annotations;
	const char *type = pairs_get(a, "io.kubernetes.cri.container-type");
	int r;

	if (!type)
		return 0;
	r = metadata_set(&c->name, strcmp(type, "sandbox") == 0 ?
					   "POD" :
					   pairs_get(a, "io.kubernetes.cri.container-name"));
	if (!r)
		r = metadata_set(&c->image, pairs_get(a, "io.kubernetes.cri.image-name"));
	if (!r)
		r = metadata_set(&c->pod, pairs_get(a, "io.kubernetes.cri.sandbox-name"));
	if (!r)
		r = metadata_set(&c->namespace,
				 pairs_get(a, "io.kubernetes.cri.sandbox-namespace"));
	c->told |= METADATA_TOLD(IMAGE) | METADATA_TOLD(POD);
	return r;
}

int containerd_read(const struct metadata_places *places, const char *namespace,
		    struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *bundle = string_format("%s/%s/%s", places->containerd, namespace, c->id);
	int r = bundle ? oci_config(bundle, c, error) : -ENOMEM;

	if (!r)
		r = metadata_set(&c->name, c->id);
	if (!r)
		r = metadata_set(&c->namespace, namespace);
	c->told |= METADATA_TOLD(NAME) | METADATA_TOLD(NAMESPACE);
	if (!r)
		r = take_kubernetes(c);
	return r ? r : containerd_database(places, c);
}

/* ---- states ---------------------------------------------------------------------------------- */

/* States name a cgroup with or without the mount point. */
static const char *from_root(const char *cgroup)
{
	return strncmp(cgroup, CGROUP_ROOT "/", sizeof(CGROUP_ROOT)) == 0 ?
		       cgroup + strlen(CGROUP_ROOT) :
		       cgroup;
}

/* Is `path` that cgroup or below it? */
static bool is_within(const char *path, const char *cgroup)
{
	size_t length = strlen(cgroup);

	return cgroup[0] == '/' && length > 1 && strncmp(path, cgroup, length) == 0 &&
	       (!path[length] || path[length] == '/');
}

/* crun's status: "cgroup-path", and "bundle" */
static const char *crun_state(const json_t *state, const char **ret_bundle)
{
	const char *cgroup = NULL;

	json_get_string(state, "bundle", ret_bundle);
	json_get_string(state, "cgroup-path", &cgroup);
	return cgroup;
}

/* runc's state.json: "cgroup_paths" with one path under the empty name on cgroup v2, and among the labels
 * of "config" one that begins with "bundle=" */
static const char *runc_state(const json_t *state, const char **ret_bundle)
{
	const char *cgroup = NULL, *text;
	json_t *label;
	size_t i;

	json_get_string(json_object_get(state, "cgroup_paths"), "", &cgroup);
	json_array_foreach(json_object_get(json_object_get(state, "config"), "labels"), i, label) {
		text = json_string_value(label);
		if (text && strncmp(text, "bundle=", 7) == 0)
			*ret_bundle = text + 7;
	}
	return cgroup;
}

struct kind {
	enum runtime runtime;
	const char *folder, *file;
	const char *(*read)(const json_t *state, const char **ret_bundle);
};

static int try_state(const struct kind *kind, const char *id, const char *path, const char *own,
		     struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *file = string_format("%s/%s/%s", kind->folder, id, kind->file);
	const char *cgroup, *bundle = NULL;
	struct pd_error ignored;
	json_t *state = NULL;
	int r;

	if (!file)
		return -ENOMEM;
	if (metadata_load(file, &state, &ignored)) /* it may be another's, half written */
		return -ENOENT;
	cgroup = kind->read(state, &bundle);
	cgroup = cgroup ? from_root(cgroup) : "";
	if (!is_within(path, cgroup) && !(own && is_within(cgroup, own))) {
		json_decref(state);
		return -ENOENT;
	}
	container_done(c);
	c->runtime = kind->runtime;
	r = metadata_set(&c->cgroup, cgroup);
	if (!r)
		r = metadata_set(&c->id, id);
	if (!r)
		r = metadata_set(&c->name, id);
	c->told = METADATA_TOLD(NAME);
	if (!r && bundle)
		r = oci_config(bundle, c, error);
	json_decref(state);
	return r;
}

static int search(const struct kind *kind, const char *path, const char *own, struct container *c,
		  struct pd_error *error)
{
	DIR *dir = opendir(kind->folder);
	struct dirent *entry;
	unsigned int seen = 0;
	int r = -ENOENT;

	while (dir && r == -ENOENT && (entry = readdir(dir)) && seen++ < STATES_MAX)
		if (entry->d_name[0] != '.')
			r = try_state(kind, entry->d_name, path, own, c, error);
	if (dir)
		closedir(dir);
	return r;
}

int oci_claims(const struct metadata_places *places, const char *path, const char *own,
	       struct container *c, struct pd_error *error)
{
	const struct kind kinds[] = {
		{ RUNTIME_CRUN, places->crun, "status", crun_state },
		{ RUNTIME_RUNC, places->runc, "state.json", runc_state },
	};
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && r == -ENOENT; i++)
		r = search(&kinds[i], path, own, c, error);
	return r;
}

int metadata_from_hook(const struct metadata_places *places, const char *id, const char *bundle,
		       struct container *ret, struct pd_error *error)
{
	CLEANUP_FREE char *crun = string_format("%s/%s", places->crun, id);

	if (!crun || metadata_set(&ret->id, id) || metadata_set(&ret->name, id))
		return error_set(error, -ENOMEM, "out of memory");
	/* Of the two crun makes this folder first of all. */
	ret->runtime = access(crun, F_OK) ? RUNTIME_RUNC : RUNTIME_CRUN;
	ret->told = METADATA_TOLD(NAME);
	return oci_config(bundle, ret, error);
}
