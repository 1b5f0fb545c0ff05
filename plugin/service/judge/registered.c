/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registered.c - see judge.h: a certificate judged by its id, from its record alone. */
#include "jitr/service/judge.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

/* A list that has become too old since disconnects no client: its age is checked at
 * CONNECT. */
static enum err
read_revocation(struct txn *t, const struct cert *cert, struct revocation *out)
{
	struct view serial;
	enum err e;

	*out = (struct revocation){ .check = CRL_IF_PRESENT };
	if (!cert->has_ca)
		return ERR_OK;
	e = store_get_cert_serial(t, &cert->id, &serial);
	if (e == ERR_OK)
		e = revocation_read(t, &cert->ca_id, serial, out);
	out->check = CRL_IF_PRESENT;
	return e;
}

struct decision
judge_registered(const struct judge *judge, struct txn *t, const struct certid *id)
{
	/* Its validity was judged when it connected. */
	struct presented p = { .id = *id, .not_before = INT64_MIN, .not_after = INT64_MAX };
	struct decision d = { .reason = REASON_REGISTRY_FAILED };
	struct known known = { .ca = NULL };
	struct variants variants;
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e == ERR_NOT_FOUND)
		d.reason = REASON_DELETED;
	if (e == ERR_OK)
		e = read_revocation(t, &cert, &known.revocation);
	if (e == ERR_OK)
		e = variants_find_registered(t, &cert, &variants);
	if (e != ERR_OK)
		return d;
	known.cert = &cert;
	known.is_primary = variants.is_primary;
	d = decide_connect(&p, &known, &judge->config.rules.decide, judge->config.now());
	d.effects = 0;
	return d;
}
