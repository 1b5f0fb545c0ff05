/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_scope.c - see crl_scope.h.
 *
 * A place is a DistributionPointName: its names, or a name relative to that of the CA.
 * Names are compared byte by byte.
 */
#include <string.h>

#include "jitr/core/crl_scope.h"

#define CONTEXT_0 0xa0 /* of a SEQUENCE or of what is explicit */
#define CONTEXT_1 0xa1
#define CONTEXT_3 0xa3

#define FULL_NAME     CONTEXT_0
#define RELATIVE_NAME CONTEXT_1

#define NAME_DIRECTORY 0xa4 /* of the GeneralNames */
#define NAME_URI       0x86

#define DER_SET 0x31

#define ONLY_USERS 0x81 /* [1] IMPLICIT BOOLEAN */

static struct view
place_of(const struct crl *list)
{
	return (struct view){ list->place, list->place_len };
}

/*
 * Names.
 */

static bool
names_are_few(struct der place)
{
	struct der name;
	size_t count = 0;

	if (place.tag == RELATIVE_NAME)
		return place.content.len > 0;
	while (place.content.len > 0)
		if (!der_next(&place.content, &name) || ++count > CRL_PLACE_NAMES_MAX)
			return false;
	return place.tag == FULL_NAME && count > 0;
}

/* Is this a whole DistributionPointName that can be compared? */
static bool
take_place(struct view bytes, struct der *out)
{
	return der_next(&bytes, out) && bytes.len == 0 && names_are_few(*out);
}

static bool
has_name(struct view names, struct view wanted)
{
	struct der name;

	while (der_next(&names, &name))
		if (view_equal(name.whole, wanted))
			return true;
	return false;
}

static bool
have_common_name(struct view a, struct view b)
{
	struct der name;

	while (der_next(&a, &name))
		if (has_name(b, name.whole))
			return true;
	return false;
}

/* The issuer's name and, behind it, the relative one, which is a SET without its tag. */
static bool
is_relative_of(struct view directory, struct view issuer, struct view relative)
{
	struct der name, of, last;

	if (!der_take(&directory, DER_SEQUENCE, &name) || !der_take(&issuer, DER_SEQUENCE, &of) ||
	    name.content.len <= of.content.len ||
	    memcmp(name.content.data, of.content.data, of.content.len) != 0)
		return false;
	name.content.data += of.content.len;
	name.content.len -= of.content.len;
	return der_take(&name.content, DER_SET, &last) && name.content.len == 0 &&
	    view_equal(last.content, relative);
}

static bool
has_relative_name(struct view names, struct view issuer, struct view relative)
{
	struct der name;

	while (der_next(&names, &name))
		if (name.tag == NAME_DIRECTORY && is_relative_of(name.content, issuer, relative))
			return true;
	return false;
}

/* issuer: empty, where it is not known. */
static bool
places_match(const struct der *a, const struct der *b, struct view issuer)
{
	if (a->tag == RELATIVE_NAME && b->tag == RELATIVE_NAME)
		return view_equal(a->content, b->content);
	if (a->tag == RELATIVE_NAME)
		return has_relative_name(b->content, issuer, a->content);
	if (b->tag == RELATIVE_NAME)
		return has_relative_name(a->content, issuer, b->content);
	return have_common_name(a->content, b->content);
}

/*
 * The list.
 */

static bool
keep_place(struct view bytes, struct crl *out)
{
	struct der place;

	if (bytes.len > CRL_PLACE_MAX || !take_place(bytes, &place))
		return false;
	memcpy(out->place, bytes.data, bytes.len);
	out->place_len = (uint16_t)bytes.len;
	out->scope = CRL_SCOPE_PLACE;
	return true;
}

bool
crl_scope_read(struct view extension, struct crl *out)
{
	struct der all, value;

	out->scope = CRL_SCOPE_ALL;
	if (!der_take(&extension, DER_SEQUENCE, &all) || extension.len > 0)
		return false;
	if (der_take(&all.content, CONTEXT_0, &value) && !keep_place(value.content, out))
		return false;
	while (all.content.len > 0) {
		if (!der_next(&all.content, &value))
			return false;
		if (value.tag == ONLY_USERS)
			out->only_users = value.content.len == 1 && value.content.data[0] != 0;
	}
	return true;
}

bool
crl_scope_is_limited(const struct crl *list)
{
	return list->scope == CRL_SCOPE_PLACE || list->only_users;
}

bool
crl_scope_same_place(const struct crl *a, const struct crl *b)
{
	struct der place_a, place_b;

	return take_place(place_of(a), &place_a) && take_place(place_of(b), &place_b) &&
	    places_match(&place_a, &place_b, (struct view){ NULL, 0 });
}

bool
crl_scope_name(const struct crl *list, size_t nth, struct view *name, bool *is_text)
{
	struct der place, value;

	if (!take_place(place_of(list), &place))
		return false;
	if (place.tag == RELATIVE_NAME) {
		*name = place.whole;
		*is_text = false;
		return nth == 0;
	}
	do {
		if (!der_next(&place.content, &value))
			return false;
	} while (nth-- > 0);
	*is_text = value.tag == NAME_URI;
	*name = *is_text ? value.content : value.whole;
	return true;
}

