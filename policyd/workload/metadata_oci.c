/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all of them have: the bundle's config.json. And those of whom nothing but that and a state is known:
 * crun, runc, and containerd's tasks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

#define STATES_MAX 4096u /* of one runtime that are looked through */

/* Whoever has mounted a FUSE there is not asked, and could let us wait for ever: nor are symbolic links followed. */
static int look_at(const char *path, struct statx *ret)
{
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		     STATX_TYPE | STATX_INO, ret);
}

bool metadata_is_host_root(const char *path)
{
	struct statx root, st;

	return look_at("/", &root) || look_at(path, &st) || S_ISLNK(st.stx_mode) ||
	       (st.stx_dev_major == root.stx_dev_major && st.stx_dev_minor == root.stx_dev_minor &&
		st.stx_ino == root.stx_ino);
}

static bool is_host_root(const char *bundle, const char *path)
{
	CLEANUP_FREE char *full = path[0] == '/' ? strdup(path) :
						   string_format("%s/%s", bundle, path);

	return !full || metadata_is_host_root(full);
}

int oci_config(const char *bundle, struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *path = string_format("%s/config.json", bundle);
	const char *root = NULL;
	json_t *config = NULL;
	int r = path ? metadata_load(path, METADATA_FILE_MAX, &config, error) : -ENOMEM;

	if (r)
		return r;
	if (!json_is_object(config))
		r = error_at(error, -EINVAL, path, 0, 0, "no configuration of a container");
	if (!r)
		r = metadata_pairs(json_object_get(config, "annotations"), &c->annotations);
	if (!r)
		r = json_take_string(json_object_get(json_object_get(config, "root"), "path"),
				     &root);
	if (r == -E2BIG || (r == -EINVAL && json_is_object(config)))
		error_at(error, r, path, 0, 0, "%s", metadata_strange(r));
	c->host_root = !root || is_host_root(bundle, root);
	c->told |= METADATA_TOLD(ANNOTATIONS);
	json_decref(config);
	return r < 0 ? r : 0;
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
	return r ? r : containerd_database(places, c, error);
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
		if (json_take_string(label, &text) == 1 && strncmp(text, "bundle=", 7) == 0)
			*ret_bundle = text + 7;
	}
	return cgroup;
}

struct kind {
	enum runtime runtime;
	const char *folder, *file;
	const char *(*read)(const json_t *state, const char **ret_bundle);
	const char *pid; /* what the state calls the container's first process */
};

static bool is_zombie(pid_t pid)
{
	CLEANUP_FREE char *path = string_format("/proc/%d/stat", (int)pid);
	CLEANUP_FREE char *text = NULL;
	const char *end;

	if (!path || file_load(path, METADATA_FILE_MAX, &text, NULL))
		return false;
	end = strrchr(text, ')');
	return end && (strncmp(end, ") Z", 3) == 0 || strncmp(end, ") X", 3) == 0);
}

/* The state of one that was killed stays until it is deleted, and its cgroup may be another's by then, who has written no
 * state yet. Is its first process in it? One that names none is believed. */
static bool is_live(const struct kind *kind, const json_t *state, const char *cgroup)
{
	/* foreign numbers are read as reals, as they may be larger than any of ours */
	double pid = json_number_value(json_object_get(state, kind->pid));
	CLEANUP_FREE char *path = NULL;
	int r;

	if (pid < 1 || pid > INT_MAX)
		return true;
	r = cgroup_of((pid_t)pid, &path);
	if (r == -ENOMEM || r == -EMFILE ||
	    r == -ENFILE) /* then two may claim it, and nobody gets it */
		return true;
	return !r && is_within(path, cgroup) && !is_zombie((pid_t)pid);
}

/* One state, and the cgroup that it names. Without one, or with one that is half written, *ret is NULL: a strange file
 * must not be in the way of all others. But what we lack must not hide anybody's claim. */
static int load_state(const struct kind *kind, const char *id, json_t **ret,
		      const char **ret_cgroup, const char **ret_bundle, struct pd_error *error)
{
	CLEANUP_FREE char *file = string_format("%s/%s/%s", kind->folder, id, kind->file);
	struct pd_error why = { .code = 0 };
	const char *cgroup;
	int r = file ? metadata_load(file, METADATA_FILE_MAX, ret, &why) : -ENOMEM;

	*ret_bundle = NULL;
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE) {
		*error = why;
		return r;
	}
	if (r)
		return 0;
	cgroup = kind->read(*ret, ret_bundle);
	*ret_cgroup = cgroup ? from_root(cgroup) : "";
	return 0;
}

