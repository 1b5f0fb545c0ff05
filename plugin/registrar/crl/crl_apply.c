/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_apply.c - see crl_apply.h. */
#include <stdio.h>

#include "jitr/core/decide.h"

#include "crl_apply.h"
#include "jitr/service/registry.h"
#include "jitr/service/revocation.h"

static void
revoke(struct txn *t, struct cert *cert, const struct revoked *entry, int64_t now)
{
	char text[120];
	struct cert_note note = { .time = now };

	(void)snprintf(text, sizeof(text), "%s (%s)", reason_text(REASON_ON_LIST),
	    revocation_reason_text(entry->reason));
	note.text = view_of(text);
	registry_put_status(t, cert, CERT_REVOKED, &note, now);
}

static void
add_named(struct crl_named *named, const struct certid *id)
{
	if (named->count < CRL_NAMED_MAX)
		named->ids[named->count++] = *id;
}

/* A certificate on hold is refused while it is listed; its status does not change.  A
 * certificate with a damaged record is refused in any case. */
static enum err
apply_to(struct txn *t, const struct certid *id, const struct revoked *entry, int64_t now,
    size_t *revoked, struct crl_named *named)
{
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e == ERR_NOT_FOUND || e == ERR_CORRUPT)
		return ERR_OK;
	if (e != ERR_OK || cert.status == CERT_REVOKED)
		return e;
	add_named(named, id);
	if (entry->reason == REVOKED_HOLD || !decide_status_change(cert.status, CERT_REVOKED))
		return ERR_OK;
	revoke(t, &cert, entry, now);
	++*revoked;
	return t->failed;
}

enum err
crl_apply(struct txn *t, const struct certid *ca_id, uint64_t list, struct crl_progress *p,
    struct crl_named *named, int64_t now)
{
	size_t steps = CRL_STEPS_AT_ONCE, limit = p->revoked + CRL_CERTS_AT_ONCE;
	struct certid id;
	struct revoked entry;
	enum err e = ERR_OK;

	while (e == ERR_OK && p->revoked < limit) {
		e = store_next_revoked_cert(t, ca_id, list, &p->walk, &steps, &id, &entry);
		if (e == ERR_OK)
			e = apply_to(t, &id, &entry, now, &p->revoked, named);
	}
	p->done = e == ERR_NOT_FOUND && steps > 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
