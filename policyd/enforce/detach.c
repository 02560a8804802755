/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of enforcement, in an order that leaves no half of it: first a look at everything, then the pins of
 * hooks, which are restored when one cannot be removed; from there on there is no way back.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/enforce/enforcer.h"

#define PINS_GONE_US 100000 /* the kernel lets go of a removed pin a moment later */

/* Names below pin_dir, which fits. */
static void join(char out[PATH_MAX], const char *dir, const char *name)
{
	snprintf(out, PATH_MAX, "%.3800s/%.255s", dir, name);
}

/* Runs a function over what is in a folder, until it returns other than 0. */
static int each(const char *path, int (*visit)(const char *path, int depth, struct pd_error *error),
		int depth, struct pd_error *error)
{
	char below[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(path);
	int r = 0;

	if (!dir)
		return error_set(error, -errno, "cannot read %s: %s", path, strerror(errno));
	while (!r && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		join(below, path, entry->d_name);
		r = visit(below, depth, error);
	}
	closedir(dir);
	return r;
}

/* Layouts, abi-N, have these folders, and those have pins. */
static bool is_called_right(const char *name, int depth)
{
	static const char *const folders[] = { "maps", "links", "judges" };

	if (depth == 0)
		return !strncmp(name, "abi-", 4) && name[4] &&
		       strspn(name + 4, "0123456789") == strlen(name + 4);
	for (size_t i = 0; depth == 1 && i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!strcmp(name, folders[i]))
			return true;
	return depth > 1;
}

static int look(const char *path, int depth, struct pd_error *error)
{
	struct stat st;

	if (lstat(path, &st))
		return error_set(error, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode) != (depth < 2) || !is_called_right(strrchr(path, '/') + 1, depth))
		return error_set(error, -EEXIST,
				 "%s is not policyd's; nothing was detached: remove it, then try "
				 "again",
				 path);
	return depth < 2 ? each(path, look, depth + 1, error) : 0;
}

/* While it is over, a hook without its judges refuses nothing: somebody else may have its link open. Of another
 * version's counters we know nothing. */
static void say_over(const char *layout)
{
	char path[PATH_MAX], ours[32];
	struct pd_state *state;
	int fd;

	snprintf(ours, sizeof(ours), "/abi-%d", PD_ABI);
	if (strlen(layout) < strlen(ours) ||
	    strcmp(layout + strlen(layout) - strlen(ours), ours) != 0)
		return;
	join(path, layout, "maps/state");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		return;
	state->over = 1;
	munmap(state, sizeof(*state));
}

/* With the pins gone, closing a link is what detaches its program. */
static void release(struct enforcer *ours, struct pins_held *held)
{
	if (held->count > held->guards)
		usleep(PINS_GONE_US);
	if (ours)
		enforcer_let_go(ours);
	while (held->count > held->guards)
		pins_let_go(held);
}

static int empty_folder(const char *path, int depth, struct pd_error *error)
{
	int r = pins_empty(path, NULL, error);

	(void)depth;
	if (!r && rmdir(path))
		r = error_set(error, -errno, "cannot remove %s: %s", path, strerror(errno));
	return r;
}

static int detach_layout(const char *layout, struct enforcer *ours, bool *ret_over,
			 struct pd_error *error)
{
	struct pins_held held;
	char path[PATH_MAX];
	int r;

	pins_hold(layout, &held);
	join(path, layout, "links");
	r = pins_empty(path, PINS_GUARD, error);
	if (r) {
		if (pins_restore(layout, &held))
			error_set(error, r,
				  "%s cannot be emptied and not be restored either; what is not "
				  "pinned there ends with policyd: restart it",
				  path);
		while (pins_let_go(&held))
			;
		return r;
	}
	*ret_over = true;
	release(ours, &held);
	say_over(layout);
	join(path, layout, "judges");
	r = pins_empty(path, NULL, error);
	join(path, layout, "links");
	if (!r)
		r = pins_empty(path, NULL, error);
	if (!r && held.count)
		usleep(PINS_GONE_US);
	while (pins_let_go(&held))
		;
	if (!r)
		r = each(layout, empty_folder, 0, error);
	if (!r && rmdir(layout))
		r = error_set(error, -errno, "cannot remove %s: %s", layout, strerror(errno));
	return r;
}

int enforce_detach(const char *pin_dir, struct enforcer *ours, bool *ret_over,
		   struct pd_error *error)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int r;

	*ret_over = false;
	if (!pins_in_bpffs(pin_dir))
		return error_set(error, -ENOENT,
				 "%s is in no BPF file system, so that nobody can tell what is "
				 "pinned; mount one (mount -t bpf bpf /sys/fs/bpf), or set pin_dir",
				 pin_dir);
	if (access(pin_dir, F_OK) && errno == ENOENT)
		return 0;
	r = each(pin_dir, look, 0, error);
	if (r)
		return r;
	dir = opendir(pin_dir);
	if (!dir)
		return error_set(error, -errno, "cannot read %s: %s", pin_dir, strerror(errno));
	while (!r && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		join(path, pin_dir, entry->d_name);
		r = detach_layout(path, ours, ret_over, error);
	}
	closedir(dir);
	if (!r && rmdir(pin_dir))
		r = error_set(error, -errno, "cannot remove %s: %s", pin_dir, strerror(errno));
	return r;
}
