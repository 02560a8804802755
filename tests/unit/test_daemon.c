/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon on a fake kernel side: policies come, change, go, and never by halves. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/base/fd.h"
#include "policyd/control/runs.h"
#include "policyd/control/server.h"
#include "policyd/policy/decide.h"
#include "tests/unit/machine.h"

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_folder(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	json_t *reply;

	need_root();
	write_text(in_dir(m, "etc/web.yaml"), WEB);
	start(m);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(m->fake->swaps, 1);
	assert_int_equal(state_of(m), 'e');
	/* nothing has changed: nothing is swapped */
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), &reply, &error), 0);
	assert_true(json_is_false(json_object_get(reply, "changed")));
	json_decref(reply);
	assert_int_equal(m->fake->swaps, 1);
	/* one good and one bad file: neither counts */
	write_text(in_dir(m, "etc/db.yaml"), DB);
	write_text(in_dir(m, "etc/zzz.yaml"), "version: 1\nname: zzz\ndefualt: deny\n");
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), -EINVAL);
	assert_int_equal(error.line, 3);
	assert_non_null(strstr(error.file, "zzz.yaml"));
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(m->fake->swaps, 1);
	unlink(in_dir(m, "etc/zzz.yaml"));
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
	assert_string_equal(listed(m), "db=enforce web=enforce");
	assert_int_equal(m->fake->swaps, 2);
	unlink(in_dir(m, "etc/db.yaml"));
	unlink(in_dir(m, "etc/web.yaml"));
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
	assert_string_equal(listed(m), "");
	assert_int_equal(state_of(m), 'i');
}

/* Who may put policies into a folder, or take it away, decides what is in force. */
static void test_folder_itself(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	need_root();
	write_text(in_dir(m, "etc/web.yaml"), WEB);
	start(m);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(chmod(in_dir(m, "etc"), 0777), 0);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), -EPERM);
	unlink(in_dir(m, "etc/web.yaml"));
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), -EPERM);
	assert_non_null(strstr(error.text, "the directory can be written by others"));
	assert_int_equal(chmod(in_dir(m, "etc"), 0755), 0);
	assert_int_equal(rmdir(in_dir(m, "etc")), 0);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), -ENOENT);
	assert_non_null(strstr(error.text, "make it and leave it empty"));
	assert_string_equal(listed(m), "web=enforce");
	/* nor at the next start */
	assert_int_equal(stop(m), 0);
	start(m);
	assert_int_equal(state_of(m), 's');
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(mkdir(in_dir(m, "etc"), 0755), 0);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
	assert_string_equal(listed(m), "");
	/* with nothing from it in force it may be missing */
	assert_int_equal(rmdir(in_dir(m, "etc")), 0);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
}

static void test_load(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	start(m);
	assert_int_equal(load(m, "/home/x/web.yaml", WEB, &error), 0);
	assert_string_equal(listed(m), "web=enforce");
	assert_true(exists(in_dir(m, "run/policies/web.json")));
	/* again, changed: replaced */
	assert_int_equal(load(m, "/home/x/web.yaml", WEB "mode: audit\n", &error), 0);
	assert_string_equal(listed(m), "web=audit");
	/* the same policy from elsewhere: replaced */
	assert_int_equal(load(m, "/home/y/web2.yaml", WEB, &error), 0);
	assert_string_equal(listed(m), "web=enforce");
	/* the same file under another name */
	assert_int_equal(load(m, "/home/y/web2.yaml", DB, &error), 0);
	assert_string_equal(listed(m), "db=enforce");
	assert_false(exists(in_dir(m, "run/policies/web.json")));
	/* wrong: nothing changes, nothing is left */
	assert_int_equal(load(m, "/home/x/bad.yaml", "version: 1\nname: bad\n", &error), -EINVAL);
	assert_string_equal(error.file, "/home/x/bad.yaml");
	assert_false(exists(in_dir(m, "run/policies/bad.json")));
	assert_string_equal(listed(m), "db=enforce");
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "nope"), NULL, &error), -ENOENT);
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "db"), NULL, &error), 0);
	assert_string_equal(listed(m), "");
	assert_false(exists(in_dir(m, "run/policies/db.json")));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
	} cases[] = {
		{ "match: [{exe: \"/**\"}]\ndefault: deny\n", "would confine every task", -EPERM },
		{ "match: [{cgroup: /}]\ndefault: deny\n", "would confine every task", -EPERM },
		{ "match: [{cgroup: /init.scope}]\ndefault: deny\n", "would confine PID 1",
		  -EPERM },
		{ "match: [{exe: /opt/init}]\ndefault: deny\n", "would confine PID 1", -EPERM },
		{ "match: [{cgroup: /boot}]\ndefault: deny\n", "would confine PID 1", -EPERM },
		{ "match: [{exe: \"/usr/sbin/*\"}]\ndefault: {file: deny, exec: allow, socket: "
		  "allow, "
		  "capability: allow}\n",
		  "would confine", -EPERM },
		{ "match: [{cgroup: /p}]\ndefault: deny\n", "would confine policyd itself",
		  -EPERM },
		{ "match: [{exe: /a, pod: x}]\ndefault: deny\n", "cannot be enforced", -ENOTSUP },
		{ "match: [{exe: /a}]\ndefault: deny\nexpect: [{allow: read, path: /x}]\n",
		  "does not hold", -EINVAL },
	};
	struct machine *m = *state;
	struct pd_error error;
	char text[512];

	start(m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "version: 1\nname: wide\n%s", cases[i].text);
		if (load(m, "/w.yaml", text, &error) != cases[i].code ||
		    !strstr(error.text, cases[i].message))
			fail_msg("%s: %s", cases[i].text, error.text);
	}
	snprintf(text, sizeof(text), "version: 1\nname: wide\n%s", cases[0].text);
	assert_int_equal(call(m, load_request("/w.yaml", text, "other"), NULL, &error), -EPERM);
	assert_int_equal(call(m, load_request("/w.yaml", text, "wide"), NULL, &error), 0);
	assert_string_equal(listed(m), "wide=enforce");
	/* in audit mode, or allowing by default, it harms nobody */
	snprintf(text, sizeof(text), "version: 1\nname: other\nmode: audit\n%s", cases[0].text);
	assert_int_equal(load(m, "/o.yaml", text, &error), 0);
	assert_int_equal(set_mode(m, "other", "enforce", &error), -EPERM);
	assert_string_equal(listed(m), "other=audit wide=enforce");
}

