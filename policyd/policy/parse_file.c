// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/policy/parse_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/policy/policy.h"

static int fail_errno(const char *path, int err, const char *what, struct pd_error *error)
{
	return error_at(error, -err, path, 0, 0, "%s: %s", what, strerror(err));
}

static int check_stat(const char *path, const char *what, const struct stat *st,
		      bool sticky_will_do, struct pd_error *error)
{
	if (st->st_uid != 0)
		return error_at(error, -EPERM, path, 0, 0,
				"%s belongs to user %u, who could change policies; make it root's",
				what, (unsigned int)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(sticky_will_do && (st->st_mode & S_ISVTX)))
		return error_at(error, -EPERM, path, 0, 0,
				"%s can be written by others than root (mode %04o); chmod go-w %s",
				what, (unsigned int)st->st_mode & 07777, what);
	return 0;
}

/* The directory of @name, where a sticky one will not do if @strict, and those above it. @name is absolute. */
static int check_above(const char *path, const char *name, bool strict, struct pd_error *error)
{
	char directory[PATH_MAX];
	bool nearest = strict;
	struct stat st;
	char *slash;

	snprintf(directory, sizeof(directory), "%s", name);
	while ((slash = strrchr(directory, '/'))) {
		int ret;

		slash[slash == directory] = '\0';
		if (stat(directory, &st))
			return fail_errno(path, errno, directory, error);
		ret = check_stat(path, directory, &st, !nearest, error);
		if (ret || slash == directory)
			return ret;
		nearest = false;
	}
	return 0;
}

/* Both where the name stands and where it leads: either directory decides what is read. */
static int check_directories(const char *path, bool strict, struct pd_error *error)
{
	char resolved[PATH_MAX], given[PATH_MAX], directory[PATH_MAX], *slash;
	int ret;

	if (!realpath(path, resolved))
		return fail_errno(path, errno, "cannot be resolved", error);
	ret = check_above(path, resolved, strict, error);
	if (ret)
		return ret;
	if (snprintf(directory, sizeof(directory), "%s%s", path[0] == '/' ? "" : "./", path) >=
	    (int)sizeof(directory))
		return fail_errno(path, ENAMETOOLONG, "cannot be resolved", error);
	slash = strrchr(directory, '/');
	slash[slash == directory] = '\0';
	if (!realpath(directory, given))
		return fail_errno(path, errno, "cannot be resolved", error);
	if (strlen(given) + 2 >= sizeof(given))
		return fail_errno(path, ENAMETOOLONG, "cannot be resolved", error);
	strcat(given, "/");
	return check_above(path, given, strict, error);
}

int file_check_dir(const char *path, struct pd_error *error)
{
	struct stat st;
	int ret;

	if (stat(path, &st))
		return fail_errno(path, errno, "cannot be read", error);
	if (!S_ISDIR(st.st_mode))
		return error_at(error, -ENOTDIR, path, 0, 0, "not a directory");
	ret = check_stat(path, "the directory", &st, false, error);
	/* Nobody else renames or replaces what is root's in a sticky one. */
	return ret ? ret : check_directories(path, false, error);
}

static int read_all(int fd, const char *path, char **ret_text, size_t *ret_size,
		    struct pd_error *error)
{
	/* one byte more than may be, to notice a file that grew, and one for the NUL */
	char *text = malloc(POLICY_FILE_MAX + 2), *fitting;
	size_t size = 0;

	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	for (;;) {
		ssize_t n = read(fd, text + size, POLICY_FILE_MAX + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = errno;
			free(text);
			return fail_errno(path, (int)n, "cannot be read", error);
		}
		size += (size_t)n;
		if (!n || size > POLICY_FILE_MAX)
			break;
	}
	if (size > POLICY_FILE_MAX) {
		free(text);
		return error_at(error, -EFBIG, path, 0, 0,
				"larger than %u bytes; split it with include", POLICY_FILE_MAX);
	}
	text[size] = '\0';
	fitting = realloc(text, size + 1);
	*ret_text = fitting ? fitting : text;
	*ret_size = size;
	return 0;
}

int file_read(const char *path, bool trust, char **ret_text, size_t *ret_size,
	      struct pd_error *error)
{
	/* O_NONBLOCK: a FIFO in the place of a policy must not stop the daemon */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), ret = 0;
	struct stat st;

	if (fd < 0)
		return fail_errno(path, errno, "cannot be opened", error);
	if (fstat(fd, &st))
		ret = fail_errno(path, errno, "cannot be read", error);
	else if (!S_ISREG(st.st_mode))
		ret = error_at(error, -EINVAL, path, 0, 0, "not a regular file");
	else if (!trust)
		ret = check_stat(path, "the file", &st, false, error);
	if (!ret && !trust)
		ret = check_directories(path, true, error);
	if (!ret)
		ret = read_all(fd, path, ret_text, ret_size, error);
	close(fd);
	return ret;
}
