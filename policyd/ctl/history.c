/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/ctl/print.h"

/* False: enough */
static bool read_file(const char *path, history_fn *fn, void *context)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	bool more = true;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return true;
	while (more && (length = getline(&line, &room, file)) > 0) {
		struct event *event;

		if (event_parse_json(line, (size_t)length, &event, NULL))
			continue;
		more = fn(context, event);
		event_free(event);
	}
	free(line);
	fclose(file);
	return more;
}

static int read_daemon(struct ctl *ctl, history_fn *fn, void *context, struct pd_error *error)
{
	json_t *request = request_new(CONTROL_EVENTS), *object;
	struct client *client;
	bool more = true;
	int r = ctl_connect(ctl, &client, error);

	if (r) {
		json_decref(request);
		return r;
	}
	json_object_set_new(request, "history", json_integer(1024));
	r = client_send(client, request, error);
	while (!r && more) {
		struct event *event;

		r = client_receive(client, true, &object, error);
		if (r)
			break;
		if (json_object_get(object, "ok")) {
			r = reply_check(object, error);
			more = false;
		} else if (!event_from_json(json_object_get(object, "event"), &event, NULL)) {
			more = fn(context, event);
			event_free(event);
		}
		json_decref(object);
	}
	client_free(client);
	return r;
}

int history_read(struct ctl *ctl, history_fn *fn, void *context, struct pd_error *error)
{
	const struct config *config = ctl_config(ctl, error);

	if (!config)
		return error->code;
	if (!config->events.file_path || access(config->events.file_path, R_OK) < 0)
		return read_daemon(ctl, fn, context, error);
	for (unsigned long i = config->events.file_keep; i > 0; i--) {
		CLEANUP_FREE char *path = string_format("%s.%lu", config->events.file_path, i);

		if (path && !read_file(path, fn, context))
			return 0;
	}
	read_file(config->events.file_path, fn, context);
	return 0;
}
