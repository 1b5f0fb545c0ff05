/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * register.c - registers, announces, revokes or activates a certificate that was presented,
 * as a job of the writer, and acts on the result.
 *
 * A client that a plan accepted is connected before its certificate is stored.  It stays
 * if the certificate is stored, and is disconnected if not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_facts.h"
#include "gate_private.h"

#include "jitr/adapter/x509.h"
#include "jitr/service/writer.h"

struct present_job {
	struct job job;
	struct gate *gate;
	struct presentation presentation;
	struct outcome outcome;
	uint64_t plan_number;

	/* Owned; presentation points to them. */
	uint8_t *der;
	size_t der_len;
	struct plan *plan;
	char *details, *client_id, *address;
};

static enum err
present_run(struct txn *t, struct job *job, int64_t now)
{
	struct present_job *p = (struct present_job *)job;

	return registry_connect(t, &p->presentation, &p->gate->config.rules, now, &p->outcome);
}

static void
present_free(struct present_job *p)
{
	free(p->der);
	free(p->plan);
	free(p->details);
	free(p->client_id);
	free(p->address);
	free(p);
}

/*
 * When the job is finished.
 */

static void
count(struct stats *stats, const struct present_job *p)
{
	const struct outcome *o = &p->outcome;
	bool changed = o->decision.effects & (EFFECT_PLAN | EFFECT_REVOKE);

	stats->registered += o->decision.effects & EFFECT_REGISTER ? 1 : 0;
	stats->activated += changed && o->status == CERT_ACTIVE;
	stats->revoked += changed && o->status == CERT_REVOKED;
	stats->provisioning_failed += o->failed && p->plan->origin == PLAN_TEMPLATE;
}

static void
report_plan(const struct present_job *p)
{
	const struct outcome *o = &p->outcome;
	struct view name = p->plan->template_name;
	char template_name[TEMPLATE_NAME_MAX + 1];
	struct activation_line line = { .id = p->presentation.presented.id,
		.ca_id = p->presentation.ca_id,
		.origin = p->plan->origin,
		.status = o->status,
		.failed = o->failed,
		.details = o->details.text };

	(void)snprintf(template_name, sizeof(template_name), "%.*s", (int)name.len,
	    (const char *)name.data);
	if (name.len > 0)
		line.template_name = template_name;
	report_activation(p->gate->config.report, &line);
}

static void
report_done(const struct present_job *p)
{
	const struct presentation *what = &p->presentation;
	struct report *report = p->gate->config.report;
	unsigned effects = p->outcome.decision.effects;
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(&what->presented.id, hex);
	if (effects & EFFECT_REGISTER)
		report_registration(report, &what->presented.id, &what->ca_id, ERR_OK, "");
	if (effects & EFFECT_PLAN)
		report_plan(p);
	if (effects & EFFECT_REVOKE)
		report_line(report, LEVEL_NOTICE,
		    "certificate revoked: reason=\"%s\" certificate=%s",
		    reason_text(REASON_ON_LIST), hex);
}

static void
report_failed(const struct present_job *p)
{
	p->gate->config.stats->failed++;
	report_registration(p->gate->config.report, &p->presentation.presented.id,
	    &p->presentation.ca_id, p->job.result,
	    p->job.failure != NULL ? p->job.failure : "the device will try again");
}

/* Policies that the plan made are in the registry now. */
static void
policies_changed(struct gate *g, const struct plan *plan)
{
	for (size_t i = 0; plan != NULL && i < plan->policy_count; i++)
		if (plan->policies[i].document.len > 0)
			gate_policy_changed(g, plan->policies[i].name);
}

/* Two connections may each submit a plan for one certificate.  Was it the plan of the other
 * job that accepted the certificate?  That job decides about it then. */
static bool
is_let_in_by_another(const struct principal *principal, const struct present_job *p)
{
	return p->plan != NULL && principal->plan != NULL &&
	    principal->plan_number != p->plan_number &&
	    !(p->outcome.decision.effects & EFFECT_REVOKE);
}

