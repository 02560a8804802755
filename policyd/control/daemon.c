/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/base/loop.h"
#include "policyd/control/containers.h"
#include "policyd/control/feed.h"
#include "policyd/control/runs.h"
#include "policyd/control/watch.h"
#include "policyd/policy/decide.h"

bool daemon_kernel_says_rescue(void)
{
	CLEANUP_FREE char *text = NULL;
	char *rest = NULL;

	if (file_load("/proc/cmdline", 64 << 10, &text, NULL))
		return false;
	for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
		if (strcmp(word, "policyd.enforce=0") == 0)
			return true;
	return false;
}

/* Takes over numbers and names from an image that is in force. 0 also when there is none; -EPROTO when it
 * is not one of ours. */
static int daemon_adopt(struct daemon *daemon, struct pd_error *error)
{
	const unsigned char *image = enforce_image(daemon->enforcer);
	const char *text;
	size_t size;
	int r;

	if (!image)
		return 0;
	r = image_check(image, PD_IMAGE_SIZE, error);
	if (!r)
		r = image_numbering(image, &text, &size);
	if (!r)
		r = numbering_load(text, size, &daemon->store.numbering, error);
	if (!r)
		r = names_add(daemon->names, image);
	if (r)
		return error_set(error, r,
				 "the image in force is damaged or of another version; 'policyd "
				 "--detach' removes it, and ends enforcement until the next start");
	daemon->store.adopted = image;
	return 0;
}

/* Containers, too: those that run have sets of policies of their own. */
static int compile_for_all(struct daemon *daemon, struct candidate *candidate, uint64_t generation,
			   const unsigned char **ret_image, uint32_t *ret_groups,
			   struct pd_error *error)
{
	const char *const **sets = NULL;
	size_t count = 0;
	int r = 0;

	if (daemon->containers)
		r = containers_prepare(daemon->containers, candidate_policies(candidate));
	if (!r && daemon->containers)
		r = containers_sets(daemon->containers, &sets, &count);
	if (r)
		return error_set(error, r, "out of memory");
	r = store_compile(&daemon->store, candidate, sets, count, generation, ret_image, ret_groups,
			  error);
	if (sets)
		containers_sets_free(sets, count);
	return r;
}

/* Swap the candidate in; from here on only the kernel can refuse. */
static int put_in_force(struct daemon *daemon, struct candidate *candidate, struct pd_error *error)
{
	const unsigned char *current = enforce_image(daemon->enforcer);
	uint64_t generation = 1;
	const unsigned char *image;
	uint32_t groups;
	int r;

	if (current)
		generation = ((const struct pd_image *)(const void *)current)->generation + 1;
	r = compile_for_all(daemon, candidate, generation, &image, &groups, error);
	if (!r)
		r = candidate_write(candidate, &daemon->store, error);
	if (r)
		return r;
	r = names_add(daemon->names, image);
	if (r)
		error_set(error, r, "out of memory");
	else
		r = enforce_swap(daemon->enforcer, image, groups, error);
	if (r < 0)
		candidate_unwrite(candidate, &daemon->store);
	return r;
}

static void forget_trouble(struct daemon *daemon)
{
	daemon->trouble.code = 0;
	daemon->unswept = daemon->kept = false;
}

static void note_trouble(struct daemon *daemon, const struct pd_error *error)
{
	forget_trouble(daemon);
	daemon->trouble = *error;
	daemon->trouble_us = clock_real_us();
}

/* The policies are in force. Whether they are for all that runs is told, and tried again every some seconds: the last
 * sweep counts, which may have come for containers after that of the swap. */
static void note_sweep(struct daemon *daemon)
{
	const struct pd_error *left = enforce_unswept(daemon->enforcer);

	forget_trouble(daemon);
	if (!left->code)
		return;
	note_trouble(daemon, left);
	if (left->code == -EBUSY) { /* only a restart of those tasks helps: to be told, once */
		daemon->kept = true;
		daemon->trouble.code = 0;
	} else {
		daemon->unswept = true;
	}
	/* A private one has a policy for what is yet to start, and nothing that runs is its concern. */
	if (daemon->run_dir)
		log_warning("the policies are in force, but %s", left->text);
}

void daemon_sweep_again(struct daemon *daemon)
{
	const struct pd_error *left = enforce_unswept(daemon->enforcer);

	enforce_sweep(daemon->enforcer);
	if (left->code)
		log_debug("%s", left->text);
	if (!daemon->unswept)
		return;
	if (left->code && left->code != -EBUSY) { /* of others, perhaps */
		daemon->trouble = *left;
		return;
	}
	note_sweep(daemon);
	if (!left->code)
		log_info("all running tasks have been labelled now");
}

/* Else whoever is confined and may write there would write other policies. */
static void protect_folders(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	const char *paths[PD_OWN_FOLDERS + 1] = { "/etc/policyd", daemon->run_dir };
	size_t used = 2;

	if (!daemon->run_dir)
		return;
	for (char **dir = config->policy_dirs; *dir && used < PD_OWN_FOLDERS; dir++)
		paths[used++] = *dir;
	for (char **dir = config->include_dirs; *dir && used < PD_OWN_FOLDERS; dir++)
		paths[used++] = *dir;
	enforce_protect(daemon->enforcer, paths);
}

