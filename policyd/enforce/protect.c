/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is policyd's own, and confined tasks may change in no mode. The pins are pins.c's. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policyd/enforce/enforcer.h"

static bool folder_at(const char *path, struct pd_folder *folder)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &st))
		return false;
	*folder = (struct pd_folder){
		.inode = st.stx_ino,
		/* as the kernel has it: include/linux/kdev_t.h */
		.device = st.stx_dev_major << 20 | st.stx_dev_minor,
		.mount = (__u32)st.stx_mnt_id,
	};
	return true;
}

/* A folder and all above it, as it is called; those that there is no place for are left out. */
static void add_called(struct pd_folder above[static PD_ABOVE_FOLDERS], const char *path)
{
	char part[PATH_MAX];
	size_t length = (size_t)snprintf(part, sizeof(part), "%s", path);
	struct pd_folder folder;

	while (length && length < sizeof(part)) {
		size_t i = 0;

		part[length] = '\0';
		if (folder_at(part, &folder)) {
			while (i < PD_ABOVE_FOLDERS && above[i].inode &&
			       memcmp(&above[i], &folder, sizeof(folder)) != 0)
				i++;
			if (i < PD_ABOVE_FOLDERS)
				above[i] = folder;
		}
		if (length == 1)
			break;
		while (length > 1 && part[length - 1] != '/')
			length--;
		length -= length > 1;
	}
}

/* By either of its names, if there is a symbolic link in one. */
static void add_above(struct pd_folder above[static PD_ABOVE_FOLDERS], const char *path)
{
	char real[PATH_MAX];

	add_called(above, path);
	if (realpath(path, real) && strcmp(real, path) != 0)
		add_called(above, real);
}

void enforce_protect(struct enforcer *e, const char *const *paths)
{
	struct pd_folder own[PD_OWN_FOLDERS] = { 0 }, above[PD_ABOVE_FOLDERS] = { 0 };
	size_t used = 0;

	/* what tasks and cgroups are known by */
	add_above(above, "/proc");
	add_above(above, "/sys/fs/cgroup");
	add_above(above, e->pins.dir);
	for (; *paths && used < PD_OWN_FOLDERS; paths++) {
		if (folder_at(*paths, &own[used]))
			used++;
		add_above(above, *paths);
	}
	memcpy(e->state->own, own, sizeof(own));
	memcpy(e->state->above, above, sizeof(above));
}
