/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several policies together: read from folders, checked against each other and against what would
 * lock the machine's owner out.
 */
#ifndef PD_CONTROL_POLICIES_H
#define PD_CONTROL_POLICIES_H

#include "policyd/control/config.h"
#include "policyd/policy/compile.h"
#include "policyd/policy/parse.h"

#define POLICIES_MAX 2048u /* policies in force at once */

/* Zero it to begin. */
struct policy_list {
	struct policy **items;
	size_t count;
};

/** policy_list_done() - frees the policies too */
void policy_list_done(struct policy_list *list);

/** policy_list_take() - append @count policies and free the array, as parse_file() returned it.
 * -ENOMEM, -E2BIG: all of them are freed then. */
int policy_list_take(struct policy_list *list, struct policy **policies, size_t count,
		     struct pd_error *error);

/** policy_list_file() - append what parse_file() makes of @path */
int policy_list_file(struct policy_list *list, const char *path,
		     const struct parse_options *options, const struct parse_sink *sink,
		     struct pd_error *error);

/**
 * policy_list_dir() - append each *.yaml of a folder, by name
 *
 * -ENOENT when there is no such folder. Unless files are trusted, it has to be as file_check_dir() wants it.
 */
int policy_list_dir(struct policy_list *list, const char *dir, const struct parse_options *options,
		    const struct parse_sink *sink, struct pd_error *error);

/** policy_list_find() - by name; NULL: none */
struct policy *policy_list_find(const struct policy_list *list, const char *name);

/** policy_list_check() - -EEXIST when two policies have one name, with both places */
int policy_list_check(const struct policy_list *list, struct pd_error *error);

/**
 * policy_enforceable() - can this version enforce what the policy says?
 *
 * -ENOTSUP with the place: an entry of match: that selects containers and programs.
 */
int policy_enforceable(const struct policy *policy, struct pd_error *error);

/* Where policyd and PID 1 are, by their programs and cgroups; NULL: not known */
struct self {
	char *exe, *cgroup;
	char *init_exe, *init_cgroup;
};

/** self_learn() - strings to be freed by self_done(). PID 1's program is only told to who may trace it. */
int self_learn(struct self *ret_self, struct pd_error *error);
void self_done(struct self *self);

/* Who must not be confined by accident. */
struct bystander {
	const char *what; /* "PID 1" */
	const char *cgroup, *exe;
};

/**
 * policies_harmless() - would the image confine a bystander in a default-deny class?
 * @allowed: names of policies that may, NULL-terminated; NULL: none
 *
 * policyd itself, PID 1 and a task of no particular cgroup and program ("every task") are asked about.
 * Only policies that are enforced count. Returns 0, or -EPERM naming policy, bystander and remedy.
 */
int policies_harmless(const unsigned char *image, const struct policy_list *list,
		      const struct self *self, const char *const *allowed, struct pd_error *error);

/**
 * include_dirs_near() - where includes of a file given by hand are looked for
 *
 * "include" beside the file first, then the configured folders. NULL-terminated, to be freed with its
 * first element (the only one that is not borrowed). NULL: no memory.
 */
const char **include_dirs_near(const struct config *config, const char *file);

#endif
