/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/glob.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void refuses(void **state)
{
	static const struct {
		const char *pattern;
		size_t at;
		const char *reason;
	} cases[] = {
		{ "", 0, "empty" },
		{ "/a/***", 3, "more than two '*'" },
		{ "/a[", 2, "never closed" },
		{ "/a[b", 2, "never closed" },
		{ "/[]", 1, "matches nothing" },
		{ "/[!]", 1, "matches nothing" },
		{ "/[z-a]", 2, "backwards" },
		{ "/[^a]", 2, "[!...]" },
		{ "/[a/b]", 3, "never matches '/'" },
		{ "/[[:alpha:]]", 2, "\\[" },
		{ "/[\xc3\xa4]", 2, "ASCII" },
		{ "/a\\", 2, "at the end" },
		{ "/{a}", 1, "','" },
		{ "/{a,b", 1, "never closed" },
		{ "/{}", 1, "','" },
		{ "/a}", 2, "without '{'" },
		{ "/a]", 2, "without '['" },
		{ "{{{{{{{{{a,b},b},b},b},b},b},b},b},b}", 8, "8 deep" },
		{ "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", 50, "1024" },
	};
	const char *reason;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *p = cases[i].pattern;

		at = 9999;
		reason = "";
		assert_int_equal(glob_check(p, strlen(p), &at, &reason), -EINVAL);
		if (!strstr(reason, cases[i].reason) || at != cases[i].at)
			fail_msg("%s: at %zu: %s", p, at, reason);
		assert_int_equal(glob_match(p, strlen(p), "/a", 2), -EINVAL);
	}
	assert_int_equal(glob_check("/a\0b", 4, NULL, NULL), -EINVAL);
}

static void matches(void **state)
{
	static const struct {
		const char *pattern, *name;
		unsigned int flags;
		int expected;
	} cases[] = {
		{ "/a", "/a", 0, 1 },
		{ "/a", "/ab", 0, 0 },
		{ "/a?", "/ab", 0, 1 },
		{ "/a?b", "/a/b", 0, 0 },
		{ "/*/c", "/ab/c", 0, 1 },
		{ "/*/c", "/a/b/c", 0, 0 },
		{ "/*", "/", 0, 1 },
		{ "/**/c", "/a/b/c", 0, 1 },
		{ "/**/c", "/c", 0, 0 },
		{ "/[a-c]", "/b", 0, 1 },
		{ "/[a-c]", "/d", 0, 0 },
		{ "/[a-]", "/-", 0, 1 },
		{ "/[!a]", "/b", 0, 1 },
		{ "/[!a]", "/a", 0, 0 },
		{ "/x[!a]y", "/x/y", 0, 0 },
		{ "/x[+-9]y", "/x/y", 0, 0 },
		{ "/[\\]]", "/]", 0, 1 },
		{ "/\\*", "/*", 0, 1 },
		{ "/\\*", "/a", 0, 0 },
		{ "/{a,b{c,d}}x", "/bdx", 0, 1 },
		{ "/{a,b{c,d}}x", "/bx", 0, 0 },
		{ "/usr{,/local}/bin", "/usr/bin", 0, 1 },
		{ "/usr{,/local}/bin", "/usr/local/bin", 0, 1 },
		{ "/a,b", "/a,b", 0, 1 },
		{ "/caf\xc3\xa9", "/caf\xc3\xa9", 0, 1 },
		{ "memfd:*", "memfd:x", 0, 1 },
		{ "@m-*", "@m-1", 0, 1 },
		{ "/etc/", "/etc", GLOB_DIRECTORY, 1 },
		{ "/etc/", "/etc/a/b", GLOB_DIRECTORY, 1 },
		{ "/etc/", "/etcetera", GLOB_DIRECTORY, 0 },
		{ "/etc/", "/etc", 0, 0 },
		{ "/e\\/", "/e", GLOB_DIRECTORY, 0 },
		{ "/", "/", GLOB_DIRECTORY, 1 },
		{ "/", "/a/b", GLOB_DIRECTORY, 1 },
		{ "/", "", GLOB_DIRECTORY, 0 },
		{ "/*/", "/a/b/c", GLOB_DIRECTORY, 1 },
		{ "/bin/sh", "/usr/bin/sh", GLOB_ALIASES, 1 },
		{ "/bin/sh", "/usr/bin/sh", 0, 0 },
		{ "/bin", "/usr/bin", GLOB_ALIASES, 1 },
		{ "/bin", "/usr/binx", GLOB_ALIASES, 0 },
		{ "/{bin,sbin}/x", "/usr/sbin/x", GLOB_ALIASES, 1 },
		{ "/lib*/**.so", "/usr/lib64/a/b.so", GLOB_ALIASES, 1 },
		{ "/var/run/x", "/run/x", GLOB_ALIASES, 1 },
		{ "/run/x", "/var/run/x", GLOB_ALIASES, 0 },
		{ "/usr/bin/sh", "/bin/sh", GLOB_ALIASES, 0 },
		{ "/lib/", "/usr/lib/a", GLOB_ALIASES | GLOB_DIRECTORY, 1 },
		{ "/system.slice/a", "/system.slice/a/b", GLOB_BELOW, 1 },
		{ "/system.slice/a", "/system.slice/ab", GLOB_BELOW, 0 },
		{ "/", "/a", GLOB_BELOW, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = glob_match_name(cases[i].pattern, strlen(cases[i].pattern), cases[i].name,
					strlen(cases[i].name), cases[i].flags);

		if (r != cases[i].expected)
			fail_msg("%s on %s: %d", cases[i].pattern, cases[i].name, r);
	}
}

/* What takes a backtracking matcher longer than the universe lasts. */
static void bounded(void **state)
{
	char pattern[1025], name[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		pattern[i] = "a*"[i % 2];
	memset(name, 'a', sizeof(name));
	assert_int_equal(glob_match(pattern, sizeof(pattern) - 1, name, sizeof(name)), 1);
	pattern[sizeof(pattern) - 2] = 'b';
	assert_int_equal(glob_match(pattern, sizeof(pattern) - 1, name, sizeof(name)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(matches),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
