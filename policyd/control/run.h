/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of struct run, for runs.c (its life) and runs_kept.c (what the next daemon finds of it). */
#ifndef PD_CONTROL_RUN_H
#define PD_CONTROL_RUN_H

#include "policyd/control/protocol.h"
#include "policyd/control/runs.h"

struct run {
	struct run *next;
	struct runs *runs;
	char *cgroup;
	uint64_t id;
	char *policy;
	char *file_name, *text, *include_dir; /* text NULL: a loaded policy */
	bool audit;
	pid_t runner;
	uint64_t runner_start; /* clock ticks since boot: tells a reused pid */
	int pidfd;	       /* -1: the runner is gone */
	struct source *source;
	int watch; /* on cgroup.events while ending */
	bool ending;
	struct connection *owner;
};

struct runs {
	struct daemon *daemon;
	struct run *first;
	size_t count;
	int inotify;
	struct source *source;
	struct timer *timer; /* for ends that no event will tell of */
};

struct run *run_new(struct runs *runs, const char *cgroup,
		    const char *policy); /* NULL: no memory */
void run_free(struct run *run);
int run_copy_file(struct run *run, const struct control_file *file); /* 0 or -ENOMEM */

/** run_check_cgroup() - is it a folder of RUNS_FOLDER? */
int run_check_cgroup(const char *path, uint64_t *ret_id, struct pd_error *error);

/** run_process_start() - when a process was started, in clock ticks since boot; 0: there is no such process */
uint64_t run_process_start(pid_t pid);
int run_watch_runner(struct run *run); /* 0 or -errno: it is gone */

int run_record_write(const struct run *run); /* 0 or -errno */
void run_record_remove(const struct run *run);

#endif
