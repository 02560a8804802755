/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/policyd/policyd.yaml: what the daemon is told about itself. Policies are elsewhere.
 */
#ifndef PD_CONTROL_CONFIG_H
#define PD_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi.h"
#include "policyd/base/error.h"
#include "policyd/workload/metadata.h"

#define CONFIG_PATH "/etc/policyd/policyd.yaml"
#define CONFIG_SIZE_MAX (64u << 10)
#define CONFIG_RUN_DIR "/run/policyd"
#define CONFIG_SHARE_DIR "/usr/share/policyd/policies"

enum config_stdout { STDOUT_OFF, STDOUT_JSON, STDOUT_HUMAN };

struct config {
	char **policy_dirs; /* NULL-terminated, absolute, as all lists here */
	char **include_dirs;
	struct {
		char *file_path;	/* NULL: no file */
		uint64_t file_max_size; /* bytes; 0: rotated by others only */
		uint64_t file_keep;	/* old files beside it */
		enum config_stdout stdout_form;
		bool journald;
	} events;
	char *socket_path;
	char *socket_group; /* members may read; NULL: root only */
	char *pin_dir;
	uint64_t ring_bytes[PD_RING_COUNT]; /* powers of two, multiples of the page size */
	char **ignore_cgroups;		    /* patterns: what runs there is no container */
	enum pd_unknown on_unknown;	    /* before it is known which policies a container has */
	uint64_t hold_seconds;		    /* how long it is held at most; then it is refused */
	struct metadata_places runtimes;    /* strings are the configuration's */
	char **allow_dangerous; /* policies that may confine policyd, PID 1 or every task */
};

/** config_default() - what an empty file means; NULL: no memory */
struct config *config_default(void);

/**
 * config_read() - the file at @path
 *
 * A file that is missing means the defaults when @path is CONFIG_PATH. Unknown and duplicate keys,
 * wrong types and impossible values are errors, and so is, for root, a file that others than root may write, or that
 * is in a directory they may write.
 * Returns 0, or a negative errno with the place in @error.
 */
int config_read(const char *path, struct config **ret_config, struct pd_error *error);

/** config_parse() - the same for text in memory; @name stands for the file in messages */
int config_parse(const char *name, const char *text, size_t size, struct config **ret_config,
		 struct pd_error *error);

/** config_free() - NULL is fine */
void config_free(struct config *config);

#endif
