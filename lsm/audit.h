/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_AUDIT_H
#define PD_LSM_AUDIT_H

#include "lsm/judge.h"

/**
 * pd_report_send() - complete the event in s->report and hand it to its ring
 * @s: report.event has everything about the decision; name (and other) hold the object's names as
 *     object_len and object2_len say. `other` is overwritten.
 *
 * Adds subject, times, numbers; counts. Never fails: what the ring cannot take is counted lost, what
 * is over budget suppressed. Returns 0.
 */
int pd_report_send(struct pd_scratch *s);

/**
 * pd_tell() - tell what s->outcome says
 * @ask: what was asked; s->name (and other) hold the names of its objects
 *
 * Names the rule that decided, or none when another image has come since. Returns 0.
 */
int pd_tell(struct pd_ask *ask, struct pd_scratch *s);

#endif
