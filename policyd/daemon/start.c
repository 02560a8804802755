/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/daemon/start.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/containers.h"
#include "policyd/control/feed.h"
#include "policyd/control/runs.h"
#include "policyd/control/server.h"
#include "policyd/control/watch.h"
#include "policyd/daemon/notify.h"
#include "policyd/daemon/sandbox.h"

#define LOCK_PATH CONFIG_RUN_DIR "/lock"
#define PIN_DIR_PATH CONFIG_RUN_DIR "/pin_dir"

/* What main's daemon has besides struct daemon */
struct process {
	struct daemon daemon;
	int lock, signals;
	struct source *signal_source;
	bool wrong; /* it is the policies that keep it from starting */
};

/* What is wrong with files or policies is the caller's, anything else the machine's. */
static int fail(const struct pd_error *error, bool wrong)
{
	char text[ERROR_LINE_MAX];

	log_error("%s", error_render(error, text, sizeof(text)));
	return wrong || error->file[0] ? 2 : 1;
}

/* ---- one daemon ------------------------------------------------------------------------------ */

static int take_lock(int *ret_fd, struct pd_error *error)
{
	char text[32] = "";
	int fd, r;

	r = dir_make(CONFIG_RUN_DIR, 0755);
	if (r)
		return error_set(error, r, CONFIG_RUN_DIR ": %s%s", strerror(-r),
				 geteuid() ? "; policyd has to be started by root" : "");
	fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return error_set(error, -errno, LOCK_PATH ": %s%s", strerror(errno),
				 geteuid() ? "; policyd has to be started by root" : "");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		if (fd_read_full(fd, text, sizeof(text) - 1) > 0)
			text[strcspn(text, "\n")] = '\0';
		fd_close(fd);
		return error_set(error, r, "policyd is running already, as process %s",
				 text[0] ? text : "?");
	}
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || fd_write_full(fd, text, strlen(text)))
		log_warning(LOCK_PATH ": %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* Pins in a folder that the settings do not name any more would go on beside ours, unnoticed. */
static int check_pin_dir(const struct config *config, struct pd_error *error)
{
	CLEANUP_FREE char *used = NULL;

	if (file_load(PIN_DIR_PATH, 8192, &used, NULL) || strcmp(used, config->pin_dir) == 0 ||
	    access(used, F_OK) < 0)
		return 0;
	return error_set(
		error, -EEXIST,
		"what policyd has pinned is in %s, and pin_dir is %s now; set it back, run "
		"'policyctl detach', and change it then",
		used, config->pin_dir);
}

static int note_pin_dir(const struct config *config, struct pd_error *error)
{
	int r = file_write_atomic(PIN_DIR_PATH, config->pin_dir, strlen(config->pin_dir), 0600);

	return r ? error_set(error, r, PIN_DIR_PATH ": %s", strerror(-r)) : 0;
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_signal(void *context, uint32_t events)
{
	struct process *process = context;
	struct daemon *daemon = &process->daemon;
	struct signalfd_siginfo info;

	(void)events;
	if (read(process->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP && daemon->run_dir) {
		feed_reopen(daemon->feed);
		daemon_reload(daemon);
	} else if (daemon->run_dir && (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)) {
		/*
		 * What is pinned stays in force. A private one ends with its connection: systemd sends
		 * SIGTERM to all of a service, and its command is to end as the runner tells it to.
		 */
		loop_quit(daemon->loop);
	}
}

static int watch_signals(struct process *process)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	process->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (process->signals < 0)
		return -errno;
	return loop_add(process->daemon.loop, process->signals, EPOLLIN, on_signal, process,
			&process->signal_source);
}

/* ---- start ----------------------------------------------------------------------------------- */

static int learn_self(struct self *ret_self, struct pd_error *error)
{
	int r = cgroup_check_v2(error);

	return r ? r : self_learn(ret_self, error);
}

/* As far as it goes without the kernel. *ret_wrong: the policies are, and not the machine. */
static int check_policies(const struct config *config, bool *ret_wrong, struct pd_error *error)
{
	struct daemon daemon = { .config = config };
	struct candidate *candidate;
	const unsigned char *image;
	uint32_t groups;
	int r = learn_self(&daemon.store.self, error);

	daemon.store.config = config;
	daemon.store.run_dir = CONFIG_RUN_DIR;
	if (r)
		return r;
	r = store_read(&daemon.store, NULL, NULL, 0, &candidate, error);
	if (!r) {
		r = store_compile(&daemon.store, candidate, NULL, 0, 1, &image, &groups, error);
		candidate_free(candidate);
	}
	*ret_wrong = r && r != -ENOMEM;
	self_done(&daemon.store.self);
	return r;
}

static int open_parts(struct process *process, struct pd_error *error)
{
	struct daemon *daemon = &process->daemon;
	struct enforce_options options = { 0 };
	int r = loop_new(&daemon->loop);

	if (!r)
		r = watch_signals(process);
	if (r)
		return error_set(error, r, "loop: %s", strerror(-r));
	daemon->names = names_new();
	if (!daemon->names)
		return error_set(error, -ENOMEM, "out of memory");
	r = learn_self(&daemon->store.self, error);
	if (!r)
		r = prover_start(&daemon->prover, error);
	if (r)
		return r;
	options.pin_dir = daemon->run_dir ? daemon->config->pin_dir : NULL;
	options.prover = daemon->prover;
	for (unsigned int i = 0; i < PD_RING_COUNT; i++)
		options.ring_bytes[i] = daemon->config->ring_bytes[i];
	r = enforce_open(&options, &daemon->enforcer, error);
	if (r)
		return r;
	daemon->store.config = daemon->config;
	daemon->store.run_dir = daemon->run_dir;
	daemon->store.rescue = daemon->rescue;
	r = runs_new(daemon, &daemon->runs);
	return r ? error_set(error, r, "runs: %s", strerror(-r)) : 0;
}

/* What does not keep us from enforcing, and is to be known all the same */
static void warn_of_machine(const char *pin_dir)
{
	struct probe_result results[PROBE_MAX];
	size_t count = enforce_probe(pin_dir, results);

	for (size_t i = 0; i < count; i++)
		if (results[i].status == PROBE_WARNING)
			log_warning("%s", results[i].text);
}

/* A folder that cannot be made is the sink's trouble, which tells about it. */
static void make_event_folder(const struct config *config)
{
	CLEANUP_FREE char *dir = config->events.file_path ? strdup(config->events.file_path) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (slash && slash != dir) {
		*slash = '\0';
		dir_make(dir, 0750);
	}
}

static int start_daemon(struct process *process, const struct start *start, struct pd_error *error)
{
	struct daemon *daemon = &process->daemon;
	int r;

	notify_open();
	make_event_folder(daemon->config);
	r = take_lock(&process->lock, error);
	if (!r)
		r = check_pin_dir(daemon->config, error);
	/* With nothing to keep in force, a wrong policy is better known before the kernel is bothered. */
	if (!r && access(daemon->config->pin_dir, F_OK) < 0)
		r = check_policies(daemon->config, &process->wrong, error);
	if (!r)
		r = note_pin_dir(daemon->config, error);
	if (!r)
		r = open_parts(process, error);
	if (!r)
		warn_of_machine(daemon->config->pin_dir);
	/* The feed comes before the policies: their first events are wanted too. */
	if (!r)
		r = feed_new(daemon, &daemon->feed, error);
	if (!r)
		r = containers_new(daemon, &daemon->containers, error);
	if (!r && daemon->rescue)
		log_warning(
			"policyd.enforce=0 is on the kernel's command line: NOTHING IS ENFORCED, "
			"all policies are in audit mode");
	/* Before they are read for the first time, or a change meanwhile would be missed. */
	if (!r && (r = watch_new(daemon, &daemon->watch)))
		error_set(error, r, "inotify: %s", strerror(-r));
	if (!r)
		r = daemon_begin(daemon, error);
	if (!r)
		r = server_listen(daemon, &daemon->server, error);
	if (r)
		return r;
	if (file_write_value("/proc/self/oom_score_adj", "-1000"))
		log_debug("oom_score_adj: %s", strerror(errno));
	malloc_trim(0); /* of loading */
	r = sandbox_enter(start->debug, error);
	if (!r)
		notify("READY=1");
	return r;
}

static int start_private(struct process *process, const struct start *start, struct pd_error *error)
{
	struct daemon *daemon = &process->daemon;
	int r;

	setsid(); /* the terminal's signals are for the command */
	r = fcntl(start->private_fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
	if (r)
		return error_set(error, r, "descriptor %d: %s", start->private_fd, strerror(-r));
	r = open_parts(process, error);
	if (!r)
		r = feed_new(daemon, &daemon->feed, error);
	if (!r)
		r = server_private(daemon, start->private_fd, &daemon->server, error);
	if (!r)
		r = sandbox_enter(start->debug, error);
	return r;
}

static void stop(struct process *process)
{
	struct daemon *daemon = &process->daemon;

	watch_free(daemon->watch);
	feed_drain(daemon->feed);
	server_free(daemon->server);
	daemon->server = NULL;
	containers_free(daemon->containers);
	feed_free(daemon->feed);
	runs_free(daemon->runs);
	loop_timer_free(daemon->tidy);
	store_done(&daemon->store);
	if (daemon->enforcer)
		enforce_close(daemon->enforcer);
	if (daemon->prover)
		prover_stop(daemon->prover);
	if (daemon->names)
		names_free(daemon->names);
	loop_remove(process->signal_source);
	fd_close(process->signals);
	loop_free(daemon->loop);
	self_done(&daemon->store.self);
	fd_close(process->lock);
}

/* Nothing is half-loaded: what this start has pinned goes again, what was there before stays. */
static void abandon(const struct process *process)
{
	const struct daemon *daemon = &process->daemon;
	struct pd_error error = { .code = 0 };
	bool over;

	if (daemon->run_dir && daemon->enforcer && !enforce_adopted(daemon->enforcer) &&
	    enforce_detach(daemon->config->pin_dir, daemon->enforcer, &over, &error))
		log_error("%s", error.text);
}

/* In place of the first reply. False: nobody has heard it. */
static bool answer_error(int fd, const struct pd_error *error)
{
	json_t *reply = reply_error(error);
	unsigned char *data;
	bool told = false;
	size_t size;

	if (reply && !frame_encode(reply, &data, &size)) {
		told = !fd_write_full(fd, data, size);
		free(data);
	}
	json_decref(reply);
	return told;
}

static int run_daemon(const struct start *start, struct config *config)
{
	struct process process = {
		.daemon = { .config = config, .rescue = daemon_kernel_says_rescue() },
		.lock = -1,
		.signals = -1,
	};
	struct pd_error error = { .code = 0 };
	int r, status = 0;

	process.daemon.started_us = clock_real_us();
	if (start->private_fd < 0) {
		process.daemon.run_dir = CONFIG_RUN_DIR;
		r = start_daemon(&process, start, &error);
	} else {
		r = start_private(&process, start, &error);
	}
	if (r) {
		/* Who waits for the private one's first answer tells the reason, once. */
		if (start->private_fd < 0 || process.daemon.server ||
		    !answer_error(start->private_fd, &error))
			status = fail(&error, process.wrong);
		else
			status = 1;
		abandon(&process);
	} else {
		loop_run(process.daemon.loop);
		if (!process.daemon.detached)
			notify("STOPPING=1");
		status = process.daemon.failed;
	}
	stop(&process);
	return status;
}

/* ---- other errands --------------------------------------------------------------------------- */

static int probe(const struct config *config)
{
	static const char *const words[] = { "ok", "warning", "failed" };
	struct probe_result results[PROBE_MAX];
	size_t count = enforce_probe(config->pin_dir, results);
	json_t *array = json_array();
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		ok = ok && results[i].status != PROBE_FAILED;
		json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "what", results[i].what,
						       "status", words[results[i].status], "text",
						       json_text(results[i].text)));
	}
	array = json_pack("{s:b, s:o}", "ok", ok, "results", array);
	json_dumpf(array, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(array);
	return fflush(stdout) || !ok;
}

static int check(const struct config *config)
{
	struct pd_error error = { .code = 0 };
	bool wrong = false;

	return check_policies(config, &wrong, &error) ? fail(&error, wrong) : 0;
}

static int detach(const struct config *config)
{
	struct pd_error error = { .code = 0 };
	int lock, r = take_lock(&lock, &error);
	bool over;

	if (r)
		return fail(&error, false);
	r = check_pin_dir(config, &error);
	if (r) {
		fd_close(lock);
		return fail(&error, false);
	}
	r = enforce_detach(config->pin_dir, NULL, &over, &error);
	if (!r || over)
		daemon_forget(CONFIG_RUN_DIR);
	fd_close(lock);
	return r ? fail(&error, false) : 0;
}

int start_run(const struct start *start)
{
	struct pd_error error = { .code = 0 };
	struct config *config;
	int status;

	if (config_read(start->config_path, &config, &error))
		return fail(&error, true);
	if (start->action == START_PROBE)
		status = probe(config);
	else if (start->action == START_CHECK)
		status = check(config);
	else if (start->action == START_DETACH)
		status = detach(config);
	else
		status = run_daemon(start, config);
	config_free(config);
	return status;
}
