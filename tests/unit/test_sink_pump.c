// SPDX-License-Identifier: GPL-2.0-or-later
/* From two rings to a file: order, counting, a daemon that dies, what rule numbers mean. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/audit/pump.h"
#include "policyd/base/fd.h"
#include "tests/unit/fake_ring.h"

#define RING_SIZE 65536u

struct fixture {
	char dir[64], path[96];
	struct fake_ring fakes[PD_RING_COUNT];
	struct pump_options options;
	struct names *names;
	struct pump *pump;
	struct pd_state state;
	struct fake_event event;
};

static void add_image(struct names *names, uint64_t generation, const char *policy)
{
	unsigned char *image = fake_image(generation, policy);

	assert_int_equal(names_add(names, image), 0);
	free(image);
}

static void open_rings(struct fixture *f)
{
	for (int i = 0; i < PD_RING_COUNT; i++)
		assert_int_equal(ring_open(f->fakes[i].fd, RING_SIZE, &f->options.rings[i], NULL),
				 0);
}

static void close_rings(struct fixture *f)
{
	for (int i = 0; i < PD_RING_COUNT; i++)
		ring_close(f->options.rings[i]);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sink_file_options file = { .path = f->path };

	*state = f;
	strcpy(f->dir, "/tmp/policyd-pump-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/events.jsonl", f->dir);
	for (int i = 0; i < PD_RING_COUNT; i++)
		fake_ring_open(&f->fakes[i], RING_SIZE);
	open_rings(f);
	f->options.state = &f->state;
	f->options.names = f->names = names_new();
	f->options.sinks = sinks_new();
	f->options.host = "host1";
	add_image(f->names, 1, "web");
	fake_event_init(&f->event);
	return sinks_add_file(f->options.sinks, &file, NULL) ||
	       pump_new(&f->options, &f->pump, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pump_free(f->pump);
	sinks_free(f->options.sinks);
	names_free(f->names);
	close_rings(f);
	for (int i = 0; i < PD_RING_COUNT; i++)
		fake_ring_close(&f->fakes[i]);
	dir_remove_files(f->dir);
	free(f);
	return 0;
}

static bool put(struct fixture *f, enum pd_ring ring)
{
	struct fake_ring *fake = &f->fakes[ring];

	f->event.record.sequence = fake->counters.generated + 1;
	return fake_ring_put(fake, f->event.bytes, fake_event_build(&f->event), 0);
}

/* Lines of the file, each of which must parse; sequence numbers of @ring in order in @sequences. */
static size_t read_file(struct fixture *f, enum pd_ring ring, uint64_t *sequences, size_t max)
{
	char *text, *at, *end;
	struct event *event;
	struct pd_error error;
	size_t count = 0;

	assert_int_equal(file_load(f->path, 16 << 20, &text, NULL), 0);
	for (at = text; *at; at = end + 1) {
		end = strchr(at, '\n');
		assert_non_null(end);
		if (event_parse_json(at, (size_t)(end - at), &event, &error))
			fail_msg("%s: %.200s", error.text, at);
		if (event->ring == ring) {
			assert_true(count < max);
			sequences[count++] = event->record->sequence;
		}
		event_free(event);
	}
	free(text);
	return count;
}

/* generated = records + lost + suppressed; records = delivered + sink_lost + waiting */
static void check_counts(struct fixture *f)
{
	for (int i = 0; i < PD_RING_COUNT; i++) {
		const struct pd_ring_counters *c = &f->fakes[i].counters;

		if (!ring_waiting(f->options.rings[i]))
			assert_int_equal(c->generated - c->lost - c->suppressed,
					 f->state.delivered[i] + f->state.sink_lost[i]);
	}
}

static void denials_come_first(void **state)
{
	struct fixture *f = *state;
	uint64_t sequences[64];

	for (int i = 0; i < 20; i++) {
		put(f, PD_RING_NOTICES);
		put(f, PD_RING_DENIALS);
	}
	assert_int_equal(pump_run(f->pump, 25), 25);
	assert_int_equal(read_file(f, PD_RING_DENIALS, sequences, 64), 20);
	assert_int_equal(read_file(f, PD_RING_NOTICES, sequences, 64), 5);
	assert_int_equal(f->state.epoch, 0); /* not yet drained */
	assert_int_equal(pump_run(f->pump, 1000), 15);
	assert_int_equal(f->state.epoch, 1);
	assert_int_equal(pump_run(f->pump, 1000), 0);
	assert_int_equal(f->state.epoch, 1);
	assert_int_equal(pump_timeout(f->pump), -1);
	check_counts(f);
}

