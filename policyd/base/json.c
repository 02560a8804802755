// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/base/json.h"

#include <errno.h>
#include <stdlib.h>

#include "policyd/base/text.h"

static const char hex[] = "0123456789abcdef";

static void put_unit(struct buffer *b, uint32_t unit)
{
	char escaped[6] = {
		'\\',	       'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
		hex[unit & 15]
	};

	buffer_add(b, escaped, sizeof(escaped));
}

/* What stands for one character that cannot be copied. */
static void put_rune(struct buffer *b, uint32_t rune)
{
	if (rune == '"' || rune == '\\') {
		buffer_byte(b, '\\');
		buffer_byte(b, (char)rune);
	} else if (rune < 0x10000) {
		put_unit(b, rune);
	} else {
		put_unit(b, 0xd800 + ((rune - 0x10000) >> 10));
		put_unit(b, 0xdc00 + ((rune - 0x10000) & 0x3ff));
	}
}

static inline bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/*
 * Between the quotes. With @raw, the text is not known to be UTF-8: what is not, and NUL, is written in
 * text_escape()'s form and backslashes are doubled once more.
 */
static void put_inside(struct buffer *b, struct slice text, bool raw)
{
	size_t at = 0, plain = 0, size;
	uint32_t rune;

	for (;;) {
		while (at < text.length && is_plain((unsigned char)text.data[at]))
			at++;
		if (at == text.length)
			break;
		size = text_next(text.data + at, text.length - at, &rune);
		if (size > 1 && text_is_printable(rune)) {
			at += size;
			continue;
		}
		if (at > plain)
			buffer_add(b, text.data + plain, at - plain);
		if (!size || !rune) {
			unsigned char byte = (unsigned char)text.data[at];
			char escaped[5] = { '\\', '\\', 'x', hex[byte >> 4], hex[byte & 15] };

			if (raw)
				buffer_add(b, escaped, sizeof(escaped));
			else
				buffer_text(b, "\xef\xbf\xbd");
		} else {
			put_rune(b, rune);
			if (raw && rune == '\\')
				put_rune(b, rune);
		}
		at += size ? size : 1;
		plain = at;
	}
	if (at > plain)
		buffer_add(b, text.data + plain, at - plain);
}

void json_put_string(struct buffer *b, struct slice text)
{
	buffer_byte(b, '"');
	put_inside(b, text, false);
	buffer_byte(b, '"');
}

void json_put_bytes(struct buffer *b, const char *key, struct slice bytes)
{
	bool raw = !text_is_utf8(bytes);

	buffer_byte(b, '"');
	buffer_text(b, key);
	buffer_text(b, "\":\"");
	put_inside(b, bytes, raw);
	buffer_byte(b, '"');
	if (!raw)
		return;
	buffer_text(b, ",\"");
	buffer_text(b, key);
	buffer_text(b, "_bytes\":\"");
	for (size_t i = 0; i < bytes.length; i++) {
		buffer_byte(b, hex[(unsigned char)bytes.data[i] >> 4]);
		buffer_byte(b, hex[(unsigned char)bytes.data[i] & 15]);
	}
	buffer_byte(b, '"');
}

static int read_with(const char *text, size_t length, size_t flags, json_t **ret_value,
		     struct pd_error *error)
{
	json_error_t why;
	json_t *value =
		json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | flags, &why);

	if (!value) {
		int code = json_error_code(&why) == json_error_out_of_memory ? -ENOMEM : -EINVAL;

		return error_set(error, code, "line %d, column %d: %s", why.line, why.column,
				 why.text);
	}
	*ret_value = value;
	return 0;
}

int json_read(const char *text, size_t length, json_t **ret_value, struct pd_error *error)
{
	return read_with(text, length, 0, ret_value, error);
}

int json_read_foreign(const char *text, size_t length, json_t **ret_value, struct pd_error *error)
{
	return read_with(text, length, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, ret_value, error);
}

int json_take_string(const json_t *value, const char **ret_text)
{
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return -EINVAL;
	*ret_text = json_string_value(value);
	return 1;
}

bool json_get_string(const json_t *object, const char *key, const char **ret_text)
{
	return json_take_string(json_object_get(object, key), ret_text) == 1;
}

bool json_get_unsigned(const json_t *object, const char *key, uint64_t max, uint64_t *ret_number)
{
	const json_t *member = json_object_get(object, key);
	json_int_t number;

	if (!json_is_integer(member))
		return false;
	number = json_integer_value(member);
	if (number < 0 || (uint64_t)number > max)
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

bool json_get_bool(const json_t *object, const char *key, bool *ret_value)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_boolean(member))
		return false;
	*ret_value = json_is_true(member);
	return true;
}

static int hex_value(char c)
{
	const char *found = c ? strchr(hex, c) : NULL;

	return found ? (int)(found - hex) : -1;
}

static int bytes_from_hex(const char *text, struct slice *ret_bytes)
{
	size_t length = strlen(text);
	char *bytes = length % 2 ? NULL : malloc(length / 2 + 1);

	if (!bytes)
		return length % 2 ? -EINVAL : -ENOMEM;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(bytes);
			return -EINVAL;
		}
		bytes[i] = (char)(high << 4 | low);
	}
	bytes[length / 2] = '\0';
	ret_bytes->data = bytes;
	ret_bytes->length = length / 2;
	return 1;
}

int json_get_bytes(const json_t *object, const char *key, struct slice *ret_bytes)
{
	char long_key[64];
	const char *text;
	const json_t *member;
	char *copy;

	if (strlen(key) + sizeof("_bytes") > sizeof(long_key))
		return -EINVAL;
	strcpy(stpcpy(long_key, key), "_bytes");
	if (json_get_string(object, long_key, &text))
		return bytes_from_hex(text, ret_bytes);
	member = json_object_get(object, key);
	if (!member)
		return 0;
	if (!json_is_string(member))
		return -EINVAL;
	copy = malloc(json_string_length(member) + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, json_string_value(member), json_string_length(member) + 1);
	ret_bytes->data = copy;
	ret_bytes->length = json_string_length(member);
	return 1;
}
