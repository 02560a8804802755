/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands under `policyctl run`: a cgroup, a policy, and the runner's life. When the runner says so,
 * lets go of its connection, or dies, what is left in the cgroup is killed, and only when nothing
 * is left is the policy taken away. Runs are written down in run_dir, so that the next daemon goes on.
 */
#ifndef PD_CONTROL_RUNS_H
#define PD_CONTROL_RUNS_H

#include "policyd/base/cgroup.h"
#include "policyd/control/daemon.h"

#define RUNS_FOLDER CGROUP_ROOT "/policyd.run"

struct connection;
struct runs;
struct run;

int runs_new(struct daemon *daemon, struct runs **ret_runs); /* 0 or -errno */
void runs_free(struct runs *runs);			     /* forgets them, ends none */

/** runs_list() - their policies, for store_read(); strings belong to the runs, the array does not */
int runs_list(const struct runs *runs, struct store_run **ret_list, size_t *ret_count);

/**
 * runs_begin() - bind a cgroup to a policy for as long as its runner lives
 * @owner: its connection; @runner: its process id
 *
 * The request's cgroup must be a folder of RUNS_FOLDER. A policy by name must be loaded (-ENOENT; that of another
 * command is not) and not disabled (-EINVAL). On success the policy is in force and tasks of
 * the cgroup become confined at their next exec. *ret_run is the connection's.
 */
int runs_begin(struct runs *runs, const struct control_request *request, struct connection *owner,
	       pid_t runner, struct run **ret_run, struct pd_error *error);

/** run_policy() - name of the policy it has; run_cgroup_id() - what events have as binding */
const char *run_policy(const struct run *run);
uint64_t run_cgroup_id(const struct run *run);

/**
 * run_end() - kill what is left and clean up, now or once the cgroup is empty
 *
 * server_run_ended() is called for the owner then, unless run_disown() was called.
 */
void run_end(struct run *run);
void run_disown(struct run *run);

/** runs_resume() - take over the runs a former daemon wrote down */
int runs_resume(struct runs *runs, struct pd_error *error);
/** runs_bind() - bind the resumed ones, after their policies are in force; end those whose runner is gone */
void runs_bind(struct runs *runs);

size_t runs_count(const struct runs *runs);

#endif
