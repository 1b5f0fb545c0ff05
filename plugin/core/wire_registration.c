/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wire_registration.c - see wire_registration.h. */
#include <assert.h>
#include <string.h>

#include "codec_private.h"

#include "jitr/core/event.h"
#include "jitr/core/wire_registration.h"

#define ERR_COUNT      (ERR_NOMEM + 1)
#define VERDICT_COUNT  (VERDICT_DEFER + 1)
#define ANSWER_COUNT   (ANSWER_YES + 1)
#define ORIGIN_COUNT   (PLAN_TEMPLATE + 1)
#define OVERRIDE_COUNT (OVERRIDE_MERGE + 1)
#define EFFECTS_COUNT  (EFFECT_PLAN << 1)

/* All members of fixed size, with the lengths before texts. */
#define FIXED_SIZE        (32 + 32 + 1 + 8 + 8 + 4 + 1 + 32 + 4 * LENGTH_SIZE + 1)
#define PLAN_FIXED_SIZE   (16 + 4 + 1 + 1 + 3 + LENGTH_SIZE + 1 + 3 + LENGTH_SIZE + 3 + 8)
#define POLICY_FIXED_SIZE (1 + LENGTH_SIZE)

/*
 * Fields with a limit.
 */

static struct view
get_text_up_to(struct source *s, size_t max)
{
	struct view text = get_text(s);

	if (text.len > max)
		s->failed = true;
	return text;
}

static struct view
get_name_up_to(struct source *s, unsigned max)
{
	return get_view(s, get_one_of(s, max + 1));
}

static void
put_bool(struct sink *s, bool value)
{
	put_one_of(s, value, 2);
}

static bool
get_bool(struct source *s)
{
	return get_one_of(s, 2) == 1;
}

static void
put_diag(struct sink *s, const struct diag *d)
{
	size_t len = strnlen(d->text, sizeof(d->text));

	if (len == sizeof(d->text))
		s->failed = true;
	put_text(s, (struct view){ (const uint8_t *)d->text, len });
}

/* A zero byte within the text would end it. */
static void
get_diag(struct source *s, struct diag *d)
{
	struct view text = get_text_up_to(s, sizeof(d->text) - 1);

	if (s->failed || text.len == 0)
		return;
	if (memchr(text.data, '\0', text.len) != NULL)
		s->failed = true;
	memcpy(d->text, text.data, text.len);
}

/*
 * The plan.
 */

static bool
plan_fits(const struct plan *plan)
{
	const struct planned_thing *thing = &plan->thing;
	bool fits = plan->template_name.len <= TEMPLATE_NAME_MAX &&
	    plan->policy_count <= POLICIES_MAX && thing->name.len <= NAME_MAX_LENGTH &&
	    thing->type_name.len <= NAME_MAX_LENGTH &&
	    thing->billing_group.len <= NAME_MAX_LENGTH && plan->supersede_after >= 0 &&
	    memchr(plan->reason.text, '\0', sizeof(plan->reason.text)) != NULL;
	size_t attributes;

	for (size_t i = 0; fits && i < plan->policy_count; i++)
		fits = plan->policies[i].name.len <= NAME_MAX_LENGTH &&
		    plan->policies[i].document.len <= POLICY_BYTES_MAX;
	return fits && codec_check_attributes(thing->attributes, &attributes);
}

static size_t
plan_size(const struct plan *plan)
{
	const struct planned_thing *thing = &plan->thing;
	size_t size = PLAN_FIXED_SIZE + plan->template_name.len + strlen(plan->reason.text) +
	    thing->name.len + thing->type_name.len + thing->billing_group.len +
	    thing->attributes.len;

	for (size_t i = 0; i < plan->policy_count; i++)
		size += POLICY_FIXED_SIZE + plan->policies[i].name.len +
		    plan->policies[i].document.len;
	return size;
}

static void
put_policies(struct sink *s, const struct plan *plan)
{
	put_one_of(s, (unsigned)plan->policy_count, POLICIES_MAX + 1);
	for (size_t i = 0; i < plan->policy_count; i++) {
		put_name(s, plan->policies[i].name);
		put_text(s, plan->policies[i].document);
	}
}

static void
get_policies(struct source *s, struct plan *plan)
{
	plan->policy_count = get_one_of(s, POLICIES_MAX + 1);
	for (size_t i = 0; i < plan->policy_count; i++) {
		plan->policies[i].name = get_name_up_to(s, NAME_MAX_LENGTH);
		plan->policies[i].document = get_text_up_to(s, POLICY_BYTES_MAX);
	}
}

