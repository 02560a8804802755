/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LXC's: a name that is not always that of the cgroup, and a configuration. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/cgroup.h"
#include "policyd/base/fd.h"
#include "policyd/workload/metadata_read.h"

/* ---- its configuration ----------------------------------------------------------------------- */

/* Which is what? A key in @line, its value in *ret_value without quotes; both are cut out of @line. */
static const char *lxc_line(char *line, char **ret_value)
{
	char *value = strchr(line, '='), *end;

	line += strspn(line, " \t");
	if (!value)
		return "";
	line[strcspn(line, " \t=")] = '\0';
	value += 1;
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && strchr(" \t\r", end[-1]); end--)
		;
	if (end > value + 1 && (*value == '"' || *value == '\'') && end[-1] == *value) {
		value++;
		end--;
	}
	*end = '\0';
	*ret_value = value;
	return line;
}

/*
 * Is its root directory the host's? Yes, unless the configuration that it has by its name says otherwise: lxc-execute
 * needs none. LXC executes its hooks before it changes the root directory, in the payload's cgroup: so this must not
 * be true of those that have their own. What is included later may name another root; what LXC ships does not.
 */
static bool lxc_has_host_root(char *text)
{
	static const char shipped[] = "/usr/share/lxc/config/";
	bool host = true;
	char *value;

	for (char *line; (line = strsep(&text, "\n"));) {
		const char *key = lxc_line(line, &value);

		if (strcmp(key, "lxc.include") == 0 &&
		    strncmp(value, shipped, sizeof(shipped) - 1) != 0)
			host = true;
		if (strcmp(key, "lxc.rootfs.path") != 0)
			continue;
		/* TYPE:PATH, where all types but dir are mounted by LXC */
		value += strncmp(value, "dir:", 4) == 0 ? 4 : 0;
		host = *value == '/' ? metadata_is_host_root(value) : !strchr(value, ':');
	}
	return host;
}

/* The configuration of the container of this name; *ret NULL: there is none to be read. */
static int lxc_config(const struct metadata_places *places, const char *name, char **ret)
{
	CLEANUP_FREE char *path = string_format("%s/%s/config", places->lxc, name);
	CLEANUP_FD int fd = path ? file_open_roots(path) : -ENOMEM;
	size_t size;
	int r = fd < 0 ? fd : fd_read_all(fd, METADATA_FILE_MAX, ret, &size);

	if (r)
		*ret = NULL;
	return r == -ENOMEM ? r : 0;
}

/* The end of the name in NAME-1: so LXC calls the cgroup of NAME, while there still is one called NAME. 0: it is not so. */
static size_t lxc_numbered(const char *id)
{
	const char *end = strrchr(id, '-');

	return end && end[1] && !end[1 + strspn(end + 1, "0123456789")] ? (size_t)(end - id) : 0;
}

/* ---- its monitor ----------------------------------------------------------------------------- */

#define TRIES 16 /* processes of one cgroup, and cgroups in a container's */
#define ANCESTORS_MAX 64

