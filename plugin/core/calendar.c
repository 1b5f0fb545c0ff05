/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* calendar.c - see calendar.h.  The algorithms are Howard Hinnant's civil_from_days and
 * days_from_civil: years begin in March, so the leap day is the last day. */
#include "jitr/core/calendar.h"

#include <stdio.h>

#define DAY_MS     INT64_C(86400000)
#define ERA_DAYS   146097 /* days of 400 years */
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

struct civil
civil_of(int64_t ms)
{
	int64_t days = ms / DAY_MS - (ms % DAY_MS < 0), era, year;
	int64_t rest = (ms % DAY_MS + DAY_MS) % DAY_MS;
	unsigned day, month;

	days += EPOCH_DAYS;
	era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
	day = (unsigned)(days - era * ERA_DAYS);
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= (unsigned)(365 * year + year / 4 - year / 100);
	month = (5 * day + 2) / 153;
	return (struct civil){
		.year = year + era * 400 + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day - (153 * month + 2) / 5 + 1,
		.hour = (unsigned)(rest / 3600000),
		.minute = (unsigned)(rest / 60000 % 60),
		.second = (unsigned)(rest / 1000 % 60),
		.ms = (unsigned)(rest % 1000),
	};
}

unsigned
days_in_month(int64_t year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

int64_t
days_since_1970(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
}

void
timestamp_text(int64_t ms, char out[TIMESTAMP_SIZE])
{
	struct civil c = civil_of(ms);

	(void)snprintf(out, TIMESTAMP_SIZE, "%04lld-%02u-%02u %02u:%02u:%02u.%03u",
	    (long long)c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms);
}
