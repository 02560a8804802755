// SPDX-License-Identifier: GPL-2.0-or-later
/* Sinks in good and bad days: rotation by us and by others, a full disk, readers that are slow or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policyd/audit/sink.h"
#include "policyd/base/fd.h"
#include "tests/unit/fake_ring.h"

#define LINES_MAX 64

/* Everything a test needs; a new folder for each. */
struct fixture {
	char dir[64], path[96], other[128];
	struct sinks *sinks;
	struct fake_event fake;
	struct sink_line lines[LINES_MAX];
	struct sink_batch batch;
	char json[LINES_MAX * 32], display[LINES_MAX * 32];
	unsigned int next; /* number of the next line */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->dir, "/tmp/policyd-sink-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/events.jsonl", f->dir);
	f->sinks = sinks_new();
	fake_event_init(&f->fake);
	fake_event_build(&f->fake);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sinks_free(f->sinks);
	dir_remove_files(f->dir);
	free(f);
	return 0;
}

/* A batch of lines {"version":1,"n":7}, numbered on. */
static struct sink_batch *batch_of(struct fixture *f, size_t count)
{
	size_t json = 0, display = 0;

	for (size_t i = 0; i < count; i++) {
		struct sink_line *line = &f->lines[i];
		int n;

		event_view(f->fake.bytes, sizeof(f->fake.bytes), PD_RING_DENIALS, &line->event);
		n = sprintf(f->json + json, "{\"version\":1,\"n\":%u}\n", f->next);
		line->json = (struct slice){ f->json + json, (size_t)n };
		json += (size_t)n;
		n = sprintf(f->display + display, "event %u\n", f->next++);
		line->display = (struct slice){ f->display + display, (size_t)n };
		line->human = (struct slice){ f->display + display, (size_t)n - 1 };
		display += (size_t)n;
	}
	f->batch =
		(struct sink_batch){ f->lines, count, { f->json, json }, { f->display, display } };
	return &f->batch;
}

static void write_all(struct fixture *f, size_t count)
{
	assert_int_equal(sinks_write(f->sinks, batch_of(f, count)), count);
}

static size_t kept(const struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->batch.count; i++)
		n += f->batch.lines[i].kept;
	return n;
}

static struct sink_stats stats(const struct fixture *f)
{
	struct sink_stats s;

	sinks_stats(f->sinks, 0, &s);
	return s;
}

static void add_file(struct fixture *f, uint64_t rotate, unsigned int keep)
{
	struct sink_file_options options = { .path = f->path,
					     .rotate_bytes = rotate,
					     .keep = keep };
	struct pd_error error;

	assert_int_equal(sinks_add_file(f->sinks, &options, &error), 0);
}

/* The file holds exactly the lines from @first to @last. */
static void expect_file(const char *path, unsigned int first, unsigned int last)
{
	char *text, *at, want[64];

	assert_int_equal(file_load(path, 1 << 20, &text, NULL), 0);
	at = text;
	for (unsigned int n = first; n <= last; n++) {
		int length = sprintf(want, "{\"version\":1,\"n\":%u}\n", n);

		if (strncmp(at, want, (size_t)length))
			fail_msg("line %u is missing at: %.40s", n, at);
		at += length;
	}
	assert_string_equal(at, "");
	free(text);
}

static const char *beside(struct fixture *f, const char *suffix)
{
	snprintf(f->other, sizeof(f->other), "%s%s", f->path, suffix);
	return f->other;
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	fputs(text, file);
	fclose(file);
}

