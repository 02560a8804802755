/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of policyd/base/cgroup.c: build machines have no cgroup v2 that tests could make groups in. */
#include "policyd/base/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_enforce.h"

static struct fake *machine; /* the one there is */

unsigned int fake_cgroup(struct fake *fake, const char *path)
{
	unsigned int i = 0;

	machine = fake;
	while (fake->cgroups[i].path[0])
		i++;
	snprintf(fake->cgroups[i].path, sizeof(fake->cgroups[i].path), "%s", path);
	fake->cgroups[i].populated = 1;
	return i;
}

static int find(const char *path)
{
	for (int i = 0; machine && i < FAKE_CGROUPS; i++)
		if (path[0] && strcmp(machine->cgroups[i].path, path) == 0)
			return i;
	return -ENOENT;
}

int cgroup_check_v2(struct pd_error *error)
{
	(void)error;
	return 0;
}

int cgroup_id(const char *path, uint64_t *ret_id)
{
	int i = find(path);

	if (i < 0)
		return i;
	*ret_id = (uint64_t)i + 1;
	return 0;
}

int cgroup_of(pid_t pid, char **ret_path)
{
	(void)pid;
	*ret_path = strdup("/p");
	return *ret_path ? 0 : -ENOMEM;
}

int cgroup_is_roots(const char *path)
{
	(void)path;
	return 1;
}

size_t cgroup_roots_part(const char *cgroup)
{
	return strlen(cgroup);
}

bool cgroup_is_alone(const char *path, pid_t pid)
{
	(void)path;
	(void)pid;
	return true;
}

int cgroup_populated(const char *path)
{
	int i = find(path);

	return i < 0 ? i : machine->cgroups[i].populated;
}

int cgroup_add(const char *path, pid_t pid)
{
	(void)pid;
	return find(path) < 0 ? -ENOENT : 0;
}

int cgroup_kill(const char *path)
{
	int i = find(path);

	if (i < 0)
		return i;
	machine->cgroups[i].kills++;
	if (machine->cgroups[i].populated == 1)
		machine->cgroups[i].populated = 0;
	return 0;
}

int cgroup_remove(const char *path)
{
	int i = find(path);

	if (i >= 0)
		machine->cgroups[i].path[0] = '\0';
	return 0;
}
