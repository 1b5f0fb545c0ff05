/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_place.c - places of certificates, by which all indexes refer to them.
 *
 * A place is the time of creation and the beginning of the id: a third of what both
 * take in full.  Places sort like (created, id), so an index that ends with a place is
 * a listing.  No two certificates have the same place: document_put() refuses the
 * second one.
 */
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

/* Later than any clock; leaves the first byte below 0x80. */
#define CREATED_MOST (((int64_t)1 << 47) - 1)

struct cert_place
cert_place_of(int64_t created, const struct certid *id)
{
	int64_t time = created < 0 ? 0 : created > CREATED_MOST ? CREATED_MOST : created;
	struct cert_place p;

	number_put(p.b, PLACE_TIME, (uint64_t)time);
	memcpy(p.b + PLACE_TIME, id->b, PLACE_ID);
	return p;
}

struct view
cert_place_key(const struct cert_place *p)
{
	return (struct view){ p->b, sizeof(p->b) };
}

enum err
cert_place_read(struct view bytes, struct cert_place *out)
{
	if (bytes.len != sizeof(out->b))
		return ERR_CORRUPT;
	memcpy(out->b, bytes.data, sizeof(out->b));
	return ERR_OK;
}

/* Compares a row of TABLE_CERT with a place.  A record that cannot be read may be the
 * one. */
static enum err
compare_row(const struct cert_place *p, const MDB_val *key, const MDB_val *value, struct cert *out)
{
	struct cert_place found;

	memcpy(out->id.b, key->mv_data, sizeof(out->id.b));
	if (codec_get_cert(view_of_val(value), out) != ERR_OK) {
		memcpy(out->id.b, key->mv_data, sizeof(out->id.b));
		return ERR_CORRUPT;
	}
	memcpy(out->id.b, key->mv_data, sizeof(out->id.b));
	found = cert_place_of(out->created, &out->id);
	return memcmp(&found, p, sizeof(found)) == 0 ? ERR_OK : ERR_NOT_FOUND;
}

static bool
begins_alike(const MDB_val *key, const struct cert_place *p)
{
	return key->mv_size == sizeof(struct certid) &&
	    memcmp(key->mv_data, p->b + PLACE_TIME, PLACE_ID) == 0;
}

/* Ids that begin alike are next to each other. */
static enum err
search(MDB_cursor *certs, const struct cert_place *p, struct cert *out)
{
	MDB_val key = { PLACE_ID, (void *)(uintptr_t)(p->b + PLACE_TIME) }, value;
	struct certid damaged = { { 0 } };
	enum err result = ERR_NOT_FOUND;
	int rc = mdb_cursor_get(certs, &key, &value, MDB_SET_RANGE);

	memcpy(damaged.b, p->b + PLACE_TIME, PLACE_ID);
	for (; rc == 0 && begins_alike(&key, p);
	     rc = mdb_cursor_get(certs, &key, &value, MDB_NEXT)) {
		enum err e = compare_row(p, &key, &value, out);

		if (e == ERR_OK)
			return ERR_OK;
		if (e == ERR_CORRUPT)
			damaged = out->id;
		if (e == ERR_CORRUPT)
			result = ERR_CORRUPT;
	}
	memset(out, 0, sizeof(*out));
	out->id = damaged;
	return rc == 0 || rc == MDB_NOTFOUND ? result : store_error(rc);
}

enum err
cert_place_find(struct txn *t, const struct cert_place *p, struct cert *out)
{
	MDB_cursor *certs;
	int rc = table_cursor(t, TABLE_CERT, &certs);
	enum err e;

	memset(out, 0, sizeof(*out));
	if (rc != 0)
		return store_error(rc);
	e = search(certs, p, out);
	mdb_cursor_close(certs);
	return e;
}
