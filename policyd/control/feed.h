/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events on their way through the daemon: rings to sinks (audit/pump.h), to the clients that asked,
 * and into a short memory for those that ask later.
 */
#ifndef PD_CONTROL_FEED_H
#define PD_CONTROL_FEED_H

#include "policyd/audit/pump.h"
#include "policyd/control/daemon.h"

#define FEED_HISTORY 256u		/* events remembered */
#define FEED_HISTORY_BYTES (512u << 10) /* in at most so much memory */

struct feed;

/** feed_new() - opens sinks and rings and has the loop pump them */
int feed_new(struct daemon *daemon, struct feed **ret_feed, struct pd_error *error);
void feed_free(struct feed *feed); /* NULL is fine */

/** feed_drain() - bring everything there is now to where it belongs, without waiting */
void feed_drain(struct feed *feed);

/** feed_reopen() - files, after logrotate */
void feed_reopen(struct feed *feed);

/** feed_history() - the last @count lines, oldest first, by way of @fn */
void feed_history(const struct feed *feed, size_t count,
		  void (*fn)(void *context, const char *line, size_t length), void *context);

/** feed_status() - rings, sinks, losses, for `status`; a new reference */
json_t *feed_status(const struct feed *feed);

#endif
