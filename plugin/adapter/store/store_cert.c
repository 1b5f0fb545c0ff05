/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_cert.c - client certificates; see store.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"
#include "jitr/core/der.h"

#include "store_private.h"

#define SHARED_LOOK 64 /* certificates of one signed part that are marked at most */

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
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);
	struct cert_place place;

	memset(out, 0, sizeof(*out));
	if (e != ERR_OK)
		return e;
	place = cert_place_of(cert.created, id);
	return document_get(t, &place, out);
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

/*
 * Certificates of one signed part.
 */

/* The index has the beginning of its hash only: *same says whether the rest agrees. */
static enum err
compare_content(struct txn *t, const struct cert_place *p, const struct certid *content,
    struct certid *id, bool *same)
{
	struct certid found;
	struct cert cert;
	enum err e = cert_place_find(t, p, &cert);

	*id = cert.id;
	if (e == ERR_OK)
		e = store_get_cert_content(t, id, &found);
	*same = e == ERR_OK && certid_equal(&found, content);
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* Values of one key, which LMDB keeps sorted. */
static enum err
find_content(struct txn *t, MDB_cursor *rows, const struct certid *content, struct certid *ids,
    size_t max, size_t *count)
{
	static const struct cert_place first;
	uint8_t bytes[CONTENT_SIZE];
	MDB_val key = val_of(common_key()), value = val_of(content_value(content, &first, bytes));
	int rc = mdb_cursor_get(rows, &key, &value, MDB_GET_BOTH_RANGE);

	for (; rc == 0 && *count < max; rc = mdb_cursor_get(rows, &key, &value, MDB_NEXT_DUP)) {
		struct view row = view_of_val(&value);
		struct cert_place place;
		bool same;
		enum err e;

		if (row.len != CONTENT_SIZE)
			return ERR_CORRUPT;
		if (memcmp(row.data, content->b, CONTENT_ID) != 0)
			return ERR_OK;
		e = cert_place_read(view_from(row, CONTENT_ID), &place);
		if (e == ERR_OK)
			e = compare_content(t, &place, content, &ids[*count], &same);
		if (e != ERR_OK)
			return e;
		*count += same;
	}
	return rc == MDB_NOTFOUND ? ERR_OK : store_error(rc);
}

enum err
store_find_by_content(struct txn *t, const struct certid *content, struct certid *ids, size_t max,
    size_t *count)
{
	MDB_cursor *rows;
	int rc = table_cursor(t, TABLE_CONTENT_CERT, &rows);
	enum err e;

	*count = 0;
	if (rc != 0)
		return store_error(rc);
	e = find_content(t, rows, content, ids, max, count);
	mdb_cursor_close(rows);
	return e;
}

static void
put_record(struct txn *t, const struct cert *cert)
{
	uint8_t row[CODEC_CERT_MAX];
	size_t len = codec_put_cert(cert, row);

	if (len == 0)
		txn_fail(t, ERR_STORAGE, "a certificate that cannot be encoded");
	table_put(t, TABLE_CERT, id_key(&cert->id), (struct view){ row, len });
}

/* Another record of the same signed part: from now on it is known not to be alone. */
static void
mark_shared(struct txn *t, const struct certid *id)
{
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e != ERR_OK) {
		txn_fail(t, e, "a certificate with the same signed part cannot be read");
		return;
	}
	if (cert.shared)
		return;
	cert.shared = true;
	put_record(t, &cert);
}

/* All others are marked if the first of them is not: they were marked together. */
static void
mark_all_shared(struct txn *t, struct indexed *of)
{
	struct certid ids[SHARED_LOOK];
	size_t count = 0;
	enum err e;

	if (!of->document.has_content)
		return;
	e = store_find_by_content(t, &of->document.content, ids, COUNT_OF(ids), &count);
	if (e != ERR_OK) {
		txn_fail(t, e, "a certificate with the same signed part cannot be read");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (certid_equal(&ids[i], &of->cert.id))
			continue;
		of->cert.shared = true;
		mark_shared(t, &ids[i]);
	}
}

void
cert_put_indexed(struct txn *t, const struct indexed *before_or_null, struct indexed *of)
{
	bool new_content = before_or_null == NULL || !before_or_null->document.has_content ||
	    !certid_equal(&before_or_null->document.content, &of->document.content);

	of->cert.shared = before_or_null != NULL && before_or_null->cert.shared;
	if (new_content)
		mark_all_shared(t, of);
	index_change(t, before_or_null, of);
	put_record(t, &of->cert);
}

/* A certificate without a document has no index rows that depend on it. */
static enum err
read_document(struct txn *t, struct indexed *of)
{
	struct cert_place place = cert_place_of(of->cert.created, &of->cert.id);
	struct cert_document document;
	enum err e = document_get(t, &place, &document);

	memset(&of->document, 0, sizeof(of->document));
	if (e == ERR_OK)
		e = indexed_read(t->store, document.der, &of->document);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool
same_rows(const struct cert *a, const struct cert *b)
{
	return a->created == b->created && a->has_ca == b->has_ca &&
	    (!a->has_ca || certid_equal(&a->ca_id, &b->ca_id));
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
	    (document_or_null == NULL && same_rows(&before->cert, &after->cert)))
		return e;
	e = read_document(t, before);
	if (document_or_null == NULL)
		after->document = before->document;
	return e;
}

/* The document goes where the certificate is. */
static void
place_document(struct txn *t, const struct cert_document *document_or_null,
    const struct cert *before_or_null, const struct cert *after)
{
	struct cert_place to = cert_place_of(after->created, &after->id), from;
	bool moved;

	if (before_or_null == NULL) {
		document_put(t, &to, document_or_null, true);
		return;
	}
	from = cert_place_of(before_or_null->created, &after->id);
	moved = memcmp(&from, &to, sizeof(to)) != 0;
	if (document_or_null == NULL && moved)
		document_move(t, &from, &to);
	if (document_or_null != NULL)
		document_put(t, &to, document_or_null, moved);
	if (document_or_null != NULL && moved)
		document_delete(t, &from);
}

void
store_put_cert(struct txn *t, const struct cert *cert, const struct cert_document *document_or_null)
{
	struct indexed before, after = { .cert = *cert };
	bool stored;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	if (cert->created < 0) {
		txn_fail(t, ERR_STORAGE, "a certificate that cannot be encoded");
		return;
	}
	e = compare_with_stored(t, document_or_null, &before, &stored, &after);
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored certificate that is to be replaced cannot be read");
		return;
	}
	place_document(t, document_or_null, stored ? &before.cert : NULL, &after.cert);
	counts_change(t, stored ? &before : NULL, &after);
	cert_put_indexed(t, stored ? &before : NULL, &after);
}

void
store_delete_cert(struct txn *t, const struct certid *id)
{
	struct indexed old;
	struct cert_place place;
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
	place = cert_place_of(old.cert.created, &old.cert.id);
	index_change(t, &old, NULL);
	counts_change(t, &old, NULL);
	document_delete(t, &place);
	table_delete(t, TABLE_CERT, id_key(&old.cert.id), NULL);
	table_delete(t, TABLE_CERT_NOTE, id_key(&old.cert.id), NULL);
	table_delete(t, TABLE_REFUSAL, id_key(&old.cert.id), NULL);
	if (old.cert.has_ca)
		deleted_ca_tidy(t, &old.cert.ca_id);
}
