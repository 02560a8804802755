/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The asking side of the control socket. Blocks. */
#ifndef PD_CONTROL_CLIENT_H
#define PD_CONTROL_CLIENT_H

#include "policyd/control/protocol.h"

#define CLIENT_FDS_MAX 253u /* SCM_MAX_FD of the kernel */

struct client;

/**
 * client_connect() - waits some seconds for a daemon that takes no connections
 *
 * -ECONNREFUSED: none listens; -EACCES: the socket is not for us; -EAGAIN: it took none.
 */
int client_connect(const char *path, struct client **ret_client, struct pd_error *error);

/** client_new() - over a connected socket, which it takes over. NULL: no memory; @fd is closed */
struct client *client_new(int fd);

/** client_free() - closes the socket and the descriptors that came along; NULL is fine */
void client_free(struct client *client);

/** client_fd() - to poll */
int client_fd(const struct client *client);

/** client_kept() - the descriptors that came along so far; *ret_count: how many */
const int *client_kept(const struct client *client, size_t *ret_count);

/** client_send() - takes the reference of @request; NULL is -ENOMEM */
int client_send(struct client *client, json_t *request, struct pd_error *error);

/**
 * client_receive() - the next object, whatever it is
 * @wait: false: -EAGAIN when there is none yet
 *
 * Descriptors that come along are kept open until client_free(). Returns 0, -ECONNRESET when
 * the other side is gone, -EPROTO, or -errno.
 */
int client_receive(struct client *client, bool wait, json_t **ret_object, struct pd_error *error);

/**
 * client_call() - send, and wait for the reply (events before it are dropped), which is ok
 *
 * As client_receive(), or what the reply says is wrong; -ETIMEDOUT: none came for long.
 */
int client_call(struct client *client, json_t *request, json_t **ret_reply, struct pd_error *error);

#endif
