/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_template.c - provisioning templates; see store.h. */
#include <stdlib.h>

#include "jitr/core/codec.h"

#include "store_private.h"

/* Empty: not a valid template name. */
static struct view
template_key(struct view name, uint8_t out[KEY_MAX])
{
	if (name.len > TEMPLATE_NAME_MAX)
		return (struct view){ NULL, 0 };
	return name_key(name, out);
}

enum err
store_get_template(struct txn *t, struct view name, struct provisioning_template *out)
{
	uint8_t key[KEY_MAX];
	struct view row;
	enum err e = table_get(t, TABLE_TEMPLATE, template_key(name, key), &row);

	if (e == ERR_OK)
		e = codec_get_template(row, out);
	if (e == ERR_OK)
		out->name = name;
	return e;
}

/* Encodes before any put: the texts may point into the map. */
void
store_put_template(struct txn *t, const struct provisioning_template *made)
{
	size_t size = codec_template_size(made);
	uint8_t key[KEY_MAX], *row;

	row = row_allocate(t, size, "a provisioning template that cannot be encoded");
	if (row == NULL)
		return;
	codec_put_template(made, row);
	table_put(t, TABLE_TEMPLATE, template_key(made->name, key), (struct view){ row, size });
	free(row);
}

void
store_delete_template(struct txn *t, struct view name)
{
	uint8_t key[KEY_MAX];

	table_delete(t, TABLE_TEMPLATE, template_key(name, key), NULL);
}

static enum err
read_template(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct provisioning_template *made = out;
	enum err e = codec_get_template(row->value, made);

	(void)t;
	(void)context;
	made->name = row->key;
	return e;
}

enum err
store_list_templates(struct txn *t, const struct view *after, struct provisioning_template *out,
    size_t max, size_t *count)
{
	struct range r = { .table = TABLE_TEMPLATE,
		.ascending = true,
		.least = 1,
		.most = TEMPLATE_NAME_MAX };
	struct row_reader reader = { read_template, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = *after;
	return list_rows(t, &r, &reader, max, count);
}
