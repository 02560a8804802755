/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policyd/base/fd.h"

#define CGROUP_DEPTH_MAX 32 /* of what cgroup_remove() takes away: our own, small trees */

int cgroup_check_v2(struct pd_error *error)
{
	struct statfs fs;

	if (statfs(CGROUP_ROOT, &fs) < 0)
		return error_set(error, -ENOTSUP,
				 CGROUP_ROOT ": %s; mount the cgroup v2 hierarchy there",
				 strerror(errno));
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return error_set(error, -ENOTSUP,
				 CGROUP_ROOT " is a cgroup v1 or hybrid hierarchy; boot with "
					     "systemd.unified_cgroup_hierarchy=1");
	return 0;
}

int cgroup_id(const char *path, uint64_t *ret_id)
{
	struct statfs fs;
	struct stat st;

	if (strncmp(path, CGROUP_ROOT "/", sizeof(CGROUP_ROOT)) != 0)
		return -EINVAL;
	if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(st.st_mode))
		return -ENOTSUP;
	*ret_id = st.st_ino;
	return 0;
}

int cgroup_of(pid_t pid, char **ret_path)
{
	CLEANUP_FREE char *text = NULL;
	char file[32];
	char *start, *end;
	int r;

	if (pid)
		snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	else
		snprintf(file, sizeof(file), "/proc/self/cgroup");
	r = file_load(file, 64 << 10, &text, NULL);
	if (r)
		return r;
	start = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!start)
		return -ENOTSUP;
	start = strchr(start, '/');
	if (!start)
		return -EPROTO;
	end = strchr(start, '\n');
	if (end)
		*end = '\0';
	*ret_path = strdup(start);
	return *ret_path ? 0 : -ENOMEM;
}

int cgroup_is_roots(const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX];
	struct stat st;
	int n = snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 0, path);

	if (n < 0 || (size_t)n >= sizeof(above))
		return -ENAMETOOLONG;
	if (stat(above, &st) < 0)
		return -errno;
	return st.st_uid == 0 && !(st.st_mode & S_IWOTH) &&
	       (st.st_gid == 0 || !(st.st_mode & S_IWGRP));
}

size_t cgroup_roots_part(const char *cgroup)
{
	char path[PATH_MAX];
	size_t part = 0;

	while (cgroup[part] == '/' && cgroup[part + 1]) {
		size_t end = part + 1 + strcspn(cgroup + part + 1, "/");
		int n = snprintf(path, sizeof(path), CGROUP_ROOT "%.*s", (int)end, cgroup);

		if (n < 0 || (size_t)n >= sizeof(path) || cgroup_is_roots(path) != 1)
			break;
		part = end;
	}
	return part;
}

static char *member(const char *path, const char *name)
{
	return string_format("%s/%s", path, name);
}

int cgroup_populated(const char *path)
{
	CLEANUP_FREE char *file = member(path, "cgroup.events");
	CLEANUP_FREE char *text = NULL;
	const char *value;
	int r;

	if (!file)
		return -ENOMEM;
	r = file_load(file, 4096, &text, NULL);
	if (r)
		return r;
	value = strstr(text, "populated ");
	return value ? value[strlen("populated ")] == '1' : -EPROTO;
}

int cgroup_add(const char *path, pid_t pid)
{
	CLEANUP_FREE char *file = member(path, "cgroup.procs");
	char value[16];

	if (!file)
		return -ENOMEM;
	snprintf(value, sizeof(value), "%d", (int)pid);
	return file_write_value(file, value);
}

static bool others_below(const char *path, pid_t pid, unsigned int depth)
{
	CLEANUP_FREE char *procs = member(path, "cgroup.procs");
	FILE *file = procs ? fopen(procs, "re") : NULL;
	DIR *dir = file ? opendir(path) : NULL;
	const struct dirent *entry;
	bool others = !dir || !depth;
	int number;

	while (!others && fscanf(file, "%d", &number) == 1)
		others = number != (int)pid;
	others |= file && ferror(file);
	while (!others && (entry = readdir(dir))) {
		CLEANUP_FREE char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = member(path, entry->d_name);
		others = !below || others_below(below, pid, depth - 1);
	}
	if (dir)
		closedir(dir);
	if (file)
		fclose(file);
	return others;
}

bool cgroup_is_alone(const char *path, pid_t pid)
{
	return !others_below(path, pid, CGROUP_DEPTH_MAX);
}

int cgroup_kill(const char *path)
{
	CLEANUP_FREE char *file = member(path, "cgroup.kill");

	return file ? file_write_value(file, "1") : -ENOMEM;
}

static int remove_below(const char *path, unsigned int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!r && (entry = readdir(dir))) {
		CLEANUP_FREE char *below = NULL;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		below = member(path, entry->d_name);
		r = !below ? -ENOMEM : depth ? remove_below(below, depth - 1) : -ELOOP;
	}
	closedir(dir);
	if (!r && rmdir(path) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int cgroup_remove(const char *path)
{
	return remove_below(path, CGROUP_DEPTH_MAX);
}
