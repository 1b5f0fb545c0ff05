/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_rule_compile.c - documents are compiled to rules or refused (rule.h).
 *
 * A refusal names the position, which the author of the document needs.
 */
#include "jitr/core/rule.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#define IF(condition) "{'conditions':{" condition "}}"
#define A32           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128          A32 A32 A32 A32
#define CN            "${iot:Certificate.Subject.CommonName}"

static const struct {
	const char *what, *document;
} accepted[] = {
	{ "the smallest: every device", "{}" },
	{ "white space and any order", " {\n'thing' : 'x' ,\t'policies':[ ] }\r\n" },
	{ "no condition", IF("") },
	{ "an operator without keys", IF("'StringLike':{}") },
	{ "no value", IF("'StringEquals':{'iot:ClientId':[]}") },
	{ "the whole of it",
	    "{'conditions':{'StringLike':{'iot:Certificate.Subject.CommonName':"
	    "['sensor-*','gw-*']},'StringMatches':{'iot:Certificate.Subject.OrganizationalUnit':"
	    "'(plant|field)-[0-9]{2}'},'StringEquals':{'jitr:Certificate.KeyType':['P-256','P-384']},"
	    "'NumericLessThanEquals':{'jitr:Certificate.ValidityDays':'3660'}},'policies':['device'],"
	    "'thing':'" CN "','supersede':86400,'otherwise':'PENDING_ACTIVATION'}" },
	{ "every fact",
	    IF("'StringEquals':{'iot:ClientId':'x','iot:CertificateId':'x',"
	       "'iot:Certificate.SerialNumber':'1','iot:Certificate.Issuer.AlternativeName.IPAddress.4':'x',"
	       "'iot:Certificate.AvailableKeys':'x','jitr:Certificate.KeyBits':1,"
	       "'jitr:Certificate.SignatureAlgorithm.List':'x','IOT:clientid':'x'},"
	       "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}") },
	{ "the operators of policies",
	    IF("'StringNotEqualsIgnoreCase':{'iot:ClientId':'x'},"
	       "'Bool':{'iot:ClientId':true},'ArnLike':{'iot:ClientId':'arn:*:*:*:*:*'},"
	       "'DateLessThan':{'iot:ClientId':'2026-01-31'},'Null':{'iot:ClientId':false},"
	       "'ForAllValues:StringNotLike':{'iot:Certificate.Subject.CommonName.List':'x'}") },
	{ "expressions and what goes with them",
	    IF("'StringMatches':{'iot:ClientId':['a','b+']},"
	       "'StringNotMatches':{'iot:ClientId':'a'},'ForAnyValue:StringMatchesIfExists':"
	       "{'iot:ClientId':'a'},'ForAllValues:StringNotMatchesIfExists':{'iot:ClientId':'a'}") },
	{ "an expression is no pattern", IF("'StringMatches':{'iot:ClientId':'a*$'}") },
	{ "a variable in a value", IF("'StringEquals':{'iot:ClientId':'" CN "'}") },
	{ "one policy, not in a list", "{'policies':'a_+=,.-Z9'}" },
	{ "ten policies", "{'policies':['a','b','c','d','e','f','g','h','i','j']}" },
	{ "a policy with a long name", "{'policies':['" A128 "']}" },
	{ "a thing for all", "{'thing':'all:of_them-1'}" },
	{ "a long name", "{'thing':'" A128 "'}" },
	{ "a name of several values",
	    "{'thing':'a-${iot:Certificate.Subject.OrganizationalUnit.1}:"
	    "${iot:CertificateId}'}" },
	{ "superseded at once", "{'thing':'" CN "','supersede':0}" },
	{ "superseded in ten years", "{'supersede':315360000,'thing':'" CN "'}" },
	{ "revoked otherwise", "{'otherwise':'REVOKED'}" },
};

#define VALUES_OF_CLIENT_ID "activation: conditions.StringMatches.iot:ClientId"

