/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/control/store.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/buffer.h"
#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/base/sha256.h"
#include "policyd/control/candidate.h"
#include "policyd/policy/decide.h"
#include "policyd/policy/words.h"

void store_entries_free(struct store_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].name);
		free(entries[i].file);
		free(entries[i].match);
	}
	free(entries);
}

void store_done(struct store *store)
{
	store_entries_free(store->entries, store->count);
	numbering_free(store->numbering);
	store->entries = NULL;
	store->count = 0;
	store->numbering = NULL;
}

void candidate_free(struct candidate *candidate)
{
	if (!candidate)
		return;
	if (candidate->entries)
		store_entries_free(candidate->entries, candidate->policies.count);
	policy_list_done(&candidate->policies);
	loaded_done(&candidate->loaded);
	json_decref(candidate->modes);
	for (size_t i = 0; i < candidate->run_count; i++)
		free(candidate->run_names[i]);
	free(candidate->run_names);
	free(candidate->allowed);
	numbering_free(candidate->numbering);
	if (candidate->compiled)
		compiled_free(candidate->compiled);
	free(candidate);
	malloc_trim(0); /* compiling takes far more than what stays */
}

const struct store_entry *store_find(const struct store *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++)
		if (strcmp(store->entries[i].name, name) == 0)
			return &store->entries[i];
	return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

char *store_modes_path(const struct store *store)
{
	return string_format("%s/modes.json", store->run_dir);
}

static int read_modes(const struct store *store, const struct store_change *change,
		      struct candidate *candidate, struct pd_error *error)
{
	CLEANUP_FREE char *path = store_modes_path(store);
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r = path ? file_load(path, 1 << 20, &text, &size) : -ENOMEM;

	if (!r)
		r = json_read(text, size, &candidate->modes, error);
	else if (r == -ENOENT)
		r = (candidate->modes = json_object()) ? 0 : -ENOMEM;
	if (r)
		return error_at(error, r, path, 0, 0, "cannot be used (%s); remove it",
				strerror(-r));
	if (!change->mode_of)
		return 0;
	candidate->modes_changed = true;
	if (change->mode_reset)
		json_object_del(candidate->modes, change->mode_of);
	else
		json_object_set_new(candidate->modes, change->mode_of,
				    json_string(words_name(&words_modes, change->mode)));
	return 0;
}

/* The files given by hand: parse each, let fresh ones replace old ones, keep what is left. */
static int read_loaded(const struct store *store, const struct store_change *change,
		       struct candidate *candidate, struct pd_error *error)
{
	CLEANUP_FREE char *dir = string_format("%s/policies", store->run_dir);
	struct loaded *loaded = &candidate->loaded;
	int r = dir ? loaded_read(dir, loaded, error) : -ENOMEM;

	for (size_t i = 0; !r && i < change->file_count; i++)
		r = loaded_add(loaded, &change->files[i], change->force, error);
	for (size_t i = 0; !r && i < loaded->count; i++)
		r = loaded_parse(&loaded->items[i], store->config->include_dirs, error);
	if (r)
		return r;
	loaded_settle(loaded);
	for (size_t i = 0; !r && i < loaded->count; i++) {
		struct loaded_file *file = &loaded->items[i];
		struct policy_list list = file->policies;

		if (change->unload && policy_list_find(&list, change->unload))
			file->gone = true;
		if (file->gone)
			continue;
		file->policies = (struct policy_list){ 0 };
		r = policy_list_take(&candidate->policies, list.items, list.count, error);
	}
	return r;
}

/* It is for this command only, so its match: does not count. */
static int forget_matches(struct policy *policy)
{
	struct policy *rest = calloc(1, sizeof(*rest));

	if (!rest)
		return -ENOMEM;
	rest->matches = policy->matches;
	rest->match_count = policy->match_count;
	policy->matches = NULL;
	policy->match_count = 0;
	policy_free(rest);
	return 0;
}

static int read_run(const struct store *store, const struct store_run *run,
		    struct candidate *candidate, struct pd_error *error)
{
	struct loaded single = { 0 };
	struct policy_list list = { 0 };
	struct policy *policy;
	int r = loaded_add(&single, &run->file, NULL, error);

