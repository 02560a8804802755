// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON Lines in a file. Every failure leaves whole lines behind: what was begun is cut off again, at
 * once or as soon as the file system lets us, and what a crash left is cut off when the file is opened.
 */
#include "policyd/audit/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/audit/sink_kinds.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"

struct file {
	struct sink sink;
	char *path;
	mode_t mode;
	uint64_t rotate_bytes;
	unsigned int keep;
	int fd;		   /* -1: not open */
	uint64_t retry_ns; /* CLOCK_BOOTTIME before which opening is not tried again */
	uint64_t rotate_retry_ns;
	int rotate_error; /* of the last rotation */
	off_t torn_at;	  /* the file ends in a piece of a line that begins here; -1: it does not */
	bool needs_newline; /* the piece is not ours to cut: it gets a newline first */
};

static struct file *file_of(struct sink *sink)
{
	return (struct file *)sink;
}

static void file_close(struct file *file)
{
	file->fd = fd_close(file->fd);
	file->torn_at = -1;
	file->needs_newline = false;
}

/* Where the last line begins that has no newline, within EVENT_JSON_MAX; -1 when it is longer. */
static off_t last_line_start(int fd, off_t size)
{
	off_t at = size, limit = size > (off_t)EVENT_JSON_MAX ? size - (off_t)EVENT_JSON_MAX : 0;
	char chunk[4096];

	while (at > limit) {
		off_t from = at - limit > (off_t)sizeof(chunk) ? at - (off_t)sizeof(chunk) : limit;
		ssize_t n = pread(fd, chunk, (size_t)(at - from), from);
		const char *newline;

		if (n != at - from)
			return -1;
		newline = memrchr(chunk, '\n', (size_t)n);
		if (newline)
			return from + (newline - chunk) + 1;
		at = from;
	}
	return limit ? -1 : 0;
}

/* A crash may have left a piece of a line. Only what looks like ours is cut. */
static void find_torn_line(struct file *file, off_t size)
{
	static const char ours[] = "{\"version\":";
	char have[sizeof(ours) - 1];
	off_t start = size ? last_line_start(file->fd, size) : 0;
	ssize_t n;

	if (start == size)
		return;
	n = start < 0 ? -1 : pread(file->fd, have, sizeof(have), start);
	if (n > 0 && !memcmp(have, ours, (size_t)n))
		file->torn_at = start;
	else
		file->needs_newline = true;
}

static int file_open(struct file *file)
{
	struct stat st;
	int r;

	/* O_NONBLOCK: a fifo without a reader must not stop the daemon */
	file->fd =
		open(file->path,
		     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		     file->mode);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		r = -errno;
	else
		r = S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
	if (r < 0) {
		file_close(file);
		file->retry_ns = clock_boot_ns() + SINK_RETRY_NS;
	} else {
		find_torn_line(file, st.st_size);
	}
	file->sink.stats.error = r;
	return r;
}

static void cut_torn_line(struct file *file)
{
	if (file->torn_at < 0)
		return;
	/* a file that may only be appended to (chattr +a) keeps the piece as a line of its own */
	if (ftruncate(file->fd, file->torn_at) < 0)
		file->needs_newline = true;
	file->torn_at = -1;
}

/* Moves PATH.n to PATH.n+1, oldest first, then PATH to PATH.1. */
static int shift_files(const struct file *file)
{
	char from[4096], to[4096];

	if (strlen(file->path) + 12 > sizeof(from))
		return -ENAMETOOLONG;
	for (unsigned int n = file->keep; n > 0; n--) {
		if (n > 1)
			snprintf(from, sizeof(from), "%s.%u", file->path, n - 1);
		else
			snprintf(from, sizeof(from), "%s", file->path);
		snprintf(to, sizeof(to), "%s.%u", file->path, n);
		if (rename(from, to) < 0 && (errno != ENOENT || n == 1))
			return -errno;
	}
	return 0;
}

static void rotate(struct file *file)
{
	int r;

	if (clock_boot_ns() < file->rotate_retry_ns)
		return;
	cut_torn_line(file);
	if (file->keep)
		r = shift_files(file);
	else
		r = ftruncate(file->fd, 0) < 0 ? -errno : 0;
	file->rotate_error = r;
	if (r < 0) { /* better a large file than none */
		file->rotate_retry_ns = clock_boot_ns() + SINK_RETRY_NS;
		return;
	}
	file->sink.stats.rotations++;
	if (file->keep) {
		file_close(file);
		file_open(file);
	}
}

