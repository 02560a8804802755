/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding to somebody else's JSON, of which everything else is to stay as it is, byte for byte: what is parsed and
 * written again may lose what it is made of, as numbers beyond 64 bits.
 */
#ifndef PD_BASE_JSON_SPLICE_H
#define PD_BASE_JSON_SPLICE_H

/**
 * json_splice_first() - a new first item of an array
 * @text: has been parsed: is valid, without duplicate keys
 * @path: names of the objects that the array is in, and its own, from the root on; NULL-terminated. What is
 *        missing, or null, is made. Names that need no escaping
 * @item: JSON
 * @ret:  the new text, for the caller to free
 *
 * 0; -EINVAL: something on the way is no object, or at its end no array; -ENOMEM.
 */
int json_splice_first(const char *text, const char *const *path, const char *item, char **ret);

#endif
