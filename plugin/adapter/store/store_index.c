/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_index.c - indexes of certificates.
 *
 * Each index is a table whose keys have many values, and a function that makes key and
 * value from a record.  LMDB keeps the values of a key sorted and packs them closely.
 * Every value ends with the place of the certificate.  A change of a record touches
 * only rows that change.
 */
#include <string.h>

#include "jitr/core/der.h"

#include "store_private.h"

/* Values of a key of their own, or of the common one. */
struct index_row {
	struct view key, value; /* an empty key: not in this index */
	uint8_t bytes[SERIAL_VALUE_MAX];
	uint8_t status;
	struct cert_place place;
};

static void
ca_row(const struct indexed *of, struct index_row *row)
{
	row->key = of->cert.has_ca ? id_key(&of->cert.ca_id) : view_of("");
	row->value = cert_place_key(&row->place);
}

static void
status_row(const struct indexed *of, struct index_row *row)
{
	row->status = (uint8_t)of->cert.status;
	row->key = (struct view){ &row->status, 1 };
	row->value = cert_place_key(&row->place);
}

static void
serial_row(const struct indexed *of, struct index_row *row)
{
	struct view serial = { of->document.serial, of->document.serial_len };

	row->key = of->cert.has_ca && serial.len > 0 ? id_key(&of->cert.ca_id) : view_of("");
	row->value = serial_value(serial, &row->place, row->bytes);
}

static void
content_row(const struct indexed *of, struct index_row *row)
{
	row->key = of->document.has_content ? common_key() : view_of("");
	row->value = content_value(&of->document.content, &row->place, row->bytes);
}

/* The expiry event deletes the row.  It is not added again unless notAfter changes. */
static void
expiry_row(const struct indexed *of, struct index_row *row)
{
	row->key = common_key();
	row->value = expiry_value(of->cert.not_after, &row->place, row->bytes);
}

static const struct index {
	enum table table;
	bool by_time; /* values mostly sort behind those that exist */
	void (*make)(const struct indexed *of, struct index_row *row);
} indexes[] = {
	{ TABLE_CA_CERT, true, ca_row },
	{ TABLE_STATUS_CERT, true, status_row },
	{ TABLE_SERIAL_CERT, false, serial_row },
	{ TABLE_CONTENT_CERT, false, content_row },
	{ TABLE_EXPIRY, true, expiry_row },
};

static void
make_row(const struct index *index, const struct indexed *of_or_null, struct index_row *row)
{
	row->key = row->value = view_of("");
	if (of_or_null == NULL)
		return;
	row->place = cert_place_of(of_or_null->cert.created, &of_or_null->cert.id);
	index->make(of_or_null, row);
}

struct view
common_key(void)
{
	static const uint8_t key[1];

	return (struct view){ key, sizeof(key) };
}

struct view
content_value(const struct certid *content, const struct cert_place *p, uint8_t out[CONTENT_SIZE])
{
	memcpy(out, content->b, CONTENT_ID);
	memcpy(out + CONTENT_ID, p->b, sizeof(p->b));
	return (struct view){ out, CONTENT_SIZE };
}

/* A zero byte of the serial number is followed by 0xff, the end of the serial number is
 * a zero byte: so a serial number sorts before all that it is the beginning of.  No
 * place begins with 0xff. */
struct view
serial_value(struct view serial, const struct cert_place *p, uint8_t out[SERIAL_VALUE_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < serial.len; i++) {
		out[len++] = serial.data[i];
		if (serial.data[i] == 0)
			out[len++] = 0xff;
	}
	out[len++] = 0;
	if (p != NULL)
		memcpy(out + len, p->b, sizeof(p->b));
	return (struct view){ out, len + (p != NULL ? sizeof(p->b) : 0) };
}

enum err
serial_value_read(struct view value, uint8_t serial[SERIAL_MAX], size_t *len, struct cert_place *p)
{
	size_t at = 0;

	for (*len = 0; at < value.len && *len < SERIAL_MAX + 1u; at++) {
		uint8_t byte = value.data[at];

		if (byte == 0 && (at + 1 == value.len || value.data[++at] != 0xff))
			break;
		if (*len < SERIAL_MAX)
			serial[*len] = byte;
		(*len)++;
	}
	if (*len == 0 || *len > SERIAL_MAX || at >= value.len)
		return ERR_CORRUPT;
	return cert_place_read(view_from(value, at), p);
}

enum err
indexed_read(const struct store *s, struct view der, struct indexed_document *out)
{
	struct view serial = der_certificate_serial(der);
	struct view content = der_certificate_signed_part(der);

	memset(out, 0, sizeof(*out));
	out->serial_len = serial.len;
	if (serial.len > 0)
		memcpy(out->serial, serial.data, serial.len);
	out->has_content = content.len > 0;
	return out->has_content ? s->sha256(content, &out->content) : ERR_OK;
}

static bool
is_stored(struct txn *t, enum table table, const struct index_row *row)
{
	MDB_val key = val_of(row->key), value = val_of(row->value);
	MDB_cursor *rows;
	int rc = table_cursor(t, table, &rows);

	if (rc == 0) {
		rc = mdb_cursor_get(rows, &key, &value, MDB_GET_BOTH);
		mdb_cursor_close(rows);
	}
	txn_check(t, rc == MDB_NOTFOUND ? 0 : rc);
	return rc == 0;
}

/* A row that only moves, and was deleted because of its event. */
static bool
is_announced(struct txn *t, const struct index *index, const struct indexed *before,
    const struct indexed *after, const struct index_row *from)
{
	return index->table == TABLE_EXPIRY && before != NULL && after != NULL &&
	    before->cert.not_after == after->cert.not_after && !is_stored(t, index->table, from);
}

void
index_change(struct txn *t, const struct indexed *before, const struct indexed *after)
{
	struct index_row from, to;

	for (size_t i = 0; i < COUNT_OF(indexes); i++) {
		make_row(&indexes[i], before, &from);
		make_row(&indexes[i], after, &to);
		if (view_equal(from.key, to.key) && view_equal(from.value, to.value))
			continue;
		if (is_announced(t, &indexes[i], before, after, &from))
			continue;
		if (from.key.len > 0)
			table_delete(t, indexes[i].table, from.key, &from.value);
		if (to.key.len > 0)
			table_add(t, indexes[i].table, to.key, to.value, indexes[i].by_time);
	}
}
