/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_upgrade.c - a registry of an older schema gets what came later.
 *
 * Part of the transaction that makes the later tables (store_open.c): the
 * indexes that they are of certificates, and how many there are, are filled
 * from what is there.
 *
 * A damaged certificate stays as it is and is in none of them: it is refused
 * whenever it is looked at, cannot be replaced or deleted, and is not counted,
 * so that the counts go on agreeing with cert_by_status.  One whose document
 * alone is damaged is found neither by its serial number nor by its signed part;
 * it can be turned away by a revocation list all the same, since then the serial
 * number is that of the certificate that was presented.
 *
 * Certificates that share a signed part keep their records: which of them stands
 * for it is a question of their statuses (signature_variants.h), and asked again each time.
 */
#include <errno.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define COUNTS_SINCE 3 /* which schema */

/* Damage beyond a row (a page that cannot be read) is LMDB's to tell, and ends
 * the upgrade. */
static int
read_document(struct txn *t, struct indexed *of)
{
	MDB_val key = val_of(id_key(&of->cert.id)), value;
	int rc = mdb_get(t->handle, t->store->tables[TABLE_CERT_DOCUMENT], &key, &value);
	struct cert_document document;

	memset(&of->document, 0, sizeof(of->document));
	if (rc == 0 && codec_get_cert_document(view_of_val(&value), &document) == ERR_OK &&
	    indexed_read(t->store, document.der, &of->document) != ERR_OK)
		return ENOMEM; /* nothing else keeps a hash from being made */
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

int
upgrade(struct store *s, MDB_txn *txn, uint64_t schema)
{
	struct txn t = { .store = s, .handle = txn, .writing = true };
	MDB_cursor *certs;
	int rc = table_cursor(&t, TABLE_CERT, &certs);

	if (rc != 0)
		return rc;
	rc = add_certs(&t, certs, schema);
	mdb_cursor_close(certs);
	return rc != 0 || t.failed == ERR_OK ? rc : s->cause;
}
