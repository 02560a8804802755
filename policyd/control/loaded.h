/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies given by `policyctl load`: kept as JSON in RUN_DIR/policies, one file per policy file, so
 * that they survive the daemon but not the machine. {"source","text","include_dir","force":[]}
 */
#ifndef PD_CONTROL_LOADED_H
#define PD_CONTROL_LOADED_H

#include "policyd/control/policies.h"
#include "policyd/control/protocol.h"

struct loaded_file {
	char *key;    /* name of its first policy: "<key>.json" is where it is kept */
	char *source; /* where it came from, as messages and events name it */
	char *text;
	size_t size;
	char *include_dir;	     /* may be NULL */
	char **force;		     /* NULL-terminated */
	struct policy_list policies; /* once parsed, until they are taken */
	char **names;		     /* theirs, NULL-terminated */
	bool fresh;		     /* not on disk yet */
	bool gone;		     /* to be removed from disk */
};

struct loaded {
	struct loaded_file *items;
	size_t count;
};

void loaded_done(struct loaded *loaded);

/** loaded_read() - all that is kept in @dir; a missing folder is an empty one */
int loaded_read(const char *dir, struct loaded *loaded, struct pd_error *error);

/** loaded_add() - a file that came with a request; not on disk yet */
int loaded_add(struct loaded *loaded, const struct control_file *file, const char *const *force,
	       struct pd_error *error);

/**
 * loaded_parse() - fill file->policies
 * @include_dirs: searched after the file's own include_dir
 *
 * Fills file->names and file->key.
 */
int loaded_parse(struct loaded_file *file, char *const *include_dirs, struct pd_error *error);

/**
 * loaded_settle() - fresh files replace older ones from the same source or with a policy of the same name
 *
 * Marks those as gone, and sorts all by key, so that the order is that of the next loaded_read(). Call it
 * once all are parsed.
 */
void loaded_settle(struct loaded *loaded);

/** loaded_find() - the file, not gone, that holds a policy; NULL: none */
struct loaded_file *loaded_find(struct loaded *loaded, const char *name);

/** loaded_write() - make the disk agree: write fresh files, remove gone ones. -errno with @error */
int loaded_write(const char *dir, const struct loaded *loaded, struct pd_error *error);

/** loaded_unwrite() - undo loaded_write() */
void loaded_unwrite(const char *dir, const struct loaded *loaded);

#endif
