/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/runs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/feed.h"
#include "policyd/control/run.h"
#include "policyd/control/server.h"

#define RUNS_MAX 256u
#define RETRY_MS 1000 /* when the kernel could not tell or do what the end of a run needs */

const char *run_policy(const struct run *run)
{
	return run->policy;
}

uint64_t run_cgroup_id(const struct run *run)
{
	return run->id;
}

size_t runs_count(const struct runs *runs)
{
	return runs->count;
}

void run_free(struct run *run)
{
	loop_remove(run->source);
	fd_close(run->pidfd);
	free(run->cgroup);
	free(run->policy);
	free(run->file_name);
	free(run->text);
	free(run->include_dir);
	free(run);
}

static void run_unlink(struct run *run)
{
	struct run **at = &run->runs->first;

	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	run->runs->count--;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The cgroup is empty: nobody is left whom taking the policy away could set free. */
static void finish(struct run *run)
{
	struct runs *runs = run->runs;
	struct daemon *daemon = runs->daemon;
	struct connection *owner = run->owner;
	struct pd_error error = { .code = 0 };
	char text[ERROR_LINE_MAX];
	int r;

	if (run->watch >= 0)
		inotify_rm_watch(runs->inotify, run->watch);
	feed_drain(daemon->feed);
	enforce_unbind(daemon->enforcer, run->id);
	r = cgroup_remove(run->cgroup);
	if (r)
		log_warning("%s: cannot be removed: %s", run->cgroup, strerror(-r));
	rmdir(RUNS_FOLDER); /* unless another command has its group there */
	run_record_remove(run);
	run_unlink(run);
	run_free(run);
	if (daemon->run_dir && daemon_apply(daemon, NULL, false, NULL, &error))
		log_error("%s; the policy of a command that has ended stays loaded",
			  error_render(&error, text, sizeof(text)));
	if (owner)
		server_run_ended(owner);
	else if (!daemon->run_dir)
		loop_quit(daemon->loop);
}

void run_disown(struct run *run)
{
	run->owner = NULL;
}

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* Finish it if its cgroup is empty. Not being able to tell (no memory, no descriptors) is no emptiness. */
static void try_finish(struct run *run)
{
	int killed, r = cgroup_populated(run->cgroup);

	if (!r || is_gone(r)) {
		finish(run);
		return;
	}
	if (r > 0 && run->watch >= 0)
		return;
	if (r < 0)
		log_warning("%s/cgroup.events: %s; trying again", run->cgroup, strerror(-r));
	killed = cgroup_kill(run->cgroup);
	if (killed && !is_gone(killed))
		log_error("%s/cgroup.kill: %s", run->cgroup, strerror(-killed));
	loop_timer_arm(run->runs->timer, RETRY_MS);
}

void run_end(struct run *run)
{
	CLEANUP_FREE char *events = NULL;
	int r;

	if (run->ending)
		return;
	run->ending = true;
	events = string_format("%s/cgroup.events", run->cgroup);
	if (events)
		run->watch = inotify_add_watch(run->runs->inotify, events, IN_MODIFY);
	r = cgroup_kill(run->cgroup);
	if (r && !is_gone(r)) {
		log_error("%s/cgroup.kill: %s", run->cgroup, strerror(-r));
		loop_timer_arm(run->runs->timer, RETRY_MS);
	}
	try_finish(run);
}

static void try_finish_all(struct runs *runs)
{
	struct run *next;

	for (struct run *run = runs->first; run; run = next) {
		next = run->next;
		if (run->ending)
			try_finish(run);
	}
}

static void on_retry(void *context, uint32_t events)
{
	struct runs *runs = context;

	(void)events;
	for (struct run *run = runs->first; run; run = run->next)
		if (run->ending)
			cgroup_kill(run->cgroup);
	try_finish_all(runs);
}

static void on_inotify(void *context, uint32_t events)
{
	struct runs *runs = context;
	char buffer[4096] __attribute__((aligned(8)));

	(void)events;
	while (read(runs->inotify, buffer, sizeof(buffer)) > 0)
		;
	try_finish_all(runs);
}

static void on_runner_gone(void *context, uint32_t events)
{
	struct run *run = context;

	(void)events;
	loop_remove(run->source);
	run->source = NULL;
	run->pidfd = fd_close(run->pidfd);
	run_end(run);
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* Field 22 of /proc/PID/stat; the name in field 2 may hold anything. 0: no such process */
uint64_t run_process_start(pid_t pid)
{
	CLEANUP_FREE char *text = NULL;
	const char *at;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_load(path, 64 << 10, &text, NULL))
		return 0;
	at = strrchr(text, ')');
	for (unsigned int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

int run_watch_runner(struct run *run)
{
	run->pidfd = (int)syscall(SYS_pidfd_open, run->runner, 0);
	if (run->pidfd < 0)
		return -errno;
	return loop_add(run->runs->daemon->loop, run->pidfd, EPOLLIN, on_runner_gone, run,
			&run->source);
}

struct run *run_new(struct runs *runs, const char *cgroup, const char *policy)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->runs = runs;
	run->pidfd = run->watch = -1;
	run->cgroup = strdup(cgroup);
	run->policy = strdup(policy);
	if (!run->cgroup || !run->policy) {
		run_free(run);
		return NULL;
	}
	return run;
}

int run_copy_file(struct run *run, const struct control_file *file)
{
	if (!file->text)
		return 0;
	run->file_name = strdup(file->name);
	run->text = strdup(file->text);
	run->include_dir = file->include_dir ? strdup(file->include_dir) : NULL;
	return run->file_name && run->text && (run->include_dir || !file->include_dir) ? 0 :
											 -ENOMEM;
}

static bool name_is_taken(const struct runs *runs, const char *name)
{
	for (const struct run *run = runs->first; run; run = run->next)
		if (strcmp(run->policy, name) == 0)
			return true;
	return store_find(&runs->daemon->store, name) != NULL;
}

/*
 * The name the policy goes by while the command runs: its own, unless another of that name is loaded.
 * Names are used again, because each one costs a slot number for good.
 */
static int choose_name(const struct runs *runs, const struct control_request *request, char *name,
		       bool *ret_loaded, struct pd_error *error)
{
	const struct daemon *daemon = runs->daemon;
	CLEANUP_FREE const char **dirs = NULL;
	const struct control_file *file = request->files;
	const struct store_entry *entry;
	struct parse_options options = { 0 };
	struct policy **policies;
	size_t count = 0, used = 0;
	int r;

	while (daemon->config->include_dirs[count])
		count++;
	dirs = calloc(count + 2, sizeof(*dirs));
	if (!dirs)
		return error_set(error, -ENOMEM, "out of memory");
	if (file->include_dir)
		dirs[used++] = file->include_dir;
	for (size_t i = 0; i < count; i++)
		dirs[used++] = daemon->config->include_dirs[i];
	options.include_dirs = dirs;
	r = parse_text(file->name, file->text, file->size, &options, NULL, &policies, &count,
		       error);
	if (r)
		return r;
	*ret_loaded = false;
	if (count) {
		enum policy_mode mode = request->audit ? POLICY_AUDIT : policies[0]->mode;

		snprintf(name, POLICY_NAME_MAX + 1, "%s", policies[0]->name);
		entry = store_find(&daemon->store, name);
		*ret_loaded = entry && entry->origin != ORIGIN_RUN && entry->mode == mode &&
			      memcmp(entry->digest, policies[0]->digest, 32) == 0;
	} else {
		r = error_at(error, -EINVAL, file->name, 0, 0, "there is no policy in it");
	}
	for (unsigned int n = 1; !r && !*ret_loaded && name_is_taken(runs, name); n++)
		snprintf(name, POLICY_NAME_MAX + 1, "%.48s.run%u", policies[0]->name, n);
	for (size_t i = 0; i < count; i++)
		policy_free(policies[i]);
	free(policies);
	return r;
}

int run_check_cgroup(const char *path, uint64_t *ret_id, struct pd_error *error)
{
	const char *name = path + sizeof(RUNS_FOLDER);
	int r;

	if (strncmp(path, RUNS_FOLDER "/", sizeof(RUNS_FOLDER)) != 0 || !name[0] ||
	    name[0] == '.' || strchr(name, '/'))
		return error_set(error, -EINVAL, "%s: not a folder of " RUNS_FOLDER, path);
	r = cgroup_id(path, ret_id);
	return r ? error_set(error, r, "%s: %s", path, strerror(-r)) : 0;
}

static int bind_run(const struct run *run, struct pd_error *error)
{
	struct daemon *daemon = run->runs->daemon;
	const char *const names[] = { run->policy, NULL };
	uint32_t slot = compile_slot(daemon->store.numbering, names);

	if (!slot)
		return error_set(error, -ENOENT, "policy '%s' has no slot", run->policy);
	return enforce_bind(daemon->enforcer, run->id, slot, 0, error);
}

static int start(struct run *run, struct pd_error *error)
{
	struct runs *runs = run->runs;
	bool changed;
	int r = run_watch_runner(run);

	if (!r)
		r = run_record_write(run);
	if (r)
		return error_set(error, r, "the run cannot be noted: %s", strerror(-r));
	r = daemon_apply(runs->daemon, NULL, false, &changed, error);
	return r ? r : bind_run(run, error);
}

/*
 * A policy by name is one that stays: not that of another command, which goes with it. Nor a disabled one,
 * under which the command would be free.
 */
static int check_loaded(const struct runs *runs, const char *name, struct pd_error *error)
{
	const struct store_entry *entry = store_find(&runs->daemon->store, name);

	if (!entry || entry->origin == ORIGIN_RUN)
		return error_set(error, -ENOENT, "no policy '%s' is loaded", name);
	if (entry->mode == POLICY_DISABLED)
		return error_set(error, -EINVAL,
				 "policy '%s' is disabled; 'policyctl mode %s enforce' enables it",
				 name, name);
	return 0;
}

int runs_begin(struct runs *runs, const struct control_request *request, struct connection *owner,
	       pid_t runner, struct run **ret_run, struct pd_error *error)
{
	char name[POLICY_NAME_MAX + 1] = "";
	bool loaded = !request->file_count;
	uint64_t id;
	struct run *run;
	int r = run_check_cgroup(request->cgroup, &id, error);

	if (!r && runs->count >= RUNS_MAX)
		r = error_set(error, -EBUSY, "%u commands run already", RUNS_MAX);
	if (!r && request->name)
		r = check_loaded(runs, request->name, error);
	if (!r && request->name && request->audit)
		r = error_set(error, -EINVAL,
			      "a loaded policy cannot be run in audit mode; give "
			      "its file");
	if (!r && request->name)
		snprintf(name, sizeof(name), "%s", request->name);
	else if (!r)
		r = choose_name(runs, request, name, &loaded, error);
	if (!r && loaded)
		r = check_loaded(runs, name, error);
	if (r)
		return r;
	run = run_new(runs, request->cgroup, name);
	if (!run || (!loaded && run_copy_file(run, request->files))) {
		if (run)
			run_free(run);
		return error_set(error, -ENOMEM, "out of memory");
	}
	run->id = id;
	run->audit = request->audit;
	run->runner = runner;
	run->runner_start = run_process_start(runner);
	run->owner = owner;
	run->next = runs->first;
	runs->first = run;
	runs->count++;
	r = start(run, error);
	if (r) {
		struct pd_error ignored;

		run_record_remove(run);
		run_unlink(run);
		run_free(run);
		daemon_apply(runs->daemon, NULL, false, NULL, &ignored);
		return r;
	}
	*ret_run = run;
	return 0;
}

int runs_list(const struct runs *runs, struct store_run **ret_list, size_t *ret_count)
{
	struct store_run *list;
	size_t n = 0;

	if (!runs || !runs->count)
		return 0;
	list = calloc(runs->count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	/* Those that brought a text first, so that by-name ones cannot come before their policy */
	for (int pass = 0; pass < 2; pass++)
		for (const struct run *run = runs->first; run; run = run->next) {
			if ((pass == 0) != (run->text != NULL))
				continue;
			list[n].name = run->policy;
			list[n].file.name = run->file_name;
			list[n].file.text = run->text;
			list[n].file.size = run->text ? strlen(run->text) : 0;
			list[n].file.include_dir = run->include_dir;
			list[n++].audit = run->audit;
		}
	*ret_list = list;
	*ret_count = n;
	return 0;
}

/* ---- all of them ------------------------------------------------------------------------ */

void runs_bind(struct runs *runs)
{
	struct run *next;

	for (struct run *run = runs->first; run; run = next) {
		struct pd_error error = { .code = 0 };

		next = run->next;
		if (bind_run(run, &error))
			log_error("%s: %s", run->cgroup, error.text);
		if (!run->source)
			run_end(run);
	}
}

int runs_new(struct daemon *daemon, struct runs **ret_runs)
{
	struct runs *runs = calloc(1, sizeof(*runs));
	int r;

	if (!runs)
		return -ENOMEM;
	runs->daemon = daemon;
	runs->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = runs->inotify < 0 ?
		    -errno :
		    loop_add(daemon->loop, runs->inotify, EPOLLIN, on_inotify, runs, &runs->source);
	if (!r)
		r = loop_timer_new(daemon->loop, on_retry, runs, &runs->timer);
	if (r) {
		loop_remove(runs->source);
		fd_close(runs->inotify);
		free(runs);
		return r;
	}
	*ret_runs = runs;
	return 0;
}

void runs_free(struct runs *runs)
{
	if (!runs)
		return;
	while (runs->first) {
		struct run *run = runs->first;

		run_unlink(run);
		run_free(run);
	}
	loop_remove(runs->source);
	loop_timer_free(runs->timer);
	fd_close(runs->inotify);
	free(runs);
}
