/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_policy_compile.c - documents are compiled to policies or refused (policy.h, aws-iot
 * F.1).
 *
 * A refusal names the position, which the author of the document needs.
 */
#include "jitr/core/policy.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#define DOC(statement) "{'Version':'2012-10-17','Statement':[" statement "]}"
#define GOOD           "{'Effect':'Allow','Action':'iot:*','Resource':'*'}"
#define SECOND(rest)   DOC(GOOD ",{" rest "}")
#define IF(condition) \
	SECOND("'Effect':'Allow','Action':'*','Resource':'*','Condition':{" condition "}")

static const struct {
	const char *what, *document;
} accepted[] = {
	{ "the least", "{'Version':'2012-10-17','Statement':[]}" },
	{ "one statement, not in a list", "{'Version':'2012-10-17','Statement':" GOOD "}" },
	{ "the older version", "{'Version':'2008-10-17','Statement':" GOOD "}" },
	{ "an Id", "{'Id':'x','Version':'2012-10-17','Statement':[]}" },
	{ "a Sid", SECOND("'Sid':'','Effect':'Deny','Action':'x','Resource':'*'") },
	{ "white space and any order", " {\n'Statement'\t: [ ] ,\r'Version':'2012-10-17' } \n" },
	{ "an unknown action",
	    SECOND("'Effect':'Deny','Action':['iot: *','greengrass:*','',"
		   "'${'],'Resource':'*'") },
	{ "an ARN of something else",
	    SECOND("'Effect':'Deny','Action':'*',"
		   "'Resource':'arn:aws:s3:::bucket'") },
	{ "an ARN that begins with a wildcard",
	    SECOND("'Effect':'Deny','Action':'*','Resource':"
		   "['*:topic/x','?rn:x','a*','ar?:x']") },
	{ "NotAction and NotResource",
	    SECOND("'Effect':'Deny','NotAction':['a'],'NotResource':['*']") },
	{ "an empty condition", IF("") },
	{ "an operator without keys", IF("'StringEquals':{}") },
	{ "an unknown key", IF("'StringEquals':{'aws:Nonsense':'x'}") },
	{ "every kind of value", IF("'StringEquals':{'a':['x',true,false,7,-1.5,0]}") },
	{ "an unfinished variable in the older version",
	    "{'Version':'2008-10-17','Statement':"
	    "{'Effect':'Allow','Action':'*','Resource':'@topic/${'}}" },
	{ "a $ alone", SECOND("'Effect':'Deny','Action':'*','Resource':'@topic/$aws/$'") },
	{ "an unknown variable",
	    SECOND("'Effect':'Deny','Action':'*','Resource':'@topic/${}${x}'") },
	{ "both prefixes and the suffix",
	    IF("'ForAllValues:StringLikeIfExists':{'a':'b'},"
	       "'ForAnyValue:NumericEquals':{'a':1}") },
	{ "ranges",
	    IF("'IpAddress':{'a':['10.0.0.1','10.0.0.1/8','::/0','::1/128','0.0.0.0/32']}") },
	{ "numbers", IF("'NumericEquals':{'a':['0','-0.50','00012',9007199254740992]}") },
	{ "dates",
	    IF("'DateEquals':{'a':['2024-02-29','2026-01-01T00:00Z','2026-12-31T23:59:60Z',"
	       "'2026-12-31T23:59:59.123456Z','0','-5',1769817600]}") },
	{ "words", IF("'Bool':{'a':['true','FALSE',true]},'Null':{'a':[true,'false']}") },
	{ "ARNs", IF("'ArnLike':{'a':['*','arn:*:*:*:*:*','@topic/${a:b}','arn:aws:iot:::x:y']}") },
};

