/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_crl.c - the revocation list in force for each CA; see store.h. */
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define SEQUENCE "list_sequence" /* name of the last list number in TABLE_META */

enum err
store_get_crl(struct txn *t, const struct certid *ca_id, struct crl *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CRL, id_key(ca_id), &row);

	return e == ERR_OK ? codec_get_crl(row, out) : e;
}

void
store_put_crl(struct txn *t, const struct certid *ca_id, const struct crl *crl)
{
	uint8_t row[CODEC_CRL_MAX];
	size_t len = codec_put_crl(crl, row);

	if (len > 0)
		table_put(t, TABLE_CRL, id_key(ca_id), (struct view){ row, len });
	else
		txn_fail(t, ERR_STORAGE, "a revocation list that cannot be encoded");
}

void
store_delete_crl(struct txn *t, const struct certid *ca_id)
{
	table_delete(t, TABLE_CRL, id_key(ca_id), NULL);
}

static enum err
read_crl(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct crl_entry *entry = out;

	(void)t;
	(void)context;
	memcpy(entry->ca_id.b, row->key.data, sizeof(entry->ca_id.b));
	return codec_get_crl(row->value, &entry->crl);
}

enum err
store_list_crls(struct txn *t, const struct certid *after, struct crl_entry *out, size_t max,
    size_t *count)
{
	struct range r = { .table = TABLE_CRL,
		.ascending = true,
		.least = sizeof(*after),
		.most = sizeof(*after) };
	struct row_reader reader = { read_crl, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = id_key(after);
	return list_rows(t, &r, &reader, max, count);
}

enum err
store_new_list(struct txn *t, uint64_t *list)
{
	enum err e = t->failed != ERR_OK ? t->failed : sequence_last(t, SEQUENCE, list);

	if (e != ERR_OK) {
		*list = 0;
		txn_fail(t, e, "the stored number of the last revocation list cannot be read");
		return e;
	}
	sequence_put(t, SEQUENCE, ++*list);
	return t->failed;
}
