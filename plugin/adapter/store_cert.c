/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_cert.c - see store.h: client certificates. */
#include <stdlib.h>

#include "jitr/codec.h"

#include "store_private.h"

enum err
store_get_cert(struct txn *t, const struct certid *id, struct cert *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CERT, id_key(id), &row);

	if (e == ERR_OK)
		e = codec_get_cert(row, out);
	if (e == ERR_OK)
		out->id = *id;
	return e;
}

enum err
store_get_cert_document(struct txn *t, const struct certid *id, struct cert_document *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CERT_DOCUMENT, id_key(id), &row);

	return e == ERR_OK ? codec_get_cert_document(row, out) : e;
}

/* The texts may be those that a get function answered: they are copied before
 * their page changes. */
static void
put_document(struct txn *t, const struct certid *id, const struct cert_document *document)
{
	size_t size = codec_cert_document_size(document);
	uint8_t *row = malloc(size);

	if (row == NULL) {
		txn_fail(t, ERR_NOMEM, "out of memory");
		return;
	}
	codec_put_cert_document(document, row);
	table_put(t, TABLE_CERT_DOCUMENT, id_key(id), (struct view){ row, size });
	free(row);
}

static void
add_to_indexes(struct txn *t, const struct cert *cert)
{
	uint8_t time[BY_TIME_SIZE], ca[CERT_BY_CA_SIZE];

	table_put(t, TABLE_CERT_BY_TIME, by_time_key(cert->created, &cert->id, time), view_of(""));
	if (cert->has_ca)
		table_put(t, TABLE_CERT_BY_CA,
		    cert_by_ca_key(&cert->ca_id, cert->created, &cert->id, ca), view_of(""));
}

static void
remove_from_indexes(struct txn *t, const struct cert *cert)
{
	uint8_t time[BY_TIME_SIZE], ca[CERT_BY_CA_SIZE];

	table_delete(t, TABLE_CERT_BY_TIME, by_time_key(cert->created, &cert->id, time), NULL);
	if (cert->has_ca)
		table_delete(t, TABLE_CERT_BY_CA,
		    cert_by_ca_key(&cert->ca_id, cert->created, &cert->id, ca), NULL);
}

static bool
same_index_rows(const struct cert *a, const struct cert *b)
{
	return a->created == b->created && a->has_ca == b->has_ca &&
	    (!a->has_ca || certid_equal(&a->ca_id, &b->ca_id));
}

/* Most changes leave them as they are, and then their pages too. */
static void
update_indexes(struct txn *t, const struct cert *cert)
{
	struct cert old;
	enum err e = store_get_cert(t, &cert->id, &old);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		txn_fail(t, e, "the stored certificate that is to be replaced cannot be read");
	if (e == ERR_OK && same_index_rows(&old, cert))
		return;
	if (e == ERR_OK)
		remove_from_indexes(t, &old);
	add_to_indexes(t, cert);
}

void
store_put_cert(struct txn *t, const struct cert *cert,
    const struct cert_document *document_or_null)
{
	uint8_t row[CODEC_CERT_MAX];
	size_t len = codec_put_cert(cert, row);

	if (t->failed != ERR_OK)
		return;
	if (len == 0) {
		txn_fail(t, ERR_STORAGE, "a certificate that cannot be encoded");
		return;
	}
	if (document_or_null != NULL)
		put_document(t, &cert->id, document_or_null);
	update_indexes(t, cert);
	table_put(t, TABLE_CERT, id_key(&cert->id), (struct view){ row, len });
}

void
store_delete_cert(struct txn *t, const struct certid *id)
{
	struct cert old;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	e = store_get_cert(t, id, &old);
	if (e == ERR_NOT_FOUND)
		return;
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored certificate that is to be deleted cannot be read");
		return;
	}
	remove_from_indexes(t, &old);
	table_delete(t, TABLE_CERT, id_key(id), NULL);
	table_delete(t, TABLE_CERT_DOCUMENT, id_key(id), NULL);
}