/* As oci_state(), for one of the two */
static int try_own(const struct metadata_places *places, const struct kind *kind,
		   struct container *c, struct pd_error *error)
{
	const char *cgroup, *bundle;
	json_t *state = NULL;
	int r = load_state(kind, c->id, &state, &cgroup, &bundle, error);

	if (r)
		return r;
	r = -ENOENT;
	if (state && is_within(cgroup, c->cgroup) && is_live(kind, state, cgroup)) {
		c->runtime = kind->runtime;
		r = metadata_by_bundle(places, bundle ? bundle : "", c, error);
	}
	json_decref(state);
	return r;
}

/* The state that claims a cgroup: the outermost counts. */
struct claim {
	char *state;   /* its folder; NULL: nobody does */
	char *rival;   /* another's that names the same cgroup */
	size_t length; /* of the cgroup's path */
	const struct kind *kind;
};

static void claim_done(struct claim *claim)
{
	free(claim->state);
	free(claim->rival);
	*claim = (struct claim){ 0 };
}

static int take_claim(struct claim *claim, const struct kind *kind, const char *id, size_t length)
{
	char *state;

	if (claim->state && length > claim->length)
		return 0;
	state = string_format("%s/%s", kind->folder, id);
	if (!state)
		return -ENOMEM;
	if (claim->state && length == claim->length) {
		free(claim->rival);
		claim->rival = state;
		return 0;
	}
	claim_done(claim);
	*claim = (struct claim){ .state = state, .length = length, .kind = kind };
	return 0;
}

static int search(const struct kind *kind, const char *path, struct claim *claim,
		  struct pd_error *error)
{
	DIR *dir = opendir(kind->folder);
	struct dirent *entry;
	unsigned int seen = 0;
	int r = !dir && errno != ENOENT && errno != ENOTDIR ? -errno : 0;

	while (dir && !r && (entry = readdir(dir))) {
		const char *cgroup, *bundle;
		json_t *state = NULL;

		if (entry->d_name[0] == '.')
			continue;
		r = seen++ < STATES_MAX ?
			    load_state(kind, entry->d_name, &state, &cgroup, &bundle, error) :
			    -E2BIG;
		if (state && is_within(path, cgroup) && is_live(kind, state, cgroup))
			r = take_claim(claim, kind, entry->d_name, strlen(cgroup));
		json_decref(state);
	}
	if (dir)
		closedir(dir);
	return r;
}

#define KINDS 2
static void kinds_at(const struct metadata_places *places, struct kind kinds[static KINDS])
{
	kinds[0] = (struct kind){ RUNTIME_CRUN, places->crun, "status", crun_state, "pid" };
	kinds[1] = (struct kind){ RUNTIME_RUNC, places->runc, "state.json", runc_state,
				  "init_process_pid" };
}

int oci_state(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	struct kind kinds[KINDS];
	int r = -ENOENT;

	if (c->id[0] == '.' || strchr(c->id, '/'))
		return -ENOENT;
	kinds_at(places, kinds);
	for (size_t i = 0; i < KINDS && r == -ENOENT; i++)
		r = try_own(places, &kinds[i], c, error);
	return r;
}

int oci_claims(const struct metadata_places *places, const char *path, struct container *c,
	       struct pd_error *error)
{
	struct kind kinds[KINDS];
	struct claim claim = { 0 };
	int r = 0;

	kinds_at(places, kinds);
	for (size_t i = 0; i < KINDS && !r; i++)
		r = search(&kinds[i], path, &claim, error);
	if (!r && !claim.state)
		r = -ENOENT;
	/* Both are there. */
	if (!r && claim.rival)
		r = error_set(error, -EEXIST,
			      "both %s and %s say that it is theirs; give each a cgroup of its own",
			      claim.state, claim.rival);
	if (!r) {
		free(c->cgroup);
		c->cgroup = strndup(path, claim.length);
		r = c->cgroup ? metadata_set(&c->id, strrchr(claim.state, '/') + 1) : -ENOMEM;
	}
	if (!r)
		r = try_own(places, claim.kind, c, error);
	claim_done(&claim);
	return r;
}

int metadata_from_hook(const struct metadata_places *places, const char *id, const char *bundle,
		       struct container *ret, struct pd_error *error)
{
	CLEANUP_FREE char *crun = string_format("%s/%s", places->crun, id);
	int r;

	if (!crun || metadata_set(&ret->id, id))
		return error_set(error, -ENOMEM, "out of memory");
	/* Of the two crun makes this folder first of all. */
	ret->runtime = access(crun, F_OK) ? RUNTIME_RUNC : RUNTIME_CRUN;
	r = metadata_by_bundle(places, bundle, ret, error);
	return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
}
