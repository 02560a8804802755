/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events someone wants to see: `policyctl events --verdict denied --class file`. */
#ifndef PD_AUDIT_FILTER_H
#define PD_AUDIT_FILTER_H

#include "policyd/audit/event.h"

/* Every criterion given must hold; several values of one criterion are alternatives. */
struct filter;
struct filter *filter_new(void); /* matches everything; NULL: no memory */
void filter_free(struct filter *filter);

/**
 * filter_add() - add a value of a criterion
 * @key:   verdict, class, operation, policy, path (glob over path, unix name and new name; a
 *         trailing / means all below), exe (glob), comm, pid, cgroup (glob; what it matches and all
 *         below), ring, reason
 * @value: one value, or several with commas for verdict, class, operation, ring, reason, pid
 *
 * Returns 0, -ENOMEM, or -EINVAL with @error naming what is allowed.
 */
int filter_add(struct filter *filter, const char *key, const char *value, struct pd_error *error);

bool filter_match(const struct filter *filter, const struct event *event);

/** filter_keys() - names of all criteria, NULL-terminated, static */
const char *const *filter_keys(void);

#endif
