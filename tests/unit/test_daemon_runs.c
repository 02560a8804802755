/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon on a fake kernel side: commands under policyctl run, and tasks that ran before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/control/runs.h"
#include "tests/unit/machine.h"

#define GROUP RUNS_FOLDER "/1-test"

static bool soon(bool (*is_so)(const struct machine *), const struct machine *m)
{
	for (unsigned int i = 0; i < 100 && !is_so(m); i++)
		usleep(50000);
	return is_so(m);
}

/* Anyone can start a task of which nothing can be told: that is worth a word, and no reason to refuse. */
static void test_odd_task(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	json_t *reply;
	unsigned int sweeps;

	m->fake->fail_sweep = true;
	start(m); /* it starts */
	assert_int_equal(state_of(m), 'i');
	assert_true(in_trouble(m));
	assert_int_equal(call(m, load_request("/web.yaml", WEB, NULL), &reply, &error), 0);
	assert_non_null(json_string_value(json_object_get(reply, "warning")));
	json_decref(reply);
	assert_string_equal(listed(m), "web=enforce");
	assert_true(in_trouble(m));
	/* reloading tries again, and does not hide that it was in vain */
	sweeps = m->fake->sweeps;
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), &reply, &error), 0);
	assert_true(json_is_false(json_object_get(reply, "changed")));
	assert_non_null(json_object_get(reply, "warning"));
	json_decref(reply);
	assert_int_equal(m->fake->sweeps, sweeps + 1);
	assert_true(in_trouble(m));
	m->fake->fail_sweep = false;
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), &reply, &error), 0);
	assert_null(json_object_get(reply, "warning"));
	json_decref(reply);
	assert_false(in_trouble(m));
	sweeps = m->fake->sweeps;
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
	assert_int_equal(m->fake->sweeps, sweeps);
	assert_int_equal(stop(m), 0);
	/* adopted: the new policies count, not the former ones */
	m->fake->fail_sweep = true;
	start(m);
	assert_int_equal(state_of(m), 'e');
	assert_true(in_trouble(m));
}

static void test_bad_run(void **state)
{
	static const char *const paths[] = { "/sys/fs/cgroup",
					     "/sys/fs/cgroup/policyd.run",
					     "/sys/fs/cgroup/policyd.run/",
					     "/sys/fs/cgroup/policyd.run/..",
					     "/sys/fs/cgroup/policyd.run/a/b",
					     "/sys/fs/cgroup/policyd.run/none",
					     "/tmp" };
	struct machine *m = *state;
	struct pd_error error;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_not_equal(call(m, run_request("web", NULL, paths[i]), NULL, &error), 0);
	assert_int_equal(m->fake->binds, 0);
}

/* Not the policy of another command, which goes with it; nor a disabled one, which confines nothing. */
static void test_by_name(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	struct client *first;

	fake_cgroup(m->fake, GROUP);
	start_listening(m);
	assert_int_equal(load(m, "/db.yaml", DB, &error), 0);
	assert_int_equal(set_mode(m, "db", "disabled", &error), 0);
	assert_int_equal(call(m, run_request("db", NULL, GROUP), NULL, &error), -EINVAL);
	assert_non_null(strstr(error.text, "mode db enforce"));
	assert_int_equal(call(m, run_request("/d.yaml", DB "mode: disabled\n", GROUP), NULL,
			      &error),
			 -EINVAL);
	assert_int_equal(set_mode(m, "db", "enforce", &error), 0);
	assert_int_equal(call(m, run_request("/w.yaml", WEB, GROUP), NULL, &error), 0);
	assert_int_equal(m->fake->binds, 1);
	assert_string_equal(listed(m), "db=enforce web=enforce");
	assert_int_equal(set_mode(m, "web", "audit", &error), -EINVAL);
	assert_non_null(strstr(error.text, "running command"));
	first = m->client;
	m->client = connect_to(m);
	assert_int_equal(call(m, run_request("web", NULL, GROUP), NULL, &error), -ENOENT);
	assert_int_equal(m->fake->binds, 1);
	client_free(first);
}

/* What a command runs under by name is not switched off under it. */
static void test_not_disabled(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	fake_cgroup(m->fake, GROUP);
	start_listening(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	assert_int_equal(call(m, run_request("web", NULL, GROUP), NULL, &error), 0);
	assert_int_equal(set_mode(m, "web", "disabled", &error), -EBUSY);
	assert_int_equal(load(m, "/web.yaml", WEB "mode: disabled\n", &error), -EBUSY);
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "web"), NULL, &error), -ENOENT);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(set_mode(m, "web", "audit", &error), 0);
	assert_int_equal(call(m, request_new(CONTROL_RUN_END), NULL, &error), 0);
	assert_int_equal(set_mode(m, "web", "disabled", &error), 0);
}

static bool was_unbound(const struct machine *m)
{
	return m->fake->unbinds == 1;
}

/* A cgroup of which cannot be told whether it is empty is not empty. */
static void test_end(void **state)
{
	struct machine *m = *state;
	unsigned int group = fake_cgroup(m->fake, GROUP);
	struct pd_error error;
	json_t *object;

	start_listening(m);
	assert_int_equal(call(m, run_request("/w.yaml", WEB, GROUP), NULL, &error), 0);
	m->fake->cgroups[group].populated = -EMFILE;
	assert_int_equal(client_send(m->client, request_new(CONTROL_RUN_END), &error), 0);
	usleep(200000);
	assert_int_equal(m->fake->unbinds, 0);
	assert_true(exists(in_dir(m, "run/runs/1-test.json")));
	m->fake->cgroups[group].populated = 1;
	assert_true(soon(was_unbound, m));
	assert_int_equal(client_receive(m->client, true, &object, &error), 0);
	assert_int_equal(reply_check(object, &error), 0);
	json_decref(object);
	assert_false(exists(in_dir(m, "run/runs/1-test.json")));
	assert_string_equal(listed(m), "");
}

/* The runner dies with the daemon; the next one cannot load the policies, and ends the command all the same. */
static void test_stale_end(void **state)
{
	struct machine *m = *state;
	unsigned int group = fake_cgroup(m->fake, GROUP);
	struct pd_error error;

	need_root();
	start_listening(m);
	assert_int_equal(call(m, run_request("/w.yaml", WEB, GROUP), NULL, &error), 0);
	/* Killed, it cannot end the run as it does when the connection closes. */
	kill(m->daemon, SIGKILL);
	stop(m);
	assert_int_equal(m->fake->cgroups[group].kills, 0);
	write_text(in_dir(m, "run/runs/1-test.json"),
		   "{\"cgroup\":\"" GROUP "\",\"policy\":\"web\",\"audit\":false,\"runner\":1,"
		   "\"runner_start\":12345678901}");
	write_text(in_dir(m, "etc/bad.yaml"), "nonsense");
	start_listening(m);
	assert_int_equal(state_of(m), 's');
	assert_int_equal(m->fake->cgroups[group].kills, 1);
	assert_true(soon(was_unbound, m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_odd_task), machine_test(test_bad_run),
		machine_test(test_by_name),  machine_test(test_not_disabled),
		machine_test(test_end),	     machine_test(test_stale_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
