/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int set(struct pd_error *e, int code, const char *format, va_list args)
{
	if (!e)
		return code;
	e->code = code;
	vsnprintf(e->text, sizeof(e->text), format, args);
	return code;
}

int error_set(struct pd_error *e, int code, const char *format, ...)
{
	va_list args;

	if (e) {
		e->file[0] = '\0';
		e->line = e->column = 0;
	}
	va_start(args, format);
	set(e, code, format, args);
	va_end(args);
	return code;
}

int error_at(struct pd_error *e, int code, const char *file, unsigned int line, unsigned int column,
	     const char *format, ...)
{
	va_list args;

	if (e) {
		snprintf(e->file, sizeof(e->file), "%s", file ? file : "");
		e->line = line;
		e->column = column;
	}
	va_start(args, format);
	set(e, code, format, args);
	va_end(args);
	return code;
}

const char *error_render(const struct pd_error *e, char *buffer, unsigned long size)
{
	if (!e->file[0])
		snprintf(buffer, size, "%s", e->text);
	else if (!e->line)
		snprintf(buffer, size, "%s: %s", e->file, e->text);
	else
		snprintf(buffer, size, "%s:%u:%u: %s", e->file, e->line, e->column, e->text);
	return buffer;
}
