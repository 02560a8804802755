/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/feed.h"
#include "policyd/control/runs.h"
#include "policyd/control/server.h"
#include "policyd/control/watch.h"

char *in_dir(const struct machine *m, const char *name)
{
	static char path[4][256];
	static unsigned int next;
	char *at = path[next++ % 4];

	snprintf(at, sizeof(path[0]), "%s/%s", m->dir, name);
	return at;
}

void write_text(const char *path, const char *text)
{
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600), 0);
}

bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- the daemon's process -------------------------------------------------------------------- */

enum form { PRIVATE, FLOODING, LISTENING, WATCHING };

static void flood(void *context, uint32_t events)
{
	struct daemon *daemon = context;
	static char line[2048];
	struct pd_event record = { .binding = 7 };
	struct event event = { .record = &record };
	int n;

	(void)events;
	n = snprintf(line, sizeof(line), "{\"text\":\"%01000d\"}\n", 0);
	for (unsigned int i = 0; i < 4000; i++)
		server_event(daemon->server, &event, (struct slice){ line, (size_t)n });
}

static void on_life(void *context, uint32_t events)
{
	(void)events;
	loop_quit(context);
}

static void daemon_main(const struct machine *m, int fd, enum form form)
{
	struct daemon daemon = {
		.store.self = { .exe = (char *)"/usr/sbin/policyd",
				.cgroup = (char *)"/p",
				.init_exe = (char *)"/opt/init",
				.init_cgroup = (char *)"/boot" },
	};
	struct config *config = config_default();
	struct pd_error error = { .code = 0 };
	struct timer *timer = NULL;
	struct source *life = NULL;
	int r = loop_new(&daemon.loop);

	free(config->policy_dirs[0]);
	config->policy_dirs[0] = strdup(in_dir(m, form == WATCHING ? "deep/in/etc" : "etc"));
	free(config->events.file_path);
	config->events.file_path = NULL;
	free(config->socket_path);
	config->socket_path = strdup(in_dir(m, "sock"));
	daemon.config = config;
	daemon.run_dir = in_dir(m, "run");
	daemon.names = names_new();
	daemon.enforcer = fake_enforcer(m->fake);
	daemon.store.config = config;
	daemon.store.run_dir = daemon.run_dir;
	r = r ? r : runs_new(&daemon, &daemon.runs);
	r = r ? r : feed_new(&daemon, &daemon.feed, &error);
	if (form == WATCHING)
		r = r ? r : watch_new(&daemon, &daemon.watch);
	r = r ? r : daemon_begin(&daemon, &error);
	if (form == LISTENING)
		r = r ? r : loop_add(daemon.loop, fd, EPOLLIN, on_life, daemon.loop, &life);
	if (form == LISTENING)
		r = r ? r : server_listen(&daemon, &daemon.server, &error);
	else
		r = r ? r : server_private(&daemon, fd, &daemon.server, &error);
	if (form == FLOODING && !r)
		r = loop_timer_new(daemon.loop, flood, &daemon, &timer);
	if (timer)
		loop_timer_arm(timer, 100);
	r = r ? r : loop_run(daemon.loop);
	if (r)
		fprintf(stderr, "daemon: %s\n", error.text);
	loop_timer_free(timer);
	loop_remove(life);
	watch_free(daemon.watch);
	server_free(daemon.server);
	feed_free(daemon.feed);
	runs_free(daemon.runs);
	store_done(&daemon.store);
	enforce_close(daemon.enforcer);
	names_free(daemon.names);
	loop_free(daemon.loop);
	config_free(config);
	_exit(r || daemon.failed ? 1 : 0);
}

void need_root(void)
{
	if (geteuid() != 0) /* policies in folders must be root's */
		skip();
}

static int start_as(struct machine *m, enum form form)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	m->daemon = fork();
	if (m->daemon == 0) {
		fd_close(pair[0]);
		log_open("daemon", getenv("DEBUG") != NULL);
		daemon_main(m, pair[1], form);
	}
	fd_close(pair[1]);
	return pair[0];
}

void start(struct machine *m)
{
	m->client = client_new(start_as(m, PRIVATE));
}

void start_flooding(struct machine *m)
{
	m->client = client_new(start_as(m, FLOODING));
}

void start_watching(struct machine *m)
{
	m->client = client_new(start_as(m, WATCHING));
}

struct client *connect_to(const struct machine *m)
{
	struct client *client = NULL;
	struct pd_error error;