	if (!r)
		r = loaded_parse(&single.items[0], store->config->include_dirs, error);
	if (!r) {
		list = single.items[0].policies;
		single.items[0].policies = (struct policy_list){ 0 };
	}
	if (!r && list.count != 1)
		r = error_at(error, -EINVAL, run->file.name, 0, 0,
			     "one policy is needed here, and the file holds %zu", list.count);
	loaded_done(&single);
	if (r) {
		policy_list_done(&list);
		return r;
	}
	policy = list.items[0];
	free(policy->name);
	policy->name = strdup(run->name);
	if (!policy->name || forget_matches(policy)) {
		policy_list_done(&list);
		return error_set(error, -ENOMEM, "out of memory");
	}
	if (run->audit)
		policy->mode = POLICY_AUDIT;
	if (policy->mode == POLICY_DISABLED)
		r = error_at(error, -EINVAL, run->file.name, policy->name_place.line,
			     policy->name_place.column, "policy '%s' is disabled", run->name);
	if (r) {
		policy_list_done(&list);
		return r;
	}
	return policy_list_take(&candidate->policies, list.items, 1, error);
}

/* The commands that run now, each under a policy of the above or one it brought along */
static int read_runs(const struct store *store, const struct store_run *runs, size_t count,
		     struct candidate *candidate, struct pd_error *error)
{
	int r = 0;

	candidate->run_names = calloc(count + 1, sizeof(*candidate->run_names));
	if (!candidate->run_names)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; !r && i < count; i++) {
		candidate->run_names[i] = strdup(runs[i].name);
		if (!candidate->run_names[i])
			return error_set(error, -ENOMEM, "out of memory");
		candidate->run_count++;
		if (runs[i].file.text)
			r = read_run(store, &runs[i], candidate, error);
		else if (!policy_list_find(&candidate->policies, runs[i].name))
			r = error_set(error, -ENOENT,
				      "policy '%s' cannot go: a command runs under it; end the "
				      "command first",
				      runs[i].name);
	}
	return r;
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static char *match_text(const struct policy *policy)
{
	char text[512];
	struct buffer b;

	buffer_init(&b, text, sizeof(text) - 1);
	for (size_t i = 0; i < policy->match_count; i++) {
		const struct policy_match *match = &policy->matches[i];

		buffer_format(&b, "%s%s%s%s%s%s", i ? "; " : "", match->cgroup ? "cgroup " : "",
			      match->cgroup ? match->cgroup : "",
			      match->cgroup && match->exe ? ", " : "", match->exe ? "exe " : "",
			      match->exe ? match->exe : "");
	}
	text[b.used] = '\0';
	return strdup(text);
}

static int fill_entry(const struct candidate *candidate, struct policy *policy,
		      enum policy_origin origin, struct store_entry *entry)
{
	const char *word = json_string_value(json_object_get(candidate->modes, policy->name));
	uint32_t mode;

	entry->file_mode = policy->mode;
	if (word && origin != ORIGIN_RUN && words_find(&words_modes, word, &mode))
		policy->mode = (enum policy_mode)mode;
	entry->mode = policy->mode;
	entry->origin = origin;
	entry->name = strdup(policy->name);
	entry->file = strdup(policy->files[0]);
	entry->match = match_text(policy);
	entry->rules = policy->rule_count;
	memcpy(entry->digest, policy->digest, sizeof(entry->digest));
	return entry->name && entry->file && entry->match ? 0 : -ENOMEM;
}

static void make_digest(const struct store *store, struct candidate *candidate)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, &store->rescue, sizeof(store->rescue));
	for (size_t i = 0; i < candidate->policies.count; i++) {
		const struct store_entry *entry = &candidate->entries[i];

		sha256_add(&hash, entry->name, strlen(entry->name) + 1);
		sha256_add(&hash, entry->file, strlen(entry->file) + 1);
		sha256_add(&hash, &entry->mode, sizeof(entry->mode));
		sha256_add(&hash, &entry->origin, sizeof(entry->origin));
		sha256_add(&hash, entry->digest, sizeof(entry->digest));
	}
	for (size_t i = 0; i < candidate->run_count; i++)
		sha256_add(&hash, candidate->run_names[i], strlen(candidate->run_names[i]) + 1);
	sha256_finish(&hash, candidate->digest);
}