static const struct {
	const char *what, *document, *why;
} refused[] = {
	{ "nothing", "", "The policy document is not acceptable: it is empty" },
	{ "no JSON", "{", "The policy document is not acceptable: it is not JSON" },
	{ "something behind it", DOC("") "x",
	    "The policy document is not acceptable: unexpected text after the JSON value" },
	{ "a member twice", "{'Version':'2012-10-17','Version':'2012-10-17','Statement':[]}",
	    "The policy document is not acceptable: member 'Version' is given twice" },
	{ "broken UTF-8", "{'Version':'\xff'}",
	    "The policy document is not acceptable: it is not UTF-8" },
	{ "a NUL", "{'Version':'\\u0000'}",
	    "The policy document is not acceptable: a string contains \\u0000" },
	{ "a list", "[]", "Policy document: must be a JSON object" },
	{ "no Version", "{'Statement':[]}", "Policy document: Version is missing" },
	{ "another Version", "{'Version':'2012-10-18','Statement':[]}",
	    "Version: '2012-10-18' is neither 2012-10-17 nor 2008-10-17" },
	{ "a number for a Version", "{'Version':2012,'Statement':[]}",
	    "Version: must be a string" },
	{ "a member in another case", "{'version':'2012-10-17','Statement':[]}",
	    "Policy document: unknown member 'version'" },
	{ "an unknown member", "{'Version':'2012-10-17','Statement':[],'X':1}",
	    "Policy document: unknown member 'X'" },
	{ "an Id that is no string", "{'Id':1,'Version':'2012-10-17','Statement':[]}",
	    "Id: must be a string" },
	{ "no Statement", "{'Version':'2012-10-17'}", "Policy document: Statement is missing" },
	{ "a Statement that is text", "{'Version':'2012-10-17','Statement':'x'}",
	    "Statement[0]: must be an object" },
	{ "a statement that is text", DOC(GOOD ",'x'"), "Statement[1]: must be an object" },
	{ "a statement that is a list", DOC("[]"), "Statement[0]: must be an object" },
	{ "a Principal", SECOND("'Effect':'Allow','Principal':'*','Action':'*','Resource':'*'"),
	    "Statement[1]: unknown member 'Principal'" },
	{ "a Sid that is no string",
	    SECOND("'Sid':[],'Effect':'Allow','Action':'*','Resource':'*'"),
	    "Statement[1].Sid: must be a string" },
	{ "no Effect", SECOND("'Action':'*','Resource':'*'"), "Statement[1]: Effect is missing" },
	{ "an Effect in another case", SECOND("'Effect':'allow','Action':'*','Resource':'*'"),
	    "Statement[1].Effect: 'allow' is neither Allow nor Deny" },
	{ "an Effect that is no string", SECOND("'Effect':true,'Action':'*','Resource':'*'"),
	    "Statement[1].Effect: must be a string" },
	{ "no Action", SECOND("'Effect':'Allow','Resource':'*'"),
	    "Statement[1]: Action is missing" },
	{ "Action and NotAction",
	    SECOND("'Effect':'Allow','Action':'a','NotAction':'b','Resource':'*'"),
	    "Statement[1]: Action and NotAction exclude each other" },
	{ "an Action that is a number", SECOND("'Effect':'Allow','Action':1,'Resource':'*'"),
	    "Statement[1].Action: must be a string or a list of strings" },
	{ "a list with a number", SECOND("'Effect':'Allow','Action':['a',1],'Resource':'*'"),
	    "Statement[1].Action[1]: must be a string" },
	{ "no action in the list", SECOND("'Effect':'Allow','Action':[],'Resource':'*'"),
	    "Statement[1].Action: the list is empty" },
	{ "Action is null", SECOND("'Effect':'Allow','Action':null,'Resource':'*'"),
	    "Statement[1].Action: must be a string or a list of strings" },
	{ "no Resource", SECOND("'Effect':'Allow','Action':'*'"),
	    "Statement[1]: Resource is missing" },
	{ "Resource and NotResource",
	    SECOND("'Effect':'Allow','Action':'*','Resource':'*',"
		   "'NotResource':'*'"),
	    "Statement[1]: Resource and NotResource exclude each other" },
	{ "no resource in the list", SECOND("'Effect':'Allow','Action':'*','NotResource':[]"),
	    "Statement[1].NotResource: the list is empty" },
	{ "a topic without an ARN",
	    "{'Version':'2012-10-17','Statement':{'Effect':'Allow',"
	    "'Action':'*','Resource':'topic/x'}}",
	    "Statement[0].Resource: 'topic/x' is not an ARN" },
	{ "the second of a list", SECOND("'Effect':'Allow','Action':'*','Resource':['*','arm:x']"),
	    "Statement[1].Resource[1]: 'arm:x' is not an ARN" },
	{ "an empty resource", SECOND("'Effect':'Allow','Action':'*','Resource':''"),
	    "Statement[1].Resource: '' is not an ARN" },
	{ "half of arn:", SECOND("'Effect':'Allow','Action':'*','Resource':'ar'"),
	    "Statement[1].Resource: 'ar' is not an ARN" },
	{ "a variable for an ARN", SECOND("'Effect':'Allow','Action':'*','Resource':'${a}'"),
	    "Statement[1].Resource: '${a}' is not an ARN" },
	{ "a variable without an end",
	    SECOND("'Effect':'Allow','Action':'*',"
		   "'Resource':'arn:${iot:ClientId'"),
	    "Statement[1].Resource: 'arn:${iot:ClientId' has a '${' without an end" },
	{ "conditions in a list",
	    SECOND("'Effect':'Allow','Action':'*','Resource':'*','Condition':[]"),
	    "Statement[1].Condition: must be an object" },
	{ "a misspelt operator", IF("'StringEqual':{'a':'b'}"),
	    "Statement[1].Condition.StringEqual: unknown operator" },
	{ "an operator in another case", IF("'stringEquals':{'a':'b'}"),
	    "Statement[1].Condition.stringEquals: unknown operator" },
	{ "an operator of rules", IF("'StringMatches':{'a':'b'}"),
	    "Statement[1].Condition.StringMatches: unknown operator" },
	{ "that and what goes with it", IF("'ForAnyValue:StringNotMatchesIfExists':{'a':'b'}"),
	    "Statement[1].Condition.ForAnyValue:StringNotMatchesIfExists: unknown operator" },
	{ "NullIfExists", IF("'NullIfExists':{'a':'true'}"),
	    "Statement[1].Condition.NullIfExists: unknown operator" },
	{ "a prefix of Null", IF("'ForAnyValue:Null':{'a':'true'}"),
	    "Statement[1].Condition.ForAnyValue:Null: unknown operator" },
	{ "two prefixes", IF("'ForAnyValue:ForAllValues:Bool':{'a':'true'}"),
	    "Statement[1].Condition.ForAnyValue:ForAllValues:Bool: unknown operator" },
	{ "an operator of text", IF("'StringEquals':'x'"),
	    "Statement[1].Condition.StringEquals: must be an object" },
	{ "a value that is an object", IF("'StringEquals':{'a':{}}"),
	    "Statement[1].Condition.StringEquals.a: must be a string, a boolean or a number" },
	{ "a value that is null", IF("'StringEquals':{'a':['x',null]}"),
	    "Statement[1].Condition.StringEquals.a[1]: must be a string, a boolean or a number" },
	{ "a number without its digits", IF("'NumericEquals':{'a':1e300}"),
	    "Statement[1].Condition.NumericEquals.a: the number is too large or too small: "
	    "write it as a string" },
	{ "a variable without an end in a value", IF("'StringEquals':{'a':'${b'}"),
	    "Statement[1].Condition.StringEquals.a: '${b' has a '${' without an end" },
	{ "a range of too many bits", IF("'IpAddress':{'a':'10.0.0.0/33'}"),
	    "Statement[1].Condition.IpAddress.a: '10.0.0.0/33' is not an IP address or a range of "
	    "them" },
	{ "a range without bits", IF("'NotIpAddress':{'a':['::1','::/']}"),
	    "Statement[1].Condition.NotIpAddress.a[1]: '::/' is not an IP address or a range of them" },
	{ "a range of negative bits", IF("'IpAddress':{'a':'10.0.0.0/-1'}"),
	    "'10.0.0.0/-1' is not an IP address" },
	{ "a name for an address", IF("'IpAddress':{'a':'localhost'}"), "is not an IP address" },
	{ "a variable for an address", IF("'IpAddress':{'a':'${aws:SourceIp}'}"),
	    "is not an IP address" },
	{ "a word for a number", IF("'NumericEquals':{'a':'x'}"),
	    "Statement[1].Condition.NumericEquals.a: 'x' is not a number" },
	{ "nothing for a number", IF("'NumericEquals':{'a':''}"), "'' is not a number" },
	{ "a point alone", IF("'NumericEquals':{'a':'1.'}"), "'1.' is not a number" },
	{ "hexadecimal", IF("'NumericEquals':{'a':'0x10'}"), "'0x10' is not a number" },
	{ "a day that is not", IF("'DateEquals':{'a':'2026-02-29'}"),
	    "Statement[1].Condition.DateEquals.a: '2026-02-29' is not a date" },
	{ "a month that is not", IF("'DateEquals':{'a':'2026-13-01'}"), "is not a date" },
	{ "no zone", IF("'DateEquals':{'a':'2026-01-01T00:00:00'}"), "is not a date" },
	{ "another zone", IF("'DateEquals':{'a':'2026-01-01T00:00:00+01:00'}"), "is not a date" },
	{ "something behind a date", IF("'DateEquals':{'a':'2026-01-01Z'}"), "is not a date" },
	{ "neither true nor false", IF("'Bool':{'a':'yes'}"),
	    "Statement[1].Condition.Bool.a: 'yes' is not true or false" },
	{ "neither there nor not", IF("'Null':{'a':1}"),
	    "Statement[1].Condition.Null.a: '1' is not true or false" },
	{ "an ARN of five parts", IF("'ArnLike':{'a':'arn:aws:iot:x:topic/y'}"),
	    "Statement[1].Condition.ArnLike.a: 'arn:aws:iot:x:topic/y' is not an ARN" },
};

