/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon answers, a function per command and the table at the end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/containers.h"
#include "policyd/control/feed.h"
#include "policyd/control/runs.h"
#include "policyd/control/server.h"
#include "policyd/policy/decide.h"
#include "policyd/policy/words.h"

static const char *const origin_words[] = {
	[ORIGIN_FOLDER] = "folder",
	[ORIGIN_LOADED] = "load",
	[ORIGIN_RUN] = "run",
};

static json_t *moment(int64_t us)
{
	char text[CLOCK_UTC_LENGTH + 1];
	struct buffer b;

	buffer_init(&b, text, sizeof(text));
	clock_utc(&b, us);
	return json_stringn(text, b.used);
}

static json_t *policy_entry(const struct daemon *daemon, const struct store_entry *entry)
{
	enum policy_mode mode = daemon->rescue && entry->mode == POLICY_ENFORCE ? POLICY_AUDIT :
										  entry->mode;

	return json_pack("{s:o, s:s, s:s, s:o, s:s, s:o, s:I}", "name", json_text(entry->name),
			 "mode", words_name(&words_modes, mode), "file_mode",
			 words_name(&words_modes, entry->file_mode), "file", json_text(entry->file),
			 "origin", origin_words[entry->origin], "match", json_text(entry->match),
			 "rules", (json_int_t)entry->rules);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static json_t *hooks_status(const struct daemon *daemon)
{
	struct hook_status hooks[PD_HOOK_COUNT];
	size_t count = enforce_hooks(daemon->enforcer, hooks);
	json_t *attached = json_array(), *missing = json_array();

	for (size_t i = 0; i < count; i++) {
		if (hooks[i].attached)
			json_array_append_new(attached, json_string(hooks[i].name));
		else if (!hooks[i].available)
			json_array_append_new(missing, json_string(hooks[i].name));
	}
	return json_pack("{s:o, s:o}", "attached", attached, "not_in_this_kernel", missing);
}

static json_t *image_status(const struct daemon *daemon)
{
	const unsigned char *bytes = enforce_image(daemon->enforcer);
	const struct pd_image *image = (const void *)bytes;

	if (!image)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "generation", (json_int_t)image->generation,
			 "bytes", (json_int_t)image->size, "slots",
			 (json_int_t)daemon->store.stats.slots, "states",
			 (json_int_t)daemon->store.stats.states, "rules",
			 (json_int_t)daemon->store.stats.rules);
}

static size_t resident_bytes(void)
{
	CLEANUP_FREE char *text = NULL;
	unsigned long size, resident;

	if (file_load("/proc/self/statm", 256, &text, NULL) ||
	    sscanf(text, "%lu %lu", &size, &resident) != 2)
		return 0;
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static const char *state_word(const struct daemon *daemon)
{
	if (daemon->rescue)
		return "rescue";
	if (daemon->stale)
		return "stale";
	for (size_t i = 0; i < daemon->store.count; i++)
		if (daemon->store.entries[i].mode == POLICY_ENFORCE)
			return "enforcing";
	return daemon->store.count ? "auditing" : "idle";
}

static int status(struct connection *connection, const struct control_request *request,
		  json_t *reply, struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);
	char text[ERROR_LINE_MAX];

	(void)request;
	(void)error;
	json_object_set_new(reply, "state", json_string(state_word(daemon)));
	json_object_set_new(reply, "pid", json_integer(getpid()));
	json_object_set_new(reply, "abi", json_integer(PD_ABI));
	json_object_set_new(reply, "since", moment(daemon->started_us));
	json_object_set_new(reply, "adopted", json_boolean(enforce_adopted(daemon->enforcer)));
	json_object_set_new(reply, "policies", json_integer((json_int_t)daemon->store.count));
	json_object_set_new(reply, "runs", json_integer((json_int_t)runs_count(daemon->runs)));
	json_object_set_new(reply, "clients",
			    json_integer((json_int_t)server_clients(daemon->server)));
	json_object_set_new(reply, "image", image_status(daemon));
	json_object_set_new(reply, "hooks", hooks_status(daemon));
	json_object_set_new(reply, "events", feed_status(daemon->feed));
	json_object_set_new(reply, "memory",
			    json_pack("{s:I, s:I}", "resident", (json_int_t)resident_bytes(),
				      "kernel",
				      (json_int_t)enforce_kernel_bytes(daemon->enforcer)));
	if (daemon->trouble.code)
		json_object_set_new(
			reply, "trouble",
			json_pack("{s:o, s:o}", "time", moment(daemon->trouble_us), "text",
				  json_text(error_render(&daemon->trouble, text, sizeof(text)))));
	return 0;
}

