/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PD_BASE_ERROR_H
#define PD_BASE_ERROR_H

#define ERROR_FILE_MAX 4096u /* PATH_MAX, with its NUL */
#define ERROR_LINE_MAX 4800u /* what error_render() makes of it: file, line, column and text */

/* A failure a person will read: where, and one sentence with the remedy. Filled by libraries,
 * printed only by mains and the control server. */
struct pd_error {
	char file[ERROR_FILE_MAX]; /* "" when no file is to blame */
	unsigned int line;	   /* from 1; 0: the file as a whole */
	unsigned int column;	   /* from 1 */
	int code;		   /* negative errno */
	char text[640];
};

/**
 * error_set() - describe a failure that has no place in a file
 * @e:    may be NULL
 * @code: negative errno
 *
 * Returns @code, so that callers can write `return error_set(e, -ENOENT, "...")`. A text that does
 * not fit is cut. An error that is already set is replaced.
 */
int error_set(struct pd_error *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** error_at() - the same, for a place in a file; @file is copied. Line 0 means no line. */
int error_at(struct pd_error *e, int code, const char *file, unsigned int line, unsigned int column,
	     const char *format, ...) __attribute__((format(printf, 6, 7)));

/**
 * error_render() - "file:line:column: text", or only the text
 *
 * Returns @buffer, always terminated.
 */
const char *error_render(const struct pd_error *e, char *buffer, unsigned long size);

#endif
