/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_access.c - what an admitted certificate may do (access.h, topic.h).
 *
 * Each row is one policy and one request.  Packets, wills, explain and testAuthorization all
 * use this answer.
 */
#include "jitr/core/access.h"
#include "policies.h"
#include "suite.h"

#define DOC(statements) "{'Version':'2012-10-17','Statement':[" statements "]}"
#define ST(effect, action, resource) \
	"{'Effect':'" effect "','Action':'iot:" action "','Resource':'" resource "'}"
#define ALLOW(action, resource) ST("Allow", action, resource)
#define DENY(action, resource)  ST("Deny", action, resource)
#define ALL                     ALLOW("*", "*")

#define READ        ACTION_READ
#define WRITE       ACTION_WRITE
#define SUBSCRIBE   ACTION_SUBSCRIBE
#define UNSUBSCRIBE ACTION_UNSUBSCRIBE

struct row {
	const char *what, *document;
	enum action action;
	const char *topic;
	enum access access;
	enum access_basis basis;
};

static const struct row policy_rows[] = {
	/* Shared subscriptions: denied if either text is, allowed if either is (aws-iot F.2). */
	{ "the filter alone is allowed", DOC(ALLOW("Subscribe", "@topicfilter/a/*")), SUBSCRIBE,
	    "$share/g/a/b", ACCESS_ALLOW, BASIS_POLICY },
	{ "the whole text alone is allowed", DOC(ALLOW("Subscribe", "@topicfilter/$share/g/x")),
	    SUBSCRIBE, "$share/g/x", ACCESS_ALLOW, BASIS_POLICY },
	{ "a wildcard behind $share", DOC(ALLOW("Subscribe", "@topicfilter/$share/*")), SUBSCRIBE,
	    "$share/g/x", ACCESS_ALLOW, BASIS_POLICY },
	{ "another group is not", DOC(ALLOW("Subscribe", "@topicfilter/$share/g/x")), SUBSCRIBE,
	    "$share/h/x", ACCESS_DENY, BASIS_POLICY },
	{ "nor the filter without a group", DOC(ALLOW("Subscribe", "@topicfilter/$share/g/x")),
	    SUBSCRIBE, "x", ACCESS_DENY, BASIS_POLICY },
	{ "a group is denied", DOC(ALL "," DENY("Subscribe", "@topicfilter/$share/billing/*")),
	    SUBSCRIBE, "$share/billing/x", ACCESS_DENY, BASIS_POLICY },
	{ "and no other", DOC(ALL "," DENY("Subscribe", "@topicfilter/$share/billing/*")),
	    SUBSCRIBE, "$share/b/x", ACCESS_ALLOW, BASIS_POLICY },
	{ "nor the filter without a group",
	    DOC(ALL "," DENY("Subscribe", "@topicfilter/$share/billing/*")), SUBSCRIBE, "x",
	    ACCESS_ALLOW, BASIS_POLICY },
	{ "all groups are denied by a star", DOC(ALL "," DENY("Subscribe", "@topicfilter/$share*")),
	    SUBSCRIBE, "$share/g/x", ACCESS_DENY, BASIS_POLICY },
	{ "the filter is denied",
	    DOC(ALLOW("Subscribe", "@topicfilter/$share/*") "," DENY("Subscribe",
		"@topicfilter/secret")),
	    SUBSCRIBE, "$share/g/secret", ACCESS_DENY, BASIS_POLICY },
	{ "whichever is allowed",
	    DOC(ALLOW("Subscribe", "@topicfilter/a") "," DENY("Subscribe",
		"@topicfilter/$share/g/a")),
	    SUBSCRIBE, "$share/g/a", ACCESS_DENY, BASIS_POLICY },
	{ "$share/g/# is # for a star", DOC(ALL), SUBSCRIBE, "$share/g/#", ACCESS_ALLOW,
	    BASIS_POLICY },
	{ "a shared filter of $SYS is named by itself",
	    DOC(ALLOW("Subscribe", "@topicfilter/$SYS/*")), SUBSCRIBE, "$share/g/$SYS/#",
	    ACCESS_ALLOW, BASIS_POLICY },
	{ "and not by its group", DOC(ALLOW("Subscribe", "@topicfilter/$share/*")), SUBSCRIBE,
	    "$share/g/$SYS/#", ACCESS_DENY, BASIS_POLICY },
	{ "nor are events", DOC(ALL "," ALLOW("Subscribe", "@topicfilter/$share/*")), SUBSCRIBE,
	    "$share/g/$aws/events/#", ACCESS_DENY, BASIS_POLICY },
	{ "without a filter it is a text", DOC(ALL), SUBSCRIBE, "$share/g", ACCESS_DENY,
	    BASIS_POLICY },
	{ "the group may be empty", DOC(ALLOW("Subscribe", "@topicfilter/x")), SUBSCRIBE,
	    "$share//x", ACCESS_ALLOW, BASIS_POLICY },
	{ "a publish to $share is a topic", DOC(ALLOW("Publish", "@topic/x")), WRITE, "$share/g/x",
	    ACCESS_DENY, BASIS_POLICY },

	/* Reserved topics, whatever policies say. */
	{ "events", DOC(ALL "," ALLOW("*", "@topic/$aws/events/*")), WRITE, "$aws/events/x",
	    ACCESS_DENY, BASIS_RESERVED },
	{ "counters", DOC(ALLOW("*", "@topic/$SYS/*")), WRITE, "$SYS/broker/jitr/x", ACCESS_DENY,
	    BASIS_RESERVED },
	{ "the control topic's other names", DOC(ALLOW("*", "@topic/$CONTROL/*")), WRITE,
	    "$CONTROL/jitr/v2", ACCESS_DENY, BASIS_RESERVED },
	{ "answers", DOC(ALLOW("*", "@topic/$CONTROL/*")), WRITE, CONTROL_RESPONSE_TOPIC,
	    ACCESS_DENY, BASIS_RESERVED },
	{ "requests are answered", DOC(DENY("*", "*")), WRITE, CONTROL_TOPIC, ACCESS_ALLOW,
	    BASIS_CONTROL },
	{ "to one's own answers one may listen", DOC(""), SUBSCRIBE, CONTROL_RESPONSE_TOPIC,
	    ACCESS_ALLOW, BASIS_CONTROL },
	{ "events are heard by name", DOC(ALLOW("*", "@topic/$aws/*")), READ, "$aws/events/x",
	    ACCESS_ALLOW, BASIS_POLICY },

	/* Other plugins' administration is theirs to give. */
	{ "not allowed by a policy", DOC(ALLOW("*", "@topic/$CONTROL/*")), WRITE,
	    "$CONTROL/dynamic-security/v1", ACCESS_DEFER, BASIS_POLICY },
	{ "but denied by one", DOC(ALL), WRITE, "$CONTROL/dynamic-security/v1", ACCESS_DENY,
	    BASIS_POLICY },

	{ "unsubscribing takes nothing", DOC(DENY("*", "*")), UNSUBSCRIBE, "x", ACCESS_ALLOW,
	    BASIS_OPTION },
};

