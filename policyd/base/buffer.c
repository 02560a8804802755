// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#define DIGITS_MAX 20 /* of a uint64_t */

static size_t digits_write(char digits[DIGITS_MAX], uint64_t number)
{
	size_t at = DIGITS_MAX;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return at;
}

void buffer_unsigned(struct buffer *b, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t at = digits_write(digits, number);

	buffer_add(b, digits + at, DIGITS_MAX - at);
}

void buffer_padded(struct buffer *b, uint64_t number, unsigned int digits)
{
	char text[DIGITS_MAX];
	size_t at = digits_write(text, number);

	memset(text, '0', at);
	if (digits > DIGITS_MAX)
		digits = DIGITS_MAX;
	buffer_add(b, text + DIGITS_MAX - digits, digits);
}

void buffer_format(struct buffer *b, const char *format, ...)
{
	size_t left = b->size - b->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(b->data + b->used, left, format, args);
	va_end(args);
	/* the terminating NUL needs room too, but is not part of the text */
	if (n < 0 || (size_t)n >= left)
		b->overflow = true;
	else
		b->used += (size_t)n;
}
