/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_upgrade.c - brings the certificates of schemas 1 to 4 into the tables of schema 5.
 *
 * The first transaction creates the tables, writes the number of the schema and a row
 * that says how far the upgrade is, and compiles the stored documents (store_form.c).  Each transaction then adds some certificates to
 * documents and indexes, in the order of their creation, and the last one drops the
 * tables that they replace.  If it is interrupted, the next start goes on.  No other
 * version opens the registry meanwhile, because it knows the new number.
 *
 * A damaged certificate stays as it is and is in no index.  It is refused whenever it is
 * read, cannot be replaced or deleted, and is not counted.  A damaged document stays,
 * too: its certificate is found neither by serial number nor by signed part; a
 * revocation list still applies to it, since at CONNECT the serial number is taken from
 * the presented certificate.
 *
 * Certificates that share a signed part keep their records.  Which of them is used
 * depends on their statuses and is decided each time (signature_variants.h).
 */
#include <errno.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define STEP_MOST    10000 /* certificates in a transaction */
#define COUNTS_SINCE 3     /* schema that introduced the counts, and the schedule */

/* The row in TABLE_META: the schema before, then the last key of cert_by_time that is
 * done. */
#define PROGRESS_MAX (1 + BY_TIME_SIZE)

struct progress {
	size_t len;
	uint8_t bytes[PROGRESS_MAX];
};

struct upgrade {
	struct txn *t;
	unsigned schema; /* before */
	MDB_dbi documents;
	struct progress progress;
};

static const char *const replaced[UPGRADE_TABLES] = { "cert_document", "cert_by_time", "cert_by_ca",
	"cert_by_serial", "cert_by_status", "cert_by_content" };

static int
result(const struct txn *t)
{
	if (t->failed == ERR_NOMEM)
		return ENOMEM;
	return t->failed == ERR_OK ? 0 : t->store->cause != 0 ? t->store->cause : MDB_CORRUPTED;
}

static void
put_progress(struct txn *t, const struct progress *p)
{
	table_put(t, TABLE_META, view_of(UPGRADE_ROW), (struct view){ p->bytes, p->len });
}

int
upgrade_begin(struct txn *t, uint64_t schema)
{
	struct progress p = { 1, { (uint8_t)schema } };
	int rc;

	put_progress(t, &p);
	rc = forms_add(t);
	return rc == 0 ? result(t) : rc;
}

static int
read_progress(struct upgrade *u)
{
	struct view row;

	if (table_get(u->t, TABLE_META, view_of(UPGRADE_ROW), &row) != ERR_OK ||
	    (row.len != 1 && row.len != PROGRESS_MAX))
		return MDB_CORRUPTED;
	u->progress.len = row.len;
	memcpy(u->progress.bytes, row.data, row.len);
	u->schema = row.data[0];
	return 0;
}

/* The row as it is, if it cannot be read. */
static int
move_document(struct upgrade *u, struct indexed *of)
{
	struct cert_place place = cert_place_of(of->cert.created, &of->cert.id);
	MDB_val key = val_of(id_key(&of->cert.id)), value;
	struct cert_document document;
	int rc = mdb_get(u->t->handle, u->documents, &key, &value);

	memset(&of->document, 0, sizeof(of->document));
	if (rc == MDB_NOTFOUND) {
		document_put(u->t, &place, NULL, false);
		return 0;
	}
	if (rc != 0)
		return rc;
	if (codec_get_cert_document(view_of_val(&value), &document) != ERR_OK) {
		table_put(u->t, TABLE_DOCUMENT, cert_place_key(&place), view_of_val(&value));
		return 0;
	}
	if (indexed_read(u->t->store, document.der, &of->document) != ERR_OK)
		return ENOMEM; /* computing a hash fails only for lack of memory */
	document_put(u->t, &place, &document, false);
	return 0;
}

