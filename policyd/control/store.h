/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policies there are, from where, in which mode; and the image made of them. Nothing here
 * touches the kernel: a candidate is read and compiled beside what is in force, and committed once
 * it is in force itself.
 */
#ifndef PD_CONTROL_STORE_H
#define PD_CONTROL_STORE_H

#include "policyd/control/loaded.h"

enum policy_origin {
	ORIGIN_FOLDER, /* policy_dirs */
	ORIGIN_LOADED, /* policyctl load */
	ORIGIN_RUN,    /* policyctl run, for as long as its command lives */
};

/* What is remembered of a policy in force; the rest is in the image. */
struct store_entry {
	char *name;
	char *file;
	enum policy_origin origin;
	enum policy_mode mode;	    /* in force */
	enum policy_mode file_mode; /* what the file says */
	char *match;		    /* "cgroup /a/b; exe /c", "" for none */
	size_t rules;
	unsigned char digest[32];
};

/* The policy of a policyctl run. */
struct store_run {
	const char *name;	  /* one that is loaded, or the name that the text gets */
	struct control_file file; /* text NULL: loaded */
	bool audit;
};

/* What to do besides reading again what is there. Zero: nothing. */
struct store_change {
	const struct control_file *files; /* to be added */
	size_t file_count;
	const char *const *force;
	const char *unload;  /* a policy */
	const char *mode_of; /* a policy; NULL: no change of mode */
	enum policy_mode mode;
	bool mode_reset;
};

struct store {
	/* set by the owner */
	const struct config *config;
	const char *run_dir; /* holds policies/ and modes.json; NULL: no folders, only runs */
	struct self self;    /* what must not be confined */
	bool rescue;
	/* what is in force; before anything was committed, what a former daemon left, or NULL */
	const unsigned char *adopted;
	struct store_entry *entries;
	size_t count;
	struct numbering *numbering;
	struct compile_stats stats;
	unsigned char digest[32];
};

/** store_done() - frees what is remembered */
void store_done(struct store *store);

/** store_find() - NULL: not in force */
const struct store_entry *store_find(const struct store *store, const char *name);

struct candidate;

/**
 * store_read() - read all policies, with a change
 * @runs: policies of the commands that run now
 *
 * Checked: names, that all can be enforced, and the expectations of what is new. Nothing on
 * disk is changed yet. Returns 0 or a negative errno with @error.
 */
int store_read(const struct store *store, const struct store_change *change,
	       const struct store_run *runs, size_t run_count, struct candidate **ret_candidate,
	       struct pd_error *error);
void candidate_free(struct candidate *candidate);

/** candidate_same() - would it be the same as what is in force? */
bool candidate_same(const struct candidate *candidate, const struct store *store);

/** candidate_policies() - all of them; they are the candidate's */
const struct policy_list *candidate_policies(const struct candidate *candidate);

/**
 * store_compile() - make the image, and refuse it when it confines who must not be
 * @container_sets: of policies that containers have, each NULL-terminated; may be NULL
 *
 * *ret_image belongs to the candidate.
 */
int store_compile(const struct store *store, struct candidate *candidate,
		  const char *const *const *container_sets, size_t container_count,
		  uint64_t generation, const unsigned char **ret_image, uint32_t *ret_groups,
		  struct pd_error *error);

/** candidate_write() - bring run_dir in line, before the image is put in force */
int candidate_write(const struct candidate *candidate, const struct store *store,
		    struct pd_error *error);
/** candidate_unwrite() - undo it, when that failed */
void candidate_unwrite(const struct candidate *candidate, const struct store *store);

/** store_commit() - it is in force: remember it; frees the candidate */
void store_commit(struct store *store, struct candidate *candidate);

#endif
