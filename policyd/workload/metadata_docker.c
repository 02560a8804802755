/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's config.v2.json, in which a container's name, image and labels stand before it is started. */
#include <errno.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

/* Of what docker shows of an image's number; what is shorter and begins like it may be a name all the same. */
#define SHORT_NUMBER 12u

/*
 * Config.Image is what was typed. Where that is the image's number, or the beginning of it, it is not told what the
 * image is called; a name like "db" stays one that matches.
 */
static int take_image(struct container *c, const char *image, const char *resolved)
{
	static const char hash[] = "sha256:";
	const size_t n = sizeof(hash) - 1;

	if (strncmp(image, hash, n) == 0)
		return 0;
	if (strncmp(resolved, hash, n) != 0 || !*image ||
	    strncmp(image, resolved + n, strlen(image)) != 0)
		c->told |= METADATA_TOLD(IMAGE);
	else if (strlen(image) >= SHORT_NUMBER)
		return 0;
	return metadata_set(&c->image, image);
}

/*
 * cri-dockerd's containers are called k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT, which no image can make them. Its labels
 * an image can have, all of them: where they do not agree with the name, pod and namespace are not told.
 */
static int take_kubernetes(struct container *c)
{
	const char *name = pairs_get(&c->labels, "io.kubernetes.container.name");
	const char *pod = pairs_get(&c->labels, "io.kubernetes.pod.name");
	const char *namespace = pairs_get(&c->labels, "io.kubernetes.pod.namespace");
	CLEANUP_FREE char *begin = NULL;
	int r;

	if (name && pod && namespace) {
		begin = string_format("k8s_%s_%s_%s_", name, pod, namespace);
		if (!begin)
			return -ENOMEM;
	}
	if (!pod && !namespace)
		c->told |= METADATA_TOLD(POD) | METADATA_TOLD(NAMESPACE); /* it has none */
	if (!begin || !c->name || strncmp(c->name, begin, strlen(begin)) != 0)
		return 0;
	c->told |= METADATA_TOLD(POD) | METADATA_TOLD(NAMESPACE);
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
	/* host_root stays false: docker's storage drivers always make a root directory, and none can be set. */
	c->told = METADATA_TOLD(NAME) | METADATA_TOLD(LABELS);
	if (!r)
		r = take_image(c, image, resolved);
	if (!r) {
		r = metadata_pairs(json_object_get(config, "Labels"), &c->labels);
		if (r == -E2BIG || r == -EINVAL)
			error_at(error, r, path, 0, 0, "%s", metadata_strange(r));
	}
	if (!r)
		r = take_kubernetes(c);
	json_decref(root);
	return r;
}
