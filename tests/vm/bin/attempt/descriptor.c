// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done with a descriptor. */
#include "tests/vm/bin/attempt/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

static int do_read(char **a)
{
	int fd = get("r", a[1]);
	char byte;

	return fd < 0 ? -errno : result(read(fd, &byte, 1));
}

static int do_write(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(write(fd, "x", 1));
}

static int do_ftruncate(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(ftruncate(fd, 0));
}

static int do_fallocate(char **a) /* FLAGS PATH: a hole over what is there */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno :
			result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
}

static int
do_fallocate_high(char **a) /* the same, by a number of which the kernel takes the low half */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno :
			result(syscall(SYS_fallocate | 1L << 32, fd,
				       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0L, 1L));
}

static int do_noappend(char **a) /* FLAGS PATH: write over what is there, through O_APPEND */
{
	int fd = get(a[1], a[2]);
	struct iovec iov = { .iov_base = (void *)"X", .iov_len = 1 };

	return fd < 0 ? -errno : result(syscall(SYS_pwritev2, fd, &iov, 1L, 0L, 0L, RWF_NOAPPEND));
}

static int do_setfl(char **a) /* FLAGS PATH: clear O_APPEND */
{
	int fd = get(a[1], a[2]);

	return fd < 0 ? -errno : result(fcntl(fd, F_SETFL, 0));
}

static int do_ioctl(char **a) /* FLAGS PATH */
{
	int fd = get(a[1], a[2]), flags = 0;

	return fd < 0 ? -errno : result(ioctl(fd, FS_IOC_GETFLAGS, &flags));
}

static int do_harmless(char **a) /* FLAGS PATH: FIONREAD, which needs no right */
{
	int fd = get(a[1], a[2]), count;

	return fd < 0 ? -errno : result(ioctl(fd, FIONREAD, &count));
}

static int do_lock(char **a) /* flock|posix|ofd|lease FLAGS PATH */
{
	int fd = get(a[2], a[3]);
	struct flock lock = { .l_type = F_RDLCK };

	if (fd < 0)
		return -errno;
	if (!strcmp(a[1], "flock"))
		return result(flock(fd, LOCK_SH));
	if (!strcmp(a[1], "lease"))
		return result(fcntl(fd, F_SETLEASE, F_RDLCK));
	return result(fcntl(fd, !strcmp(a[1], "ofd") ? F_OFD_SETLK : F_SETLK, &lock));
}

static int do_sendfile(char **a) /* PATH: its bytes into a pipe */
{
	int fd = get("r", a[1]), ends[2];

	return fd < 0 || pipe(ends) < 0 ? -errno : result(sendfile(ends[1], fd, NULL, 1));
}

static int do_list(char **a)
{
	int fd = get("r,dir", a[1]);
	char buffer[4096];

	return fd < 0 ? -errno : result(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)));
}

static int do_map(char **a) /* r|w|rx|rx-later|r-implies-x FLAGS PATH */
{
	int fd = get(a[2], a[3]);
	int protection = !strcmp(a[1], "rx") ? PROT_READ | PROT_EXEC :
			 !strcmp(a[1], "w")  ? PROT_READ | PROT_WRITE :
					       PROT_READ;
	void *at;

	if (fd < 0)
		return -errno;
	if (!strcmp(a[1], "r-implies-x"))
		personality(READ_IMPLIES_EXEC);
	at = mmap(NULL, 4096, protection, protection & PROT_WRITE ? MAP_SHARED : MAP_PRIVATE, fd,
		  0);
	if (at == MAP_FAILED)
		return -errno;
	if (!strcmp(a[1], "rx-later"))
		return result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
	return 0;
}

static int do_map_later(char **a) /* FLAGS PATH: shared and closed, then made writable */
{
	int fd = get(a[1], a[2]);
	void *at = mmap(NULL, 4096, PROT_NONE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? -errno : result(mprotect(at, 4096, PROT_READ | PROT_WRITE));
}

static int do_content(char **a) /* TEXT PATH: does the file begin with it? */
{
	int fd = get("r", a[2]);
	char text[256] = "";

	if (fd < 0 || read(fd, text, strlen(a[1])) < 0)
		return -errno;
	return strcmp(text, a[1]) ? NOT_SAME : 0;
}

const struct command descriptor_commands[] = {
	{ "read", 1, do_read },
	{ "write", 2, do_write },
	{ "ftruncate", 2, do_ftruncate },
	{ "fallocate", 2, do_fallocate },
	{ "fallocate-high", 2, do_fallocate_high },
	{ "noappend", 2, do_noappend },
	{ "setfl", 2, do_setfl },
	{ "ioctl", 2, do_ioctl },
	{ "harmless", 2, do_harmless },
	{ "lock", 3, do_lock },
	{ "sendfile", 1, do_sendfile },
	{ "list", 1, do_list },
	{ "map", 3, do_map },
	{ "map-later", 2, do_map_later },
	{ "content", 2, do_content },
	{ NULL, 0, NULL },
};
