/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_tidy.c - see crl_import.h: what imports leave behind. */
#include "jitr/service/crl_import.h"

#include "crl_apply.h"

/* The list of the next CA; after NULL: of the first. */
static enum err
next_crl(struct txn *t, const struct certid *after, struct crl_entry *out)
{
	size_t count;
	enum err e = store_list_crls(t, after, out, 1, &count);

	return e == ERR_OK && count == 0 ? ERR_NOT_FOUND : e;
}

/* A CA with a list that is not applied in full. */
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

/* From where the last part has ended, if it is still the same list. */
static enum err
apply(struct crl_tidy *tidy, struct txn *t, const struct crl_entry *entry, int64_t now)
{
	struct crl crl = entry->crl;
	bool same = tidy->applying && tidy->list == crl.list &&
	    certid_equal(&tidy->ca_id, &entry->ca_id);
	enum err e;

	if (!same)
		tidy->next.walk = (struct revoked_walk){ .serial_len = 0 };
	tidy->next_ca_id = entry->ca_id;
	tidy->next_list = crl.list;
	e = crl_apply(t, &entry->ca_id, crl.list, &tidy->next, &tidy->named, now);
	if (e != ERR_OK)
		return e;
	tidy->next_applying = !tidy->next.done;
	crl.applied = tidy->next.done;
	if (crl.applied)
		store_put_crl(t, &entry->ca_id, &crl);
	return t->failed;
}

/* The first list that has entries and that nothing refers to. */
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

/* A part of it.  An import that begins from here on has a higher number than
 * bound, and is left alone. */
static enum err
sweep_out(struct crl_tidy *tidy, struct txn *t)
{
	uint64_t list = 0;
	bool found, left;
	enum err e = find_orphan(t, &list, &found);

	tidy->more = e == ERR_OK && found;
	if (tidy->more && tidy->bound == 0)
		e = store_new_list(t, &tidy->next_bound);
	tidy->more = tidy->more && list < tidy->next_bound;
	return e == ERR_OK && tidy->more ? store_drop_revoked(t, list, CRL_ROWS_AT_ONCE, &left) : e;
}

enum err
crl_tidy_run(struct crl_tidy *tidy, struct txn *t, int64_t now)
{
	struct crl_entry entry;
	bool found;
	enum err e = find_unapplied(t, &entry, &found);

	store_use_reserve(t);
	tidy->more = true;
	tidy->next_applying = false;
	tidy->next_bound = tidy->bound;
	tidy->next = tidy->now;
	if (e == ERR_OK)
		e = found ? apply(tidy, t, &entry, now) : sweep_out(tidy, t);
	return e == ERR_OK ? t->failed : store_fail(t, e);
}

bool
crl_tidy_committed(struct crl_tidy *tidy)
{
	tidy->ca_id = tidy->next_ca_id;
	tidy->list = tidy->next_list;
	tidy->now = tidy->next;
	tidy->bound = tidy->next_bound;
	tidy->applying = tidy->next_applying;
	return tidy->more;
}
