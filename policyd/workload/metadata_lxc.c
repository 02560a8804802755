/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LXC's: a name that is not always that of the cgroup, and a configuration. */
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

#define INIT_TRIES 16 /* processes of a container of which one is the child of its monitor */

static int read_proc(pid_t pid, const char *name, char **ret)
{
	CLEANUP_FREE char *path = string_format("/proc/%d/%s", (int)pid, name);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -ENOMEM;
	size_t size;

	return fd < 0 ? -ENOENT : fd_read_all(fd, METADATA_FILE_MAX, ret, &size);
}

/* The name in "[lxc monitor] FOLDER NAME", as which whoever started this process calls himself. */
static char *monitors_name(const struct container *c, pid_t pid)
{
	static const char title[] = "[lxc monitor] ";
	CLEANUP_FREE char *stat = NULL, *line = NULL, *cgroup = NULL;
	const char *end, *name;
	int parent = 0;

	/* behind the program's name, which may be anything: state and parent */
	if (read_proc(pid, "stat", &stat) || !(end = strrchr(stat, ')')) ||
	    sscanf(end, ") %*c %d", &parent) != 1 || parent <= 0)
		return NULL;
	/* who is in the container may call himself so, too */
	if (cgroup_of(parent, &cgroup) || strncmp(cgroup, c->cgroup, strlen(c->cgroup)) == 0 ||
	    read_proc(parent, "cmdline", &line) || strncmp(line, title, sizeof(title) - 1) != 0)
		return NULL;
	name = strrchr(line, ' ');
	return strdup(name + 1);
}

/* As its monitor calls it; NULL: that is not to be found, as when lxc-execute is its own. */
static char *lxc_monitored(const struct container *c)
{
	CLEANUP_FREE char *path = string_format(CGROUP_ROOT "%s/cgroup.procs", c->cgroup);
	FILE *file = path ? fopen(path, "re") : NULL;
	char *name = NULL;
	int pid;

	for (int i = 0; file && !name && i < INIT_TRIES && fscanf(file, "%d", &pid) == 1; i++)
		name = monitors_name(c, (pid_t)pid);
	if (file)
		fclose(file);
	return name;
}

/* ---- its name -------------------------------------------------------------------------------- */

static int tell_name(const struct metadata_places *places, struct container *c, const char *other,
		     char **config, struct pd_error *error)
{
	CLEANUP_FREE char *name = lxc_monitored(c);
	CLEANUP_FREE char *others = NULL;
	int r = lxc_config(places, other, &others);

	if (r)
		return r;
	/* What the monitor does not say, the configurations may. */
	if (!name || (strcmp(name, other) != 0 && strcmp(name, c->id) != 0)) {
		if (!*config && !others)
			return error_set(
				error, -EEXIST,
				"it may be LXC's container %s or another cgroup of %s: give it a "
				"configuration in %s",
				c->id, other, places->lxc);
		if (*config)
			return 0;
	} else if (strcmp(name, c->id) == 0) {
		return 0;
	}
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
