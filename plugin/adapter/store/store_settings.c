/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_settings.c - settings of CAs; see store.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

enum err
store_get_ca_settings(struct txn *t, const struct certid *id, struct ca_settings *out)
{
	struct view row;
	enum err e = table_get(t, TABLE_CA_SETTINGS, id_key(id), &row);

	return e == ERR_OK ? codec_get_ca_settings(row, out) : e;
}

/* Encodes before any put: the texts may point into the map. */
void
store_put_ca_settings(struct txn *t, const struct certid *id, const struct ca_settings *settings)
{
	size_t size = codec_ca_settings_size(settings);
	uint8_t *row = row_allocate(t, size, "settings of a CA that cannot be encoded");

	if (row == NULL)
		return;
	codec_put_ca_settings(settings, row);
	table_put(t, TABLE_CA_SETTINGS, id_key(id), (struct view){ row, size });
	free(row);
}

static enum err
read_settings(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct ca_setting_entry *entry = out;

	(void)t;
	(void)context;
	memcpy(entry->id.b, row->key.data, sizeof(entry->id.b));
	return codec_get_ca_settings(row->value, &entry->settings);
}

enum err
store_list_ca_settings(struct txn *t, const struct certid *after, struct ca_setting_entry *out,
    size_t max, size_t *count)
{
	struct range r = { .table = TABLE_CA_SETTINGS,
		.ascending = true,
		.least = sizeof(*after),
		.most = sizeof(*after) };
	struct row_reader reader = { read_settings, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = id_key(after);
	return list_rows(t, &r, &reader, max, count);
}
