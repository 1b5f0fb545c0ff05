/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * refusal.c - writes the last refusal of a certificate to its record.
 *
 * describeCertificate shows why a device is refused.  A refusal that comes with the
 * registration or a change of the certificate is written with it; this file writes the
 * others.  The same refusal is written once a minute, and none while many wait: the
 * record of a refusal must not delay other clients.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/service/writer.h"

#define REFUSAL_INTERVAL     60000 /* ms between two records of the same refusal */
#define REFUSALS_WAITING_MAX 1000

struct refusal_job {
	struct job job;
	struct gate *gate;
	struct certid id;
	struct refusal refusal; /* points to what follows */
	char client_id[REFUSAL_TEXT_MAX], address[64], details[sizeof(struct diag)];
};

static enum err
refusal_run(struct txn *t, struct job *job, int64_t now)
{
	struct refusal_job *r = (struct refusal_job *)job;

	r->refusal.time = now;
	return registry_refused(t, &r->id, &r->refusal);
}

/* A refusal that could not be written is in the log alone. */
static void
refusal_finish(struct job *job)
{
	struct refusal_job *r = (struct refusal_job *)job;

	r->gate->refusals_waiting--;
	free(r);
}

static const struct job_type refusal_type = { "refusal", true, refusal_run, NULL, refusal_finish };

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
	    g->refusals_waiting < REFUSALS_WAITING_MAX &&
	    is_new(g, txn_or_null, id, reason_code(j->decision.reason));
}

static struct view
keep(char *out, size_t size, const char *text)
{
	size_t len = text != NULL ? strnlen(text, size) : 0;

	if (len > 0)
		memcpy(out, text, len);
	return (struct view){ (const uint8_t *)out, len };
}

void
refusal_record(struct gate *g, const struct client *c, const struct judgement *j)
{
	struct refusal_job *r = calloc(1, sizeof(*r));
	const char *details = j->details.text[0] != '\0' ? j->details.text
							 : reason_text(j->decision.reason);

	if (r == NULL)
		return;
	r->job.type = &refusal_type;
	r->gate = g;
	r->id = *record_of(j);
	r->refusal.code = view_of(reason_code(j->decision.reason));
	r->refusal.details = keep(r->details, sizeof(r->details), details);
	r->refusal.client_id = keep(r->client_id, sizeof(r->client_id), c->id);
	r->refusal.address = keep(r->address, sizeof(r->address), c->address);
	if (writer_submit(g->config.writer, &r->job) == ERR_OK)
		g->refusals_waiting++;
	else
		free(r);
}
