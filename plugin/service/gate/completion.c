/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * completion.c - what was presented for registration and is under way, and its completion.
 *
 * A client that a plan accepted is connected before its certificate is stored.  It stays
 * if the certificate is stored, and is disconnected if not.  What is under way is kept by
 * number, with what the completion needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "gate_private.h"

/* One allocation with its texts. */
struct registration {
	uint64_t number;
	struct certid id, ca_id;

	/* Of the plan; without one zero. */
	bool has_plan;
	uint64_t plan_number;
	enum plan_origin origin;
	struct view template_name;
	struct view made[POLICIES_MAX]; /* policies that it creates where they do not exist */
	size_t made_count;

	UT_hash_handle hh;
};

/*
 * What is under way.
 */

static bool
is_made(const struct planned_policy *p)
{
	return p->document.len > 0;
}

static size_t
text_size(const struct plan *plan)
{
	size_t size = plan->template_name.len;

	for (size_t i = 0; i < plan->policy_count; i++)
		size += is_made(&plan->policies[i]) ? plan->policies[i].name.len : 0;
	return size;
}

static void
keep_plan(struct registration *r, const struct judgement *j)
{
	const struct plan *plan = j->plan;
	uint8_t *at = (uint8_t *)(r + 1);

	r->has_plan = true;
	r->plan_number = j->plan_number;
	r->origin = plan->origin;
	r->template_name = plan->template_name;
	view_move(&r->template_name, &at);
	for (size_t i = 0; i < plan->policy_count; i++) {
		if (!is_made(&plan->policies[i]))
			continue;
		r->made[r->made_count] = plan->policies[i].name;
		view_move(&r->made[r->made_count++], &at);
	}
}

uint64_t
registration_add(struct gate *g, const struct judgement *j)
{
	size_t texts = j->plan != NULL ? text_size(j->plan) : 0;
	struct registration *r = calloc(1, sizeof(*r) + texts);

	if (r == NULL)
		return 0;
	r->number = ++g->presented;
	r->id = j->presented.id;
	r->ca_id = j->ca_id;
	if (j->plan != NULL)
		keep_plan(r, j);
	HASH_ADD(hh, g->registrations, number, sizeof(r->number), r);
	if (r->hh.tbl != NULL)
		return r->number;
	free(r);
	return 0;
}

static struct registration *
find(struct gate *g, uint64_t number)
{
	struct registration *r;

	HASH_FIND(hh, g->registrations, &number, sizeof(number), r);
	return r;
}

/* The caller frees it. */
static void
take(struct gate *g, struct registration *r)
{
	HASH_DEL(g->registrations, r);
}

void
registration_forget(struct gate *g, uint64_t number)
{
	struct registration *r = find(g, number);

	if (r == NULL)
		return;
	take(g, r);
	free(r);
}

void
registrations_clear(struct gate *g)
{
	struct registration *r, *next;

	HASH_ITER(hh, g->registrations, r, next) {
		take(g, r);
		free(r);
	}
}

/*
 * Completion.
 */

static void
count(struct stats *stats, const struct registration *r, const struct outcome *o)
{
	bool changed = o->decision.effects & (EFFECT_PLAN | EFFECT_REVOKE);

	stats->registered += o->decision.effects & EFFECT_REGISTER ? 1 : 0;
	stats->activated += changed && o->status == CERT_ACTIVE;
	stats->revoked += changed && o->status == CERT_REVOKED;
	stats->provisioning_failed += o->failed && r->origin == PLAN_TEMPLATE;
}

static void
report_plan(struct gate *g, const struct registration *r, const struct outcome *o)
{
	char template_name[TEMPLATE_NAME_MAX + 1];
	struct activation_line line = { .id = r->id,
		.ca_id = r->ca_id,
		.origin = r->origin,
		.status = o->status,
		.failed = o->failed,
		.details = o->details.text };

	(void)snprintf(template_name, sizeof(template_name), "%.*s", (int)r->template_name.len,
	    (const char *)r->template_name.data);
	if (r->template_name.len > 0)
		line.template_name = template_name;
	report_activation(g->config.report, &line);
}

