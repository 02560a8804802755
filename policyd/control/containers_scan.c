/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers that run already when policyd starts: all cgroups are looked through. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/control/containers_known.h"
#include "policyd/workload/recognise.h"

#define DEPTH_MAX 64u /* of cgroups */

/* Users may make as many cgroups as they like, of which none is a container's that anybody could know. */
#define FOREIGN_LOOKS 2048u

static void look_through(struct containers *all, int parent, const char *name, char *path,
			 size_t length, unsigned int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct recognised recognised;
	struct dirent *entry;
	struct stat st;

	if (dir && depth && !fstat(parent, &st) && st.st_uid &&
	    all->foreign_looks++ >= FOREIGN_LOOKS) {
		closedir(dir);
		return;
	}
	if (!dir) {
		fd_close(fd);
		return;
	}
	if (length && recognise(path, &recognised)) {
		char full[PATH_MAX];

		if (!known_path(path, full) && cgroup_populated(full) > 0 &&
		    recognised.length == length) {
			struct container facts = { 0 };
			struct pd_error ignored = { .code = 0 };
			int r = -EPERM;

			/* not known_look_up(): what is to be ignored would hide the containers below it */
			if (cgroup_is_roots(full) == 1)
				r = metadata_find(&all->daemon->config->runtimes, path, &facts,
						  &ignored);
			container_done(&facts);
			/* What nobody claims is no container, unless somebody is held there; nor is what users make,
			 * but for what they call one. */
			if ((r != -ENOENT && r != -EPERM) || recognised.runtime != RUNTIME_NONE)
				known_meet(all, path);
			if (!r) {
				closedir(dir);
				return;
			}
		}
	}
	while (depth < DEPTH_MAX && (entry = readdir(dir))) {
		size_t more = strlen(entry->d_name);

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    length + more + 2 > PATH_MAX)
			continue;
		path[length] = '/';
		memcpy(path + length + 1, entry->d_name, more + 1);
		look_through(all, dirfd(dir), entry->d_name, path, length + 1 + more, depth + 1);
		path[length] = '\0';
	}
	closedir(dir);
}

static void unbind_stranger(void *context, uint64_t cgroup_id, uint32_t flags)
{
	struct containers *all = context;

	if (flags & PD_BINDING_CONTAINER && !known_find(all, cgroup_id))
		enforce_unbind(all->daemon->enforcer, cgroup_id);
}

void known_scan(struct containers *all)
{
	char path[PATH_MAX] = "";

	all->foreign_looks = 0;
	look_through(all, AT_FDCWD, CGROUP_ROOT, path, 0, 0);
}

void containers_scan(struct containers *all)
{
	known_scan(all);
	enforce_bound(all->daemon->enforcer, unbind_stranger, all);
}
