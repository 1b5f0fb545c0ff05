/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * refusal.c - writes the last refusal of a certificate to its record.
 *
 * describeCertificate shows why a device is refused.  A refusal that comes with the
 * registration or a change of the certificate is written with it; this file sends the
 * others to be written.  The same refusal is sent once a minute.  It is lost while many
 * wait: the record of a refusal must not delay other clients.
 */
#include <string.h>

#include "gate_private.h"

#define REFUSAL_INTERVAL    60000 /* ms between two records of the same refusal */
#define REFUSAL_ADDRESS_MAX 64    /* bytes */

/* Another form of a certificate has no record: the refusal is on that of the original. */
static const struct certid *
record_of(const struct judgement *j)
{
	if (j->registered)
		return &j->presented.id;
	return j->decision.reason == REASON_OTHER_FORM ? &j->original : NULL;
}

/* Is it another refusal than the last one, or an old one? */
static bool
is_new(struct gate *g, struct txn *t, const struct certid *id, const char *code)
{
	struct refusal last;
	int64_t now = g->config.now();
	enum err e = store_get_refusal(t, id, &last);

	return e == ERR_NOT_FOUND ||
	    (e == ERR_OK &&
		(!view_equal(last.code, view_of(code)) || now < last.time ||
		    now - last.time >= REFUSAL_INTERVAL));
}

void
refusal_check(struct gate *g, struct txn *txn_or_null, struct judgement *j)
{
	bool written_already = j->decision.effects != 0;
	const struct certid *id = j->has_id ? record_of(j) : NULL;

	j->record_refusal = j->decision.verdict == VERDICT_DENY && !g->reloading &&
	    !written_already && id != NULL && txn_or_null != NULL &&
	    is_new(g, txn_or_null, id, reason_code(j->decision.reason));
}

/* A refusal that could not be sent is in the log alone. */
void
refusal_record(struct gate *g, const struct client *c, const struct judgement *j)
{
	const struct registrations *to = &g->config.registrations;
	const char *details = j->details.text[0] != '\0' ? j->details.text
							 : reason_text(j->decision.reason);
	struct refusal refusal = { .code = view_of(reason_code(j->decision.reason)),
		.details = view_of(details),
		.client_id = view_up_to(c->id, REFUSAL_TEXT_MAX),
		.address = view_up_to(c->address, REFUSAL_ADDRESS_MAX) };

	(void)to->refused(to->context, record_of(j), &refusal);
}
