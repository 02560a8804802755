/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks, and moments as text. Not "time.h": that name is the C library's. */
#ifndef PD_BASE_CLOCK_H
#define PD_BASE_CLOCK_H

#include "policyd/base/buffer.h"

/** clock_boot_ns() - CLOCK_BOOTTIME: what events carry; runs on during suspend */
uint64_t clock_boot_ns(void);

/** clock_real_us() - microseconds since 1970 UTC */
int64_t clock_real_us(void);

/** clock_offset_ns() - to be added to CLOCK_BOOTTIME to get nanoseconds since 1970, as of now */
int64_t clock_offset_ns(void);

#define CLOCK_UTC_LENGTH 27 /* 2025-01-31T10:32:05.123456Z */

/** clock_utc() - RFC 3339 with microseconds; years 0 to 9999, others are clamped */
void clock_utc(struct buffer *b, int64_t real_us);

/** clock_parse_utc() - the reverse, with 0 to 9 digits of fraction. Returns 0 or -EINVAL. */
int clock_parse_utc(const char *text, int64_t *ret_real_us);

/** clock_local() - [2025-01-31 ]10:32:05 in the local time zone */
void clock_local(struct buffer *b, int64_t real_us, bool date);

#endif
