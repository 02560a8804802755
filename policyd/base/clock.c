// SPDX-License-Identifier: GPL-2.0-or-later
#include "policyd/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000
#define US_PER_S 1000000
#define DAY_S 86400

static int64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

int64_t clock_real_us(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000;
}

int64_t clock_offset_ns(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar and back, for years 0 to 9999: eras of
 * 400 years that begin on the first of March (Howard Hinnant, chrono-compatible date algorithms). */
static void date_from_days(int64_t days, unsigned int *year, unsigned int *month, unsigned int *day)
{
	unsigned int shifted = (unsigned int)(days + 719468);
	unsigned int era = shifted / 146097, of_era = shifted % 146097;
	unsigned int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * y + y / 4 - y / 100);
	unsigned int m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

static int64_t days_from_date(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int y = year + 400 - (month <= 2); /* one era up: never negative */
	unsigned int era = y / 400, of_era_year = y % 400;
	unsigned int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned int of_era = of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + of_year;

	return (int64_t)era * 146097 + of_era - 719468 - 146097;
}

void clock_utc(struct buffer *b, int64_t real_us)
{
	const int64_t first = days_from_date(1, 1, 1) * DAY_S * US_PER_S;
	const int64_t last = days_from_date(10000, 1, 1) * DAY_S * US_PER_S - 1;
	unsigned int year, month, day, second, micro;
	int64_t days, rest;

	real_us = real_us < first ? first : real_us > last ? last : real_us;
	days = real_us / ((int64_t)DAY_S * US_PER_S);
	rest = real_us % ((int64_t)DAY_S * US_PER_S);
	if (rest < 0) {
		days--;
		rest += (int64_t)DAY_S * US_PER_S;
	}
	second = (unsigned int)(rest / US_PER_S);
	micro = (unsigned int)(rest % US_PER_S);
	date_from_days(days, &year, &month, &day);
	buffer_padded(b, year, 4);
	buffer_byte(b, '-');
	buffer_padded(b, month, 2);
	buffer_byte(b, '-');
	buffer_padded(b, day, 2);
	buffer_byte(b, 'T');
	buffer_padded(b, second / 3600, 2);
	buffer_byte(b, ':');
	buffer_padded(b, second / 60 % 60, 2);
	buffer_byte(b, ':');
	buffer_padded(b, second % 60, 2);
	buffer_byte(b, '.');
	buffer_padded(b, micro, 6);
	buffer_byte(b, 'Z');
}

/* Exactly @digits decimal digits. */
static bool take_number(const char **text, unsigned int digits, unsigned int *ret_number)
{
	unsigned int number = 0;

	for (unsigned int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (unsigned int)(**text - '0');
	}
	*ret_number = number;
	return true;
}

static bool take_byte(const char **text, char byte)
{
	if (**text != byte)
		return false;
	(*text)++;
	return true;
}

int clock_parse_utc(const char *text, int64_t *ret_real_us)
{
	unsigned int year, month, day, hour, minute, second, micro = 0, scale = US_PER_S / 10;

	if (!take_number(&text, 4, &year) || !take_byte(&text, '-') ||
	    !take_number(&text, 2, &month) || !take_byte(&text, '-') ||
	    !take_number(&text, 2, &day) || !take_byte(&text, 'T') ||
	    !take_number(&text, 2, &hour) || !take_byte(&text, ':') ||
	    !take_number(&text, 2, &minute) || !take_byte(&text, ':') ||
	    !take_number(&text, 2, &second))
		return -EINVAL;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60)
		return -EINVAL;
	if (take_byte(&text, '.')) {
		for (int i = 0; i < 9 && *text >= '0' && *text <= '9'; i++, text++) {
			micro += (unsigned int)(*text - '0') * scale;
			scale /= 10;
		}
	}
	if (!take_byte(&text, 'Z') || *text)
		return -EINVAL;
	*ret_real_us =
		(days_from_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second) *
			US_PER_S +
		micro;
	return 0;
}

void clock_local(struct buffer *b, int64_t real_us, bool date)
{
	time_t seconds = (time_t)(real_us / US_PER_S);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return;
	if (date) {
		buffer_padded(b, (uint64_t)tm.tm_year + 1900, 4);
		buffer_byte(b, '-');
		buffer_padded(b, (uint64_t)tm.tm_mon + 1, 2);
		buffer_byte(b, '-');
		buffer_padded(b, (uint64_t)tm.tm_mday, 2);
		buffer_byte(b, ' ');
	}
	buffer_padded(b, (uint64_t)tm.tm_hour, 2);
	buffer_byte(b, ':');
	buffer_padded(b, (uint64_t)tm.tm_min, 2);
	buffer_byte(b, ':');
	buffer_padded(b, (uint64_t)tm.tm_sec, 2);
}