	for (unsigned int i = 0; i < 200; i++) {
		if (!client_connect(in_dir(m, "sock"), &client, &error))
			return client;
		usleep(50000);
	}
	fail_msg("%s", error.text);
	return NULL;
}

void start_listening(struct machine *m)
{
	need_root(); /* the socket is made root's */
	m->life = start_as(m, LISTENING);
	m->client = connect_to(m);
}

int stop(struct machine *m)
{
	int status = -1;

	client_free(m->client);
	m->client = NULL;
	m->life = fd_close(m->life);
	waitpid(m->daemon, &status, 0);
	return status;
}

int machine_setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	signal(SIGPIPE, SIG_IGN);
	strcpy(m->dir, "/tmp/policyd-test.XXXXXX");
	/* Policies in folders must be root's: others do without a folder. */
	if (!mkdtemp(m->dir) || (geteuid() == 0 && mkdir(in_dir(m, "etc"), 0755)))
		return -1;
	m->life = -1;
	m->fake = fake_new();
	*state = m;
	return m->fake ? 0 : -1;
}

int machine_teardown(void **state)
{
	struct machine *m = *state;
	char command[128];
	int status = m->client ? stop(m) : 0;

	snprintf(command, sizeof(command), "rm -rf '%s'", m->dir);
	if (system(command))
		return -1;
	fake_free(m->fake);
	free(m);
	return status;
}

/* ---- asking ---------------------------------------------------------------------------------- */

int call(struct machine *m, json_t *request, json_t **ret_reply, struct pd_error *error)
{
	json_t *reply;
	int r;

	*error = (struct pd_error){ .code = 0 };
	r = client_call(m->client, request, &reply, error);
	if (!r && ret_reply)
		*ret_reply = reply;
	else if (!r)
		json_decref(reply);
	return r;
}

json_t *load_request(const char *name, const char *text, const char *force)
{
	json_t *request = request_new(CONTROL_LOAD);

	json_object_set_new(request, "files",
			    json_pack("[{s:s, s:s}]", "name", name, "text", text));
	if (force)
		json_object_set_new(request, "force", json_pack("[s]", force));
	return request;
}

json_t *run_request(const char *name, const char *text, const char *cgroup)
{
	json_t *request = request_new(CONTROL_RUN);

	json_object_set_new(request, "cgroup", json_string(cgroup));
	if (text)
		json_object_set_new(request, "files",
				    json_pack("[{s:s, s:s}]", "name", name, "text", text));
	else
		json_object_set_new(request, "name", json_string(name));
	return request;
}

int load(struct machine *m, const char *name, const char *text, struct pd_error *error)
{
	return call(m, load_request(name, text, NULL), NULL, error);
}

json_t *named(enum control_command command, const char *name)
{
	json_t *request = request_new(command);

	json_object_set_new(request, "name", json_string(name));
	return request;
}

/* "web=enforce db=audit", in the daemon's order */
const char *listed(struct machine *m)
{
	static char text[256];
	struct pd_error error;
	json_t *reply;
	size_t used = 0;

	text[0] = '\0';
	assert_int_equal(call(m, request_new(CONTROL_LIST), &reply, &error), 0);
	for (size_t i = 0; i < json_array_size(json_object_get(reply, "policies")); i++) {
		const json_t *p = json_array_get(json_object_get(reply, "policies"), i);

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
					 used ? " " : "",
					 json_string_value(json_object_get(p, "name")),
					 json_string_value(json_object_get(p, "mode")));
	}
	json_decref(reply);
	return text;
}

char state_of(struct machine *m)
{
	struct pd_error error;
	json_t *reply;
	char first;

	assert_int_equal(call(m, request_new(CONTROL_STATUS), &reply, &error), 0);
	first = json_string_value(json_object_get(reply, "state"))[0];
	json_decref(reply);
	return first;
}

int set_mode(struct machine *m, const char *name, const char *mode, struct pd_error *error)
{
	json_t *request = named(CONTROL_MODE, name);

	json_object_set_new(request, "mode", json_string(mode));
	return call(m, request, NULL, error);
}

bool in_trouble(struct machine *m)
{
	struct pd_error error;
	json_t *reply;
	bool trouble;

	assert_int_equal(call(m, request_new(CONTROL_STATUS), &reply, &error), 0);
	trouble = json_object_get(reply, "trouble");
	json_decref(reply);
	return trouble;
}
