/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/control/config.h"

static struct config *good(const char *text)
{
	struct pd_error error = { .code = 0 };
	struct config *config = NULL;

	if (config_parse("policyd.yaml", text, strlen(text), &config, &error))
		fail_msg("%s: %s", text, error.text);
	return config;
}

static void bad(const char *text, const char *message)
{
	struct pd_error error = { .code = 0 };
	struct config *config = NULL;
	char line[ERROR_LINE_MAX];

	assert_int_not_equal(config_parse("c", text, strlen(text), &config, &error), 0);
	assert_null(config);
	error_render(&error, line, sizeof(line));
	if (!strstr(line, message))
		fail_msg("'%s' gave '%s', not '%s'", text, line, message);
}

static void test_defaults(void **state)
{
	static const char *const empty[] = { "", "# nothing\n", "---\n", "{}", "~" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct config *config = good(empty[i]);

		assert_string_equal(config->policy_dirs[0], "/etc/policyd/policies");
		assert_null(config->policy_dirs[1]);
		assert_string_equal(config->socket_path, "/run/policyd/policyd.sock");
		assert_null(config->socket_group);
		assert_int_equal(config->ring_bytes[PD_RING_DENIALS], 1 << 20);
		assert_null(config->allow_dangerous[0]);
		assert_int_equal(config->on_unknown, PD_UNKNOWN_HOLD);
		config_free(config);
	}
}

static void test_everything(void **state)
{
	struct config *config = good("policy_dirs: [/a, /b]\n"
				     "include_dirs: [/c]\n"
				     "events:\n"
				     "  file: {path: /x.jsonl, max_size: 2M, keep: 7}\n"
				     "  stdout: human\n"
				     "  journald: true\n"
				     "socket: {path: /s, group: adm}\n"
				     "pin_dir: /sys/fs/bpf/other\n"
				     "rings: {denials: 64K, notices: 16384}\n"
				     "on_unknown: deny\n"
				     "hold_seconds: 5\n"
				     "runtimes: {podman: /p}\n"
				     "allow_dangerous: [all]\n");

	(void)state;
	assert_string_equal(config->policy_dirs[1], "/b");
	assert_string_equal(config->include_dirs[0], "/c");
	assert_string_equal(config->events.file_path, "/x.jsonl");
	assert_int_equal(config->events.file_max_size, 2 << 20);
	assert_int_equal(config->events.file_keep, 7);
	assert_int_equal(config->events.stdout_form, STDOUT_HUMAN);
	assert_true(config->events.journald);
	assert_string_equal(config->socket_path, "/s");
	assert_string_equal(config->socket_group, "adm");
	assert_string_equal(config->pin_dir, "/sys/fs/bpf/other");
	assert_int_equal(config->ring_bytes[PD_RING_DENIALS], 64 << 10);
	assert_int_equal(config->ring_bytes[PD_RING_NOTICES], 16 << 10);
	assert_string_equal(config->allow_dangerous[0], "all");
	assert_int_equal(config->on_unknown, PD_UNKNOWN_DENY);
	assert_int_equal(config->hold_seconds, 5);
	assert_string_equal(config->runtimes.podman, "/p");
	assert_string_equal(config->runtimes.crun, "/run/crun");
	config_free(config);
	config = good("events: {file: off}");
	assert_null(config->events.file_path);
	config_free(config);
}

static void test_errors(void **state)
{
	(void)state;
	bad("polcy_dirs: [/a]\n", "c:1:1: unknown key 'polcy_dirs'; known here: policy_dirs, ");
	bad("events:\n  file: {path: /x, path: /y}\n", "c:2:20: key 'path' is given twice");
	bad("policy_dirs: /a\n", "c:1:14: policy_dirs: a list is needed");
	bad("policy_dirs: []\n", "policy_dirs: the list is empty");
	bad("pin_dir: sys/fs/bpf\n", "c:1:10: pin_dir: 'sys/fs/bpf' is no absolute path");
	bad("pin_dir:\n", "pin_dir: a value is missing here");
	bad("pin_dir: [/a]\n", "pin_dir: a value is missing here");
	bad("rings: {denials: 100K}\n", "a power of two between 16K and 64M");
	bad("rings: {denials: 1T}\n", "is no number of bytes");
	bad("rings: {denials: -1}\n", "is no number of bytes");
	bad("rings: {denials: 99999999999999999999}\n", "is no number of bytes");
	bad("events: {file: {max_size: 1}}\n", "at least 64K, or 0");
	bad("events: {file: {keep: 1K}}\n", "is no number");
	bad("events: {stdout: yes}\n", "'off', 'json' or 'human' is needed, not 'yes'");
	bad("events: {journald: on}\n", "'true' or 'false' is needed, not 'on'");
	bad("events: quiet\n", "events: keys are needed here: file, stdout, journald");
	bad("socket: {group: a b}\n", "is no name");
	bad("on_unknown: maybe\n",
	    "c:1:13: on_unknown: 'allow', 'hold' or 'deny' is needed, not 'maybe'");
	bad("runtimes: {docker: var}\n", "docker: 'var' is no absolute path");
	bad("- a\n", "configuration: keys are needed here");
	bad("a: [", "not YAML");
	bad("a: \x01", "not YAML");
	bad("pin_dir: \"/a\\0b\"", "NUL bytes");
	bad("pin_dir: /a\n---\npin_dir: /b\n", "one document is enough");
}

static void test_files(void **state)
{
	struct pd_error error = { .code = 0 };
	struct config *config = NULL;
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(config_read("/nonexistent.yaml", &config, &error), -ENOENT);
	assert_string_equal(error.file, "/nonexistent.yaml");
	assert_int_equal(config_read("/dev/null", &config, &error), -EINVAL);
	assert_int_equal(file_load("policyd/policyd.yaml", 1 << 20, &text, &size), 0);
	assert_int_equal(config_parse("policyd.yaml", text, size, &config, &error), 0);
	config_free(config);
	free(text);
}

/* Who can put another file in its place decides what is in force, as whoever can write it does. */
static void test_directory(void **state)
{
	char dir[] = "/tmp/policyd-test.XXXXXX", path[64];
	struct pd_error error = { .code = 0 };
	struct config *config = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policyd.yaml", dir);
	assert_int_equal(file_write_atomic(path, "{}", 2, 0644), 0);
	assert_int_equal(config_read(path, &config, &error), 0);
	config_free(config);
	if (geteuid() == 0) {
		assert_int_equal(chmod(dir, 0777), 0);
		assert_int_equal(config_read(path, &config, &error), -EPERM);
		assert_non_null(strstr(error.text, "can be written by others"));
		assert_int_equal(chmod(dir, 0755), 0);
		assert_int_equal(chmod(path, 0666), 0);
		assert_int_equal(config_read(path, &config, &error), -EPERM);
	}
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),  cmocka_unit_test(test_everything),
		cmocka_unit_test(test_errors),	  cmocka_unit_test(test_files),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
