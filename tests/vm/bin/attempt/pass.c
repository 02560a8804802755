// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors from other processes, through a socket. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* SOCKET: for each "FLAGS PATH" it is sent, opens that and sends the descriptor. Never returns. */
static int do_serve(char **a)
{
	struct sockaddr_un address;
	int listener = unix_socket(a[1], &address), client;

	if (bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 8) < 0)
		return -errno;
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		char text[PATH_MAX] = "", control[CMSG_SPACE(sizeof(int))] = "", *path;
		struct iovec iov = { .iov_base = text, .iov_len = 1 };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		int fd = -1;

		if (recv(client, text, sizeof(text) - 1, 0) > 0 && (path = strchr(text, ' '))) {
			*path++ = '\0';
			fd = get(text, path);
		}
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
							     .cmsg_type = SCM_RIGHTS,
							     .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
		if (fd >= 0)
			sendmsg(client, &message, 0);
		close(fd);
		close(client);
	}
	return -errno;
}

static int do_receive(char **a) /* SOCKET FLAGS PATH [CMD...]; CMD knows it as fd:50 */
{
	struct sockaddr_un address;
	int s = unix_socket(a[1], &address), fd;
	char text[PATH_MAX], control[CMSG_SPACE(sizeof(int))] = "", *more[16] = { NULL };
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int count = 0;

	snprintf(text, sizeof(text), "%s %s", a[2], a[3]);
	if (connect(s, (void *)&address, sizeof(address)) < 0 ||
	    send(s, text, strlen(text), 0) < 0 || recvmsg(s, &message, 0) < 0)
		return -errno;
	if (message.msg_controllen < sizeof(struct cmsghdr))
		return NO_DESCRIPTOR;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	dup2(fd, 50);
	while (a[4 + count] && count < 15) {
		more[count] = a[4 + count];
		count++;
	}
	return count ? run(count, more) : 0;
}

const struct command pass_commands[] = {
	{ "serve", 1, do_serve },
	{ "receive", 3, do_receive },
	{ NULL, 0, NULL },
};
