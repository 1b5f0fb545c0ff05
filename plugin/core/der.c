/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* der.c - see der.h. */
#include <string.h>

#include "jitr/core/der.h"
#include "jitr/core/model.h"

#define TAG_NUMBER  0x1f /* all set: the number follows in bytes of its own */
#define LONG_LENGTH 0x80 /* the length follows, in so many bytes */

/* Takes a length off *rest.  X.690 10.1: the short form up to 127, otherwise
 * as few bytes as it needs; 0x80 alone is BER's indefinite length. */
static bool
take_length(struct view *rest, size_t *len)
{
	size_t count;

	if (rest->len == 0)
		return false;
	*len = rest->data[0];
	count = *len < LONG_LENGTH ? 0 : *len - LONG_LENGTH;
	rest->data++;
	rest->len--;
	if (*len < LONG_LENGTH)
		return true;
	if (count == 0 || count > sizeof(*len) || count > rest->len || rest->data[0] == 0)
		return false;
	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len = *len << 8 | rest->data[i];
	rest->data += count;
	rest->len -= count;
	return *len >= LONG_LENGTH;
}

/* Tag 0 is BER's end of what has no length (X.690 8.1.5). */
static bool
is_tag(uint8_t byte)
{
	return byte != 0 && (byte & TAG_NUMBER) != TAG_NUMBER;
}

bool
der_next(struct view *rest, struct der *out)
{
	struct view at = *rest;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (at.len == 0 || !is_tag(at.data[0]))
		return false;
	at.data++;
	at.len--;
	if (!take_length(&at, &len) || len > at.len)
		return false;
	out->tag = rest->data[0];
	out->content = (struct view){ at.data, len };
	out->whole = (struct view){ rest->data, rest->len - at.len + len };
	*rest = (struct view){ at.data + len, at.len - len };
	return true;
}

bool
der_take(struct view *rest, uint8_t tag, struct der *out)
{
	struct view before = *rest;

	if (der_next(rest, out) && out->tag == tag)
		return true;
	*rest = before;
	memset(out, 0, sizeof(*out));
	return false;
}

/* So many decimal digits, taken off *rest. */
static bool
take_digits(struct view *rest, size_t count, int *value)
{
	*value = 0;
	if (rest->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return false;
		*value = *value * 10 + (rest->data[i] - '0');
	}
	rest->data += count;
	rest->len -= count;
	return true;
}

/* UTCTime has two digits: 1950 to 2049 (RFC 5280 4.1.2.5.1). */
static bool
take_year(struct view *rest, uint8_t tag, int *year)
{
	if (tag == DER_GENERALIZED_TIME)
		return take_digits(rest, 4, year);
	if (tag != DER_UTC_TIME || !take_digits(rest, 2, year))
		return false;
	*year += *year < 50 ? 2000 : 1900;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of(int month, int year)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the first of January of the year 0 to that of this year. */
static int64_t
days_before(int year)
{
	int last = year - 1;

	return year == 0 ? 0 : year * INT64_C(365) + last / 4 - last / 100 + last / 400 + 1;
}

/* libc's timegm() ends in 2038 where time_t has 32 bits. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t days = days_before(year) - days_before(1970) + day - 1;

	for (int m = 1; m < month; m++)
		days += days_of(m, year);
	return days;
}

/* Seconds are there and without fractions, the zone is Z (RFC 5280 4.1.2.5);
 * there is no leap second. */
bool
der_time(const struct der *value, int64_t *ms)
{
	struct view rest = value->content;
	int year, month, day, hour, minute, second;

	*ms = 0;
	if (!take_year(&rest, value->tag, &year) || !take_digits(&rest, 2, &month) ||
	    !take_digits(&rest, 2, &day) || !take_digits(&rest, 2, &hour) ||
	    !take_digits(&rest, 2, &minute) || !take_digits(&rest, 2, &second))
		return false;
	if (rest.len != 1 || rest.data[0] != 'Z')
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_of(month, year) || hour > 23 ||
	    minute > 59 || second > 59)
		return false;
	*ms = (((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) *
	    1000;
	return true;
}

/* X.690 8.3.2: the first nine bits of an INTEGER are not all the same. */
bool
der_is_shortest(struct view integer)
{
	if (integer.len < 2)
		return integer.len == 1;
	if (integer.data[0] != 0x00 && integer.data[0] != 0xff)
		return true;
	return (integer.data[0] & 0x80) != (integer.data[1] & 0x80);
}

static bool
take_signed_part(struct view certificate, struct der *tbs)
{
	struct der outer;

	return der_take(&certificate, DER_SEQUENCE, &outer) && certificate.len == 0 &&
	    der_take(&outer.content, DER_SEQUENCE, tbs);
}

struct view
der_certificate_signed_part(struct view certificate)
{
	struct der tbs;

	return take_signed_part(certificate, &tbs) ? tbs.whole : (struct view){ NULL, 0 };
}

struct view
der_certificate_serial(struct view certificate)
{
	static const struct view none;
	struct der tbs, value;

	if (!take_signed_part(certificate, &tbs) || !der_next(&tbs.content, &value))
		return none;
	if (value.tag == DER_CONTEXT_0 && !der_next(&tbs.content, &value))
		return none; /* the version, and nothing behind it */
	if (value.tag != DER_INTEGER || value.content.len > SERIAL_MAX ||
	    !der_is_shortest(value.content))
		return none;
	return value.content;
}
