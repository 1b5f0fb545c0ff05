/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_schedule.c - see registry_schedule.h. */
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/service/registry.h"
#include "jitr/service/registry_schedule.h"

#include "registry_private.h"
#include "jitr/service/revocation.h"

/* At most this many certificates of one thing are checked. */
#define PREDECESSORS_MAX   1000
#define PRINCIPALS_AT_ONCE 50

/* *out: it is another certificate, older than the successor, and ACTIVE. */
static enum err
is_predecessor(struct txn *t, const struct certid *id, const struct cert *successor, bool *out)
{
	struct cert cert;
	bool found;
	enum err e = store_optional(store_get_cert(t, id, &cert), &found);

	*out = e == ERR_OK && found && cert.status == CERT_ACTIVE &&
	    !certid_equal(id, &successor->id) && cert.created <= successor->created;
	return e;
}

static enum err
supersede_some(struct txn *t, const struct thing_principal *principals, size_t count,
    const struct cert *successor, int64_t due)
{
	struct schedule_entry entry = { .kind = SCHEDULE_SUPERSEDE,
		.time = due,
		.successor = successor->id };
	enum err e = ERR_OK;
	bool is;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		e = is_predecessor(t, &principals[i].id, successor, &is);
		entry.id = principals[i].id;
		if (e == ERR_OK && is)
			store_put_schedule(t, &entry);
	}
	return e == ERR_OK ? t->failed : e;
}

static enum err
supersede_in_thing(struct txn *t, struct view thing, const struct cert *successor, int64_t due)
{
	struct thing_principal principals[PRINCIPALS_AT_ONCE];
	struct certid last;
	size_t count = COUNT_OF(principals), seen = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && count == COUNT_OF(principals) && seen < PREDECESSORS_MAX) {
		e = store_list_thing_principals(t, thing, seen > 0 ? &last : NULL, principals,
		    COUNT_OF(principals), &count);
		if (e == ERR_OK && count > 0) {
			last = principals[count - 1].id;
			e = supersede_some(t, principals, count, successor, due);
		}
		seen += count;
	}
	return e;
}

/* The names are copied first: views from a listing become invalid with the first change. */
enum err
registry_supersede(struct txn *t, const struct cert *cert, int64_t after, int64_t now)
{
	struct thing_principal things[PRINCIPALS_AT_ONCE];
	uint8_t names[PRINCIPALS_AT_ONCE][NAME_MAX_LENGTH];
	size_t count = 0;
	enum err e = store_list_principal_things(t, &cert->id, NULL, things, COUNT_OF(things),
	    &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		memcpy(names[i], things[i].thing.data, things[i].thing.len);
		things[i].thing.data = names[i];
	}
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = supersede_in_thing(t, things[i].thing, cert, now + after);
	return e;
}

enum err
registry_supersede_by_ca(struct txn *t, const struct cert *cert, int64_t now)
{
	struct ca_settings settings;
	enum err e;

	if (!cert->has_ca)
		return ERR_OK;
	e = revocation_settings(t, &cert->ca_id, &settings);
	if (e != ERR_OK || !settings.supersedes)
		return e;
	return registry_supersede(t, cert, settings.supersede_after, now);
}

/* Makes a superseded certificate INACTIVE, but only while its successor is ACTIVE: a device
 * must not lose both.  A certificate with a damaged record is refused in any case. */
static enum err
retire(struct txn *t, const struct schedule_entry *entry, int64_t now, bool *done)
{
	struct cert_note note = { .time = now,
		.superseded = true,
		.successor = entry->successor,
		.text = view_of("superseded by a newer certificate of its thing") };
	struct cert cert, successor;
	bool found, has_successor;
	enum err e = store_optional(store_get_cert(t, &entry->id, &cert), &found);

	if (e == ERR_OK)
		e = store_optional(store_get_cert(t, &entry->successor, &successor),
		    &has_successor);
	*done = false;
	if (e != ERR_OK)
		return e == ERR_CORRUPT ? ERR_OK : e;
	*done = found && has_successor && cert.status == CERT_ACTIVE &&
	    successor.status == CERT_ACTIVE;
	if (*done)
		registry_put_status(t, &cert, CERT_INACTIVE, &note, now);
	return t->failed;
}

/* The next entry that is due.  A damaged entry is removed, so that it does not block the
 * entries after it; it counts as one of *left. */
static enum err
next_due(struct txn *t, enum schedule_kind kind, int64_t until, struct schedule_entry *entry,
    bool *found, size_t *left)
{
	enum err e = ERR_CORRUPT;

	*found = false;
	while (e == ERR_CORRUPT && t->failed == ERR_OK && *left > 0) {
		--*left;
		e = store_next_schedule(t, kind, entry);
		if (e == ERR_CORRUPT)
			store_drop_schedule(t, kind);
	}
	if (e == ERR_CORRUPT)
		return t->failed;
	e = store_optional(e, found);
	*found = *found && entry->time <= until;
	return e;
}

enum err
registry_retire_superseded(struct txn *t, int64_t now, struct certid *ids, size_t max,
    size_t *count)
{
	struct schedule_entry entry;
	bool found, done = false;
	enum err e = ERR_OK;
	size_t left = max;

	store_use_reserve(t);
	*count = 0;
	while (e == ERR_OK && left > 0) {
		e = next_due(t, SCHEDULE_SUPERSEDE, now, &entry, &found, &left);
		if (e != ERR_OK || !found)
			break;
		e = retire(t, &entry, now, &done);
		store_delete_schedule(t, &entry);
		if (e == ERR_OK && done)
			ids[(*count)++] = entry.id;
	}
	return store_fail(t, e);
}

/*
 * Certificates that expire.
 */

static void
announce_expiry(struct txn *t, const struct cert *cert, const char *account_id, int64_t now)
{
	struct expiring_event event = { .cert_id = cert->id,
		.has_ca = cert->has_ca,
		.ca_id = cert->ca_id,
		.status = cert->status,
		.timestamp = now,
		.not_after = cert->not_after };
	char topic[EVENT_TOPIC_SIZE], buffer[EVENT_PAYLOAD_SIZE];
	struct text payload = text_in(buffer, sizeof(buffer));

	store_post(t, event_expiring_topic(cert->has_ca ? &cert->ca_id : NULL, topic),
	    event_expiring(&event, account_id, &payload));
}

/* Not if it is revoked, or had expired before the option was set. */
static bool
is_worth_a_warning(const struct cert *cert, int64_t now)
{
	return cert->status != CERT_REVOKED && cert->not_after >= now;
}

enum err
registry_announce_expiring(struct txn *t, int64_t until, const char *account_id, int64_t now,
    size_t max, size_t *count)
{
	struct schedule_entry entry;
	struct cert cert;
	bool due, found;
	enum err e = ERR_OK;
	size_t left = max;

	*count = 0;
	while (e == ERR_OK && left > 0) {
		e = next_due(t, SCHEDULE_EXPIRY, until, &entry, &due, &left);
		if (e != ERR_OK || !due)
			break;
		e = store_optional(store_get_cert(t, &entry.id, &cert), &found);
		if (e == ERR_CORRUPT)
			e = ERR_OK; /* a damaged record is refused in any case */
		if (e != ERR_OK)
			break;
		if (found && is_worth_a_warning(&cert, now)) {
			announce_expiry(t, &cert, account_id, now);
			++*count;
		}
		store_delete_schedule(t, &entry);
	}
	return store_fail(t, e);
}
