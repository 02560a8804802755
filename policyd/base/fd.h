/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors and whole files, without the partial reads, EINTRs and leaks.
 */
#ifndef PD_BASE_FD_H
#define PD_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "policyd/base/error.h"

/** fd_close() - close unless negative; errno is left alone; returns -1 for `fd = fd_close(fd)` */
int fd_close(int fd);

static inline void fd_close_cleanup(int *fd)
{
	fd_close(*fd);
}

static inline void free_cleanup(void *pointer)
{
	free(*(void **)pointer);
}

#define CLEANUP_FD __attribute__((cleanup(fd_close_cleanup)))
#define CLEANUP_FREE __attribute__((cleanup(free_cleanup)))

/** fd_set_nonblocking() - returns 0 or -errno */
int fd_set_nonblocking(int fd, bool nonblocking);

/** fd_read_full() - bytes read, fewer than @size only at the end of the file, or -errno */
ssize_t fd_read_full(int fd, void *buffer, size_t size);

/** fd_write_full() - all of it, waiting where needed; 0 or -errno */
int fd_write_full(int fd, const void *buffer, size_t size);

/**
 * file_load() - a whole file, also one that does not tell its size (/proc)
 * @limit: more bytes than this are -EFBIG
 *
 * The text is NUL-terminated beyond *ret_size (ret_size may be NULL) and freed by the caller.
 * Returns 0 or -errno.
 */
int file_load(const char *path, size_t limit, char **ret_text, size_t *ret_size);

/**
 * file_open_roots() - a file that another daemon keeps, for reading
 *
 * Only a plain one, not through a symbolic link at the end, that belongs to root (or to us) and that others may not
 * write. Never waits. Returns a descriptor, -EACCES where it is something else, or -errno.
 */
int file_open_roots(const char *path);

/** fd_read_all() - the same from a descriptor, up to its end */
int fd_read_all(int fd, size_t limit, char **ret_text, size_t *ret_size);

/**
 * file_write_atomic() - readers see the old file or the new one, also after a crash
 *
 * Writes "<path>.new" beside it, syncs, renames. Returns 0 or -errno.
 */
int file_write_atomic(const char *path, const void *text, size_t size, mode_t mode);

/**
 * file_replace() - the same for a file that is there, perhaps in others' folder
 * @st: its state, of the descriptor that it was read by: owner and permissions stay, set-id bits do not
 */
int file_replace(const char *path, const void *text, size_t size, const struct stat *st);

/** file_write_value() - one write(2) to an existing file (cgroup and sysctl files); 0 or -errno */
int file_write_value(const char *path, const char *value);

/** dir_make() - mkdir with parents; existing is fine; 0 or -errno */
int dir_make(const char *path, mode_t mode);

/** dir_remove_files() - unlink the plain files of a folder, then the folder; missing is fine */
int dir_remove_files(const char *path);

/**
 * string_format() - asprintf() that returns the string; NULL: no memory
 */
char *string_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