static const struct {
	const char *what, *document, *why;
} refused[] = {
	{ "nothing", "", "The activation document is not acceptable: it is empty" },
	{ "no JSON", "{", "The activation document is not acceptable: it is not JSON" },
	{ "something behind it", "{}{}",
	    "The activation document is not acceptable: unexpected text after the JSON value" },
	{ "a member twice", "{'thing':'a','thing':'b'}",
	    "The activation document is not acceptable: member 'thing' is given twice" },
	{ "broken UTF-8", "{'thing':'\xff'}",
	    "The activation document is not acceptable: it is not UTF-8" },
	{ "too deep", "{'conditions':[[[[[[[[[]]]]]]]]]}",
	    "The activation document is not acceptable: it is nested too deeply" },
	{ "a list", "[]", "activation: must be a JSON object" },
	{ "a word", "'rule'", "activation: must be a JSON object" },
	{ "an unknown member", "{'policy':'x'}", "activation: unknown member 'policy'" },
	{ "one in another case", "{'Conditions':{}}", "activation: unknown member 'Conditions'" },
	{ "one of a policy", "{'Version':'2012-10-17'}", "activation: unknown member 'Version'" },

	{ "conditions in a list", "{'conditions':[]}",
	    "activation: conditions: must be an object" },
	{ "conditions that are null", "{'conditions':null}",
	    "activation: conditions: must be an object" },
	{ "a misspelt operator", IF("'StringEqual':{'iot:ClientId':'b'}"),
	    "activation: conditions.StringEqual: unknown operator" },
	{ "an operator of text", IF("'StringEquals':'x'"),
	    "activation: conditions.StringEquals: must be an object" },
	{ "a misspelt fact", IF("'StringNotEquals':{'iot:Certificate.Subject.ComonName':'x'}"),
	    "activation: conditions.StringNotEquals.iot:Certificate.Subject.ComonName: "
	    "'iot:Certificate.Subject.ComonName' is unknown" },
	{ "one of ours with AWS's name", IF("'StringEquals':{'iot:Certificate.KeyType':'x'}"),
	    "'iot:Certificate.KeyType' is unknown" },
	{ "a sixth value", IF("'StringEquals':{'iot:Certificate.Subject.Title.5':'x'}"),
	    "'iot:Certificate.Subject.Title.5' is unknown" },
	{ "a fact without a name", IF("'StringEquals':{'':'x'}"),
	    "activation: conditions.StringEquals.: '' is unknown" },
	{ "a thing's", IF("'Bool':{'iot:Connection.Thing.IsAttached':true}"),
	    "'iot:Connection.Thing.IsAttached' is not known when a certificate is activated" },
	{ "the time", IF("'DateLessThan':{'aws:CurrentTime':'2030-01-01'}"),
	    "'aws:CurrentTime' is not known when a certificate is activated" },
	{ "the server's name", IF("'StringEquals':{'iot:DomainName':'x'}"),
	    "'iot:DomainName' is not known when a certificate is activated" },
	{ "a will", IF("'ForAnyValue:StringEquals':{'iot:ConnectAttributes':'LastWill'}"),
	    "'iot:ConnectAttributes' is not known when a certificate is activated" },
	{ "a will's topic", IF("'ArnLike':{'iot:LastWillTopic':'*'}"),
	    "'iot:LastWillTopic' is not known when a certificate is activated" },
	{ "a misspelt variable",
	    IF("'StringNotEquals':{'iot:ClientId':['a','${iot:Certificate.Nope}']}"),
	    "activation: conditions.StringNotEquals.iot:ClientId[1]: 'iot:Certificate.Nope' is unknown" },
	{ "a variable without an end", IF("'StringEquals':{'iot:ClientId':'${b'}"),
	    "activation: conditions.StringEquals.iot:ClientId: '${b' has a '${' without an end" },
	{ "a value that is an object", IF("'StringEquals':{'iot:ClientId':{}}"),
	    "activation: conditions.StringEquals.iot:ClientId: must be a string, a boolean or a number" },
	{ "a word for a number", IF("'NumericEquals':{'jitr:Certificate.KeyBits':'x'}"),
	    "activation: conditions.NumericEquals.jitr:Certificate.KeyBits: 'x' is not a number" },
	{ "no expression", IF("'StringMatches':{'iot:ClientId':'('}"),
	    VALUES_OF_CLIENT_ID ": '(' is not accepted: a part of it is empty" },
	{ "the second of a list", IF("'StringMatches':{'iot:ClientId':['a','(a)\\\\1']}"),
	    VALUES_OF_CLIENT_ID "[1]: '(a)\\1' is not accepted: back-references are not accepted" },
	{ "a long expression", IF("'StringMatches':{'iot:ClientId':'" A128 A128 "a'}"),
	    VALUES_OF_CLIENT_ID ": '" A32
				"aaaaaaaaaaaaaaaa' is not accepted: it is longer than 256 bytes" },
	{ "a number for an expression is text", IF("'StringMatches':{'iot:ClientId':[-1,{}]}"),
	    VALUES_OF_CLIENT_ID "[1]: must be a string, a boolean or a number" },

	{ "policies that are an object", "{'policies':{}}",
	    "activation: policies: must be a string" },
	{ "a number for a policy", "{'policies':['a',1]}",
	    "activation: policies[1]: must be a string" },
	{ "a policy without a name", "{'policies':['']}",
	    "activation: policies[0]: '' is not a valid policy name" },
	{ "a policy with a blank", "{'policies':'a b'}",
	    "activation: policies: 'a b' is not a valid policy name: 1 to 128 of a-z A-Z 0-9 _ + = "
	    ", . @ -" },
	{ "a policy with a very long name", "{'policies':['" A128 "a']}",
	    "is not a valid policy name" },
	{ "a policy by its ARN", "{'policies':['arn:aws:iot:x:y:policy/device']}",
	    "activation: policies[0]: 'arn:aws:iot:x:y:policy/device' is not a valid policy name" },
	{ "a policy twice", "{'policies':['a','b','a']}",
	    "activation: policies[2]: 'a' is named twice" },
	{ "eleven policies", "{'policies':['a','b','c','d','e','f','g','h','i','j','k']}",
	    "activation: policies: a certificate has 10 policies at most" },

	{ "a thing that is a list", "{'thing':['a']}",
	    "activation: thing: must be a string that is not empty" },
	{ "a thing without a name", "{'thing':''}",
	    "activation: thing: must be a string that is not empty" },
	{ "a thing that is null", "{'thing':null}",
	    "activation: thing: must be a string that is not empty" },
	{ "a thing with a slash", "{'thing':'" CN "/x'}",
	    "activation: thing: '/x' cannot be part of a thing name: 1 to 128 of a-z A-Z 0-9 "
	    ": _ -" },
	{ "a thing with a star", "{'thing':'a*'}", "'a*' cannot be part of a thing name" },
	{ "a thing with a very long name", "{'thing':'" A128 "-" CN "'}",
	    "activation: thing: the name of a thing has 128 characters at most" },
	{ "a thing named by what is not known", "{'thing':'${iot:Connection.Thing.ThingName}'}",
	    "activation: thing: 'iot:Connection.Thing.ThingName' is not known when a certificate is "
	    "activated" },
	{ "a thing with several names", "{'thing':'${iot:Certificate.Subject.CommonName.List}'}",
	    "activation: thing: 'iot:Certificate.Subject.CommonName.List' has more than one value" },
	{ "a thing named by names", "{'thing':'${iot:Certificate.AvailableKeys}'}",
	    "activation: thing: 'iot:Certificate.AvailableKeys' has more than one value" },
	{ "a thing with half a variable", "{'thing':'${iot:ClientId'}",
	    "activation: thing: '${iot:ClientId' has a '${' without an end" },

	{ "text for seconds", "{'thing':'" CN "','supersede':'60'}",
	    "activation: supersede: must be a whole number of seconds, 0 to 315360000" },
	{ "half a second", "{'thing':'" CN "','supersede':0.5}",
	    "must be a whole number of seconds" },
	{ "before it began", "{'thing':'" CN "','supersede':-1}",
	    "must be a whole number of seconds" },
	{ "more than ten years", "{'thing':'" CN "','supersede':315360001}",
	    "must be a whole number of seconds" },
	{ "for ever", "{'thing':'" CN "','supersede':1e300}", "must be a whole number of seconds" },
	{ "true", "{'thing':'" CN "','supersede':true}", "must be a whole number of seconds" },
	{ "nothing to supersede", "{'supersede':60}",
	    "activation: supersede: needs a 'thing' that is named by a variable" },
	{ "one thing for all", "{'supersede':60,'thing':'all'}",
	    "activation: supersede: needs a 'thing' that is named by a variable" },

	{ "another status", "{'otherwise':'INACTIVE'}",
	    "activation: otherwise: must be PENDING_ACTIVATION or REVOKED" },
	{ "ACTIVE anyway", "{'otherwise':'ACTIVE'}", "must be PENDING_ACTIVATION or REVOKED" },
	{ "a status in another case", "{'otherwise':'revoked'}",
	    "must be PENDING_ACTIVATION or REVOKED" },
	{ "a status that is none", "{'otherwise':false}", "must be PENDING_ACTIVATION or REVOKED" },
};