static void test_duplicate(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	need_root();
	write_text(in_dir(m, "etc/web.yaml"), WEB);
	start(m);
	assert_int_equal(load(m, "/home/x/web.yaml", WEB, &error), -EEXIST);
	assert_non_null(strstr(error.text, "etc/web.yaml:2"));
	assert_false(exists(in_dir(m, "run/policies/web.json")));
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "web"), NULL, &error), -EPERM);
	assert_non_null(strstr(error.text, "mode web disabled"));
}

static void test_mode(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	assert_int_equal(set_mode(m, "web", "audit", &error), 0);
	assert_string_equal(listed(m), "web=audit");
	assert_int_equal(state_of(m), 'a');
	assert_int_equal(set_mode(m, "none", "audit", &error), -ENOENT);
	assert_int_equal(set_mode(m, "web", "disabled", &error), 0);
	assert_string_equal(listed(m), "web=disabled");
	assert_int_equal(stop(m), 0);
	/* survives the daemon */
	start(m);
	assert_string_equal(listed(m), "web=disabled");
	assert_int_equal(set_mode(m, "web", "default", &error), 0);
	assert_string_equal(listed(m), "web=enforce");
	assert_false(exists(in_dir(m, "run/modes.json")));
}

static void test_kernel_refuses(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	m->fake->fail_swap = true;
	assert_int_equal(load(m, "/web.yaml", WEB "mode: audit\n", &error), -EIO);
	m->fake->fail_swap = true;
	assert_int_equal(load(m, "/db.yaml", DB, &error), -EIO);
	assert_false(exists(in_dir(m, "run/policies/db.json")));
	m->fake->fail_swap = true;
	assert_int_equal(set_mode(m, "web", "audit", &error), -EIO);
	m->fake->fail_swap = true;
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "web"), NULL, &error), -EIO);
	assert_string_equal(listed(m), "web=enforce");
	/* what is kept says the same: the next daemon has the old text */
	assert_int_equal(stop(m), 0);
	start(m);
	assert_string_equal(listed(m), "web=enforce");
}

/* Labels carry slot numbers: the next daemon must give the same ones. */
static void test_restart_keeps_numbers(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	uint32_t slot;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	assert_int_equal(load(m, "/db.yaml", DB, &error), 0);
	slot = decide_binding(m->fake->image, "/system.slice/db.service", "/bin/db");
	assert_int_not_equal(slot, 0);
	assert_int_equal(stop(m), 0);
	start(m);
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "web"), NULL, &error), 0);
	assert_int_equal(decide_binding(m->fake->image, "/system.slice/db.service", "/bin/db"),
			 slot);
}

static void test_stale(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	unsigned int swaps;

	need_root();
	write_text(in_dir(m, "etc/web.yaml"), WEB);
	start(m);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(stop(m), 0);
	swaps = m->fake->swaps;
	write_text(in_dir(m, "etc/web.yaml"), "nonsense");
	start(m);
	assert_int_equal(state_of(m), 's');
	assert_string_equal(listed(m), "web=enforce"); /* told from the image */
	assert_int_equal(m->fake->swaps, swaps);
	write_text(in_dir(m, "etc/web.yaml"), WEB);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), 0);
	assert_int_equal(state_of(m), 'e');
}

