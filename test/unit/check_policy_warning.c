/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_policy_warning.c - warnings about accepted policies that have no effect
 * (policy_warning.h).
 */
#include <time.h>

#include "jitr/core/policy_warning.h"
#include "jitr/core/text.h"
#include "policies.h"
#include "suite.h"

#define DOC(statements) "{'Version':'2012-10-17','Statement':[" statements "]}"
#define ST(effect, action, resource) \
	"{'Effect':'" effect "','Action':'" action "','Resource':'" resource "'}"
#define ALLOW(action, resource) ST("Allow", action, resource)
#define IF(effect, condition) \
	"{'Effect':'" effect "','Action':'iot:Connect','Resource':'*','Condition':{" condition "}}"
#define ATTRIBUTES(operator, list) "'" operator"':{'iot:ConnectAttributes':" list "}"

static const char *const others[] = { "iot:UpdateCertificate", "iot:AttachPolicy",
	"iot:RegisterCACertificate" };

/* Each text is part of one warning, in this order; NULL: there are no more. */
static const struct {
	const char *document;
	const char *expected[4];
} rows[] = {
	{ DOC(ALLOW("iot:Connect", "@client/x") "," ALLOW("iot:Publish", "@topic/*") "," ALLOW("*",
	      "*") "," ALLOW("iot:*", "arn:aws:iot:*:*:topic/x")),
	    { NULL } },

	/* ARNs. */
	{ DOC(ALLOW("iot:Publish", "arn:aws:iot:eu-west-1:123456789012:topic/x")),
	    { "Statement[0].Resource[0]: this ARN is not of this registry (region): "
	      "'arn:aws:iot:eu-west-1:123456789012:topic/x'; here ARNs begin with " TEST_PREFIX } },
	{ DOC(ALLOW("iot:Publish", "arn:aws:iot:us-east-1:999999999999:topic/x")),
	    { "(account)" } },
	{ DOC(ALLOW("iot:Publish", "arn:aws-cn:iot:cn-north-1:9:topic/x")),
	    { "(partition, region, account)" } },
	{ DOC(ALLOW("iot:Publish", "arn:aws:sqs:*:*:topic/x")), { "(service)" } },
	{ DOC("{'Effect':'Deny','Action':'*','NotResource':['@topic/x','arn:aws:iot:x:*:topic/y']}"),
	    { "Statement[0].NotResource[1]: this ARN is not of this registry (region)" } },
	{ DOC(ALLOW("iot:Publish", "arn:aws:iot:eu-*")), { "not of this registry (region)" } },
	{ DOC(ALLOW("iot:Publish", "arn:aws:iot:*/x")), { "is not an ARN" } },
	{ DOC(ALLOW("iot:Publish", "arn:aws:iot:*:${iot:ClientId}:topic/x")), { NULL } },

	/* Actions. */
	{ DOC(ALLOW("iot:Conect", "@client/x")),
	    { "Statement[0].Action[0]: there is no action 'iot:Conect'; the nearest is iot:Connect" } },
	{ DOC(ALLOW("iot:subscibe", "@topicfilter/x")), { "the nearest is iot:Subscribe" } },
	{ DOC(ALLOW("Publish", "@topic/x")), { "there is no action 'Publish'" } },
	{ DOC(ALLOW("iott:Publish", "@topic/x")), { "the nearest is iot:Publish" } },
	{ DOC(ALLOW("iot:UpdateCertificates", "*")), { "the nearest is iot:UpdateCertificate" } },
	{ DOC(ALLOW("iot:CreateFleetMetric", "*")),
	    { "there is no action 'iot:CreateFleetMetric'" } },
	{ DOC(ALLOW("iot:Conect*", "*")), { "there is no action 'iot:Conect...'" } },
	{ DOC(ALLOW("greengrass:Discover", "*") "," ALLOW("iot:GetThingShadow",
	      "*") "," ALLOW("IOT:connect", "*") "," ALLOW("iot:Attach*", "*")),
	    { NULL } },
	{ DOC("{'Effect':'Allow','NotAction':['iot:Publish','iot:Recieve'],'Resource':'*'}"),
	    { "Statement[0].NotAction[1]: there is no action 'iot:Recieve'; the nearest is "
	      "iot:Receive" } },
	{ DOC(ALLOW("iot:Subscribe", "@topic/x")),
	    { "Statement[0]: iot:Subscribe applies to resources topicfilter/..." } },
	{ DOC("{'Effect':'Allow','Action':['iot:Publish','iot:Subscribe'],'Resource':["
	      "'@topic/x','@topicfilter/x']}"),
	    { NULL } },

	/* Variables and conditions. */
	{ DOC(ALLOW("iot:Publish", "@topic/${iot:ClientID}/${iot:Cliend}")),
	    { "'iot:Cliend' is not a variable or condition key" } },
	{ DOC(IF("Allow", "'ArnEquals':{'iot:LastWillTopic':'@topic/w'}")),
	    { "'iot:LastWillTopic' is not known to this broker" } },
	{ DOC(IF("Allow", "'DateLessThan':{'aws:CurrentTime':'2030-01-01'}")),
	    { "'aws:CurrentTime' is not known to this broker" } },
	/* AWS's page of connect policies: plain connects only, and so on (aws-iot F.6). */
	{ DOC(IF("Allow", ATTRIBUTES("ForAllValues:StringEquals", "[]"))),
	    { "Statement[0].Condition.ForAllValues:StringEquals.iot:ConnectAttributes: this broker "
	      "does not reveal whether a client has a will (LastWill): this Allow never applies" } },
	{ DOC(IF("Allow", ATTRIBUTES("ForAllValues:StringEquals", "['PersistentConnect']"))),
	    { "this Allow never applies" } },
	{ DOC(IF("Allow", ATTRIBUTES("ForAllValues:StringEquals", "['LastWill']"))),
	    { "this Allow never applies to clients of MQTT 5" } },
	{ DOC(IF("Allow",
	      ATTRIBUTES("ForAllValues:StringEquals", "['LastWill','PersistentConnect']"))),
	    { NULL } },
	{ DOC(IF("Allow", ATTRIBUTES("ForAnyValue:StringEquals", "['PersistentConnect']"))),
	    { "never applies to clients of MQTT 5" } },
	{ DOC(IF("Deny", ATTRIBUTES("ForAnyValue:StringEquals", "['PersistentConnect']"))),
	    { "this Deny applies to every client of MQTT 5" } },
	{ DOC(IF("Deny", ATTRIBUTES("ForAnyValue:StringEquals", "['LastWill']"))),
	    { "this Deny applies to every client" } },
	{ DOC(IF("Allow", "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}")), { NULL } },
};

