// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening, and opening again what is open. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int open_flag(const char *word)
{
	static const struct {
		const char *name;
		int flag;
	} names[] = {
		{ "r", O_RDONLY },	    { "w", O_WRONLY },	      { "rw", O_RDWR },
		{ "mode3", O_ACCMODE },	    { "trunc", O_TRUNC },     { "append", O_APPEND },
		{ "creat", O_CREAT },	    { "excl", O_EXCL },	      { "dir", O_DIRECTORY },
		{ "path", O_PATH },	    { "tmpfile", O_TMPFILE }, { "nofollow", O_NOFOLLOW },
		{ "nonblock", O_NONBLOCK },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, word))
			return names[i].flag;
	fprintf(stderr, "attempt: flag %s?\n", word);
	_exit(2);
}

int open_flags(const char *text)
{
	char copy[128], *word, *rest = copy;
	int flags = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ",")))
		flags |= open_flag(word);
	return flags;
}

int get(const char *flags, const char *path)
{
	if (!strncmp(path, "fd:", 3))
		return dup(atoi(path + 3));
	return open(path, open_flags(flags) | O_CLOEXEC, 0644);
}

int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static int do_open(char **a)
{
	return result(get(a[1], a[2]));
}

static int do_openat(char **a) /* DIR FLAGS NAME */
{
	int dir = get("path", a[1]);

	return dir < 0 ? -errno : result(openat(dir, a[3], open_flags(a[2]), 0644));
}

static int do_reopen(char **a) /* FLAGS PATH FLAGS-AGAIN */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(again(fd, open_flags(a[3])));
}

static int do_deleted(char **a) /* FLAGS PATH FLAGS-AGAIN: unlinked in between */
{
	int fd = get(a[1], a[2]);

	if (fd < 0 || unlink(a[2]) < 0)
		return -errno;
	return result(again(fd, open_flags(a[3])));
}

static int do_tmpfile(char **a) /* DIR NAME: made without a name, then given one */
{
	int fd = get("tmpfile,rw", a[1]);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0)
		return -errno;
	return result(linkat(AT_FDCWD, path, AT_FDCWD, a[2], AT_SYMLINK_FOLLOW));
}

static int do_memfd(char **a) /* NAME FLAGS: write to it, open it again */
{
	int fd = memfd_create(a[1], MFD_CLOEXEC);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return -errno;
	return result(again(fd, open_flags(a[2])));
}

static int do_pipe(char **a) /* FLAGS: open one end again */
{
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	return result(again(ends[0], open_flags(a[1]) | O_NONBLOCK));
}

const struct command open_commands[] = {
	{ "open", 2, do_open },	      { "openat", 3, do_openat },
	{ "reopen", 3, do_reopen },   { "deleted", 3, do_deleted },
	{ "tmpfile", 2, do_tmpfile }, { "memfd", 2, do_memfd },
	{ "pipe", 1, do_pipe },	      { NULL, 0, NULL },
};
