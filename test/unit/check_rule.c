/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_rule.c - a CA's rule decides about a certificate (rule.h).
 *
 * Each row is a sentence about one rule and one client.
 */
#include <time.h>

#include "jitr/core/rule.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#define CN "${iot:Certificate.Subject.CommonName}"
#define OU "${iot:Certificate.Subject.OrganizationalUnit}"

/*
 * The client that connects.
 */

struct client {
	const char *client_id, *address; /* NULL: absent, hidden */
	struct {
		enum cert_field field;
		const char *text;
	} values[8];
};

#define P256 \
	{ FIELD_KEY_TYPE, "P-256" }, { FIELD_KEY_BITS, "256" }, \
	{ \
		FIELD_VALIDITY_DAYS, "365" \
	}

static const struct client sensor = { "sensor-1", "192.0.2.1",
	{ { FIELD_SUBJECT_ORGANIZATIONAL_UNIT, "plant-07" },
	    { FIELD_SUBJECT_ORGANIZATIONAL_UNIT, "red" }, { FIELD_SUBJECT_COMMON_NAME, "sensor-1" },
	    P256 } };
static const struct client unseen = { "sensor-1", NULL,
	{ { FIELD_SUBJECT_COMMON_NAME, "sensor-1" } } };
static const struct client nameless = { NULL, "192.0.2.1", { P256 } };
static const struct client escaped = { "x", "192.0.2.1",
	{ { FIELD_SUBJECT_COMMON_NAME, "a\\,b" } } };
static const struct client odd = { "*", "192.0.2.1", { { FIELD_SUBJECT_COMMON_NAME, "a b" } } };
static const struct client nothing = { "", "", { { FIELD_SUBJECT_COMMON_NAME, "" } } };

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct facts
facts_of(const struct client *c, struct cert_facts *cert)
{
	struct facts f = { .client_id = view_of(c->client_id),
		.certificate_id = view_of(ID),
		.source_text = view_of(c->address),
		.cert = cert };

	f.source = address_parse(f.source_text);
	for (cert->count = 0; cert->count < COUNT_OF(c->values); cert->count++) {
		if (c->values[cert->count].text == NULL)
			break;
		cert->values[cert->count] = (struct cert_value){ c->values[cert->count].field,
			view_of(c->values[cert->count].text) };
	}
	return f;
}

static struct cert_facts *
room_for_facts(void)
{
	return malloc(sizeof(struct cert_facts) + 8 * sizeof(struct cert_value));
}

static struct rule *
read_rule(const char *written)
{
	char *text = policy_text(written);
	struct rule *r = NULL;
	struct diag diag = { "" };

	ck_assert_msg(rule_compile(view_of(text), &r, &diag) == ERR_OK, "%s: %s", written,
	    diag.text);
	free(text);
	return r;
}

/* Its form gives the same plan. */
static void
check_form(const struct rule *r, const struct facts *f, const struct plan *p)
{
	uint8_t *room = malloc(PLAN_ROOM);
	struct rule *decoded = rule_again(r);
	struct plan again;

	rule_eval(decoded, f, room, &again);
	ck_assert_int_eq(again.status, p->status);
	ck_assert_int_eq(again.failed, p->failed);
	ck_assert_str_eq(again.reason.text, p->reason.text);
	ck_assert_uint_eq(again.policy_count, p->policy_count);
	ck_assert(view_equal(again.thing.name, p->thing.name));
	ck_assert(again.supersedes == p->supersedes && again.supersede_after == p->supersede_after);
	free(decoded);
	free(room);
}

/* In a buffer of exactly this size: a sanitizer sees a write behind it. */
static struct plan
ask(const char *written, const struct client *client)
{
	struct cert_facts *cert = room_for_facts();
	struct facts f = facts_of(client, cert);
	struct rule *r = read_rule(written);
	uint8_t *room = malloc(PLAN_ROOM);
	static char thing[NAME_MAX_LENGTH + 1];
	struct plan p;

	memset(&p, 0xff, sizeof(p));
	rule_eval(r, &f, room, &p);
	ck_assert_uint_lt(p.thing.name.len, sizeof(thing));
	snprintf(thing, sizeof(thing), "%.*s", (int)p.thing.name.len,
	    (const char *)p.thing.name.data);
	p.thing.name = view_of(thing);
	for (size_t i = 0; i < p.policy_count; i++)
		ck_assert(p.policies[i].name.len == 1 && p.policies[i].document.len == 0);
	check_form(r, &f, &p);
	free(room);
	rule_free(r);
	free(cert);
	return p;
}

