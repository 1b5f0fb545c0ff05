/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_ca.c - the registration code and CA certificates; see store.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define SUBJECT_SIZE 4

static struct view
code_key(void)
{
	return view_of("registration_code");
}

enum err
store_get_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE])
{
	uint8_t bytes[(REGISTRATION_CODE_SIZE - 1) / 2];
	struct view stored;
	enum err e = table_get(t, TABLE_META, code_key(), &stored);

	if (e != ERR_OK)
		return e;
	if (!hex_decode(bytes, sizeof(bytes), stored))
		return ERR_CORRUPT;
	memcpy(code, stored.data, stored.len);
	code[stored.len] = '\0';
	return ERR_OK;
}

void
store_put_registration_code(struct txn *t, const char *code)
{
	assert(strlen(code) == REGISTRATION_CODE_SIZE - 1);
	table_put(t, TABLE_META, code_key(), view_of(code));
}

void
store_delete_registration_code(struct txn *t)
{
	table_delete(t, TABLE_META, code_key(), NULL);
}

enum err
store_get_ca(struct txn *t, const struct certid *id, struct ca *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CA, id_key(id), &row);

	if (e == ERR_OK)
		e = codec_get_ca(row, out);
	if (e == ERR_OK)
		out->id = *id;
	return e;
}

enum err
store_get_ca_document(struct txn *t, const struct certid *id, struct ca_document *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CA_DOCUMENT, id_key(id), &row);

	return e == ERR_OK ? codec_get_ca_document(row, out) : e;
}

/* Encodes before any put: the texts may point into the map. */
static void
put_document(struct txn *t, const struct certid *id, const struct ca_document *document)
{
	size_t size = codec_ca_document_size(document);
	uint8_t *row = row_allocate(t, size, "the document of a CA");

	if (row == NULL)
		return;
	codec_put_ca_document(document, row);
	table_put(t, TABLE_CA_DOCUMENT, id_key(id), (struct view){ row, size });
	free(row);
}

/* The validity of a deleted CA: a row of TABLE_META. */
#define DELETED_NAME     "deleted_ca:"
#define DELETED_NAME_LEN (sizeof(DELETED_NAME) - 1)
#define DELETED_KEY_SIZE (DELETED_NAME_LEN + 32)
#define DELETED_SIZE     (8 + 8)

static struct view
deleted_key(const struct certid *id, uint8_t out[DELETED_KEY_SIZE])
{
	memcpy(out, DELETED_NAME, DELETED_NAME_LEN);
	memcpy(out + DELETED_NAME_LEN, id->b, sizeof(id->b));
	return (struct view){ out, DELETED_KEY_SIZE };
}

enum err
store_get_deleted_ca(struct txn *t, const struct certid *id, struct ca *out)
{
	uint8_t key[DELETED_KEY_SIZE];
	struct view row;
	enum err e = table_get(t, TABLE_META, deleted_key(id, key), &row);

	if (e == ERR_OK && row.len != DELETED_SIZE)
		e = ERR_CORRUPT;
	if (e != ERR_OK)
		return e;
	out->not_before = (int64_t)number_get(row.data, 8);
	out->not_after = (int64_t)number_get(row.data + 8, 8);
	return ERR_OK;
}

/* Certificates of a deleted CA continue to work (aws-iot A.2.5) until the CA would have
 * expired. */
static void
keep_validity(struct txn *t, const struct ca *ca)
{
	uint8_t key[DELETED_KEY_SIZE], row[DELETED_SIZE];
	bool used;

	if (store_has_cert_of(t, &ca->id, &used) != ERR_OK || !used)
		return;
	number_put(row, 8, (uint64_t)ca->not_before);
	number_put(row + 8, 8, (uint64_t)ca->not_after);
	table_put(t, TABLE_META, deleted_key(&ca->id, key), (struct view){ row, sizeof(row) });
}

static void
forget_validity(struct txn *t, const struct certid *id)
{
	uint8_t key[DELETED_KEY_SIZE];
	struct view row;

	if (table_get(t, TABLE_META, deleted_key(id, key), &row) != ERR_NOT_FOUND)
		table_delete(t, TABLE_META, deleted_key(id, key), NULL);
}

