/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_template.c - see store.h: provisioning templates. */
#include <stdlib.h>

#include "jitr/core/codec.h"

#include "store_private.h"

/* Empty: it cannot be the name of one. */
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

/* The texts may be those that a get function answered: they are copied before
 * their page changes. */
void
store_put_template(struct txn *t, const struct provisioning_template *made)
{
	size_t size = codec_template_size(made);
	uint8_t key[KEY_MAX], *row = malloc(size + 1);

	if (row == NULL) {
		txn_fail(t, ERR_NOMEM, "out of memory");
		return;
	}
	if (size > 0) {
		codec_put_template(made, row);
		table_put(t, TABLE_TEMPLATE, template_key(made->name, key),
		    (struct view){ row, size });
	} else {
		txn_fail(t, ERR_STORAGE, "a provisioning template that cannot be encoded");
	}
	free(row);
}

void
store_delete_template(struct txn *t, struct view name)
{
	uint8_t key[KEY_MAX];

	table_delete(t, TABLE_TEMPLATE, template_key(name, key), NULL);
}

static enum err
take_template(struct txn *t, const void *of, const struct row *row, void *out)
{
	struct provisioning_template *made = out;
	enum err e = codec_get_template(row->value, made);

	(void)t;
	(void)of;
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
	struct taker taker = { take_template, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = *after;
	return list_rows(t, &r, &taker, max, count);
}
