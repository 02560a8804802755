/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup v2 directories by path: who is in them, and their end.
 */
#ifndef PD_BASE_CGROUP_H
#define PD_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policyd/base/error.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/** cgroup_check_v2() - -ENOTSUP with the reason on a v1 or hybrid hierarchy */
int cgroup_check_v2(struct pd_error *error);

/**
 * cgroup_id() - the number the kernel knows it by
 * @path: absolute, below CGROUP_ROOT
 *
 * It is the inode number of the directory (cgroup_id() in the kernel, kernfs on 64 bit).
 * Returns 0; -ENOTSUP when @path is no cgroup v2 directory; -errno.
 */
int cgroup_id(const char *path, uint64_t *ret_id);

/** cgroup_of() - path of a process's cgroup from "/" on, to be freed; @pid 0: own. -errno */
int cgroup_of(pid_t pid, char **ret_path);

/**
 * cgroup_is_roots() - may nobody but root make cgroups where this one is, and so have it called what they like?
 * @path: its directory; it need not be there
 *
 * 1 or 0; -ENAMETOOLONG, or the errno of stat().
 */
int cgroup_is_roots(const char *path);

/** cgroup_roots_part() - how much of a cgroup's path, from "/" on, only root can have named; 0: nothing */
size_t cgroup_roots_part(const char *cgroup);

/** cgroup_is_alone() - is this process the only one in it and below it? False also when that cannot be told */
bool cgroup_is_alone(const char *path, pid_t pid);

/** cgroup_populated() - 1: there is a task in it or below it, 0: there is none, or -errno */
int cgroup_populated(const char *path);

/** cgroup_add() - move a process (all its threads) into it */
int cgroup_add(const char *path, pid_t pid);

/** cgroup_kill() - SIGKILL to every task in it and below, forks in flight included (since 5.14) */
int cgroup_kill(const char *path);

/** cgroup_remove() - rmdir, the groups below first; missing is fine; -EBUSY while populated */
int cgroup_remove(const char *path);

#endif
