/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reload when a policy file changes. Bursts count as one, and do not put it off for more than a second. */
#ifndef PD_CONTROL_WATCH_H
#define PD_CONTROL_WATCH_H

#include "policyd/control/daemon.h"

struct watch;

/**
 * watch_new() - of policy_dirs and include_dirs; calls daemon_reload() from the daemon's loop
 *
 * Noticed are changes in a folder, and that a path leads to another one: what is missing appears, a symbolic
 * link is replaced, a directory above is renamed. Returns 0 or -errno.
 */
int watch_new(struct daemon *daemon, struct watch **ret_watch);
void watch_free(struct watch *watch); /* NULL is fine */

/** watch_again() - look where the paths lead now; before the folders are read, so that no change is between. NULL is
 * fine */
void watch_again(struct watch *watch);

#endif
