/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs as files in run_dir: written at their beginning, read by the next daemon. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/base/json.h"
#include "policyd/control/run.h"

static char *record_path(const struct run *run)
{
	return string_format("%s/runs/%s.json", run->runs->daemon->run_dir,
			     run->cgroup + sizeof(RUNS_FOLDER));
}

int run_record_write(const struct run *run)
{
	CLEANUP_FREE char *path = NULL, *text = NULL, *dir = NULL;
	json_t *object;
	int r;

	if (!run->runs->daemon->run_dir)
		return 0;
	path = record_path(run);
	dir = string_format("%s/runs", run->runs->daemon->run_dir);
	object = json_pack("{s:s, s:s, s:b, s:I, s:I, s:s?, s:s?, s:s?}", "cgroup", run->cgroup,
			   "policy", run->policy, "audit", run->audit, "runner",
			   (json_int_t)run->runner, "runner_start", (json_int_t)run->runner_start,
			   "file", run->file_name, "text", run->text, "include_dir",
			   run->include_dir);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (!path || !dir || !text)
		return -ENOMEM;
	r = dir_make(dir, 0700);
	return r ? r : file_write_atomic(path, text, strlen(text), 0600);
}

void run_record_remove(const struct run *run)
{
	CLEANUP_FREE char *path = NULL;

	if (!run->runs->daemon->run_dir)
		return;
	path = record_path(run);
	if (path)
		unlink(path);
}

static int resume_one(struct runs *runs, const char *path, struct pd_error *error)
{
	CLEANUP_FREE char *text = NULL;
	struct control_file file = { 0 };
	const char *cgroup, *policy;
	json_t *object = NULL;
	struct run *run;
	uint64_t runner = 0, id;
	size_t size;
	int r = file_load(path, 2 * CONTROL_FRAME_MAX, &text, &size);

	if (!r)
		r = json_read(text, size, &object, error);
	if (r)
		return error_at(error, r, path, 0, 0, "%s", strerror(-r));
	if (!json_get_string(object, "cgroup", &cgroup) ||
	    !json_get_string(object, "policy", &policy) ||
	    !json_get_unsigned(object, "runner", INT32_MAX, &runner)) {
		json_decref(object);
		return error_at(error, -EPROTO, path, 0, 0,
				"not what policyd keeps here; remove it");
	}
	if (run_check_cgroup(cgroup, &id, NULL)) { /* it ended meanwhile */
		json_decref(object);
		unlink(path);
		return 0;
	}
	json_get_string(object, "file", &file.name);
	json_get_string(object, "text", &file.text);
	json_get_string(object, "include_dir", &file.include_dir);
	run = run_new(runs, cgroup, policy);
	if (!run || run_copy_file(run, &file)) {
		if (run)
			run_free(run);
		json_decref(object);
		return error_set(error, -ENOMEM, "out of memory");
	}
	run->id = id;
	run->runner = (pid_t)runner;
	json_get_bool(object, "audit", &run->audit);
	json_get_unsigned(object, "runner_start", UINT64_MAX, &run->runner_start);
	json_decref(object);
	if (run->runner_start && run_process_start(run->runner) == run->runner_start)
		run_watch_runner(run); /* failing means that it is gone: runs_bind() sees that */
	run->next = runs->first;
	runs->first = run;
	runs->count++;
	return 0;
}

int runs_resume(struct runs *runs, struct pd_error *error)
{
	CLEANUP_FREE char *dir = string_format("%s/runs", runs->daemon->run_dir);
	struct dirent *entry;
	DIR *folder;
	int r = 0;

	if (!dir)
		return error_set(error, -ENOMEM, "out of memory");
	folder = opendir(dir);
	if (!folder)
		return errno == ENOENT ? 0 :
					 error_at(error, -errno, dir, 0, 0, "%s", strerror(errno));
	while (!r && (entry = readdir(folder))) {
		CLEANUP_FREE char *path = NULL;
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || length < 5 ||
		    strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		path = string_format("%s/%s", dir, entry->d_name);
		r = path ? resume_one(runs, path, error) : -ENOMEM;
	}
	closedir(folder);
	return r;
}
