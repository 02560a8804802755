/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/server.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/runs.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

struct connection {
	struct connection *next;
	struct server *server;
	int fd;
	struct source *source;
	struct frame_reader reader;
	unsigned char *out; /* queue: out[sent..used) */
	size_t used, sent, room;
	int *fds; /* to go along with the next byte */
	size_t fd_count;
	pid_t pid;
	bool root, reader_allowed;
	enum enforce_hold hold; /* root in there is not root out here: asking sheds no policy */
	bool follow, busy, closing;
	uint64_t dropped;
	int64_t since_ms; /* of an unfinished request; 0: none */
	struct run *run;
};

struct server {
	struct daemon *daemon;
	int fd; /* listening; -1: private */
	struct source *source;
	struct timer *timer; /* while a request is unfinished */
	struct connection *first;
	size_t count,
		readers; /* all connections; those of others than root, or of root under a policy */
	gid_t group;	 /* members may read; 0: none but root */
};

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

/* Root in a confined task is one of many that may ask. */
static bool may_change(const struct connection *connection)
{
	return connection->root && connection->hold != ENFORCE_CONFINED;
}

static void connection_free(struct connection *connection)
{
	struct server *server = connection->server;
	struct connection **at = &server->first;
	bool private = server->fd < 0;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	server->count--;
	server->readers -= !may_change(connection);
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
	else if (request.changes && !may_change(connection))
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

static void on_patience(void *context, uint32_t events)
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

static void on_client(void *context, uint32_t events)
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

/* ---- who comes ------------------------------------------------------------------------------- */

static bool in_group(int fd, gid_t primary, gid_t group)
{
	gid_t groups[1024];
	socklen_t size = sizeof(groups);

	if (!group)
		return false;
	if (primary == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* By the descriptor of the process that connected; kernels before 6.5 know only its number. */
static enum enforce_hold hold_of(const struct server *server, int fd, pid_t pid)
{
	socklen_t size = sizeof(int);
	CLEANUP_FD int pidfd = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pidfd < 0 ? ENFORCE_CONFINED : enforce_hold(server->daemon->enforcer, pidfd);
}

static struct connection *connection_new(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (!connection)
		return NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		free(connection);
		return NULL;
	}
	connection->server = server;
	connection->fd = fd;
	connection->pid = peer.pid;
	connection->root = peer.uid == 0;
	connection->hold = hold_of(server, fd, peer.pid);
	connection->reader_allowed = connection->root || in_group(fd, peer.gid, server->group);
	connection->reader.limit = may_change(connection) ? 0 : SERVER_READER_FRAME;
	return connection;
}

static int add_connection(struct server *server, struct connection *connection)
{
	int r = loop_add(server->daemon->loop, connection->fd, EPOLLIN | EPOLLRDHUP, on_client,
			 connection, &connection->source);

	if (r)
		return r;
	connection->next = server->first;
	server->first = connection;
	server->count++;
	server->readers += !may_change(connection);
	return 0;
}

/* Answered before it has asked anything. */
static void turn_away(int fd)
{
	struct pd_error error;
	unsigned char *data;
	json_t *reply;
	size_t size;

	error_set(&error, -EBUSY,
		  "too many clients are connected; end some, like policyctl events -f");
	reply = reply_error(&error);
	if (reply && !frame_encode(reply, &data, &size)) {
		send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		free(data);
	}
	json_decref(reply);
}

static void on_listen(void *context, uint32_t events)
{
	struct server *server = context;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *connection = fd < 0 ? NULL : connection_new(server, fd);
	bool full;

	(void)events;
	if (!connection) {
		fd_close(fd);
		return;
	}
	full = server->count >= SERVER_CLIENTS_MAX ||
	       (!may_change(connection) && server->readers >= SERVER_READERS_MAX);
	if (full)
		turn_away(fd);
	if (full || add_connection(server, connection)) {
		fd_close(fd);
		free(connection);
	}
}

static int server_new(struct daemon *daemon, struct server **ret_server, struct pd_error *error)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = server ? loop_timer_new(daemon->loop, on_patience, server, &server->timer) :
			 -ENOMEM;

	if (r) {
		free(server);
		return error_set(error, r, "%s", strerror(-r));
	}
	server->daemon = daemon;
	server->fd = -1;
	*ret_server = server;
	return 0;
}

static int bind_socket(struct server *server, struct pd_error *error)
{
	const struct config *config = server->daemon->config;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct group *group = NULL;
	mode_t mask;
	int r;

	if (strlen(config->socket_path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG, "%s: too long for a socket",
				 config->socket_path);
	memcpy(address.sun_path, config->socket_path, strlen(config->socket_path) + 1);
	if (config->socket_group) {
		group = getgrnam(config->socket_group);
		if (!group)
			return error_set(error, -ENOENT, "socket: there is no group '%s'",
					 config->socket_group);
		server->group = group->gr_gid;
	}
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return error_set(error, -errno, "socket: %s", strerror(errno));
	/* The lock says that we are the only one: what is there is dead. */
	unlink(config->socket_path);
	mask = umask(0777); /* nobody connects before owner and mode are right */
	r = bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (!r && (chown(config->socket_path, 0, server->group) < 0 ||
		   chmod(config->socket_path, 0660) < 0 || listen(server->fd, 16) < 0))
		r = -errno;
	return r ? error_set(error, r, "%s: %s", config->socket_path, strerror(-r)) : 0;
}

int server_listen(struct daemon *daemon, struct server **ret_server, struct pd_error *error)
{
	struct server *server;
	int r = server_new(daemon, &server, error);

	if (r)
		return r;
	r = bind_socket(server, error);
	if (!r) {
		r = loop_add(daemon->loop, server->fd, EPOLLIN, on_listen, server, &server->source);
		if (r)
			error_set(error, r, "epoll: %s", strerror(-r));
	}
	if (r) {
		server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

int server_private(struct daemon *daemon, int fd, struct server **ret_server,
		   struct pd_error *error)
{
	struct connection *connection;
	struct server *server;
	int r = server_new(daemon, &server, error);

	if (r)
		return r;
	connection = connection_new(server, fd);
	r = connection ? add_connection(server, connection) : -ENOTSOCK;
	if (r) {
		free(connection);
		server_free(server);
		return error_set(error, r, "descriptor %d is no connected socket: %s", fd,
				 strerror(-r));
	}
	*ret_server = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	while (server->first) {
		/* A run goes on: the next daemon, or the runner's pidfd, ends it. */
		server->first->run = NULL;
		connection_free(server->first);
	}
	loop_remove(server->source);
	loop_timer_free(server->timer);
	if (server->fd >= 0)
		unlink(server->daemon->config->socket_path);
	fd_close(server->fd);
	free(server);
}
