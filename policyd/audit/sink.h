/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where events go: JSON Lines files, a stream (stdout), journald. A sink that fails is counted and
 * retried; it never blocks the daemon nor keeps the other sinks from their work.
 *
 * SIGPIPE must be ignored by the program.
 */
#ifndef PD_AUDIT_SINK_H
#define PD_AUDIT_SINK_H

#include <sys/types.h>

#include "policyd/audit/event.h"

#define SINK_BATCH_MAX 256u /* events handed over at once */

enum sink_form { SINK_JSON, SINK_HUMAN };

/* One event of a batch. */
struct sink_line {
	struct event event;
	struct event_container container; /* what event.container points to, if anywhere */
	struct slice json;		  /* with newline */
	struct slice human;   /* without time, without newline, never coloured: for journald */
	struct slice display; /* with time, with newline: for streams */
	bool kept;	      /* out: by at least one sink */
};

struct sink_batch {
	struct sink_line *lines;
	size_t count;		    /* at most SINK_BATCH_MAX */
	struct slice json, display; /* of all lines, in order, in one piece */
};

/* Which texts of a batch a sink reads. Display is coloured when only COLOUR is asked for. */
#define SINK_NEEDS_JSON 0x1u
#define SINK_NEEDS_HUMAN 0x2u
#define SINK_NEEDS_DISPLAY 0x4u
#define SINK_NEEDS_COLOUR 0x8u

struct sink_stats {
	const char *kind;	/* "file", "stream", "journald" */
	const char *target;	/* path */
	uint64_t written, lost; /* events */
	uint64_t rotations;
	int error; /* negative errno of what is wrong now; 0: it works */
};

struct sinks;
struct sinks *sinks_new(void); /* NULL: no memory */
/** sinks_free() - tries once to complete a half-written line, then closes everything */
void sinks_free(struct sinks *sinks);

struct sink_file_options {
	const char *path;      /* absolute */
	mode_t mode;	       /* of new files; 0: 0640 */
	uint64_t rotate_bytes; /* a file does not grow beyond this by more than one batch; 0: never */
	unsigned int keep;     /* PATH.1 .. PATH.keep; 0: the file starts anew */
};

/**
 * sinks_add_file() - JSON Lines, appended
 *
 * Follows a file that logrotate renamed, unlinked or truncated. A line that was cut by a crash or a full disk is
 * removed again. Regular files only, no symbolic link as the last component.
 *
 * Returns 0, -ENOMEM, or -EINVAL for a path that is not absolute. That the file cannot be opened now is not
 * a failure: @error is filled (error->code != 0) and it is tried again later.
 */
int sinks_add_file(struct sinks *sinks, const struct sink_file_options *options,
		   struct pd_error *error);

/**
 * sinks_add_stream() - an open descriptor: stdout, a pipe, a terminal; not closed
 * @colour: for SINK_HUMAN
 *
 * Never waits for the reader; a line that was begun is completed before the next one. The descriptor's
 * flags are not changed.
 */
int sinks_add_stream(struct sinks *sinks, int fd, enum sink_form form, bool colour);

/**
 * sinks_add_journald() - journald's native protocol
 * @path: of its socket; NULL: /run/systemd/journal/socket
 *
 * MESSAGE is the human line; PRIORITY 4 denied, 5 would_deny, 6 allowed; fields are POLICYD_*, and
 * OBJECT_PID, which makes `journalctl -u` and `systemctl status` of the subject's unit show it.
 */
int sinks_add_journald(struct sinks *sinks, const char *path);

/** sinks_needs() - SINK_NEEDS_* of all sinks together */
unsigned int sinks_needs(const struct sinks *sinks);

/**
 * sinks_write() - hand a batch to every sink
 *
 * Sets line->kept. Returns how many lines from the start on are settled: the whole batch, or fewer
 * when no sink could take the rest now but one only has to be waited for (its reader is slow): the caller
 * then brings these lines again later. They have not been counted nor written anywhere.
 */
size_t sinks_write(struct sinks *sinks, struct sink_batch *batch);

/** sinks_flush() - go on with half-written lines of streams; true when none is left */
bool sinks_flush(struct sinks *sinks);

/** sinks_reopen() - close and reopen files (SIGHUP, `policyctl`) */
void sinks_reopen(struct sinks *sinks);

size_t sinks_count(const struct sinks *sinks);
void sinks_stats(const struct sinks *sinks, size_t index, struct sink_stats *ret_stats);

#endif