static void a_long_run_adds_up(void **state)
{
	struct fixture *f = *state;
	static uint64_t sequences[20000];
	size_t n;

	srand(7);
	while (f->fakes[0].counters.generated < 10000) {
		for (int i = rand() % 300; i > 0; i--)
			put(f, rand() % 4 ? PD_RING_DENIALS : PD_RING_NOTICES);
		pump_run(f->pump, (size_t)rand() % 400);
		check_counts(f);
	}
	while (pump_run(f->pump, 100))
		;
	check_counts(f);
	n = read_file(f, PD_RING_DENIALS, sequences, 20000);
	assert_int_equal(n, f->state.delivered[PD_RING_DENIALS]);
	assert_true(f->fakes[0].counters.lost > 0); /* the ring was full now and then */
	for (size_t i = 1; i < n; i++)
		assert_true(sequences[i] > sequences[i - 1]);
}

static void bad_records_are_counted(void **state)
{
	struct fixture *f = *state;
	struct pump_stats stats;
	uint64_t sequences[8];

	put(f, PD_RING_DENIALS);
	fake_ring_put(&f->fakes[0], "garbage", 7, 0);
	fake_ring_put(&f->fakes[0], "discarded", 9, FAKE_DISCARDED);
	put(f, PD_RING_DENIALS);
	put(f, PD_RING_DENIALS);
	fake_ring_put(&f->fakes[0], "garbage", 7, 0);
	assert_int_equal(pump_run(f->pump, 100), 5);
	assert_int_equal(read_file(f, PD_RING_DENIALS, sequences, 8), 3);
	assert_int_equal(f->state.delivered[0], 3);
	assert_int_equal(f->state.sink_lost[0], 2);
	check_counts(f);
	pump_stats(f->pump, &stats);
	assert_int_equal(stats.bad, 2);
	put(f, PD_RING_DENIALS);
	fake_ring_header(&f->fakes[0], 0x3fffffff, 16);
	pump_run(f->pump, 100);
	assert_int_equal(f->state.delivered[0], 4);
	assert_int_equal(f->state.sink_lost[0], 3);
}

static void full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit = { 5000, RLIM_INFINITY };
	uint64_t sequences[128];
	size_t n;

	for (int i = 0; i < 60; i++)
		put(f, PD_RING_DENIALS);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(pump_run(f->pump, 100), 60);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	n = read_file(f, PD_RING_DENIALS, sequences, 128);
	assert_true(n > 0 && n < 60);
	assert_int_equal(f->state.delivered[0], n);
	assert_int_equal(f->state.sink_lost[0], 60 - n);
	put(f, PD_RING_DENIALS);
	assert_int_equal(pump_run(f->pump, 100), 1);
	assert_int_equal(f->state.delivered[0], n + 1);
	check_counts(f);
}

/* Dies between writing a batch and telling the kernel: subscribers are called just then. */
static void die_here(void *context, const struct event *event, struct slice json)
{
	(void)context;
	(void)event;
	(void)json;
	_exit(0);
}

static void a_daemon_that_dies_repeats_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t sequences[32];
	int status;
	pid_t pid;

	for (int i = 0; i < 10; i++)
		put(f, PD_RING_DENIALS);
	assert_int_equal(pump_run(f->pump, 3), 3);
	pid = fork();
	if (!pid) {
		pump_subscribe(f->pump, die_here, NULL);
		pump_run(f->pump, 4);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	close_rings(f); /* the next daemon */
	open_rings(f);
	pump_free(f->pump);
	assert_int_equal(pump_new(&f->options, &f->pump, NULL), 0);
	assert_int_equal(pump_run(f->pump, 100), 7);
	assert_int_equal(read_file(f, PD_RING_DENIALS, sequences, 32), 14);
	for (int i = 0; i < 14; i++)
		assert_int_equal(sequences[i], i < 7 ? i + 1 : i - 3);
	check_counts(f);
}