static char told[POLICY_WARNINGS_MAX + 1][512];
static size_t count;

static void
tell(void *context, const char *text)
{
	ck_assert_ptr_eq(context, &count);
	ck_assert_uint_lt(count, POLICY_WARNINGS_MAX);
	snprintf(told[count++], sizeof(told[0]), "%s", text);
}

static void
warnings_of(const char *document)
{
	struct action_names names = { others, COUNT_OF(others) };
	struct policy *p = NULL;
	struct diag diag = { "" };

	count = 0;
	ck_assert_msg(policy_read(document, &p, &diag) == ERR_OK, "%s", diag.text);
	policy_warn(p, &names, tell, &count);
	policy_free(p);
}

START_TEST(each_flaw_gives_its_warning_and_no_other)
{
	size_t i = 0;

	warnings_of(rows[_i].document);
	for (; rows[_i].expected[i] != NULL; i++)
		ck_assert_msg(i < count && strstr(told[i], rows[_i].expected[i]) != NULL, "%s: %s",
		    rows[_i].document, i < count ? told[i] : "is missing");
	ck_assert_msg(count == i, "%s: %s", rows[_i].document, told[i]);
}
END_TEST

/* For any document the warnings are few, of whole characters, and made quickly. */
START_TEST(the_number_of_warnings_is_limited)
{
	static const char *const pieces[] = { "iot:Conect", "x", "iot:?*?*?*?*",
		"\xf0\x9f\x94\x91" };
	char document[8192], actions[4096];
	struct timespec begin, end;

	for (size_t n = 0; n < COUNT_OF(pieces); n++) {
		actions[0] = '\0';
		for (size_t len = 0; len < 1800; len += strlen(pieces[n]) + 4)
			snprintf(actions + strlen(actions), sizeof(actions) - strlen(actions),
			    "%s'%s'", len > 0 ? "," : "", pieces[n]);
		snprintf(document, sizeof(document),
		    "{'Version':'2012-10-17','Statement':"
		    "{'Effect':'Allow','Action':[%s],'Resource':'*'}}",
		    actions);
		clock_gettime(CLOCK_MONOTONIC, &begin);
		warnings_of(document);
		clock_gettime(CLOCK_MONOTONIC, &end);
		ck_assert_int_lt((end.tv_sec - begin.tv_sec) * 1000 +
			(end.tv_nsec - begin.tv_nsec) / 1000000,
		    500);
		ck_assert_uint_le(count, POLICY_WARNINGS_MAX);
		for (size_t i = 0; i < count; i++)
			ck_assert(utf8_valid(view_of(told[i])));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy_warning");
	TCase *t = suite_case(suite, "warnings");

	tcase_add_loop_test(t, each_flaw_gives_its_warning_and_no_other, 0, COUNT_OF(rows));
	tcase_add_test(t, the_number_of_warnings_is_limited);
	return suite_run(suite);
}
