/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's config.v2.json, in which a container's name, image and labels stand before it is started. */
#include <errno.h>
#include <string.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/workload/metadata_read.h"

int docker_read(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *path =
		string_format("%s/containers/%s/config.v2.json", places->docker, c->id);
	const char *name = NULL, *image = NULL;
	json_t *root = NULL, *config;
	int r = path ? metadata_load(path, &root, error) : -ENOMEM;

	if (r)
		return r;
	config = json_object_get(root, "Config");
	if (!json_get_string(root, "Name", &name) || !json_get_string(config, "Image", &image))
		r = error_at(error, -EINVAL, path, 0, 0,
			     "no container's: Name or Config.Image is missing");
	if (!r)
		r = metadata_set(&c->name, name + (name[0] == '/'));
	if (!r)
		r = metadata_set(&c->image, image);
	if (!r)
		r = metadata_pairs(json_object_get(config, "Labels"), &c->labels);
	/* cri-dockerd's */
	if (!r)
		r = metadata_set(&c->pod, pairs_get(&c->labels, "io.kubernetes.pod.name"));
	if (!r)
		r = metadata_set(&c->namespace,
				 pairs_get(&c->labels, "io.kubernetes.pod.namespace"));
	c->told = METADATA_TOLD(NAME) | METADATA_TOLD(IMAGE) | METADATA_TOLD(LABELS) |
		  METADATA_TOLD(POD) | METADATA_TOLD(NAMESPACE);
	json_decref(root);
	return r;
}