static void file_appends(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	add_file(f, 0, 0);
	assert_int_equal(sinks_needs(f->sinks), SINK_NEEDS_JSON);
	write_all(f, 3);
	write_all(f, 1);
	assert_int_equal(kept(f), 1);
	expect_file(f->path, 0, 3);
	assert_int_equal(stats(f).written, 4);
	assert_int_equal(stats(f).lost, 0);
	assert_string_equal(stats(f).kind, "file");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void file_rotates(void **state)
{
	struct fixture *f = *state;

	add_file(f, 100, 2); /* a line has 20 bytes; five fit */
	for (int i = 0; i < 10; i++)
		write_all(f, 1);
	expect_file(f->path, 5, 9);
	expect_file(beside(f, ".1"), 0, 4);
	f->next = 0;
	for (int i = 0; i < 10; i++)
		write_all(f, 1);
	expect_file(f->path, 5, 9);
	expect_file(beside(f, ".1"), 0, 4);
	expect_file(beside(f, ".2"), 5, 9);
	assert_int_equal(access(beside(f, ".3"), F_OK), -1);
	assert_int_equal(stats(f).rotations, 3);
	assert_int_equal(stats(f).lost, 0);
}

static void file_starts_anew_when_none_is_kept(void **state)
{
	struct fixture *f = *state;

	add_file(f, 100, 0);
	for (int i = 0; i < 7; i++)
		write_all(f, 1);
	expect_file(f->path, 5, 6);
}

static void file_survives_a_rotation_that_fails(void **state)
{
	struct fixture *f = *state;

	add_file(f, 100, 1);
	assert_int_equal(mkdir(beside(f, ".1"), 0700), 0); /* cannot be replaced by a file */
	for (int i = 0; i < 9; i++)
		write_all(f, 1);
	expect_file(f->path, 0, 8);
	assert_true(stats(f).error < 0);
	assert_int_equal(stats(f).lost, 0);
	rmdir(f->other);
}

static void file_follows_logrotate(void **state)
{
	struct fixture *f = *state;

	add_file(f, 0, 0);
	write_all(f, 2);
	assert_int_equal(rename(f->path, beside(f, ".old")), 0);
	write_all(f, 2); /* nobody made a new one: we do */
	expect_file(f->other, 0, 1);
	expect_file(f->path, 2, 3);
	assert_int_equal(rename(f->path, f->other), 0);
	put_file(f->path, ""); /* logrotate's "create" */
	write_all(f, 1);
	expect_file(f->other, 2, 3);
	expect_file(f->path, 4, 4);
	assert_int_equal(unlink(f->path), 0);
	write_all(f, 1);
	expect_file(f->path, 5, 5);
	assert_int_equal(truncate(f->path, 0), 0); /* copytruncate */
	write_all(f, 1);
	expect_file(f->path, 6, 6);
	sinks_reopen(f->sinks);
	write_all(f, 1);
	expect_file(f->path, 6, 7);
}

static void file_cuts_what_a_crash_left(void **state)
{
	struct fixture *f = *state;

	put_file(f->path, "{\"version\":1,\"n\":0}\n{\"version\":1,\"n");
	f->next = 1;
	add_file(f, 0, 0);
	write_all(f, 1);
	expect_file(f->path, 0, 1);
}

static void file_leaves_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	char *text;

	put_file(f->path, "something else");
	add_file(f, 0, 0);
	write_all(f, 1);
	assert_int_equal(file_load(f->path, 1000, &text, NULL), 0);
	assert_string_equal(text, "something else\n{\"version\":1,\"n\":0}\n");
	free(text);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the file's size fails like a full disk: a part is written, then nothing. */
static void full_disk_is_counted_exactly(void **state)
{
	struct fixture *f = *state;

	add_file(f, 0, 0);
	limit_file_size(75);
	write_all(f, 5); /* three lines and three quarters */
	assert_int_equal(kept(f), 3);
	write_all(f, 2);
	assert_int_equal(kept(f), 0);
	expect_file(f->path, 0, 2);
	assert_int_equal(stats(f).written, 3);
	assert_int_equal(stats(f).lost, 4);
	assert_int_equal(stats(f).error, -EFBIG);
	limit_file_size(RLIM_INFINITY);
	f->next = 3;
	write_all(f, 2);
	assert_int_equal(kept(f), 2);
	assert_int_equal(stats(f).error, 0);
	expect_file(f->path, 0, 4);
}

static void file_that_cannot_be_opened(void **state)
{
	struct fixture *f = *state;
	struct sink_file_options options = { .path = f->other };
	struct pd_error error;

	snprintf(f->other, sizeof(f->other), "%s/none/events.jsonl", f->dir);
	assert_int_equal(sinks_add_file(f->sinks, &options, &error), 0);
	assert_int_equal(error.code, -ENOENT);
	write_all(f, 2);
	assert_int_equal(kept(f), 0);
	assert_int_equal(stats(f).lost, 2);
	assert_int_equal(stats(f).error, -ENOENT);
	*strrchr(f->other, '/') = '\0';
	assert_int_equal(mkdir(f->other, 0700), 0);
	sinks_reopen(f->sinks);
	write_all(f, 1);
	assert_int_equal(kept(f), 1);
	assert_int_equal(dir_remove_files(f->other), 0);
}

static void file_refuses(void **state)
{
	struct fixture *f = *state;
	struct sink_file_options options = { .path = "relative" };
	struct pd_error error;

	assert_int_equal(sinks_add_file(f->sinks, &options, &error), -EINVAL);
	options.path = "/dev/full";
	assert_int_equal(sinks_add_file(f->sinks, &options, &error), 0);
	assert_int_equal(error.code, -ENOTSUP);
	assert_int_equal(symlink("/etc/passwd", f->path), 0);
	options.path = f->path;
	assert_int_equal(sinks_add_file(f->sinks, &options, &error), 0);
	assert_int_equal(error.code, -ELOOP);
}

/* Reads what is in a pipe now. */
static size_t drain(int fd, char *text, size_t size)
{
	ssize_t n = read(fd, text, size);

	return n < 0 ? 0 : (size_t)n;
}

static void slow_reader_is_waited_for_without_blocking(void **state)
{
	struct fixture *f = *state;
	static char text[1 << 20], want[1 << 20];
	size_t have = 0, wanted = 0, brought = 0;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(sinks_add_stream(f->sinks, fds[1], SINK_HUMAN, false), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	while (f->next < 5000) {
		unsigned int first = f->next;
		size_t settled = sinks_write(f->sinks, batch_of(f, LINES_MAX));

		f->next = first + (unsigned int)settled; /* the rest is brought again */
		brought += settled;
		if (settled < LINES_MAX)
			have += drain(fds[0], text + have, sizeof(text) - have);
	}
	while (!sinks_flush(f->sinks))
		have += drain(fds[0], text + have, sizeof(text) - have);
	have += drain(fds[0], text + have, sizeof(text) - have);
	for (unsigned int n = 0; n < brought; n++)
		wanted += (size_t)sprintf(want + wanted, "event %u\n", n);
	assert_int_equal(have, wanted);
	assert_memory_equal(text, want, wanted);
	assert_int_equal(stats(f).written, brought);
	assert_int_equal(stats(f).lost, 0);
	close(fds[0]);
	close(fds[1]);
}

static void slow_reader_does_not_hold_up_a_file(void **state)
{
	struct fixture *f = *state;
	struct sink_stats of_stream;
	int fds[2];

	add_file(f, 0, 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	assert_int_equal(sinks_add_stream(f->sinks, fds[1], SINK_JSON, false), 0);
	for (int i = 0; i < 10; i++)
		write_all(f, LINES_MAX);
	expect_file(f->path, 0, 10 * LINES_MAX - 1);
	sinks_stats(f->sinks, 1, &of_stream);
	assert_true(of_stream.lost > 0);
	assert_int_equal(of_stream.lost + of_stream.written, 10 * LINES_MAX);
	close(fds[0]);
	close(fds[1]);
}

static void reader_that_is_gone(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(sinks_add_stream(f->sinks, fds[1], SINK_HUMAN, true), 0);
	assert_int_equal(sinks_needs(f->sinks), SINK_NEEDS_COLOUR);
	write_all(f, 2);
	assert_int_equal(kept(f), 2);
	close(fds[0]);
	write_all(f, 2);
	assert_int_equal(kept(f), 0);
	assert_int_equal(stats(f).error, -EPIPE);
	close(fds[1]);
}

static int journal_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void journald(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	ssize_t n;
	size_t settled;
	int fd;

	assert_int_equal(sinks_add_journald(f->sinks, f->path), 0);
	write_all(f, 1); /* no such socket */
	assert_int_equal(stats(f).lost, 1);
	assert_int_equal(stats(f).error, -ENOENT);
	fd = journal_socket(f->path);
	write_all(f, 1); /* not tried again so soon */
	assert_int_equal(stats(f).lost, 2);
	usleep(1050000);
	write_all(f, 1);
	assert_int_equal(stats(f).written, 1);
	assert_int_equal(stats(f).error, 0);
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(text[n - 1], '\n');
	assert_non_null(strstr(text, "MESSAGE=event 2\n"));
	assert_non_null(strstr(text, "\nPRIORITY=4\n"));
	assert_non_null(strstr(text, "\nPOLICYD_OBJECT=/etc/passwd\n"));
	assert_non_null(strstr(text, "\nOBJECT_PID=812\n"));
	/* nobody reads: what does not fit is to be brought again */
	do
		settled = sinks_write(f->sinks, batch_of(f, LINES_MAX));
	while (settled == LINES_MAX);
	assert_int_equal(stats(f).lost, 2);
	close(fd);
}

static void no_sink_at_all(void **state)
{
	struct fixture *f = *state;

	write_all(f, 3);
	assert_int_equal(kept(f), 0);
	assert_true(sinks_flush(f->sinks));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_appends),
		TEST(file_rotates),
		TEST(file_starts_anew_when_none_is_kept),
		TEST(file_survives_a_rotation_that_fails),
		TEST(file_follows_logrotate),
		TEST(file_cuts_what_a_crash_left),
		TEST(file_leaves_what_is_not_ours),
		TEST(full_disk_is_counted_exactly),
		TEST(file_that_cannot_be_opened),
		TEST(file_refuses),
		TEST(slow_reader_is_waited_for_without_blocking),
		TEST(slow_reader_does_not_hold_up_a_file),
		TEST(reader_that_is_gone),
		TEST(journald),
		TEST(no_sink_at_all),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
