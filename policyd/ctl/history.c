/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/history.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/ctl/print.h"

#define CHUNK (64u << 10)
#define LINE_MAX_SIZE (1u << 20) /* far more than an event can have */

/* A file read from its end: the bytes from @at on that have not been given out. */
struct backwards {
	int fd;
	off_t at;
	char *text;
	size_t used, room;
};

/* Reads what comes before. False: nothing does, or it cannot be read. */
static bool read_before(struct backwards *b)
{
	size_t size = b->at < (off_t)CHUNK ? (size_t)b->at : CHUNK;
	char *text;

	if (b->used > LINE_MAX_SIZE) /* no event; what is before it may be some */
		b->used = 0;
	if (!size)
		return false;
	if (b->used + size > b->room) {
		text = realloc(b->text, 2 * (b->used + size));
		if (!text)
			return false;
		b->text = text;
		b->room = 2 * (b->used + size);
	}
	memmove(b->text + size, b->text, b->used);
	if (pread(b->fd, b->text, size, b->at - (off_t)size) != (ssize_t)size)
		return false;
	b->at -= (off_t)size;
	b->used += size;
	return true;
}

/* The last line that has not been given out, without its newline; NULL: there is none. */
static char *last_line(struct backwards *b, size_t *ret_length)
{
	char *newline;
	size_t start;

	if (b->used && b->text[b->used - 1] == '\n')
		b->used--;
	while (!(newline = b->used ? memrchr(b->text, '\n', b->used) : NULL))
		if (!read_before(b))
			break;
	if (!newline && !b->used)
		return NULL;
	start = newline ? (size_t)(newline - b->text) + 1 : 0;
	*ret_length = b->used - start;
	b->used = start;
	return b->text + start;
}

/* False: enough */
static bool read_file(const char *path, history_fn *fn, void *context)
{
	struct backwards b = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct event *event;
	bool more = true;
	size_t length;
	char *line;

	if (b.fd < 0)
		return true;
	b.at = lseek(b.fd, 0, SEEK_END);
	while (more && b.at >= 0 && (line = last_line(&b, &length))) {
		if (event_parse_json(line, length, &event, NULL))
			continue;
		more = fn(context, event);
		event_free(event);
	}
	free(b.text);
	fd_close(b.fd);
	return more;
}

#define DAEMON_EVENTS 1024 /* more than it remembers */

/* The daemon tells them oldest first. */
static int take_from_daemon(struct client *client, struct event **events, size_t *count,
			    struct pd_error *error)
{
	json_t *object;
	int r = 0;

	for (bool more = true; !r && more; json_decref(object)) {
		r = client_receive(client, true, &object, error);
		if (r)
			return r;
		more = !json_object_get(object, "ok");
		if (!more)
			r = reply_check(object, error);
		else if (*count < DAEMON_EVENTS &&
			 !event_from_json(json_object_get(object, "event"), &events[*count], NULL))
			++*count;
	}
	return r;
}

static int ask_daemon(struct ctl *ctl, struct event **events, size_t *count, struct pd_error *error)
{
	json_t *request = request_new(CONTROL_EVENTS);
	struct client *client;
	int r = ctl_connect(ctl, &client, error);

	if (r) {
		json_decref(request);
		return r;
	}
	json_object_set_new(request, "history", json_integer(DAEMON_EVENTS));
	r = client_send(client, request, error);
	if (!r)
		r = take_from_daemon(client, events, count, error);
	client_free(client);
	return r;
}

static int read_daemon(struct ctl *ctl, history_fn *fn, void *context, struct pd_error *error)
{
	struct event **events = calloc(DAEMON_EVENTS, sizeof(struct event *));
	size_t count = 0;
	bool more;
	int r;

	if (!events)
		return error_set(error, -ENOMEM, "out of memory");
	r = ask_daemon(ctl, events, &count, error);
	more = !r;
	while (count--) {
		more = more && fn(context, events[count]);
		event_free(events[count]);
	}
	free(events);
	return r;
}

#define ANSWER_MS 2000

/* The daemon writes events when it gets to it; before it answers, it has written what there was. */
static void have_them_written(struct ctl *ctl)
{
	struct pd_error ignored;
	struct client *client;

	if (ctl_connect(ctl, &client, &ignored))
		return;
	if (!client_send(client, request_new(CONTROL_EVENTS), &ignored)) {
		struct pollfd answer = { .fd = client_fd(client), .events = POLLIN };

		/* the file is there, whether it answers or not */
		poll(&answer, 1, ANSWER_MS);
	}
	client_free(client);
}

int history_read(struct ctl *ctl, history_fn *fn, void *context, struct pd_error *error)
{
	const struct config *config = ctl_config(ctl, error);

	if (!config)
		return error->code;
	if (!config->events.file_path || access(config->events.file_path, R_OK) < 0)
		return read_daemon(ctl, fn, context, error);
	have_them_written(ctl);
	if (!read_file(config->events.file_path, fn, context))
		return 0;
	for (unsigned long i = 1; i <= config->events.file_keep; i++) {
		CLEANUP_FREE char *path = string_format("%s.%lu", config->events.file_path, i);

		if (path && !read_file(path, fn, context))
			return 0;
	}
	return 0;
}
