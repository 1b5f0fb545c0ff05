/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* signature_variants.c - see signature_variants.h. */
#include <string.h>

#include "jitr/service/signature_variants.h"

/* The lowest rank is primary. */
static int
rank(const struct cert *c)
{
	switch (c->status) {
	case CERT_REVOKED:
		return 0;
	case CERT_INACTIVE:
	case CERT_ACTIVE:
		return 1;
	case CERT_PENDING_TRANSFER:
	case CERT_PENDING_ACTIVATION:
		break;
	}
	return 2;
}

static bool
comes_before(const struct cert *a, const struct cert *b)
{
	if (rank(a) != rank(b))
		return rank(a) < rank(b);
	if (a->created != b->created)
		return a->created < b->created;
	return memcmp(&a->id, &b->id, sizeof(a->id)) < 0;
}

/* The first of ids other than id, and their number.  A row without a record is damage. */
static enum err
find_first(struct txn *t, const struct certid *ids, size_t count, const struct certid *id,
    struct cert *first, size_t *others)
{
	struct cert cert;
	enum err e = ERR_OK;

	*others = 0;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (certid_equal(&ids[i], id))
			continue;
		e = store_get_cert(t, &ids[i], &cert);
		if (e == ERR_OK && ((*others)++ == 0 || comes_before(&cert, first)))
			*first = cert;
	}
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* Its record says so: no index needs to be read. */
static bool
is_alone(const struct cert *own_or_null)
{
	return own_or_null != NULL && !own_or_null->shared;
}

enum err
variants_find(struct txn *t, const struct certid *content, const struct certid *id,
    const struct cert *own_or_null, struct variants *out)
{
	struct certid ids[VARIANTS_MAX + 1];
	struct cert first;
	size_t count;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (is_alone(own_or_null)) {
		out->is_primary = true;
		return ERR_OK;
	}
	e = store_find_by_content(t, content, ids, COUNT_OF(ids), &count);
	if (e == ERR_OK)
		e = find_first(t, ids, count, id, &first, &out->count);
	if (e != ERR_OK)
		return e;
	if (out->count > 0)
		out->other = first.id;
	out->is_primary = out->count == 0 ||
	    (count <= VARIANTS_MAX && own_or_null != NULL && comes_before(own_or_null, &first));
	return ERR_OK;
}

enum err
variants_find_registered(struct txn *t, const struct cert *own, struct variants *out)
{
	struct certid content;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (is_alone(own)) {
		out->is_primary = true;
		return ERR_OK;
	}
	e = store_get_cert_content(t, &own->id, &content);
	if (e == ERR_NOT_FOUND)
		return ERR_CORRUPT;
	return e == ERR_OK ? variants_find(t, &content, &own->id, own, out) : e;
}

void
variants_describe(const struct variants *v, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(&v->other, hex);
	diag_set(diag, "certificate %s with its signature in another form", hex);
}
