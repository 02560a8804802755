/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule that would have allowed what an event refused. */
#ifndef PD_CTL_GRANT_H
#define PD_CTL_GRANT_H

#include "policyd/audit/event.h"

/** grant_object() - the automaton an event's permissions belong to */
enum pd_object grant_object(const struct event *event);

/**
 * grant_snippet() - YAML for a policy, indented by two
 *
 * Allows no more than the event needs. Returns 0, -ENOENT when no rule can grant it, -E2BIG.
 */
int grant_snippet(const struct event *event, char *ret_text, size_t size);

#endif
