/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON. Reading: jansson, and helpers that say what was wrong. Writing what is small and rare: jansson
 * too. Writing events: json_put_*() below, straight into a struct buffer, because an event must not cost
 * an allocation. The caller writes braces and commas as literals with buffer_text().
 */
#ifndef PD_BASE_JSON_H
#define PD_BASE_JSON_H

#include <jansson.h>

#include "policyd/base/buffer.h"
#include "policyd/base/error.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* A string takes at most this many bytes per byte of input in each of json_put_string(), json_put_bytes(). */
#define JSON_STRING_GROWTH 6u
#define JSON_BYTES_GROWTH 7u

/**
 * json_put_string() - "text" with its quotes, always valid JSON and valid UTF-8
 *
 * For text that is UTF-8 by its making. Printable characters stay, others become \uXXXX, what is not
 * UTF-8 (and NUL) becomes U+FFFD.
 */
void json_put_string(struct buffer *b, struct slice text);

/**
 * json_put_bytes() - a member ["key":"text"] for bytes that need not be UTF-8
 *
 * UTF-8 without NUL bytes is written as by json_put_string(): reading gives back the very bytes. Anything
 * else is written as two members: "key" has text_escape()'s form (a byte that is not UTF-8, and NUL,
 * as \xNN; every backslash doubled), and "key_bytes" all bytes in lower-case hex. So "key" is literal exactly
 * when there is no "key_bytes". @key is a literal that needs no escaping.
 */
void json_put_bytes(struct buffer *b, const char *key, struct slice bytes);

/* ---- reading --------------------------------------------------------------------------------- */

/**
 * json_read() - parse one JSON value
 *
 * Duplicate keys, NUL bytes and text after the value are errors. Returns 0 with a value the
 * caller decrefs, or -EINVAL with @error naming the position (-ENOMEM).
 */
int json_read(const char *text, size_t length, json_t **ret_value, struct pd_error *error);

/**
 * json_read_foreign() - the same of what other programs wrote: whole numbers may be larger than ours
 *
 * All numbers become reals. (Docker writes -1 as 18446744073709551615 where it limits memory.) Strings may hold
 * \u0000, as whoever has one of many containers in a list must not hide the others: take them by json_take_string().
 */
int json_read_foreign(const char *text, size_t length, json_t **ret_value, struct pd_error *error);

/**
 * json_take_string() - a string as C has them
 * @value: what json_object_get() and the like return; the string belongs to it
 *
 * Returns 1; 0, and leaves the output alone, for NULL and null; -EINVAL for what is no string, or has a NUL inside.
 */
int json_take_string(const json_t *value, const char **ret_text);

/*
 * Members of an object, converted. Return false, and leave the output alone, when the member is absent or
 * has another type or does not fit, as a string with a NUL inside. Strings belong to the object.
 */
bool json_get_string(const json_t *object, const char *key, const char **ret_text);
bool json_get_unsigned(const json_t *object, const char *key, uint64_t max, uint64_t *ret_number);
bool json_get_bool(const json_t *object, const char *key, bool *ret_value);

/**
 * json_get_bytes() - what json_put_bytes() wrote
 *
 * Returns 1 with an allocated slice the caller frees (terminated by a NUL beyond its length), 0 when
 * there is no such member, -EINVAL when it makes no sense, -ENOMEM.
 */
int json_get_bytes(const json_t *object, const char *key, struct slice *ret_bytes);

#endif
