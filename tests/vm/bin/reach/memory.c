// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is written and executed. */
#include "tests/vm/bin/reach/reach.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <unistd.h>

#define PAGE 4096

static int protection(const char *text)
{
	return (strchr(text, 'r') ? PROT_READ : 0) | (strchr(text, 'w') ? PROT_WRITE : 0) |
	       (strchr(text, 'x') ? PROT_EXEC : 0);
}

/* What comes of mmap(), and of changing its protection then: FIRST [LATER], the memory written to before if it can be */
static int mapped(int fd, int flags, const char *first, const char *later)
{
	char *at = mmap(NULL, PAGE, protection(first), flags, fd, 0);
	int r;

	if (at == MAP_FAILED)
		return -errno;
	if (strchr(first, 'w'))
		at[0] = 1;
	r = later ? step_result(mprotect(at, PAGE, protection(later))) : 0;
	munmap(at, PAGE);
	return r;
}

/* FIRST [LATER] */
static int do_anonymous(char **w)
{
	return mapped(-1, MAP_PRIVATE | MAP_ANONYMOUS, w[0], w[1]);
}

static int do_anonymous_shared(char **w)
{
	return mapped(-1, MAP_SHARED | MAP_ANONYMOUS, w[0], w[1]);
}

/* FILE FIRST [LATER]: a copy of one's own */
static int do_private(char **w)
{
	int fd = open(w[0], O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = mapped(fd, MAP_PRIVATE, w[1], w[2]);
	close(fd);
	return r;
}

/* FILE: a copy that is made writable, written to and executed */
static int do_patched(char **w)
{
	int fd = open(w[0], O_RDONLY | O_CLOEXEC), r;
	char *at = fd < 0 ? MAP_FAILED :
			    mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	close(fd);
	if (mprotect(at, PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	at[0] ^= 1;
	r = step_result(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	munmap(at, PAGE);
	return r;
}

static int do_memfd(char **w)
{
	int fd = memfd_create("x", MFD_CLOEXEC), r;

	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	r = mapped(fd, MAP_SHARED, w[0], w[1]);
	close(fd);
	return r;
}

static int do_shm(char **w)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
	void *at = id < 0 ? (void *)-1 : shmat(id, NULL, strchr(w[0], 'x') ? SHM_EXEC : 0);
	int r = at == (void *)-1 ? -errno : 0;

	if (!r)
		shmdt(at);
	shmctl(id, IPC_RMID, NULL);
	return r;
}

static int implied(char **w)
{
	(void)w;
	personality(READ_IMPLIES_EXEC);
	return mapped(-1, MAP_PRIVATE | MAP_ANONYMOUS, "rw", NULL);
}

static int do_read_implies_exec(char **w)
{
	return apart(implied, w);
}

const struct step_command memory_commands[] = {
	{ "anonymous", 1, do_anonymous },
	{ "anonymous_shared", 1, do_anonymous_shared },
	{ "private", 2, do_private },
	{ "patched", 1, do_patched },
	{ "memfd", 1, do_memfd },
	{ "shm", 1, do_shm },
	{ "read_implies_exec", 0, do_read_implies_exec },
	{ NULL, 0, NULL },
};
