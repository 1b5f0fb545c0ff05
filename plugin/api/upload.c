/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* upload.c - see upload.h. */
#include <stdlib.h>
#include <string.h>

#include "upload.h"

#include "jitr/crl.h"

/* Of all uploads together: no more than one list may be. */
#define BYTES_MAX CRL_DER_MAX

static void
forget(struct upload *u)
{
	free(u->bytes);
	memset(u, 0, sizeof(*u));
}

void
uploads_clear(struct uploads *u)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		forget(&u->entries[i]);
}

void
uploads_tick(struct uploads *u, int64_t now)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++) {
		struct upload *entry = &u->entries[i];

		if (entry->owner != 0 && (now < entry->last || now - entry->last > UPLOAD_TIMEOUT_MS))
			forget(entry);
	}
}

static bool
is_same(const struct upload *u, const struct upload_part *p)
{
	return u->owner != 0 && u->owner == p->owner && view_equal(view_of(u->id), p->id);
}

static struct upload *
find(struct uploads *u, const struct upload_part *p)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		if (is_same(&u->entries[i], p))
			return &u->entries[i];
	return NULL;
}

static enum err
begin(struct uploads *u, const struct upload_part *p, struct upload **out, struct diag *diag)
{
	struct upload *entry = NULL;

	for (size_t i = 0; i < UPLOADS_MAX && entry == NULL; i++)
		if (u->entries[i].owner == 0)
			entry = &u->entries[i];
	if (entry == NULL) {
		diag_set(diag, "%d lists are being uploaded: try again in a minute", UPLOADS_MAX);
		return ERR_LIMIT;
	}
	entry->owner = p->owner;
	memcpy(entry->id, p->id.data, p->id.len);
	entry->of = p->of;
	entry->parts = p->parts;
	*out = entry;
	return ERR_OK;
}

static size_t
bytes_of_all(const struct uploads *u)
{
	size_t bytes = 0;

	for (size_t i = 0; i < UPLOADS_MAX; i++)
		bytes += u->entries[i].len;
	return bytes;
}

static enum err
append(struct uploads *u, struct upload *entry, struct view bytes, struct diag *diag)
{
	size_t size = entry->size > 0 ? entry->size : 1024 * 1024;
	uint8_t *grown;

	if (bytes.len > BYTES_MAX - bytes_of_all(u)) {
		diag_set(diag, "A revocation list may have %zu bytes", (size_t)BYTES_MAX);
		return ERR_LIMIT;
	}
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

static enum err
check_order(const struct upload *entry, const struct upload_part *p, struct diag *diag)
{
	if (p->parts == entry->parts && p->part == entry->received + 1 &&
	    certid_equal(&p->of, &entry->of))
		return ERR_OK;
	diag_set(diag, "Part %zu of %zu does not go on where this upload is: begin again with part 1",
	    p->part, p->parts);
	return ERR_REQUEST;
}

static enum err
take(struct uploads *u, struct upload *entry, const struct upload_part *p, struct diag *diag)
{
	enum err e = check_order(entry, p, diag);

	if (e == ERR_OK)
		e = append(u, entry, p->bytes, diag);
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
		forget(entry);
		entry = NULL;
	}
	if (entry == NULL)
		e = begin(u, p, &entry, diag);
	if (entry == NULL)
		return e;
	e = take(u, entry, p, diag);
	entry->last = now;
	if (e == ERR_OK && entry->received < entry->parts)
		return ERR_OK;
	if (e == ERR_OK) {
		*whole = entry->bytes;
		*len = entry->len;
		entry->bytes = NULL;
	}
	forget(entry);
	return e;
}
