/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_codec_form.c - forms of compiled documents: their bytes, and what is refused.
 *
 * That a form has the answers of its document is tested where documents are evaluated:
 * check_policy.c, check_policy_model.c, check_rule.c, check_template.c.
 */
#include <string.h>

#include "forms.h"
#include "policies.h"
#include "suite.h"

#include "jitr/core/text.h"

static struct arn_scope scope;

static void
set_up(void)
{
	scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
}

static struct view
form_written(enum form_kind kind, const char *written)
{
	char *text = policy_text(written);
	struct view form = form_text(kind, view_of(text));

	free(text);
	return form;
}

/*
 * Bytes.
 */

static const struct {
	enum form_kind kind;
	const char *document, *hex;
} examples[] = {
	{ FORM_POLICY,
	    "{'Version':'2012-10-17','Statement':[{'Effect':'Deny','Action':'iot:Publish',"
	    "'Resource':'arn:aws:iot:*:*:topic/${iot:ClientId}',"
	    "'Condition':{'Bool':{'iot:ClientId':'true'}}}]}",
	    "0101"
	    "0001"
	    "0008"
	    "0000"
	    "0001"
	    "0001"
	    "0001"
	    "0001"
	    "0001"
	    "0000"
	    "0000000c"
	    "696f743a436c69656e744964"
	    "01"
	    "00000000"
	    "0001"
	    "0001"
	    "00"
	    "0000000b"
	    "696f743a5075626c697368"
	    "0001"
	    "01"
	    "0001"
	    "00"
	    "00000003"
	    "61726e"
	    "0001"
	    "00"
	    "00000003"
	    "617773"
	    "0001"
	    "00"
	    "00000003"
	    "696f74"
	    "0001"
	    "03"
	    "0001"
	    "03"
	    "0002"
	    "00"
	    "00000006"
	    "746f7069632f"
	    "01"
	    "0000"
	    "0001"
	    "00000004"
	    "426f6f6c"
	    "0000"
	    "0001"
	    "01" },
	{ FORM_RULE, "{'policies':'p','supersede':1,'thing':'x-${iot:ClientId}'}",
	    "0102"
	    "0001"
	    "0002"
	    "0000"
	    "0000"
	    "0000"
	    "0000"
	    "0000"
	    "0000"
	    "0000"
	    "0000000c"
	    "696f743a436c69656e744964"
	    "04"
	    "01"
	    "00000000000003e8"
	    "01"
	    "00000001"
	    "70"
	    "0002"
	    "00"
	    "00000002"
	    "782d"
	    "01"
	    "0000"
	    "0000" },
	{ FORM_TEMPLATE,
	    "{'Parameters':{'AWS::IoT::Certificate::Id':{'Type':'String'},"
	    "'AWS::IoT::Certificate::CommonName':{'Type':'String','Default':'x'}},'Resources':{"
	    "'t':{'Type':'AWS::IoT::Thing','Properties':{'ThingName':"
	    "{'Ref':'AWS::IoT::Certificate::CommonName'},'AttributePayload':{'a':'b'}}},"
	    "'c':{'Type':'AWS::IoT::Certificate','Properties':"
	    "{'CertificateId':{'Ref':'AWS::IoT::Certificate::Id'}}},"
	    "'p':{'Type':'AWS::IoT::Policy','Properties':{'PolicyName':'p'}}}}",
	    "0103"
	    "01"
	    "03"
	    "00000012"
	    "5375626a6563742e436f6d6d6f6e4e616d65"
	    "00000021"
	    "4157533a3a496f543a3a43657274696669636174653a3a436f6d6d6f6e4e616d65"
	    "01"
	    "00000001"
	    "78"
	    "00"
	    "00"
	    "00000001"
	    "61"
	    "01"
	    "01"
	    "00000001"
	    "62"
	    "00"
	    "00"
	    "01"
	    "01"
	    "00000006"
	    "414354495645"
	    "02"
	    "01"
	    "01"
	    "01"
	    "00000001"
	    "70"
	    "00"
	    "00000000" },
};

START_TEST(the_bytes_are_fixed)
{
	struct view form = form_written(examples[_i].kind, examples[_i].document);
	char *hex = malloc(2 * form.len + 1);

	hex_encode(form, hex);
	ck_assert_str_eq(hex, examples[_i].hex);
	free(hex);
}
END_TEST

