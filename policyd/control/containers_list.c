/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others are told of containers: events, and policyctl ps. */
#include <dirent.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/control/containers_known.h"

#define CGROUPS_DEPTH 8 /* below a container's own that are counted */

const struct container *containers_of(const struct containers *all, uint64_t binding)
{
	const struct known *known = binding ? known_find(all, binding) : NULL;

	return known ? &known->facts : NULL;
}

void containers_count_denial(struct containers *all, uint64_t binding, uint32_t times)
{
	struct known *known = binding ? known_find(all, binding) : NULL;

	if (known)
		known->denials += times;
}

static const char *state_word(const struct known *known)
{
	if (known->state == STATE_REFUSED)
		return "refused";
	if (known->state == STATE_WAITED_FOR)
		return known->held ? "held" : "unknown";
	if (known->state == STATE_LET_GO)
		return "unknown";
	return known->slot ? "bound" : "unmatched";
}

static json_t *text_or_null(const char *text)
{
	return text ? json_text(text) : json_null();
}

/* Tasks in the container and no policy's: the runtime's, or what a sweep could not label. One that ends
 * meanwhile is none. */
static unsigned int count_free(const struct containers *all, const char *cgroup, unsigned int depth)
{
	DIR *dir = opendir(cgroup);
	CLEANUP_FREE char *path = string_format("%s/cgroup.procs", cgroup);
	FILE *procs = path ? fopen(path, "re") : NULL;
	struct dirent *entry;
	unsigned int count = 0;
	int pid;

	while (procs && fscanf(procs, "%d", &pid) == 1) {
		CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);

		count += fd >= 0 && enforce_hold(all->daemon->enforcer, fd) == ENFORCE_FREE;
	}
	if (procs)
		fclose(procs);
	while (dir && depth && (entry = readdir(dir))) {
		CLEANUP_FREE char *below = string_format("%s/%s", cgroup, entry->d_name);

		if (below && entry->d_type == DT_DIR && entry->d_name[0] != '.')
			count += count_free(all, below, depth - 1);
	}
	if (dir)
		closedir(dir);
	return count;
}

static json_t *describe(const struct containers *all, const struct known *known)
{
	char path[PATH_MAX];
	const struct container *c = &known->facts;
	json_t *policies = json_array();
	json_t *object;

	for (const char **name = known->policies; name && *name; name++)
		json_array_append_new(policies, json_text(*name));
	object = json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "state",
			   state_word(known), "id", text_or_null(c->id), "name",
			   text_or_null(c->name), "runtime", runtime_name(c->runtime), "image",
			   text_or_null(c->image), "pod", text_or_null(c->pod), "namespace",
			   text_or_null(c->namespace), "cgroup", text_or_null(c->cgroup),
			   "policies", policies, "denials", (json_int_t)known->denials);
	if (known->slot && !known_path(c->cgroup, path))
		json_object_set_new(object, "free",
				    json_integer(count_free(all, path, CGROUPS_DEPTH)));
	if (known->state != STATE_KNOWN && known->why.code)
		json_object_set_new(object, "why", json_text(known->why.text));
	return object;
}

json_t *containers_list(const struct containers *all)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < KNOWN_BUCKETS; i++)
		for (const struct known *known = all->by_id[i]; known; known = known->next)
			json_array_append_new(list, describe(all, known));
	return list;
}
