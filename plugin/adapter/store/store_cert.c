/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_cert.c - client certificates; see store.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"
#include "jitr/core/der.h"

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

enum err
store_get_cert_serial(struct txn *t, const struct certid *id, struct view *out)
{
	struct cert_document document;
	enum err e = store_get_cert_document(t, id, &document);

	*out = e == ERR_OK ? der_certificate_serial(document.der) : (struct view){ NULL, 0 };
	return e;
}

enum err
store_get_cert_content(struct txn *t, const struct certid *id, struct certid *out)
{
	struct cert_document document;
	enum err e = store_get_cert_document(t, id, &document);
	struct view content;

	if (e != ERR_OK)
		return e;
	content = der_certificate_signed_part(document.der);
	return content.len > 0 ? t->store->sha256(content, out) : ERR_CORRUPT;
}

/* The ids are values of one key, which LMDB keeps sorted. */
enum err
store_find_by_content(struct txn *t, const struct certid *content, struct certid *ids, size_t max,
    size_t *count)
{
	MDB_val key = val_of(id_key(content)), id;
	MDB_cursor *rows;
	int rc = table_cursor(t, TABLE_CERT_BY_CONTENT, &rows);

	*count = 0;
	if (rc != 0)
		return store_error(rc);
	rc = mdb_cursor_get(rows, &key, &id, MDB_SET);
	while (rc == 0 && *count < max && id.mv_size == sizeof(ids->b)) {
		memcpy(ids[(*count)++].b, id.mv_data, sizeof(ids->b));
		rc = mdb_cursor_get(rows, &key, &id, MDB_NEXT_DUP);
	}
	mdb_cursor_close(rows);
	return rc == MDB_NOTFOUND ? ERR_OK : store_error(rc);
}

/* Encodes before any put: the texts may point into the map. */
static void
put_document(struct txn *t, const struct certid *id, const struct cert_document *document)
{
	size_t size = codec_cert_document_size(document);
	uint8_t *row = row_allocate(t, size, "the document of a certificate");

	if (row == NULL)
		return;
	codec_put_cert_document(document, row);
	table_put(t, TABLE_CERT_DOCUMENT, id_key(id), (struct view){ row, size });
	free(row);
}

/* A certificate without a document has no index rows that depend on it. */
static enum err
read_document(struct txn *t, struct indexed *of)
{
	struct cert_document document;
	enum err e = store_get_cert_document(t, &of->cert.id, &document);

	memset(&of->document, 0, sizeof(of->document));
	if (e == ERR_OK)
		e = indexed_read(t->store, document.der, &of->document);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool
same_ca(const struct cert *a, const struct cert *b)
{
	return a->has_ca == b->has_ca && (!a->has_ca || certid_equal(&a->ca_id, &b->ca_id));
}

/* Reads the stored state (before) and completes the new one (after).  The stored
 * document is read only if index rows that depend on it may change; otherwise both have
 * none of them. */
static enum err
compare_with_stored(struct txn *t, const struct cert_document *document_or_null,
    struct indexed *before, bool *stored, struct indexed *after)
{
	enum err e = store_get_cert(t, &after->cert.id, &before->cert);

	*stored = e == ERR_OK;
	memset(&before->document, 0, sizeof(before->document));
	after->document = before->document;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = document_or_null != NULL
	    ? indexed_read(t->store, document_or_null->der, &after->document)
	    : ERR_OK;
	if (e != ERR_OK || !*stored ||
	    (document_or_null == NULL && same_ca(&before->cert, &after->cert)))
		return e;
	e = read_document(t, before);
	if (document_or_null == NULL)
		after->document = before->document;
	return e;
}

void
store_put_cert(struct txn *t, const struct cert *cert, const struct cert_document *document_or_null)
{
	struct indexed before, after = { .cert = *cert };
	uint8_t row[CODEC_CERT_MAX];
	size_t len = codec_put_cert(cert, row);
	bool stored;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	if (len == 0) {
		txn_fail(t, ERR_STORAGE, "a certificate that cannot be encoded");
		return;
	}
	e = compare_with_stored(t, document_or_null, &before, &stored, &after);
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored certificate that is to be replaced cannot be read");
		return;
	}
	if (document_or_null != NULL)
		put_document(t, &cert->id, document_or_null);
	index_change(t, stored ? &before : NULL, &after);
	counts_change(t, stored ? &before : NULL, &after);
	table_put(t, TABLE_CERT, id_key(&cert->id), (struct view){ row, len });
}

void
store_delete_cert(struct txn *t, const struct certid *id)
{
	struct indexed old;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	e = store_get_cert(t, id, &old.cert);
	if (e == ERR_NOT_FOUND)
		return;
	if (e == ERR_OK)
		e = read_document(t, &old);
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored certificate that is to be deleted cannot be read");
		return;
	}
	index_change(t, &old, NULL);
	counts_change(t, &old, NULL);
	table_delete(t, TABLE_CERT, id_key(&old.cert.id), NULL);
	table_delete(t, TABLE_CERT_DOCUMENT, id_key(&old.cert.id), NULL);
	table_delete(t, TABLE_CERT_NOTE, id_key(&old.cert.id), NULL);
	table_delete(t, TABLE_REFUSAL, id_key(&old.cert.id), NULL);
	if (old.cert.has_ca)
		deleted_ca_tidy(t, &old.cert.ca_id);
}
