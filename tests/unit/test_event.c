// SPDX-License-Identifier: GPL-2.0-or-later
/* From the kernel's record to text and back, and filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policyd/audit/event.h"
#include "policyd/audit/filter.h"
#include "policyd/base/json.h"
#include "tests/unit/fake_ring.h"

static const struct symbol rule = {
	.policy = "web",
	.file = "web.yaml",
	.line = 14,
	.column = 5,
	.class = PD_CLASS_FILE,
	.deny = true,
	.text = "deny write /etc/**",
};
static const struct symbol by_default = {
	.policy = "web",
	.file = "web.yaml",
	.line = 6,
	.column = 1,
	.class = PD_CLASS_FILE,
	.is_default = true,
	.deny = true,
};

static char room[EVENT_JSON_MAX + 1];

static struct event view(struct fake_event *fake)
{
	struct event event;

	assert_int_equal(event_view(fake->bytes, fake_event_build(fake), PD_RING_DENIALS, &event),
			 0);
	event.host = "host1";
	event.time_us = 1709251199123456;
	event.symbol = rule;
	return event;
}

static const char *human(const struct event *event)
{
	struct buffer b;

	buffer_init(&b, room, EVENT_HUMAN_MAX);
	event_human(&b, event, EVENT_NO_TIME);
	assert_false(b.overflow);
	assert_int_equal(room[b.used - 1], '\n');
	room[b.used - 1] = '\0';
	assert_int_equal(strlen(room), b.used - 1);
	return room;
}

static const char *json(const struct event *event)
{
	struct buffer b;

	buffer_init(&b, room, EVENT_JSON_MAX);
	event_json(&b, event);
	assert_false(b.overflow);
	room[b.used] = '\0';
	return room;
}

/* What was rendered, read back, renders the same. */
static void check_round_trip(const struct event *event)
{
	char *line = strdup(json(event)), *text = strdup(human(event));
	struct pd_error error = { 0 };
	struct event *back;

	if (event_parse_json(line, strlen(line), &back, &error))
		fail_msg("%s: %s", error.text, line);
	assert_string_equal(json(back), line);
	assert_string_equal(human(back), text);
	event_free(back);
	free(line);
	free(text);
}

static void a_rule(void **state)
{
	struct fake_event fake;
	struct event event;

	(void)state;
	fake_event_init(&fake);
	event = view(&fake);
	assert_string_equal(human(&event),
			    "denied nginx[812] open(write) /etc/passwd — policy web, "
			    "rule web.yaml:14: deny write /etc/**");
	assert_string_equal(
		json(&event),
		"{\"version\":1,\"time\":\"2024-02-29T23:59:59.123456Z\",\"sequence\":1,"
		"\"ring\":\"denials\",\"host\":\"host1\",\"verdict\":\"denied\",\"mode\":"
		"\"enforce\","
		"\"class\":\"file\",\"operation\":\"open\",\"permissions\":[\"write\"],"
		"\"object\":{\"path\":\"/etc/"
		"passwd\"},\"policy\":\"web\",\"rule\":{\"file\":\"web.yaml\","
		"\"line\":14,\"column\":5,\"deny\":true,\"text\":\"deny write /etc/**\"},"
		"\"reason\":\"rule\",\"subject\":{\"pid\":812,\"tid\":812,\"ppid\":1,\"uid\":33,"
		"\"gid\":33,"
		"\"comm\":\"nginx\",\"exe\":\"/usr/sbin/nginx\",\"cgroup\":\"/system.slice/"
		"nginx.service\","
		"\"cgroup_id\":4242,\"container\":null},\"repeat\":1,\"generation\":1}\n");
	check_round_trip(&event);
}

static void other_causes(void **state)
{
	struct fake_event fake;
	struct event event;

	(void)state;
	fake_event_init(&fake);
	fake.record.repeat = 37;
	fake.record.verdict = PD_WOULD_DENY;
	fake.record.mode = 1;
	event = view(&fake);
	event.symbol = by_default;
	assert_string_equal(
		human(&event),
		"would_deny nginx[812] open(write) /etc/passwd — policy web, by default "
		"(file: deny, web.yaml:6) (x37)");
	check_round_trip(&event);

	fake.record.repeat = 0;
	fake.record.rule = 77;
	event = view(&fake);
	event.symbol = (struct symbol){ 0 };
	event.policies = "web, tls";
	assert_string_equal(human(&event),
			    "would_deny nginx[812] open(write) /etc/passwd — policy web, tls, rule "
			    "number 77 of policies that are no longer loaded");
	check_round_trip(&event);

	fake.record.rule = 0;
	fake.record.reason = PD_REASON_DELETED;
	fake.object = NULL;
	event = view(&fake);
	event.symbol = (struct symbol){ 0 };
	event.policies = "web";
	assert_string_equal(human(&event),
			    "would_deny nginx[812] open(write) — policy web: the file "
			    "has no name any more (deleted)");
	check_round_trip(&event);
}

