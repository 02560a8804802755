/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol: frames in pieces, requests right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/control/protocol.h"

static void test_frames_in_pieces(void **state)
{
	struct frame_reader reader = { 0 };
	struct pd_error error = { .code = 0 };
	unsigned char *data, *two;
	json_t *object = json_pack("{s:s}", "hello", "world"), *back;
	size_t size;

	(void)state;
	assert_int_equal(frame_encode(object, &data, &size), 0);
	two = malloc(2 * size);
	memcpy(two, data, size);
	memcpy(two + size, data, size);
	for (size_t piece = 1; piece <= 2 * size; piece++) {
		int frames = 0;

		for (size_t at = 0; at < 2 * size; at += piece) {
			size_t n = at + piece > 2 * size ? 2 * size - at : piece;

			assert_int_equal(frame_feed(&reader, two + at, n), 0);
			while (frame_next(&reader, &back, &error) == 1) {
				assert_true(json_equal(object, back));
				json_decref(back);
				frames++;
			}
		}
		assert_int_equal(frames, 2);
		assert_false(frame_pending(&reader));
	}
	frame_reader_done(&reader);
	json_decref(object);
	free(data);
	free(two);
}

static int feed_text(const char *text, json_t **ret_object, struct pd_error *error)
{
	struct frame_reader reader = { 0 };
	unsigned char header[4] = { (unsigned char)strlen(text) };
	int r;

	assert_int_equal(frame_feed(&reader, header, 4), 0);
	assert_int_equal(frame_feed(&reader, text, strlen(text)), 0);
	r = frame_next(&reader, ret_object, error);
	frame_reader_done(&reader);
	return r;
}

static void test_bad_frames(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "1",
					   "{\"a\":1,\"a\":2}",
					   "{} {}",
					   "\xff\xfe",
					   "null",
					   "{\"a\":\"\\u0000\"}" };
	struct frame_reader reader = { 0 };
	struct pd_error error = { .code = 0 };
	json_t *object = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (feed_text(bad[i], &object, &error) != -EPROTO)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(frame_feed(&reader, "\xff\xff\xff\x7f", 4), -EMSGSIZE);
	assert_int_equal(frame_next(&reader, &object, &error), -EMSGSIZE);
	assert_non_null(strstr(error.text, "2147483647 bytes is too long: 2097152 may"));
	frame_reader_done(&reader);
	reader.limit = 16;
	assert_int_equal(frame_feed(&reader, "\x10\0\0\0", 4), 0);
	frame_reader_done(&reader);
	assert_int_equal(frame_feed(&reader, "\x11\0\0\0", 4), -EMSGSIZE);
	frame_reader_done(&reader);
}

static void test_event_frame(void **state)
{
	struct frame_reader reader = { 0 };
	struct pd_error error = { .code = 0 };
	unsigned char *data;
	json_t *object;
	size_t size;

	(void)state;
	assert_int_equal(frame_encode_event("{\"v\":1}\n", 8, &data, &size), 0);
	assert_int_equal(frame_feed(&reader, data, size), 0);
	assert_int_equal(frame_next(&reader, &object, &error), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(object, "event"), "v")),
			 1);
	json_decref(object);
	free(data);
}

static int decode(const char *text, struct control_request *request, json_t **ret_object,
		  struct pd_error *error)
{
	*ret_object = json_loads(text, 0, NULL);
	assert_non_null(*ret_object);
	return request_decode(*ret_object, request, error);
}

static void test_requests(void **state)
{
	struct control_request request;
	struct pd_error error = { .code = 0 };
	json_t *object;

	(void)state;
	assert_int_equal(decode("{\"v\":1,\"command\":\"status\"}", &request, &object, &error), 0);
	assert_int_equal(request.command, CONTROL_STATUS);
	assert_false(request.changes);
	request_done(&request);
	json_decref(object);

	assert_int_equal(decode("{\"v\":1,\"command\":\"load\",\"files\":[{\"name\":\"/a.yaml\","
				"\"text\":\"x: y\",\"include_dir\":\"/i\"}],\"force\":[\"web\"]}",
				&request, &object, &error),
			 0);
	assert_int_equal(request.command, CONTROL_LOAD);
	assert_true(request.changes);
	assert_int_equal(request.file_count, 1);
	assert_string_equal(request.files[0].name, "/a.yaml");
	assert_int_equal(request.files[0].size, 4);
	assert_string_equal(request.files[0].include_dir, "/i");
	assert_string_equal(request.force[0], "web");
	assert_null(request.force[1]);
	request_done(&request);
	json_decref(object);

	assert_int_equal(
		decode("{\"v\":1,\"command\":\"mode\",\"name\":\"web\",\"mode\":\"audit\"}",
		       &request, &object, &error),
		0);
	assert_int_equal(request.mode, POLICY_AUDIT);
	request_done(&request);
	json_decref(object);
}