static int list(struct connection *connection, const struct control_request *request, json_t *reply,
		struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);
	json_t *policies = json_array();

	(void)request;
	(void)error;
	for (size_t i = 0; i < daemon->store.count; i++)
		json_array_append_new(policies, policy_entry(daemon, &daemon->store.entries[i]));
	json_object_set_new(reply, "policies", policies);
	/* A stale image has names of its own; the store is empty then. */
	if (daemon->stale) {
		const unsigned char *image = enforce_image(daemon->enforcer);

		for (size_t i = 0; i < image_policy_count(image); i++) {
			struct image_policy policy;

			if (image_policy(image, i, &policy))
				continue;
			json_array_append_new(
				policies, json_pack("{s:o, s:s, s:o, s:s, s:I}", "name",
						    json_text(policy.name), "mode",
						    words_name(&words_modes, policy.mode), "file",
						    json_text(policy.file), "origin", "stale",
						    "rules", (json_int_t)policy.rules));
		}
	}
	return 0;
}

static int ps(struct connection *connection, const struct control_request *request, json_t *reply,
	      struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);

	(void)request;
	(void)error;
	feed_drain(daemon->feed); /* denials until now count */
	json_object_set_new(reply, "containers", containers_list(daemon->containers));
	return 0;
}

static int show(struct connection *connection, const struct control_request *request, json_t *reply,
		struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);
	const struct store_entry *entry = store_find(&daemon->store, request->name);
	const unsigned char *image = enforce_image(daemon->enforcer);
	json_t *policy, *rules;

	if (!entry)
		return error_set(error, -ENOENT, "no policy '%s' is loaded", request->name);
	policy = policy_entry(daemon, entry);
	rules = json_array();
	for (uint32_t i = 1; image; i++) {
		struct symbol symbol;

		if (image_symbol(image, i, &symbol))
			break;
		if (!symbol.policy || strcmp(symbol.policy, entry->name) != 0)
			continue;
		json_array_append_new(
			rules, json_pack("{s:o, s:I, s:s, s:b, s:b, s:o}", "file",
					 json_text(symbol.file ? symbol.file : ""), "line",
					 (json_int_t)symbol.line, "class", word_class(symbol.class),
					 "default", symbol.is_default, "deny", symbol.deny, "text",
					 json_text(symbol.text ? symbol.text : "")));
	}
	for (size_t i = 0; image && i < image_policy_count(image); i++) {
		struct image_policy info;

		if (!image_policy(image, i, &info) && strcmp(info.name, entry->name) == 0 &&
		    info.description)
			json_object_set_new(policy, "description", json_text(info.description));
	}
	json_object_set_new(policy, "decisions", rules);
	json_object_set_new(reply, "policy", policy);
	return 0;
}

static void add_line(void *context, const char *line, size_t length)
{
	connection_event(context, line, length);
}