static const struct row allow_rows[] = {
	{ "a topic", DOC(DENY("*", "*")), WRITE, "x", ACCESS_ALLOW, BASIS_OPTION },
	{ "a shared filter", DOC(""), SUBSCRIBE, "$share/g/#", ACCESS_ALLOW, BASIS_OPTION },
	{ "not $aws", DOC(""), SUBSCRIBE, "$aws/#", ACCESS_DENY, BASIS_OPTION },
	{ "nor in a group", DOC(""), SUBSCRIBE, "$share/g/$aws/#", ACCESS_DENY, BASIS_OPTION },
	{ "reserved topics are", DOC(""), WRITE, "$aws/events/x", ACCESS_DENY, BASIS_RESERVED },
	{ "others' administration is not given", DOC(""), WRITE, "$CONTROL/dynamic-security/v1",
	    ACCESS_DEFER, BASIS_OPTION },
	{ "nor its answers", DOC(""), SUBSCRIBE, "$CONTROL/#", ACCESS_DEFER, BASIS_OPTION },
	{ "nor in a group", DOC(""), SUBSCRIBE, "$share/g/$CONTROL/dynamic-security/v1/response",
	    ACCESS_DEFER, BASIS_OPTION },
};

static enum policy_result
ask(const void *context, enum policy_action action, struct view name, struct policy_match *ground)
{
	static const struct facts nothing;
	const struct policy *policy = context;
	struct policy_request r = { .action = action,
		.prefix = head_of(action),
		.name = name,
		.facts = &nothing };

	return policy_eval(&policy, 1, &r, ground);
}

static struct policy *policy;

static struct access_rights
rights_of(const char *document)
{
	struct diag diag = { "" };

	ck_assert_msg(policy_read(document, &policy, &diag) == ERR_OK, "%s", diag.text);
	return (struct access_rights){ .ask = ask, .context = policy };
}

static void
ck_row(const struct row *row, enum authorization authorization)
{
	struct access_rights rights = rights_of(row->document);
	struct access_question q = { row->action, view_of(row->topic), false };
	struct access_decision d;

	rights.authorization = authorization;
	d = access_decide(&rights, &q);
	policy_free(policy);
	ck_assert_msg(d.access == row->access, "%s: %d", row->what, (int)d.access);
	ck_assert_msg(d.basis == row->basis, "%s: by %d", row->what, (int)d.basis);
}

START_TEST(policies_decide_as_the_row_says)
{
	ck_row(&policy_rows[_i], AUTHORIZATION_POLICY);
}
END_TEST

START_TEST(authorization_allow_decides_as_the_row_says)
{
	ck_row(&allow_rows[_i], AUTHORIZATION_ALLOW);
}
END_TEST

