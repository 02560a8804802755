// SPDX-License-Identifier: GPL-2.0-or-later
/* Events on a descriptor somebody gave us. Its reader may be slow or gone; we wait for nobody. */
#include "policyd/audit/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/audit/sink_kinds.h"
#include "policyd/base/fd.h"

#define CHUNK 4096u /* PIPE_BUF: a pipe that polls writable takes this much without waiting */

struct stream {
	struct sink sink;
	int fd;	    /* the caller's */
	int own_fd; /* the same file opened again, non-blocking; -1: it cannot be */
	bool is_socket, is_regular;
	char *rest; /* of a line that was begun, or NULL */
	size_t rest_at, rest_length;
};

static struct stream *stream_of(struct sink *sink)
{
	return (struct stream *)sink;
}

/* One write that does not wait: bytes written or -errno, -EAGAIN when it would have to. */
static ssize_t write_some(const struct stream *stream, const char *data, size_t length)
{
	struct pollfd poll_fd = { .fd = stream->fd, .events = POLLOUT };
	ssize_t n;

	if (stream->is_socket) {
		n = send(stream->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (stream->own_fd >= 0) {
		n = write(stream->own_fd, data, length);
	} else if (stream->is_regular) {
		n = write(stream->fd, data, length);
	} else {
		if (poll(&poll_fd, 1, 0) <= 0)
			return -EAGAIN;
		n = write(stream->fd, data, length < CHUNK ? length : CHUNK);
	}
	return n < 0 ? -errno : n;
}

static size_t write_most(const struct stream *stream, struct slice text, int *ret_error)
{
	size_t done = 0;

	*ret_error = 0;
	while (done < text.length) {
		ssize_t n = write_some(stream, text.data + done, text.length - done);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			*ret_error = n < 0 ? (int)n : -EIO;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

static bool stream_flush(struct sink *sink)
{
	struct stream *stream = stream_of(sink);
	struct slice rest;
	size_t done;
	int r;

	if (!stream->rest)
		return true;
	rest = (struct slice){ stream->rest + stream->rest_at, stream->rest_length };
	done = write_most(stream, rest, &r);
	stream->rest_at += done;
	stream->rest_length -= done;
	if (r == -EAGAIN)
		return false;
	sink->stats.error = r;
	/* a full disk may have room again; a reader that is gone does not come back */
	if (r == -ENOSPC || r == -EDQUOT)
		return true;
	free(stream->rest);
	stream->rest = NULL;
	return true;
}

static void keep_rest(struct stream *stream, struct slice rest)
{
	stream->rest = malloc(rest.length);
	if (!stream->rest)
		return;
	memcpy(stream->rest, rest.data, rest.length);
	stream->rest_at = 0;
	stream->rest_length = rest.length;
}

static void stream_write(struct sink *sink, const struct sink_batch *batch,
			 enum sink_result *results)
{
	struct stream *stream = stream_of(sink);
	bool json = sink->needs & SINK_NEEDS_JSON;
	struct slice text = json ? batch->json : batch->display;
	size_t line = 0, whole = 0, done;
	int r;

	if (!stream_flush(sink)) {
		sink_mark(results, 0, batch->count, SINK_BUSY);
		return;
	}
	if (stream->rest) { /* no room for it */
		sink_mark(results, 0, batch->count, SINK_LOST);
		return;
	}
	done = write_most(stream, text, &r);
	for (; line < batch->count; line++) {
		size_t length = json ? batch->lines[line].json.length :
				       batch->lines[line].display.length;

		if (whole + length > done)
			break;
		whole += length;
		results[line] = SINK_KEPT;
	}
	if (done > whole) {
		whole += json ? batch->lines[line].json.length : batch->lines[line].display.length;
		keep_rest(stream, (struct slice){ text.data + done, whole - done });
		results[line++] = stream->rest ? SINK_KEPT : SINK_LOST;
	}
	sink_mark(results, line, batch->count, r == -EAGAIN ? SINK_BUSY : SINK_LOST);
	sink->stats.error = r == -EAGAIN ? 0 : r;
}

static void stream_free(struct sink *sink)
{
	struct stream *stream = stream_of(sink);

	free(stream->rest);
	fd_close(stream->own_fd);
	free(stream);
}

static const struct sink_kind stream_kind = {
	.name = "stream",
	.write = stream_write,
	.flush = stream_flush,
	.free = stream_free,
};

int sinks_add_stream(struct sinks *sinks, int fd, enum sink_form form, bool colour)
{
	char path[64];
	struct stat st;
	struct stream *stream;

	if (fstat(fd, &st) < 0)
		return -errno;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->sink.kind = &stream_kind;
	stream->sink.stats.target = fd == STDOUT_FILENO ? "stdout" :
				    fd == STDERR_FILENO ? "stderr" :
							  "descriptor";
	stream->sink.needs = form == SINK_JSON ? SINK_NEEDS_JSON :
			     colour	       ? SINK_NEEDS_COLOUR :
						 SINK_NEEDS_DISPLAY;
	stream->fd = fd;
	stream->own_fd = -1;
	stream->is_socket = S_ISSOCK(st.st_mode);
	stream->is_regular = S_ISREG(st.st_mode);
	/* O_NONBLOCK on the caller's own would change it for everybody who shares it */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		stream->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return sinks_add(sinks, &stream->sink);
}