static void objects(void **state)
{
	struct fake_event fake;
	struct event event;

	(void)state;
	fake_event_init(&fake);
	fake.record.operation = PD_OP_RENAME;
	fake.record.refused = PD_CREATE | PD_DELETE;
	fake.object2 = "/etc/b";
	event = view(&fake);
	assert_non_null(strstr(human(&event), "rename(create, delete) /etc/passwd -> /etc/b —"));
	check_round_trip(&event);

	fake_event_init(&fake);
	fake.record.class = PD_CLASS_EXEC;
	fake.record.operation = PD_OP_EXEC;
	fake.record.refused = PD_EXEC;
	fake.object = "memfd:x";
	event = view(&fake);
	assert_non_null(strstr(human(&event), "] exec memfd:x —"));
	assert_non_null(strstr(json(&event), "\"object\":{\"anonymous\":\"memfd:x\"}"));

	fake_event_init(&fake);
	fake.record.class = PD_CLASS_CAPABILITY;
	fake.record.operation = PD_OP_CAPABLE;
	fake.record.refused = PD_USE;
	fake.record.detail = 12;
	fake.object = NULL;
	event = view(&fake);
	event.symbol.class = PD_CLASS_CAPABILITY;
	assert_non_null(strstr(human(&event), "] capable net_admin —"));
	check_round_trip(&event);

	fake.record.class = PD_CLASS_GUARD;
	fake.record.operation = PD_OP_GUARD;
	fake.record.guard = PD_GUARD_SIGNAL;
	fake.record.detail = 9;
	event = view(&fake);
	event.symbol.class = PD_CLASS_GUARD;
	assert_non_null(strstr(human(&event), "] guard(signal) SIGKILL —"));
	check_round_trip(&event);
}

static void sockets(void **state)
{
	struct fake_event fake;
	struct event event;

	(void)state;
	fake_event_init(&fake);
	fake.object = NULL;
	fake.record.class = PD_CLASS_SOCKET;
	fake.record.operation = PD_OP_CONNECT;
	fake.record.refused = PD_SOCK_CONNECT;
	fake.record.key_len = PD_SOCKET_KEY_V4;
	fake.record.key = (struct pd_socket_key){ .family = AF_INET,
						  .type = SOCK_STREAM,
						  .protocol = { 0, IPPROTO_TCP },
						  .port = { 0x15, 0x38 },
						  .addr = { 10, 0, 0, 1 } };
	event = view(&fake);
	event.symbol.class = PD_CLASS_SOCKET;
	assert_non_null(strstr(human(&event), "] connect tcp 10.0.0.1:5432 —"));
	assert_non_null(strstr(json(&event),
			       "{\"family\":\"inet\",\"type\":\"stream\",\"protocol\":"
			       "\"tcp\",\"address\":\"10.0.0.1\",\"port\":5432}"));
	check_round_trip(&event);

	fake.record.key_len = PD_SOCKET_KEY_V6;
	fake.record.key.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", fake.record.key.addr);
	event = view(&fake);
	event.symbol.class = PD_CLASS_SOCKET;
	assert_non_null(strstr(human(&event), "] connect tcp [2001:db8::1]:5432 —"));
	check_round_trip(&event);

	fake.record.operation = PD_OP_SOCKET;
	fake.record.refused = PD_SOCK_CREATE;
	fake.record.key_len = PD_SOCKET_KEY_BARE;
	fake.record.key = (struct pd_socket_key){ .family = AF_PACKET,
						  .type = SOCK_RAW,
						  .protocol = { 0, 3 } };
	event = view(&fake);
	event.symbol.class = PD_CLASS_SOCKET;
	assert_non_null(strstr(human(&event), "] socket packet raw 3 —"));

	fake.record.operation = PD_OP_CONNECT;
	fake.record.refused = PD_UNIX_CONNECT;
	fake.record.key = (struct pd_socket_key){ .family = AF_UNIX, .type = SOCK_STREAM };
	fake.object = "@metrics";
	event = view(&fake);
	event.symbol.class = PD_CLASS_SOCKET;
	assert_non_null(strstr(human(&event), "] connect @metrics —"));
	assert_non_null(strstr(json(&event), "\"permissions\":[\"connect\"],\"object\":{\"family\":"
					     "\"unix\",\"type\":\"stream\",\"protocol\":\"0\","
					     "\"abstract\":\"metrics\"}"));
	check_round_trip(&event);
}

