/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_refusal.c - why a certificate was last turned away, on its record.
 *
 * describeCertificate shows why a device does not get in.  What the
 * registration of a certificate or a change of it brings is written with that;
 * here is the rest.  A device that goes on trying is written down once a
 * minute, and not at all while the writer has its hands full: a record of a
 * refusal must cost other clients nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

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

/* One that could not be written is told by the log alone. */
static void
refusal_finish(struct job *job)
{
	struct refusal_job *r = (struct refusal_job *)job;

	r->gate->refusals_waiting--;
	free(r);
}

static const struct job_type refusal_type = { "refusal", true, refusal_run, NULL, refusal_finish };

/* Is there something new to tell? */
static bool
is_due(struct gate *g, const struct certid *id, const char *code)
{
	struct refusal last;
	int64_t now = g->config.now();
	struct txn t;
	enum err e = store_read(g->config.store, &t);
	bool due;

	if (e != ERR_OK)
		return false;
	e = store_get_refusal(&t, id, &last);
	due = e == ERR_NOT_FOUND ||
	    (e == ERR_OK &&
		(!view_equal(last.code, view_of(code)) || now < last.time ||
		    now - last.time >= REFUSAL_INTERVAL));
	store_end(&t);
	return due;
}

static struct view
keep(char *out, size_t size, const char *text)
{
	size_t len = text != NULL ? strnlen(text, size) : 0;

	if (len > 0)
		memcpy(out, text, len);
	return (struct view){ (const uint8_t *)out, len };
}

/* Another form of a certificate has no record of its own. */
static const struct certid *
record_of(const struct judgement *j)
{
	if (j->registered)
		return &j->presented.id;
	return j->decision.reason == REASON_OTHER_FORM ? &j->original : NULL;
}

static void
submit(struct gate *g, const struct certid *id, const struct client *c, const struct judgement *j)
{
	struct refusal_job *r = calloc(1, sizeof(*r));
	const char *details = j->details.text[0] != '\0' ? j->details.text
							 : reason_text(j->decision.reason);

	if (r == NULL)
		return;
	r->job.type = &refusal_type;
	r->gate = g;
	r->id = *id;
	r->refusal.code = view_of(reason_code(j->decision.reason));
	r->refusal.details = keep(r->details, sizeof(r->details), details);
	r->refusal.client_id = keep(r->client_id, sizeof(r->client_id), c->id);
	r->refusal.address = keep(r->address, sizeof(r->address), c->address);
	if (writer_submit(g->config.writer, &r->job) == ERR_OK)
		g->refusals_waiting++;
	else
		free(r);
}

void
refusal_note(struct gate *g, const struct client *c, const struct judgement *j)
{
	bool written_already = j->decision.effects != 0;
	const struct certid *id = j->has_id ? record_of(j) : NULL;

	if (g->reloading || written_already || id == NULL)
		return;
	if (g->refusals_waiting < REFUSALS_WAITING_MAX &&
	    is_due(g, id, reason_code(j->decision.reason)))
		submit(g, id, c, j);
}
