/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_LSM_AUDIT_H
#define PD_LSM_AUDIT_H

#include "lsm/maps.h"

/**
 * pd_report_send() - complete the event in s->report and hand it to its ring
 * @s: report.event has everything about the decision; name (and other) hold the object's names as
 *     object_len and object2_len say. `other` is overwritten.
 *
 * Adds subject, times, numbers; counts. Never fails: what the ring cannot take is counted lost, what
 * is over budget suppressed. Returns 0.
 */
int pd_report_send(struct pd_scratch *s);

#endif
