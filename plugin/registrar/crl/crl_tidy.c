/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_tidy.c - see crl_tidy.h. */
#include <stdlib.h>

#include "crl_tidy.h"

#include "crl_apply.h"

/* How far the work has come. */
struct tidy_state {
	struct certid ca_id; /* the CA and the number of the list that is being applied */
	uint64_t list;
	bool applying;                /* the list was applied in part */
	struct crl_progress progress; /* of that list; revoked counts all lists */
	uint64_t bound; /* lists from this number on may be new imports; 0: not yet known */
	bool more;
};

/* A run may be repeated if its transaction cannot be committed: it starts from committed,
 * and its result replaces committed afterwards. */
struct crl_tidy {
	struct tidy_state committed, next;
	struct crl_named named;
};

enum err
crl_tidy_new(struct crl_tidy **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

void
crl_tidy_free(struct crl_tidy *tidy)
{
	free(tidy);
}

/* The list of the CA after this one; after NULL: of the first CA. */
static enum err
next_crl(struct txn *t, const struct certid *after, struct crl_entry *out)
{
	size_t count;
	enum err e = store_list_crls(t, after, out, 1, &count);

	return e == ERR_OK && count == 0 ? ERR_NOT_FOUND : e;
}

/* The first list that was not applied to all certificates of its CA. */
static enum err
find_unapplied(struct txn *t, struct crl_entry *out, bool *found)
{
	struct certid last;
	enum err e = next_crl(t, NULL, out);

	while (e == ERR_OK && out->crl.applied) {
		last = out->ca_id;
		e = next_crl(t, &last, out);
	}
	return store_optional(e, found);
}

static enum err
is_in_force(struct txn *t, uint64_t list, bool *out)
{
	struct crl_entry entry;
	struct certid last;
	enum err e = next_crl(t, NULL, &entry);

	while (e == ERR_OK && entry.crl.list != list) {
		last = entry.ca_id;
		e = next_crl(t, &last, &entry);
	}
	return store_optional(e, out);
}

/* Continues after the last committed part if that was of the same list. */
static enum err
apply_list(struct crl_tidy *tidy, struct txn *t, const struct crl_entry *entry, int64_t now)
{
	struct tidy_state *next = &tidy->next;
	struct crl crl = entry->crl;
	enum err e;

	if (!tidy->committed.applying || next->list != crl.list ||
	    !certid_equal(&next->ca_id, &entry->ca_id))
		next->progress.walk = (struct revoked_walk){ .serial_len = 0 };
	next->ca_id = entry->ca_id;
	next->list = crl.list;
	e = crl_apply(t, &entry->ca_id, crl.list, &next->progress, &tidy->named, now);
	if (e != ERR_OK)
		return e;
	next->applying = !next->progress.done;
	crl.applied = next->progress.done;
	if (crl.applied)
		store_put_crl(t, &entry->ca_id, &crl);
	return t->failed;
}

/* The first list that has entries and that no CA refers to. */
static enum err
find_orphan(struct txn *t, uint64_t *list, bool *found)
{
	bool in_force = true;
	enum err e = store_next_list(t, 0, list);

	while (e == ERR_OK) {
		e = is_in_force(t, *list, &in_force);
		if (e != ERR_OK || !in_force)
			break;
		e = store_next_list(t, *list + 1, list);
	}
	return store_optional(e, found);
}

/* Removes a part of an orphan.  The bound is taken from the counter of list numbers, so that
 * an import that begins later has a list with a higher number, which is not removed. */
static enum err
drop_orphan(struct crl_tidy *tidy, struct txn *t)
{
	struct tidy_state *next = &tidy->next;
	uint64_t list = 0;
	bool found, left;
	enum err e = find_orphan(t, &list, &found);

	next->more = e == ERR_OK && found;
	if (next->more && next->bound == 0)
		e = store_new_list(t, &next->bound);
	next->more = next->more && list < next->bound;
	return e == ERR_OK && next->more ? store_drop_revoked(t, list, CRL_ROWS_AT_ONCE, &left) : e;
}

enum err
crl_tidy_run(struct crl_tidy *tidy, struct txn *t, int64_t now)
{
	struct crl_entry entry;
	bool found;
	enum err e = find_unapplied(t, &entry, &found);

	store_use_reserve(t);
	tidy->next = tidy->committed;
	tidy->next.more = true;
	tidy->next.applying = false;
	if (e == ERR_OK)
		e = found ? apply_list(tidy, t, &entry, now) : drop_orphan(tidy, t);
	return e == ERR_OK ? t->failed : store_fail(t, e);
}

bool
crl_tidy_committed(struct crl_tidy *tidy)
{
	tidy->committed = tidy->next;
	return tidy->committed.more;
}

struct crl_tidy_result
crl_tidy_result(const struct crl_tidy *tidy)
{
	return (struct crl_tidy_result){ .revoked = tidy->committed.progress.revoked,
		.named = &tidy->named };
}