/* Other account or region: the same form, and what it allows follows from the configuration. */
START_TEST(a_form_does_not_depend_on_the_configuration)
{
	struct view form = form_written(FORM_POLICY,
	    "{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'iot:Connect',"
	    "'Resource':'@client/*'}}");
	struct arn_scope other = arn_scope_of("eu-west-1", TEST_ACCOUNT);
	struct policy *ours = policy_of_form(form, &scope), *theirs = policy_of_form(form, &other);
	struct policy_request r = { .action = POLICY_CONNECT,
		.prefix = head_of(POLICY_CONNECT),
		.name = view_of("x") };

	ck_assert_int_eq(policy_eval((const struct policy *const *)&ours, 1, &r, NULL),
	    POLICY_ALLOWED);
	ck_assert_int_eq(policy_eval((const struct policy *const *)&theirs, 1, &r, NULL),
	    POLICY_ALLOWED);
	r.prefix = view_of("arn:aws:iot:eu-west-1:" TEST_ACCOUNT ":client/");
	ck_assert_int_eq(policy_eval((const struct policy *const *)&ours, 1, &r, NULL),
	    POLICY_IMPLICIT_DENY);
	ck_assert_int_eq(policy_eval((const struct policy *const *)&theirs, 1, &r, NULL),
	    POLICY_IMPLICIT_DENY);
	free(ours);
	free(theirs);
}
END_TEST

/*
 * What is refused.
 */

static enum err
memory_of(enum form_kind kind, struct view form, struct diag *why)
{
	size_t size;

	*why = (struct diag){ "" };
	if (kind == FORM_POLICY)
		return policy_memory(form, &size, why);
	return kind == FORM_RULE ? rule_memory(form, &posix_expressions, &size, why)
				 : template_memory(form, &size, why);
}

