/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/enforce/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lsm/abi.h"
#include "policyd/enforce/enforce.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

/* Names of the kernel's or ours, in a folder whose length was checked: always fits. */
static void path_join(char out[PATH_MAX], const char *dir, const char *kind, const char *name)
{
	snprintf(out, PATH_MAX, "%.4000s/%s%s%.64s", dir, kind, name ? "/" : "", name ? name : "");
}

bool pins_in_bpffs(const char *path)
{
	char parent[PATH_MAX];
	struct statfs fs;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	while (statfs(parent, &fs)) {
		slash = strrchr(parent, '/');
		if (!slash || slash == parent)
			return false;
		*slash = '\0';
	}
	return (unsigned int)fs.f_type == BPF_FS_MAGIC;
}

static int make_dir(const char *path, struct pd_error *error)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return error_set(error, -errno, "cannot make %s: %s", path, strerror(errno));
	if (lstat(path, &st))
		return error_set(error, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid || (st.st_mode & 022))
		return error_set(error, -EINVAL,
				 "%s must be a directory that only root can write; remove it with "
				 "policyctl detach",
				 path);
	return 0;
}

/* Pins of another layout: its programs read labels and images in a way ours do not. */
static int refuse_other_layouts(const char *pin_dir, struct pd_error *error)
{
	struct dirent *entry;
	char ours[32];
	DIR *dir = opendir(pin_dir);
	int r = 0;

	if (!dir)
		return 0;
	snprintf(ours, sizeof(ours), "abi-%d", PD_ABI);
	while (!r && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, ours))
			continue;
		r = error_set(
			error, -EPROTO,
			"%s/%s is not of this version's layout (%s); end that enforcement with "
			"policyctl detach, then start again",
			pin_dir, entry->d_name, ours);
	}
	closedir(dir);
	return r;
}

int pins_open(struct pins *pins, const char *pin_dir, bool *ret_found, struct pd_error *error)
{
	char path[PATH_MAX];
	int r;

	pins->dir[0] = '\0';
	*ret_found = false;
	if (!pin_dir)
		return 0;
	if (strlen(pin_dir) > sizeof(pins->dir) - 16)
		return error_set(error, -ENAMETOOLONG, "pin_dir %s is too long", pin_dir);
	if (!pins_in_bpffs(pin_dir))
		return error_set(error, -ENOENT,
				 "%s is not in a BPF file system; mount one with: mount -t bpf bpf "
				 "/sys/fs/bpf",
				 pin_dir);
	r = refuse_other_layouts(pin_dir, error);
	if (!r)
		r = make_dir(pin_dir, error);
	if (r)
		return r;
	snprintf(pins->dir, sizeof(pins->dir), "%s/abi-%d", pin_dir, PD_ABI);
	r = make_dir(pins->dir, error);
	path_join(path, pins->dir, "maps", NULL);
	if (!r)
		r = make_dir(path, error);
	path_join(path, pins->dir, "links", NULL);
	if (!r)
		r = make_dir(path, error);
	path_join(path, pins->dir, "judges", NULL);
	if (!r)
		r = make_dir(path, error);
	path_join(path, pins->dir, "maps", "images");
	if (!r)
		*ret_found = !access(path, F_OK);
	return r;
}

void pins_tell(const struct pins *pins, struct pd_state *state)
{
	static const char *const folders[PD_PIN_FOLDERS] = { "..", ".", "maps", "links", "judges" };
	char path[PATH_MAX];
	struct stat st;

	memset(state->pins, 0, sizeof(state->pins));
	state->pins_device = 0;
	for (size_t i = 0; pins->dir[0] && i < PD_PIN_FOLDERS; i++) {
		path_join(path, pins->dir, folders[i], NULL);
		if (stat(path, &st))
			continue;
		state->pins[i] = st.st_ino;
		/* as the kernel has it: include/linux/kdev_t.h */
		state->pins_device = major(st.st_dev) << 20 | minor(st.st_dev);
	}
}

int pins_map(const struct pins *pins, struct bpf_map *map, struct pd_error *error)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[PATH_MAX];
	int fd;

	if (!pins->dir[0])
		return 0;
	path_join(path, pins->dir, "maps", bpf_map__name(map));
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.max_entries)
			bpf_map__set_max_entries(map, info.max_entries);
		close(fd);
	}
	if (bpf_map__set_pin_path(map, path))
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

