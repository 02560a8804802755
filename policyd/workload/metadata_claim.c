/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that are not told by the name of their cgroup: by who claims it, and by where their bundle is.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/workload/metadata_read.h"

int engine_read(const struct metadata_places *places, const char *namespace, struct container *c,
		struct pd_error *error)
{
	bool docker = strcmp(namespace, ENGINE_DOCKERS) == 0;

	container_forget(c);
	c->runtime = docker ? RUNTIME_DOCKER : RUNTIME_CONTAINERD;
	return docker ? docker_read(places, c, error) :
			containerd_read(places, namespace, c, error);
}

int engine_any(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	struct pd_error docker = { .code = 0 };
	struct dirent *entry;
	DIR *dir;
	int r = -ENOENT;

	if (!recognise_is_long_id(c->id, strlen(c->id)))
		return -ENOENT;
	dir = opendir(places->containerd);
	while (dir && r == -ENOENT && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = engine_read(places, entry->d_name, c, error);
	if (dir)
		closedir(dir);
	if (r != -ENOENT)
		return r;
	r = engine_read(places, ENGINE_DOCKERS, c, &docker);
	if (r && r != -ENOENT)
		*error = docker;
	return r;
}

/* ---- by cgroup ------------------------------------------------------------------------------- */

/* A container of this id and its folder's name: containerd's are NAMESPACE/ID, wherever in the hierarchy; with
 * --cgroup-parent docker's and nerdctl's are anything/ID. */
static int try_engines(const struct metadata_places *places, const char *folder, const char *id,
		       struct container *c, struct pd_error *error)
{
	int r;

	container_done(c);
	if (metadata_set(&c->id, id))
		return -ENOMEM;
	r = folder && *folder ? engine_read(places, folder, c, error) : -ENOENT;
	return r == -ENOENT ? engine_any(places, c, error) : r;
}

/* From the root on: the outermost counts. */
static int engine_claims(const struct metadata_places *places, const char *path,
			 struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *own = strdup(path);
	char *folder = NULL, *id;
	int r = -ENOENT;

	if (!own)
		return -ENOMEM;
	for (char *end = own; *end == '/' && r == -ENOENT; folder = id) {
		char was;

		id = end + 1;
		end = id + strcspn(id, "/");
		was = *end;
		*end = '\0';
		if (folder)
			id[-1] = '\0';
		r = try_engines(places, folder, id, c, error);
		if (folder)
			id[-1] = '/';
		if (!r && metadata_set(&c->cgroup, own))
			r = -ENOMEM;
		*end = was;
	}
	return r;
}

int metadata_claims(const struct metadata_places *places, const char *path, struct container *c,
		    struct pd_error *error)
{
	struct container other = { 0 };
	int r, engine;

	container_done(c);
	r = oci_claims(places, path, c, error);
	if (r && r != -ENOENT)
		return r;
	engine = engine_claims(places, path, &other, error);
	if (!engine && (r || strlen(other.cgroup) < strlen(c->cgroup))) {
		container_done(c);
		*c = other;
		return 0;
	}
	container_done(&other);
	return engine && engine != -ENOENT ? engine : r;
}

/* ---- by bundle ------------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* .../io.containerd.runtime.v2.task/NAMESPACE/ID, of containerd or of the one that docker starts. NULL: is none */
static char *task_namespace(const char *bundle)
{
	static const char folder[] = "/io.containerd.runtime.v2.task/";
	const char *at = strstr(bundle, folder);

	if (!at)
		return NULL;
	at += sizeof(folder) - 1;
	return strndup(at, strcspn(at, "/"));
}

/* podman and cri-o share a storage, and both write who they are into their containers' annotations. */
static int by_storage(const struct metadata_places *places, const char *bundle, struct container *c,
		      struct pd_error *error)
{
	static const char key[] = "io.container.manager";
	const char *manager;
	int r = -ENOENT;

	if (is_below(bundle, places->podman)) {
		c->runtime = RUNTIME_PODMAN;
		r = podman_read(places, c, error);
		manager = pairs_get(&c->annotations, key);
		if (r != -ENOENT && (!manager || strcmp(manager, "cri-o") != 0))
			return r;
	}
	container_forget(c);
	c->runtime = RUNTIME_CRIO;
	r = crio_read(places, c, error);
	manager = pairs_get(&c->annotations, key);
	return !r && manager && strcmp(manager, "libpod") == 0 ? -ENOENT : r;
}

int metadata_by_bundle(const struct metadata_places *places, const char *bundle,
		       struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *namespace = task_namespace(bundle);

	if (is_below(bundle, places->podman) || is_below(bundle, places->crio))
		return by_storage(places, bundle, c, error);
	if (namespace &&
	    (strcmp(namespace, ENGINE_DOCKERS) == 0 || is_below(bundle, places->containerd)))
		return engine_read(places, namespace, c, error);
	if (metadata_set(&c->name, c->id))
		return -ENOMEM;
	c->told = METADATA_TOLD(NAME);
	c->host_root = true; /* until its bundle says otherwise */
	return *bundle ? oci_config(bundle, c, error) : 0;
}
