/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reload when a policy file changes. Bursts count as one. */
#ifndef PD_DAEMON_WATCH_H
#define PD_DAEMON_WATCH_H

#include "policyd/control/daemon.h"

struct watch;

/** watch_new() - of policy_dirs and include_dirs; calls daemon_reload() */
int watch_new(struct daemon *daemon, struct watch **ret_watch); /* 0 or -errno */
void watch_free(struct watch *watch);				/* NULL is fine */

/** watch_again() - folders may have come or been replaced; cheap when none has */
void watch_again(struct watch *watch);

#endif
