/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* revocation.c - see revocation.h. */
#include "jitr/service/revocation.h"

#include "jitr/core/crl_scope.h"

#define DAY_MS INT64_C(86400000)

enum err
revocation_settings(struct txn *t, const struct certid *ca_id, struct ca_settings *out)
{
	enum err e = store_get_ca_settings(t, ca_id, out);

	if (e != ERR_NOT_FOUND)
		return e;
	*out = CA_SETTINGS_DEFAULT;
	return ERR_OK;
}

static enum err
read_entry(struct txn *t, uint64_t list, struct view serial, struct revocation *out)
{
	struct revoked entry;
	enum err e = store_get_revoked(t, list, serial, &entry);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	out->listed = true;
	out->on_hold = e == ERR_OK && entry.reason == REVOKED_HOLD;
	return e;
}

enum err
revocation_read(struct txn *t, const struct certid *ca_id, struct view serial,
    struct revocation *out)
{
	struct ca_settings settings;
	struct crl crl;
	enum err e = revocation_settings(t, ca_id, &settings);

	*out = (struct revocation){ .check = CRL_REQUIRED };
	if (e != ERR_OK)
		return e;
	if (serial.len == 0) { /* too long for any list: as if the CA had no list */
		out->check = settings.crl_check;
		return ERR_OK;
	}
	out->check = settings.crl_check;
	out->grace = settings.crl_grace_days * DAY_MS;
	e = store_get_crl(t, ca_id, &crl);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	out->has_list = true;
	out->next_update = crl.next_update;
	out->limited = crl_scope_is_limited(&crl);
	return read_entry(t, crl.list, serial, out);
}

enum err
revocation_cover(struct txn *t, const struct certid *ca_id, struct view certificate,
    struct revocation *out)
{
	struct crl crl;
	enum err e;

	if (!out->limited)
		return ERR_OK;
	e = store_get_crl(t, ca_id, &crl);
	if (e == ERR_OK)
		out->covered = crl_scope_covers(&crl, certificate);
	return e;
}

struct view
serial_of(const struct presented *p)
{
	return (struct view){ p->serial.b, p->serial.len };
}

const char *
revocation_reason_text(uint8_t reason)
{
	static const char *const texts[REVOKED_REASON_MAX + 1] = { "unspecified", "key compromise",
		"CA compromise", "affiliation changed", "superseded", "cessation of operation",
		"certificate hold", "reason 7", "removed from the list", "privilege withdrawn",
		"AA compromise" };

	return reason < COUNT_OF(texts) ? texts[reason] : "unknown reason";
}
