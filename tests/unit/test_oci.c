/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in front of an OCI runtime: what that is asked to do, and a hook more in its configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/base/json.h"
#include "policyd/base/json_splice.h"
#include "policyd/workload/oci_command.h"

/* NULL: makes nothing; "?": refused */
static const char *bundle_of(const char *line, struct oci_command *command)
{
	static char text[256];
	struct pd_error error;
	char *argv[16], *rest = strcpy(text, line);
	int argc = 0;

	while ((argv[argc] = strsep(&rest, " ")))
		argc++;
	if (oci_command_read(argc, argv, command, &error))
		return "?";
	return command->makes ? command->bundle : NULL;
}

static void test_command(void **state)
{
	static const struct {
		const char *line, *bundle, *config;
	} cases[] = {
		{ "create id", ".", NULL },
		{ "--root /x create --bundle /b --pid-file p id", "/b", NULL },
		{ "--root /x --log=/l --log-format json --systemd-cgroup run -b /b id", "/b",
		  NULL },
		{ "restore --image-path /i --bundle=/b id", "/b", NULL },
		{ "create --bundle /b --config c.json id", "/b", "c.json" },
		{ "create -f /c.json -b /b id", "/b", "/c.json" },
		{ "create --bundle /a --bundle /b id", "/b", NULL },
		{ "create --bundle /b -- --bundle", "/b", NULL },
		{ "create --console-socket /s --no-pivot id", ".", NULL },
		/* other commands, whatever their container is called */
		{ "delete run", NULL, NULL },
		{ "exec create sh", NULL, NULL },
		{ "--root run state create", NULL, NULL },
		{ "--version", NULL, NULL },
		{ "", NULL, NULL },
		/* what could be read in more than one way */
		{ "--new create run --bundle /b id", "?", NULL },
		{ "create -b=/b id", "?", NULL },
		{ "create -b/b id", "?", NULL },
		{ "create -bundle /b id", "?", NULL },
		{ "run -db /b id", "?", NULL },
		{ "run -d -b /b id", "/b", NULL },
		{ "create --bun /b id", "?", NULL },
		{ "create --bun=/b id", "?", NULL },
		{ "create --conf=/c id", "?", NULL },
		{ "create --bundle", "?", NULL },
		{ "run id --bundle /b", "?", NULL },
		{ "run --no-pivot id -b /b", "?", NULL },
		{ "run --new value --bundle /b id", "?", NULL },
		{ "run --pid-file /p --new=value --bundle /b id", "/b", NULL },
	};
	struct oci_command command;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *bundle = bundle_of(cases[i].line, &command);

		if (!bundle != !cases[i].bundle ||
		    (bundle && strcmp(bundle, cases[i].bundle) != 0) ||
		    (cases[i].config && strcmp(command.config, cases[i].config) != 0))
			fail_msg("%s: %s", cases[i].line, bundle ? bundle : "nothing");
	}
	assert_string_equal(bundle_of("create id", &command), ".");
	assert_string_equal(command.config, "config.json");
}

static void test_splice(void **state)
{
	static const char *const path[] = { "hooks", "made", NULL };
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} cases[] = {
		{ "{}", "{\"hooks\":{\"made\":[1]}}" },
		{ " { } ", " {\"hooks\":{\"made\":[1]} } " },
		{ "{\"a\":18446744073709551615}",
		  "{\"hooks\":{\"made\":[1]},\"a\":18446744073709551615}" },
		{ "{\"hooks\":null}", "{\"hooks\":{\"made\":[1]}}" },
		{ "{\"hooks\":{}}", "{\"hooks\":{\"made\":[1]}}" },
		{ "{\"hooks\" : {\"x\":[{}]}, \"b\":2}",
		  "{\"hooks\" : {\"made\":[1],\"x\":[{}]}, \"b\":2}" },
		{ "{\"hooks\":{\"made\":null}}", "{\"hooks\":{\"made\":[1]}}" },
		{ "{\"hooks\":{\"made\":[]}}", "{\"hooks\":{\"made\":[1]}}" },
		{ "{\"hooks\":{\"made\":[ 7]}}", "{\"hooks\":{\"made\":[1, 7]}}" },
		{ "{\"h\\u006foks\":{\"ma\\u0064e\":[7]}}",
		  "{\"h\\u006foks\":{\"ma\\u0064e\":[1,7]}}" },
		/* not the member: a value, or one of another object */
		{ "{\"a\":\"hooks\",\"b\":{\"hooks\":{\"made\":[]}},\"c\":[\"hooks\",{\"hooks\":1}]"
		  ","
		  "\"d\":\"\\\"hooks\\\":{\",\"hooks\":{\"made\":[7]}}",
		  "{\"a\":\"hooks\",\"b\":{\"hooks\":{\"made\":[]}},\"c\":[\"hooks\",{\"hooks\":1}]"
		  ","
		  "\"d\":\"\\\"hooks\\\":{\",\"hooks\":{\"made\":[1,7]}}" },
		{ "{\"x\":[[],{}],\"y\":-1.5e3,\"z\":true}",
		  "{\"hooks\":{\"made\":[1]},\"x\":[[],{}],\"y\":-1.5e3,\"z\":true}" },
		{ "[]", NULL },
		{ "7", NULL },
		{ "{\"hooks\":7}", NULL },
		{ "{\"hooks\":[]}", NULL },
		{ "{\"hooks\":{\"made\":{}}}", NULL },
		{ "{\"hooks\":{\"made\":\"null\"}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		int r = json_splice_first(cases[i].text, path, "1", &text);

		if (r != (cases[i].expected ? 0 : -EINVAL) ||
		    (!r && strcmp(text, cases[i].expected) != 0))
			fail_msg("%s: %s", cases[i].text, text ? text : "refused");
		free(text);
	}
}

/* Whatever is asked of it, it ends, and what it makes of valid text is valid. */
static void test_splice_anything(void **state)
{
	static const char *const path[] = { "a", "b", NULL };
	static const char *const tokens[] = { "{",     "}",	"[", "]", ",",	  ":",
					      "\"a\"", "\"b\"", "1", " ", "null", "\"\\\"a\"" };
	unsigned int seed = 1, valid = 0;

	(void)state;
	for (unsigned int i = 0; i < 300000; i++) {
		struct pd_error error;
		char text[64] = "{";
		char *spliced = NULL;
		json_t *value;
		unsigned int length = 1 + i % 9;

		for (unsigned int k = 0; k < length; k++) {
			seed = seed * 1103515245u + 12345u;
			strcat(text, tokens[(seed >> 16) % (sizeof(tokens) / sizeof(tokens[0]))]);
		}
		if (json_read_foreign(text, strlen(text), &value, &error))
			continue;
		json_decref(value);
		valid++;
		if (!json_splice_first(text, path, "5", &spliced)) {
			json_t *list;

			if (json_read_foreign(spliced, strlen(spliced), &value, &error))
				fail_msg("%s becomes %s", text, spliced);
			list = json_object_get(json_object_get(value, "a"), "b");
			assert_true(json_real_value(json_array_get(list, 0)) == 5);
			json_decref(value);
		}
		free(spliced);
	}
	assert_true(valid > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_splice),
		cmocka_unit_test(test_splice_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
