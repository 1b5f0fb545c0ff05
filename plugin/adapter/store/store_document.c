/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_document.c - the documents of certificates, ordered by place.
 *
 * New certificates have the highest places, so their documents fill page after page.
 * A certificate without a document has an empty row: the table is the index of all
 * certificates by time, too.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

enum err
document_get(struct txn *t, const struct cert_place *p, struct cert_document *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_DOCUMENT, cert_place_key(p), &row);

	memset(out, 0, sizeof(*out));
	if (e == ERR_OK && row.len == 0)
		return ERR_NOT_FOUND;
	return e == ERR_OK ? codec_get_cert_document(row, out) : e;
}

/* Encodes before any put: the texts may point into the map. */
static uint8_t *
encode(struct txn *t, const struct cert_document *document, size_t *size)
{
	uint8_t *row;

	*size = codec_cert_document_size(document);
	row = row_allocate(t, *size, "the document of a certificate");
	if (row != NULL)
		codec_put_cert_document(document, row);
	return row;
}

void
document_put(struct txn *t, const struct cert_place *p,
    const struct cert_document *document_or_null, bool is_new)
{
	struct view row = view_of("");
	uint8_t *bytes = NULL;

	if (document_or_null != NULL) {
		bytes = encode(t, document_or_null, &row.len);
		row.data = bytes;
	}
	if (is_new)
		table_put_new(t, TABLE_DOCUMENT, cert_place_key(p), row,
		    "two certificates with one time of creation and similar ids");
	else
		table_put(t, TABLE_DOCUMENT, cert_place_key(p), row);
	free(bytes);
}

/* The row is copied, because the map may change with the first put. */
void
document_move(struct txn *t, const struct cert_place *from, const struct cert_place *to)
{
	struct view row;
	enum err e = table_get(t, TABLE_DOCUMENT, cert_place_key(from), &row);
	uint8_t *copy;

	if (e != ERR_OK) {
		txn_fail(t, e, "the stored document of a certificate cannot be read");
		return;
	}
	copy = row_allocate(t, row.len + 1, "the document of a certificate");
	if (copy == NULL)
		return;
	if (row.len > 0)
		memcpy(copy, row.data, row.len);
	table_put_new(t, TABLE_DOCUMENT, cert_place_key(to), (struct view){ copy, row.len },
	    "two certificates with one time of creation and similar ids");
	document_delete(t, from);
	free(copy);
}

void
document_delete(struct txn *t, const struct cert_place *p)
{
	table_delete(t, TABLE_DOCUMENT, cert_place_key(p), NULL);
}
