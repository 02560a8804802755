/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening socket, and who comes by it. */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/control/connection.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

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
	connection->reader.limit = connection_may_change(connection) ? 0 : SERVER_READER_FRAME;
	return connection;
}

static int add_connection(struct server *server, struct connection *connection)
{
	int r = loop_add(server->daemon->loop, connection->fd, EPOLLIN | EPOLLRDHUP,
			 connection_on_data, connection, &connection->source);

	if (r)
		return r;
	connection->next = server->first;
	server->first = connection;
	server->count++;
	server->readers += !connection_may_change(connection);
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
	       (!connection_may_change(connection) && server->readers >= SERVER_READERS_MAX);
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
	int r = server ? loop_timer_new(daemon->loop, server_on_patience, server, &server->timer) :
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