static void test_wrong_requests(void **state)
{
	static const char *const wrong[][2] = {
		{ "{}", "different versions" },
		{ "{\"v\":2,\"command\":\"status\"}", "different versions" },
		{ "{\"v\":1}", "no command" },
		{ "{\"v\":1,\"command\":7}", "no command" },
		{ "{\"v\":1,\"command\":\"destroy\"}", "unknown command 'destroy'" },
		{ "{\"v\":1,\"command\":\"status\",\"name\":\"x\"}", "no member 'name'" },
		{ "{\"v\":1,\"command\":\"status\",\"zzz\":1}", "no member 'zzz'" },
		{ "{\"v\":1,\"command\":\"show\"}", "lacks a member" },
		{ "{\"v\":1,\"command\":\"show\",\"name\":\"\"}", "'name' of the request" },
		{ "{\"v\":1,\"command\":\"show\",\"name\":3}", "'name' of the request" },
		{ "{\"v\":1,\"command\":\"load\",\"files\":[]}", "'files' of the request" },
		{ "{\"v\":1,\"command\":\"load\",\"files\":{}}", "'files' of the request" },
		{ "{\"v\":1,\"command\":\"load\",\"files\":[{\"name\":\"a\"}]}", "'files'" },
		{ "{\"v\":1,\"command\":\"load\",\"files\":[{\"name\":\"a\",\"text\":\"\",\"x\":1}]"
		  "}",
		  "'files'" },
		{ "{\"v\":1,\"command\":\"load\",\"files\":[{\"name\":\"a\",\"text\":\"\"}],"
		  "\"force\":[1]}",
		  "'force'" },
		{ "{\"v\":1,\"command\":\"mode\",\"name\":\"a\",\"mode\":\"x\"}",
		  "mode is enforce" },
		{ "{\"v\":1,\"command\":\"events\",\"history\":-1}", "'history'" },
		{ "{\"v\":1,\"command\":\"events\",\"history\":1e99}", "'history'" },
		{ "{\"v\":1,\"command\":\"run\",\"cgroup\":\"x\",\"name\":\"a\"}", "'cgroup'" },
		{ "{\"v\":1,\"command\":\"run\",\"cgroup\":\"/x\"}", "takes one policy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct control_request request = { 0 };
		struct pd_error error = { .code = 0 };
		json_t *object;

		assert_int_equal(decode(wrong[i][0], &request, &object, &error), -EPROTO);
		if (!strstr(error.text, wrong[i][1]))
			fail_msg("%s gave '%s'", wrong[i][0], error.text);
		assert_null(request.files);
		json_decref(object);
	}
}

static void test_errors_travel(void **state)
{
	struct pd_error there, back = { .code = 0 };
	json_t *reply;

	(void)state;
	error_at(&there, -EINVAL, "web.yaml", 3, 7, "caf\xe9 is wrong");
	reply = reply_error(&there);
	assert_int_equal(reply_check(reply, &back), -EINVAL);
	assert_string_equal(back.file, "web.yaml");
	assert_int_equal(back.line, 3);
	assert_int_equal(back.column, 7);
	assert_string_equal(back.text, "caf? is wrong");
	json_decref(reply);
	reply = json_pack("{s:b}", "ok", 0);
	assert_int_equal(reply_check(reply, &back), -EPROTO);
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_in_pieces), cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_event_frame),	 cmocka_unit_test(test_requests),
		cmocka_unit_test(test_wrong_requests),	 cmocka_unit_test(test_errors_travel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
