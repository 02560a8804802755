/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/control/connection.h"
#include "policyd/control/runs.h"

struct daemon *connection_daemon(const struct connection *connection)
{
	return connection->server->daemon;
}

pid_t connection_pid(const struct connection *connection)
{
	return connection->pid;
}

bool connection_is_private(const struct connection *connection)
{
	return connection->server->fd < 0;
}

void connection_follow(struct connection *connection)
{
	connection->follow = true;
}

void connection_set_run(struct connection *connection, struct run *run)
{
	connection->run = run;
}

struct run *connection_run(const struct connection *connection)
{
	return connection->run;
}

size_t server_clients(const struct server *server)
{
	return server->count;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- out ------------------------------------------------------------------------------------- */

static void forget_fds(struct connection *connection)
{
	for (size_t i = 0; i < connection->fd_count; i++)
		fd_close(connection->fds[i]);
	free(connection->fds);
	connection->fds = NULL;
	connection->fd_count = 0;
}

void connection_free(struct connection *connection)
{
	struct server *server = connection->server;
	struct connection **at = &server->first;
	bool private = server->fd < 0;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	server->count--;
	server->readers -= !connection_may_change(connection);
	loop_remove(connection->source);
	fd_close(connection->fd);
	forget_fds(connection);
	frame_reader_done(&connection->reader);
	free(connection->out);
	if (connection->run) {
		run_disown(connection->run);
		run_end(connection->run);
	} else if (private && !runs_count(server->daemon->runs)) {
		loop_quit(server->daemon->loop); /* or else at the end of the run */
	}
	free(connection);
}

static int queue(struct connection *connection, const void *data, size_t size)
{
	if (connection->sent == connection->used)
		connection->sent = connection->used = 0;
	if (size > connection->room - connection->used && connection->sent) {
		memmove(connection->out, connection->out + connection->sent,
			connection->used - connection->sent);
		connection->used -= connection->sent;
		connection->sent = 0;
	}
	if (size > connection->room - connection->used) {
		size_t room = connection->room ? connection->room : 4096;
		unsigned char *larger;

		while (size > room - connection->used)
			room *= 2;
		larger = realloc(connection->out, room);
		if (!larger)
			return -ENOMEM;
		connection->out = larger;
		connection->room = room;
	}
	memcpy(connection->out + connection->used, data, size);
	connection->used += size;
	return 0;
}

static ssize_t send_some(struct connection *connection)
{
	struct iovec part = { connection->out + connection->sent,
			      connection->used - connection->sent };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	CLEANUP_FREE char *control = NULL;
	size_t size = connection->fd_count * sizeof(int);
	struct cmsghdr *header;
	ssize_t n;

	if (size) {
		control = calloc(1, CMSG_SPACE(size));
		if (!control) {
			errno = ENOMEM;
			return -1;
		}
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(size);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(header), connection->fds, size);
	}
	n = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		forget_fds(connection);
	return n;
}

static void update_events(struct connection *connection)
{
	size_t waiting = connection->used - connection->sent;
	uint32_t events = waiting ? EPOLLOUT : 0;

	/* Who does not read what it asked for is not asked for more. */
	if (!connection->busy && !connection->closing && waiting < SERVER_QUEUE_MAX)
		events |= EPOLLIN;
	loop_modify(connection->source, events | EPOLLRDHUP);
}

/* False: the connection is gone. */
static bool flush(struct connection *connection)
{
	while (connection->sent < connection->used) {
		ssize_t n = send_some(connection);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			connection_free(connection);
			return false;
		}
		connection->sent += (size_t)n;
	}
	if (connection->sent == connection->used) {
		free(connection->out); /* idle clients cost no buffers */
		connection->out = NULL;
		connection->used = connection->sent = connection->room = 0;
		if (connection->closing) {
			connection_free(connection);
			return false;
		}
	}
	update_events(connection);
	return true;
}

static int queue_object(struct connection *connection, json_t *object)
{
	unsigned char *data;
	size_t size;
	int r = object ? frame_encode(object, &data, &size) : -ENOMEM;

	json_decref(object);
	if (r)
		return r;
	r = queue(connection, data, size);
	free(data);
	return r;
}

static void tell_dropped(struct connection *connection)
{
	if (connection->dropped &&
	    !queue_object(connection,
			  json_pack("{s:I}", "dropped", (json_int_t)connection->dropped)))
		connection->dropped = 0;
}

void connection_event(struct connection *connection, const char *line, size_t length)
{
	unsigned char *data;
	size_t size;

	if (connection->used - connection->sent + length > SERVER_QUEUE_MAX) {
		connection->dropped++;
		return;
	}
	tell_dropped(connection);
	if (frame_encode_event(line, length, &data, &size)) {
		connection->dropped++;
		return;
	}
	if (queue(connection, data, size))
		connection->dropped++;
	free(data);
}

