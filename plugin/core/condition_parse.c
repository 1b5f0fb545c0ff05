/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* condition_parse.c - parses operators, numbers, dates, addresses and ARNs of
 * conditions; see condition.h. */
#include <string.h>

#include "jitr/core/calendar.h"
#include "jitr/core/condition.h"

static const struct {
	const char *name;
	struct condition_operator op;
} operators[] = {
	{ "StringEquals", { .comparison = COMPARE_TEXT } },
	{ "StringNotEquals", { .comparison = COMPARE_TEXT, .negated = true } },
	{ "StringEqualsIgnoreCase", { .comparison = COMPARE_TEXT, .folded = true } },
	{ "StringNotEqualsIgnoreCase",
	    { .comparison = COMPARE_TEXT, .folded = true, .negated = true } },
	{ "StringLike", { .comparison = COMPARE_TEXT, .wildcards = true } },
	{ "StringNotLike", { .comparison = COMPARE_TEXT, .wildcards = true, .negated = true } },
	{ "Bool", { .comparison = COMPARE_BOOL } },
	{ "IpAddress", { .comparison = COMPARE_ADDRESS } },
	{ "NotIpAddress", { .comparison = COMPARE_ADDRESS, .negated = true } },
	{ "ArnEquals", { .comparison = COMPARE_ARN } },
	{ "ArnLike", { .comparison = COMPARE_ARN } },
	{ "ArnNotEquals", { .comparison = COMPARE_ARN, .negated = true } },
	{ "ArnNotLike", { .comparison = COMPARE_ARN, .negated = true } },
	{ "NumericEquals", { .comparison = COMPARE_NUMBER, .order = ORDER_EQUAL } },
	{ "NumericNotEquals",
	    { .comparison = COMPARE_NUMBER, .order = ORDER_EQUAL, .negated = true } },
	{ "NumericLessThan", { .comparison = COMPARE_NUMBER, .order = ORDER_LESS } },
	{ "NumericLessThanEquals",
	    { .comparison = COMPARE_NUMBER, .order = ORDER_LESS | ORDER_EQUAL } },
	{ "NumericGreaterThan", { .comparison = COMPARE_NUMBER, .order = ORDER_GREATER } },
	{ "NumericGreaterThanEquals",
	    { .comparison = COMPARE_NUMBER, .order = ORDER_GREATER | ORDER_EQUAL } },
	{ "DateEquals", { .comparison = COMPARE_DATE, .order = ORDER_EQUAL } },
	{ "DateNotEquals", { .comparison = COMPARE_DATE, .order = ORDER_EQUAL, .negated = true } },
	{ "DateLessThan", { .comparison = COMPARE_DATE, .order = ORDER_LESS } },
	{ "DateLessThanEquals", { .comparison = COMPARE_DATE, .order = ORDER_LESS | ORDER_EQUAL } },
	{ "DateGreaterThan", { .comparison = COMPARE_DATE, .order = ORDER_GREATER } },
	{ "DateGreaterThanEquals",
	    { .comparison = COMPARE_DATE, .order = ORDER_GREATER | ORDER_EQUAL } },
	{ "Null", { .comparison = COMPARE_NULL } },
	{ "StringMatches", { .comparison = COMPARE_EXPRESSION } },
	{ "StringNotMatches", { .comparison = COMPARE_EXPRESSION, .negated = true } },
};

static bool
cut_prefix(struct view *v, const char *text)
{
	struct view p = view_of(text);

	if (v->len < p.len || memcmp(v->data, p.data, p.len) != 0)
		return false;
	*v = view_from(*v, p.len);
	return true;
}

static bool
cut_suffix(struct view *v, const char *text)
{
	struct view s = view_of(text);

	if (v->len < s.len || memcmp(v->data + v->len - s.len, s.data, s.len) != 0)
		return false;
	v->len -= s.len;
	return true;
}

bool
operator_parse(struct view name, struct condition_operator *out)
{
	bool all = cut_prefix(&name, "ForAllValues:");
	bool any = !all && cut_prefix(&name, "ForAnyValue:");
	bool if_exists = cut_suffix(&name, "IfExists");

	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (!view_equal(name, view_of(operators[i].name)))
			continue;
		*out = operators[i].op;
		out->all = all;
		out->any = any;
		out->if_exists = if_exists;
		return out->comparison != COMPARE_NULL || !(all || any || if_exists);
	}
	return false;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Takes the leading digits off *rest. */
static struct view
cut_digits(struct view *rest)
{
	struct view digits = { rest->data, 0 };

	while (digits.len < rest->len && is_digit(rest->data[digits.len]))
		digits.len++;
	*rest = view_from(*rest, digits.len);
	return digits;
}

bool
decimal_parse(struct view text, struct decimal *out)
{
	bool negative = cut_prefix(&text, "-"), point;
	struct view whole, fraction = { NULL, 0 };

	if (text.len == 0)
		return false;
	whole = cut_digits(&text);
	point = cut_prefix(&text, ".");
	if (point)
		fraction = cut_digits(&text);
	if (text.len > 0 || whole.len == 0 || (point && fraction.len == 0))
		return false;
	for (; whole.len > 0 && whole.data[0] == '0'; whole.len--)
		whole.data++;
	while (fraction.len > 0 && fraction.data[fraction.len - 1] == '0')
		fraction.len--;
	out->negative = negative && whole.len + fraction.len > 0;
	out->whole = whole;
	out->fraction = fraction;
	return true;
}