static enum err
compile(const char *written, struct diag *diag)
{
	char *text = policy_text(written);
	struct rule *r = NULL;
	enum err e = rule_compile(view_of(text), &r, diag);

	ck_assert((r != NULL) == (e == ERR_OK));
	if (r != NULL)
		free(rule_again(r));
	rule_free(r);
	free(text);
	return e;
}

START_TEST(valid_rules_are_compiled)
{
	struct diag diag = { "" };

	ck_assert_msg(compile(accepted[_i].document, &diag) == ERR_OK, "%s: %s", accepted[_i].what,
	    diag.text);
}
END_TEST

START_TEST(invalid_rules_are_refused_with_the_position)
{
	struct diag diag = { "" };

	ck_assert_msg(compile(refused[_i].document, &diag) == ERR_REQUEST, "%s", refused[_i].what);
	ck_assert_msg(strstr(diag.text, refused[_i].why) != NULL, "%s: %s", refused[_i].what,
	    diag.text);
	ck_assert_int_eq(compile(refused[_i].document, NULL), ERR_REQUEST);
}
END_TEST

START_TEST(the_length_of_a_document_is_limited)
{
	char text[RULE_BYTES_MAX + 2] = "{}";
	struct diag diag = { "" };

	memset(text + 2, ' ', sizeof(text) - 3);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(compile(text, &diag), ERR_REQUEST);
	ck_assert_str_eq(diag.text, "activation: it has 16385 bytes, 16384 at most are allowed");
	text[RULE_BYTES_MAX] = '\0';
	ck_assert_int_eq(compile(text, &diag), ERR_OK);
}
END_TEST

