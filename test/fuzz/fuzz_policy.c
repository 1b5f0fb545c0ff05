/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_policy.c - arbitrary bytes as policy documents: refused with a text, or compiled and
 * asked every request.
 *
 * No crash.  The same request has the same answer twice, also from the policy's form, and
 * every answer has its deciding statement unless nothing matched.
 */
#include <stdlib.h>
#include <string.h>

#include "forms.h"

#include "jitr/core/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "", "dev1", "a/b", "*", "$SYS/x", "x/\xc3\xa9/\xff", "#",
	"arn:aws:iot:us-east-1:123456789012:topic/a" };

static struct facts
facts_of(unsigned which)
{
	static const uint8_t attributes[] = "\x01"
					    "a\x00\x02"
					    "12"
					    "\x01"
					    "b\x00\x01"
					    "*";
	static struct thing thing;
	struct facts f = { .client_id = view_of(which % 2 == 0 ? "dev1" : "*") };

	thing.name = f.client_id;
	thing.attributes = (struct view){ attributes, sizeof(attributes) - 1 };
	f.client_id_as_is = which % 3 == 1;
	f.thing = which % 4 < 2 ? &thing : NULL;
	f.persistent_connect = (enum answer)(which % 3);
	f.last_will = (enum answer)(which / 2 % 3);
	f.source_text = view_of(which < 4 ? "192.0.2.1" : NULL);
	f.source = address_parse(f.source_text);
	return f;
}

static struct policy *decoded;

static enum policy_result
ask(const struct policy *p, const char *head, const char *name, enum policy_action action,
    const struct facts *f)
{
	struct policy_request r = { .action = action,
		.control = "iot:UpdateCertificate",
		.prefix = view_of(head),
		.name = view_of(name),
		.facts = f };
	struct policy_match match = { .policy = 1 };
	enum policy_result result = policy_eval(&p, 1, &r, &match);

	if ((result == POLICY_IMPLICIT_DENY) != (match.policy == 1))
		abort();
	if (policy_eval(&p, 1, &r, NULL) != result ||
	    policy_eval((const struct policy *const *)&decoded, 1, &r, NULL) != result)
		abort();
	return result;
}

static void
ask_all(const struct policy *p, const struct facts *f)
{
	static const char *const heads[] = { "arn:aws:iot:us-east-1:123456789012:topic/",
		"arn:aws:iot:us-east-1:123456789012:topicfilter/", "" };

	for (int action = 0; action < POLICY_ACTION_COUNT; action++)
		for (size_t i = 0; i < COUNT_OF(names); i++)
			for (size_t h = 0; h < COUNT_OF(heads); h++)
				(void)ask(p, heads[h], names[i], (enum policy_action)action, f);
}

static void
name_all(const struct policy *p, const struct facts *f)
{
	struct view name;
	bool has;

	for (size_t i = 0; policy_variable(p, i, f, &name, &has); i++)
		if (name.len > POLICY_BYTES_MAX)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arn_scope scope = arn_scope_of("us-east-1", "123456789012");
	struct diag diag = { "" };
	struct policy *p = NULL;
	enum err e = policy_compile((struct view){ data, size }, &scope, &p, &diag);

	if (e != ERR_OK && (p != NULL || (e == ERR_POLICY && diag.text[0] == '\0')))
		abort();
	decoded = p != NULL ? policy_again(p, &scope) : NULL;
	for (unsigned which = 0; p != NULL && which < 6; which++) {
		struct facts f = facts_of(which);

		ask_all(p, &f);
		name_all(p, &f);
	}
	free(decoded);
	policy_free(p);
	return 0;
}
