// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journald's native protocol: a datagram of lines FIELD=value (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md). Our
 * values never hold a newline, so the binary form is not needed.
 */
#include "policyd/audit/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policyd/audit/event_parts.h"
#include "policyd/audit/sink_kinds.h"
#include "policyd/base/clock.h"
#include "policyd/base/fd.h"
#include "policyd/base/text.h"
#include "policyd/policy/words.h"

#define JOURNALD_SOCKET "/run/systemd/journal/socket"
#define MESSAGE_ID "6f2c1f4c0b5d4e1c9a7d3b8e52f0a9d1" /* of all our events, for journalctl(1) */
#define DATAGRAM_MAX (2 * EVENT_HUMAN_MAX)

struct journald {
	struct sink sink;
	struct sockaddr_un address;
	int fd;
	uint64_t retry_ns; /* CLOCK_BOOTTIME before which a missing journald is not tried again */
	char *scratch;	   /* DATAGRAM_MAX bytes */
};

static struct journald *journald_of(struct sink *sink)
{
	return (struct journald *)sink;
}

static void add_number(struct buffer *b, const char *field, uint64_t number)
{
	buffer_text(b, field);
	buffer_unsigned(b, number);
	buffer_byte(b, '\n');
}

static void add_word(struct buffer *b, const char *field, const char *word)
{
	buffer_text(b, field);
	buffer_text(b, word);
	buffer_byte(b, '\n');
}

static void add_name(struct buffer *b, const char *field, struct slice name)
{
	if (!name.length)
		return;
	buffer_text(b, field);
	text_escape(b, name);
	buffer_byte(b, '\n');
}

static void add_cause(struct buffer *b, const struct event *event)
{
	const struct symbol *symbol = &event->symbol;
	const char *policy = symbol->policy ? symbol->policy : event->policies;

	if (policy)
		add_name(b, "POLICYD_POLICY=", slice_of(policy));
	if (symbol->policy && symbol->file) {
		buffer_text(b, symbol->is_default ? "POLICYD_DEFAULT=" : "POLICYD_RULE=");
		text_escape(b, slice_of(symbol->file));
		buffer_byte(b, ':');
		buffer_unsigned(b, symbol->line);
		buffer_byte(b, '\n');
	}
	add_word(b, "POLICYD_REASON=", word_reason(event->record->reason));
}

static void add_fields(struct buffer *b, const struct sink_line *line)
{
	const struct event *event = &line->event;
	const struct pd_event *record = event->record;

	buffer_text(b, "MESSAGE=");
	buffer_add(b, line->human.data, line->human.length);
	buffer_text(b, "\nSYSLOG_IDENTIFIER=policyd\nMESSAGE_ID=" MESSAGE_ID "\n");
	add_word(b, "PRIORITY=",
		 record->verdict == PD_DENIED	  ? "4" :
		 record->verdict == PD_WOULD_DENY ? "5" :
						    "6");
	add_word(b, "POLICYD_VERDICT=", word_verdict(record->verdict));
	add_word(b, "POLICYD_MODE=", record->mode ? "audit" : "enforce");
	add_word(b, "POLICYD_CLASS=", word_class(record->class));
	add_word(b, "POLICYD_OPERATION=", word_operation(record->operation));
	buffer_text(b, "POLICYD_OBJECT=");
	event_object_text(b, event);
	buffer_byte(b, '\n');
	add_cause(b, event);
	add_number(b, "OBJECT_PID=", record->pid);
	add_number(b, "POLICYD_PID=", record->pid);
	add_number(b, "POLICYD_UID=", record->uid);
	add_name(b, "POLICYD_COMM=", event_comm(record));
	add_name(b, "POLICYD_EXE=", event->exe);
	add_name(b, "POLICYD_CGROUP=", event->cgroup);
	add_word(b, "POLICYD_RING=", event->ring == PD_RING_DENIALS ? "denials" : "notices");
	add_number(b, "POLICYD_SEQUENCE=", record->sequence);
	add_number(b, "POLICYD_REPEAT=", record->repeat ? record->repeat : 1);
}

static int open_socket(struct journald *journald)
{
	int size = 8 << 20;

	if (journald->fd >= 0)
		return 0;
	journald->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journald->fd < 0)
		return -errno;
	/* room for a burst; the kernel gives what it allows */
	setsockopt(journald->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static int send_line(const struct journald *journald, const struct sink_line *line)
{
	struct buffer b;
	ssize_t n;

	buffer_init(&b, journald->scratch, DATAGRAM_MAX);
	add_fields(&b, line);
	if (b.overflow)
		return -EMSGSIZE;
	do
		n = sendto(journald->fd, b.data, b.used, MSG_NOSIGNAL | MSG_DONTWAIT,
			   (const struct sockaddr *)&journald->address, sizeof(journald->address));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void journald_write(struct sink *sink, const struct sink_batch *batch,
			   enum sink_result *results)
{
	struct journald *journald = journald_of(sink);
	int r = 0;

	sink_mark(results, 0, batch->count, SINK_LOST);
	if (journald->retry_ns && clock_boot_ns() < journald->retry_ns)
		return;
	r = open_socket(journald);
	for (size_t i = 0; i < batch->count && !r; i++) {
		r = send_line(journald, &batch->lines[i]);
		if (!r)
			results[i] = SINK_KEPT;
		else if (r == -EAGAIN)
			sink_mark(results, i, batch->count, SINK_BUSY);
		else if (r == -EMSGSIZE)
			r = 0; /* this one only */
	}
	journald->retry_ns = r && r != -EAGAIN ? clock_boot_ns() + SINK_RETRY_NS : 0;
	sink->stats.error = r == -EAGAIN ? 0 : r;
}

static void journald_free(struct sink *sink)
{
	struct journald *journald = journald_of(sink);

	fd_close(journald->fd);
	free(journald->scratch);
	free(journald);
}

static const struct sink_kind journald_kind = {
	.name = "journald",
	.write = journald_write,
	.free = journald_free,
};

int sinks_add_journald(struct sinks *sinks, const char *path)
{
	struct journald *journald;

	if (!path)
		path = JOURNALD_SOCKET;
	if (strlen(path) >= sizeof(journald->address.sun_path))
		return -ENAMETOOLONG;
	journald = calloc(1, sizeof(*journald));
	if (!journald)
		return -ENOMEM;
	journald->sink.kind = &journald_kind;
	journald->sink.needs = SINK_NEEDS_HUMAN;
	journald->fd = -1;
	journald->scratch = malloc(DATAGRAM_MAX);
	if (!journald->scratch) {
		journald_free(&journald->sink);
		return -ENOMEM;
	}
	journald->address.sun_family = AF_UNIX;
	memcpy(journald->address.sun_path, path, strlen(path) + 1);
	journald->sink.stats.target = journald->address.sun_path;
	journald->sink.stats.error = open_socket(journald);
	return sinks_add(sinks, &journald->sink);
}
