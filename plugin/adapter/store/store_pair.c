/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_pair.c - sets of (name, certificate) pairs, readable from both sides:
 * attachments.
 *
 * Two tables hold the same pairs, by name and by certificate, and change together.  A
 * pair that is in only one of them is ERR_CORRUPT, so damage never attaches anything.
 */
#include <string.h>

#include "store_private.h"

static enum err
read_type(const struct pairs *p, struct view value, unsigned *type)
{
	if (value.len != 1 || value.data[0] >= p->types)
		return ERR_CORRUPT;
	*type = value.data[0];
	return ERR_OK;
}

/* Reads one of the two rows. */
static enum err
read_half(struct txn *t, const struct pairs *p, enum table table, struct view key, unsigned *type)
{
	struct view row;
	enum err e = table_get(t, table, key, &row);

	return e == ERR_OK ? read_type(p, row, type) : e;
}

enum err
pair_get(struct txn *t, const struct pairs *p, struct view name, const struct certid *id,
    unsigned *type)
{
	uint8_t key[KEY_MAX];
	unsigned mirrored = 0;
	enum err e = read_half(t, p, p->by_name, name_id_key(name, id, key), type);
	enum err mirror = read_half(t, p, p->by_id, id_name_key(id, name, key), &mirrored);

	if (e == mirror)
		return e == ERR_OK && *type != mirrored ? ERR_CORRUPT : e;
	return e == ERR_STORAGE || mirror == ERR_STORAGE ? ERR_STORAGE : ERR_CORRUPT;
}

/* Both keys are built before anything changes: the name may point into the map. */
void
pair_put(struct txn *t, const struct pairs *p, struct view name, const struct certid *id,
    unsigned type)
{
	uint8_t first[KEY_MAX], second[KEY_MAX], byte = (uint8_t)type;
	struct view by_name = name_id_key(name, id, first), by_id = id_name_key(id, name, second);
	struct view row = { &byte, 1 };

	if (type >= p->types)
		txn_fail(t, ERR_STORAGE, "an attachment that cannot be encoded");
	table_put(t, p->by_name, by_name, row);
	table_put(t, p->by_id, by_id, row);
}

/* Also deletes a pair that only one table has, so damage can be repaired. */
void
pair_delete(struct txn *t, const struct pairs *p, struct view name, const struct certid *id)
{
	uint8_t first[KEY_MAX], second[KEY_MAX];
	struct view by_name = name_id_key(name, id, first), by_id = id_name_key(id, name, second);

	table_delete(t, p->by_name, by_name, NULL);
	table_delete(t, p->by_id, by_id, NULL);
}

/* One side of a listing. */
struct side {
	const struct pairs *pairs;
	struct view name; /* pairs with this name; or, if id is set, with this id */
	const struct certid *id;
	void (*emit)(const struct pair *pair, void *out);
};

/* Reads the row in the other table: this one was found by the walk. */
static enum err
read_mirror(struct txn *t, const struct side *side, const struct pair *pair, unsigned *type)
{
	uint8_t key[KEY_MAX];
	const struct pairs *p = side->pairs;

	return side->id != NULL
	    ? read_half(t, p, p->by_name, name_id_key(pair->name, &pair->id, key), type)
	    : read_half(t, p, p->by_id, id_name_key(&pair->id, pair->name, key), type);
}

static enum err
read_pair(struct txn *t, const void *context, const struct row *row, void *out)
{
	const struct side *side = context;
	struct pair pair = { .name = side->name };
	unsigned mirrored = 0;
	enum err e;

	if (side->id != NULL) {
		pair.id = *side->id;
		pair.name = row->rest;
	} else {
		memcpy(pair.id.b, row->rest.data, sizeof(pair.id.b));
	}
	e = read_type(side->pairs, row->value, &pair.type);
	if (e == ERR_OK)
		e = read_mirror(t, side, &pair, &mirrored);
	if (e == ERR_OK && mirrored != pair.type)
		return ERR_CORRUPT;
	if (e == ERR_OK)
		side->emit(&pair, out);
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

enum err
pairs_of_id(struct txn *t, const struct pairs *p, const struct certid *id, const struct page *page,
    size_t *count)
{
	struct side side = { p, { NULL, 0 }, id, page->emit };
	struct row_reader reader = { read_pair, &side, page->out, page->size };
	struct range r = { .table = p->by_id,
		.prefix = id_key(id),
		.after = page->after,
		.ascending = page->ascending,
		.least = 1,
		.most = NAME_MAX_LENGTH };

	return list_rows(t, &r, &reader, page->max, count);
}

enum err
pairs_of_name(struct txn *t, const struct pairs *p, struct view name, const struct page *page,
    size_t *count)
{
	struct side side = { p, name, NULL, page->emit };
	struct row_reader reader = { read_pair, &side, page->out, page->size };
	uint8_t prefix[KEY_MAX];
	struct range r = { .table = p->by_name,
		.prefix = name_prefix(name, prefix),
		.after = page->after,
		.ascending = page->ascending,
		.least = sizeof(struct certid),
		.most = sizeof(struct certid) };

	*count = 0;
	return r.prefix.len == 0 ? ERR_OK : list_rows(t, &r, &reader, page->max, count);
}
