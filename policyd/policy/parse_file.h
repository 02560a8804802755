/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a policy's bytes from a file one may believe. */
#ifndef PD_POLICY_PARSE_FILE_H
#define PD_POLICY_PARSE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "policyd/base/error.h"

/**
 * file_read() - the whole of a regular file of at most POLICY_FILE_MAX bytes
 * @trust: do not ask who could have written it
 *
 * Otherwise the file, its directory and the directories above must belong to root and be writable by
 * nobody else (above, a sticky directory such as /tmp will do); where @path leads through a symbolic
 * link, this holds for the link's directory and for the target's. Returns 0 and a buffer to free,
 * NUL-terminated beyond *ret_size; or a negative errno with @error filled.
 */
int file_read(const char *path, bool trust, char **ret_text, size_t *ret_size,
	      struct pd_error *error);

/**
 * file_check_dir() - may one believe what a directory holds, and what it does not hold?
 *
 * It and those above must be as file_read() wants them. Returns 0; -ENOENT when it is missing, -EPERM or another
 * negative errno, with @error filled.
 */
int file_check_dir(const char *path, struct pd_error *error);

#endif