/*
 * The certificate.
 */

struct certificate {
	struct view issuer; /* whole; empty: not found */
	struct view extensions;
};

static void
skip(struct view *rest, uint8_t tag)
{
	struct der value;
	bool there = der_take(rest, tag, &value);

	(void)there;
}

/* RFC 5280 4.1.2: version, serial number, algorithm, issuer, dates, subject, key, and what
 * is optional behind them. */
static bool
read_certificate(struct view der, struct certificate *out)
{
	struct der outer, tbs, value;

	*out = (struct certificate){ .issuer = { NULL, 0 } };
	if (!der_take(&der, DER_SEQUENCE, &outer) || der.len > 0 ||
	    !der_take(&outer.content, DER_SEQUENCE, &tbs))
		return false;
	skip(&tbs.content, DER_CONTEXT_0);
	if (!der_take(&tbs.content, DER_INTEGER, &value) ||
	    !der_take(&tbs.content, DER_SEQUENCE, &value) ||
	    !der_take(&tbs.content, DER_SEQUENCE, &value))
		return false;
	out->issuer = value.whole;
	while (tbs.content.len > 0) {
		if (!der_next(&tbs.content, &value))
			return false;
		if (value.tag == CONTEXT_3 && !der_take(&value.content, DER_SEQUENCE, &outer))
			return false;
		if (value.tag == CONTEXT_3)
			out->extensions = outer.content;
	}
	return true;
}

/* False: it cannot be read.  One that is not there has an empty value. */
static bool
find_extension(struct view all, uint8_t number, struct view *out)
{
	const uint8_t id[] = { 0x55, 0x1d, number }; /* 2.5.29.number */
	struct der extension, oid, value;

	*out = (struct view){ NULL, 0 };
	while (all.len > 0) {
		if (!der_take(&all, DER_SEQUENCE, &extension) ||
		    !der_take(&extension.content, DER_OID, &oid))
			return false;
		skip(&extension.content, DER_BOOLEAN);
		if (!der_take(&extension.content, DER_OCTET_STRING, &value))
			return false;
		if (view_equal(oid.content, (struct view){ id, sizeof(id) }))
			*out = value.content;
	}
	return true;
}

enum { BASIC_CONSTRAINTS = 19, DISTRIBUTION_POINTS = 31 };

/* Unreadable is as good as yes: a list of users' certificates is not about it. */
static bool
may_be_ca(const struct certificate *c)
{
	struct view value;
	struct der constraints, ca;

	if (!find_extension(c->extensions, BASIC_CONSTRAINTS, &value))
		return true;
	if (value.len == 0)
		return false;
	if (!der_take(&value, DER_SEQUENCE, &constraints))
		return true;
	return der_take(&constraints.content, DER_BOOLEAN, &ca) &&
	    (ca.content.len != 1 || ca.content.data[0] != 0);
}

/* One with reasons stands for these alone, one with a cRLIssuer for a list of another
 * issuer: neither is answered by a list of the CA for all reasons. */
static bool
point_matches(struct der point, const struct der *place, struct view issuer)
{
	struct der name, its_place;

	return der_take(&point.content, CONTEXT_0, &name) && point.content.len == 0 &&
	    take_place(name.content, &its_place) && places_match(&its_place, place, issuer);
}

static bool
any_point_matches(struct view points, const struct der *place, struct view issuer)
{
	struct der all, point;
	size_t count = 0;

	if (!der_take(&points, DER_SEQUENCE, &all))
		return false;
	while (count++ < CRL_PLACE_NAMES_MAX && der_take(&all.content, DER_SEQUENCE, &point))
		if (point_matches(point, place, issuer))
			return true;
	return false;
}

/* A list that is published under the CA's own name. */
static bool
is_place_of_issuer(const struct der *place, struct view issuer)
{
	struct view names = place->content;
	struct der name;

	while (place->tag == FULL_NAME && der_next(&names, &name))
		if (name.tag == NAME_DIRECTORY && view_equal(name.content, issuer))
			return true;
	return false;
}

static bool
is_of_place(const struct crl *list, const struct certificate *c)
{
	struct view points;
	struct der place;

	return take_place(place_of(list), &place) &&
	    find_extension(c->extensions, DISTRIBUTION_POINTS, &points) &&
	    (any_point_matches(points, &place, c->issuer) || is_place_of_issuer(&place, c->issuer));
}

bool
crl_scope_covers(const struct crl *list, struct view certificate)
{
	struct certificate c;

	if (!crl_scope_is_limited(list))
		return true;
	return read_certificate(certificate, &c) && !(list->only_users && may_be_ca(&c)) &&
	    (list->scope != CRL_SCOPE_PLACE || is_of_place(list, &c));
}
