// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that the kernel makes, and others. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* FILE TEXT */
static int do_write(char **w)
{
	int fd = open(w[0], O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = step_result(write(fd, w[1], strlen(w[1])));
	close(fd);
	return r;
}

static int do_read(char **w)
{
	return close_result(open(w[0], O_RDONLY | O_CLOEXEC));
}

static int do_lock(char **w)
{
	int fd = open(w[0], O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = step_result(flock(fd, LOCK_EX | LOCK_NB));
	close(fd);
	return r;
}

/* FILE r|rw: maps it, shared */
static int do_map_file(char **w)
{
	int writes = w[1][1] == 'w', fd = open(w[0], (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return -errno;
	at = mmap(NULL, 1, PROT_READ | (writes ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -errno;
	munmap(at, 1);
	return 0;
}

static int do_mkdir(char **w)
{
	return step_result(mkdir(w[0], 0755));
}

static int do_rmdir(char **w)
{
	return step_result(rmdir(w[0]));
}

static int do_unlink(char **w)
{
	return step_result(unlink(w[0]));
}

const struct step_command file_commands[] = {
	{ "write", 2, do_write }, { "read", 1, do_read },   { "map_file", 2, do_map_file },
	{ "mkdir", 1, do_mkdir }, { "rmdir", 1, do_rmdir }, { "unlink", 1, do_unlink },
	{ "lock", 1, do_lock },	  { NULL, 0, NULL },
};
