/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run and doctor need when there is no daemon: one of their own, and a cgroup. */
#ifndef PD_CTL_PRIVATE_H
#define PD_CTL_PRIVATE_H

#include <sys/types.h>

#include "policyd/control/client.h"

/** policyd_path() - the daemon's program: beside ours, else /usr/sbin/policyd; to be freed */
char *policyd_path(void);

/** private_start() - a policyd for us alone, with our configuration; it ends when @ret_client is freed */
int private_start(const char *config_path, struct client **ret_client, pid_t *ret_pid,
		  struct pd_error *error);

/**
 * guardian_start() - a process that ends the cgroup when runner and private policyd both die
 *
 * Each of the two sees to that when the other dies. The guardian, which holds the policy's descriptors
 * too, is for both dying at once. Returns its process id, or -errno with @error.
 */
pid_t guardian_start(const struct client *client, pid_t private_pid, const char *cgroup,
		     struct pd_error *error);

/** guardian_end() - it is not needed any more; returns when it is gone. 0: there is none */
void guardian_end(pid_t guardian);

/** run_cgroup_new() - a fresh, empty cgroup for a command; the path is to be freed */
int run_cgroup_new(char **ret_path, struct pd_error *error);

/** run_cgroup_end() - kill what is in it, wait until it is empty, remove it; gone is fine */
void run_cgroup_end(const char *path);

#endif
