/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_settings.c - see store.h: what was set for a CA. */
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

/* The texts may be those that a get function answered: they are copied before
 * their page changes. */
void
store_put_ca_settings(struct txn *t, const struct certid *id, const struct ca_settings *settings)
{
	size_t size = codec_ca_settings_size(settings);
	uint8_t *row = malloc(size + 1);

	if (row == NULL) {
		txn_fail(t, ERR_NOMEM, "out of memory");
		return;
	}
	if (size > 0) {
		codec_put_ca_settings(settings, row);
		table_put(t, TABLE_CA_SETTINGS, id_key(id), (struct view){ row, size });
	} else {
		txn_fail(t, ERR_STORAGE, "settings of a CA that cannot be encoded");
	}
	free(row);
}

static enum err
take_settings(struct txn *t, const void *of, const struct row *row, void *out)
{
	struct ca_setting_entry *entry = out;

	(void)t;
	(void)of;
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
	struct taker taker = { take_settings, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = id_key(after);
	return list_rows(t, &r, &taker, max, count);
}
