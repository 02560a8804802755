/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon in a process of its own, on a fake kernel side, and a client to ask it. */
#ifndef PD_TESTS_MACHINE_H
#define PD_TESTS_MACHINE_H

#include <stdbool.h>

#include "policyd/control/client.h"
#include "tests/unit/fake_enforce.h"

#define WEB "version: 1\nname: web\nmatch: [{exe: /usr/sbin/nginx}]\ndefault: deny\n"
#define DB "version: 1\nname: db\nmatch: [{cgroup: /system.slice/db.service}]\ndefault: deny\n"

/* A machine: a folder for all files, and the kernel side that outlives daemons */
struct machine {
	char dir[64];
	struct fake *fake;
	pid_t daemon;
	struct client *client;
	int life; /* listening: the daemon ends when this closes; else -1 */
};

int machine_setup(void **state);
int machine_teardown(void **state);
/** machine_test() - a test that finds a machine of its own in its state */
#define machine_test(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, machine_setup, machine_teardown)

/** in_dir() - a path in the machine's folder; good until the fourth call after this one */
char *in_dir(const struct machine *m, const char *name);
void write_text(const char *path, const char *text);
bool exists(const char *path);

/** start() - the daemon; the kernel side is as the one before left it */
void start(struct machine *m);
/** start_flooding() - the same, and it has 4000 events at once for whoever follows */
void start_flooding(struct machine *m);
/** start_watching() - the same with the folder "deep/in/etc" for policies, which it watches */
void start_watching(struct machine *m);
/** start_listening() - the same at the socket "sock" in the machine's folder, for as many clients as there are */
void start_listening(struct machine *m);
struct client *connect_to(const struct machine *m); /* one more */
/** stop() - close the connection, which ends the daemon; returns the status of waitpid() */
int stop(struct machine *m);

/** call() - a request, and the reply when it is wanted; returns 0 or what the daemon says */
int call(struct machine *m, json_t *request, json_t **ret_reply, struct pd_error *error);
json_t *load_request(const char *name, const char *text, const char *force);
/** run_request() - under the policy of that text, which the command brings; NULL: under one by its name */
json_t *run_request(const char *name, const char *text, const char *cgroup);
json_t *named(enum control_command command, const char *name);
int load(struct machine *m, const char *name, const char *text, struct pd_error *error);
int set_mode(struct machine *m, const char *name, const char *mode, struct pd_error *error);

/** listed() - "web=enforce db=audit", in the daemon's order */
const char *listed(struct machine *m);
/** state_of() - the first letter of what status has as state */
char state_of(struct machine *m);
bool in_trouble(struct machine *m);

/** need_root() - skip the test for others: policies in folders must be root's */
void need_root(void);

#endif
