/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* codec_form_policy.c - forms of policies; see codec_form.h. */
#include <string.h>

#include "codec_form_private.h"

#include "jitr/core/policy_form.h"

enum {
	FLAG_DENY = 1u << 0,
	FLAG_NOT_ACTION = 1u << 1,
	FLAG_NOT_RESOURCE = 1u << 2,
	FLAGS_END = 1u << 3,
};

/*
 * Writing.
 */

/* The parts of RESOURCE_PARTIAL are not compared. */
static void
put_resource(struct form_writer *w, const struct resource *r)
{
	put_one_of(&w->s, r->form, RESOURCE_PARTIAL + 1);
	if (r->form == RESOURCE_SHORT)
		put_one_of(&w->s, (unsigned)r->part_count, ARN_SCOPE_PARTS + 1);
	if (r->form == RESOURCE_SHORT || r->form == RESOURCE_ARN)
		for (size_t i = 0; i < r->part_count; i++)
			put_pattern(w, &r->part[i]);
	if (r->form == RESOURCE_ARN || r->form == RESOURCE_PARTIAL)
		put_pattern(w, &r->rest);
}

static void
put_statement(struct form_writer *w, const struct statement *s)
{
	put_number(&w->s,
	    (s->deny ? FLAG_DENY : 0u) | (s->not_action ? FLAG_NOT_ACTION : 0u) |
		(s->not_resource ? FLAG_NOT_RESOURCE : 0u),
	    1);
	put_text(&w->s, s->sid);
	put_number(&w->s, s->action_count, 2);
	for (size_t i = 0; i < s->action_count; i++)
		put_pattern(w, &s->actions[i].pattern);
	put_number(&w->s, s->resource_count, 2);
	for (size_t i = 0; i < s->resource_count; i++)
		put_resource(w, &s->resources[i]);
	put_conditions(w, s->conditions, s->condition_count);
	w->counts.of[PART_STATEMENT]++;
	w->counts.of[PART_ACTION] += s->action_count;
	w->counts.of[PART_RESOURCE] += s->resource_count;
}

static void
put_body(struct form_writer *w, const struct policy *p)
{
	put_variables(w);
	for (size_t i = 0; i < p->count; i++)
		put_statement(w, &p->statements[i]);
}

size_t
policy_encode(const struct policy *p, uint8_t *out, size_t room)
{
	struct form_writer counting = { .s = { .left = SIZE_MAX }, .names = p->names };
	struct form_writer w = { .s = { .at = out, .left = out != NULL ? room : SIZE_MAX },
		.names = p->names };

	put_body(&counting, p);
	put_form_head(&w, FORM_POLICY, &counting.counts);
	put_body(&w, p);
	return put_end(&w.s);
}

/*
 * Reading.
 */

static void
get_parts(struct form_reader *r, struct resource *out)
{
	for (size_t i = 0; i < out->part_count && !r->s.failed; i++)
		out->part[i] = get_pattern(r, false);
}

static size_t
part_count(struct form_reader *r, enum resource_form form)
{
	size_t count = ARN_SCOPE_PARTS;

	if (form == RESOURCE_SHORT)
		count = get_one_of(&r->s, ARN_SCOPE_PARTS + 1);
	r->s.failed |= count == 0;
	return count;
}

static void
get_resource(struct form_reader *r, struct resource *out, const struct arn_scope *own)
{
	out->form = (enum resource_form)get_one_of(&r->s, RESOURCE_PARTIAL + 1);
	if (out->form == RESOURCE_ANY)
		return;
	if (out->form != RESOURCE_PARTIAL) {
		out->part_count = part_count(r, out->form);
		get_parts(r, out);
	}
	if (out->form != RESOURCE_SHORT)
		out->rest = get_pattern(r, false);
	if (r->s.failed)
		return;
	if (out->form == RESOURCE_ARN)
		resource_derive(out, form_room(r, out->rest.count));
	resource_derive_scope(out, own);
}

static void
get_actions(struct form_reader *r, struct statement *out)
{
	struct action *actions;

	out->action_count = get_count(r);
	out->actions = actions = form_take(r, PART_ACTION, out->action_count);
	for (size_t i = 0; i < out->action_count && !r->s.failed; i++) {
		actions[i].pattern = get_pattern(r, true);
		action_derive(&actions[i]);
	}
}

static void
get_resources(struct form_reader *r, struct statement *out, const struct arn_scope *own)
{
	struct resource *resources;

	out->resource_count = get_count(r);
	out->resources = resources = form_take(r, PART_RESOURCE, out->resource_count);
	for (size_t i = 0; i < out->resource_count && !r->s.failed; i++)
		get_resource(r, &resources[i], own);
}

/* Returns what it uses. */
static unsigned
get_statement(struct form_reader *r, struct statement *out, const struct arn_scope *own)
{
	unsigned flags = get_one_of(&r->s, FLAGS_END);

	out->deny = (flags & FLAG_DENY) != 0;
	out->not_action = (flags & FLAG_NOT_ACTION) != 0;
	out->not_resource = (flags & FLAG_NOT_RESOURCE) != 0;
	out->sid = get_text(&r->s);
	get_actions(r, out);
	get_resources(r, out, own);
	out->conditions = get_conditions(r, &out->condition_count);
	r->s.failed |= out->action_count == 0 || out->resource_count == 0;
	return r->s.failed ? 0 : statement_derive(out);
}

enum err
policy_memory(struct view form, size_t *size, struct diag *why)
{
	return form_memory(form, FORM_POLICY, sizeof(struct policy), NULL, size, why);
}

enum err
policy_decode(struct view form, const struct arn_scope *scope, void *memory, struct policy **out)
{
	struct form_reader r = { .names = NULL };
	struct policy *p = memory;

	*out = NULL;
	form_begin(&r, form, sizeof(*p), NULL, memory);
	get_variables(&r);
	p->scope = *scope;
	p->prefix_len = strlen(scope->prefix);
	p->count = r.left[PART_STATEMENT];
	p->statements = form_take(&r, PART_STATEMENT, p->count);
	for (size_t i = 0; i < p->count && !r.s.failed; i++)
		p->uses |= get_statement(&r, &p->statements[i], scope);
	if (!form_end(&r))
		return ERR_CORRUPT;
	p->names = r.names;
	p->uses |= variables_derive(p->names);
	*out = p;
	return ERR_OK;
}
