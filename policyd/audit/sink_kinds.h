/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kind of sink is to the list of sinks; nobody else's business. */
#ifndef PD_AUDIT_SINK_KINDS_H
#define PD_AUDIT_SINK_KINDS_H

#include "policyd/audit/sink.h"

#define SINK_RETRY_NS 1000000000ull /* between attempts to open what cannot be opened */

enum sink_result {
	SINK_LOST,
	SINK_KEPT,
	SINK_BUSY, /* would have to wait; so would all lines after it */
};

struct sink;

struct sink_kind {
	const char *name;
	/* Says for each line what became of it. Keeps stats.error, not the counters. */
	void (*write)(struct sink *sink, const struct sink_batch *batch, enum sink_result *results);
	bool (*flush)(struct sink *sink);  /* NULL: nothing is ever half-written */
	void (*reopen)(struct sink *sink); /* may be NULL */
	void (*free)(struct sink *sink);   /* the whole sink */
};

struct sink {
	const struct sink_kind *kind;
	unsigned int needs; /* SINK_NEEDS_* */
	struct sink_stats stats;
};

/** sinks_add() - takes the sink over, also when it fails with -ENOMEM */
int sinks_add(struct sinks *sinks, struct sink *sink);

/** sink_mark() - the same result for all lines from @first on */
static inline void sink_mark(enum sink_result *results, size_t first, size_t count,
			     enum sink_result result)
{
	for (size_t i = first; i < count; i++)
		results[i] = result;
}

#endif
