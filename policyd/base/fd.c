/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <poll.h>

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

int fd_set_nonblocking(int fd, bool nonblocking)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* Blocking semantics also on a non-blocking descriptor */
static int fd_wait(int fd, short events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	if (poll(&pollfd, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

ssize_t fd_read_full(int fd, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buffer + done, size - done);

		if (n == 0)
			break;
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (errno == EAGAIN) {
			int r = fd_wait(fd, POLLIN);

			if (r)
				return r;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, (const char *)buffer + done, size - done);

		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (errno == EAGAIN) {
			int r = fd_wait(fd, POLLOUT);

			if (r)
				return r;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int fd_read_all(int fd, size_t limit, char **ret_text, size_t *ret_size)
{
	size_t size = 0, room = 4096;
	char *text = malloc(room + 1);

	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = fd_read_full(fd, text + size, room - size);
		char *larger;

		if (n < 0) {
			free(text);
			return (int)n;
		}
		size += (size_t)n;
		if (size < room)
			break;
		if (size > limit)
			break;
		room *= 2;
		larger = realloc(text, room + 1);
		if (!larger) {
			free(text);
			return -ENOMEM;
		}
		text = larger;
	}
	if (size > limit) {
		free(text);
		return -EFBIG;
	}
	text[size] = '\0';
	*ret_text = text;
	if (ret_size)
		*ret_size = size;
	return 0;
}

int file_load(const char *path, size_t limit, char **ret_text, size_t *ret_size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd_read_all(fd, limit, ret_text, ret_size);
}

/* @st: whose owner and permissions it is to have; NULL: ours, and @mode */
static int write_new(const char *path, const void *text, size_t size, mode_t mode,
		     const struct stat *st)
{
	/* of others, what is there may be a file that they have open */
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (st ? O_EXCL : O_TRUNC);
	CLEANUP_FD int fd = open(path, flags, mode);
	struct stat new;
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, text, size);
	if (!r && st &&
	    (fstat(fd, &new) < 0 ||
	     ((new.st_uid != st->st_uid || new.st_gid != st->st_gid) &&
	      fchown(fd, st->st_uid, st->st_gid) < 0) ||
	     fchmod(fd, st->st_mode & 0777) < 0))
		r = -errno;
	if (!r && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int put(const char *path, const void *text, size_t size, mode_t mode, const struct stat *st)
{
	CLEANUP_FREE char *new = string_format("%s.new", path);
	int r;

	if (!new)
		return -ENOMEM;
	if (st)
		unlink(new);
	r = write_new(new, text, size, mode, st);
	if (!r && rename(new, path) < 0)
		r = -errno;
	if (r)
		unlink(new);
	return r;
}

int file_write_atomic(const char *path, const void *text, size_t size, mode_t mode)
{
	return put(path, text, size, mode, NULL);
}

int file_replace(const char *path, const void *text, size_t size, const struct stat *st)
{
	return put(path, text, size, 0600, st);
}

int file_write_value(const char *path, const char *value)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t size = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, value, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int dir_make(const char *path, mode_t mode)
{
	CLEANUP_FREE char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int dir_remove_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' || (entry->d_name[1] && entry->d_name[1] != '.'))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(path) < 0 ? -errno : 0;
}

char *string_format(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

int file_open_roots(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return errno == ELOOP ? -EACCES : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) ||
		 st.st_mode & S_IWOTH)
		r = -EACCES;
	if (!r)
		return fd;
	fd_close(fd);
	return r;
}
