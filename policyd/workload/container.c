/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/workload/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/array.h"

const char *runtime_name(enum runtime runtime)
{
	static const char *const names[RUNTIME_COUNT] = {
		[RUNTIME_NONE] = "",	     [RUNTIME_DOCKER] = "docker",
		[RUNTIME_PODMAN] = "podman", [RUNTIME_CONTAINERD] = "containerd",
		[RUNTIME_CRIO] = "cri-o",    [RUNTIME_CRUN] = "crun",
		[RUNTIME_RUNC] = "runc",     [RUNTIME_NSPAWN] = "nspawn",
		[RUNTIME_LXC] = "lxc",
	};

	return names[runtime];
}

const char *fact_name(enum fact fact)
{
	static const char *const names[FACT_COUNT] = {
		[FACT_NAME] = "container", [FACT_IMAGE] = "image",
		[FACT_POD] = "pod",	   [FACT_NAMESPACE] = "namespace",
		[FACT_LABELS] = "label",   [FACT_ANNOTATIONS] = "annotation",
	};

	return names[fact];
}

void pairs_done(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].key);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (struct pairs){ 0 };
}

const char *pairs_get(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return pairs->items[i].value;
	return NULL;
}

int pairs_add(struct pairs *pairs, const char *key, const char *value)
{
	struct pair new = { .key = strdup(key), .value = strdup(value) };
	struct pair *place = NULL;

	if (!new.key || !new.value)
		goto no_memory;
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			place = &pairs->items[i];
	if (place) {
		free(place->key);
		free(place->value);
	} else if (pairs->count >= PAIRS_MAX) {
		free(new.key);
		free(new.value);
		return -E2BIG;
	} else {
		place = array_append((void *)&pairs->items, &pairs->count, sizeof(*place));
	}
	if (!place)
		goto no_memory;
	*place = new;
	return 0;
no_memory:
	free(new.key);
	free(new.value);
	return -ENOMEM;
}

void container_forget(struct container *container)
{
	free(container->name);
	free(container->image);
	free(container->pod);
	free(container->namespace);
	container->name = container->image = container->pod = container->namespace = NULL;
	pairs_done(&container->labels);
	pairs_done(&container->annotations);
	container->told = 0;
	container->host_root = false;
}

void container_done(struct container *container)
{
	container_forget(container);
	free(container->cgroup);
	free(container->id);
	*container = (struct container){ 0 };
}
