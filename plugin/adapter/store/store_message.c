/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_message.c - the outbox; see store.h. */
#include <stdlib.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define SEQ_SIZE SEQUENCE_SIZE
#define SEQUENCE "sequence" /* name in TABLE_META */

static struct view
seq_key(uint64_t seq, uint8_t out[SEQ_SIZE])
{
	number_put(out, SEQ_SIZE, seq);
	return (struct view){ out, SEQ_SIZE };
}

/* Appended, so that a damaged sequence number is detected: LMDB refuses a key that is
 * not behind all others. */
static void
put_message(struct txn *t, uint64_t seq, struct view topic, struct view payload)
{
	size_t size = codec_message_size(topic, payload);
	uint8_t *row = row_allocate(t, size, "a message"), key[SEQ_SIZE];

	if (row == NULL)
		return;
	codec_put_message(topic, payload, row);
	table_append(t, TABLE_MESSAGE, seq_key(seq, key), (struct view){ row, size });
	sequence_put(t, SEQUENCE, seq);
	free(row);
}

void
store_post(struct txn *t, struct view topic, struct view payload)
{
	uint64_t seq;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	e = sequence_last(t, SEQUENCE, &seq);
	if (e == ERR_OK)
		put_message(t, seq + 1, topic, payload);
	else
		txn_fail(t, e, "the stored number of the last message cannot be read");
}

/* The first row behind this number; the caller decodes the value if it needs it. */
static enum err
next_row(struct txn *t, uint64_t after_seq, uint64_t *seq, struct view *row)
{
	uint8_t bytes[SEQ_SIZE];
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc;

	if (after_seq == UINT64_MAX)
		return ERR_NOT_FOUND;
	rc = table_cursor(t, TABLE_MESSAGE, &cursor);
	if (rc != 0)
		return store_error(rc);
	key = val_of(seq_key(after_seq + 1, bytes));
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	mdb_cursor_close(cursor);
	if (rc != 0)
		return store_error(rc);
	if (key.mv_size != SEQ_SIZE)
		return ERR_CORRUPT;
	*seq = number_get(key.mv_data, SEQ_SIZE);
	*row = view_of_val(&value);
	return *seq > after_seq ? ERR_OK
				: ERR_CORRUPT; /* rows of a damaged page are not in order */
}

enum err
store_next_message(struct txn *t, uint64_t after_seq, struct message *out)
{
	struct view row = view_of("");
	enum err e = next_row(t, after_seq, &out->seq, &row);

	return e == ERR_OK ? codec_get_message(row, &out->topic, &out->payload) : e;
}

/* Also drops rows that cannot be decoded. */
void
store_drop_messages(struct txn *t, uint64_t up_to_seq)
{
	uint8_t key[SEQ_SIZE];
	struct view row;
	uint64_t seq = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && t->failed == ERR_OK) {
		e = next_row(t, seq, &seq, &row);
		if (e == ERR_OK && seq > up_to_seq)
			return;
		if (e == ERR_OK)
			table_delete(t, TABLE_MESSAGE, seq_key(seq, key), NULL);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		txn_fail(t, e, "the first stored message cannot be read");
}
