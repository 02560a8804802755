// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounts that are nowhere, and handles of files. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int do_opentree(char **a) /* DIR FLAGS NAME: through a clone of the mount */
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 ? -errno : result(openat(tree, a[3], open_flags(a[2]), 0644));
}

static int do_fsmount(char **a) /* FLAGS NAME: on a tmpfs that is mounted nowhere */
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0), mount;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, fs, 0, 0);
	return mount < 0 ? -errno : result(openat(mount, a[2], open_flags(a[1]), 0644));
}

static int do_handle(char **a) /* cold|warm FLAGS PATH DIR: open_by_handle_at() through DIR */
{
	char buffer[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	struct file_handle *handle = (void *)buffer;
	int id, place = open(a[4], O_RDONLY | O_CLOEXEC);

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (place < 0 || name_to_handle_at(AT_FDCWD, a[3], handle, &id, 0) < 0)
		return -errno;
	sync();
	for (int i = 0; i < 3 && !strcmp(a[1], "cold"); i++) { /* what was used goes later */
		int drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

		if (drop < 0 || write(drop, "3", 1) != 1)
			return -errno;
		close(drop);
	}
	return result(open_by_handle_at(place, handle, open_flags(a[2])));
}

const struct command mount_commands[] = {
	{ "opentree", 3, do_opentree },
	{ "fsmount", 2, do_fsmount },
	{ "handle", 4, do_handle },
	{ NULL, 0, NULL },
};
