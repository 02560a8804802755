/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/log.h"
#include "policyd/control/feed.h"
#include "policyd/control/runs.h"
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

int daemon_adopt(struct daemon *daemon, struct pd_error *error)
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
	return 0;
}

/* Swap the candidate in; from here on only the kernel can refuse. 1: as enforce_swap() */
static int put_in_force(struct daemon *daemon, struct candidate *candidate, struct pd_error *error)
{
	const unsigned char *current = enforce_image(daemon->enforcer);
	uint64_t generation = 1;
	const unsigned char *image;
	uint32_t groups;
	int r;

	if (current)
		generation = ((const struct pd_image *)(const void *)current)->generation + 1;
	r = store_compile(&daemon->store, candidate, generation, &image, &groups, error);
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

int daemon_apply(struct daemon *daemon, const struct store_change *change, bool force,
		 bool *ret_changed, struct pd_error *error)
{
	struct candidate *candidate = NULL;
	CLEANUP_FREE struct store_run *runs = NULL;
	size_t run_count = 0;
	bool changed = false;
	int r = runs_list(daemon->runs, &runs, &run_count);

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
	if (changed)
		store_commit(&daemon->store, candidate);
	else
		candidate_free(candidate);
	daemon->trouble.code = 0;
	daemon->stale = false;
	if (r > 0) {
		daemon->trouble = *error;
		daemon->trouble_us = clock_real_us();
	}
	if (ret_changed)
		*ret_changed = changed;
	return r > 0 ? error->code : 0;
}

void daemon_reload(struct daemon *daemon)
{
	struct pd_error error = { .code = 0 };
	char text[ERROR_LINE_MAX];
	bool changed = false;

	if (daemon_apply(daemon, NULL, false, &changed, &error)) {
		daemon->trouble = error;
		daemon->trouble_us = clock_real_us();
		log_error("%s; %s", error_render(&error, text, sizeof(text)),
			  changed ? "the new policies are in force" :
				    "the policies in force stay as they were");
	} else if (changed) {
		log_info("%zu policies in force, %zu rules, %zu states", daemon->store.count,
			 daemon->store.stats.rules, daemon->store.stats.states);
	} else {
		log_debug("nothing has changed");
	}
}

int daemon_detach(struct daemon *daemon, struct pd_error *error)
{
	int r;

	feed_drain(daemon->feed);
	r = enforce_detach(daemon->config->pin_dir, error);
	if (r)
		return r;
	runs_forget(daemon->runs);
	daemon->detached = true;
	log_notice("detached: nothing is enforced any more");
	loop_quit(daemon->loop);
	return 0;
}