void server_event(struct server *server, const struct event *event, struct slice json)
{
	struct connection *next;

	for (struct connection *c = server ? server->first : NULL; c; c = next) {
		bool idle = c->used == c->sent;

		next = c->next;
		if (!c->follow && !(c->run && run_cgroup_id(c->run) == event->record->binding))
			continue;
		connection_event(c, json.data, json.length);
		if (idle && !c->busy)
			update_events(c); /* sent from the loop, so that c stays valid here */
	}
}

int connection_give_fds(struct connection *connection, const int *fds, size_t count)
{
	connection->fds = calloc(count + 1, sizeof(*connection->fds));
	if (!connection->fds)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int fd = dup(fds[i]);

		if (fd < 0)
			return -errno;
		connection->fds[connection->fd_count++] = fd;
	}
	return 0;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void send_reply(struct connection *connection, json_t *reply, const struct pd_error *error)
{
	int r;

	tell_dropped(connection);
	r = queue_object(connection, error ? reply_error(error) : reply);
	if (r == -EMSGSIZE) {
		struct pd_error long_error;

		error_set(&long_error, r, "the answer is too long");
		r = queue_object(connection, reply_error(&long_error));
	}
	if (error)
		json_decref(reply);
	if (r)
		connection->closing = true;
}

static void handle(struct connection *connection, const json_t *object)
{
	struct control_request request;
	struct pd_error error = { .code = 0 };
	json_t *reply;
	int r = request_decode(object, &request, &error);

	if (r) {
		send_reply(connection, NULL, &error);
		return;
	}
	reply = json_pack("{s:b}", "ok", 1);
	if (!reply)
		r = error_set(&error, -ENOMEM, "out of memory");
	else if (!connection->reader_allowed || (request.changes && !connection->root))
		r = error_set(&error, -EPERM, "only root may %s",
			      request.changes ? "do this" : "ask this, and the socket's group");
	else if (request.changes && !connection_may_change(connection))
		r = error_set(&error, -EPERM,
			      "only a process that is not confined may do this, and a policy "
			      "confines this one");
	else if (request.command == CONTROL_RUN && connection->hold != ENFORCE_FREE)
		r = error_set(&error, -EPERM,
			      "a policy follows this process, and what it starts stays under "
			      "that one, whatever other is asked for");
	else
		r = command_handle(connection, &request, reply, &error);
	request_done(&request);
	if (r > 0) {
		connection->busy = true;
		json_decref(reply);
	} else {
		send_reply(connection, reply, r ? &error : NULL);
	}
}

void server_run_ended(struct connection *connection)
{
	connection->run = NULL;
	if (connection->busy)
		send_reply(connection, json_pack("{s:b}", "ok", 1), NULL);
	connection->busy = false;
	update_events(connection);
}

/* False: nothing more can come from this stream. */
static bool receive(struct connection *connection)
{
	char data[16384];
	ssize_t n = recv(connection->fd, data, sizeof(data), MSG_DONTWAIT);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	r = frame_feed(&connection->reader, data, (size_t)n);
	return !r || r == -EMSGSIZE; /* which frame_next() puts into words */
}

static void watch_patience(struct connection *connection)
{
	struct server *server = connection->server;

	if (!frame_pending(&connection->reader)) {
		connection->since_ms = 0;
	} else if (!connection->since_ms) {
		connection->since_ms = now_ms();
		loop_timer_arm(server->timer, SERVER_PATIENCE_MS);
	}
}

void server_on_patience(void *context, uint32_t events)
{
	struct server *server = context;
	struct connection *next;
	int64_t now = now_ms(), wait = -1;

	(void)events;
	for (struct connection *c = server->first; c; c = next) {
		int64_t left = c->since_ms + SERVER_PATIENCE_MS - now;

		next = c->next;
		if (!c->since_ms)
			continue;
		if (left <= 0)
			connection_free(c);
		else if (wait < 0 || left < wait)
			wait = left;
	}
	loop_timer_arm(server->timer, (int)wait);
}

static void connection_serve(struct connection *connection)
{
	struct pd_error error = { .code = 0 };
	json_t *object;
	int r;

	while (!connection->busy && !connection->closing &&
	       connection->used - connection->sent < SERVER_QUEUE_MAX) {
		r = frame_next(&connection->reader, &object, &error);
		if (r == 0)
			break;
		if (r < 0) {
			send_reply(connection, NULL, &error);
			connection->closing = true;
			break;
		}
		handle(connection, object);
		json_decref(object);
	}
	watch_patience(connection);
}

void connection_on_data(void *context, uint32_t events)
{
	struct connection *connection = context;

	/* Half-closed counts as closed, or it would be reported again and again. */
	if (events & (EPOLLERR | EPOLLHUP) || (events & EPOLLRDHUP && !(events & EPOLLIN))) {
		connection_free(connection);
		return;
	}
	if (events & EPOLLIN && !receive(connection)) {
		connection_free(connection);
		return;
	}
	connection_serve(connection);
	flush(connection);
}