static enum err
compile(const char *written, struct diag *diag)
{
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	struct policy *p = NULL;
	enum err e = policy_read(written, &p, diag);

	ck_assert((p != NULL) == (e == ERR_OK));
	if (p != NULL)
		free(policy_again(p, &scope));
	policy_free(p);
	return e;
}

START_TEST(valid_policies_are_compiled)
{
	struct diag diag = { "" };

	ck_assert_msg(compile(accepted[_i].document, &diag) == ERR_OK, "%s: %s", accepted[_i].what,
	    diag.text);
}
END_TEST

START_TEST(invalid_policies_are_refused_with_the_position)
{
	struct diag diag = { "" };

	ck_assert_msg(compile(refused[_i].document, &diag) == ERR_POLICY, "%s", refused[_i].what);
	ck_assert_msg(strstr(diag.text, refused[_i].why) != NULL, "%s: %s", refused[_i].what,
	    diag.text);
	ck_assert_int_eq(compile(refused[_i].document, NULL), ERR_POLICY);
}
END_TEST

/* Compiles a document of this length: an Id, filled up with blanks. */
static enum err
compile_long(size_t characters, const char *character, size_t blanks, struct diag *diag)
{
	static const char head[] = "{'Id':'", tail[] = "','Version':'2012-10-17','Statement':[]}";
	char *text = malloc(2 * characters + blanks + 1);
	size_t n = characters - (sizeof(head) - 1) - (sizeof(tail) - 1);
	enum err e;

	strcpy(text, head);
	for (size_t i = 0; i < n; i++)
		strcat(text, character);
	strcat(text, tail);
	n = strlen(text);
	memset(text + n, ' ', blanks);
	text[n + blanks] = '\0';
	e = compile(text, diag);
	free(text);
	return e;
}