int pins_link(const struct pins *pins, struct bpf_link *link, const char *name,
	      struct pd_error *error)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int r;

	if (!pins->dir[0])
		return 0;
	path_join(path, pins->dir, "links", name);
	snprintf(fresh, sizeof(fresh), "%.4000s-new", path);
	unlink(fresh);
	r = bpf_link__pin(link, fresh);
	if (!r && rename(fresh, path))
		r = -errno;
	if (r) {
		unlink(fresh);
		return error_set(error, r, "cannot pin the link of %s at %s: %s", name, path,
				 strerror(-r));
	}
	return 0;
}

void pins_drop_link(const struct pins *pins, const char *name)
{
	char path[PATH_MAX];

	if (!pins->dir[0])
		return;
	path_join(path, pins->dir, "links", name);
	unlink(path);
}

void pins_drop_other_links(const struct pins *pins,
			   bool (*is_ours)(void *context, const char *name), void *context)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!pins->dir[0])
		return;
	path_join(path, pins->dir, "links", NULL);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_ours(context, entry->d_name))
			pins_drop_link(pins, entry->d_name);
	closedir(dir);
}

static void judge_path(char out[PATH_MAX], const struct pins *pins, const char *name)
{
	snprintf(out, PATH_MAX, "%.200s/judges/%s", pins->dir, name);
}

int pins_judge(const struct pins *pins, int link, const char *name, struct pd_error *error)
{
	char path[PATH_MAX];
	int r;

	judge_path(path, pins, name);
	r = bpf_obj_pin(link, path) ? -errno : 0;
	return r ? error_set(error, r, "cannot pin %s: %s", path, strerror(-r)) : 0;
}

void pins_drop_judge(const struct pins *pins, const char *name)
{
	char path[PATH_MAX];

	if (!pins->dir[0])
		return;
	judge_path(path, pins, name);
	unlink(path);
}

void pins_drop_judges(const struct pins *pins, const char *prefix, bool with)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!pins->dir[0] || !prefix[0]) /* whose are whose cannot be told */
		return;
	path_join(path, pins->dir, "judges", NULL);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    !strncmp(entry->d_name, prefix, strlen(prefix)) == with)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

static void hold_one(const char *layout, const char *name, struct pins_held *ret)
{
	struct pins_held_one *one = &ret->all[ret->count];
	char path[PATH_MAX];

	if (strlen(name) >= sizeof(one->name))
		return;
	path_join(path, layout, "links", name);
	one->fd = bpf_obj_get(path);
	if (one->fd < 0)
		return;
	strcpy(one->name, name);
	ret->count++;
}

void pins_hold(const char *layout, struct pins_held *ret)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	ret->count = 0;
	hold_one(layout, PINS_GUARD, ret);
	ret->guards = ret->count;
	path_join(path, layout, "links", NULL);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && ret->count < PINS_HELD_MAX)
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, PINS_GUARD) != 0)
			hold_one(layout, entry->d_name, ret);
	if (dir)
		closedir(dir);
}

bool pins_let_go(struct pins_held *held)
{
	if (!held->count)
		return false;
	close(held->all[--held->count].fd);
	return true;
}

int pins_restore(const char *layout, const struct pins_held *held)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < held->count; i++) {
		path_join(path, layout, "links", held->all[i].name);
		if (bpf_obj_pin(held->all[i].fd, path) && errno != EEXIST)
			r = -errno;
	}
	return r;
}

void pins_abandon(const struct pins *pins)
{
	static const char *const folders[] = { "judges", "maps" };
	char path[PATH_MAX];
	char *slash;

	if (!pins->dir[0])
		return;
	path_join(path, pins->dir, "links", NULL);
	if (rmdir(path) && errno != ENOENT)
		return;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path_join(path, pins->dir, folders[i], NULL);
		pins_empty(path, NULL, NULL);
		rmdir(path);
	}
	snprintf(path, sizeof(path), "%s", pins->dir);
	rmdir(path);
	slash = strrchr(path, '/');
	*slash = '\0';
	rmdir(path); /* not with another layout in it */
}

int pins_empty(const char *path, const char *but, struct pd_error *error)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 :
					 error_set(error, -errno, "cannot read %s: %s", path,
						   strerror(errno));
	while (!r && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    (but && !strcmp(entry->d_name, but)))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0))
			r = error_set(error, -errno, "cannot remove %s/%s: %s", path, entry->d_name,
				      strerror(errno));
	}
	closedir(dir);
	return r;
}
