/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* der.c - see der.h. */
#include <string.h>

#include "jitr/core/der.h"
#include "jitr/core/calendar.h"
#include "jitr/core/model.h"

#define TAG_NUMBER  0x1f /* all bits set: the tag number is in the following bytes */
#define LONG_LENGTH 0x80 /* the length is in this many following bytes */

/* Takes a length off *rest.  X.690 10.1: the short form up to 127, otherwise as few
 * bytes as possible; 0x80 alone is BER's indefinite length. */
static bool
take_length(struct view *rest, size_t *len)
{
	size_t count;

	if (rest->len == 0)
		return false;
	*len = rest->data[0];
	count = *len < LONG_LENGTH ? 0 : *len - LONG_LENGTH;
	*rest = view_from(*rest, 1);
	if (*len < LONG_LENGTH)
		return true;
	if (count == 0 || count > sizeof(*len) || count > rest->len || rest->data[0] == 0)
		return false;
	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len = *len << 8 | rest->data[i];
	*rest = view_from(*rest, count);
	return *len >= LONG_LENGTH;
}

/* Tag 0 is the end of an indefinite length in BER (X.690 8.1.5). */
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
	at = view_from(at, 1);
	if (!take_length(&at, &len) || len > at.len)
		return false;
	out->tag = rest->data[0];
	out->content = (struct view){ at.data, len };
	out->whole = (struct view){ rest->data, rest->len - at.len + len };
	*rest = view_from(at, len);
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

/* Takes this many decimal digits off *rest. */
static bool
take_digits(struct view *rest, size_t count, unsigned *value)
{
	*value = 0;
	if (rest->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return false;
		*value = *value * 10 + (unsigned)(rest->data[i] - '0');
	}
	*rest = view_from(*rest, count);
	return true;
}

/* UTCTime has a two-digit year: 1950 to 2049 (RFC 5280 4.1.2.5.1). */
static bool
take_year(struct view *rest, uint8_t tag, unsigned *year)
{
	if (tag == DER_GENERALIZED_TIME)
		return take_digits(rest, 4, year);
	if (tag != DER_UTC_TIME || !take_digits(rest, 2, year))
		return false;
	*year += *year < 50 ? 2000 : 1900;
	return true;
}

/* Seconds are present and without fractions, the zone is Z (RFC 5280 4.1.2.5); leap
 * seconds are not allowed. */
bool
der_time(const struct der *value, int64_t *ms)
{
	struct view rest = value->content;
	unsigned year, month, day, hour, minute, second;

	*ms = 0;
	if (!take_year(&rest, value->tag, &year) || !take_digits(&rest, 2, &month) ||
	    !take_digits(&rest, 2, &day) || !take_digits(&rest, 2, &hour) ||
	    !take_digits(&rest, 2, &minute) || !take_digits(&rest, 2, &second))
		return false;
	if (rest.len != 1 || rest.data[0] != 'Z')
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
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
		return none; /* a version and nothing else */
	if (value.tag != DER_INTEGER || value.content.len > SERIAL_MAX ||
	    !der_is_shortest(value.content))
		return none;
	return value.content;
}
