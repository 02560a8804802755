/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/feed.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/containers.h"
#include "policyd/control/server.h"

#define PUMP_AT_ONCE 1024u

struct line {
	char *text;
	size_t length;
};

struct feed {
	struct daemon *daemon;
	struct ring *rings[PD_RING_COUNT];
	struct source *sources[PD_RING_COUNT];
	struct timer *timer; /* while a sink is waited for */
	bool waiting;
	struct sinks *sinks;
	struct pump *pump;
	struct line history[FEED_HISTORY];
	size_t first, count, bytes;
};

static void forget_oldest(struct feed *feed)
{
	struct line *line = &feed->history[feed->first];

	feed->bytes -= line->length;
	free(line->text);
	*line = (struct line){ 0 };
	feed->first = (feed->first + 1) % FEED_HISTORY;
	feed->count--;
}

static void remember(struct feed *feed, struct slice json)
{
	char *text = malloc(json.length);

	if (!text)
		return;
	while (feed->count == FEED_HISTORY ||
	       (feed->count && feed->bytes + json.length > FEED_HISTORY_BYTES))
		forget_oldest(feed);
	memcpy(text, json.data, json.length);
	feed->history[(feed->first + feed->count++) % FEED_HISTORY] =
		(struct line){ text, json.length };
	feed->bytes += json.length;
}

static void on_event(void *context, const struct event *event, struct slice json)
{
	struct feed *feed = context;

	if (feed->daemon->run_dir)
		remember(feed, json);
	if (feed->daemon->containers && event->record->verdict == PD_DENIED)
		containers_count_denial(feed->daemon->containers, event->record->binding,
					event->record->repeat);
	server_event(feed->daemon->server, event, json);
}

/* While a sink has to be waited for, the rings stay readable and would spin the loop. */
static void pump_more(struct feed *feed)
{
	int timeout;
	bool wait;

	pump_run(feed->pump, PUMP_AT_ONCE);
	timeout = pump_timeout(feed->pump);
	wait = timeout >= 0;
	if (wait != feed->waiting)
		for (unsigned int i = 0; i < PD_RING_COUNT; i++)
			if (feed->sources[i])
				loop_modify(feed->sources[i], wait ? 0 : EPOLLIN);
	feed->waiting = wait;
	loop_timer_arm(feed->timer, timeout);
}

static void on_ring(void *context, uint32_t events)
{
	(void)events;
	pump_more(context);
}

static int add_sinks(struct feed *feed, struct pd_error *error)
{
	const struct config *config = feed->daemon->config;
	struct pd_error note = { .code = 0 };
	struct sink_file_options file = {
		.path = config->events.file_path,
		.rotate_bytes = config->events.file_max_size,
		.keep = (unsigned int)config->events.file_keep,
	};
	char text[ERROR_LINE_MAX];
	int r = 0;

	feed->sinks = sinks_new();
	if (!feed->sinks)
		return error_set(error, -ENOMEM, "out of memory");
	if (!feed->daemon->run_dir)
		return 0; /* private: its one client prints them */
	if (file.path)
		r = sinks_add_file(feed->sinks, &file, &note);
	if (!r && note.code)
		log_warning("events: %s; trying again when there are any",
			    error_render(&note, text, sizeof(text)));
	if (!r && config->events.stdout_form != STDOUT_OFF)
		r = sinks_add_stream(feed->sinks, STDOUT_FILENO,
				     config->events.stdout_form == STDOUT_JSON ? SINK_JSON :
										 SINK_HUMAN,
				     isatty(STDOUT_FILENO));
	if (!r && config->events.journald)
		r = sinks_add_journald(feed->sinks, NULL);
	return r ? error_set(error, r, "events: %s", note.code ? note.text : strerror(-r)) : 0;
}

static bool container_of(void *context, uint64_t binding, struct event_container *ret)
{
	const struct feed *feed = context;
	const struct container *c =
		feed->daemon->containers ? containers_of(feed->daemon->containers, binding) : NULL;

	if (!c)
		return false;
	*ret = (struct event_container){ .id = c->id,
					 .name = c->name,
					 .image = c->image,
					 .pod = c->pod,
					 .namespace = c->namespace,
					 .runtime = runtime_name(c->runtime) };
	return true;
}

