// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/audit/pump.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/clock.h"

#define BUSY_RETRY_MS 20 /* between attempts when a sink's reader is slow */

/* Texts of a batch. A batch ends when one of the largest events might not fit any more. */
#define JSON_ROOM (256u << 10)
#define HUMAN_ROOM (160u << 10)

struct pump {
	struct pump_options options;
	char host[HOST_NAME_MAX + 1];
	pump_subscriber_fn *subscriber;
	void *context;
	struct pump_stats stats;
	bool pending;			 /* a sink has to be waited for */
	uint64_t damaged[PD_RING_COUNT]; /* of ring_damaged(): already counted */
	/* the batch being made */
	struct sink_line lines[SINK_BATCH_MAX];
	uint64_t ends[SINK_BATCH_MAX]; /* ring position behind each */
	struct buffer json, human, display;
	bool bad_next; /* the batch ended at a record that makes no sense */
};

/* What the entry at counted_to says, again: the daemon before may have been killed before it did. */
static void settle_counts(struct pd_state *state, enum pd_ring ring)
{
	/* we are the only writer; readers see each number whole */
	__atomic_store_n(&state->delivered[ring], state->counted_delivered[ring], __ATOMIC_RELAXED);
	__atomic_store_n(&state->sink_lost[ring], state->counted_lost[ring], __ATOMIC_RELAXED);
}

int pump_new(const struct pump_options *options, struct pump **ret_pump, struct pd_error *error)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	char *json = malloc(JSON_ROOM), *human = malloc(HUMAN_ROOM), *display = malloc(HUMAN_ROOM);

	if (!pump || !json || !human || !display) {
		free(pump);
		free(json);
		free(human);
		free(display);
		return error_set(error, -ENOMEM, "out of memory");
	}
	pump->options = *options;
	pump->options.host = pump->host;
	if (options->host)
		strncpy(pump->host, options->host, sizeof(pump->host) - 1);
	else if (gethostname(pump->host, sizeof(pump->host) - 1) < 0)
		pump->host[0] = '\0';
	for (enum pd_ring ring = 0; ring < PD_RING_COUNT; ring++)
		if (options->state && options->rings[ring] &&
		    options->state->counted_to[ring] > ring_position(options->rings[ring]))
			settle_counts(options->state, ring);
	buffer_init(&pump->json, json, JSON_ROOM);
	buffer_init(&pump->human, human, HUMAN_ROOM);
	buffer_init(&pump->display, display, HUMAN_ROOM);
	*ret_pump = pump;
	return 0;
}

void pump_free(struct pump *pump)
{
	if (!pump)
		return;
	free(pump->json.data);
	free(pump->human.data);
	free(pump->display.data);
	free(pump);
}

void pump_subscribe(struct pump *pump, pump_subscriber_fn *subscriber, void *context)
{
	pump->subscriber = subscriber;
	pump->context = context;
}

static struct slice since(const struct buffer *b, size_t start)
{
	return (struct slice){ b->data + start, b->used - start };
}

static bool has_room(const struct pump *pump)
{
	return pump->json.size - pump->json.used >= EVENT_JSON_MAX &&
	       pump->human.size - pump->human.used >= EVENT_HUMAN_MAX &&
	       pump->display.size - pump->display.used >= EVENT_HUMAN_MAX;
}

static void render(struct pump *pump, struct sink_line *line, unsigned int needs)
{
	size_t start;

	if (needs & SINK_NEEDS_JSON) {
		start = pump->json.used;
		event_json(&pump->json, &line->event);
		line->json = since(&pump->json, start);
	}
	if (needs & SINK_NEEDS_HUMAN) {
		start = pump->human.used;
		event_human(&pump->human, &line->event, EVENT_NO_TIME);
		line->human = since(&pump->human, start);
		line->human.length--; /* the newline */
	}
	if (needs & (SINK_NEEDS_DISPLAY | SINK_NEEDS_COLOUR)) {
		start = pump->display.used;
		event_human(&pump->display, &line->event,
			    needs & SINK_NEEDS_DISPLAY ? 0 : EVENT_COLOUR);
		line->display = since(&pump->display, start);
	}
}

