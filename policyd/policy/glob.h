/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Globs: is a pattern well-formed, and does it match a name? The matcher is deliberately not the
 * automaton: it attributes rules for a person and is what the automaton is tested against.
 *
 *   ?       one byte but not '/'          [a-z]  one ASCII byte of the set, never '/'
 *   *       any run without '/'           [!a]   any byte but '/' and those of the set
 *   **      any run                       {a,b}  either; may nest, may be empty on one side
 *   \c      the byte c itself
 *
 * Everything else is itself, byte by byte, except that an unpaired bracket or brace is an error.
 */
#ifndef PD_POLICY_GLOB_H
#define PD_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLOB_DEPTH_MAX 8u	    /* braces within braces */
#define GLOB_ALTERNATIVES_MAX 1024u /* what the braces of one pattern multiply to */

/**
 * glob_check() - is this a pattern?
 * @ret_error_at: byte of the pattern, from 0, that is wrong
 * @ret_reason:   a static text of what is wrong with it and what to write instead
 *
 * Returns 0; -EINVAL with both outputs set (either may be NULL); -ENOMEM with a reason too.
 */
int glob_check(const char *pattern, size_t length, size_t *ret_error_at, const char **ret_reason);

/**
 * glob_match() - does a pattern match the whole of a name?
 *
 * Takes time proportional to length times name_length. Returns 1 or 0, -EINVAL for what glob_check()
 * refuses, -ENOMEM.
 */
int glob_match(const char *pattern, size_t length, const char *name, size_t name_length);

/* How the patterns of a rule are read, beyond the syntax. */
#define GLOB_ALIASES 0x1u   /* /bin/x also matches /usr/bin/x, /var/run/x also /run/x ... */
#define GLOB_DIRECTORY 0x2u /* a trailing '/' is the directory itself and everything below */
#define GLOB_BELOW 0x4u	    /* what the pattern matches and everything below it: cgroups */

/** glob_ends_in_slash() - in a '/' that is not escaped */
bool glob_ends_in_slash(const char *pattern, size_t length);

/* Directories that are symbolic links where /usr is merged: a name below `link` is also matched as
 * if it were below `target`. NULL-terminated. */
struct glob_alias {
	const char *link, *target;
};
extern const struct glob_alias glob_aliases[];

/** glob_match_name() - glob_match() with GLOB_* meanings */
int glob_match_name(const char *pattern, size_t length, const char *name, size_t name_length,
		    unsigned int flags);

#endif
