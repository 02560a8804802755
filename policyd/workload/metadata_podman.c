/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podman and cri-o, which keep their containers in the same storage: DRIVER-containers/containers.json
 * lists them, DRIVER-containers/ID/userdata/config.json is the bundle's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

/* "metadata" is JSON in a string, the storage's user's own: both write image-name and name. */
static int take_metadata(const json_t *item, struct container *c)
{
	const char *text, *value = NULL;
	struct pd_error ignored;
	json_t *metadata;
	int r;

	if (!json_get_string(item, "metadata", &text) || !*text)
		return 0;
	r = json_read_foreign(text, strlen(text), &metadata, &ignored);
	if (r)
		return r;
	r = json_get_string(metadata, "image-name", &value) ? metadata_set(&c->image, value) : 0;
	if (!r && !c->image && json_get_string(metadata, "image-id", &value))
		r = metadata_set(&c->image, value);
	c->told |= METADATA_TOLD(IMAGE);
	json_decref(metadata);
	return r;
}

static int take_listed(const json_t *list, const char *path, struct container *c,
		       struct pd_error *error)
{
	json_t *item, *name;
	const char *id;
	size_t i;
	int r;

	json_array_foreach((json_t *)list, i, item) {
		if (!json_get_string(item, "id", &id) || strcmp(id, c->id) != 0)
			continue;
		name = json_array_get(json_object_get(item, "names"), 0);
		r = metadata_set(&c->name, json_string_value(name));
		c->told |= METADATA_TOLD(NAME);
		if (!r)
			r = take_metadata(item, c);
		return r ? error_at(error, r, path, 0, 0,
				    "the container's metadata makes no sense") :
			   0;
	}
	return -ENOENT;
}

/* The list, and the bundle's config.json, of whichever driver has the container */
static int storage_read(const char *storage, struct container *c, struct pd_error *error)
{
	int r = -ENOENT;

	for (size_t i = 0; i < DRIVERS && r == -ENOENT; i++) {
		CLEANUP_FREE char *path =
			string_format("%s/%s-containers/containers.json", storage, drivers[i]);
		CLEANUP_FREE char *bundle =
			string_format("%s/%s-containers/%s/userdata", storage, drivers[i], c->id);
		json_t *list = NULL;

		if (!path || !bundle)
			return -ENOMEM;
		r = metadata_load(path, METADATA_LIST_MAX, &list, error);
		if (!r)
			r = take_listed(list, path, c, error);
		json_decref(list);
		if (!r)
			r = oci_config(bundle, c, error);
	}
	return r;
}

int podman_read(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	int r = storage_read(places->podman, c, error);

	return r ? r : podman_database(places, c, error);
}

/* All that cri-o knows stands in annotations; its labels are JSON in one of them. */
int crio_read(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	static const char *const wanted[] = {
		"io.kubernetes.container.name",
		"io.kubernetes.cri-o.ImageName",
		"io.kubernetes.pod.name",
		"io.kubernetes.pod.namespace",
	};
	char **const places_of[] = { &c->name, &c->image, &c->pod, &c->namespace };
	const char *storages[] = { places->crio, places->podman };
	struct pd_error ignored;
	json_t *labels = NULL;
	const char *text;
	int r = -ENOENT;

	for (size_t i = 0; i < 2 * DRIVERS && r == -ENOENT; i++) {
		CLEANUP_FREE char *bundle = string_format("%s/%s-containers/%s/userdata",
							  storages[i / DRIVERS],
							  drivers[i % DRIVERS], c->id);

		r = bundle ? oci_config(bundle, c, error) : -ENOMEM;
	}
	for (size_t i = 0; !r && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		r = metadata_set(places_of[i], pairs_get(&c->annotations, wanted[i]));
	if (r)
		return r;
	c->told |= METADATA_TOLD(NAME) | METADATA_TOLD(IMAGE) | METADATA_TOLD(POD) |
		   METADATA_TOLD(NAMESPACE);
	text = pairs_get(&c->annotations, "io.kubernetes.cri-o.Labels");
	if (!text)
		return 0;
	r = json_read_foreign(text, strlen(text), &labels, &ignored);
	if (!r)
		r = metadata_pairs(labels, &c->labels);
	if (r)
		error_set(error, r, "cri-o's annotation io.kubernetes.cri-o.Labels: %s",
			  r == -E2BIG ? "more labels than policyd takes" : "no JSON");
	c->told |= METADATA_TOLD(LABELS);
	json_decref(labels);
	return r;
}
