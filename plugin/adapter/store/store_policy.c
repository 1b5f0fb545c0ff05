/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_policy.c - policies and their attachments; see store.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define NUMBER_SIZE 4 /* of a version number */
#define TIME_SIZE   8

static const struct pairs attachments = { TABLE_POLICY_CERT, TABLE_CERT_POLICY, 1 };

enum err
store_get_policy(struct txn *t, struct view name, struct policy_record *out)
{
	uint8_t key[KEY_MAX];
	struct view row;
	enum err e = table_get(t, TABLE_POLICY, name_key(name, key), &row);

	if (e == ERR_OK)
		e = codec_get_policy(row, out);
	if (e == ERR_OK)
		out->name = name;
	return e;
}

static struct view
policy_by_time_key(int64_t created, struct view name, uint8_t out[KEY_MAX])
{
	uint8_t time[TIME_SIZE];

	number_put(time, sizeof(time), (uint64_t)created);
	return named_key((struct view){ time, sizeof(time) }, name, (struct view){ NULL, 0 }, out);
}

/* Most changes do not affect the index, so its page is left alone. */
static void
update_index(struct txn *t, struct view name, int64_t created)
{
	struct policy_record old;
	uint8_t key[KEY_MAX];
	enum err e = store_get_policy(t, name, &old);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		txn_fail(t, e, "the stored policy that is to be replaced cannot be read");
	if (e == ERR_OK && old.created == created)
		return;
	if (e == ERR_OK)
		table_delete(t, TABLE_POLICY_BY_TIME, policy_by_time_key(old.created, name, key),
		    NULL);
	table_put(t, TABLE_POLICY_BY_TIME, policy_by_time_key(created, name, key), view_of(""));
}

void
store_put_policy(struct txn *t, const struct policy_record *policy)
{
	uint8_t row[CODEC_POLICY_MAX], key[KEY_MAX];
	struct view name = name_key(policy->name, key); /* copied before any put */
	size_t len = codec_put_policy(policy, row);

	if (t->failed != ERR_OK)
		return;
	if (len == 0) {
		txn_fail(t, ERR_STORAGE, "a policy that cannot be encoded");
		return;
	}
	update_index(t, name, policy->created);
	table_put(t, TABLE_POLICY, name, (struct view){ row, len });
}

static struct view
version_key(struct view name, uint32_t number, uint8_t out[KEY_MAX])
{
	uint8_t tail[1 + NUMBER_SIZE] = { 0 };

	number_put(tail + 1, NUMBER_SIZE, number);
	return named_key((struct view){ NULL, 0 }, name, (struct view){ tail, sizeof(tail) }, out);
}

static struct range
version_range(struct view name, uint8_t prefix[KEY_MAX])
{
	return (struct range){ .table = TABLE_POLICY_VERSION,
		.prefix = name_prefix(name, prefix),
		.least = NUMBER_SIZE,
		.most = NUMBER_SIZE };
}

static enum err
read_number(struct txn *t, const void *context, const struct row *row, void *out)
{
	uint32_t *number = out;

	(void)t;
	(void)context;
	*number = (uint32_t)number_get(row->rest.data, NUMBER_SIZE);
	return ERR_OK;
}

/* Also deletes versions that cannot be decoded. */
static void
delete_versions(struct txn *t, struct view name)
{
	uint8_t prefix[KEY_MAX];
	struct range r = version_range(name, prefix);
	uint32_t number;
	struct row_reader reader = { read_number, NULL, &number, sizeof(number) };
	size_t count = 1;
	enum err e = ERR_OK;

	while (e == ERR_OK && count > 0 && t->failed == ERR_OK) {
		e = list_rows(t, &r, &reader, 1, &count);
		if (e == ERR_OK && count > 0)
			store_delete_policy_version(t, name, number);
	}
	if (e != ERR_OK)
		txn_fail(t, e,
		    "the stored versions of a policy that is to be deleted cannot be read");
}

void
store_delete_policy(struct txn *t, struct view name)
{
	uint8_t copy[KEY_MAX], key[KEY_MAX];
	struct policy_record old;
	enum err e;

	name = name_key(name, copy);
	if (t->failed != ERR_OK)
		return;
	e = store_get_policy(t, name, &old);
	if (e == ERR_NOT_FOUND)
		return;
	if (e != ERR_OK) {
		txn_fail(t, e, "the stored policy that is to be deleted cannot be read");
		return;
	}
	table_delete(t, TABLE_POLICY_BY_TIME, policy_by_time_key(old.created, name, key), NULL);
	table_delete(t, TABLE_POLICY, name, NULL);
	delete_versions(t, name);
}