static void count_events(void *context, const struct event *event, struct slice json)
{
	assert_string_equal(event->symbol.policy, "web");
	assert_int_equal(json.data[json.length - 1], '\n');
	++*(int *)context;
}

/* Only a slow reader: nothing is lost in the daemon, the ring holds it. */
static void slow_reader_alone(void **state)
{
	struct fixture *f = *state;
	static char text[1 << 20];
	size_t lines = 0;
	int fds[2], seen = 0;
	ssize_t n;

	sinks_free(f->options.sinks);
	f->options.sinks = sinks_new();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(sinks_add_stream(f->options.sinks, fds[1], SINK_HUMAN, false), 0);
	pump_free(f->pump);
	assert_int_equal(pump_new(&f->options, &f->pump, NULL), 0);
	pump_subscribe(f->pump, count_events, &seen);
	for (int i = 0; i < 200; i++)
		put(f, PD_RING_DENIALS);
	while (pump_run(f->pump, 1000), pump_timeout(f->pump) >= 0) {
		n = read(fds[0], text, sizeof(text));
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	}
	n = read(fds[0], text, sizeof(text));
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 200);
	assert_int_equal(seen, 200);
	assert_int_equal(f->state.delivered[0], 200);
	assert_int_equal(f->state.sink_lost[0], 0);
	check_counts(f);
	close(fds[0]);
	close(fds[1]);
}

static const char *policy_of(struct fixture *f, uint64_t generation)
{
	struct event event;

	f->event.record.generation = generation;
	event_view(f->event.bytes, fake_event_build(&f->event), PD_RING_DENIALS, &event);
	names_resolve(f->names, &event);
	return event.symbol.policy;
}

static void names_of_images_that_were_replaced(void **state)
{
	struct fixture *f = *state;
	struct event event;

	add_image(f->names, 2, "second");
	assert_string_equal(policy_of(f, 1), "web");
	assert_string_equal(policy_of(f, 2), "second");
	assert_null(policy_of(f, 3));
	add_image(f->names, 2, "again"); /* the same generation replaces */
	assert_string_equal(policy_of(f, 2), "again");
	for (uint64_t g = 3; g <= 5; g++)
		add_image(f->names, g, "later");
	assert_null(policy_of(f, 1));
	assert_string_equal(policy_of(f, 2), "again");
	f->event.record.rule = 9999; /* which the image does not have */
	f->event.record.generation = 5;
	event_view(f->event.bytes, fake_event_build(&f->event), PD_RING_DENIALS, &event);
	names_resolve(f->names, &event);
	assert_null(event.symbol.policy);
	assert_string_equal(event.policies, "later");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The daemon before was killed when it had counted a batch, before it gave the records back. */
static void what_is_counted_is_not_counted_again(void **state)
{
	struct fixture *f = *state;
	struct pd_state before;

	for (int half = 0; half < 2; half++) {
		unsigned long consumer = fake_ring_consumer(&f->fakes[0]);

		for (int i = 0; i < 3; i++)
			put(f, PD_RING_DENIALS);
		fake_ring_put(&f->fakes[0], "garbage", 7, 0);
		before = f->state;
		pump_run(f->pump, 100);
		check_counts(f);
		*(unsigned long *)(void *)f->fakes[0].map = consumer;
		if (half) { /* and had got no further than to say so */
			f->state.delivered[0] = before.delivered[0];
			f->state.sink_lost[0] = before.sink_lost[0];
		}
		pump_free(f->pump);
		close_rings(f);
		open_rings(f);
		assert_int_equal(pump_new(&f->options, &f->pump, NULL), 0);
		put(f, PD_RING_DENIALS);
		assert_int_equal(pump_run(f->pump, 100), 5);
		check_counts(f);
		assert_int_equal(f->state.delivered[0], 4 * (half + 1));
		assert_int_equal(f->state.sink_lost[0], half + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(denials_come_first),
		TEST(a_long_run_adds_up),
		TEST(bad_records_are_counted),
		TEST(full_disk),
		TEST(a_daemon_that_dies_repeats_and_loses_nothing),
		TEST(what_is_counted_is_not_counted_again),
		TEST(slow_reader_alone),
		TEST(names_of_images_that_were_replaced),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
