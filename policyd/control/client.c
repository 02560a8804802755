/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policyd/base/fd.h"

#define CONNECT_S 5
#define ANSWER_S 100 /* starting, and loading many policies, takes some seconds */

struct client {
	int fd;
	struct frame_reader reader;
	int *kept; /* descriptors that came along */
	size_t kept_count;
};

struct client *client_new(int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		fd_close(fd);
		return NULL;
	}
	client->fd = fd;
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < client->kept_count; i++)
		fd_close(client->kept[i]);
	free(client->kept);
	frame_reader_done(&client->reader);
	fd_close(client->fd);
	free(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

const int *client_kept(const struct client *client, size_t *ret_count)
{
	*ret_count = client->kept_count;
	return client->kept;
}

/* While a daemon that has been stopped has its queue full, connect() would wait until it is not. */
static int connect_soon(int fd, const struct sockaddr_un *address)
{
	struct timeval limit = { .tv_sec = CONNECT_S }, none = { 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none)))
		return -errno;
	return 0;
}

int client_connect(const char *path, struct client **ret_client, struct pd_error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "socket: %s", strerror(errno));
	r = connect_soon(fd, &address);
	if (r) {
		fd_close(fd);
		if (r == -ENOENT || r == -ECONNREFUSED)
			return error_set(error, -ECONNREFUSED,
					 "policyd is not running (nobody listens at %s)", path);
		if (r == -EAGAIN)
			return error_set(error, r,
					 "%s: policyd has taken no connection for %d s; has it "
					 "been stopped (SIGSTOP), or is it asked by too many?",
					 path, CONNECT_S);
		return error_set(error, r, "%s: %s%s", path, strerror(-r),
				 r == -EACCES ? "; are you root, or in the socket's group?" : "");
	}
	*ret_client = client_new(fd);
	return *ret_client ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int client_send(struct client *client, json_t *request, struct pd_error *error)
{
	unsigned char *data;
	size_t size;
	int r = request ? frame_encode(request, &data, &size) : -ENOMEM;

	json_decref(request);
	if (r == -EMSGSIZE)
		return error_set(
			error, r,
			"the request is longer than the %u MiB that policyd takes at once; "
			"load fewer files at a time",
			CONTROL_FRAME_MAX >> 20);
	if (r)
		return error_set(error, r, "out of memory");
	for (size_t done = 0; !r && done < size;) {
		ssize_t n = send(client->fd, data + done, size - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	free(data);
	if (r)
		error_set(error, r, "the connection to policyd broke: %s", strerror(-r));
	return r;
}

static int keep_fds(struct client *client, struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int r = 0;

	for (; header; header = CMSG_NXTHDR(message, header)) {
		const int *fds = (const int *)CMSG_DATA(header);
		size_t count;
		int *larger;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		larger = realloc(client->kept, (client->kept_count + count) * sizeof(int));
		if (!larger) {
			for (size_t i = 0; i < count; i++)
				fd_close(fds[i]);
			r = -ENOMEM;
			continue;
		}
		memcpy(larger + client->kept_count, fds, count * sizeof(int));
		client->kept = larger;
		client->kept_count += count;
	}
	return r;
}

/* 0 when something was received */
static int receive_more(struct client *client, bool wait)
{
	char data[16384];
	union {
		char space[CMSG_SPACE(CLIENT_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { data, sizeof(data) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r;

	do {
		n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (n < 0 && errno == EINTR && wait);
	if (n < 0)
		return -errno;
	r = keep_fds(client, &message);
	if (r)
		return r;
	return n == 0 ? -ECONNRESET : frame_feed(&client->reader, data, (size_t)n);
}

int client_receive(struct client *client, bool wait, json_t **ret_object, struct pd_error *error)
{
	for (;;) {
		int r = frame_next(&client->reader, ret_object, error);

		if (r)
			return r < 0 ? r : 0;
		r = receive_more(client, wait);
		if (r == -EAGAIN || r == -EINTR)
			return -EAGAIN;
		if (r)
			return error_set(error, r, "the connection to policyd broke: %s",
					 r == -ECONNRESET ? "it has ended" : strerror(-r));
	}
}

int client_call(struct client *client, json_t *request, json_t **ret_reply, struct pd_error *error)
{
	int sent = client_send(client, request, error);
	int r = sent == -EPIPE || sent == -ECONNRESET ? 0 : sent;
	struct timeval limit = { .tv_sec = ANSWER_S }, none = { 0 };
	json_t *object;

	if (!r && setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		r = error_set(error, -errno, "setsockopt: %s", strerror(errno));
	while (!r) {
		/* Who was turned away before it could ask may have been told why. */
		struct pd_error broken = *error;

		r = client_receive(client, true, &object, error);
		if (r == -EAGAIN)
			r = error_set(error, -ETIMEDOUT,
				      "policyd has not answered for %d s; has it been stopped "
				      "(SIGSTOP)?",
				      ANSWER_S);
		if (r && sent)
			*error = broken;
		if (r)
			break;
		if (!json_object_get(object, "ok")) {
			json_decref(object);
			continue;
		}
		r = reply_check(object, error);
		if (r)
			json_decref(object);
		else
			*ret_reply = object;
		break;
	}
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	return r;
}
