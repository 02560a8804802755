// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounts, by the old system calls and by the new ones. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static int do_mount(char **w)
{
	return step_result(mount(w[0], w[1], w[0], 0, NULL));
}

static int do_mount_bind(char **w)
{
	return step_result(mount(w[0], w[1], NULL, MS_BIND, NULL));
}

static int do_mount_move(char **w)
{
	return step_result(mount(w[0], w[1], NULL, MS_MOVE, NULL));
}

static int do_mount_remount(char **w)
{
	return step_result(mount(NULL, w[0], NULL, MS_REMOUNT | MS_NOATIME, NULL));
}

static int do_mount_private(char **w)
{
	return step_result(mount(NULL, w[0], NULL, MS_PRIVATE, NULL));
}

static int do_umount(char **w)
{
	return step_result(umount2(w[0], 0));
}

static int do_umount_detach(char **w)
{
	return step_result(umount2(w[0], MNT_DETACH));
}

static int pivot(char **w)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return step_result(syscall(SYS_pivot_root, w[0], w[1]));
}

/* NEW OLD: in the namespace we have */
static int do_pivot_root(char **w)
{
	return step_result(syscall(SYS_pivot_root, w[0], w[1]));
}

/* NEW OLD: in a mount namespace of its own */
static int do_pivot_apart(char **w)
{
	return apart(pivot, w);
}

static int new_superblock(const char *type)
{
	int context = fsopen(type, FSOPEN_CLOEXEC), r;

	if (context < 0)
		return -errno;
	r = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : context;
	if (r < 0)
		close(context);
	return r;
}

static int do_fsopen(char **w)
{
	return close_result(fsopen(w[0], FSOPEN_CLOEXEC));
}

static int do_fsconfig(char **w)
{
	int r = new_superblock(w[0]);

	if (r >= 0)
		close(r);
	return r < 0 ? r : 0;
}

/* TYPE [TARGET]: all of fsopen, fsconfig, fsmount, move_mount */
static int do_fsmount(char **w)
{
	int context = new_superblock(w[0]), tree, r = 0;

	if (context < 0)
		return context;
	tree = fsmount(context, FSMOUNT_CLOEXEC, 0);
	r = tree < 0 ? -errno : 0;
	if (!r && w[1])
		r = step_result(move_mount(tree, "", AT_FDCWD, w[1], MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	close(context);
	return r;
}

static int do_open_tree(char **w)
{
	return close_result(open_tree(AT_FDCWD, w[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/* PATH FILE: reads a file through a tree that is not attached */
static int do_read_in_tree(char **w)
{
	int tree = open_tree(AT_FDCWD, w[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), r;

	if (tree < 0)
		return -errno;
	r = close_result(openat(tree, w[1], O_RDONLY | O_CLOEXEC));
	close(tree);
	return r;
}

static int do_move_mount(char **w)
{
	return step_result(move_mount(AT_FDCWD, w[0], AT_FDCWD, w[1], 0));
}

/* PATH: of the mount, read-only */
static int do_mount_setattr(char **w)
{
	struct {
		uint64_t set, clear, propagation, userns_fd;
	} attr = { .set = MOUNT_ATTR_NOATIME, .clear = MOUNT_ATTR__ATIME };

	return step_result(syscall(SYS_mount_setattr, AT_FDCWD, w[0], 0, &attr, sizeof(attr)));
}

/* PATH: reconfigure its file system */
static int do_fspick(char **w)
{
	int context = fspick(AT_FDCWD, w[0], FSPICK_CLOEXEC), r;

	if (context < 0)
		return -errno;
	r = step_result(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	close(context);
	return r;
}

const struct step_command mount_commands[] = {
	{ "mount", 2, do_mount },
	{ "mount_bind", 2, do_mount_bind },
	{ "mount_move", 2, do_mount_move },
	{ "mount_remount", 1, do_mount_remount },
	{ "mount_private", 1, do_mount_private },
	{ "umount", 1, do_umount },
	{ "umount_detach", 1, do_umount_detach },
	{ "pivot_root", 2, do_pivot_root },
	{ "pivot_apart", 2, do_pivot_apart },
	{ "fsopen", 1, do_fsopen },
	{ "fsconfig", 1, do_fsconfig },
	{ "fsmount", 1, do_fsmount },
	{ "open_tree", 1, do_open_tree },
	{ "read_in_tree", 2, do_read_in_tree },
	{ "move_mount", 2, do_move_mount },
	{ "mount_setattr", 1, do_mount_setattr },
	{ "fspick", 1, do_fspick },
	{ NULL, 0, NULL },
};