START_TEST(a_retained_message_needs_both_rights)
{
	struct access_rights rights = rights_of(
	    DOC(ALLOW("Publish", "@topic/*") "," ALLOW("RetainPublish",
		"@topic/a") "," DENY("RetainPublish", "@topic/c")));
	struct access_question q = { ACTION_WRITE, view_of("a"), true };

	ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_ALLOW);
	q.topic = view_of("b");
	ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_DENY);
	ck_assert_int_eq(access_decide(&rights, &q).result, POLICY_IMPLICIT_DENY);
	q.topic = view_of("c");
	ck_assert_int_eq(access_decide(&rights, &q).result, POLICY_EXPLICIT_DENY);
	q.retain = false;
	ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_ALLOW);
	policy_free(policy);
}
END_TEST

/* The statement that decided is the one of the text that decided. */
START_TEST(a_shared_subscription_reports_the_deciding_statement)
{
	struct access_rights rights = rights_of(
	    DOC(ALLOW("Subscribe", "@topicfilter/$share/g/a") "," ALLOW("Subscribe",
		"@topicfilter/b") "," DENY("Subscribe", "@topicfilter/c") "," DENY("Subscribe",
		"@topicfilter/$share/g/d")));
	static const char *const filters[] = { "$share/g/a", "$share/g/b", "$share/g/c",
		"$share/g/d" };

	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		struct access_question q = { ACTION_SUBSCRIBE, view_of(filters[i]), false };
		struct access_decision d = access_decide(&rights, &q);

		ck_assert_uint_eq(d.match.statement, i);
		ck_assert_int_eq(d.result, i < 2 ? POLICY_ALLOWED : POLICY_EXPLICIT_DENY);
	}
	policy_free(policy);
}
END_TEST

START_TEST(an_administrator_may_connect_and_subscribe_to_reserved_topics)
{
	struct access_rights rights = rights_of(DOC(DENY("*", "*")));
	struct access_question q = { ACTION_SUBSCRIBE, view_of("$share/g/$aws/events/#"), false };

	ck_assert_int_eq(access_connect(&rights, view_of("x")).access, ACCESS_DENY);
	rights.administrator = true;
	ck_assert_int_eq(access_connect(&rights, view_of("x")).access, ACCESS_ALLOW);
	ck_assert_int_eq(access_decide(&rights, &q).basis, BASIS_ADMINISTRATOR);
	q.topic = view_of("x");
	ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_DENY);
	q = (struct access_question){ ACTION_WRITE, view_of("$aws/events/x"), false };
	ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_DENY);
	policy_free(policy);
}
END_TEST

START_TEST(authorization_defer_leaves_the_decision_to_others)
{
	struct access_rights rights = rights_of(DOC(DENY("*", "*")));
	struct access_question q = { ACTION_WRITE, view_of("x"), false };

	rights.authorization = AUTHORIZATION_DEFER;
	ck_assert_int_eq(access_connect(&rights, view_of("x")).access, ACCESS_ALLOW);
	for (int a = ACTION_READ; a <= ACTION_UNSUBSCRIBE; a++) {
		q.action = (enum action)a;
		ck_assert_int_eq(access_decide(&rights, &q).access, ACCESS_DEFER);
	}
	policy_free(policy);
}
END_TEST

static const struct {
	const char *filter, *shared; /* NULL: it is not */
} shared[] = {
	{ "$share/g/a/b", "a/b" },
	{ "$share//a", "a" },
	{ "$share/g/", "" },
	{ "$share/g", NULL },
	{ "$share/", NULL },
	{ "$share", NULL },
	{ "", NULL },
	{ "a/$share/g/a", NULL },
	{ "$shared/g/a", NULL },
	{ "$Share/g/a", NULL },
	{ "$share/g/$share/h/a", "$share/h/a" },
};

START_TEST(the_filter_of_a_shared_subscription_begins_after_its_group)
{
	struct view is = topic_shared_filter(view_of(shared[_i].filter));

	if (shared[_i].shared == NULL)
		ck_assert_ptr_null(is.data);
	else
		ck_assert_msg(is.data != NULL && view_equal(is, view_of(shared[_i].shared)), "%s",
		    shared[_i].filter);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("access");
	TCase *t = suite_case(suite, "access");

	tcase_add_loop_test(t, policies_decide_as_the_row_says, 0, COUNT_OF(policy_rows));
	tcase_add_loop_test(t, authorization_allow_decides_as_the_row_says, 0,
	    COUNT_OF(allow_rows));
	tcase_add_test(t, a_retained_message_needs_both_rights);
	tcase_add_test(t, a_shared_subscription_reports_the_deciding_statement);
	tcase_add_test(t, an_administrator_may_connect_and_subscribe_to_reserved_topics);
	tcase_add_test(t, authorization_defer_leaves_the_decision_to_others);
	tcase_add_loop_test(t, the_filter_of_a_shared_subscription_begins_after_its_group, 0,
	    COUNT_OF(shared));
	return suite_run(suite);
}