static void
put_planned_thing(struct sink *s, const struct planned_thing *thing)
{
	put_name(s, thing->name);
	put_name(s, thing->type_name);
	put_name(s, thing->billing_group);
	put_text(s, thing->attributes);
	put_one_of(s, thing->on_attributes, OVERRIDE_COUNT);
	put_one_of(s, thing->on_type, OVERRIDE_COUNT);
}

static void
get_planned_thing(struct source *s, struct planned_thing *thing)
{
	size_t attributes;

	thing->name = get_name_up_to(s, NAME_MAX_LENGTH);
	thing->type_name = get_name_up_to(s, NAME_MAX_LENGTH);
	thing->billing_group = get_name_up_to(s, NAME_MAX_LENGTH);
	thing->attributes = get_text(s);
	if (!codec_check_attributes(thing->attributes, &attributes))
		s->failed = true;
	thing->on_attributes = get_one_of(s, OVERRIDE_COUNT);
	thing->on_type = get_one_of(s, OVERRIDE_COUNT);
}

static void
put_plan(struct sink *s, const struct presentation *p)
{
	const struct plan *plan = p->plan;

	put_bytes(s, p->ca_revision.generation.b, sizeof(p->ca_revision.generation.b));
	put_number(s, p->ca_revision.version, 4);
	put_one_of(s, plan->origin, ORIGIN_COUNT);
	put_name(s, plan->template_name);
	put_one_of(s, plan->status, CERT_STATUS_COUNT);
	put_bool(s, plan->failed);
	put_bool(s, plan->no_memory);
	put_diag(s, &plan->reason);
	put_policies(s, plan);
	put_planned_thing(s, &plan->thing);
	put_bool(s, plan->supersedes);
	put_created(s, plan->supersede_after);
}

static void
get_plan(struct source *s, struct presentation *p, struct plan *plan)
{
	p->plan = plan;
	get_array(s, p->ca_revision.generation.b, sizeof(p->ca_revision.generation.b));
	p->ca_revision.version = (uint32_t)get_number(s, 4);
	plan->origin = get_one_of(s, ORIGIN_COUNT);
	plan->template_name = get_name_up_to(s, TEMPLATE_NAME_MAX);
	plan->status = get_one_of(s, CERT_STATUS_COUNT);
	plan->failed = get_bool(s);
	plan->no_memory = get_bool(s);
	get_diag(s, &plan->reason);
	get_policies(s, plan);
	get_planned_thing(s, &plan->thing);
	plan->supersedes = get_bool(s);
	plan->supersede_after = get_created(s);
}

/*
 * The presentation.
 */

static void
put_presented(struct sink *s, const struct presented *p)
{
	put_bytes(s, p->id.b, sizeof(p->id.b));
	put_bytes(s, p->content.b, sizeof(p->content.b));
	put_name(s, (struct view){ p->serial.b, p->serial.len });
	put_time(s, p->not_before);
	put_time(s, p->not_after);
	put_bool(s, p->is_leaf);
	put_bool(s, p->strong_signature);
	put_bool(s, p->strong_key);
	put_bool(s, p->known_extensions);
	put_one_of(s, p->issued_by_ca, ANSWER_COUNT);
}

static void
get_presented(struct source *s, struct presented *p)
{
	get_array(s, p->id.b, sizeof(p->id.b));
	get_array(s, p->content.b, sizeof(p->content.b));
	p->serial.len = (uint8_t)get_one_of(s, SERIAL_MAX + 1);
	get_array(s, p->serial.b, p->serial.len);
	p->not_before = get_time(s);
	p->not_after = get_time(s);
	p->is_leaf = get_bool(s);
	p->strong_signature = get_bool(s);
	p->strong_key = get_bool(s);
	p->known_extensions = get_bool(s);
	p->issued_by_ca = get_one_of(s, ANSWER_COUNT);
}

size_t
wire_presentation_size(const struct presentation *p)
{
	size_t size = FIXED_SIZE + p->presented.serial.len + p->der.len + p->details.len +
	    p->client_id.len + p->address.len;

	if (p->presented.serial.len > SERIAL_MAX || p->der.len > WIRE_DER_MAX ||
	    p->details.len > EVENT_DETAILS_MAX || p->client_id.len > REFUSAL_TEXT_MAX ||
	    p->address.len > REFUSAL_TEXT_MAX || (p->plan != NULL && !plan_fits(p->plan)))
		return 0;
	return size + (p->plan != NULL ? plan_size(p->plan) : 0);
}

