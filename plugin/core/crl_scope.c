/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_scope.c - see crl_scope.h.
 *
 * A distribution point is stored as a DistributionPointName (RFC 5280 4.2.1.13):
 * GeneralNames, or a name relative to that of the CA.  Names are compared byte by byte.
 */
#include <string.h>

#include "jitr/core/crl_scope.h"

#define CONTEXT_0 0xa0 /* constructed, of a SEQUENCE or EXPLICIT */
#define CONTEXT_1 0xa1
#define CONTEXT_3 0xa3

#define FULL_NAME     CONTEXT_0
#define RELATIVE_NAME CONTEXT_1

#define NAME_DIRECTORY 0xa4 /* GeneralName tags */
#define NAME_URI       0x86

#define DER_SET 0x31

#define ONLY_USERS 0x81 /* [1] IMPLICIT BOOLEAN */

static struct view
point_name_of(const struct crl *list)
{
	return (struct view){ list->point, list->point_len };
}

/*
 * Names.
 */

static bool
names_are_few(struct der point_name)
{
	struct der name;
	size_t count = 0;

	if (point_name.tag == RELATIVE_NAME)
		return point_name.content.len > 0;
	while (point_name.content.len > 0)
		if (!der_next(&point_name.content, &name) || ++count > CRL_POINT_NAMES_MAX)
			return false;
	return point_name.tag == FULL_NAME && count > 0;
}

/* Parses exactly one DistributionPointName with a supported number of names. */
static bool
take_point_name(struct view bytes, struct der *out)
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

/* Is directory the issuer's name followed by relative, which is a SET without its tag? */
static bool
is_relative_of(struct view directory, struct view issuer, struct view relative)
{
	struct der name, of, last;

	if (!der_take(&directory, DER_SEQUENCE, &name) || !der_take(&issuer, DER_SEQUENCE, &of) ||
	    name.content.len <= of.content.len ||
	    memcmp(name.content.data, of.content.data, of.content.len) != 0)
		return false;
	name.content = view_from(name.content, of.content.len);
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

/* issuer: empty if unknown. */
static bool
point_names_match(const struct der *a, const struct der *b, struct view issuer)
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
 * Lists.
 */

static bool
keep_point_name(struct view bytes, struct crl *out)
{
	struct der point_name;

	if (bytes.len > CRL_POINT_MAX || !take_point_name(bytes, &point_name))
		return false;
	memcpy(out->point, bytes.data, bytes.len);
	out->point_len = (uint16_t)bytes.len;
	out->scope = CRL_SCOPE_POINT;
	return true;
}

bool
crl_scope_read(struct view extension, struct crl *out)
{
	struct der all, value;

	out->scope = CRL_SCOPE_ALL;
	if (!der_take(&extension, DER_SEQUENCE, &all) || extension.len > 0)
		return false;
	if (der_take(&all.content, CONTEXT_0, &value) && !keep_point_name(value.content, out))
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
	return list->scope == CRL_SCOPE_POINT || list->only_users;
}

bool
crl_scope_same_point(const struct crl *a, const struct crl *b)
{
	struct der name_a, name_b;

	return take_point_name(point_name_of(a), &name_a) &&
	    take_point_name(point_name_of(b), &name_b) &&
	    point_names_match(&name_a, &name_b, (struct view){ NULL, 0 });
}

bool
crl_scope_name(const struct crl *list, size_t nth, struct view *name, bool *is_text)
{
	struct der point_name, value;

	if (!take_point_name(point_name_of(list), &point_name))
		return false;
	if (point_name.tag == RELATIVE_NAME) {
		*name = point_name.whole;
		*is_text = false;
		return nth == 0;
	}
	do {
		if (!der_next(&point_name.content, &value))
			return false;
	} while (nth-- > 0);
	*is_text = value.tag == NAME_URI;
	*name = *is_text ? value.content : value.whole;
	return true;
}

/*
 * Certificates.
 */

struct certificate {
	struct view issuer; /* complete value; empty if not found */
	struct view extensions;
};

static void
skip(struct view *rest, uint8_t tag)
{
	struct der value;
	bool there = der_take(rest, tag, &value);

	(void)there;
}

/* RFC 5280 4.1.2: version, serialNumber, signature, issuer, then validity, subject,
 * subjectPublicKeyInfo and optional fields. */
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

/* Finds the extension 2.5.29.number.  False: malformed.  *out is empty if it is absent. */
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

/* A malformed certificate counts as a CA certificate: a list for users only does not
 * cover it. */
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

/* A distribution point with reasons or cRLIssuer does not match: it refers to a list
 * for these reasons only, or of another issuer. */
static bool
point_matches(struct der point, const struct der *point_name, struct view issuer)
{
	struct der name, own_name;

	return der_take(&point.content, CONTEXT_0, &name) && point.content.len == 0 &&
	    take_point_name(name.content, &own_name) &&
	    point_names_match(&own_name, point_name, issuer);
}

static bool
any_point_matches(struct view points, const struct der *point_name, struct view issuer)
{
	struct der all, point;
	size_t count = 0;

	if (!der_take(&points, DER_SEQUENCE, &all))
		return false;
	while (count++ < CRL_POINT_NAMES_MAX && der_take(&all.content, DER_SEQUENCE, &point))
		if (point_matches(point, point_name, issuer))
			return true;
	return false;
}

/* Does the distribution point contain the CA's own name? */
static bool
is_name_of_issuer(const struct der *point_name, struct view issuer)
{
	struct view names = point_name->content;
	struct der name;

	while (point_name->tag == FULL_NAME && der_next(&names, &name))
		if (name.tag == NAME_DIRECTORY && view_equal(name.content, issuer))
			return true;
	return false;
}

static bool
covers_point_of(const struct crl *list, const struct certificate *c)
{
	struct view points;
	struct der point_name;

	return take_point_name(point_name_of(list), &point_name) &&
	    find_extension(c->extensions, DISTRIBUTION_POINTS, &points) &&
	    (any_point_matches(points, &point_name, c->issuer) ||
		is_name_of_issuer(&point_name, c->issuer));
}

bool
crl_scope_covers(const struct crl *list, struct view certificate)
{
	struct certificate c;

	if (!crl_scope_is_limited(list))
		return true;
	return read_certificate(certificate, &c) && !(list->only_users && may_be_ca(&c)) &&
	    (list->scope != CRL_SCOPE_POINT || covers_point_of(list, &c));
}