static int
digits_order(struct view a, struct view b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order == 0)
		order = (a.len > b.len) - (a.len < b.len);
	return (order > 0) - (order < 0);
}

static int
size_order(const struct decimal *a, const struct decimal *b)
{
	int order = (a->whole.len > b->whole.len) - (a->whole.len < b->whole.len);

	if (order == 0)
		order = digits_order(a->whole, b->whole);
	return order != 0 ? order : digits_order(a->fraction, b->fraction);
}

int
decimal_order(const struct decimal *a, const struct decimal *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? size_order(b, a) : size_order(a, b);
}

/* Takes exactly this many digits off *rest; false if the number is out of range. */
static bool
cut_number(struct view *rest, size_t digits, int64_t min, int64_t max, int64_t *out)
{
	if (rest->len < digits)
		return false;
	*out = 0;
	for (size_t i = 0; i < digits; i++) {
		if (!is_digit(rest->data[i]))
			return false;
		*out = *out * 10 + (rest->data[i] - '0');
	}
	*rest = view_from(*rest, digits);
	return *out >= min && *out <= max;
}

static bool
cut_day(struct view *rest, int64_t *ms)
{
	int64_t year, month, day;

	if (!cut_number(rest, 4, 1, 9999, &year) || !cut_prefix(rest, "-") ||
	    !cut_number(rest, 2, 1, 12, &month) || !cut_prefix(rest, "-") ||
	    !cut_number(rest, 2, 1, days_in_month(year, (unsigned)month), &day))
		return false;
	*ms = days_since_1970(year, (unsigned)month, (unsigned)day) * 86400 * 1000;
	return true;
}

/* ":59" and ".123", both optional. */
static bool
cut_seconds(struct view *rest, int64_t *ms)
{
	struct view fraction;
	int64_t second, unit = 100;

	if (!cut_prefix(rest, ":"))
		return true;
	if (!cut_number(rest, 2, 0, 60, &second))
		return false;
	*ms += second * 1000;
	if (!cut_prefix(rest, "."))
		return true;
	fraction = cut_digits(rest);
	for (size_t i = 0; i < fraction.len && unit > 0; i++, unit /= 10)
		*ms += unit * (fraction.data[i] - '0');
	return fraction.len > 0;
}

static bool
seconds_parse(struct view text, int64_t *ms)
{
	bool negative = cut_prefix(&text, "-");
	int64_t seconds;

	if (text.len == 0 || text.len > 15)
		return false;
	if (!cut_number(&text, text.len, 0, INT64_MAX, &seconds))
		return false;
	*ms = seconds * (negative ? -1000 : 1000);
	return true;
}

bool
date_parse(struct view text, int64_t *ms)
{
	int64_t hour, minute;

	if (seconds_parse(text, ms))
		return true;
	if (!cut_day(&text, ms))
		return false;
	if (text.len == 0)
		return true;
	if (!cut_prefix(&text, "T") || !cut_number(&text, 2, 0, 23, &hour) ||
	    !cut_prefix(&text, ":") || !cut_number(&text, 2, 0, 59, &minute))
		return false;
	*ms += (hour * 60 + minute) * 60 * 1000;
	return cut_seconds(&text, ms) && cut_prefix(&text, "Z") && text.len == 0;
}

bool
bool_parse(struct view text, bool *out)
{
	*out = view_equal_folded(text, view_of("true"));
	return *out || view_equal_folded(text, view_of("false"));
}

static bool
is_ipv4(const struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool
range_parse(struct view text, struct address_range *out)
{
	const uint8_t *slash = memchr(text.len > 0 ? text.data : (const uint8_t *)"", '/',
	    text.len);
	struct view address = text, bits;
	bool ipv4;
	int64_t number;

	if (slash != NULL)
		address.len = (size_t)(slash - text.data);
	out->address = address_parse(address);
	out->bits = 128;
	if (!out->address.known || slash == NULL)
		return out->address.known;
	bits = (struct view){ slash + 1, text.len - address.len - 1 };
	ipv4 = memchr(address.data, ':', address.len) == NULL;
	if (bits.len == 0 || bits.len > 3 ||
	    !cut_number(&bits, bits.len, 0, ipv4 ? 32 : 128, &number))
		return false;
	out->bits = (unsigned)number + (ipv4 ? 96 : 0);
	return true;
}

bool
range_holds(const struct address_range *r, const struct address *a)
{
	unsigned bytes = r->bits / 8, rest = r->bits % 8;

	if (!a->known || is_ipv4(a) != (is_ipv4(&r->address) && r->bits >= 96))
		return false;
	if (memcmp(a->b, r->address.b, bytes) != 0)
		return false;
	return rest == 0 || (a->b[bytes] ^ r->address.b[bytes]) >> (8 - rest) == 0;
}

size_t
arn_parts(struct view text, bool variables, struct view parts[ARN_PARTS])
{
	size_t count = 0, begin = 0;
	bool inside = false;

	for (size_t i = 0; i < text.len && count < ARN_PARTS - 1; i++) {
		uint8_t c = text.data[i];

		if (variables && c == '$' && i + 1 < text.len && text.data[i + 1] == '{')
			inside = true;
		else if (inside && c == '}')
			inside = false;
		if (c != ':' || inside)
			continue;
		parts[count++] = (struct view){ text.data + begin, i - begin };
		begin = i + 1;
	}
	parts[count++] = view_from(text, begin);
	return count;
}

bool
arn_split(struct view text, bool variables, struct view parts[ARN_PARTS])
{
	return arn_parts(text, variables, parts) == ARN_PARTS;
}
