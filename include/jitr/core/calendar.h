/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * calendar.h - dates of the Gregorian calendar, in UTC.
 *
 * The functions of libc depend on its time_t (32 bits end in 2038), and C libraries
 * differ for years before 1970 and of fewer than four digits.  Pure.  Any thread.
 */
#ifndef JITR_CALENDAR_H
#define JITR_CALENDAR_H

#include "jitr/core/base.h"

/* Any time, including before 1970 and years of more or fewer than four digits. */
struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second, ms; /* month and day start at 1 */
};

struct civil civil_of(int64_t ms); /* ms since 1970 */

/* month: 1 to 12. */
unsigned days_in_month(int64_t year, unsigned month);

/* The date must exist. */
int64_t days_since_1970(int64_t year, unsigned month, unsigned day);

/* "2017-08-10 15:37:23.476" (aws-iot B.5); ms since 1970. */
#define TIMESTAMP_SIZE 48
void timestamp_text(int64_t ms, char out[TIMESTAMP_SIZE]);

#endif
