/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is policyd's own, and confined tasks may change in no mode. The pins are pins.c's. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/enforce/enforcer.h"

/* The folder that a mount covers: its number is told by the one above it. */
static uint64_t covered(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	CLEANUP_FREE char *above = strndup(path, (size_t)(name - path));
	DIR *dir = above ? opendir(above) : NULL;
	const struct dirent *entry;
	uint64_t inode = 0;

	while (dir && !inode && (entry = readdir(dir)))
		if (strcmp(entry->d_name, name) == 0)
			inode = entry->d_ino;
	if (dir)
		closedir(dir);
	return inode;
}

static bool folder_at(const char *path, int flags, struct pd_folder *folder)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | flags, STATX_INO | STATX_MNT_ID, &st))
		return false;
	*folder = (struct pd_folder){
		.inode = st.stx_ino,
		/* as the kernel has it: include/linux/kdev_t.h */
		.device = st.stx_dev_major << 20 | st.stx_dev_minor,
		.mount = (__u32)st.stx_mnt_id,
	};
	return true;
}

static void add(struct pd_folder above[static PD_ABOVE_FOLDERS], const struct pd_folder *folder,
		const char *path)
{
	size_t i = 0;

	while (i < PD_ABOVE_FOLDERS && above[i].inode &&
	       memcmp(&above[i], folder, sizeof(*folder)) != 0)
		i++;
	if (i < PD_ABOVE_FOLDERS)
		above[i] = *folder;
	else
		log_warning("%s: there are too many folders on the way to policyd's own for this "
			    "one to be protected, too",
			    path);
}

/* One folder, or link, and what it covers if something is mounted there */
static void add_one(struct pd_folder above[static PD_ABOVE_FOLDERS], const char *path)
{
	char outside[PATH_MAX];
	struct pd_folder folder, link, outer;

	if (!folder_at(path, 0, &folder))
		return;
	add(above, &folder, path);
	if (folder_at(path, AT_SYMLINK_NOFOLLOW, &link))
		add(above, &link, path);
	snprintf(outside, sizeof(outside), "%.*s", (int)(strrchr(path, '/') - path) ?: 1, path);
	if (strcmp(path, "/") != 0 && folder_at(outside, 0, &outer) &&
	    outer.mount != folder.mount) {
		outer.inode = covered(path);
		if (outer.inode)
			add(above, &outer, path);
	}
}

/* A folder and all above it, as it is called */
static void add_called(struct pd_folder above[static PD_ABOVE_FOLDERS], const char *path)
{
	char part[PATH_MAX];
	size_t length = (size_t)snprintf(part, sizeof(part), "%s", path);

	while (length && length < sizeof(part)) {
		part[length] = '\0';
		add_one(above, part);
		if (length == 1)
			break;
		while (length > 1 && part[length - 1] != '/')
			length--;
		length -= length > 1;
	}
}

/* By either of its names, if there is a symbolic link in one. */
static void add_way(struct pd_folder above[static PD_ABOVE_FOLDERS], const char *path)
{
	char real[PATH_MAX];

	if (path[0] != '/')
		return;
	add_called(above, path);
	if (realpath(path, real) && strcmp(real, path) != 0)
		add_called(above, real);
}

void enforce_protect(struct enforcer *e, const char *const *paths)
{
	struct pd_folder own[PD_OWN_FOLDERS] = { 0 }, above[PD_ABOVE_FOLDERS] = { 0 };
	size_t used = 0;

	/* what tasks and cgroups are known by */
	add_way(above, "/proc");
	add_way(above, "/sys/fs/cgroup");
	add_way(above, e->pins.dir);
	for (; *paths && used < PD_OWN_FOLDERS; paths++) {
		if (folder_at(*paths, 0, &own[used]))
			used++;
		add_way(above, *paths);
	}
	memcpy(e->state->own, own, sizeof(own));
	memcpy(e->state->above, above, sizeof(above));
}