static int events(struct connection *connection, const struct control_request *request,
		  json_t *reply, struct pd_error *error)
{
	struct daemon *daemon = connection_daemon(connection);

	(void)reply;
	(void)error;
	feed_drain(daemon->feed);
	feed_history(daemon->feed, request->history, add_line, connection);
	if (request->follow)
		connection_follow(connection);
	return 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int apply(struct connection *connection, const struct store_change *change, json_t *reply,
		 struct pd_error *error)
{
	struct daemon *daemon = connection_daemon(connection);
	bool changed;
	int r = daemon_apply(daemon, change, false, &changed, error);

	if (r)
		return r;
	if (changed)
		log_info("%zu policies in force, by policyctl[%d]", daemon->store.count,
			 (int)connection_pid(connection));
	if (daemon->unswept || daemon->kept)
		json_object_set_new(reply, "warning", json_text(daemon->trouble.text));
	json_object_set_new(reply, "changed", json_boolean(changed));
	json_object_set_new(reply, "policies", json_integer((json_int_t)daemon->store.count));
	return 0;
}

static int load(struct connection *connection, const struct control_request *request, json_t *reply,
		struct pd_error *error)
{
	const struct store_change change = {
		.files = request->files,
		.file_count = request->file_count,
		.force = request->force,
	};

	return apply(connection, &change, reply, error);
}

static int reload(struct connection *connection, const struct control_request *request,
		  json_t *reply, struct pd_error *error)
{
	(void)request;
	return apply(connection, NULL, reply, error);
}

static int unload(struct connection *connection, const struct control_request *request,
		  json_t *reply, struct pd_error *error)
{
	const struct store_change change = { .unload = request->name };

	return apply(connection, &change, reply, error);
}

static int mode(struct connection *connection, const struct control_request *request, json_t *reply,
		struct pd_error *error)
{
	const struct store_change change = {
		.mode_of = request->name,
		.mode = request->mode,
		.mode_reset = request->mode_reset,
	};

	return apply(connection, &change, reply, error);
}

static int prove(struct connection *connection, const struct control_request *request,
		 json_t *reply, struct pd_error *error)
{
	struct daemon *daemon = connection_daemon(connection);
	unsigned int proved = 0;
	int r;

	(void)request;
	r = enforce_prove(daemon->enforcer, &proved, error);
	if (!r)
		json_object_set_new(reply, "proved", json_integer(proved));
	return r;
}

static int detach(struct connection *connection, const struct control_request *request,
		  json_t *reply, struct pd_error *error)
{
	(void)request;
	(void)reply;
	return daemon_detach(connection_daemon(connection), error);
}

static int run(struct connection *connection, const struct control_request *request, json_t *reply,
	       struct pd_error *error)
{
	struct daemon *daemon = connection_daemon(connection);
	int fds[253]; /* SCM_MAX_FD */
	struct run *begun;
	size_t count;
	int r;

	if (connection_run(connection))
		return error_set(error, -EBUSY, "this connection has a command already");
	r = runs_begin(daemon->runs, request, connection, connection_pid(connection), &begun,
		       error);
	if (r)
		return r;
	connection_set_run(connection, begun);
	json_object_set_new(reply, "policy", json_text(run_policy(begun)));
	json_object_set_new(reply, "rescue", json_boolean(daemon->rescue));
	if (daemon->run_dir)
		return 0;
	/* Nothing is pinned: the runner holds on to it too, so that neither's death frees the command. */
	count = enforce_link_fds(daemon->enforcer, fds, sizeof(fds) / sizeof(fds[0]));
	if (count > sizeof(fds) / sizeof(fds[0]))
		r = -E2BIG;
	else
		r = connection_give_fds(connection, fds, count);
	return r ? error_set(error, r, "descriptors: %s", strerror(-r)) : 0;
}

static int end_run(struct connection *connection, const struct control_request *request,
		   json_t *reply, struct pd_error *error)
{
	struct run *running = connection_run(connection);

	(void)request;
	(void)reply;
	if (!running)
		return error_set(error, -EINVAL, "this connection has no command");
	run_end(running);
	return connection_run(connection) ? 1 : 0;
}

static int bind(struct connection *connection, const struct control_request *request, json_t *reply,
		struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);

	return containers_bind(daemon->containers, (pid_t)request->pid, request->id,
			       request->bundle, reply, error);
}

static int (*const handlers[])(struct connection *, const struct control_request *, json_t *,
			       struct pd_error *) = {
	[CONTROL_STATUS] = status,   [CONTROL_LIST] = list,	[CONTROL_PS] = ps,
	[CONTROL_SHOW] = show,	     [CONTROL_EVENTS] = events, [CONTROL_LOAD] = load,
	[CONTROL_RELOAD] = reload,   [CONTROL_UNLOAD] = unload, [CONTROL_MODE] = mode,
	[CONTROL_PROVE] = prove,     [CONTROL_DETACH] = detach, [CONTROL_RUN] = run,
	[CONTROL_RUN_END] = end_run, [CONTROL_BIND] = bind,
};

int command_handle(struct connection *connection, const struct control_request *request,
		   json_t *reply, struct pd_error *error)
{
	const struct daemon *daemon = connection_daemon(connection);

	/* A private daemon has nothing but one command, and proofs. */
	if (!daemon->run_dir && request->command != CONTROL_RUN &&
	    request->command != CONTROL_RUN_END && request->command != CONTROL_PROVE)
		return error_set(error, -ENOTSUP, "a private policyd does not do this");
	if (daemon->detached) /* asked in one breath with that */
		return error_set(error, -ESHUTDOWN, "policyd has been detached and ends");
	return handlers[request->command](connection, request, reply, error);
}
