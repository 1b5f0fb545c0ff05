/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* upload.c - see upload.h. */
#include <stdlib.h>
#include <string.h>

#include "upload.h"

#include "jitr/adapter/crl.h"

/* One owner: the size of the largest list. */
#define BYTES_OF_ONE_MAX CRL_DER_MAX
#define BYTES_MAX        (2 * (size_t)CRL_DER_MAX)

struct upload {
	char *owner; /* NULL: this place is free */
	uint64_t session;
	char id[UPLOAD_ID_MAX + 1];
	struct certid ca_id;
	size_t parts, received;
	uint8_t *bytes;
	size_t len, size;
	int64_t last; /* when the last part came */
};

struct uploads {
	struct upload entries[UPLOADS_MAX];
};

/* The uploads of one owner, or of all. */
struct share {
	size_t count, bytes;
};

static void
drop(struct upload *u)
{
	free(u->owner);
	free(u->bytes);
	memset(u, 0, sizeof(*u));
}

enum err
uploads_open(struct uploads **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

void
uploads_close(struct uploads *u)
{
	for (size_t i = 0; u != NULL && i < UPLOADS_MAX; i++)
		drop(&u->entries[i]);
	free(u);
}

void
uploads_tick(struct uploads *u, int64_t now)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++) {
		struct upload *entry = &u->entries[i];

		if (entry->owner != NULL &&
		    (now < entry->last || now - entry->last > UPLOAD_TIMEOUT_MS))
			drop(entry);
	}
}

static bool
is_same(const struct upload *u, const struct upload_part *p)
{
	return u->owner != NULL && u->session == p->session && strcmp(u->owner, p->owner) == 0 &&
	    view_equal(view_of(u->id), p->id);
}

static struct upload *
find(struct uploads *u, const struct upload_part *p)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		if (is_same(&u->entries[i], p))
			return &u->entries[i];
	return NULL;
}

/* owner NULL: all. */
static struct share
share_of(const struct uploads *u, const char *owner)
{
	struct share share = { 0, 0 };

	for (size_t i = 0; i < UPLOADS_MAX; i++) {
		const struct upload *entry = &u->entries[i];

		if (entry->owner == NULL || (owner != NULL && strcmp(entry->owner, owner) != 0))
			continue;
		share.count++;
		share.bytes += entry->len;
	}
	return share;
}

size_t
uploads_count(const struct uploads *u)
{
	return share_of(u, NULL).count;
}

static bool
is_idle(const struct upload *u, int64_t now)
{
	return now < u->last || now - u->last >= UPLOAD_IDLE_MS;
}

/* Is a to be replaced rather than b?  Its owner has more, or as much and a is idle for
 * longer. */
static bool
is_replaced_before(const struct uploads *u, const struct upload *a, const struct upload *b,
    bool bytes)
{
	struct share of_a = share_of(u, a->owner), of_b = share_of(u, b->owner);
	size_t more = bytes ? of_a.bytes : of_a.count, less = bytes ? of_b.bytes : of_b.count;

	return more != less ? more > less : a->last < b->last;
}

/* Drops an upload of an owner that has more than this one: an idle one, or any of an owner
 * that has two uploads more.  false: there is none. */
static bool
make_room(struct uploads *u, const char *owner, bool bytes, int64_t now)
{
	struct share own = share_of(u, owner);
	struct upload *found = NULL;

	for (size_t i = 0; i < UPLOADS_MAX; i++) {
		struct upload *entry = &u->entries[i];
		struct share its = entry->owner != NULL ? share_of(u, entry->owner) : own;
		bool more = bytes ? its.bytes > own.bytes : its.count > own.count;

		if (!more || (!is_idle(entry, now) && (bytes || its.count < own.count + 2)))
			continue;
		if (found == NULL || is_replaced_before(u, entry, found, bytes))
			found = entry;
	}
	if (found != NULL)
		drop(found);
	return found != NULL;
}

static struct upload *
find_place(struct uploads *u)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		if (u->entries[i].owner == NULL)
			return &u->entries[i];
	return NULL;
}

static enum err
begin(struct uploads *u, const struct upload_part *p, int64_t now, struct upload **out,
    struct diag *diag)
{
	struct upload *entry = find_place(u);

