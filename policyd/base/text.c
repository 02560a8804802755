// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/base/text.h"

size_t text_next(const char *data, size_t length, uint32_t *ret_rune)
{
	const unsigned char *s = (const unsigned char *)data;
	uint32_t rune;
	size_t size;

	if (s[0] < 0x80) {
		*ret_rune = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	size = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (length < size)
		return 0;
	rune = s[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (s[i] & 0x3fu);
	}
	if ((size == 3 && rune < 0x800) || (size == 4 && rune < 0x10000) || rune > 0x10ffff)
		return 0;
	if (rune >= 0xd800 && rune <= 0xdfff)
		return 0;
	*ret_rune = rune;
	return size;
}

bool text_is_utf8(struct slice text)
{
	size_t at = 0, size;
	uint32_t rune;

	while (at < text.length) {
		size = text_next(text.data + at, text.length - at, &rune);
		if (!size || !rune)
			return false;
		at += size;
	}
	return true;
}

bool text_is_printable(uint32_t rune)
{
	/* Unicode 15: general categories Cc, Cf, Zl, Zp, and invisible fillers, in order. */
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f },	      { 0x7f, 0x9f },	    { 0xad, 0xad },
		{ 0x34f, 0x34f },     { 0x600, 0x605 },	    { 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },	    { 0x890, 0x891 },
		{ 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
		{ 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	if (rune >= 0x20 && rune < 0x7f)
		return true;
	if ((rune & 0xfffe) == 0xfffe || (rune >= 0xfdd0 && rune <= 0xfdef))
		return false;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (rune <= hidden[i].last)
			return rune < hidden[i].first;
	return rune < 0x110000;
}

static void escape_bytes(struct buffer *b, const char *data, size_t length)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)data[i];
		char escaped[4] = { '\\', 'x', hex[byte >> 4], hex[byte & 15] };

		buffer_add(b, escaped, sizeof(escaped));
	}
}

void text_escape(struct buffer *b, struct slice text)
{
	size_t at = 0, plain = 0, size;
	uint32_t rune;

	while (at < text.length) {
		unsigned char byte = (unsigned char)text.data[at];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
			at++;
			continue;
		}
		size = text_next(text.data + at, text.length - at, &rune);
		if (size && byte != '\\' && text_is_printable(rune)) {
			at += size;
			continue;
		}
		buffer_add(b, text.data + plain, at - plain);
		if (byte == '\\')
			buffer_text(b, "\\\\");
		else
			escape_bytes(b, text.data + at, size ? size : 1);
		at += size ? size : 1;
		plain = at;
	}
	if (text.length > plain)
		buffer_add(b, text.data + plain, text.length - plain);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

long text_unescape(char *text, size_t length)
{
	size_t to = 0;

	for (size_t at = 0; at < length;) {
		if (text[at] != '\\') {
			text[to++] = text[at++];
			continue;
		}
		if (at + 1 < length && text[at + 1] == '\\') {
			text[to++] = '\\';
			at += 2;
			continue;
		}
		if (at + 3 >= length || text[at + 1] != 'x' || hex_digit(text[at + 2]) < 0 ||
		    hex_digit(text[at + 3]) < 0)
			return -1;
		text[to++] = (char)(hex_digit(text[at + 2]) << 4 | hex_digit(text[at + 3]));
		at += 4;
	}
	return (long)to;
}