static size_t fill_batch(struct pump *pump, enum pd_ring ring, size_t max)
{
	unsigned int needs = sinks_needs(pump->options.sinks) |
			     (pump->subscriber ? SINK_NEEDS_JSON : 0);
	int64_t offset_ns = clock_offset_ns();
	struct ring_record record;
	size_t count = 0;

	buffer_cut(&pump->json, 0);
	buffer_cut(&pump->human, 0);
	buffer_cut(&pump->display, 0);
	pump->bad_next = false;
	if (max > SINK_BATCH_MAX)
		max = SINK_BATCH_MAX;
	while (count < max && has_room(pump) && ring_next(pump->options.rings[ring], &record)) {
		struct sink_line *line = &pump->lines[count];
		struct event *event = &line->event;

		if (event_view(record.data, record.length, ring, event) < 0) {
			pump->bad_next = true;
			break;
		}
		event->host = pump->host;
		event->time_us = ((int64_t)event->record->time_ns + offset_ns) / 1000;
		names_resolve(pump->options.names, event);
		if (pump->options.container_of &&
		    pump->options.container_of(pump->options.container_context,
					       event->record->binding, &line->container))
			event->container = &line->container;
		render(pump, line, needs);
		pump->ends[count++] = record.end;
	}
	return count;
}

/* Records up to a position @to are done with. Killed at any point, it is counted once: counted_to makes
 * the sums valid, and they are taken over by pump_new() if the records come again. */
static void count(struct pump *pump, enum pd_ring ring, uint64_t to, uint64_t delivered,
		  uint64_t lost)
{
	struct pd_state *state = pump->options.state;

	pump->stats.delivered += delivered;
	pump->stats.sink_lost += lost;
	if (!state || to <= state->counted_to[ring])
		return;
	__atomic_store_n(&state->counted_delivered[ring], state->delivered[ring] + delivered,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&state->counted_lost[ring], state->sink_lost[ring] + lost,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&state->counted_to[ring], to, __ATOMIC_SEQ_CST);
	settle_counts(state, ring);
}

static bool is_counted(const struct pump *pump, enum pd_ring ring, uint64_t end)
{
	return pump->options.state && end <= pump->options.state->counted_to[ring];
}

static void count_bad(struct pump *pump, enum pd_ring ring, uint64_t bad)
{
	uint64_t to = ring_position(pump->options.rings[ring]);

	pump->stats.bad += bad;
	count(pump, ring, to, 0, bad);
	ring_commit(pump->options.rings[ring]);
}

/* Hands a batch of @lines over; returns how many are done with. */
static size_t write_batch(struct pump *pump, enum pd_ring ring, size_t lines)
{
	struct sink_batch batch = { .lines = pump->lines,
				    .count = lines,
				    .json = since(&pump->json, 0),
				    .display = since(&pump->display, 0) };
	size_t settled = sinks_write(pump->options.sinks, &batch);
	uint64_t kept = 0, lost = 0;

	for (size_t i = 0; i < settled; i++) {
		if (!is_counted(pump, ring, pump->ends[i])) {
			kept += pump->lines[i].kept;
			lost += !pump->lines[i].kept;
		}
		if (pump->subscriber)
			pump->subscriber(pump->context, &pump->lines[i].event, pump->lines[i].json);
	}
	if (settled) {
		count(pump, ring, pump->ends[settled - 1], kept, lost);
		ring_commit_to(pump->options.rings[ring], pump->ends[settled - 1]);
	} else {
		ring_rewind(pump->options.rings[ring]);
	}
	return settled;
}

static size_t run_ring(struct pump *pump, enum pd_ring ring, size_t max)
{
	struct ring *from = pump->options.rings[ring];
	size_t taken = 0;

	while (from && taken < max && !pump->pending) {
		size_t lines = fill_batch(pump, ring, max - taken);
		uint64_t damaged = ring_damaged(from) - pump->damaged[ring];
		size_t settled;

		if (lines) {
			/* a bad record or damage behind these lines is met again, at the front */
			pump->damaged[ring] += damaged;
			settled = write_batch(pump, ring, lines);

			taken += settled;
			pump->pending = settled < lines;
		} else if (pump->bad_next || damaged) {
			pump->damaged[ring] += damaged;
			count_bad(pump, ring, damaged ? damaged : 1);
			taken++;
		} else {
			ring_commit(from); /* discarded records */
			break;
		}
	}
	return taken;
}

size_t pump_run(struct pump *pump, size_t max)
{
	struct pd_state *state = pump->options.state;
	size_t taken = 0, waiting = 0;

	sinks_flush(pump->options.sinks);
	pump->pending = false;
	for (enum pd_ring ring = 0; ring < PD_RING_COUNT; ring++) {
		taken += run_ring(pump, ring, max - taken);
		if (pump->options.rings[ring])
			waiting += ring_waiting(pump->options.rings[ring]);
	}
	/* the kernel gives every container its share of the rings anew */
	if (state && taken && !waiting)
		__atomic_add_fetch(&state->epoch, 1, __ATOMIC_RELAXED);
	if (!sinks_flush(pump->options.sinks))
		pump->pending = true;
	return taken;
}

int pump_timeout(const struct pump *pump)
{
	return pump->pending ? BUSY_RETRY_MS : -1;
}

void pump_stats(const struct pump *pump, struct pump_stats *ret_stats)
{
	*ret_stats = pump->stats;
}
