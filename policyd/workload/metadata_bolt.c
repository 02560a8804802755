/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only databases tell: a containerd container's image and labels, and a podman container's labels and pod.
 *
 * containerd's schema is documented (core/metadata/buckets.go) and has a version: v1/version, 3 or 4, in which the
 * buckets read here are the same. podman's (libpod/boltdb_state.go) has none; it was the same from 1.0 until
 * podman 6 gave it up, and is recognised by what it holds of the runtime's configuration. Newer podmans keep
 * their state in SQLite, of which nothing is read: then these facts are not told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/bolt.h"
#include "policyd/workload/metadata_read.h"

#define TRIES 4 /* of reading while others write */

static int add_label(void *context, const unsigned char *key, size_t key_size,
		     const unsigned char *value, size_t value_size)
{
	CLEANUP_FREE char *name = strndup((const char *)key, key_size);
	CLEANUP_FREE char *text = strndup((const char *)value, value_size);

	if (memchr(key, '\0', key_size) || memchr(value, '\0', value_size))
		return -EINVAL;
	return name && text ? pairs_add(context, name, text) : -ENOMEM;
}

/* Adds to @told what is told of @c. */
typedef int reader(const struct bolt *bolt, const struct container *c, struct container *told);

static void move_text(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = *from;
	*from = NULL;
}

/* One try. -EINVAL when it makes no sense, be it because somebody writes; then nothing of it is believed. */
static int read_once(const char *path, reader *read, struct container *c)
{
	struct container told = { 0 };
	struct bolt *bolt;
	int r = bolt_open(path, &bolt);

	if (r)
		return r;
	r = read(bolt, c, &told);
	if (r != -ENOMEM && !bolt_unchanged(bolt))
		r = -EAGAIN;
	bolt_close(bolt);
	if (!r) {
		move_text(&c->image, &told.image);
		move_text(&c->pod, &told.pod);
		pairs_done(&c->labels);
		c->labels = told.labels;
		told.labels = (struct pairs){ 0 };
		c->told |= told.told;
	}
	container_done(&told);
	return r;
}

#define NOT_OURS (-ENOTSUP) /* of a version that we do not know: not told, as without a database */

static int read_database(const char *path, reader *read, struct container *c,
			 struct pd_error *error)
{
	int r = -EAGAIN;

	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	for (int i = 0; i < TRIES && (r == -EAGAIN || r == -EINVAL); i++)
		r = read_once(path, read, c);
	if (!r || r == NOT_OURS)
		return 0;
	return error_at(error, r, path, 0, 0, "%s",
			r == -ENOENT ? "the container is not in it" :
			r == -E2BIG  ? "more labels than policyd takes" :
			r == -EAGAIN ? "it is being written all the time" :
			r == -EINVAL ? "it makes no sense" :
				       strerror(-r));
}

/* ---- containerd ------------------------------------------------------------------------------ */

static int containerd_labels(const struct bolt *bolt, const char *namespace, const char *id,
			     struct pairs *labels)
{
	const char *const path[] = { "v1", namespace, "containers", id, "labels", NULL };
	int r = bolt_each(bolt, path, add_label, labels);

	return r == -ENOENT ? 0 : r; /* it has none */
}

static int read_containerd(const struct bolt *bolt, const struct container *c,
			   struct container *told)
{
	static const char *const version_path[] = { "v1", "version", NULL };
	const char *namespace = c->pod ? "k8s.io" : c->namespace;
	const char *const image_path[] = { "v1", namespace, "containers", c->id, "image", NULL };
	const char *sandbox = pairs_get(&c->annotations, "io.kubernetes.cri.sandbox-id");
	struct bolt_value value = { 0 };
	unsigned int version;
	int r = bolt_get(bolt, version_path, &value);

	/* a signed varint: twice the number */
	version = !r && value.size == 1 ? value.data[0] / 2u : 0;
	bolt_value_done(&value);
	if (r == -ENOENT || (!r && (version < 3 || version > 4)))
		return NOT_OURS;
	if (r)
		return r;
	r = bolt_get(bolt, image_path, &value);
	if (r)
		return r;
	if (memchr(value.data, '\0', value.size))
		r = -EINVAL;
	else if (!c->image)
		r = metadata_set(&told->image, (const char *)value.data);
	bolt_value_done(&value);
	if (!r)
		r = containerd_labels(bolt, namespace, c->id, &told->labels);
	if (!r && sandbox && strcmp(sandbox, c->id) != 0) /* the pod's */
		r = containerd_labels(bolt, namespace, sandbox, &told->labels);
	if (!r)
		told->told |= METADATA_TOLD(IMAGE) | METADATA_TOLD(LABELS);
	return r;
}

int containerd_database(const struct metadata_places *places, struct container *c,
			struct pd_error *error)
{
	return read_database(places->containerd_meta, read_containerd, c, error);
}

/* ---- podman ---------------------------------------------------------------------------------- */

static int get_json(const struct bolt *bolt, const char *const *path, json_t **ret_json)
{
	struct bolt_value value = { 0 };
	struct pd_error ignored;
	int r = bolt_get(bolt, path, &value);

	if (!r)
		r = json_read_foreign((const char *)value.data, value.size, ret_json, &ignored);
	bolt_value_done(&value);
	return r;
}

static int take_pod(const struct bolt *bolt, const char *id, struct container *told)
{
	const char *const path[] = { "pod", id, "config", NULL };
	json_t *config = NULL;
	int r = get_json(bolt, path, &config);

	if (!r)
		r = metadata_text(&told->pod, json_object_get(config, "name"));
	json_decref(config);
	return r < 0 ? r : 0;
}

static int read_podman(const struct bolt *bolt, const struct container *c, struct container *told)
{
	static const char *const check_path[] = { "runtime-config", "graph-root", NULL };
	const char *const path[] = { "ctr", c->id, "config", NULL };
	struct bolt_value value = { 0 };
	json_t *config = NULL;
	const char *pod = "";
	int r = bolt_get(bolt, check_path, &value);

	bolt_value_done(&value);
	if (r)
		return r == -ENOENT ? NOT_OURS : r;
	r = get_json(bolt, path, &config);
	if (r)
		return r;
	r = metadata_pairs(json_object_get(config, "labels"), &told->labels);
	if (!r)
		r = json_take_string(json_object_get(config, "pod"), &pod);
	if (r == 1)
		r = *pod ? take_pod(bolt, pod, told) : 0;
	if (!r)
		told->told |= METADATA_TOLD(LABELS) | METADATA_TOLD(POD);
	json_decref(config);
	return r;
}

int podman_database(const struct metadata_places *places, struct container *c,
		    struct pd_error *error)
{
	CLEANUP_FREE char *path = string_format("%s/libpod/bolt_state.db", places->podman);
	CLEANUP_FREE char *newer = string_format("%s/db.sql", places->podman);
	int r = path && newer ? read_database(path, read_podman, c, error) : -ENOMEM;

	/* What podman has left behind when it went on to SQLite has no new containers. */
	return r == -ENOENT && !access(newer, F_OK) ? 0 : r;
}
