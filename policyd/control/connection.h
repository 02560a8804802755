/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of struct server, for server.c (what is said) and server_accept.c (who may say it). */
#ifndef PD_CONTROL_CONNECTION_H
#define PD_CONTROL_CONNECTION_H

#include "policyd/control/protocol.h"
#include "policyd/control/server.h"

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

/** connection_may_change() - root; but root in a confined task is one of many that may ask */
static inline bool connection_may_change(const struct connection *connection)
{
	return connection->root && connection->hold != ENFORCE_CONFINED;
}

/** connection_on_data() - a loop_fn; context: the connection */
void connection_on_data(void *context, uint32_t events);
/** connection_free() - close it, and end its run */
void connection_free(struct connection *connection);
/** server_on_patience() - a loop_fn; context: the server */
void server_on_patience(void *context, uint32_t events);

#endif