static void
report_done(struct gate *g, const struct registration *r, const struct outcome *o)
{
	struct report *report = g->config.report;
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(&r->id, hex);
	if (o->decision.effects & EFFECT_REGISTER)
		report_registration(report, &r->id, &r->ca_id, ERR_OK, "");
	if (o->decision.effects & EFFECT_PLAN)
		report_plan(g, r, o);
	if (o->decision.effects & EFFECT_REVOKE)
		report_line(report, LEVEL_NOTICE,
		    "certificate revoked: reason=\"%s\" certificate=%s",
		    reason_text(REASON_ON_LIST), hex);
}

/* Policies that the plan made are in the registry now. */
static void
policies_changed(struct gate *g, const struct registration *r)
{
	for (size_t i = 0; i < r->made_count; i++)
		gate_policy_changed(g, r->made[i]);
}

/* Two connections may each present a plan for one certificate.  Was it the plan of the other
 * one that accepted the certificate?  Its completion decides about it then. */
static bool
is_let_in_by_another(const struct principal *principal, const struct registration *r)
{
	return r->has_plan && principal->plan != NULL && principal->plan_number != r->plan_number;
}

static void
drop_plan(struct principal *principal)
{
	free(principal->plan);
	principal->plan = NULL;
}

/* The plan is not needed any more: from now on the registry says what the certificate may
 * do, and its sessions are judged again.  absence is read by that judgement. */
static void
end_plan(struct gate *g, const struct registration *r, bool done, unsigned effects)
{
	struct principal *principal = principal_find(&g->sessions, &r->id);

	if (done && effects & (EFFECT_PLAN | EFFECT_REVOKE))
		policies_changed(g, r);
	if (principal == NULL || (is_let_in_by_another(principal, r) && !(effects & EFFECT_REVOKE)))
		return;
	if (principal->plan != NULL && !done)
		principal->absence = REASON_NOT_STORED;
	drop_plan(principal);
	gate_changed(g, &r->id);
	principal->absence = REASON_NONE;
}

static void
report_failed(struct gate *g, const struct registration *r, enum err result, const char *failure)
{
	g->config.stats->failed++;
	report_registration(g->config.report, &r->id, &r->ca_id, result,
	    failure != NULL ? failure : "the device will try again");
}

void
gate_presented(struct gate *g, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	unsigned effects = result == ERR_OK ? outcome->decision.effects : 0;
	struct registration *r = find(g, number);

	if (r == NULL)
		return;
	take(g, r);
	if (result == ERR_OK) {
		count(g->config.stats, r, outcome);
		report_done(g, r, outcome);
		g->announced |= (effects & EFFECT_ANNOUNCE) != 0;
	} else {
		report_failed(g, r, result, failure);
	}
	if (r->has_plan || effects & EFFECT_REVOKE)
		end_plan(g, r, result == ERR_OK, effects);
	free(r);
}

/* Without its plan the certificate is judged from the registry, which may have it. */
static void
lose(struct gate *g, const struct registration *r)
{
	struct principal *principal = principal_find(&g->sessions, &r->id);

	if (principal == NULL || principal->plan == NULL)
		return;
	drop_plan(principal);
	principal->absence = REASON_NOT_STORED;
}

void
gate_registrations_lost(struct gate *g, const char *why)
{
	unsigned lost = HASH_COUNT(g->registrations);
	struct registration *r, *next;

	if (lost == 0)
		return;
	HASH_ITER(hh, g->registrations, r, next) {
		lose(g, r);
		take(g, r);
		free(r);
	}
	g->config.stats->failed += lost;
	gate_changed(g, NULL);
	report_line(g->config.report, LEVEL_ERROR,
	    "registrations under way, not known whether they were stored: count=%u reason=\"%s\"",
	    lost, why);
}
