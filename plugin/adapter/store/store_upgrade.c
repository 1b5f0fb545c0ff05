/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_upgrade.c - fills the tables that a newer schema adds.
 *
 * Runs in the transaction that creates these tables (store_schema.c).  Indexes of
 * certificates and the numbers per status are computed from the stored certificates;
 * store_form.c compiles the stored documents.
 *
 * A damaged certificate stays as it is and is in no new index.  It is refused whenever
 * it is read, cannot be replaced or deleted, and is not counted, so the counts agree
 * with cert_by_status.  If only its document is damaged, it is found neither by serial
 * number nor by signed part; a revocation list still applies to it, since at CONNECT
 * the serial number is taken from the presented certificate.
 *
 * Certificates that share a signed part keep their records.  Which of them is used
 * depends on their statuses and is decided each time (signature_variants.h).
 */
#include <errno.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define COUNTS_SINCE  3 /* schema that introduced the counts */
#define INDEXES_SINCE 4 /* the newest index of certificates */
#define FORMS_SINCE   5

/* Damage beyond a row (an unreadable page) is reported by LMDB and ends the upgrade. */
static int
read_document(struct txn *t, struct indexed *of)
{
	MDB_val key = val_of(id_key(&of->cert.id)), value;
	int rc = mdb_get(t->handle, t->store->tables[TABLE_CERT_DOCUMENT], &key, &value);
	struct cert_document document;

	memset(&of->document, 0, sizeof(of->document));
	if (rc == 0 && codec_get_cert_document(view_of_val(&value), &document) == ERR_OK &&
	    indexed_read(t->store, document.der, &of->document) != ERR_OK)
		return ENOMEM; /* computing a hash fails only for lack of memory */
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool
read_cert(const MDB_val *key, const MDB_val *value, struct cert *out)
{
	if (key->mv_size != sizeof(out->id.b) || codec_get_cert(view_of_val(value), out) != ERR_OK)
		return false;
	memcpy(out->id.b, key->mv_data, sizeof(out->id.b));
	return true;
}

static int
add_certs(struct txn *t, MDB_cursor *certs, uint64_t schema)
{
	struct counts counts = { { 0 } };
	struct indexed of;
	MDB_val key, value;
	int rc;

	while ((rc = mdb_cursor_get(certs, &key, &value, MDB_NEXT)) == 0) {
		if (!read_cert(&key, &value, &of.cert))
			continue;
		rc = read_document(t, &of);
		if (rc != 0)
			return rc;
		index_add_later(t, &of, schema);
		counts.certs[of.cert.status]++;
		if (t->failed != ERR_OK)
			return t->store->cause;
	}
	if (schema < COUNTS_SINCE)
		counts_put(t, &counts);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
fill_indexes(struct txn *t, uint64_t schema)
{
	MDB_cursor *certs;
	int rc = table_cursor(t, TABLE_CERT, &certs);

	if (rc != 0)
		return rc;
	rc = add_certs(t, certs, schema);
	mdb_cursor_close(certs);
	return rc;
}

int
schema_upgrade(struct store *s, MDB_txn *txn, uint64_t schema)
{
	struct txn t = { .store = s, .handle = txn, .writing = true };
	int rc = schema < INDEXES_SINCE ? fill_indexes(&t, schema) : 0;

	if (rc == 0 && t.failed == ERR_OK && schema < FORMS_SINCE)
		rc = forms_add(&t);
	return rc != 0 || t.failed == ERR_OK ? rc : s->cause;
}