/* Bytes behind the view must not be read. */
START_TEST(a_truncated_rule_is_refused_within_its_bounds)
{
	char *text = policy_text(accepted[5].document);

	for (size_t len = 0; len < strlen(text); len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct rule *r = NULL;

		memcpy(copy, text, len);
		must(rule_compile((struct view){ copy, len }, &r, NULL) == ERR_REQUEST);
		must(r == NULL);
		free(copy);
	}
	free(text);
}
END_TEST

START_TEST(the_facts_that_a_rule_needs_are_reported)
{
	static const char *const documents[] = { "{'thing':'" CN "'}",
		"{'thing':'" CN "','supersede':86400}" };

	for (size_t i = 0; i < COUNT_OF(documents); i++) {
		char *text = policy_text(documents[i]);
		struct rule *r;

		ck_assert_int_eq(rule_compile(view_of(text), &r, NULL), ERR_OK);
		ck_assert(rule_supersedes(r) == (i == 1));
		ck_assert_int_eq(rule_supersede_after(r), i == 1 ? 86400000 : 0);
		rule_free(r);
		free(text);
	}
	rule_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule_compile");
	TCase *t = suite_case(suite, "documents");

	tcase_add_loop_test(t, valid_rules_are_compiled, 0, COUNT_OF(accepted));
	tcase_add_loop_test(t, invalid_rules_are_refused_with_the_position, 0, COUNT_OF(refused));
	tcase_add_test(t, the_length_of_a_document_is_limited);
	tcase_add_test(t, a_truncated_rule_is_refused_within_its_bounds);
	tcase_add_test(t, the_facts_that_a_rule_needs_are_reported);
	return suite_run(suite);
}
