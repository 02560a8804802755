/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of struct candidate, for store.c (reads it) and store_commit.c (compiles and keeps it). */
#ifndef PD_CONTROL_CANDIDATE_H
#define PD_CONTROL_CANDIDATE_H

#include <jansson.h>

#include "policyd/control/store.h"

struct candidate {
	struct policy_list policies;
	struct store_entry *entries; /* as many, in the same order */
	struct loaded loaded;
	json_t *modes; /* overrides, name to word */
	bool modes_changed;
	char **run_names; /* policies of commands that run now */
	size_t run_count;
	const char **allowed; /* who may be dangerous; borrowed from config and loaded */
	struct numbering *numbering;
	struct compiled *compiled;
	unsigned char digest[32];
};

void store_entries_free(struct store_entry *entries, size_t count);

/** store_modes_path() - of the modes set by hand; to be freed, NULL: no memory */
char *store_modes_path(const struct store *store);

#endif
