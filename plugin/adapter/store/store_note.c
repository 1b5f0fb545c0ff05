/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_note.c - notes and refusals of certificates; see store.h. */
#include "jitr/core/codec.h"
#include "jitr/core/text.h"

#include "store_private.h"

enum err
store_get_cert_note(struct txn *t, const struct certid *id, struct cert_note *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CERT_NOTE, id_key(id), &row);

	return e == ERR_OK ? codec_get_cert_note(row, out) : e;
}

void
store_put_cert_note(struct txn *t, const struct certid *id, const struct cert_note *note)
{
	uint8_t row[CODEC_CERT_NOTE_MAX];
	struct cert_note fitting = *note;

	fitting.text = utf8_head(note->text, NOTE_TEXT_MAX);
	table_put(t, TABLE_CERT_NOTE, id_key(id),
	    (struct view){ row, codec_put_cert_note(&fitting, row) });
}

void
store_delete_cert_note(struct txn *t, const struct certid *id)
{
	table_delete(t, TABLE_CERT_NOTE, id_key(id), NULL);
}

enum err
store_get_refusal(struct txn *t, const struct certid *id, struct refusal *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_REFUSAL, id_key(id), &row);

	return e == ERR_OK ? codec_get_refusal(row, out) : e;
}

void
store_put_refusal(struct txn *t, const struct certid *id, const struct refusal *refusal)
{
	uint8_t row[CODEC_REFUSAL_MAX];
	struct refusal fitting = { .time = refusal->time,
		.code = utf8_head(refusal->code, REFUSAL_TEXT_MAX),
		.details = utf8_head(refusal->details, REFUSAL_TEXT_MAX),
		.client_id = utf8_head(refusal->client_id, REFUSAL_TEXT_MAX),
		.address = utf8_head(refusal->address, REFUSAL_TEXT_MAX) };

	table_put(t, TABLE_REFUSAL, id_key(id),
	    (struct view){ row, codec_put_refusal(&fitting, row) });
}
