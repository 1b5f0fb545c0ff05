/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_thing.c - things, and the certificates attached to them; see store.h. */
#include <stdlib.h>

#include "jitr/core/codec.h"

#include "store_private.h"

static const struct pairs principals = { TABLE_THING_CERT, TABLE_CERT_THING,
	PRINCIPAL_EXCLUSIVE + 1 };

enum err
store_get_thing(struct txn *t, struct view name, struct thing *out)
{
	uint8_t key[KEY_MAX];
	struct view row;
	enum err e = table_get(t, TABLE_THING, name_key(name, key), &row);

	if (e == ERR_OK)
		e = codec_get_thing(row, out);
	if (e == ERR_OK)
		out->name = name;
	return e;
}

/* Encodes before any put: the texts may point into the map.  A record that cannot be
 * read is not replaced. */
void
store_put_thing(struct txn *t, const struct thing *thing)
{
	size_t size = codec_thing_size(thing);
	uint8_t key[KEY_MAX], *row;
	struct thing old;
	enum err e;

	if (t->failed != ERR_OK)
		return;
	e = store_get_thing(t, thing->name, &old);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		txn_fail(t, e, "the stored thing that is to be replaced cannot be read");
	row = row_allocate(t, size, "a thing that cannot be encoded");
	if (row == NULL)
		return;
	codec_put_thing(thing, row);
	table_put(t, TABLE_THING, name_key(thing->name, key), (struct view){ row, size });
	free(row);
}

void
store_delete_thing(struct txn *t, struct view name)
{
	uint8_t key[KEY_MAX];

	table_delete(t, TABLE_THING, name_key(name, key), NULL);
}

static enum err
read_thing(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct thing *thing = out;
	enum err e = codec_get_thing(row->value, thing);

	(void)t;
	(void)context;
	thing->name = row->key;
	return e;
}

enum err
store_list_things(struct txn *t, const struct view *after, struct thing *out, size_t max,
    size_t *count)
{
	struct range r = { .table = TABLE_THING,
		.ascending = true,
		.least = 1,
		.most = NAME_MAX_LENGTH };
	struct row_reader reader = { read_thing, NULL, out, sizeof(*out) };

	if (after != NULL)
		r.after = *after;
	return list_rows(t, &r, &reader, max, count);
}

enum err
store_get_thing_principal(struct txn *t, struct view thing, const struct certid *id,
    enum principal_type *out)
{
	unsigned type = PRINCIPAL_NON_EXCLUSIVE;
	enum err e = pair_get(t, &principals, thing, id, &type);

	*out = (enum principal_type)type;
	return e;
}

void
store_put_thing_principal(struct txn *t, const struct thing_principal *p)
{
	pair_put(t, &principals, p->thing, &p->id, p->type);
}

void
store_delete_thing_principal(struct txn *t, struct view thing, const struct certid *id)
{
	pair_delete(t, &principals, thing, id);
}

static void
emit_principal(const struct pair *pair, void *out)
{
	*(struct thing_principal *)out = (struct thing_principal){ .id = pair->id,
		.thing = pair->name,
		.type = (enum principal_type)pair->type };
}

enum err
store_list_thing_principals(struct txn *t, struct view thing, const struct certid *after,
    struct thing_principal *out, size_t max, size_t *count)
{
	struct page page = { .emit = emit_principal,
		.ascending = true,
		.out = out,
		.size = sizeof(*out),
		.max = max };

	if (after != NULL)
		page.after = id_key(after);
	return pairs_of_name(t, &principals, thing, &page, count);
}

enum err
store_list_principal_things(struct txn *t, const struct certid *id, const struct view *after,
    struct thing_principal *out, size_t max, size_t *count)
{
	struct page page = { .emit = emit_principal,
		.ascending = true,
		.out = out,
		.size = sizeof(*out),
		.max = max };

	if (after != NULL)
		page.after = *after;
	return pairs_of_id(t, &principals, id, &page, count);
}
