// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "policyd/audit/ring.h"
#include "tests/unit/fake_ring.h"

#define SIZE 4096u

static struct fake_ring fake;
static struct ring *ring;

static int setup(void **state)
{
	(void)state;
	fake_ring_open(&fake, SIZE);
	return ring_open(fake.fd, SIZE, &ring, NULL);
}

static int teardown(void **state)
{
	(void)state;
	ring_close(ring);
	fake_ring_close(&fake);
	return 0;
}

static void put(const char *text)
{
	assert_true(fake_ring_put(&fake, text, strlen(text), 0));
}

static void expect(const char *text)
{
	struct ring_record record;

	assert_true(ring_next(ring, &record));
	assert_int_equal(record.length, strlen(text));
	assert_memory_equal(record.data, text, record.length);
	assert_int_equal((uintptr_t)record.data % 8, 0);
}

static void expect_none(void)
{
	struct ring_record record;

	assert_false(ring_next(ring, &record));
}

static void nothing_is_given_back_before_commit(void **state)
{
	struct ring_record record;

	(void)state;
	expect_none();
	put("one");
	put("second");
	expect("one");
	assert_true(ring_next(ring, &record));
	expect_none();
	assert_int_equal(fake_ring_consumer(&fake), 0);
	assert_int_equal(ring_waiting(ring), 32);
	ring_rewind(ring);
	expect("one");
	expect("second");
	ring_commit_to(ring, 16);
	assert_int_equal(fake_ring_consumer(&fake), 16);
	expect("second");
	ring_commit(ring);
	assert_int_equal(fake_ring_consumer(&fake), record.end);
	assert_int_equal(ring_waiting(ring), 0);
}

static void a_new_reader_goes_on_where_the_old_one_committed(void **state)
{
	struct ring *again;

	(void)state;
	put("one");
	put("two");
	put("three");
	expect("one");
	ring_commit(ring);
	expect("two"); /* handed out, never committed: the daemon died */
	assert_int_equal(ring_open(fake.fd, SIZE, &again, NULL), 0);
	ring_close(ring);
	ring = again;
	expect("two");
	expect("three");
}

static void busy_and_discarded(void **state)
{
	(void)state;
	fake_ring_put(&fake, "gone", 4, FAKE_DISCARDED);
	put("here");
	fake_ring_put(&fake, "being written", 13, FAKE_BUSY);
	put("after");
	expect("here");
	expect_none();
	expect_none();
}

static void wraps(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		size_t length = (size_t)i % 60;

		memset(text, 'a' + i % 26, sizeof(text));
		text[length] = '\0';
		put(text);
		expect(text);
		if (i % 3 == 0)
			ring_commit(ring);
	}
	assert_int_equal(ring_damaged(ring), 0);
}

static void full(void **state)
{
	(void)state;
	while (fake_ring_put(&fake, "0123456789", 10, 0))
		;
	assert_int_equal(fake.counters.lost, 1);
	for (unsigned int i = 0; i < fake.counters.generated - 1; i++)
		expect("0123456789");
	expect_none();
	assert_false(fake_ring_put(&fake, "0123456789", 10, 0));
	ring_commit(ring);
	put("room again");
	expect("room again");
}

static void damage_is_skipped(void **state)
{
	(void)state;
	put("good");
	fake_ring_header(&fake, 0x3fffffff, 24);
	expect("good");
	expect_none();
	assert_int_equal(ring_damaged(ring), 1);
	put("next");
	expect("next");
	fake_ring_header(&fake, 100, 24); /* longer than what was produced */
	expect_none();
	assert_int_equal(ring_damaged(ring), 2);
}

static void refuses_what_is_no_ring(void **state)
{
	struct pd_error error;
	struct ring *other;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(ring_open(fake.fd, 5000, &other, &error), -EINVAL);
	assert_int_equal(ring_open(fake.fd, 512, &other, &error), -EINVAL);
	assert_int_equal(ring_open(fake.fd, 0, &other, &error), -EINVAL); /* a file has no size */
	assert_non_null(strstr(error.text, "no BPF map"));
	assert_true(ring_open(fd, SIZE, &other, &error) < 0);
	assert_true(ring_open(-1, 0, &other, &error) < 0);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_given_back_before_commit),
		TEST(a_new_reader_goes_on_where_the_old_one_committed),
		TEST(busy_and_discarded),
		TEST(wraps),
		TEST(full),
		TEST(damage_is_skipped),
		TEST(refuses_what_is_no_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
