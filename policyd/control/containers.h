/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers as the daemon keeps them: found by the kernel's word that somebody is held, or by looking through
 * the cgroups at the start; asked about; bound to the policies that are for them; forgotten with their cgroup.
 */
#ifndef PD_CONTROL_CONTAINERS_H
#define PD_CONTROL_CONTAINERS_H

#include <jansson.h>

#include "policyd/control/daemon.h"
#include "policyd/workload/select.h"

struct containers;

int containers_new(struct daemon *daemon, struct containers **ret_containers,
		   struct pd_error *error);
void containers_free(struct containers *all); /* NULL is fine; what is bound stays bound */

/** containers_scan() - those that run already; what is bound and is no more is unbound */
void containers_scan(struct containers *all);

/**
 * containers_prepare() - which policies would be for whom, if these came into force
 *
 * Nothing changes until containers_commit(); a later call takes the place of an earlier one. -ENOMEM
 */
int containers_prepare(struct containers *all, const struct policy_list *policies);

/** containers_sets() - the sets of policies that some container has then: compile_input.extra_sets. To be
 * freed by containers_sets_free(); the names stay until the next containers_prepare(). -ENOMEM */
int containers_sets(const struct containers *all, const char *const **ret_sets[],
		    size_t *ret_count);

void containers_sets_free(const char *const **sets, size_t count);

/** containers_commit() - they are in force: bind everybody anew, label what runs, let go who is held */
void containers_commit(struct containers *all);

/** containers_scan_later() - in a few seconds and again and again, while policies ask for containers or a sweep has
 * passed somebody over */
void containers_scan_later(struct containers *all);

/** containers_of() - the container of an event's binding; NULL: none, or it is gone */
const struct container *containers_of(const struct containers *all, uint64_t binding);

/** containers_count_denial() - for `ps` */
void containers_count_denial(struct containers *all, uint64_t binding, uint32_t times);

/**
 * containers_bind() - the container that is being made, before its first program: what an OCI hook asks for
 * @pid:    a process in it
 * @reply:  gets its name and policies
 *
 * -ESRCH: no such process; -ENODATA: it is in no container's cgroup; or why it cannot be known or bound.
 */
int containers_bind(struct containers *all, pid_t pid, const char *id, const char *bundle,
		    json_t *reply, struct pd_error *error);

/** containers_list() - for `ps`; a new reference */
json_t *containers_list(const struct containers *all);

#endif