START_TEST(a_form_that_cannot_be_used_says_why)
{
	enum form_kind kind = examples[_i].kind;
	uint8_t newer[] = { FORM_VERSION + 1, (uint8_t)kind };
	struct diag why;

	ck_assert_int_eq(memory_of(kind, view_of(""), &why), ERR_REQUEST);
	ck_assert_str_eq(why.text, "it has no compiled form");
	ck_assert_int_eq(memory_of(kind, (struct view){ newer, sizeof(newer) }, &why), ERR_REQUEST);
	ck_assert_str_eq(why.text, "its compiled form has format 2, this program reads 1");
	ck_assert_int_eq(memory_of(kind, form_text(kind, view_of("[]")), &why), ERR_REQUEST);
	ck_assert_ptr_nonnull(strstr(why.text, "must be a JSON object"));
	ck_assert_int_eq(memory_of(kind, form_text(kind, view_of("{")), &why), ERR_REQUEST);
	ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(a_form_of_another_kind_is_refused)
{
	struct view form = form_written(examples[_i].kind, examples[_i].document);
	struct diag why;

	for (int kind = FORM_POLICY; kind <= FORM_TEMPLATE; kind++)
		ck_assert_int_eq(memory_of((enum form_kind)kind, form, &why),
		    kind == (int)examples[_i].kind ? ERR_OK : ERR_CORRUPT);
}
END_TEST

static bool
decodes(struct view form)
{
	struct policy *p = policy_of_form(form, &scope);
	struct rule *r = rule_of_form(form);
	struct template *t = template_of_form(form);
	bool decoded = p != NULL || r != NULL || t != NULL;

	free(p);
	free(r);
	free(t);
	return decoded;
}

START_TEST(a_form_that_is_too_short_or_too_long_is_refused)
{
	struct view form = form_written(examples[_i].kind, examples[_i].document);

	ck_assert(decodes(form));
	for (size_t len = 0; len <= form.len + 1; len++) {
		uint8_t *copy = calloc(1, len > 0 ? len : 1);

		memcpy(copy, form.data, len < form.len ? len : form.len);
		ck_assert(decodes((struct view){ copy, len }) == (len == form.len));
		free(copy);
	}
}
END_TEST

/* Bytes of an example with one place changed. */
static const struct {
	const char *what;
	unsigned example;
	size_t at;
	uint8_t byte;
} damages[] = {
	{ "a variable more than there are", 0, 3, 2 },
	{ "more pieces than there are", 0, 5, 9 },
	{ "a pattern of an ARN too many", 0, 7, 1 },
	{ "more statements than there is text", 0, 8, 0xff },
	{ "an expression in a policy", 0, 19, 1 },
	{ "an unknown flag", 0, 36, 8 },
	{ "no action", 0, 42, 0 },
	{ "no resource", 0, 62, 0 },
	{ "a piece of an unknown kind", 0, 45, 4 },
	{ "an action's variable that does not exist", 0, 45, 1 },
	{ "an unknown form of a resource", 0, 63, 4 },
	{ "an unknown operator", 0, 122, 'X' },
	{ "neither true nor false", 0, 130, 2 },
	{ "a status that no rule has", 1, 36, 1 },
	{ "a negative delay", 1, 38, 0x80 },
	{ "a delay without the reason for it", 1, 37, 0 },
	{ "eleven policies", 1, 46, 11 },
	{ "an invalid policy name", 1, 51, '*' },
	{ "a wildcard in a thing's name", 1, 61, 3 },
	{ "more attributes than a thing has", 2, 2, 51 },
	{ "an unknown field", 2, 8, 'X' },
	{ "an unknown source", 2, 3, 6 },
	{ "an invalid attribute name", 2, 75, ' ' },
	{ "an invalid attribute value", 2, 82, '"' },
	{ "a type that is merged", 2, 84, 3 },
};

START_TEST(a_damaged_form_is_refused)
{
	struct view form = form_written(examples[damages[_i].example].kind,
	    examples[damages[_i].example].document);
	uint8_t *copy = malloc(form.len);

	memcpy(copy, form.data, form.len);
	ck_assert_uint_lt(damages[_i].at, form.len);
	ck_assert_uint_ne(copy[damages[_i].at], damages[_i].byte);
	copy[damages[_i].at] = damages[_i].byte;
	ck_assert_msg(!decodes((struct view){ copy, form.len }), "%s", damages[_i].what);
	free(copy);
}
END_TEST

/* A registry that another program wrote could have any text there. */
START_TEST(an_expression_of_a_form_has_the_limits_of_its_compiler)
{
	struct view form = form_written(FORM_RULE,
	    "{'conditions':{'StringMatches':{'iot:ClientId':'aaaa(aa)*'}}}");
	uint8_t *copy = malloc(form.len), *at;
	size_t size;
	struct rule *r;
	struct diag why = { "" };
	void *memory;

	memcpy(copy, form.data, form.len);
	at = memchr(copy, '*', form.len);
	ck_assert_ptr_nonnull(at);
	memcpy(at - 8, "((a*)*)*", 8);
	ck_assert_int_eq(rule_memory((struct view){ copy, form.len }, &posix_expressions, &size,
			     &why),
	    ERR_OK);
	memory = malloc(size);
	ck_assert_int_eq(rule_decode((struct view){ copy, form.len }, &posix_expressions, memory,
			     &r, &why),
	    ERR_REQUEST);
	ck_assert_ptr_null(r);
	ck_assert_str_ne(why.text, "");
	free(memory);
	free(copy);
}
END_TEST

/* White space of strings does not count, so that a text may be as long as the document. */
START_TEST(the_longest_document_has_a_form)
{
	static char text[POLICY_BYTES_MAX + 1];
	struct view form;
	int len = snprintf(text, sizeof(text),
	    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
	    "\"Resource\":\"arn:aws:iot:*:*:topic/");

	memset(text + len, ' ', POLICY_BYTES_MAX - (size_t)len);
	memcpy(text + POLICY_BYTES_MAX - 4, "\"}]}", 4);
	form = form_text(FORM_POLICY, view_of(text));
	ck_assert(decodes(form));
	len = snprintf(text, sizeof(text), "{\"conditions\":{\"DateEquals\":{\"iot:ClientId\":[1");
	while (len < RULE_BYTES_MAX - 6)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",1");
	(void)snprintf(text + len, sizeof(text) - (size_t)len, "]}}}");
	form = form_text(FORM_RULE, view_of(text));
	ck_assert(decodes(form));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec_form");
	TCase *t = suite_case(suite, "forms");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_loop_test(t, the_bytes_are_fixed, 0, COUNT_OF(examples));
	tcase_add_test(t, a_form_does_not_depend_on_the_configuration);
	tcase_add_loop_test(t, a_form_that_cannot_be_used_says_why, 0, COUNT_OF(examples));
	tcase_add_loop_test(t, a_form_of_another_kind_is_refused, 0, COUNT_OF(examples));
	tcase_add_loop_test(t, a_form_that_is_too_short_or_too_long_is_refused, 0,
	    COUNT_OF(examples));
	tcase_add_loop_test(t, a_damaged_form_is_refused, 0, COUNT_OF(damages));
	tcase_add_test(t, an_expression_of_a_form_has_the_limits_of_its_compiler);
	tcase_add_test(t, the_longest_document_has_a_form);
	return suite_run(suite);
}