/*
 * Conditions.
 */

enum fate {
	HOLDS,
	NOT,
	HIDDEN,
};

static const struct {
	const char *what, *conditions;
	const struct client *client;
	enum fate fate;
	const char *reason; /* the condition that does not hold */
} conditions[] = {
	{ "no condition", "", &sensor, HOLDS, NULL },
	{ "one that holds",
	    "'StringLike':{'iot:Certificate.Subject.CommonName':['gw-*','sensor-*']}", &sensor,
	    HOLDS, NULL },
	{ "one that does not", "'StringLike':{'iot:Certificate.Subject.CommonName':['gw-*']}",
	    &sensor, NOT, "StringLike iot:Certificate.Subject.CommonName does not hold" },
	{ "all of several",
	    "'StringLike':{'iot:ClientId':'s*','iot:Certificate.Subject.CommonName':'s*'},"
	    "'NumericLessThanEquals':{'jitr:Certificate.ValidityDays':'3660'}",
	    &sensor, HOLDS, NULL },
	{ "the first that does not hold is told",
	    "'StringLike':{'iot:ClientId':'s*',"
	    "'iot:Certificate.Subject.CommonName':'g*'},'NumericLessThan':"
	    "{'jitr:Certificate.ValidityDays':1}",
	    &sensor, NOT, "StringLike iot:Certificate.Subject.CommonName does not hold" },
	{ "operator and fact as they are written",
	    "'ForAnyValue:StringLikeIfExists':{'IOT:clientid':'g*'}", &sensor, NOT,
	    "ForAnyValue:StringLikeIfExists IOT:clientid does not hold" },
	{ "the key's kind", "'StringEquals':{'jitr:Certificate.KeyType':['P-256','P-384']}",
	    &sensor, HOLDS, NULL },
	{ "no key is known", "'StringEquals':{'jitr:Certificate.KeyType':['P-256','P-384']}",
	    &unseen, NOT, "StringEquals jitr:Certificate.KeyType does not hold" },
	{ "its bits", "'NumericGreaterThanEquals':{'jitr:Certificate.KeyBits':2048}", &sensor, NOT,
	    "NumericGreaterThanEquals jitr:Certificate.KeyBits does not hold" },
	{ "client id and common name", "'StringEquals':{'iot:ClientId':'" CN "'}", &sensor, HOLDS,
	    NULL },
	{ "which has a blank", "'StringEquals':{'iot:ClientId':'" CN "'}", &odd, NOT,
	    "StringEquals iot:ClientId does not hold" },
	{ "an address", "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &sensor, HOLDS, NULL },
	{ "another", "'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}", &sensor, NOT,
	    "IpAddress aws:SourceIp does not hold" },
	{ "an address that is hidden", "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &unseen,
	    HIDDEN,
	    "IpAddress aws:SourceIp cannot be decided: the broker does not know the value" },
	{ "and must not be one", "'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}", &unseen, HIDDEN,
	    "NotIpAddress aws:SourceIp cannot be decided: the broker does not know the value" },
	{ "compared with what is hidden", "'StringEquals':{'iot:ClientId':'${aws:SourceIp}'}",
	    &unseen, HIDDEN,
	    "StringEquals iot:ClientId cannot be decided: the value is too long, or the broker "
	    "does not know it" },
	{ "hidden first, then one that does not hold",
	    "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'},"
	    "'StringEquals':{'iot:ClientId':'x'}",
	    &unseen, NOT, "StringEquals iot:ClientId does not hold" },
	{ "the certificate's id", "'StringEquals':{'iot:CertificateId':'" ID "'}", &sensor, HOLDS,
	    NULL },
	{ "no client id", "'StringLike':{'iot:ClientId':'*'}", &nameless, NOT,
	    "StringLike iot:ClientId does not hold" },
	{ "no client id, negated", "'StringNotLike':{'iot:ClientId':'x'}", &nameless, HOLDS, NULL },
	{ "an empty one is one", "'StringEquals':{'iot:ClientId':''}", &nothing, HOLDS, NULL },
	{ "what the certificate has",
	    "'ForAnyValue:StringEquals':{'iot:Certificate.AvailableKeys':"
	    "'iot:Certificate.Subject.CommonName'}",
	    &sensor, HOLDS, NULL },

	{ "an expression",
	    "'StringMatches':{'iot:Certificate.Subject.OrganizationalUnit':"
	    "'(plant|field)-[0-9]{2}'}",
	    &sensor, HOLDS, NULL },
	{ "one of several", "'StringMatches':{'iot:ClientId':['x','s.*r-[0-9]']}", &sensor, HOLDS,
	    NULL },
	{ "never a part of a value", "'StringMatches':{'iot:ClientId':'sensor'}", &sensor, NOT,
	    "StringMatches iot:ClientId does not hold" },
	{ "not an expression", "'StringNotMatches':{'iot:ClientId':['x','y+']}", &sensor, HOLDS,
	    NULL },
	{ "negated", "'StringNotMatches':{'iot:ClientId':['x','s.*']}", &sensor, NOT,
	    "StringNotMatches iot:ClientId does not hold" },
	{ "one of all values",
	    "'ForAnyValue:StringMatches':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':'r[aeiou]d'}",
	    &sensor, HOLDS, NULL },
	{ "all of them",
	    "'ForAllValues:StringMatches':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':'r[aeiou]d'}",
	    &sensor, NOT,
	    "ForAllValues:StringMatches iot:Certificate.Subject.OrganizationalUnit.List does not hold" },
	{ "none of them",
	    "'ForAllValues:StringNotMatches':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':'g.*'}",
	    &sensor, HOLDS, NULL },
	{ "an expression without a value", "'StringMatches':{'iot:Certificate.Subject.Title':'.*'}",
	    &sensor, NOT, "StringMatches iot:Certificate.Subject.Title does not hold" },
	{ "unless it need not exist",
	    "'StringMatchesIfExists':{'iot:Certificate.Subject.Title':'Dr'}", &sensor, HOLDS,
	    NULL },
	{ "no value is none that matches",
	    "'StringNotMatches':{'iot:Certificate.Subject.Title':'.*'}", &sensor, HOLDS, NULL },
	{ "an escaped value",
	    "'StringMatches':{'iot:Certificate.Subject.CommonName':'a\\\\\\\\,b'}", &escaped, HOLDS,
	    NULL },
	{ "a variable in an expression is text", "'StringMatches':{'iot:ClientId':'[$][{]x[}]'}",
	    &sensor, NOT, "StringMatches iot:ClientId does not hold" },
};

START_TEST(all_conditions_must_hold)
{
	char rule[1024];
	struct plan p;

	snprintf(rule, sizeof(rule), "{'conditions':{%s},'policies':['p','q']}",
	    conditions[_i].conditions);
	p = ask(rule, conditions[_i].client);
	ck_assert_int_eq(p.origin, PLAN_RULE);
	ck_assert_msg(p.status ==
		(conditions[_i].fate == HOLDS ? CERT_ACTIVE : CERT_PENDING_ACTIVATION),
	    "%s", conditions[_i].what);
	ck_assert_msg(p.failed == (conditions[_i].fate == HIDDEN), "%s", conditions[_i].what);
	ck_assert_uint_eq(p.policy_count, conditions[_i].fate == HOLDS ? 2 : 0);
	ck_assert_uint_eq(p.thing.name.len, 0);
	ck_assert_str_eq(p.reason.text,
	    conditions[_i].fate == HOLDS ? "the rule of its CA accepts it" : conditions[_i].reason);
}
END_TEST

/* Revocation is final, so it needs a condition that certainly does not hold. */
START_TEST(a_rule_that_revokes_otherwise_does_not_revoke_on_hidden_facts)
{
	char rule[1024];
	struct plan p;

	snprintf(rule, sizeof(rule),
	    "{'conditions':{%s},'otherwise':'REVOKED','policies':'p',"
	    "'thing':'" CN "','supersede':1}",
	    conditions[_i].conditions);
	p = ask(rule, conditions[_i].client);
	if (conditions[_i].fate == HOLDS)
		return;
	ck_assert_msg(p.status ==
		(conditions[_i].fate == NOT ? CERT_REVOKED : CERT_PENDING_ACTIVATION),
	    "%s", conditions[_i].what);
	ck_assert_uint_eq(p.policy_count, 0);
	ck_assert_uint_eq(p.thing.name.len, 0);
	ck_assert(!p.supersedes);
	ck_assert_str_eq(p.reason.text, conditions[_i].reason);
}
END_TEST

/*
 * Things.
 */

#define NO_NAME " is not a valid thing name: 1 to 128 of a-z A-Z 0-9 : _ -"
#define A32     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *what, *thing;
	const struct client *client;
	const char *name; /* NULL: none, since: */
	const char *reason;
} things[] = {
	{ "a common name", CN, &sensor, "sensor-1", NULL },
	{ "one for all", "all", &sensor, "all", NULL },
	{ "of several parts", "x:" OU "_" CN, &sensor, "x:plant-07_sensor-1", NULL },
	{ "of the second unit", "${iot:Certificate.Subject.OrganizationalUnit.1}", &sensor, "red",
	    NULL },
	{ "a client id", "${iot:ClientId}", &sensor, "sensor-1", NULL },
	{ "the certificate's id", "${iot:CertificateId}", &sensor, ID, NULL },
	{ "128 characters", A32 A32 "${iot:CertificateId}", &sensor, A32 A32 ID, NULL },
	{ "129 characters", A32 A32 "a${iot:CertificateId}", &sensor, NULL,
	    "'" A32 A32 "'" NO_NAME },
	{ "192 characters", A32 A32 "${iot:CertificateId}${iot:CertificateId}", &sensor, NULL,
	    "'" A32 A32 "'" NO_NAME },
	{ "a value that is not there", "a-${iot:Certificate.Subject.Title}", &sensor, NULL,
	    "iot:Certificate.Subject.Title, of which the thing's name is made, has no value" },
	{ "no second unit", CN "${iot:Certificate.Subject.OrganizationalUnit.1}", &unseen, NULL,
	    "iot:Certificate.Subject.OrganizationalUnit.1, of which the thing's name is made, has no "
	    "value" },
	{ "no client id", "${iot:ClientId}", &nameless, NULL,
	    "iot:ClientId, of which the thing's name is made, has no value" },
	{ "an address that is hidden", "${aws:SourceIp}", &unseen, NULL,
	    "aws:SourceIp, of which the thing's name is made, has no value" },
	{ "an address has points", "${aws:SourceIp}", &sensor, NULL, "'192.0.2.1'" NO_NAME },
	{ "a blank", CN, &odd, NULL, "'a b'" NO_NAME },
	{ "a star", "${iot:ClientId}", &odd, NULL, "'*'" NO_NAME },
	{ "nothing", CN, &nothing, NULL, "''" NO_NAME },
	{ "nothing, and something literal", "a" CN, &nothing, "a", NULL },
	{ "a comma", "x-" CN, &escaped, NULL,
	    "'x-a\\,b'" NO_NAME
	    "; values from a certificate have a \\ before characters such as , and =" },
};