/* The plan is not needed any more: from now on the registry says what the certificate may
 * do, and its sessions are judged again.  absence is read by that judgement. */
static void
end_plan(struct gate *g, const struct present_job *p)
{
	struct principal *principal = principal_find(&g->sessions, &p->presentation.presented.id);
	bool done = p->job.result == ERR_OK;

	if (done && p->outcome.decision.effects & (EFFECT_PLAN | EFFECT_REVOKE))
		policies_changed(g, p->plan);
	if (principal == NULL || is_let_in_by_another(principal, p))
		return;
	if (principal->plan != NULL && !done)
		principal->absence = REASON_NOT_STORED;
	free(principal->plan);
	principal->plan = NULL;
	gate_changed(g, &p->presentation.presented.id);
	principal->absence = REASON_NONE;
}

static void
present_finish(struct job *job)
{
	struct present_job *p = (struct present_job *)job;
	struct gate *g = p->gate;

	if (job->result == ERR_OK) {
		count(g->config.stats, p);
		report_done(p);
		g->announced |= (p->outcome.decision.effects & EFFECT_ANNOUNCE) != 0;
	} else {
		report_failed(p);
	}
	if (p->plan != NULL || p->outcome.decision.effects & EFFECT_REVOKE)
		end_plan(g, p);
	present_free(p);
}

static const struct job_type present_type = { "present", false, present_run, NULL, present_finish };

/*
 * Submitting.
 */

static bool
copy_text(const char *text, size_t max, char **copy, struct view *view)
{
	if (text == NULL)
		return true;
	*copy = strndup(text, max);
	*view = view_of(*copy);
	return *copy != NULL;
}

static bool
copy_plan(struct present_job *p, const struct judgement *j)
{
	if (j->plan == NULL)
		return true;
	p->plan = plan_copy(j->plan);
	p->presentation.plan = p->plan;
	p->plan_number = j->plan_number;
	p->presentation.ca_revision = j->ca_revision;
	return p->plan != NULL;
}

/* The reason, in the words of the plan if there is one. */
static const char *
words_of(const struct judgement *j)
{
	return j->plan != NULL && j->plan->reason.text[0] != '\0' ? j->plan->reason.text
								  : reason_text(j->decision.reason);
}

/* The additional members of events; without memory the events have none. */
static void
add_details(struct present_job *p, const struct client *c, const struct judgement *j)
{
	if (!p->gate->config.event_details || !(j->decision.effects & EFFECT_ANNOUNCE))
		return;
	p->details = event_details_of(c, p->presentation.der, words_of(j));
	p->presentation.details = view_of(p->details);
}

static enum err
fill(struct present_job *p, const struct client *c, const struct judgement *j)
{
	struct presentation *what = &p->presentation;
	enum err e = x509_to_der(c->x, &p->der, &p->der_len);

	if (e != ERR_OK)
		return e;
	what->presented = j->presented;
	what->ca_id = j->ca_id;
	what->der = (struct view){ p->der, p->der_len };
	if (!copy_plan(p, j) ||
	    !copy_text(c->id, REFUSAL_TEXT_MAX, &p->client_id, &what->client_id) ||
	    !copy_text(c->address, REFUSAL_TEXT_MAX, &p->address, &what->address))
		return ERR_NOMEM;
	add_details(p, c, j);
	return ERR_OK;
}

static enum err
submit(struct gate *g, const struct client *c, const struct judgement *j)
{
	struct present_job *p = calloc(1, sizeof(*p));
	enum err e;

	if (p == NULL)
		return ERR_NOMEM;
	p->job.type = &present_type;
	p->gate = g;
	e = fill(p, c, j);
	if (e == ERR_OK)
		e = writer_submit(g->config.writer, &p->job);
	if (e != ERR_OK)
		present_free(p);
	return e;
}

void
registration_submit(struct gate *g, const struct client *c, struct judgement *j)
{
	if (j->decision.effects == 0)
		return;
	j->submitted = submit(g, c, j);
	if (j->submitted == ERR_OK)
		j->registered = true; /* when the job is run */
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
