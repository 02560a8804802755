/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the command line to a running loop, and back. */
#ifndef PD_DAEMON_START_H
#define PD_DAEMON_START_H

#include "policyd/control/config.h"

enum start_action { START_DAEMON, START_CHECK, START_PROBE, START_DETACH };

struct start {
	enum start_action action;
	const char *config_path;
	bool debug;
	int private_fd; /* -1: an ordinary daemon */
};

/** start_run() - do it; returns the exit status: 0, or after a message 2 when a policy or the configuration is wrong,
 * and 1 when anything else is */
int start_run(const struct start *start);

#endif
