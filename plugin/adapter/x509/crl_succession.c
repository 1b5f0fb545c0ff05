/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_succession.c - may a list replace the one in force?  See crl.h.
 *
 * Any thread.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "jitr/adapter/crl.h"
#include "jitr/core/calendar.h"
#include "jitr/core/crl_scope.h"

static int
number_compare(const struct crl *a, const struct crl *b)
{
	if (a->number_len != b->number_len)
		return a->number_len < b->number_len ? -1 : 1;
	return memcmp(a->number, b->number, a->number_len);
}

struct number_text {
	char hex[2 * CRL_NUMBER_MAX + 1];
};

static struct number_text
number_text(const struct crl *l)
{
	struct number_text t;

	hex_encode((struct view){ l->number, l->number_len }, t.hex);
	return t;
}

static bool
number_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	int order = number_compare(next, present);

	if (order > 0)
		return true;
	if (order == 0)
		diag_set(diag,
		    "another list with the same number (cRLNumber 0x%s) is in force; the CA "
		    "has to give each list a number of its own",
		    number_text(next).hex);
	else
		diag_set(diag,
		    "the list is older than the one in force: its cRLNumber is 0x%s, that "
		    "one has 0x%s",
		    number_text(next).hex, number_text(present).hex);
	return false;
}

static bool
date_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	char from[TIMESTAMP_SIZE], than[TIMESTAMP_SIZE];

	if (next->this_update >= present->this_update)
		return true;
	timestamp_text(next->this_update, from);
	timestamp_text(present->this_update, than);
	diag_set(diag,
	    "the list is older than the one in force: its thisUpdate is %s UTC, that one "
	    "has %s UTC",
	    from, than);
	return false;
}

static bool
succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	if (next->number_len > 0 && present->number_len > 0)
		return number_succeeds(next, present, diag);
	if (present->number_len == 0)
		return date_succeeds(next, present, diag);
	diag_set(diag,
	    "the list has no cRLNumber, the one in force has 0x%s; once a CA numbers its "
	    "lists it has to go on",
	    number_text(present).hex);
	return false;
}

/* The first name of the distribution point, or a description of it. */
struct point_text {
	char text[128];
};

static struct point_text
point_text(const struct crl *l)
{
	struct point_text t = { "a name in its directory" };
	struct view name;
	bool is_text;

	if (crl_scope_name(l, 0, &name, &is_text) && is_text)
		(void)snprintf(t.text, sizeof(t.text), "%.*s", (int)name.len,
		    (const char *)name.data);
	return t;
}

/* A list for one distribution point must not replace a list for another one or for all
 * certificates: certificates named only in the latter would be accepted. */
static bool
point_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	if (next->scope != CRL_SCOPE_POINT || present->scope == CRL_SCOPE_UNKNOWN)
		return true;
	if (present->scope != CRL_SCOPE_POINT)
		diag_set(diag,
		    "the list is only for certificates that name the distribution point "
		    "%s, and the CA has a list for all in force; import the complete "
		    "list, or delete the one in force first",
		    point_text(next).text);
	else if (!crl_scope_same_point(next, present))
		diag_set(diag,
		    "the list is for the distribution point %s, the one in force for %s; a "
		    "CA has one list here: import its complete list, or delete the one "
		    "in force first",
		    point_text(next).text, point_text(present).text);
	else
		return true;
	return false;
}

/* Lists of different scopes have separate numbers (RFC 5280 5.2.3). */
static bool
has_other_numbers(const struct crl *next, const struct crl *present)
{
	return next->scope == CRL_SCOPE_ALL && present->scope == CRL_SCOPE_POINT;
}

/* A list that was stored without its scope is imported again. */
enum err
crl_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	ERR_clear_error();
	if (certid_equal(&next->digest, &present->digest))
		return present->scope == CRL_SCOPE_UNKNOWN ? ERR_OK : ERR_EXISTS;
	if (!point_succeeds(next, present, diag))
		return ERR_CERTIFICATE;
	if (has_other_numbers(next, present))
		return date_succeeds(next, present, diag) ? ERR_OK : ERR_CERTIFICATE;
	return succeeds(next, present, diag) ? ERR_OK : ERR_CERTIFICATE;
}
