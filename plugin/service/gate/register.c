/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * register.c - presents a certificate for registration, announcement, revocation or
 * activation.  completion.c acts on the result.
 */
#include <stdlib.h>

#include "event_facts.h"
#include "gate_private.h"

#include "jitr/adapter/x509.h"
#include "jitr/service/writer.h"

/* The reason, in the words of the plan if there is one. */
static const char *
words_of(const struct judgement *j)
{
	return j->plan != NULL && j->plan->reason.text[0] != '\0' ? j->plan->reason.text
								  : reason_text(j->decision.reason);
}

/* The additional members of events, owned by the caller; without memory the events have
 * none. */
static char *
details_of(const struct gate *g, const struct client *c, struct view der, const struct judgement *j)
{
	if (!g->config.event_details || !(j->decision.effects & EFFECT_ANNOUNCE))
		return NULL;
	return event_details_of(c, der, words_of(j));
}

static struct presentation
presentation_of(const struct client *c, const struct judgement *j, struct view der)
{
	struct presentation p = { .presented = j->presented,
		.ca_id = j->ca_id,
		.der = der,
		.plan = j->plan,
		.client_id = view_up_to(c->id, REFUSAL_TEXT_MAX),
		.address = view_up_to(c->address, REFUSAL_TEXT_MAX) };

	if (p.plan != NULL)
		p.ca_revision = j->ca_revision;
	return p;
}

static enum err
present(struct gate *g, const struct presentation *p, const struct judgement *j)
{
	const struct registrations *to = &g->config.registrations;
	uint64_t number = registration_add(g, j);
	enum err e;

	if (number == 0)
		return ERR_NOMEM;
	e = to->present(to->context, number, p);
	if (e != ERR_OK)
		registration_forget(g, number);
	return e;
}

static enum err
submit(struct gate *g, const struct client *c, const struct judgement *j)
{
	struct presentation p;
	uint8_t *der;
	size_t der_len;
	char *details;
	enum err e = x509_to_der(c->x, &der, &der_len);

	if (e != ERR_OK)
		return e;
	p = presentation_of(c, j, (struct view){ der, der_len });
	details = details_of(g, c, p.der, j);
	p.details = view_of(details);
	e = present(g, &p, j);
	free(details);
	free(der);
	return e;
}

void
registration_submit(struct gate *g, const struct client *c, struct judgement *j)
{
	if (j->decision.effects == 0)
		return;
	j->submitted = submit(g, c, j);
	if (j->submitted == ERR_OK)
		j->registered = true; /* when it is stored */
	else if (lets_in_by_plan(&j->decision) || j->decision.effects & EFFECT_REGISTER)
		j->decision = (struct decision){ .reason = REASON_NOT_STORED };
}

void
registration_report(struct gate *g, const struct judgement *j)
{
	if (j->submitted == ERR_OK)
		return;
	if (j->submitted == ERR_BUSY)
		g->config.stats->busy++;
	else
		g->config.stats->failed++;
	report_registration(g->config.report, &j->presented.id, &j->ca_id, j->submitted,
	    j->submitted == ERR_CERTIFICATE ? "it is too long" : "the device will try again");
}
