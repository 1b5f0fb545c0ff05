/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* codec_form_rule.c - forms of rules; see codec_form.h. */
#include "codec_form_private.h"

#include "jitr/core/name.h"
#include "jitr/core/rule_form.h"

static void
put_body(struct form_writer *w, const struct rule *r)
{
	put_variables(w);
	put_one_of(&w->s, r->otherwise, CERT_STATUS_COUNT);
	put_one_of(&w->s, r->supersedes, 2);
	put_time(&w->s, r->supersede_after);
	put_one_of(&w->s, (unsigned)r->policy_count, POLICIES_MAX + 1);
	for (size_t i = 0; i < r->policy_count; i++)
		put_text(&w->s, r->policies[i]);
	put_pattern(w, &r->thing);
	put_conditions(w, r->conditions, r->condition_count);
}

size_t
rule_encode(const struct rule *r, uint8_t *out, size_t room)
{
	struct form_writer counting = { .s = { .left = SIZE_MAX }, .names = r->names };
	struct form_writer w = { .s = { .at = out, .left = out != NULL ? room : SIZE_MAX },
		.names = r->names };

	put_body(&counting, r);
	put_form_head(&w, FORM_RULE, &counting.counts);
	put_body(&w, r);
	return put_end(&w.s);
}

static void
get_policies(struct form_reader *r, struct rule *out)
{
	out->policy_count = get_one_of(&r->s, POLICIES_MAX + 1);
	for (size_t i = 0; i < out->policy_count && !r->s.failed; i++) {
		out->policies[i] = get_text(&r->s);
		r->s.failed |= !policy_name_valid(out->policies[i]);
	}
}

/* Also the bounds that the compiler sets. */
static bool
is_sound(const struct rule *r)
{
	if (r->otherwise != CERT_PENDING_ACTIVATION && r->otherwise != CERT_REVOKED)
		return false;
	if (r->supersede_after < 0 || r->supersede_after > 1000 * RULE_SUPERSEDE_MAX)
		return false;
	return r->supersedes || r->supersede_after == 0;
}

enum err
rule_memory(struct view form, const struct expressions *x, size_t *size, struct diag *why)
{
	return form_memory(form, FORM_RULE, sizeof(struct rule), x, size, why);
}

static void
get_body(struct form_reader *r, struct rule *out)
{
	get_variables(r);
	out->otherwise = (enum cert_status)get_one_of(&r->s, CERT_STATUS_COUNT);
	out->supersedes = get_one_of(&r->s, 2) == 1;
	out->supersede_after = get_time(&r->s);
	get_policies(r, out);
	r->no_wildcards = true;
	out->thing = get_pattern(r, false);
	r->no_wildcards = false;
	out->conditions = get_conditions(r, &out->condition_count);
	out->names = r->names;
}

enum err
rule_decode(struct view form, const struct expressions *x, void *memory, struct rule **out,
    struct diag *why)
{
	struct form_reader r = { .why = why };
	struct rule *rule = memory;

	*out = NULL;
	form_begin(&r, form, sizeof(*rule), x, memory);
	get_body(&r, rule);
	if (r.expression_failed != ERR_OK)
		return r.expression_failed;
	if (!form_end(&r) || !is_sound(rule))
		return ERR_CORRUPT;
	rule->expression_match = x->match;
	*out = rule;
	return ERR_OK;
}
