/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policyctl oci-runtime: which file it changes, and what it makes of what is in there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>

#include "policyd/ctl/oci_runtime.c" /* of a program, not of the library */

#define HOOK "{\"path\":\"/p\",\"args\":[\"policyctl\",\"oci-hook\"]}"
#define HOOKS "\"hooks\":{\"createRuntime\":[" HOOK "]}"

int ctl_usage(const struct command *command, const char *format, ...)
{
	(void)command;
	(void)format;
	return CTL_ERROR;
}

int ctl_fail(const struct ctl *ctl, const struct pd_error *error)
{
	(void)ctl;
	(void)error;
	return CTL_ERROR;
}

static void test_put_hook(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused; "": it is there already */
	} cases[] = {
		{ "{}", "{" HOOKS "}" },
		{ "{\"hooks\":null}", "{\"hooks\":{\"createRuntime\":[" HOOK "]}}" },
		/* docker run --ulimit memlock=-1 */
		{ "{\"hard\": 18446744073709551615, \"x\": 1.50}\n",
		  "{" HOOKS ",\"hard\": 18446744073709551615, \"x\": 1.50}\n" },
		{ "{\"hooks\":{\"createRuntime\":[" HOOK "]}}", "" },
		{ "{\"\\u0068ooks\":{\"create\\u0052untime\":[" HOOK ",{\"path\":\"/o\"}]}}", "" },
		{ "{\"hooks\":{\"createRuntime\":[{\"path\":\"/o\"}]}}",
		  "{\"hooks\":{\"createRuntime\":[" HOOK ",{\"path\":\"/o\"}]}}" },
		/* there, but too late */
		{ "{\"hooks\":{\"createRuntime\":[{\"path\":\"/o\"}," HOOK "]}}",
		  "{\"hooks\":{\"createRuntime\":[" HOOK ",{\"path\":\"/o\"}," HOOK "]}}" },
		{ "{\"\\u0068ooks\":{\"poststop\":[]}}",
		  "{\"\\u0068ooks\":{\"createRuntime\":[" HOOK "],\"poststop\":[]}}" },
		/* who reads it last wins */
		{ "{\"hooks\":{},\"hooks\":{}}", NULL },
		{ "{\"hooks\":{},\"\\u0068ooks\":{}}", NULL },
		{ "{\"hooks\":{\"createRuntime\":[],\"createRuntime\":[]}}", NULL },
		{ "{\"Hooks\":{}}", NULL },
		{ "{\"HOOKS\":null}", NULL },
		{ "{\"hoo\\u212as\":{}}", NULL },
		{ "{\"hook\\u017f\":{}}", NULL },
		{ "{\"hooks\":{\"createruntime\":[]}}", NULL },
		/* and what only looks like it */
		{ "{\"hook\":1,\"hookss\":2,\"x\":{\"Hooks\":3}}",
		  "{" HOOKS ",\"hook\":1,\"hookss\":2,\"x\":{\"Hooks\":3}}" },
		{ "", NULL },
		{ "{", NULL },
		{ "{\"hooks\":{\"createRuntime\":[", NULL },
		{ "{\"hooks\":{\"createRuntime\":[]}", NULL },
		{ "{} {}", NULL },
		{ "[]", NULL },
		{ "null", NULL },
		{ "{\"hooks\":[]}", NULL },
		{ "{\"hooks\":{\"createRuntime\":{}}}", NULL },
		{ "{\"hooks\":{\"createRuntime\":\"\"}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i].expected;
		struct pd_error error = { .code = 0 };
		char *text = NULL;
		int r = put_hook(cases[i].text, "/p", &text, &error);

		if (!expected != (r < 0) || (r < 0 && !error.text[0]) ||
		    (expected && strcmp(text ? text : "", expected) != 0))
			fail_msg("%s: %s", cases[i].text, r < 0 ? error.text : text);
		free(text);
	}
}

/* As deep as the parser goes, and deeper */
static void test_deep(void **state)
{
	static const struct {
		size_t depth;
		bool accepted;
	} cases[] = { { 1000, true }, { 100000, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t depth = cases[i].depth;
		struct pd_error error;
		char *text = malloc(2 * depth + 16), *changed = NULL, *at;

		assert_non_null(text);
		at = stpcpy(text, "{\"x\":");
		memset(at, '[', depth);
		memset(at + depth, ']', depth);
		strcpy(at + 2 * depth, "}");
		assert_true(!put_hook(text, "/p", &changed, &error) == cases[i].accepted);
		if (changed)
			assert_string_equal(changed + strlen("{" HOOKS ","), text + 1);
		free(changed);
		free(text);
	}
}

static void write_file(const char *path, const char *text, size_t size)
{
	assert_int_equal(file_write_atomic(path, text, size, 0640), 0);
}

/* The file is made with nothing in it, and is the one that is changed. */
static void changes(const char *bundle, const char *config, const char *path)
{
	struct oci_command command = { .makes = true, .bundle = bundle, .config = config };
	struct pd_error error = { .code = 0 };
	struct stat st;
	char *text;
	size_t size;

	write_file(path, "{}", 2);
	if (!getuid())
		assert_int_equal(chown(path, 7, 7), 0);
	if (add_hook(&command, &error))
		fail_msg("'%s' '%s': %s", bundle, config, error.text);
	assert_int_equal(file_load(path, 4096, &text, &size), 0);
	if (!strstr(text, "oci-hook"))
		fail_msg("'%s' '%s': %s is left alone", bundle, config, path);
	free(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(st.st_uid, getuid() ? getuid() : 7);
	assert_int_equal(unlink(path), 0);
}

static void test_add_hook(void **state)
{
	static const struct oci_command here = { .bundle = ".", .config = "config.json" };
	char dir[] = "/tmp/test_oci.XXXXXX", absolute[64];
	struct pd_error error = { .code = 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	changes(".", "config.json", "config.json");
	changes("b", "config.json", "b/config.json");
	changes("", "config.json", "config.json");
	changes(dir, "config.json", "config.json");
	/* crun looks for it before it goes to the bundle */
	changes("b", "other.json", "other.json");
	changes("b", "./config.json", "config.json");
	snprintf(absolute, sizeof(absolute), "%s/b/x.json", dir);
	changes(".", absolute, absolute);

	assert_int_equal(add_hook(&here, &error), -ENOENT);
	write_file("config.json", "{}\0{}", 5);
	assert_int_equal(add_hook(&here, &error), -EINVAL);
	assert_non_null(strstr(error.text, "NUL"));
	unlink("config.json");
	rmdir("b");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_hook),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_add_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