/* It was on the schedule unless its expiry has been announced. */
static void
move_expiry(struct upgrade *u, const struct cert *cert)
{
	uint8_t old[1 + 8 + sizeof(cert->id.b)] = { SCHEDULE_EXPIRY }, new[EXPIRY_SIZE];
	struct cert_place place = cert_place_of(cert->created, &cert->id);
	struct view row = expiry_value(cert->not_after, &place, new), found;
	struct view key = { old, sizeof(old) };

	memcpy(old + 1, row.data, 8);
	memcpy(old + 1 + 8, cert->id.b, sizeof(cert->id.b));
	if (table_get(u->t, TABLE_SCHEDULE, key, &found) == ERR_OK)
		table_delete(u->t, TABLE_SCHEDULE, key, NULL);
	else
		table_delete(u->t, TABLE_EXPIRY, common_key(), &row);
}

static int
move_cert(struct upgrade *u, const struct certid *id)
{
	struct indexed of;
	enum err e = store_get_cert(u->t, id, &of.cert);
	int rc;

	if (e == ERR_NOT_FOUND || e == ERR_CORRUPT)
		return 0;
	rc = e == ERR_OK ? move_document(u, &of) : MDB_CORRUPTED;
	if (rc != 0)
		return rc;
	cert_put_indexed(u->t, NULL, &of);
	if (u->schema >= COUNTS_SINCE)
		move_expiry(u, &of.cert);
	else
		counts_change(u->t, NULL, &of);
	return result(u->t);
}

/* The row behind the last one that is done. */
static int
next_row(struct upgrade *u, MDB_cursor *rows, MDB_val *key, MDB_val *value)
{
	struct view last = { u->progress.bytes + 1, u->progress.len - 1 };
	int rc;

	if (last.len == 0)
		return mdb_cursor_get(rows, key, value, MDB_FIRST);
	*key = val_of(last);
	rc = mdb_cursor_get(rows, key, value, MDB_SET_RANGE);
	if (rc == 0 && view_equal(view_of_val(key), last))
		rc = mdb_cursor_get(rows, key, value, MDB_NEXT);
	return rc;
}

/* MDB_NOTFOUND: no more. */
static int
move_certs(struct upgrade *u, MDB_cursor *rows)
{
	MDB_val key, value;
	struct certid id;
	int rc = next_row(u, rows, &key, &value);

	for (size_t i = 0; rc == 0 && i < STEP_MOST; i++) {
		if (key.mv_size == BY_TIME_SIZE) {
			memcpy(u->progress.bytes + 1, key.mv_data, BY_TIME_SIZE);
			u->progress.len = PROGRESS_MAX;
			memcpy(id.b, u->progress.bytes + 1 + 8, sizeof(id.b));
			rc = move_cert(u, &id);
		}
		if (rc == 0)
			rc = mdb_cursor_get(rows, &key, &value, MDB_NEXT);
	}
	return rc;
}

static int
drop_replaced(struct txn *t)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT_OF(replaced); i++) {
		MDB_dbi table;

		rc = mdb_dbi_open(t->handle, replaced[i], 0, &table);
		if (rc == 0)
			rc = mdb_drop(t->handle, table, 1);
		else if (rc == MDB_NOTFOUND)
			rc = 0;
	}
	return rc;
}

static int
end_step(struct upgrade *u, bool done)
{
	int rc = done ? drop_replaced(u->t) : 0;

	if (done)
		table_delete(u->t, TABLE_META, view_of(UPGRADE_ROW), NULL);
	else
		put_progress(u->t, &u->progress);
	return rc == 0 ? result(u->t) : rc;
}

int
upgrade_step(struct txn *t, bool *done)
{
	struct upgrade u = { .t = t };
	MDB_cursor *rows = NULL;
	MDB_dbi by_time;
	int rc = read_progress(&u);

	*done = false;
	if (rc == 0)
		rc = mdb_dbi_open(t->handle, "cert_document", 0, &u.documents);
	if (rc == 0)
		rc = mdb_dbi_open(t->handle, "cert_by_time", 0, &by_time);
	if (rc == 0)
		rc = mdb_cursor_open(t->handle, by_time, &rows);
	if (rc != 0)
		return rc;
	rc = move_certs(&u, rows);
	mdb_cursor_close(rows);
	*done = rc == MDB_NOTFOUND;
	return rc == 0 || *done ? end_step(&u, *done) : rc;
}