/* Root, but under a policy: may look, but not take it away, nor start what would not be confined. */
static void test_confined(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	m->fake->asker = ENFORCE_CONFINED;
	start(m);
	assert_int_equal(state_of(m), 'i');
	assert_int_equal(load(m, "/home/x/web.yaml", WEB, &error), -EPERM);
	assert_non_null(strstr(error.text, "not confined"));
	assert_int_equal(set_mode(m, "web", "audit", &error), -EPERM);
	assert_int_equal(call(m, named(CONTROL_UNLOAD, "web"), NULL, &error), -EPERM);
	assert_int_equal(call(m, request_new(CONTROL_RELOAD), NULL, &error), -EPERM);
	assert_int_equal(call(m, request_new(CONTROL_DETACH), NULL, &error), -EPERM);
	assert_string_equal(listed(m), "");
	/* who is only followed may change them, but start nothing that would have two */
	m->fake->asker = ENFORCE_FOLLOWED;
	assert_int_equal(stop(m), 0);
	start(m);
	assert_int_equal(load(m, "/home/x/web.yaml", WEB, &error), 0);
	assert_int_equal(call(m, run_request("web", NULL, RUNS_FOLDER "/x"), NULL, &error), -EPERM);
}

/* When the answer comes it is over, and nothing of it returns at the next start. */
static void test_detach(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	unsigned char *detach, *again, both[4096];
	size_t detach_size, again_size;
	json_t *object;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	assert_int_equal(set_mode(m, "web", "audit", &error), 0);
	/* in one breath: what comes behind is not done */
	object = request_new(CONTROL_DETACH);
	assert_int_equal(frame_encode(object, &detach, &detach_size), 0);
	json_decref(object);
	object = load_request("/db.yaml", DB, NULL);
	assert_int_equal(frame_encode(object, &again, &again_size), 0);
	json_decref(object);
	assert_true(detach_size + again_size <= sizeof(both));
	memcpy(both, detach, detach_size);
	memcpy(both + detach_size, again, again_size);
	free(detach);
	free(again);
	assert_int_equal(fd_write_full(client_fd(m->client), both, detach_size + again_size), 0);
	assert_int_equal(client_receive(m->client, true, &object, &error), 0);
	assert_int_equal(reply_check(object, &error), 0);
	json_decref(object);
	assert_int_equal(m->fake->detaches, 1);
	assert_false(exists(in_dir(m, "run/policies")));
	assert_false(exists(in_dir(m, "run/modes.json")));
	assert_int_equal(client_receive(m->client, true, &object, &error), 0);
	assert_int_equal(reply_check(object, &error), -ESHUTDOWN);
	json_decref(object);
	assert_int_equal(stop(m), 0);
	start(m);
	assert_string_equal(listed(m), "");
}

