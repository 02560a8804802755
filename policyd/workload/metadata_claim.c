/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that are not told by the name of their cgroup: by who claims it, and by where their bundle is.
 */
#include <errno.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/workload/metadata_read.h"

/* ---- by cgroup ------------------------------------------------------------------------------- */

/* A container of this id and its folder's name: containerd's are NAMESPACE/ID, wherever in the hierarchy, docker's with
 * --cgroup-parent anything/ID. */
static int try_engines(const struct metadata_places *places, const char *folder, const char *id,
		       struct container *c, struct pd_error *error)
{
	int r;

	container_done(c);
	if (metadata_set(&c->id, id))
		return -ENOMEM;
	c->runtime = RUNTIME_CONTAINERD;
	r = folder && *folder ? containerd_read(places, folder, c, error) : -ENOENT;
	if (r != -ENOENT || !recognise_is_long_id(id, strlen(id)))
		return r;
	container_forget(c);
	c->runtime = RUNTIME_DOCKER;
	return docker_read(places, c, error);
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

int metadata_by_bundle(const struct metadata_places *places, const char *bundle,
		       struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *namespace = task_namespace(bundle);
	enum runtime bare = c->runtime;
	int r = -ENOENT;

	if (is_below(bundle, places->podman)) {
		c->runtime = RUNTIME_PODMAN;
		r = podman_read(places, c, error);
	}
	if (r == -ENOENT && (is_below(bundle, places->podman) || is_below(bundle, places->crio))) {
		container_forget(c);
		c->runtime = RUNTIME_CRIO;
		return crio_read(places, c, error);
	}
	if (namespace && strcmp(namespace, "moby") == 0) {
		c->runtime = RUNTIME_DOCKER;
		return docker_read(places, c, error);
	}
	if (namespace && is_below(bundle, places->containerd)) {
		c->runtime = RUNTIME_CONTAINERD;
		return containerd_read(places, namespace, c, error);
	}
	if (!r)
		return 0;
	c->runtime = bare;
	if (metadata_set(&c->name, c->id))
		return -ENOMEM;
	c->told = METADATA_TOLD(NAME);
	c->host_root = true; /* until its bundle says otherwise */
	return *bundle ? oci_config(bundle, c, error) : 0;
}
