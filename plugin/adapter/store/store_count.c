/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_count.c - numbers of records; see store.h.
 *
 * LMDB counts the rows of a table.  The number of certificates per status is a row of
 * TABLE_META, maintained with each change of a certificate.  No decision depends on it:
 * if the row is damaged, store_count() reports it and the row is left alone, but
 * certificates can still be changed.
 */
#include <string.h>

#include "store_private.h"

#define COUNT_SIZE  8
#define COUNTS_SIZE (CERT_STATUS_COUNT * COUNT_SIZE)

static struct view
counts_key(void)
{
	return view_of("counts");
}

static enum err
counts_get(struct txn *t, struct counts *out)
{
	struct view stored;
	enum err e = table_get(t, TABLE_META, counts_key(), &stored);

	memset(out, 0, sizeof(*out));
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (stored.len != COUNTS_SIZE)
		return ERR_CORRUPT;
	for (size_t i = 0; i < CERT_STATUS_COUNT; i++)
		out->certs[i] = number_get(stored.data + i * COUNT_SIZE, COUNT_SIZE);
	return ERR_OK;
}

void
counts_put(struct txn *t, const struct counts *counts)
{
	uint8_t bytes[COUNTS_SIZE];

	for (size_t i = 0; i < CERT_STATUS_COUNT; i++)
		number_put(bytes + i * COUNT_SIZE, COUNT_SIZE, counts->certs[i]);
	table_put(t, TABLE_META, counts_key(), (struct view){ bytes, sizeof(bytes) });
}

/* Never below zero: a damaged status may have been counted as another one. */
void
counts_change(struct txn *t, const struct indexed *before, const struct indexed *after)
{
	struct counts counts;
	enum err e;

	if (before != NULL && after != NULL && before->cert.status == after->cert.status)
		return;
	e = counts_get(t, &counts);
	if (e != ERR_OK) {
		if (e != ERR_CORRUPT)
			txn_fail(t, e, "the stored counts cannot be read");
		return;
	}
	if (before != NULL && counts.certs[before->cert.status] > 0)
		counts.certs[before->cert.status]--;
	if (after != NULL)
		counts.certs[after->cert.status]++;
	counts_put(t, &counts);
}

static enum err
count_rows(struct txn *t, enum table table, uint64_t *rows)
{
	MDB_stat stat;
	int rc = mdb_stat(t->handle, t->store->tables[table], &stat);

	*rows = rc == 0 ? stat.ms_entries : 0;
	return store_error(rc);
}

/* The file up to the last page ever used.  Free pages within it count as used, since
 * they count against the bound as well. */
static enum err
count_bytes(const struct store *s, struct store_counts *out)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_env_info(s->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(s->env, &stat);
	if (rc != 0)
		return store_error(rc);
	out->bytes_used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
	out->bytes_most = info.me_mapsize;
	return ERR_OK;
}

enum err
store_count(struct txn *t, struct store_counts *out)
{
	struct counts counts;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = counts_get(t, &counts);
	memcpy(out->certs, counts.certs, sizeof(out->certs));
	if (e == ERR_OK)
		e = count_rows(t, TABLE_CA, &out->cas);
	if (e == ERR_OK)
		e = count_rows(t, TABLE_POLICY, &out->policies);
	if (e == ERR_OK)
		e = count_rows(t, TABLE_THING, &out->things);
	if (e == ERR_OK)
		e = count_rows(t, TABLE_MESSAGE, &out->messages);
	return e == ERR_OK ? count_bytes(t->store, out) : e;
}
