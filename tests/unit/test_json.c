// SPDX-License-Identifier: GPL-2.0-or-later
/* Text that anyone may have chosen: escaping, JSON, moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "policyd/base/clock.h"
#include "policyd/base/json.h"
#include "policyd/base/text.h"

static char room[8192];

static const char *human(const char *bytes, size_t length)
{
	struct buffer b;

	buffer_init(&b, room, sizeof(room) - 1);
	text_escape(&b, (struct slice){ bytes, length });
	assert_false(b.overflow);
	room[b.used] = '\0';
	return room;
}
#define HUMAN(literal) human(literal, sizeof(literal) - 1)

static void escapes_for_people(void **state)
{
	(void)state;
	assert_string_equal(HUMAN("/usr/bin/nginx"), "/usr/bin/nginx");
	assert_string_equal(HUMAN("a b"), "a b");
	assert_string_equal(HUMAN("a\\x1b"), "a\\\\x1b");
	assert_string_equal(HUMAN("a\x1b[31m"), "a\\x1b[31m");
	assert_string_equal(HUMAN("line\nfeed\0nul"), "line\\x0afeed\\x00nul");
	assert_string_equal(HUMAN("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(HUMAN("\xc3"), "\\xc3");
	assert_string_equal(HUMAN("\xc2\x9b"), "\\xc2\\x9b"); /* CSI as a C1 control */
	assert_string_equal(HUMAN("\xe2\x80\xae txt"), "\\xe2\\x80\\xae txt"); /* right to left */
	assert_string_equal(HUMAN("\xed\xa0\x80"), "\\xed\\xa0\\x80");	       /* a surrogate */
	assert_string_equal(HUMAN("\xc0\xaf"), "\\xc0\\xaf");		       /* overlong */
	assert_string_equal(HUMAN("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

static void unescapes(void **state)
{
	char all[256], text[1024];
	struct buffer b;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	buffer_init(&b, text, sizeof(text));
	text_escape(&b, (struct slice){ all, sizeof(all) });
	assert_false(b.overflow);
	assert_int_equal(text_unescape(text, b.used), 256);
	assert_memory_equal(text, all, 256);
	assert_int_equal(text_unescape(strcpy(text, "a\\"), 2), -1);
	assert_int_equal(text_unescape(strcpy(text, "a\\x1"), 4), -1);
	assert_int_equal(text_unescape(strcpy(text, "a\\xgg"), 5), -1);
}

/* Bytes written as a member, read back by jansson. */
static void round_trip(const char *bytes, size_t length, const char *expect)
{
	struct buffer b;
	struct slice back;
	json_t *root;
	struct pd_error error;

	buffer_init(&b, room, sizeof(room));
	buffer_byte(&b, '{');
	json_put_bytes(&b, "path", (struct slice){ bytes, length });
	buffer_byte(&b, '}');
	assert_false(b.overflow);
	if (expect) {
		assert_int_equal(b.used, strlen(expect));
		assert_memory_equal(b.data, expect, b.used);
	}
	assert_int_equal(json_read(b.data, b.used, &root, &error), 0);
	assert_int_equal(json_get_bytes(root, "path", &back), 1);
	assert_int_equal(back.length, length);
	assert_memory_equal(back.data, bytes, length);
	free((char *)back.data);
	json_decref(root);
}

static void bytes_survive(void **state)
{
	char bytes[64];

	(void)state;
	round_trip("/etc/passwd", 11, "{\"path\":\"/etc/passwd\"}");
	round_trip("", 0, "{\"path\":\"\"}");
	round_trip("\"\\\n\x7f", 4, "{\"path\":\"\\\"\\\\\\u000a\\u007f\"}");
	round_trip("\xc3\xbc\xf0\x9f\x98\x80", 6, "{\"path\":\"\xc3\xbc\xf0\x9f\x98\x80\"}");
	round_trip("\xf3\xa0\x81\x81", 4, "{\"path\":\"\\udb40\\udc41\"}"); /* an invisible tag */
	round_trip("\\\xff", 2, "{\"path\":\"\\\\\\\\\\\\xff\",\"path_bytes\":\"5cff\"}");
	round_trip("a\0b", 3, "{\"path\":\"a\\\\x00b\",\"path_bytes\":\"610062\"}");
	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t length = (size_t)rand() % sizeof(bytes);

		for (size_t j = 0; j < length; j++)
			bytes[j] = (char)rand();
		round_trip(bytes, length, NULL);
	}
}

static void string_is_always_valid(void **state)
{
	struct buffer b;
	json_t *root;

	(void)state;
	buffer_init(&b, room, sizeof(room));
	json_put_string(&b, (struct slice){ "a\xff\0\n\"", 5 });
	assert_memory_equal(room, "\"a\xef\xbf\xbd\xef\xbf\xbd\\u000a\\\"\"", b.used);
	assert_int_equal(json_read(b.data, b.used, &root, NULL), 0);
	json_decref(root);
}

static void small_buffers(void **state)
{
	char small[8];
	struct buffer b;

	(void)state;
	buffer_init(&b, small, sizeof(small));
	json_put_string(&b, slice_of("longer than that"));
	assert_true(b.overflow);
	assert_true(b.used <= sizeof(small));
	buffer_cut(&b, 0);
	buffer_unsigned(&b, UINT64_MAX);
	assert_true(b.overflow);
	buffer_cut(&b, 0);
	buffer_padded(&b, 7, 3);
	buffer_unsigned(&b, 0);
	assert_memory_equal(small, "0070", 4);
}

static void reads_members(void **state)
{
	const char *text = "{\"s\":\"x\",\"n\":7,\"neg\":-1,\"t\":true,\"h_bytes\":\"6\"}";
	struct pd_error error;
	struct slice bytes;
	const char *s = NULL;
	uint64_t n = 0;
	bool t = false;
	json_t *root;

	(void)state;
	assert_int_equal(json_read(text, strlen(text), &root, &error), 0);
	assert_true(json_get_string(root, "s", &s));
	assert_string_equal(s, "x");
	assert_false(json_get_string(root, "n", &s));
	assert_true(json_get_unsigned(root, "n", 7, &n));
	assert_false(json_get_unsigned(root, "n", 6, &n));
	assert_false(json_get_unsigned(root, "neg", UINT64_MAX, &n));
	assert_true(json_get_bool(root, "t", &t) && t);
	assert_int_equal(json_get_bytes(root, "none", &bytes), 0);
	assert_true(json_get_bytes(root, "n", &bytes) < 0);
	assert_true(json_get_bytes(root, "h", &bytes) < 0);
	json_decref(root);
	assert_true(json_read("{", 1, &root, &error) < 0);
	assert_true(json_read("{\"a\":1,\"a\":2}", 13, &root, &error) < 0);
	assert_true(json_read("1 2", 3, &root, &error) < 0);
}

static void moments(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} same[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ 951782400000000, "2000-02-29T00:00:00.000000Z" },
		{ 1709251199123456, "2024-02-29T23:59:59.123456Z" },
		{ 4102444800000001, "2100-01-01T00:00:00.000001Z" },
	};
	struct buffer b;
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		buffer_init(&b, room, sizeof(room));
		clock_utc(&b, same[i].us);
		assert_int_equal(b.used, CLOCK_UTC_LENGTH);
		assert_memory_equal(room, same[i].text, b.used);
		assert_int_equal(clock_parse_utc(same[i].text, &us), 0);
		assert_true(us == same[i].us);
	}
	assert_int_equal(clock_parse_utc("2024-02-29T23:59:59Z", &us), 0);
	assert_true(us == 1709251199000000);
	assert_true(clock_parse_utc("2024-13-29T23:59:59Z", &us) < 0);
	assert_true(clock_parse_utc("2024-02-29 23:59:59Z", &us) < 0);
	assert_true(clock_parse_utc("2024-02-29T23:59:59", &us) < 0);
	assert_true(clock_parse_utc("", &us) < 0);
	for (int64_t at = INT64_MIN / 2; at < INT64_MAX / 2; at += INT64_MAX / 100) {
		buffer_init(&b, room, sizeof(room));
		clock_utc(&b, at);
		assert_int_equal(b.used, CLOCK_UTC_LENGTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_for_people),
		cmocka_unit_test(unescapes),
		cmocka_unit_test(bytes_survive),
		cmocka_unit_test(string_is_always_valid),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(reads_members),
		cmocka_unit_test(moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
