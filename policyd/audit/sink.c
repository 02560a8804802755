// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "policyd/audit/sink_kinds.h"
#include "policyd/base/array.h"

struct sinks {
	struct sink **items;
	size_t count;
	enum sink_result *results; /* [sink][SINK_BATCH_MAX], of the batch being written */
};

struct sinks *sinks_new(void)
{
	return calloc(1, sizeof(struct sinks));
}

void sinks_free(struct sinks *sinks)
{
	if (!sinks)
		return;
	sinks_flush(sinks);
	for (size_t i = 0; i < sinks->count; i++)
		sinks->items[i]->kind->free(sinks->items[i]);
	free(sinks->items);
	free(sinks->results);
	free(sinks);
}

int sinks_add(struct sinks *sinks, struct sink *sink)
{
	enum sink_result *results = realloc(sinks->results, (sinks->count + 1) * SINK_BATCH_MAX *
								    sizeof(*sinks->results));
	struct sink **item = NULL;

	if (results) {
		sinks->results = results;
		item = array_append((void *)&sinks->items, &sinks->count, sizeof(*item));
	}
	if (!item) {
		sink->kind->free(sink);
		return -ENOMEM;
	}
	sink->stats.kind = sink->kind->name;
	*item = sink;
	return 0;
}

unsigned int sinks_needs(const struct sinks *sinks)
{
	unsigned int needs = 0;

	for (size_t i = 0; i < sinks->count; i++)
		needs |= sinks->items[i]->needs;
	return needs;
}

/*
 * Behind the last line that any sink kept, nothing has happened yet. When a sink that only has to be
 * waited for would keep those lines, they are better brought again than lost.
 */
static size_t settled_of(const struct sinks *sinks, const struct sink_batch *batch)
{
	size_t settled = batch->count;
	bool busy = false;

	while (settled && !batch->lines[settled - 1].kept)
		settled--;
	if (settled == batch->count)
		return settled;
	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->results[i * SINK_BATCH_MAX + batch->count - 1] == SINK_BUSY)
			busy = true;
	return busy ? settled : batch->count;
}

size_t sinks_write(struct sinks *sinks, struct sink_batch *batch)
{
	size_t settled;

	for (size_t line = 0; line < batch->count; line++)
		batch->lines[line].kept = false;
	if (!batch->count)
		return 0;
	for (size_t i = 0; i < sinks->count; i++) {
		enum sink_result *results = sinks->results + i * SINK_BATCH_MAX;

		sinks->items[i]->kind->write(sinks->items[i], batch, results);
		for (size_t line = 0; line < batch->count; line++)
			batch->lines[line].kept |= results[line] == SINK_KEPT;
	}
	settled = settled_of(sinks, batch);
	for (size_t i = 0; i < sinks->count; i++) {
		struct sink_stats *stats = &sinks->items[i]->stats;

		for (size_t line = 0; line < settled; line++) {
			if (sinks->results[i * SINK_BATCH_MAX + line] == SINK_KEPT)
				stats->written++;
			else
				stats->lost++;
		}
	}
	return settled;
}

bool sinks_flush(struct sinks *sinks)
{
	bool done = true;

	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->items[i]->kind->flush && !sinks->items[i]->kind->flush(sinks->items[i]))
			done = false;
	return done;
}

void sinks_reopen(struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->items[i]->kind->reopen)
			sinks->items[i]->kind->reopen(sinks->items[i]);
}

size_t sinks_count(const struct sinks *sinks)
{
	return sinks->count;
}

void sinks_stats(const struct sinks *sinks, size_t index, struct sink_stats *ret_stats)
{
	*ret_stats = sinks->items[index]->stats;
}