int daemon_apply(struct daemon *daemon, const struct store_change *change, bool force,
		 bool *ret_changed, struct pd_error *error)
{
	struct candidate *candidate = NULL;
	CLEANUP_FREE struct store_run *runs = NULL;
	size_t run_count = 0;
	bool changed = false;
	int r = runs_list(daemon->runs, &runs, &run_count);

	watch_again(daemon->watch);
	protect_folders(daemon);
	if (r)
		error_set(error, r, "out of memory");
	else
		r = store_read(&daemon->store, change, runs, run_count, &candidate, error);
	if (!r)
		changed = force || !candidate_same(candidate, &daemon->store);
	if (!r && changed)
		r = put_in_force(daemon, candidate, error);
	else if (!r)
		r = candidate_write(candidate, &daemon->store, error);
	if (r < 0) {
		candidate_free(candidate);
		return r;
	}
	if (changed) {
		store_commit(&daemon->store, candidate);
		if (daemon->containers)
			containers_commit(daemon->containers);
	} else {
		candidate_free(candidate);
	}
	if (!changed && !enforce_sweep_unfinished(daemon->enforcer)) {
		forget_trouble(daemon);
	} else {
		if (!changed)
			enforce_sweep(daemon->enforcer);
		if (daemon->containers)
			containers_scan_later(daemon->containers);
		note_sweep(daemon);
	}
	daemon->stale = false;
	if (ret_changed)
		*ret_changed = changed;
	return 0;
}

#define TIDY_FIRST_MS 20

static void on_tidy(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	if (!daemon->detached)
		loop_timer_arm(daemon->tidy, enforce_tidy(daemon->enforcer));
}

int daemon_begin(struct daemon *daemon, struct pd_error *error)
{
	bool adopted = enforce_image(daemon->enforcer) != NULL;
	char text[ERROR_LINE_MAX];
	int r = daemon_adopt(daemon, error);

	if (r)
		return r;
	r = loop_timer_new(daemon->loop, on_tidy, daemon, &daemon->tidy);
	if (r)
		return error_set(error, r, "timer: %s", strerror(-r));
	loop_timer_arm(daemon->tidy, TIDY_FIRST_MS);
	r = runs_resume(daemon->runs, error);
	if (!r && daemon->containers)
		containers_scan(daemon->containers);
	if (!r)
		r = daemon_apply(daemon, NULL, true, NULL, error);
	if (r && !adopted)
		return r;
	/* Also under what was adopted: a runner that has died meanwhile is to be followed by its command. */
	runs_bind(daemon->runs);
	if (r && !daemon->store.adopted)
		return 0; /* what stood in the way was a run that is over, and all went in force now */
	if (!r) {
		log_info("%zu policies in force, %zu rules, %zu states%s", daemon->store.count,
			 daemon->store.stats.rules, daemon->store.stats.states,
			 adopted ? ", adopted from a former policyd" : "");
		return 0;
	}
	daemon->stale = true;
	note_trouble(daemon, error);
	log_error("%s", error_render(error, text, sizeof(text)));
	log_warning("the policies cannot be loaded; what a former policyd put in force STAYS in "
		    "force, until they can");
	return 0;
}

void daemon_reload(struct daemon *daemon)
{
	struct pd_error error = { .code = 0 };
	char text[ERROR_LINE_MAX];
	bool changed = false;

	if (daemon_apply(daemon, NULL, false, &changed, &error)) {
		note_trouble(daemon, &error);
		log_error("%s; the policies in force stay as they were",
			  error_render(&error, text, sizeof(text)));
	} else if (changed) {
		log_info("%zu policies in force, %zu rules, %zu states", daemon->store.count,
			 daemon->store.stats.rules, daemon->store.stats.states);
	} else {
		log_debug("nothing has changed");
	}
}

void daemon_forget(const char *run_dir)
{
	static const char *const folders[] = { "policies", "runs" };
	CLEANUP_FREE char *modes = string_format("%s/modes.json", run_dir);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		CLEANUP_FREE char *path = string_format("%s/%s", run_dir, folders[i]);
		int r = path ? dir_remove_files(path) : -ENOMEM;

		if (r)
			log_warning("%s/%s: %s", run_dir, folders[i], strerror(-r));
	}
	if (!modes || (unlink(modes) < 0 && errno != ENOENT))
		log_warning("%s/modes.json: %s", run_dir, strerror(errno));
}

int daemon_detach(struct daemon *daemon, struct pd_error *error)
{
	char text[ERROR_LINE_MAX];
	bool over;
	int r;

	feed_drain(daemon->feed);
	r = enforce_detach(daemon->config->pin_dir, daemon->enforcer, &over, error);
	if (r && !over)
		return r;
	daemon_forget(daemon->run_dir);
	daemon->detached = true;
	daemon->failed = r != 0;
	if (r)
		log_error("detached, and nothing is enforced any more, but %s",
			  error_render(error, text, sizeof(text)));
	else
		log_notice("detached: nothing is enforced any more");
	loop_quit(daemon->loop);
	return r;
}
