/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* issuer.c - see issuer.h. */
#include <string.h>

#include "jitr/service/issuer.h"

#include "jitr/service/registry.h"
#include "jitr/adapter/x509.h"

void
issuer_cache_clear(struct issuer_cache *c)
{
	for (size_t i = 0; i < ISSUER_CACHE_SIZE; i++)
		x509_free(c->entry[i].x);
	memset(c, 0, sizeof(*c));
}

static enum err
parse_ca(struct txn *t, const struct certid *id, struct x509_st **out)
{
	struct ca_document document;
	enum err e = store_get_ca_document(t, id, &document);

	if (e == ERR_OK)
		e = x509_from_der(document.der, out, NULL);
	return e == ERR_CERTIFICATE ? ERR_CORRUPT : e;
}

/* The entry of this CA, a free one, or the least recently used one. */
static size_t
cache_slot(const struct issuer_cache *c, const struct certid *id)
{
	size_t oldest = 0;

	for (size_t i = 0; i < ISSUER_CACHE_SIZE; i++) {
		if (c->entry[i].x != NULL && certid_equal(&c->entry[i].id, id))
			return i;
		if (c->entry[i].used < c->entry[oldest].used)
			oldest = i;
	}
	return oldest;
}

enum err
issuer_get_ca(struct txn *t, struct issuer_cache *c, const struct certid *id, struct x509_st **out)
{
	size_t i;
	enum err e;

	if (c == NULL)
		return parse_ca(t, id, out);
	i = cache_slot(c, id);
	if (c->entry[i].x == NULL || !certid_equal(&c->entry[i].id, id)) {
		e = parse_ca(t, id, out);
		if (e != ERR_OK)
			return e;
		x509_free(c->entry[i].x);
		c->entry[i].x = *out;
		c->entry[i].id = *id;
	}
	c->entry[i].used = ++c->clock;
	*out = c->entry[i].x;
	x509_hold(*out);
	return ERR_OK;
}

static bool
key_ids_differ(struct view a, struct view b)
{
	return a.len > 0 && b.len > 0 && (a.len != b.len || memcmp(a.data, b.data, a.len) != 0);
}

static int
rank(const struct ca *ca)
{
	return (ca->status == CA_ACTIVE ? 2 : 0) + (ca->auto_registration ? 1 : 0);
}

static bool
is_preferred(const struct ca *a, const struct ca *b)
{
	return rank(a) != rank(b) ? rank(a) > rank(b) : a->created > b->created;
}

/* A certificate, and where to search for its issuer. */
struct search {
	struct txn *t;
	struct issuer_cache *cache; /* may be NULL */
	struct x509_st *x;
	struct issuer_hint hint;
};

/* Checks a CA of the right name: did it sign? */
static enum err
check_ca(const struct search *s, const struct ca *ca, struct issuer *out)
{
	struct x509_st *parsed;
	enum answer issued;
	enum err e;

	if (out->issued == ANSWER_NOT_ASKED) {
		out->issued = ANSWER_NO;
		out->ca = *ca;
	}
	if (key_ids_differ(s->hint.key_id, ca->key_id))
		return ERR_OK;
	e = issuer_get_ca(s->t, s->cache, &ca->id, &parsed);
	if (e != ERR_OK)
		return e;
	issued = x509_issued_by(s->x, parsed);
	x509_free(parsed);
	if (issued == ANSWER_NOT_ASKED)
		return ERR_NOMEM;
	if (issued != ANSWER_YES)
		return ERR_OK;
	if (out->matches++ == 0 || is_preferred(ca, &out->ca))
		out->ca = *ca;
	out->issued = ANSWER_YES;
	return ERR_OK;
}

enum err
issuer_find(struct txn *t, struct issuer_cache *cache, struct x509_st *x, struct issuer *out)
{
	struct search s = { .t = t, .cache = cache, .x = x };
	struct ca ca;
	enum err e = x509_issuer_hint(x, &s.hint);

	memset(out, 0, sizeof(*out));
	for (size_t nth = 0; e == ERR_OK && nth < CA_SAME_SUBJECT_MAX; nth++) {
		e = store_find_issuer(t, s.hint.subject_hash, nth, &ca);
		if (e == ERR_OK)
			e = check_ca(&s, &ca, out);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Has a CA of this name and key identifier expired, or is it not yet valid? */
static enum err
find_outside_validity(const struct search *s, int64_t now, bool *out)
{
	struct ca ca;
	enum err e = ERR_OK;

	*out = false;
	for (size_t nth = 0; e == ERR_OK && !*out && nth < CA_SAME_SUBJECT_MAX; nth++) {
		e = store_find_issuer(s->t, s->hint.subject_hash, nth, &ca);
		*out = e == ERR_OK && !ca_is_valid(&ca, now) &&
		    !key_ids_differ(s->hint.key_id, ca.key_id);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A valid CA replaces one that is not. */
static enum err
check_validity(const struct search *s, const struct ca *ca, int64_t now, struct ca *out,
    bool *found)
{
	struct issuer one = { .issued = ANSWER_NOT_ASKED };
	enum err e = check_ca(s, ca, &one);

	if (e != ERR_OK || one.issued != ANSWER_YES)
		return e;
	if (!*found || ca_is_valid(ca, now))
		*out = *ca;
	*found = true;
	return ERR_OK;
}

enum err
issuer_validity(struct txn *t, struct issuer_cache *cache, struct x509_st *x, int64_t now,
    struct ca *out, bool *found)
{
	struct search s = { .t = t, .cache = cache, .x = x };
	struct ca ca;
	bool outside = *found;
	enum err e = x509_issuer_hint(x, &s.hint);

	if (e == ERR_OK && !outside)
		e = find_outside_validity(&s, now, &outside);
	for (size_t nth = 0; e == ERR_OK && outside && nth < CA_SAME_SUBJECT_MAX; nth++) {
		e = store_find_issuer(t, s.hint.subject_hash, nth, &ca);
		if (e == ERR_OK)
			e = check_validity(&s, &ca, now, out, found);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