static void hostile_names(void **state)
{
	struct fake_event fake;
	struct event event;
	json_t *root;

	(void)state;
	fake_event_init(&fake);
	memcpy(fake.record.comm, "\033]0;x\007\xff\\\"\n1234567", 16); /* not terminated */
	fake.object = "/tmp/\033[2J\n denied \"x\xff\xc2\x9b\xe2\x80\xae";
	event = view(&fake);
	human(&event);
	for (const char *at = room; *at; at++)
		assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
	assert_non_null(
		strstr(room, "/tmp/\\x1b[2J\\x0a denied \"x\\xff\\xc2\\x9b\\xe2\\x80\\xae"));
	json(&event);
	assert_ptr_equal(strchr(room, '\n'), room + strlen(room) - 1);
	assert_int_equal(json_read(room, strlen(room), &root, NULL), 0);
	json_decref(root);
	check_round_trip(&event);
}

/* The longest names there can be, of the bytes that grow most. */
static void longest(void **state)
{
	static char path[2][PD_PATH_MAX + 1], exe[PD_EXE_MAX + 1], file[8192];
	struct fake_event fake;
	struct event event;

	(void)state;
	for (int byte = 1; byte < 256; byte += 254) { /* 0x01 and 0xff */
		fake_event_init(&fake);
		memset(path[0], byte, PD_PATH_MAX);
		memset(path[1], byte, PD_PATH_MAX);
		memset(exe, byte, PD_EXE_MAX);
		memset(file, byte, sizeof(file) - 1);
		path[0][0] = path[1][0] = '/';
		fake.object = path[0];
		fake.object2 = path[1];
		fake.exe = fake.cgroup = exe;
		event = view(&fake);
		event.symbol.file = event.symbol.text = event.symbol.policy = event.host = file;
		json(&event);
		human(&event);
	}
}

static void colour_and_time(void **state)
{
	struct fake_event fake;
	struct event event;
	struct buffer b;

	(void)state;
	setenv("TZ", "UTC", 1);
	fake_event_init(&fake);
	event = view(&fake);
	buffer_init(&b, room, sizeof(room));
	event_human(&b, &event, EVENT_COLOUR | EVENT_DATE);
	assert_memory_equal(room, "2024-02-29 23:59:59 \033[1;31mdenied\033[0m nginx", 43);
	buffer_cut(&b, 0);
	event_human(&b, &event, 0);
	assert_memory_equal(room, "23:59:59 denied nginx[812]", 26);
}

static void refuse(const struct fake_event *fake, size_t length)
{
	struct event event;

	assert_int_equal(event_view(fake->bytes, length, PD_RING_DENIALS, &event), -EPROTO);
}

static void bad_records(void **state)
{
	struct fake_event fake;
	struct pd_event *record = (struct pd_event *)(void *)fake.bytes;
	size_t length;

	(void)state;
	fake_event_init(&fake);
	length = fake_event_build(&fake);
	refuse(&fake, 0);
	refuse(&fake, sizeof(struct pd_event) - 1);
	refuse(&fake, length - 1);
	record->object_len = 65535;
	refuse(&fake, length);
	fake_event_build(&fake);
	record->verdict = 0;
	refuse(&fake, length);
	fake_event_build(&fake);
	record->class = PD_CLASS_COUNT;
	refuse(&fake, length);
	fake_event_build(&fake);
	record->key_len = 7;
	refuse(&fake, length);
	record->key_len = PD_SOCKET_KEY_V6; /* but the family is not inet6 */
	refuse(&fake, length);
}

