/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answering side of the control socket. Nobody who connects can make it wait: replies and events are
 * queued, events beyond the queue's end are dropped and counted.
 */
#ifndef PD_CONTROL_SERVER_H
#define PD_CONTROL_SERVER_H

#include "policyd/audit/event.h"
#include "policyd/control/daemon.h"

#define SERVER_CLIENTS_MAX 64u
#define SERVER_READERS_MAX 48u	  /* of them may be others than root, which always finds room */
#define SERVER_READER_FRAME 4096u /* bytes of a request of theirs: they have no policies to send */
#define SERVER_QUEUE_MAX (1u << 20) /* bytes for one client; a reply may go beyond */
#define SERVER_PATIENCE_MS 10000    /* for the rest of a request that was begun */

struct connection;
struct run;

/** server_listen() - bind the configured socket, 0660 root:group; replaces a dead one */
int server_listen(struct daemon *daemon, struct server **ret_server, struct pd_error *error);

/** server_private() - serve one connected socket as root; when it closes, the loop quits */
int server_private(struct daemon *daemon, int fd, struct server **ret_server,
		   struct pd_error *error);

void server_free(struct server *server); /* removes the socket; NULL is fine */

/** server_event() - to everyone who wants it */
void server_event(struct server *server, const struct event *event, struct slice json);

/** server_run_ended() - the reply that "run-end" has waited for */
void server_run_ended(struct connection *connection);

/** server_clients() - how many are connected */
size_t server_clients(const struct server *server);

/* ---- for commands.c --------------------------------------------------------------------------- */

struct daemon *connection_daemon(const struct connection *connection);
pid_t connection_pid(const struct connection *connection);
bool connection_is_private(const struct connection *connection);
/** connection_follow() - events from now on: all of them, or those of a run */
void connection_follow(struct connection *connection);
void connection_set_run(struct connection *connection, struct run *run);
struct run *connection_run(const struct connection *connection);
/** connection_event() - queue one line */
void connection_event(struct connection *connection, const char *line, size_t length);
/** connection_give_fds() - duplicates go along with the reply */
int connection_give_fds(struct connection *connection, const int *fds, size_t count);

/**
 * command_handle() - do what a request says
 *
 * Returns 0 with the reply's members, 1 when the reply comes later by server_run_ended(), or a negative
 * errno with @error.
 */
int command_handle(struct connection *connection, const struct control_request *request,
		   json_t *reply, struct pd_error *error);

#endif