void
wire_put_presentation(const struct presentation *p, uint8_t *out)
{
	struct sink s = { .at = out, .left = wire_presentation_size(p) };

	put_presented(&s, &p->presented);
	put_bytes(&s, p->ca_id.b, sizeof(p->ca_id.b));
	put_text(&s, p->der);
	put_text(&s, p->details);
	put_text(&s, p->client_id);
	put_text(&s, p->address);
	put_bool(&s, p->plan != NULL);
	if (p->plan != NULL)
		put_plan(&s, p);
	assert(!s.failed && s.left == 0);
}

enum err
wire_get_presentation(struct view in, struct presentation *out, struct plan *plan)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	memset(plan, 0, sizeof(*plan));
	get_presented(&s, &out->presented);
	get_array(&s, out->ca_id.b, sizeof(out->ca_id.b));
	out->der = get_text_up_to(&s, WIRE_DER_MAX);
	out->details = get_text_up_to(&s, EVENT_DETAILS_MAX);
	out->client_id = get_text_up_to(&s, REFUSAL_TEXT_MAX);
	out->address = get_text_up_to(&s, REFUSAL_TEXT_MAX);
	if (get_bool(&s))
		get_plan(&s, out, plan);
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	memset(plan, 0, sizeof(*plan));
	return ERR_CORRUPT;
}

/*
 * The result.
 */

static void
put_outcome(struct sink *s, const struct outcome *o)
{
	put_one_of(s, o->decision.verdict, VERDICT_COUNT);
	put_one_of(s, o->decision.reason, REASON_COUNT);
	put_one_of(s, o->decision.effects, EFFECTS_COUNT);
	put_one_of(s, o->status, CERT_STATUS_COUNT);
	put_bool(s, o->failed);
	put_diag(s, &o->details);
}

static void
get_outcome(struct source *s, struct outcome *o)
{
	o->decision.verdict = get_one_of(s, VERDICT_COUNT);
	o->decision.reason = get_one_of(s, REASON_COUNT);
	o->decision.effects = get_one_of(s, EFFECTS_COUNT);
	o->status = get_one_of(s, CERT_STATUS_COUNT);
	o->failed = get_bool(s);
	get_diag(s, &o->details);
}

size_t
wire_put_result(const struct presentation_result *r, uint8_t out[WIRE_RESULT_MAX])
{
	struct sink s = { .at = out, .left = WIRE_RESULT_MAX };
	struct view failure = r->failure;

	if (failure.len > WIRE_FAILURE_MAX)
		failure.len = WIRE_FAILURE_MAX;
	put_one_of(&s, r->result, ERR_COUNT);
	put_outcome(&s, &r->outcome);
	put_text(&s, failure);
	return put_end(&s);
}

enum err
wire_get_result(struct view in, struct presentation_result *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	out->result = get_one_of(&s, ERR_COUNT);
	get_outcome(&s, &out->outcome);
	out->failure = get_text_up_to(&s, WIRE_FAILURE_MAX);
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

/*
 * The refusal.
 */

size_t
wire_put_refused(const struct certid *id, const struct refusal *r, uint8_t out[WIRE_REFUSED_MAX])
{
	const struct view texts[] = { r->code, r->details, r->client_id, r->address };
	struct sink s = { .at = out, .left = WIRE_REFUSED_MAX };

	put_bytes(&s, id->b, sizeof(id->b));
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i].len > REFUSAL_TEXT_MAX)
			return 0;
		put_text(&s, texts[i]);
	}
	return put_end(&s);
}

enum err
wire_get_refused(struct view in, struct certid *id, struct refusal *out)
{
	struct view *texts[] = { &out->code, &out->details, &out->client_id, &out->address };
	struct source s = { .at = in.data, .left = in.len };

	memset(id, 0, sizeof(*id));
	memset(out, 0, sizeof(*out));
	get_array(&s, id->b, sizeof(id->b));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = get_text_up_to(&s, REFUSAL_TEXT_MAX);
	if (get_end(&s))
		return ERR_OK;
	memset(id, 0, sizeof(*id));
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}