static int open_rings(struct feed *feed, struct pd_error *error)
{
	struct pump_options options = {
		.state = enforce_state(feed->daemon->enforcer),
		.names = feed->daemon->names,
		.sinks = feed->sinks,
		.container_of = container_of,
		.container_context = feed,
	};
	int r = 0;

	for (unsigned int i = 0; !r && i < PD_RING_COUNT; i++) {
		int fd = enforce_ring_fd(feed->daemon->enforcer, (enum pd_ring)i);

		if (fd < 0)
			continue;
		r = ring_open(fd, 0, &feed->rings[i], error);
		options.rings[i] = feed->rings[i];
	}
	if (!r)
		r = pump_new(&options, &feed->pump, error);
	if (r)
		return r;
	pump_subscribe(feed->pump, on_event, feed);
	r = loop_timer_new(feed->daemon->loop, on_ring, feed, &feed->timer);
	for (unsigned int i = 0; !r && i < PD_RING_COUNT; i++)
		if (feed->rings[i])
			r = loop_add(feed->daemon->loop,
				     enforce_ring_fd(feed->daemon->enforcer, (enum pd_ring)i),
				     EPOLLIN, on_ring, feed, &feed->sources[i]);
	return r ? error_set(error, r, "epoll: %s", strerror(-r)) : 0;
}

int feed_new(struct daemon *daemon, struct feed **ret_feed, struct pd_error *error)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return error_set(error, -ENOMEM, "out of memory");
	feed->daemon = daemon;
	r = add_sinks(feed, error);
	if (!r)
		r = open_rings(feed, error);
	if (r) {
		feed_free(feed);
		return r;
	}
	*ret_feed = feed;
	return 0;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	for (unsigned int i = 0; i < PD_RING_COUNT; i++)
		loop_remove(feed->sources[i]);
	loop_timer_free(feed->timer);
	if (feed->pump)
		pump_free(feed->pump);
	for (unsigned int i = 0; i < PD_RING_COUNT; i++)
		if (feed->rings[i])
			ring_close(feed->rings[i]);
	if (feed->sinks)
		sinks_free(feed->sinks);
	while (feed->count)
		forget_oldest(feed);
	free(feed);
}

void feed_drain(struct feed *feed)
{
	/* Bounded: who keeps producing must not keep us here. */
	for (unsigned int i = 0; feed && i < 64; i++)
		if (pump_run(feed->pump, PUMP_AT_ONCE) < PUMP_AT_ONCE)
			break;
}

void feed_reopen(struct feed *feed)
{
	sinks_reopen(feed->sinks);
}

void feed_history(const struct feed *feed, size_t count,
		  void (*fn)(void *context, const char *line, size_t length), void *context)
{
	size_t skip = feed->count > count ? feed->count - count : 0;

	for (size_t i = skip; i < feed->count; i++) {
		const struct line *line = &feed->history[(feed->first + i) % FEED_HISTORY];

		fn(context, line->text, line->length);
	}
}

static json_t *ring_status(const struct pd_state *state, unsigned int ring)
{
	const struct pd_ring_counters *counters = &state->rings[ring];

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "generated",
			 (json_int_t)__atomic_load_n(&counters->generated, __ATOMIC_RELAXED),
			 "lost", (json_int_t)__atomic_load_n(&counters->lost, __ATOMIC_RELAXED),
			 "suppressed",
			 (json_int_t)__atomic_load_n(&counters->suppressed, __ATOMIC_RELAXED),
			 "delivered", (json_int_t)state->delivered[ring], "sink_lost",
			 (json_int_t)state->sink_lost[ring]);
}

json_t *feed_status(const struct feed *feed)
{
	const struct pd_state *state = enforce_state(feed->daemon->enforcer);
	json_t *sinks = json_array();

	for (size_t i = 0; i < sinks_count(feed->sinks); i++) {
		struct sink_stats stats;
		json_t *sink;

		sinks_stats(feed->sinks, i, &stats);
		sink = json_pack("{s:s, s:o?, s:I, s:I}", "kind", stats.kind, "target",
				 stats.target ? json_text(stats.target) : NULL, "written",
				 (json_int_t)stats.written, "lost", (json_int_t)stats.lost);
		if (stats.error)
			json_object_set_new(sink, "error", json_string(strerror(-stats.error)));
		json_array_append_new(sinks, sink);
	}
	return json_pack("{s:o, s:o, s:o}", "denials", ring_status(state, PD_RING_DENIALS),
			 "notices", ring_status(state, PD_RING_NOTICES), "sinks", sinks);
}
