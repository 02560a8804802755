/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl events: what was decided, of the past and, with --follow, as it happens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/ctl/ctl.h"
#include "policyd/ctl/history.h"
#include "policyd/ctl/print.h"

#define COUNT_DEFAULT 20
#define COUNT_MAX 1000000

struct view {
	struct ctl *ctl;
	struct filter *filter;
	unsigned int flags;
	/* The last lines, rendered, newest first */
	char **lines;
	size_t count, used;
	/* The newest event of each ring that is past: what is not newer is no news. */
	struct {
		uint64_t sequence;
		int64_t time_us;
	} past[PD_RING_COUNT];
};

static bool on_past(void *context, struct event *event)
{
	struct view *view = context;
	size_t size;
	FILE *memory;

	if (!view->past[event->ring].sequence) {
		view->past[event->ring].sequence = event->record->sequence;
		view->past[event->ring].time_us = event->time_us;
	}
	if (!filter_match(view->filter, event))
		return true;
	memory = open_memstream(&view->lines[view->used], &size);
	if (!memory)
		return false;
	print_event(memory, event, view->ctl->json, view->flags);
	fclose(memory);
	return ++view->used < view->count;
}

static int show_past(struct view *view, struct pd_error *error)
{
	int r;

	if (!view->count)
		return 0;
	view->lines = calloc(view->count, sizeof(*view->lines));
	if (!view->lines)
		return error_set(error, -ENOMEM, "out of memory");
	r = history_read(view->ctl, on_past, view, error);
	while (view->used--) {
		if (!r)
			fputs(view->lines[view->used], stdout);
		free(view->lines[view->used]);
	}
	free(view->lines);
	fflush(stdout);
	return r;
}

/* Sequence numbers begin anew with each enforcement, so the time counts too. */
static bool is_news(const struct view *view, const struct event *event)
{
	return event->record->sequence > view->past[event->ring].sequence ||
	       event->time_us > view->past[event->ring].time_us;
}

static void show_object(struct view *view, const json_t *object)
{
	struct event *event;

	if (json_object_get(object, "dropped"))
		ctl_warn("%lld events were not shown: too many at once",
			 number_of(object, "dropped"));
	if (!json_object_get(object, "event") ||
	    event_from_json(json_object_get(object, "event"), &event, NULL))
		return;
	if (is_news(view, event) && filter_match(view->filter, event))
		print_event(stdout, event, view->ctl->json, view->flags);
	event_free(event);
}

/* From now on every event is kept for us; only then is the past read, so that none is between the two. */
static int subscribe(struct view *view, struct client **ret_client, struct pd_error *error)
{
	json_t *request = request_new(CONTROL_EVENTS), *reply;
	int r = ctl_connect(view->ctl, ret_client, error);

	if (r) {
		json_decref(request);
		return r;
	}
	json_object_set_new(request, "follow", json_true());
	r = client_call(*ret_client, request, &reply, error);
	if (!r)
		json_decref(reply);
	return r;
}

/* Until the daemon ends or nobody reads us any more */
static int follow(struct view *view, struct client *client, struct pd_error *error)
{
	json_t *object;
	int r = 0;

	while (!r && !ferror(stdout)) {
		r = client_receive(client, true, &object, error);
		if (r)
			break;
		show_object(view, object);
		json_decref(object);
	}
	return ferror(stdout) ? 0 : r;
}

static int add_filter(struct view *view, const char *key, const char *value)
{
	struct pd_error error = { .code = 0 };

	return filter_add(view->filter, key, value, &error) ? ctl_fail(view->ctl, &error) : CTL_OK;
}

static int parse_count(const char *text, size_t *ret_count)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*end || end == text || text[0] == '-' || count > COUNT_MAX)
		return -EINVAL;
	*ret_count = count;
	return 0;
}

static int show_events(struct view *view, bool following)
{
	struct pd_error error = { .code = 0 };
	struct client *client = NULL;
	int r = following ? subscribe(view, &client, &error) : 0;

	view->flags = EVENT_DATE | (isatty(STDOUT_FILENO) ? EVENT_COLOUR : 0);
	if (!r)
		r = show_past(view, &error);
	if (!r && following)
		r = follow(view, client, &error);
	if (client)
		client_free(client);
	return r ? ctl_fail(view->ctl, &error) : CTL_OK;
}

static int events(struct ctl *ctl, int argc, char **argv)
{
	/* filter_keys() by the names people type */
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "verdict", required_argument, NULL, 'v' },
		{ "class", required_argument, NULL, 'v' },
		{ "operation", required_argument, NULL, 'v' },
		{ "policy", required_argument, NULL, 'v' },
		{ "path", required_argument, NULL, 'v' },
		{ "exe", required_argument, NULL, 'v' },
		{ "comm", required_argument, NULL, 'v' },
		{ "pid", required_argument, NULL, 'v' },
		{ "cgroup", required_argument, NULL, 'v' },
		{ "ring", required_argument, NULL, 'v' },
		{ "reason", required_argument, NULL, 'v' },
		{ 0 },
	};
	struct view view = { .ctl = ctl, .filter = filter_new(), .count = COUNT_DEFAULT };
	int option = 0, index = 0, status = view.filter ? CTL_OK : CTL_ERROR;
	bool following = false;

	while (!status && (option = getopt_long(argc, argv, "fn:h", options, &index)) != -1) {
		switch (option) {
		case 'f':
			following = true;
			break;
		case 'j':
			ctl->json = true;
			break;
		case 'n':
			if (parse_count(optarg, &view.count))
				status = ctl_usage(&command_events, "-n takes a number");
			break;
		case 'v':
			status = add_filter(&view, options[index].name, optarg);
			break;
		case 'h':
			printf("usage: policyctl events %s\n\n%s\n\n%s", command_events.usage,
			       command_events.summary, command_events.help);
			filter_free(view.filter);
			return CTL_OK;
		default:
			status = CTL_ERROR;
		}
	}
	if (!status && optind != argc)
		status = ctl_usage(&command_events, "'%s' is not understood", argv[optind]);
	if (!status)
		status = show_events(&view, following);
	filter_free(view.filter);
	return status;
}

const struct command command_events = {
	.name = "events",
	.usage = "[-n N] [--follow] [--json] [--FILTER VALUE]...",
	.summary = "Show events: the last ones, and with --follow those to come",
	.help = "  -n N         the last N (20), 0 for none\n"
		"  -f --follow  go on as they happen\n"
		"  --verdict denied,would_deny,allowed   --class "
		"file,exec,socket,capability,guard\n"
		"  --operation open,connect,...   --policy NAME   --path GLOB   --exe GLOB   "
		"--comm NAME\n"
		"  --pid N   --cgroup GLOB   --ring denials,notices   --reason rule,...\n"
		"Several filters must all match; values of one filter, with commas, are "
		"alternatives.\n",
	.run = events,
};