/* Either nothing has changed, or it is over. */
static void test_detach_fails(void **state)
{
	struct machine *m = *state;
	struct pd_error error;

	start(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	m->fake->fail_detach = true;
	assert_int_equal(call(m, request_new(CONTROL_DETACH), NULL, &error), -EBUSY);
	assert_string_equal(listed(m), "web=enforce");
	assert_int_equal(state_of(m), 'e');
	assert_true(exists(in_dir(m, "run/policies/web.json")));
	m->fake->fail_after = true;
	assert_int_equal(call(m, request_new(CONTROL_DETACH), NULL, &error), -EBUSY);
	assert_false(exists(in_dir(m, "run/policies")));
	assert_int_equal(WEXITSTATUS(stop(m)), 1); /* by itself */
}

static void test_show(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	const json_t *policy;
	json_t *reply;

	start(m);
	assert_int_equal(load(m, "/web.yaml",
			      WEB "description: it serves\nfile:\n  - {deny: read, path: /x}\n",
			      &error),
			 0);
	assert_int_equal(call(m, named(CONTROL_SHOW, "web"), &reply, &error), 0);
	policy = json_object_get(reply, "policy");
	assert_string_equal(json_string_value(json_object_get(policy, "description")), "it serves");
	assert_string_equal(json_string_value(json_object_get(policy, "match")),
			    "exe /usr/sbin/nginx");
	assert_true(json_array_size(json_object_get(policy, "decisions")) >= 1);
	json_decref(reply);
	assert_int_equal(call(m, named(CONTROL_SHOW, "nope"), NULL, &error), -ENOENT);
}

static void test_garbage(void **state)
{
	struct machine *m = *state;
	struct pd_error error;
	json_t *object;

	start(m);
	assert_int_equal(call(m, json_pack("{s:i, s:s}", "v", 1, "command", "boom"), NULL, &error),
			 -EPROTO);
	assert_int_equal(call(m, request_new(CONTROL_RUN_END), NULL, &error), -EINVAL);
	assert_int_equal(call(m, request_new(CONTROL_PROVE), &object, &error), 0);
	assert_int_equal(json_integer_value(json_object_get(object, "proved")), 7);
	json_decref(object);
	/* no JSON: an answer, then the end */
	assert_int_equal(fd_write_full(client_fd(m->client), "\4\0\0\0oops", 8), 0);
	assert_int_equal(client_receive(m->client, true, &object, &error), 0);
	assert_int_equal(reply_check(object, &error), -EPROTO);
	json_decref(object);
	assert_int_equal(client_receive(m->client, true, &object, &error), -ECONNRESET);
	assert_int_equal(stop(m), 0);
	/* too long: an answer, then the end */
	start(m);
	assert_int_equal(fd_write_full(client_fd(m->client), "\xff\xff\xff\xff", 4), 0);
	assert_int_equal(client_receive(m->client, true, &object, &error), 0);
	assert_int_equal(reply_check(object, &error), -EMSGSIZE);
	json_decref(object);
	assert_int_equal(client_receive(m->client, true, &object, &error), -ECONNRESET);
	assert_int_equal(stop(m), 0);
	/* more than fits: said before anything is sent */
	start(m);
	object = request_new(CONTROL_SHOW);
	json_object_set_new(object, "name", json_sprintf("%03000000d", 0));
	assert_int_equal(call(m, object, NULL, &error), -EMSGSIZE);
	assert_non_null(strstr(error.text, "2 MiB"));
}

/* Many who may only ask leave room for who may act, and are not listened to for long. */
static void test_many_readers(void **state)
{
	struct machine *m = *state;
	struct client *readers[SERVER_READERS_MAX];
	struct pd_error error;
	json_t *object;

	m->fake->asker = ENFORCE_CONFINED; /* counts as any of the group */
	start_listening(m);
	for (unsigned int i = 1; i < SERVER_READERS_MAX; i++)
		readers[i] = connect_to(m);
	readers[0] = m->client;
	m->client = connect_to(m);
	assert_int_equal(call(m, request_new(CONTROL_STATUS), NULL, &error), -EBUSY);
	assert_non_null(strstr(error.text, "too many clients"));
	client_free(m->client);
	m->fake->asker = ENFORCE_FREE;
	m->client = connect_to(m);
	assert_int_equal(load(m, "/web.yaml", WEB, &error), 0);
	/* one goes, one more may come */
	m->fake->asker = ENFORCE_CONFINED;
	client_free(readers[0]);
	readers[0] = m->client;
	m->client = connect_to(m);
	assert_int_equal(call(m, request_new(CONTROL_STATUS), NULL, &error), 0);
	object = request_new(CONTROL_SHOW);
	json_object_set_new(object, "name", json_sprintf("%0*d", (int)SERVER_READER_FRAME, 0));
	assert_int_equal(call(m, object, NULL, &error), -EMSGSIZE);
	for (unsigned int i = 0; i < SERVER_READERS_MAX; i++)
		client_free(readers[i]);
}

/* A reader that does not read loses events, is told how many, and holds nobody up. */
static void test_slow_reader(void **state)
{
	struct machine *m = *state;
	long long received = 0, dropped = 0;
	struct pd_error error;
	json_t *request = request_new(CONTROL_EVENTS), *object;

	start_flooding(m);
	json_object_set_new(request, "follow", json_true());
	assert_int_equal(call(m, request, NULL, &error), 0);
	usleep(400000);
	assert_int_equal(client_send(m->client, request_new(CONTROL_STATUS), &error), 0);
	for (;;) {
		assert_int_equal(client_receive(m->client, true, &object, &error), 0);
		if (json_object_get(object, "event"))
			received++;
		dropped += json_integer_value(json_object_get(object, "dropped"));
		if (json_object_get(object, "ok"))
			break;
		json_decref(object);
	}
	json_decref(object);
	assert_true(received > 500);
	assert_true(received < 4000);
	assert_true(received + dropped == 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_folder),	   machine_test(test_folder_itself),
		machine_test(test_load),	   machine_test(test_refused),
		machine_test(test_duplicate),	   machine_test(test_mode),
		machine_test(test_kernel_refuses), machine_test(test_restart_keeps_numbers),
		machine_test(test_stale),	   machine_test(test_confined),
		machine_test(test_detach),	   machine_test(test_detach_fails),
		machine_test(test_show),	   machine_test(test_garbage),
		machine_test(test_many_readers),   machine_test(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
