/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_NAME_H
#define PD_LSM_NAME_H

#include "lsm/maps.h"

enum pd_name_status {
	PD_NAME_OK,	/* text holds the object's name */
	PD_NAME_NONE,	/* it has none that can be trusted; reason says why */
	PD_NAME_MEMORY, /* memfd and shared memory: text holds "memfd:" */
	PD_NAME_HANDLE, /* pipes, sockets, anonymous inodes: no file, never an alias of one */
	PD_NAME_LAYER,	/* the kernel's own open of the file below a stacked one, already judged */
};

#define PD_NAME_LAST 1u /* an unlinked object goes by its last name */

/**
 * pd_name_of() - the name of a dentry seen through a mount
 * @n:     gets text, at, length, status, reason
 * @vfsmount: what it is seen through
 * @ours: the struct mnt_namespace that has to be in; 0: the current task's
 *
 * Walks dentries and mounts up to the root of the mount's namespace, whatever the task's root
 * directory is (chroot changes nothing). The name is consistent: a second pass finds each dentry's
 * d_seq and each mount as the first saw them, so there was a moment between both at which all of
 * it was true. d_path() is not used: it lies after chroot and for detached and foreign mounts,
 * and 6.1 refuses it in most hooks.
 *
 * Returns enum pd_name_status. Must run under RCU (any non-sleepable program does).
 */
int pd_name_of(struct pd_name *n, __u64 dentry, __u64 vfsmount, __u64 ours, __u32 flags);

/** pd_name_cgroup() - the path of a kernfs node below the cgroup root, "/" for the root itself.
 * Returns enum pd_name_status. */
int pd_name_cgroup(struct pd_name *n, __u64 kernfs_node);

#endif
