/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of the past: the event file and the rotated ones beside it, or what the daemon remembers. */
#ifndef PD_CTL_HISTORY_H
#define PD_CTL_HISTORY_H

#include "policyd/audit/filter.h"
#include "policyd/ctl/ctl.h"

/* Return false to end. */
typedef bool history_fn(void *context, struct event *event);

/**
 * history_read() - all events there are, newest first
 *
 * From the files when they can be read, else from the daemon, which remembers few; what was decided before this was
 * called is among them, unless the daemon takes more than two seconds. Lines that are no events are skipped.
 * Returns 0, -errno with @error.
 */
int history_read(struct ctl *ctl, history_fn *fn, void *context, struct pd_error *error);

#endif