START_TEST(without_the_variables_of_its_thing_name_nothing_is_activated)
{
	char rule[512];
	struct plan p;

	snprintf(rule, sizeof(rule), "{'thing':'%s','policies':'p','otherwise':'REVOKED'}",
	    things[_i].thing);
	p = ask(rule, things[_i].client);
	ck_assert_msg(p.status == (things[_i].name != NULL ? CERT_ACTIVE : CERT_PENDING_ACTIVATION),
	    "%s: %s", things[_i].what, p.reason.text);
	ck_assert(p.failed == (things[_i].name == NULL));
	ck_assert_uint_eq(p.policy_count, things[_i].name != NULL ? 1 : 0);
	if (things[_i].name != NULL)
		ck_assert(view_equal(p.thing.name, view_of(things[_i].name)));
	else
		ck_assert_str_eq(p.reason.text, things[_i].reason);
	ck_assert_uint_eq(p.thing.type_name.len + p.thing.billing_group.len +
		p.thing.attributes.len,
	    0);
}
END_TEST

START_TEST(the_plan_has_the_time_at_which_older_certificates_end)
{
	struct plan p = ask("{'thing':'" CN "','supersede':86400}", &sensor);

	ck_assert(p.status == CERT_ACTIVE && p.supersedes);
	ck_assert_int_eq(p.supersede_after, 86400000);
	p = ask("{'thing':'" CN "','supersede':0}", &sensor);
	ck_assert(p.supersedes && p.supersede_after == 0);
	p = ask("{'thing':'" CN "'}", &sensor);
	ck_assert(!p.supersedes);
}
END_TEST

