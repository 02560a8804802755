/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes nobody vouches for (names in a file system, command lines, socket names), made safe to print.
 */
#ifndef PD_BASE_TEXT_H
#define PD_BASE_TEXT_H

#include "policyd/base/buffer.h"

/**
 * text_next() - length of the UTF-8 sequence at @data, 0 when there is none
 *
 * Overlong forms, surrogates and numbers above U+10FFFF are not UTF-8 (RFC 3629). @length is at least
 * 1. *ret_rune is the code point.
 */
size_t text_next(const char *data, size_t length, uint32_t *ret_rune);

/** text_is_utf8() - is all of it UTF-8 without NUL bytes? */
bool text_is_utf8(struct slice text);

/**
 * text_is_printable() - may this code point reach a terminal as it is?
 *
 * False for C0 and C1 controls, DEL, line and paragraph separators, what changes the direction of the
 * text or is invisible, and noncharacters: all that could make one name look like another or act on
 * a terminal.
 */
bool text_is_printable(uint32_t rune);

/**
 * text_escape() - append @text for a person to read, on one line
 *
 * Printable UTF-8 stays; a backslash is doubled; any other byte becomes \xNN. So different bytes never
 * look alike as text, and no control byte gets through. At most 4 bytes come out of one.
 */
void text_escape(struct buffer *b, struct slice text);

/** text_unescape() - what text_escape() was given; in place, returns the new length or -1 */
long text_unescape(char *text, size_t length);

#endif
