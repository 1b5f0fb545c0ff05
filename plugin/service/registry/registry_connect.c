/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_connect.c - see registry.h: a certificate that a client presented is registered,
 * announced, activated or revoked.
 *
 * The broker has decided on its snapshot; the decision is made again in the write
 * transaction.  Then its effects are put: the record, the plan's policies and thing, the
 * event, the note, the refusal.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/service/registry.h"
#include "jitr/service/registry_activate.h"
#include "jitr/service/registry_schedule.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

/* One call of registry_connect(). */
struct connect {
	const struct presentation *p;
	const struct registry_rules *rules;
	int64_t now;
	struct ca ca;
	struct cert cert; /* the record, before and after the change */
	bool has_ca, registered;
	struct revocation revocation;
	struct variants variants;
	struct decision decision;
	const struct plan *plan; /* NULL: none */
	struct plan failed;      /* the plan, if it cannot be carried out */
};

/*
 * Read and decide.
 */

static enum err
read_records(struct txn *t, struct connect *x)
{
	enum err e = store_optional(store_get_cert(t, &x->p->presented.id, &x->cert),
	    &x->registered);

	if (e == ERR_OK)
		e = store_optional(store_get_ca(t, &x->p->ca_id, &x->ca), &x->has_ca);
	if (e == ERR_OK)
		e = revocation_read(t, &x->p->ca_id, serial_of(&x->p->presented), &x->revocation);
	if (e == ERR_OK)
		e = variants_find(t, &x->p->presented.content, &x->p->presented.id,
		    x->registered ? &x->cert : NULL, &x->variants);
	if (e == ERR_OK)
		e = revocation_cover(t, &x->p->ca_id, x->p->der, &x->revocation);
	return e;
}

static bool
is_unchanged(const struct ca *ca, const struct ca_revision *revision)
{
	return revision->version == ca->version &&
	    generation_equal(&revision->generation, &ca->generation);
}

/* The plan is used if its CA has not changed and its template is still enabled.  (A template
 * that a CA names cannot be deleted.)  A failed plan has no effects, so its template is not
 * checked. */