static int read_proc(pid_t pid, const char *name, char **ret, size_t *ret_size)
{
	CLEANUP_FREE char *path = string_format("/proc/%d/%s", (int)pid, name);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -ENOMEM;

	return fd < 0 ? -ENOENT : fd_read_all(fd, METADATA_FILE_MAX, ret, ret_size);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/*
 * Which of @names does a monitor's command line say? LXC titles it "[lxc monitor] FOLDER NAME"; in the foreground it is
 * lxc-start or lxc-execute themselves, with their arguments. -1: neither or both.
 */
static int name_said(const char *line, size_t size, const char *const names[2])
{
	static const char title[] = "[lxc monitor] ", option[] = "--name=";
	const char *slash = strrchr(line, '/');
	bool said[2] = { false, false };

	if (strncmp(line, title, sizeof(title) - 1) != 0 &&
	    strcmp(slash ? slash + 1 : line, "lxc-start") != 0 &&
	    strcmp(slash ? slash + 1 : line, "lxc-execute") != 0)
		return -1;
	for (const char *arg = line, *end = line + size; arg < end; arg += strlen(arg) + 1) {
		const char *word = arg;

		if (strcmp(arg, "--") == 0) /* behind it is what is run */
			break;
		if (strncmp(arg, title, sizeof(title) - 1) == 0)
			word = strrchr(arg, ' ') + 1;
		else if (strncmp(arg, option, sizeof(option) - 1) == 0)
			word += sizeof(option) - 1;
		else if (strncmp(arg, "-n", 2) == 0)
			word += 2;
		else if (arg[0] == '-' && (ends_with(arg, names[0]) || ends_with(arg, names[1])))
			return -1; /* --nam=, -Fn */
		for (int i = 0; i < 2; i++)
			said[i] |= strcmp(word, names[i]) == 0;
	}
	return said[0] == said[1] ? -1 : said[1];
}

static pid_t parent_of(pid_t pid)
{
	CLEANUP_FREE char *stat = NULL;
	const char *end;
	size_t size;
	int parent = 0;

	/* behind the program's name, which may be anything: state and parent */
	if (read_proc(pid, "stat", &stat, &size) || !(end = strrchr(stat, ')')) ||
	    sscanf(end, ") %*c %d", &parent) != 1)
		return 0;
	return (pid_t)parent;
}

/* The same of the first of a process's ancestors who is not in the container: whoever is may call himself anything. */
static int ancestors_word(const struct container *c, pid_t pid, const char *const names[2])
{
	CLEANUP_FREE char *line = NULL;
	size_t size;

	for (int i = 0; i < ANCESTORS_MAX && (pid = parent_of(pid)) > 0; i++) {
		CLEANUP_FREE char *cgroup = NULL;

		if (cgroup_of(pid, &cgroup))
			return -1;
		if (strncmp(cgroup, c->cgroup, strlen(c->cgroup)) != 0)
			return read_proc(pid, "cmdline", &line, &size) ?
				       -1 :
				       name_said(line, size, names);
	}
	return -1;
}

static int said_in(const struct container *c, const char *path, const char *const names[2])
{
	CLEANUP_FREE char *procs = string_format("%s/cgroup.procs", path);
	FILE *file = procs ? fopen(procs, "re") : NULL;
	int which = -1, pid;

	for (int i = 0; file && which < 0 && i < TRIES && fscanf(file, "%d", &pid) == 1; i++)
		which = ancestors_word(c, (pid_t)pid, names);
	if (file)
		fclose(file);
	return which;
}

/* Which of @names does the container's monitor call it? systemd in it moves itself to a cgroup further down. -1: that
 * is not to be found. */
static int lxc_monitored(const struct container *c, const char *const names[2])
{
	CLEANUP_FREE char *path = string_format(CGROUP_ROOT "%s", c->cgroup);
	int which = path ? said_in(c, path, names) : -1;
	DIR *dir = path && which < 0 ? opendir(path) : NULL;
	const struct dirent *entry;

	for (int i = 0; dir && which < 0 && i < TRIES && (entry = readdir(dir));) {
		CLEANUP_FREE char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		i++;
		below = string_format("%s/%s", path, entry->d_name);
		which = below ? said_in(c, below, names) : -1;
	}
	if (dir)
		closedir(dir);
	return which;
}

/* ---- its name -------------------------------------------------------------------------------- */

static int tell_name(const struct metadata_places *places, struct container *c, const char *other,
		     char **config, struct pd_error *error)
{
	const char *const names[2] = { c->id, other };
	CLEANUP_FREE char *others = NULL;
	int which = lxc_monitored(c, names);
	int r = lxc_config(places, other, &others);

	if (r)
		return r;
	/* What the monitor does not say, a configuration may, if it is one. */
	if (which < 0 && !*config == !others)
		return error_set(error, -EEXIST,
				 others ? "it may be LXC's container %s or another cgroup of %s: "
					  "no monitor tells, and both have a configuration in %s; "
					  "start it again" :
					  "it may be LXC's container %s or another cgroup of %s: "
					  "give it a configuration in %s",
				 c->id, other, places->lxc);
	if (which < 0)
		which = others != NULL;
	if (!which)
		return 0;
	free(*config);
	*config = others;
	others = NULL;
	return metadata_set(&c->name, other);
}

int lxc_read(const struct metadata_places *places, struct container *c, struct pd_error *error)
{
	CLEANUP_FREE char *config = NULL;
	CLEANUP_FREE char *other = strndup(c->id, lxc_numbered(c->id));
	int r = other ? lxc_config(places, c->id, &config) : -ENOMEM;

	if (!r && *other)
		r = tell_name(places, c, other, &config, error);
	c->host_root = r || !config || lxc_has_host_root(config);
	return r;
}