void
deleted_ca_tidy(struct txn *t, const struct certid *ca_id)
{
	struct ca ca;
	bool used;

	if (store_get_deleted_ca(t, ca_id, &ca) != ERR_NOT_FOUND &&
	    store_has_cert_of(t, ca_id, &used) == ERR_OK && !used)
		forget_validity(t, ca_id);
}

static struct view
subject_key(uint32_t hash, uint8_t out[SUBJECT_SIZE])
{
	number_put(out, SUBJECT_SIZE, hash);
	return (struct view){ out, SUBJECT_SIZE };
}

static void
add_to_indexes(struct txn *t, const struct ca *ca)
{
	uint8_t time[BY_TIME_SIZE], subject[SUBJECT_SIZE];

	table_put(t, TABLE_CA_BY_TIME, by_time_key(ca->created, &ca->id, time), view_of(""));
	table_put(t, TABLE_CA_BY_SUBJECT, subject_key(ca->subject_hash, subject), id_key(&ca->id));
}

static void
remove_from_indexes(struct txn *t, const struct ca *ca)
{
	uint8_t time[BY_TIME_SIZE], subject[SUBJECT_SIZE];
	struct view id = id_key(&ca->id);

	table_delete(t, TABLE_CA_BY_TIME, by_time_key(ca->created, &ca->id, time), NULL);
	table_delete(t, TABLE_CA_BY_SUBJECT, subject_key(ca->subject_hash, subject), &id);
}

/* Most changes affect no index, so their pages are left alone. */
static void
update_indexes(struct txn *t, const struct ca *ca)
{
	struct ca old;
	enum err e = store_get_ca(t, &ca->id, &old);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		txn_fail(t, e, "the stored CA that is to be replaced cannot be read");
	if (e == ERR_OK && old.created == ca->created && old.subject_hash == ca->subject_hash)
		return;
	if (e == ERR_OK)
		remove_from_indexes(t, &old);
	else
		forget_validity(t, &ca->id);
	add_to_indexes(t, ca);
}

void
store_put_ca(struct txn *t, const struct ca *ca, const struct ca_document *document_or_null)
{
	uint8_t row[CODEC_CA_MAX]; /* encoded before any put: the key id may point into the
				    * map */
	size_t len = codec_put_ca(ca, row);

	if (t->failed != ERR_OK)
		return;
	if (len == 0) {
		txn_fail(t, ERR_STORAGE, "a CA that cannot be encoded");
		return;
	}
	if (document_or_null != NULL)
		put_document(t, &ca->id, document_or_null);
	update_indexes(t, ca);
	table_put(t, TABLE_CA, id_key(&ca->id), (struct view){ row, len });
}

void
store_delete_ca(struct txn *t, const struct certid *id)
{
	struct ca old;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	e = store_get_ca(t, id, &old);
	if (e == ERR_NOT_FOUND)
		return;
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored CA that is to be deleted cannot be read");
		return;
	}
	keep_validity(t, &old);
	remove_from_indexes(t, &old);
	table_delete(t, TABLE_CA, id_key(id), NULL);
	table_delete(t, TABLE_CA_DOCUMENT, id_key(id), NULL);
	table_delete(t, TABLE_CA_SETTINGS, id_key(id), NULL);
	store_delete_crl(t, id);
}

static int
find_nth(struct txn *t, uint32_t subject_hash, size_t nth, MDB_val *id)
{
	uint8_t bytes[SUBJECT_SIZE];
	MDB_val key = val_of(subject_key(subject_hash, bytes));
	MDB_cursor *cursor;
	int rc = table_cursor(t, TABLE_CA_BY_SUBJECT, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, id, MDB_SET_KEY);
	for (; rc == 0 && nth > 0; nth--)
		rc = mdb_cursor_get(cursor, &key, id, MDB_NEXT_DUP);
	mdb_cursor_close(cursor);
	return rc;
}

enum err
store_find_issuer(struct txn *t, uint32_t subject_hash, size_t nth, struct ca *out)
{
	struct certid id;
	MDB_val found = { 0, NULL };
	enum err e = store_error(find_nth(t, subject_hash, nth, &found));

	if (e != ERR_OK)
		return e;
	if (found.mv_size != sizeof(id.b))
		return ERR_CORRUPT;
	memcpy(id.b, found.mv_data, sizeof(id.b));
	e = store_get_ca(t, &id, out);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && out->subject_hash != subject_hash))
		return ERR_CORRUPT;
	return e;
}
