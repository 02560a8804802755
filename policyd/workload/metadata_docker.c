/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's config.v2.json, in which a container's name, image and labels stand before it is started. */
#include <errno.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

/* Started by its image's number, or the beginning of that: what the image is called is not told. */
static bool is_number_of(const char *image, const char *resolved)
{
	static const char hash[] = "sha256:";
	const size_t n = sizeof(hash) - 1;

	if (strncmp(image, hash, n) == 0)
		return true;
	return *image && strncmp(resolved, hash, n) == 0 &&
	       strncmp(image, resolved + n, strlen(image)) == 0;
}

/* cri-dockerd's containers are called k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT. Its labels alone an image can have. */
static int take_kubernetes(struct container *c)
{
	const char *name = pairs_get(&c->labels, "io.kubernetes.container.name");
	const char *pod = pairs_get(&c->labels, "io.kubernetes.pod.name");
	const char *namespace = pairs_get(&c->labels, "io.kubernetes.pod.namespace");
	CLEANUP_FREE char *begin = NULL;
	int r;

	if (!name || !pod || !namespace)
		return 0;
	begin = string_format("k8s_%s_%s_%s_", name, pod, namespace);
	if (!begin)
		return -ENOMEM;
	if (strncmp(c->name, begin, strlen(begin)) != 0)
		return 0;
	r = metadata_set(&c->pod, pod);
	if (!r)
		r = metadata_set(&c->namespace, namespace);
	return r ? r : metadata_set(&c->name, name);
}

int docker_read(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *path =
		string_format("%s/containers/%s/config.v2.json", places->docker, c->id);
	const char *name = "", *image = "", *resolved = "";
	json_t *root = NULL, *config;
	int r = path ? metadata_load(path, METADATA_FILE_MAX, &root, error) : -ENOMEM;

	if (r)
		return r;
	config = json_object_get(root, "Config");
	if (!json_get_string(root, "Name", &name) || !json_get_string(config, "Image", &image))
		r = error_at(error, -EINVAL, path, 0, 0,
			     "no container's: Name or Config.Image is missing");
	if (!r)
		r = metadata_set(&c->name, name + (name[0] == '/'));
	json_get_string(root, "Image", &resolved);
	c->told = METADATA_TOLD(NAME) | METADATA_TOLD(LABELS) | METADATA_TOLD(POD) |
		  METADATA_TOLD(NAMESPACE);
	if (!r && !is_number_of(image, resolved)) {
		r = metadata_set(&c->image, image);
		c->told |= METADATA_TOLD(IMAGE);
	}
	if (!r)
		r = metadata_pairs(json_object_get(config, "Labels"), &c->labels);
	if (r == -E2BIG)
		error_at(error, r, path, 0, 0, "more labels than policyd takes");
	if (!r)
		r = take_kubernetes(c);
	json_decref(root);
	return r;
}
