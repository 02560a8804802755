/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies come into force by themselves, wherever the folder is when it appears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/machine.h"

static void comes(struct machine *m, const char *expected)
{
	for (unsigned int i = 0; i < 100 && strcmp(listed(m), expected) != 0; i++)
		usleep(50000);
	assert_string_equal(listed(m), expected);
}

static void make(const struct machine *m, const char *dir)
{
	assert_int_equal(mkdir(in_dir(m, dir), 0755), 0);
}

/* Neither the folder nor those above are there at the start; later they are moved away. */
static void test_appears(void **state)
{
	struct machine *m = *state;

	need_root();
	start_watching(m);
	assert_string_equal(listed(m), "");
	make(m, "deep");
	usleep(300000);
	make(m, "deep/in");
	usleep(300000);
	make(m, "deep/in/etc");
	usleep(300000);
	write_text(in_dir(m, "deep/in/etc/web.yaml"), WEB);
	comes(m, "web=enforce");
	write_text(in_dir(m, "deep/in/etc/db.yaml"), DB);
	comes(m, "db=enforce web=enforce");
	/* an empty one takes its place */
	make(m, "other");
	make(m, "other/in");
	make(m, "other/in/etc");
	assert_int_equal(rename(in_dir(m, "deep"), in_dir(m, "away")), 0);
	assert_int_equal(rename(in_dir(m, "other"), in_dir(m, "deep")), 0);
	comes(m, "");
}

/* Links that are swapped: of the folder itself, and on the way to it. */
static void test_link(void **state)
{
	struct machine *m = *state;

	need_root();
	make(m, "one");
	make(m, "two");
	make(m, "three");
	make(m, "three/etc");
	make(m, "real");
	write_text(in_dir(m, "one/web.yaml"), WEB);
	write_text(in_dir(m, "two/db.yaml"), DB);
	write_text(in_dir(m, "three/etc/web.yaml"), WEB);
	make(m, "deep");
	assert_int_equal(symlink("../real", in_dir(m, "deep/in")), 0);
	assert_int_equal(symlink("../one", in_dir(m, "real/etc")), 0);
	start_watching(m);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(symlink(in_dir(m, "two"), in_dir(m, "real/new")), 0);
	assert_int_equal(rename(in_dir(m, "real/new"), in_dir(m, "real/etc")), 0);
	comes(m, "db=enforce");
	write_text(in_dir(m, "two/web.yaml"), WEB);
	comes(m, "db=enforce web=enforce");
	assert_int_equal(symlink("../three", in_dir(m, "deep/new")), 0);
	assert_int_equal(rename(in_dir(m, "deep/new"), in_dir(m, "deep/in")), 0);
	comes(m, "web=enforce");
}

/* Who never stops writing does not put the reload off. */
static void test_restless(void **state)
{
	struct machine *m = *state;
	unsigned int i;

	need_root();
	make(m, "deep");
	make(m, "deep/in");
	make(m, "deep/in/etc");
	start_watching(m);
	write_text(in_dir(m, "deep/in/etc/web.yaml"), WEB);
	for (i = 0; i < 200 && !listed(m)[0]; i++) {
		write_text(in_dir(m, "deep/in/etc/noise"), "");
		usleep(30000);
	}
	assert_string_equal(listed(m), "web=enforce");
	assert_true(i < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_appears),
		machine_test(test_link),
		machine_test(test_restless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