START_TEST(the_length_of_a_document_is_limited)
{
	struct diag diag = { "" };

	ck_assert_int_eq(compile_long(2048, "x", 0, NULL), ERR_OK);
	ck_assert_int_eq(compile_long(2048, "\xc3\xa9", 400000 - 2048, NULL), ERR_OK);
	ck_assert_int_eq(compile_long(2049, "x", 0, &diag), ERR_POLICY);
	ck_assert_str_eq(diag.text,
	    "Policy document: it has 2049 characters without white space, "
	    "2048 at most are allowed");
	ck_assert_int_eq(compile_long(100, "x", 404500, NULL), ERR_OK);
	ck_assert_int_eq(compile_long(100, "x", 404501, &diag), ERR_POLICY);
	ck_assert_str_eq(diag.text,
	    "Policy document: it has 404601 bytes, 404600 at most are allowed");
}
END_TEST

/* Bytes behind the view must not be read. */
START_TEST(a_truncated_policy_is_refused_within_its_bounds)
{
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	char *text = policy_text(IF("'ArnLike':{'a':['*','@topic/${b}']}"));

	for (size_t len = 0; len < strlen(text); len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct policy *p = NULL;

		memcpy(copy, text, len);
		must(policy_compile((struct view){ copy, len }, &scope, &p, NULL) == ERR_POLICY);
		must(p == NULL);
		free(copy);
	}
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy_compile");
	TCase *t = suite_case(suite, "documents");

	tcase_add_loop_test(t, valid_policies_are_compiled, 0, COUNT_OF(accepted));
	tcase_add_loop_test(t, invalid_policies_are_refused_with_the_position, 0,
	    COUNT_OF(refused));
	tcase_add_test(t, the_length_of_a_document_is_limited);
	tcase_add_test(t, a_truncated_policy_is_refused_within_its_bounds);
	return suite_run(suite);
}
