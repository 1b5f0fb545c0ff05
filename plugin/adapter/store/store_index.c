/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_index.c - indexes of certificates.
 *
 * Each index is a table and a function that makes the key from a record; an empty key
 * means that the record is not in the index.  A change of a record touches only rows
 * whose keys change.
 */
#include <string.h>

#include "jitr/core/der.h"

#include "store_private.h"

static struct view
time_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	return by_time_key(of->cert.created, &of->cert.id, out);
}

static struct view
ca_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	if (!of->cert.has_ca)
		return (struct view){ NULL, 0 };
	return cert_by_ca_key(&of->cert.ca_id, of->cert.created, &of->cert.id, out);
}

static struct view
serial_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	size_t id_size = sizeof(of->cert.ca_id.b);

	if (!of->cert.has_ca || of->document.serial_len == 0)
		return (struct view){ NULL, 0 };
	memcpy(out, of->cert.ca_id.b, id_size);
	memcpy(out + id_size, of->document.serial, of->document.serial_len);
	return (struct view){ out, id_size + of->document.serial_len };
}

static struct view
content_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	if (!of->document.has_content)
		return (struct view){ NULL, 0 };
	memcpy(out, of->document.content.b, sizeof(of->document.content.b));
	return (struct view){ out, sizeof(of->document.content.b) };
}

static struct view
status_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	return cert_by_status_key(of->cert.status, of->cert.created, &of->cert.id, out);
}

/* The expiry event deletes the row.  It is not added again unless notAfter changes,
 * because otherwise the key stays the same. */
static struct view
expiry_row(const struct indexed *of, uint8_t out[KEY_MAX])
{
	return schedule_key(SCHEDULE_EXPIRY, of->cert.not_after, &of->cert.id, out);
}

static const struct index {
	enum table table;
	unsigned since; /* schema that introduced it */
	bool several;   /* certificates may share a key: the value is the id */
	struct view (*key)(const struct indexed *of, uint8_t out[KEY_MAX]);
} indexes[] = {
	{ TABLE_CERT_BY_TIME, 1, false, time_row },
	{ TABLE_CERT_BY_CA, 1, false, ca_row },
	{ TABLE_CERT_BY_SERIAL, 3, true, serial_row },
	{ TABLE_CERT_BY_STATUS, 3, false, status_row },
	{ TABLE_SCHEDULE, 3, false, expiry_row },
	{ TABLE_CERT_BY_CONTENT, 4, true, content_row },
};

static void
add_row(struct txn *t, const struct index *index, struct view key, const struct indexed *of)
{
	if (key.len > 0)
		table_put(t, index->table, key,
		    index->several ? id_key(&of->cert.id) : view_of(""));
}

static void
remove_row(struct txn *t, const struct index *index, struct view key, const struct indexed *of)
{
	struct view id = id_key(&of->cert.id);

	table_delete(t, index->table, key, index->several ? &id : NULL);
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

void
index_change(struct txn *t, const struct indexed *before, const struct indexed *after)
{
	static const struct view none;
	uint8_t old[KEY_MAX], new[KEY_MAX];

	for (size_t i = 0; i < COUNT_OF(indexes); i++) {
		struct view from = before != NULL ? indexes[i].key(before, old) : none;
		struct view to = after != NULL ? indexes[i].key(after, new) : none;

		if (view_equal(from, to))
			continue;
		if (before != NULL)
			remove_row(t, &indexes[i], from, before);
		if (after != NULL)
			add_row(t, &indexes[i], to, after);
	}
}

void
index_add_later(struct txn *t, const struct indexed *of, uint64_t schema)
{
	uint8_t key[KEY_MAX];

	for (size_t i = 0; i < COUNT_OF(indexes); i++)
		if (indexes[i].since > schema)
			add_row(t, &indexes[i], indexes[i].key(of, key), of);
}
