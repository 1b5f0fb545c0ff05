/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_form.c - arbitrary bytes as forms: not decoded, or evaluated.
 *
 * The first line is the value that all facts have.  The rest is a form, or if it begins with
 * '{' a document: then its form is damaged, one bit after the other.  What is decoded is evaluated
 * without a crash, with the same answer twice, and is encoded to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "line.h"

#include "jitr/core/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const heads[] = { "arn:aws:iot:us-east-1:123456789012:topic/",
	"arn:aws:iot:us-east-1:123456789012:client/", "" };

static struct facts
facts_with(struct view value, struct cert_facts *cert)
{
	cert->count = 0;
	for (int f = 0; f < CERT_FIELD_COUNT; f++)
		cert->values[cert->count++] = (struct cert_value){ (enum cert_field)f, value };
	return (struct facts){ .client_id = value,
		.certificate_id = view_of("00ff"),
		.cert = cert,
		.source_text = view_of("192.0.2.1"),
		.source = address_parse(view_of("192.0.2.1")),
		.persistent_connect = ANSWER_YES };
}

static void
ask_policy(const struct policy *p, const struct facts *f)
{
	struct view name;
	bool has;

	for (int action = 0; action < POLICY_ACTION_COUNT; action++)
		for (size_t h = 0; h < COUNT_OF(heads); h++) {
			struct policy_request r = { .action = (enum policy_action)action,
				.control = "iot:UpdateCertificate",
				.prefix = view_of(heads[h]),
				.name = f->client_id,
				.any_name = f->client_id.len == 0,
				.facts = f };

			form_require(policy_eval(&p, 1, &r, NULL) == policy_eval(&p, 1, &r, NULL),
			    "two answers");
		}
	for (size_t i = 0; policy_variable(p, i, f, &name, &has); i++)
		form_require(name.len <= POLICY_BYTES_MAX, "a long name");
	(void)policy_uses(p);
}

static void
check_plan(const struct plan *p)
{
	form_require(p->policy_count <= POLICIES_MAX, "too many policies");
	form_require(p->reason.text[0] != '\0', "no reason");
	form_require(p->thing.name.len == 0 || thing_name_valid(p->thing.name), "a thing's name");
	for (size_t i = 0; i < p->policy_count; i++)
		form_require(p->policies[i].name.len == 0 || policy_name_valid(p->policies[i].name),
		    "a policy's name");
}

static void
ask_rule(const struct rule *r, const struct facts *f)
{
	uint8_t *room = malloc(PLAN_ROOM);
	struct plan p;

	form_require(room != NULL, "no memory");
	rule_eval(r, f, room, &p);
	check_plan(&p);
	(void)rule_reach(r);
	free(room);
}

static void
ask_template(const struct template *t, const struct facts *f)
{
	uint8_t *room = malloc(PLAN_ROOM);
	struct plan p;

	form_require(room != NULL, "no memory");
	template_eval(t, f, room, &p);
	check_plan(&p);
	(void)template_reach(t);
	free(room);
}

static void
decode(struct view form, const struct facts *f)
{
	struct arn_scope scope = arn_scope_of("us-east-1", "123456789012");
	struct policy *p = policy_of_form(form, &scope);
	struct rule *r = rule_of_form(form);
	struct template *t = template_of_form(form);
	struct view again = { NULL, 0 };

	if (p != NULL) {
		ask_policy(p, f);
		FORM_OF(again, policy_encode, p);
	} else if (r != NULL) {
		ask_rule(r, f);
		FORM_OF(again, rule_encode, r);
	} else if (t != NULL) {
		ask_template(t, f);
		FORM_OF(again, template_encode, t);
	}
	form_require(again.data == NULL || view_equal(again, form), "other bytes");
	form_free(again);
	free(p);
	free(r);
	free(t);
}

/* Damages a form and all that is shorter. */
static void
damage(struct view form, const struct facts *f)
{
	for (size_t i = 0; i < form.len; i++) {
		struct view copy = { malloc(form.len), form.len };
		uint8_t *bytes = (uint8_t *)(uintptr_t)copy.data;

		form_require(bytes != NULL, "no memory");
		memcpy(bytes, form.data, form.len);
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1u << bit);
			decode(copy, f);
			bytes[i] ^= (uint8_t)(1u << bit);
		}
		copy.len = i;
		decode(copy, f);
		form_free(copy);
	}
}

static struct view
form_of(struct view document)
{
	struct arn_scope scope = arn_scope_of("us-east-1", "123456789012");
	struct view form = { NULL, 0 };
	struct template *t = NULL;
	struct policy *p = NULL;
	struct rule *r = NULL;

	if (policy_compile(document, &scope, &p, NULL) == ERR_OK)
		FORM_OF(form, policy_encode, p);
	else if (rule_compile(document, &r, NULL) == ERR_OK)
		FORM_OF(form, rule_encode, r);
	else if (template_compile(document, &scope, &t, NULL) == ERR_OK)
		FORM_OF(form, template_encode, t);
	policy_free(p);
	rule_free(r);
	template_free(t);
	return form;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { data, size }, value = cut_line(&rest), form;
	struct cert_facts *cert = malloc(
	    sizeof(*cert) + CERT_FIELD_COUNT * sizeof(struct cert_value));
	struct facts f;

	form_require(cert != NULL, "no memory");
	f = facts_with(value, cert);
	if (rest.len == 0 || rest.data[0] != '{') {
		decode(rest, &f);
	} else if (rest.len <= 1024) {
		form = form_of(rest);
		damage(form, &f);
		form_free(form);
	}
	free(cert);
	return 0;
}
