/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon gives up once it has what it needs. */
#ifndef PD_DAEMON_SANDBOX_H
#define PD_DAEMON_SANDBOX_H

#include <stdbool.h>

#include "policyd/base/error.h"

/**
 * sandbox_enter() - drop capabilities, new privileges, and system calls
 * @debug: a call that is not allowed fails with EPERM and is logged by the kernel, instead of killing
 *         the process
 *
 * Not to be undone. Returns 0 or a negative errno with @error.
 */
int sandbox_enter(bool debug, struct pd_error *error);

#endif