enum err
store_get_policy_version(struct txn *t, struct view name, uint32_t number,
    struct policy_version *out)
{
	uint8_t key[KEY_MAX];
	struct view row;
	enum err e = table_get(t, TABLE_POLICY_VERSION, version_key(name, number, key), &row);

	if (e == ERR_OK)
		e = codec_get_policy_version(row, out);
	if (e == ERR_OK)
		out->number = number;
	return e;
}

/* Encodes before any put: the document may point into the map. */
void
store_put_policy_version(struct txn *t, struct view name, const struct policy_version *version)
{
	size_t size = codec_policy_version_size(version);
	uint8_t key[KEY_MAX], *row;

	row = row_allocate(t, size, "a version of a policy that cannot be encoded");
	if (row == NULL)
		return;
	codec_put_policy_version(version, row);
	table_put(t, TABLE_POLICY_VERSION, version_key(name, version->number, key),
	    (struct view){ row, size });
	free(row);
}

void
store_delete_policy_version(struct txn *t, struct view name, uint32_t number)
{
	uint8_t key[KEY_MAX];

	table_delete(t, TABLE_POLICY_VERSION, version_key(name, number, key), NULL);
}

static enum err
read_version(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct policy_version *version = out;
	enum err e = codec_get_policy_version(row->value, version);

	(void)t;
	(void)context;
	version->number = (uint32_t)number_get(row->rest.data, NUMBER_SIZE);
	return e;
}

enum err
store_list_policy_versions(struct txn *t, struct view name, struct policy_version *out, size_t max,
    size_t *count)
{
	uint8_t prefix[KEY_MAX];
	struct range r = version_range(name, prefix);
	struct row_reader reader = { read_version, NULL, out, sizeof(*out) };

	*count = 0;
	return r.prefix.len == 0 ? ERR_OK : list_rows(t, &r, &reader, max, count);
}

/* ERR_CORRUPT: an index row without its policy, or with one created at another time. */
static enum err
read_policy(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct view name = { row->key.data + TIME_SIZE, row->key.len - TIME_SIZE };
	struct policy_record *policy = out;
	enum err e = store_get_policy(t, name, policy);

	(void)context;
	if (e == ERR_OK && (uint64_t)policy->created != number_get(row->key.data, TIME_SIZE))
		return ERR_CORRUPT;
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* Records are created after 1970; an earlier position is before the first. */
enum err
store_list_policies(struct txn *t, const struct name_position *after, bool ascending,
    struct policy_record *out, size_t max, size_t *count)
{
	static const uint8_t lowest[TIME_SIZE];
	uint8_t key[KEY_MAX];
	struct range r = { .table = TABLE_POLICY_BY_TIME,
		.ascending = ascending,
		.least = TIME_SIZE + 1,
		.most = TIME_SIZE + NAME_MAX_LENGTH };
	struct row_reader reader = { read_policy, NULL, out, sizeof(*out) };

	*count = 0;
	if (after != NULL && after->created < 0)
		r.after = (struct view){ lowest, sizeof(lowest) };
	else if (after != NULL)
		r.after = policy_by_time_key(after->created, after->name, key);
	if (after != NULL && r.after.len == 0)
		return ERR_OK; /* not a valid policy name */
	return list_rows(t, &r, &reader, max, count);
}

enum err
store_is_attached(struct txn *t, struct view policy, const struct certid *id, bool *out)
{
	unsigned type;
	enum err e = pair_get(t, &attachments, policy, id, &type);

	*out = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void
store_attach(struct txn *t, struct view policy, const struct certid *id)
{
	pair_put(t, &attachments, policy, id, 0);
}

void
store_detach(struct txn *t, struct view policy, const struct certid *id)
{
	pair_delete(t, &attachments, policy, id);
}

static void
emit_name(const struct pair *pair, void *out)
{
	*(struct view *)out = pair->name;
}

static void
emit_id(const struct pair *pair, void *out)
{
	*(struct certid *)out = pair->id;
}

enum err
store_list_attached(struct txn *t, const struct certid *id, const struct view *after,
    bool ascending, struct view *out, size_t max, size_t *count)
{
	struct page page = { .emit = emit_name,
		.ascending = ascending,
		.out = out,
		.size = sizeof(*out),
		.max = max };

	if (after != NULL)
		page.after = *after;
	return pairs_of_id(t, &attachments, id, &page, count);
}

enum err
store_list_targets(struct txn *t, struct view policy, const struct certid *after, bool ascending,
    struct certid *out, size_t max, size_t *count)
{
	struct page page = { .emit = emit_id,
		.ascending = ascending,
		.out = out,
		.size = sizeof(*out),
		.max = max };

	if (after != NULL)
		page.after = id_key(after);
	return pairs_of_name(t, &attachments, policy, &page, count);
}
