/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podman and cri-o, which keep their containers in the same storage: DRIVER-containers/containers.json
 * lists them, DRIVER-containers/ID/userdata/config.json is the bundle's.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
#define SETTLED_NS 100000000 /* file systems' clocks have ticks of up to 10 ms */
#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

/* "metadata" is JSON in a string, the storage's user's own: both write image-name and name. */
static int take_metadata(const json_t *item, struct container *c)
{
	const char *text = NULL;
	struct pd_error ignored;
	json_t *metadata = NULL;
	int r = json_take_string(json_object_get(item, "metadata"), &text);

	if (r != 1 || !*text)
		return r < 0 ? r : 0;
	r = json_read_foreign(text, strlen(text), &metadata, &ignored);
	if (!r)
		r = json_is_object(metadata) ? 0 : -EINVAL;
	if (!r)
		r = metadata_text(&c->image, json_object_get(metadata, "image-name"));
	if (r >= 0 && !c->image)
		r = metadata_text(&c->image, json_object_get(metadata, "image-id"));
	c->told |= METADATA_TOLD(IMAGE);
	json_decref(metadata);
	return r < 0 ? r : 0;
}

static int take_listed(const json_t *list, const char *path, struct container *c,
		       struct pd_error *error)
{
	json_t *item;
	const char *id;
	size_t i;
	int r;

	json_array_foreach((json_t *)list, i, item) {
		if (!json_get_string(item, "id", &id) || strcmp(id, c->id) != 0)
			continue;
		r = metadata_text(&c->name, json_array_get(json_object_get(item, "names"), 0));
		c->told |= METADATA_TOLD(NAME);
		if (r >= 0)
			r = take_metadata(item, c);
		return r ? error_at(error, r, path, 0, 0,
				    "the container's metadata makes no sense") :
			   0;
	}
	return -ENOENT;
}

/*
 * The lists as they were read last: whoever waits asks several times in a second, and all containers are in them. A
 * container is looked for in as many as there are of one driver.
 */
#define LISTS 4
static struct kept {
	char *path;
	struct stat st;
	json_t *list;
} kept[LISTS];

static void forget(struct kept *k)
{
	json_decref(k->list);
	free(k->path);
	memset(k, 0, sizeof(*k));
}

void metadata_forget_caches(void)
{
	for (size_t i = 0; i < LISTS; i++)
		forget(&kept[i]);
}

/* Where this one is, or may be */
static struct kept *find_kept(const char *path)
{
	struct kept *unused = &kept[0];

	for (size_t i = 0; i < LISTS; i++) {
		if (kept[i].path && strcmp(kept[i].path, path) == 0)
			return &kept[i];
		if (!kept[i].path)
			unused = &kept[i];
	}
	return unused;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

/* Another change within the same tick of the clock would not be seen. */
static bool is_settled(const struct stat *st)
{
	struct timespec now;
	int64_t age_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ns = (now.tv_sec - st->st_ctim.tv_sec) * INT64_C(1000000000) + now.tv_nsec -
		 st->st_ctim.tv_nsec;
	return age_ns > SETTLED_NS;
}

/* As metadata_load() */
static int load_list(const char *path, json_t **ret_list, struct pd_error *error)
{
	struct stat before, after;
	bool there = !lstat(path, &before);
	struct kept *k = find_kept(path);
	int r;

	if (there && k->path && strcmp(k->path, path) == 0 && is_same_file(&before, &k->st)) {
		*ret_list = json_incref(k->list);
		return 0;
	}
	forget(k);
	r = metadata_load(path, METADATA_LIST_MAX, ret_list, error);
	if (r || !there || !is_settled(&before) || lstat(path, &after) ||
	    !is_same_file(&before, &after))
		return r;
	k->path = strdup(path);
	if (!k->path)
		return 0;
	k->st = after;
	k->list = json_incref(*ret_list);
	return 0;
}

/* The list, and the bundle's config.json, of whichever driver has the container; newer podmans list what they run
 * with --rm apart. */
static int storage_read(const char *storage, struct container *c, struct pd_error *error)
{
	static const char *const lists[] = { "containers.json", "volatile-containers.json" };
	int r = -ENOENT;

	for (size_t i = 0; i < 2 * DRIVERS && r == -ENOENT; i++) {
		const char *driver = drivers[i / 2];
		CLEANUP_FREE char *path =
			string_format("%s/%s-containers/%s", storage, driver, lists[i % 2]);
		CLEANUP_FREE char *bundle =
			string_format("%s/%s-containers/%s/userdata", storage, driver, c->id);
		json_t *list = NULL;

		if (!path || !bundle)
			return -ENOMEM;
		r = load_list(path, &list, error);
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

	if (r == -ENOENT) /* where the store is transient */
		r = storage_read(places->crio, c, error);
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
	if (!r && !json_is_object(labels))
		r = -EINVAL;
	if (r)
		error_set(error, r, "cri-o's annotation io.kubernetes.cri-o.Labels: %s",
			  metadata_strange(r));
	c->told |= METADATA_TOLD(LABELS);
	json_decref(labels);
	return r;
}
