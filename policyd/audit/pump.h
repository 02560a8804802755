/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel's rings to the sinks. Counting is exact, per ring:
 *
 *   generated = records + lost + suppressed        kept by the kernel (struct pd_ring_counters)
 *   records   = delivered + sink_lost + waiting    kept here (struct pd_state); waiting: in the ring
 *
 * delivered: at least one sink kept it. sink_lost: none did, or the record made no sense. Both are written just before the
 * records are given back to the kernel, which happens after the sinks have written them. A daemon that is
 * killed in between brings the last batch again, with the same sequence numbers; the next one sees from
 * pd_state.counted_to that it is counted, and counts it no second time.
 */
#ifndef PD_AUDIT_PUMP_H
#define PD_AUDIT_PUMP_H

#include "policyd/audit/names.h"
#include "policyd/audit/ring.h"
#include "policyd/audit/sink.h"

struct pump;

struct pump_options {
	struct ring *rings[PD_RING_COUNT]; /* not owned; one may be NULL */
	struct pd_state *state;	   /* the daemon's counters are updated in it; may be NULL */
	const struct names *names; /* not owned */
	struct sinks *sinks;	   /* not owned */
	const char *host;	   /* copied; NULL: gethostname() */
	/* Whose container the binding of an event is; false: none's. Its strings stay while the event does. */
	bool (*container_of)(void *context, uint64_t binding, struct event_container *ret);
	void *container_context;
};

int pump_new(const struct pump_options *options, struct pump **ret_pump, struct pd_error *error);
void pump_free(struct pump *pump);

/**
 * Someone who wants events as they pass, besides the sinks: the control server, which does its own
 * filtering and dropping. Called after the sinks; @json is one line with newline; nothing may be kept
 * without copying.
 */
typedef void pump_subscriber_fn(void *context, const struct event *event, struct slice json);

/** pump_subscribe() - at most one; NULL ends it (JSON is then only rendered if a sink needs it) */
void pump_subscribe(struct pump *pump, pump_subscriber_fn *subscriber, void *context);

/**
 * pump_run() - move what is there, denials first
 * @max: records to take at most, so that other work gets its turn
 *
 * Call it when a ring's descriptor is readable or pump_timeout() has passed. Never blocks. Returns the
 * number of records taken.
 */
size_t pump_run(struct pump *pump, size_t max);

/**
 * pump_timeout() - milliseconds until pump_run() should be called although nothing became readable
 *
 * -1: no need, the usual case. Otherwise a sink has to be waited for; the rings' descriptors stay
 * readable meanwhile, so do not poll them until then.
 */
int pump_timeout(const struct pump *pump);

struct pump_stats {
	uint64_t delivered, sink_lost; /* since pump_new(), both rings */
	uint64_t bad;		       /* records that made no sense; part of sink_lost */
};
void pump_stats(const struct pump *pump, struct pump_stats *ret_stats);

#endif