START_TEST(a_rule_can_name_ten_policies)
{
	struct plan p = ask("{'policies':['a','b','c','d','e','f','g','h','i','j']}", &sensor);

	ck_assert_uint_eq(p.policy_count, 10);
}
END_TEST

START_TEST(without_facts_no_condition_holds)
{
	struct rule *r = read_rule(
	    "{'conditions':{'StringLike':{'iot:Certificate.SerialNumber':'*'}}}");
	struct facts f = { .client_id = { NULL, 0 } };
	uint8_t room[PLAN_ROOM];
	struct plan p;

	rule_eval(r, &f, room, &p);
	ck_assert_int_eq(p.status, CERT_PENDING_ACTIVATION);
	ck_assert(!p.failed);
	rule_free(r);
}
END_TEST

/*
 * Time.
 */

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The slowest expressions, as many as fit.  The goal is 20 ms, four of them for each alone; a
 * slow machine and a sanitizer may take longer. */
START_TEST(every_rule_is_evaluated_quickly)
{
	static char rule[2 * RULE_BYTES_MAX];
	struct cert_facts *cert = room_for_facts();
	struct facts f = facts_of(&unseen, cert);
	uint8_t room[PLAN_ROOM], value[64];
	struct rule *r;
	struct plan p;
	double begin;

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)('a' + (i * i / 3) % 2);
	f.client_id = (struct view){ value, sizeof(value) };
	strcpy(rule, "{'conditions':{'StringMatches':{'iot:ClientId':['.{0,100}x'");
	while (strlen(rule) < RULE_BYTES_MAX - 100)
		strcat(rule, ",'.{0,64}.{0,64}.{0,64}x'");
	strcat(rule, "]}}}");
	r = read_rule(rule);
	begin = seconds();
	rule_eval(r, &f, room, &p);
	ck_assert_double_lt(seconds() - begin, 1.0);
	ck_assert(p.failed);
	ck_assert_str_eq(p.reason.text, "StringMatches iot:ClientId takes too long to decide");
	rule_free(r);
	free(cert);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule");
	TCase *t = suite_case(suite, "rule");

	tcase_add_loop_test(t, all_conditions_must_hold, 0, COUNT_OF(conditions));
	tcase_add_loop_test(t, a_rule_that_revokes_otherwise_does_not_revoke_on_hidden_facts, 0,
	    COUNT_OF(conditions));
	tcase_add_loop_test(t, without_the_variables_of_its_thing_name_nothing_is_activated, 0,
	    COUNT_OF(things));
	tcase_add_test(t, the_plan_has_the_time_at_which_older_certificates_end);
	tcase_add_test(t, a_rule_can_name_ten_policies);
	tcase_add_test(t, without_facts_no_condition_holds);
	tcase_add_test(t, every_rule_is_evaluated_quickly);
	return suite_run(suite);
}