static enum err
select_plan(struct txn *t, struct connect *x)
{
	struct provisioning_template template = { .enabled = true };
	const struct plan *plan = x->p->plan;
	enum err e = ERR_OK;

	x->plan = NULL;
	if (plan == NULL || !x->has_ca || !is_unchanged(&x->ca, &x->p->ca_revision))
		return ERR_OK;
	if (!plan->failed && plan->template_name.len > 0)
		e = store_get_template(t, plan->template_name, &template);
	if (e == ERR_OK && template.enabled)
		x->plan = plan;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void
decide(struct connect *x)
{
	struct known known = { .ca = x->has_ca ? &x->ca : NULL,
		.cert = x->registered ? &x->cert : NULL,
		.revocation = x->revocation,
		.is_primary = x->variants.is_primary };
	struct decision d = decide_connect(&x->p->presented, &known, &x->rules->decide, x->now);

	x->decision = decide_plan(d, x->plan, &x->rules->decide);
}

/* Replaces the plan by one that has only failed. */
static void
fail_plan(struct connect *x)
{
	x->failed.origin = x->plan->origin;
	x->failed.status = CERT_PENDING_ACTIVATION;
	x->failed.failed = true;
	x->plan = &x->failed;
}

static enum err
decide_all(struct txn *t, struct connect *x)
{
	struct planned_cert cert = { &x->p->presented.id, &x->p->presented.content,
		serial_of(&x->p->presented) };
	enum err e = select_plan(t, x);

	if (e != ERR_OK)
		return e;
	decide(x);
	if (!(x->decision.effects & EFFECT_PLAN) || x->plan->failed)
		return ERR_OK;
	e = registry_check_plan(t, x->plan, &cert, &x->failed.reason);
	if (e != ERR_REQUEST)
		return e;
	fail_plan(x);
	decide(x);
	return ERR_OK;
}

/*
 * Put.
 */

static enum cert_status
status_after(const struct connect *x)
{
	if (x->decision.effects & EFFECT_REVOKE)
		return CERT_REVOKED;
	if (x->decision.effects & EFFECT_PLAN)
		return x->plan->status;
	return x->registered ? x->cert.status : CERT_PENDING_ACTIVATION;
}

static enum err
put_new(struct txn *t, struct connect *x, enum cert_status status)
{
	struct cert_document document = { .der = x->p->der };
	enum err e;

	x->cert = (struct cert){ .id = x->p->presented.id,
		.has_ca = true,
		.ca_id = x->ca.id,
		.status = status,
		.mode = x->ca.mode,
		.not_before = x->p->presented.not_before,
		.not_after = x->p->presented.not_after,
		.created = x->now,
		.modified = x->now,
		.announced = x->now,
		.version = 1 };
	e = random_fill(&x->cert.generation, sizeof(x->cert.generation));
	if (e == ERR_OK)
		store_put_cert(t, &x->cert, &document);
	return e;
}

/* AWS's version counts changes of the status; an announcement does not change it. */
static void
put_existing(struct txn *t, struct connect *x, enum cert_status status)
{
	if (x->decision.effects & EFFECT_ANNOUNCE)
		x->cert.announced = x->now;
	if (x->cert.status != status) {
		x->cert.status = status;
		x->cert.modified = x->now;
		x->cert.version++;
	}
	store_put_cert(t, &x->cert, NULL);
}

static enum err
announce(struct txn *t, const struct connect *x)
{
	struct registered_event event = { .cert_id = x->cert.id,
		.ca_id = x->cert.ca_id,
		.status = x->cert.status,
		.timestamp = x->now,
		.registered = x->registered ? x->cert.created : 0 };
	size_t size = EVENT_PAYLOAD_SIZE + x->p->details.len;
	char topic[EVENT_TOPIC_SIZE], *buffer = malloc(size);
	struct text payload;

	if (buffer == NULL)
		return ERR_NOMEM;
	payload = text_in(buffer, size);
	store_post(t, event_topic(&x->cert.ca_id, topic),
	    event_payload(&event, x->rules->account_id, x->p->details, &payload));
	free(buffer);
	return ERR_OK;
}

/* A template that failed gets its own event, because the certificate's status does not show
 * it. */
static void
announce_failure(struct txn *t, const struct connect *x)
{
	struct failed_event event = { .cert_id = x->cert.id,
		.ca_id = x->cert.ca_id,
		.status = x->cert.status,
		.timestamp = x->now,
		.reason = view_of(x->plan->reason.text) };
	char topic[EVENT_TOPIC_SIZE], buffer[EVENT_PAYLOAD_SIZE];
	struct text payload = text_in(buffer, sizeof(buffer));

	store_post(t, event_failed_topic(&x->cert.ca_id, topic),
	    event_failed(&event, x->rules->account_id, &payload));
}

static bool
plan_failed(const struct connect *x)
{
	return x->decision.effects & EFFECT_PLAN && x->plan->failed;
}

static enum err
put_events(struct txn *t, const struct connect *x)
{
	enum err e = ERR_OK;

	if (x->decision.effects & EFFECT_ANNOUNCE)
		e = announce(t, x);
	if (e == ERR_OK && plan_failed(x) && x->plan->origin == PLAN_TEMPLATE)
		announce_failure(t, x);
	return e;
}

/* The reason of the status: the plan's, or that of the revocation list. */
static void
put_note(struct txn *t, const struct connect *x)
{
	struct cert_note note = { .time = x->now };

	if (x->decision.effects & EFFECT_PLAN)
		note.text = view_of(x->plan->reason.text);
	else if (x->decision.effects & EFFECT_REVOKE)
		note.text = view_of(reason_text(REASON_ON_LIST));
	if (note.text.len > 0)
		store_put_cert_note(t, &x->cert.id, &note);
}

static void
put_refusal(struct txn *t, const struct connect *x)
{
	const char *words = reason_text(x->decision.reason);
	struct refusal refusal = { .time = x->now,
		.client_id = x->p->client_id,
		.address = x->p->address,
		.code = view_of(reason_code(x->decision.reason)) };

	if (reason_is_of_plan(x->decision.reason) && x->plan->reason.text[0] != '\0')
		words = x->plan->reason.text;
	refusal.details = view_of(words);
	if (x->decision.verdict != VERDICT_ALLOW)
		store_put_refusal(t, &x->cert.id, &refusal);
}

static enum err
put_plan(struct txn *t, struct connect *x)
{
	enum err e = registry_apply_plan(t, x->plan, &x->cert.id, x->now);

	if (e == ERR_OK && x->plan->supersedes && x->cert.status == CERT_ACTIVE)
		e = registry_supersede(t, &x->cert, x->plan->supersede_after, x->now);
	return e;
}

static enum err
put_all(struct txn *t, struct connect *x)
{
	enum cert_status status = status_after(x);
	enum err e = ERR_OK;

	if (x->decision.effects == 0)
		return ERR_OK;
	if (x->decision.effects & EFFECT_REGISTER)
		e = put_new(t, x, status);
	else
		put_existing(t, x, status);
	if (e == ERR_OK && x->decision.effects & EFFECT_PLAN)
		e = put_plan(t, x);
	if (e != ERR_OK)
		return store_fail(t, e);
	put_note(t, x);
	put_refusal(t, x);
	return store_fail(t, put_events(t, x));
}

enum err
registry_connect(struct txn *t, const struct presentation *p, const struct registry_rules *rules,
    int64_t now, struct outcome *done)
{
	struct connect x = { .p = p, .rules = rules, .now = now };
	enum err e = read_records(t, &x);

	memset(done, 0, sizeof(*done));
	if (e == ERR_OK)
		e = decide_all(t, &x);
	if (e == ERR_OK)
		e = put_all(t, &x);
	if (e != ERR_OK)
		return e;
	done->decision = x.decision;
	done->status = x.cert.status;
	done->failed = plan_failed(&x);
	if (x.decision.effects & EFFECT_PLAN)
		done->details = x.plan->reason;
	return ERR_OK;
}

enum err
registry_refused(struct txn *t, const struct certid *id, const struct refusal *refusal)
{
	struct cert cert;
	bool found;
	enum err e = store_optional(store_get_cert(t, id, &cert), &found);

	if (e == ERR_OK && found)
		store_put_refusal(t, id, refusal);
	return e == ERR_OK ? t->failed : e;
}
