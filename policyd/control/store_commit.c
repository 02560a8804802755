/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a candidate to what is in force. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/control/candidate.h"
#include "policyd/policy/words.h"

const struct policy_list *candidate_policies(const struct candidate *candidate)
{
	return &candidate->policies;
}

int store_compile(const struct store *store, struct candidate *candidate,
		  const char *const *const *container_sets, size_t container_count,
		  uint64_t generation, const unsigned char **ret_image, uint32_t *ret_groups,
		  struct pd_error *error)
{
	const size_t count = candidate->policies.count;
	CLEANUP_FREE const char **names = calloc(2 * candidate->run_count + 1, sizeof(*names));
	CLEANUP_FREE const char *const **sets =
		calloc(candidate->run_count + container_count + 1, sizeof(*sets));
	struct compile_input input = {
		.policies = candidate->policies.items,
		.policy_count = count,
		.generation = generation,
		.rescue = store->rescue,
	};
	int r;

	if (!names || !sets)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < candidate->run_count; i++) {
		names[2 * i] = candidate->run_names[i];
		sets[input.extra_set_count++] = &names[2 * i];
	}
	for (size_t i = 0; i < container_count; i++)
		sets[input.extra_set_count++] = container_sets[i];
	input.extra_sets = sets;
	if (store->run_dir)
		input.unknown = store->rescue ? PD_UNKNOWN_ALLOW : store->config->on_unknown;
	candidate->numbering = store->numbering ? numbering_copy(store->numbering) :
						  numbering_new();
	if (!candidate->numbering)
		return error_set(error, -ENOMEM, "out of memory");
	r = compile(&input, candidate->numbering, &candidate->compiled, error);
	if (!r && store->run_dir && !store->rescue)
		r = policies_harmless(candidate->compiled->image, &candidate->policies,
				      &store->self, candidate->allowed, error);
	if (r)
		return r;
	*ret_image = candidate->compiled->image;
	*ret_groups = candidate->compiled->stats.groups;
	return 0;
}

static int write_modes(const struct store *store, const json_t *modes)
{
	CLEANUP_FREE char *path = store_modes_path(store);
	CLEANUP_FREE char *text = json_dumps(modes, JSON_COMPACT);

	if (!path || !text)
		return -ENOMEM;
	if (!json_object_size(modes))
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	return file_write_atomic(path, text, strlen(text), 0600);
}

int candidate_write(const struct candidate *candidate, const struct store *store,
		    struct pd_error *error)
{
	CLEANUP_FREE char *dir = NULL;
	int r;

	if (!store->run_dir)
		return 0;
	dir = string_format("%s/policies", store->run_dir);
	if (!dir)
		return error_set(error, -ENOMEM, "out of memory");
	r = loaded_write(dir, &candidate->loaded, error);
	if (r || !candidate->modes_changed)
		return r;
	r = write_modes(store, candidate->modes);
	if (r) {
		loaded_unwrite(dir, &candidate->loaded);
		return error_at(error, r, store->run_dir, 0, 0, "modes.json: %s", strerror(-r));
	}
	return 0;
}

void candidate_unwrite(const struct candidate *candidate, const struct store *store)
{
	CLEANUP_FREE char *dir = NULL;
	json_t *modes;

	if (!store->run_dir)
		return;
	dir = string_format("%s/policies", store->run_dir);
	if (dir)
		loaded_unwrite(dir, &candidate->loaded);
	if (!candidate->modes_changed)
		return;
	modes = json_object();
	for (size_t i = 0; modes && i < store->count; i++)
		if (store->entries[i].mode != store->entries[i].file_mode)
			json_object_set_new(
				modes, store->entries[i].name,
				json_string(words_name(&words_modes, store->entries[i].mode)));
	if (modes)
		write_modes(store, modes);
	json_decref(modes);
}

void store_commit(struct store *store, struct candidate *candidate)
{
	store_entries_free(store->entries, store->count);
	store->adopted = NULL;
	store->entries = candidate->entries;
	store->count = candidate->policies.count;
	candidate->entries = NULL;
	numbering_free(store->numbering);
	store->numbering = candidate->numbering;
	candidate->numbering = NULL;
	store->stats = candidate->compiled->stats;
	memcpy(store->digest, candidate->digest, sizeof(store->digest));
	candidate_free(candidate);
}