	if (share_of(u, p->owner).count >= UPLOADS_OF_ONE_MAX) {
		diag_set(diag, "%d lists of this caller are being uploaded: try again in a minute",
		    UPLOADS_OF_ONE_MAX);
		return ERR_LIMIT;
	}
	if (entry == NULL && make_room(u, p->owner, false, now))
		entry = find_place(u);
	if (entry == NULL) {
		diag_set(diag, "%d lists are being uploaded: try again in a minute", UPLOADS_MAX);
		return ERR_LIMIT;
	}
	entry->session = p->session;
	entry->owner = strdup(p->owner);
	if (entry->owner == NULL)
		return ERR_NOMEM;
	memcpy(entry->id, p->id.data, p->id.len);
	entry->ca_id = p->ca_id;
	entry->parts = p->parts;
	entry->last = now;
	*out = entry;
	return ERR_OK;
}

static enum err
check_room(struct uploads *u, const struct upload *entry, size_t len, int64_t now,
    struct diag *diag)
{
	if (len > BYTES_OF_ONE_MAX - share_of(u, entry->owner).bytes) {
		diag_set(diag,
		    "A revocation list, and all that one caller uploads, may have at most %zu bytes",
		    (size_t)BYTES_OF_ONE_MAX);
		return ERR_LIMIT;
	}
	while (len > BYTES_MAX - share_of(u, NULL).bytes)
		if (!make_room(u, entry->owner, true, now)) {
			diag_set(diag,
			    "The lists that are being uploaded have %zu bytes: try again in a "
			    "minute",
			    share_of(u, NULL).bytes);
			return ERR_LIMIT;
		}
	return ERR_OK;
}

static enum err
append(struct upload *entry, struct view bytes)
{
	size_t size = entry->size > 0 ? entry->size : 1024 * 1024;
	uint8_t *grown;

	while (size < entry->len + bytes.len)
		size *= 2;
	if (size > entry->size) {
		grown = realloc(entry->bytes, size);
		if (grown == NULL)
			return ERR_NOMEM;
		entry->bytes = grown;
		entry->size = size;
	}
	if (bytes.len > 0)
		memcpy(entry->bytes + entry->len, bytes.data, bytes.len);
	entry->len += bytes.len;
	return ERR_OK;
}

/* entry NULL: there is no such upload, and this part must be the first one. */
static enum err
check_order(const struct upload *entry, const struct upload_part *p, struct diag *diag)
{
	if (entry == NULL ? p->part == 1
			  : p->parts == entry->parts && p->part == entry->received + 1 &&
		    certid_equal(&p->ca_id, &entry->ca_id))
		return ERR_OK;
	diag_set(diag,
	    "Part %zu of %zu is not the next part of this upload: begin again with part 1", p->part,
	    p->parts);
	return ERR_REQUEST;
}

static enum err
take(struct uploads *u, struct upload *entry, const struct upload_part *p, int64_t now,
    struct diag *diag)
{
	enum err e = check_order(entry, p, diag);

	if (e == ERR_OK)
		e = check_room(u, entry, p->bytes.len, now, diag);
	if (e == ERR_OK)
		e = append(entry, p->bytes);
	if (e == ERR_OK)
		entry->received++;
	return e;
}

enum err
uploads_add(struct uploads *u, const struct upload_part *p, int64_t now, uint8_t **whole,
    size_t *len, struct diag *diag)
{
	struct upload *entry = find(u, p);
	enum err e = ERR_OK;

	*whole = NULL;
	if (entry != NULL && p->part == 1) {
		drop(entry);
		entry = NULL;
	}
	if (entry == NULL)
		e = check_order(NULL, p, diag);
	if (entry == NULL && e == ERR_OK)
		e = begin(u, p, now, &entry, diag);
	if (entry == NULL)
		return e;
	e = take(u, entry, p, now, diag);
	entry->last = now;
	if (e == ERR_OK && entry->received < entry->parts)
		return ERR_OK;
	if (e == ERR_OK) {
		*whole = entry->bytes;
		*len = entry->len;
		entry->bytes = NULL;
	}
	drop(entry);
	return e;
}