/* Is our descriptor still the file of that name, and not too large for what comes? */
static bool file_is_ready(struct file *file, size_t coming)
{
	struct stat named, ours;

	if (file->fd >= 0 && (fstat(file->fd, &ours) < 0 || stat(file->path, &named) < 0 ||
			      named.st_dev != ours.st_dev || named.st_ino != ours.st_ino)) {
		file_close(file); /* logrotate moved it away */
		file->retry_ns = 0;
	}
	if (file->fd < 0) {
		if (clock_boot_ns() < file->retry_ns || file_open(file) < 0 ||
		    fstat(file->fd, &ours) < 0)
			return false;
	}
	if (file->torn_at > ours.st_size) /* truncated meanwhile (copytruncate) */
		file->torn_at = -1;
	if (file->rotate_bytes && ours.st_size &&
	    (uint64_t)ours.st_size + coming > file->rotate_bytes)
		rotate(file);
	return file->fd >= 0;
}

/* How much of @text got into the file; the reason for less in *ret_error. */
static size_t append(int fd, struct slice text, int *ret_error)
{
	size_t done = 0;

	*ret_error = 0;
	while (done < text.length) {
		ssize_t n = write(fd, text.data + done, text.length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			*ret_error = n < 0 ? -errno : -EIO;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

static void note_torn_line(struct file *file, size_t piece)
{
	struct stat st;

	if (!piece)
		return;
	if (fstat(file->fd, &st) < 0 || st.st_size < (off_t)piece) {
		file->needs_newline = true;
		return;
	}
	file->torn_at = st.st_size - (off_t)piece;
	cut_torn_line(file);
}

static void file_write(struct sink *sink, const struct sink_batch *batch, enum sink_result *results)
{
	struct file *file = file_of(sink);
	size_t done, whole = 0, line = 0;
	int r = 0;

	sink_mark(results, 0, batch->count, SINK_LOST);
	if (!file_is_ready(file, batch->json.length))
		return;
	cut_torn_line(file);
	if (file->needs_newline && append(file->fd, slice_of("\n"), &r) == 1)
		file->needs_newline = false;
	done = r ? 0 : append(file->fd, batch->json, &r);
	while (line < batch->count && whole + batch->lines[line].json.length <= done) {
		whole += batch->lines[line].json.length;
		results[line++] = SINK_KEPT;
	}
	note_torn_line(file, done - whole);
	sink->stats.error = r ? r : file->rotate_error;
	/* a full disk is waited for with the file open; anything else may need a new start */
	if (r && r != -ENOSPC && r != -EDQUOT && r != -EFBIG) {
		file_close(file);
		file->retry_ns = clock_boot_ns() + SINK_RETRY_NS;
	}
}

static void file_reopen(struct sink *sink)
{
	file_close(file_of(sink));
	file_open(file_of(sink));
}

static void file_free(struct sink *sink)
{
	struct file *file = file_of(sink);

	if (file->fd >= 0)
		cut_torn_line(file);
	fd_close(file->fd);
	free(file->path);
	free(file);
}

static const struct sink_kind file_kind = {
	.name = "file",
	.write = file_write,
	.reopen = file_reopen,
	.free = file_free,
};

int sinks_add_file(struct sinks *sinks, const struct sink_file_options *options,
		   struct pd_error *error)
{
	struct file *file;
	int r;

	if (error)
		*error = (struct pd_error){ 0 };
	if (options->path[0] != '/')
		return error_set(error, -EINVAL, "%s: the path of an event file must be absolute",
				 options->path);
	file = calloc(1, sizeof(*file));
	if (!file)
		return error_set(error, -ENOMEM, "out of memory");
	file->sink.kind = &file_kind;
	file->sink.needs = SINK_NEEDS_JSON;
	file->fd = file->torn_at = -1;
	file->mode = options->mode ? options->mode : 0640;
	file->rotate_bytes = options->rotate_bytes;
	file->keep = options->keep;
	file->path = strdup(options->path);
	file->sink.stats.target = file->path;
	if (!file->path) {
		file_free(&file->sink);
		return error_set(error, -ENOMEM, "out of memory");
	}
	r = file_open(file);
	if (r < 0)
		error_set(error, r, "%s: %s", options->path,
			  r == -ENOTSUP ? "not a regular file" : strerror(-r));
	r = sinks_add(sinks, &file->sink);
	return r < 0 ? error_set(error, r, "out of memory") : 0;
}