static int fill_allowed(const struct store *store, struct candidate *candidate)
{
	size_t count = 1, used = 0;

	for (char **name = store->config->allow_dangerous; *name; name++)
		count++;
	for (size_t i = 0; i < candidate->loaded.count; i++)
		for (char **name = candidate->loaded.items[i].force; *name; name++)
			count++;
	candidate->allowed = calloc(count, sizeof(*candidate->allowed));
	if (!candidate->allowed)
		return -ENOMEM;
	for (char **name = store->config->allow_dangerous; *name; name++)
		candidate->allowed[used++] = *name;
	for (size_t i = 0; i < candidate->loaded.count; i++)
		for (char **name = candidate->loaded.items[i].force; *name; name++)
			if (!candidate->loaded.items[i].gone)
				candidate->allowed[used++] = *name;
	return 0;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool is_known(const struct store *store, const struct store_entry *entry)
{
	for (size_t i = 0; i < store->count; i++)
		if (memcmp(store->entries[i].digest, entry->digest, sizeof(entry->digest)) == 0 &&
		    store->entries[i].mode == entry->mode)
			return true;
	return false;
}

static int check_expectations(const struct policy *policy, struct pd_error *error)
{
	struct answerer *answerer;
	int r;

	if (!policy->expect_count)
		return 0;
	r = answerer_new(policy, &answerer, error);
	if (r)
		return r;
	for (size_t i = 0; !r && i < policy->expect_count; i++) {
		const struct policy_expect *expect = &policy->expects[i];
		struct answer answer;

		r = answerer_ask(answerer, &expect->question, &answer, error);
		/* An audit-mode policy is held to what it would do when enforced */
		if (!r && (answer.denied || answer.would_deny) != expect->question.deny)
			r = error_at(
				error, -EINVAL, policy->files[expect->place.file],
				expect->place.line, expect->place.column,
				"this expectation of policy '%s' does not hold; policyctl check "
				"tells more",
				policy->name);
	}
	answerer_free(answerer);
	return r;
}

/* Neither may a command be let go by way of its policy's mode, nor a mode be noted that changes nothing. */
static int check_modes(const struct store_change *change, const struct candidate *candidate,
		       struct pd_error *error)
{
	bool found = !change->mode_of;
	const struct policy *policy;

	for (size_t i = 0; i < candidate->policies.count && !found; i++) {
		found = strcmp(candidate->entries[i].name, change->mode_of) == 0;
		if (found && candidate->entries[i].origin == ORIGIN_RUN)
			return error_set(
				error, -EINVAL,
				"policy '%s' is a running command's, whose mode stays; end the "
				"command, or start it anew with --audit or another file",
				change->mode_of);
	}
	if (!found)
		return error_set(error, -ENOENT, "no policy '%s' is loaded", change->mode_of);
	for (size_t i = 0; i < candidate->run_count; i++) {
		policy = policy_list_find(&candidate->policies, candidate->run_names[i]);
		if (policy && policy->mode == POLICY_DISABLED)
			return error_at(error, -EBUSY, policy->files[0], policy->name_place.line,
					policy->name_place.column,
					"policy '%s' cannot be disabled: a command runs under it; "
					"end the command first",
					policy->name);
	}
	return 0;
}

static int check_candidate(const struct store *store, const struct store_change *change,
			   const struct candidate *candidate, struct pd_error *error)
{
	int r = policy_list_check(&candidate->policies, error);

	if (!r)
		r = check_modes(change, candidate, error);
	for (size_t i = 0; !r && i < candidate->policies.count; i++) {
		const struct policy *policy = candidate->policies.items[i];

		if (policy->mode == POLICY_DISABLED)
			continue;
		r = policy_enforceable(policy, error);
		if (!r && !is_known(store, &candidate->entries[i]))
			r = check_expectations(policy, error);
	}
	return r;
}

static int check_unload(const struct store_change *change, struct candidate *candidate,
			struct pd_error *error)
{
	const struct policy *policy;

	if (!change->unload)
		return 0;
	policy = policy_list_find(&candidate->policies, change->unload);
	if (policy)
		return error_set(
			error, -EPERM,
			"policy '%s' is in %s: remove it there, or disable it with 'policyctl "
			"mode %s disabled'",
			change->unload, policy->files[0], change->unload);
	for (size_t i = 0; i < candidate->loaded.count; i++)
		for (char **name = candidate->loaded.items[i].names; name && *name; name++)
			if (strcmp(*name, change->unload) == 0)
				return 0;
	return error_set(error, -ENOENT, "no policy '%s' is loaded", change->unload);
}

static bool is_directly_in(const char *file, const char *dir)
{
	size_t length = strlen(dir);

	while (length > 1 && dir[length - 1] == '/')
		length--;
	return strncmp(file, dir, length) == 0 && file[length] == '/' &&
	       !strchr(file + length + strspn(file + length, "/"), '/');
}

/* Are policies from this folder in force? */
static bool dir_counts(const struct store *store, const char *dir)
{
	struct image_policy policy;

	for (size_t i = 0; i < store->count; i++)
		if (store->entries[i].origin == ORIGIN_FOLDER &&
		    is_directly_in(store->entries[i].file, dir))
			return true;
	for (size_t i = 0; store->adopted && i < image_policy_count(store->adopted); i++)
		if (!image_policy(store->adopted, i, &policy) && policy.file &&
		    is_directly_in(policy.file, dir))
			return true;
	return false;
}

/* A folder that is missing is an empty one, but not one that has been emptied: it may have failed to be mounted. */
static int read_folders(const struct store *store, struct candidate *candidate,
			struct pd_error *error)
{
	const struct parse_options options = {
		.include_dirs = (const char *const *)store->config->include_dirs,
	};

	for (char **dir = store->config->policy_dirs; *dir; dir++) {
		int r = policy_list_dir(&candidate->policies, *dir, &options, NULL, error);

		if (r == -ENOENT && access(*dir, F_OK) < 0) {
			if (dir_counts(store, *dir))
				return error_at(
					error, r, *dir, 0, 0,
					"the directory is missing, and policies from it are "
					"in force; to unload them, make it and leave it empty");
			r = 0;
		}
		if (r)
			return r;
	}
	return 0;
}

static int read_all(const struct store *store, const struct store_change *change,
		    const struct store_run *runs, size_t run_count, struct candidate *candidate,
		    struct pd_error *error)
{
	size_t folders = 0, loaded = 0;
	int r = 0;

	if (store->run_dir) {
		r = read_folders(store, candidate, error);
		folders = candidate->policies.count;
		if (!r)
			r = read_loaded(store, change, candidate, error);
		loaded = candidate->policies.count;
		if (!r)
			r = read_modes(store, change, candidate, error);
	}
	if (!r)
		r = check_unload(change, candidate, error);
	if (!r)
		r = read_runs(store, runs, run_count, candidate, error);
	if (r)
		return r;
	candidate->entries = calloc(candidate->policies.count + 1, sizeof(*candidate->entries));
	if (!candidate->entries)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; !r && i < candidate->policies.count; i++)
		r = fill_entry(candidate, candidate->policies.items[i],
			       i < folders ? ORIGIN_FOLDER :
			       i < loaded  ? ORIGIN_LOADED :
					     ORIGIN_RUN,
			       &candidate->entries[i]);
	if (!r)
		r = fill_allowed(store, candidate);
	if (r)
		return error_set(error, r, "out of memory");
	make_digest(store, candidate);
	return check_candidate(store, change, candidate, error);
}

int store_read(const struct store *store, const struct store_change *change,
	       const struct store_run *runs, size_t run_count, struct candidate **ret_candidate,
	       struct pd_error *error)
{
	static const struct store_change nothing;
	struct candidate *candidate = calloc(1, sizeof(*candidate));
	int r;

	if (!candidate)
		return error_set(error, -ENOMEM, "out of memory");
	r = read_all(store, change ? change : &nothing, runs, run_count, candidate, error);
	if (r) {
		candidate_free(candidate);
		return r;
	}
	*ret_candidate = candidate;
	return 0;
}

bool candidate_same(const struct candidate *candidate, const struct store *store)
{
	return memcmp(candidate->digest, store->digest, sizeof(store->digest)) == 0;
}