static void bad_json(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"version\":2}",
		"{\"version\":1}",
		"{\"version\":1,\"verdict\":\"denied\",\"class\":\"file\",\"time\":\"now\"}",
		"{\"version\":1,\"verdict\":\"denied\",\"class\":\"file\","
		"\"time\":\"2024-02-29T23:59:59Z\",\"object\":{\"path\":\"/"
		"a\",\"abstract\":\"b\"}}",
		"{\"version\":1,\"verdict\":\"denied\",\"class\":\"file\","
		"\"time\":\"2024-02-29T23:59:59Z\",\"object\":{\"path_bytes\":\"zz\"}}",
		"{\"version\":1,\"verdict\":\"denied\",\"class\":\"file\","
		"\"time\":\"2024-02-29T23:59:59Z\",\"subject\":{\"comm\":\"longer than sixteen\"}}",
	};
	struct event *event;
	struct pd_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		error.text[0] = '\0';
		assert_true(event_parse_json(lines[i], strlen(lines[i]), &event, &error) < 0);
		assert_true(error.text[0]);
	}
}

static bool matches(const struct event *event, const char *key, const char *value)
{
	struct filter *filter = filter_new();
	struct pd_error error;
	bool result;

	assert_int_equal(filter_add(filter, key, value, &error), 0);
	result = filter_match(filter, event);
	filter_free(filter);
	return result;
}

static void filters(void **state)
{
	struct fake_event fake;
	struct event event;
	struct filter *filter = filter_new();
	struct pd_error error;

	(void)state;
	fake_event_init(&fake);
	event = view(&fake);
	assert_true(filter_match(filter, &event));
	assert_true(matches(&event, "verdict", "denied"));
	assert_true(matches(&event, "verdict", "allowed,denied"));
	assert_false(matches(&event, "verdict", "allowed"));
	assert_true(matches(&event, "class", "file"));
	assert_false(matches(&event, "class", "exec"));
	assert_true(matches(&event, "operation", "open"));
	assert_false(matches(&event, "operation", "exec"));
	assert_true(matches(&event, "policy", "web"));
	assert_false(matches(&event, "policy", "we"));
	assert_true(matches(&event, "path", "/etc/*"));
	assert_true(matches(&event, "path", "/etc/"));
	assert_false(matches(&event, "path", "/usr/**"));
	assert_true(matches(&event, "exe", "/usr/sbin/*"));
	assert_true(matches(&event, "comm", "nginx"));
	assert_false(matches(&event, "comm", "ngin"));
	assert_true(matches(&event, "pid", "1,812"));
	assert_false(matches(&event, "pid", "81"));
	assert_true(matches(&event, "cgroup", "/system.slice"));
	assert_false(matches(&event, "cgroup", "/system"));
	assert_true(matches(&event, "ring", "denials"));
	assert_true(matches(&event, "reason", "rule"));
	event.symbol = (struct symbol){ 0 };
	event.policies = "base, web";
	assert_true(matches(&event, "policy", "web"));
	assert_true(matches(&event, "policy", "x,web"));
	assert_false(matches(&event, "policy", "x,we"));
	assert_true(matches(&event, "comm", "sh,nginx"));
	assert_true(matches(&event, "path", "/usr/**,/etc/*"));
	assert_true(matches(&event, "path", "/{usr,etc}/*"));
	assert_true(matches(&event, "path", "/x,/[,e]tc/{a,{b,*}},/y"));
	assert_false(matches(&event, "path", "/x\\,/etc/*"));
	assert_true(matches(&event, "exe", "/bin/*,/usr/sbin/*"));
	assert_true(matches(&event, "cgroup", "/user.slice,/system.slice"));

	assert_int_equal(filter_add(filter, "colour", "red", &error), -EINVAL);
	assert_int_equal(filter_add(filter, "verdict", "no", &error), -EINVAL);
	assert_string_equal(error.text, "verdict: \"no\" is none of allowed, denied, would_deny");
	assert_int_equal(filter_add(filter, "pid", "x", &error), -EINVAL);
	assert_int_equal(filter_add(filter, "pid", "", &error), -EINVAL);
	assert_int_equal(filter_add(filter, "path", "[", &error), -EINVAL);
	assert_int_equal(filter_add(filter, "comm", "a,", &error), -EINVAL);
	/* criteria add up */
	filter_free(filter);
	filter = filter_new();
	assert_int_equal(filter_add(filter, "pid", "812", &error), 0);
	assert_true(filter_match(filter, &event));
	assert_int_equal(filter_add(filter, "class", "exec", &error), 0);
	assert_false(filter_match(filter, &event));
	filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule),	   cmocka_unit_test(other_causes),
		cmocka_unit_test(objects),	   cmocka_unit_test(sockets),
		cmocka_unit_test(hostile_names),   cmocka_unit_test(longest),
		cmocka_unit_test(colour_and_time), cmocka_unit_test(bad_records),
		cmocka_unit_test(bad_json),	   cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
