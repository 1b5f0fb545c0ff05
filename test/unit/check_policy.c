/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_policy.c - policies allow and deny (policy.h, aws-iot F).
 *
 * Each row is a sentence about one policy, one client and one request.
 */
#include <time.h>

#include "jitr/core/policy.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#define ALLOWED       POLICY_ALLOWED
#define IMPLICIT_DENY POLICY_IMPLICIT_DENY
#define EXPLICIT_DENY POLICY_EXPLICIT_DENY

#define CONNECT   POLICY_CONNECT
#define PUBLISH   POLICY_PUBLISH
#define RETAIN    POLICY_RETAIN_PUBLISH
#define RECEIVE   POLICY_RECEIVE
#define SUBSCRIBE POLICY_SUBSCRIBE

/* Statements of a policy in the newer version. */
#define DOC(statements)          "{'Version':'2012-10-17','Statement':[" statements "]}"
#define ST(effect, action, rest) "{'Effect':'" effect "','Action':'iot:" action "'," rest "}"
#define ALLOW(action, resource)  ST("Allow", action, "'Resource':'" resource "'")
#define DENY(action, resource)   ST("Deny", action, "'Resource':'" resource "'")
#define IF(effect, action, condition) \
	ST(effect, action, "'Resource':'*','Condition':{" condition "}")

/*
 * The client of the requests.
 */

static const struct cert_value values[] = {
	{ FIELD_CERT_SERIAL_NUMBER, { (const uint8_t *)"10525622389124227206", 20 } },
	{ FIELD_SUBJECT_ORGANIZATIONAL_UNIT, { (const uint8_t *)"one", 3 } },
	{ FIELD_SUBJECT_ORGANIZATIONAL_UNIT, { (const uint8_t *)"two", 3 } },
	{ FIELD_SUBJECT_ORGANIZATIONAL_UNIT, { (const uint8_t *)"three", 5 } },
	{ FIELD_SUBJECT_COMMON_NAME, { (const uint8_t *)"dev-1", 5 } },
	{ FIELD_ISSUER_COMMON_NAME, { (const uint8_t *)"a\\,b", 4 } },
	{ FIELD_ISSUER_IP_ADDRESS, { (const uint8_t *)"192.0.2.7", 9 } },
	{ FIELD_KEY_TYPE, { (const uint8_t *)"P-256", 5 } },
	{ FIELD_KEY_BITS, { (const uint8_t *)"256", 3 } },
	{ FIELD_SIGNATURE_ALGORITHM, { (const uint8_t *)"ecdsa-with-SHA256", 17 } },
	{ FIELD_VALIDITY_DAYS, { (const uint8_t *)"365", 3 } },
};

static struct cert_facts *cert;

static void
make_certificate(void)
{
	cert = malloc(sizeof(*cert) + sizeof(values));
	cert->count = COUNT_OF(values);
	memcpy(cert->values, values, sizeof(values));
}

static void
forget_certificate(void)
{
	free(cert);
	cert = NULL;
}

/* clang-format off: a record per line */
static const uint8_t attributes[] = "\x05"
				    "Level\x00\x02"
				    "12"
				    "\x04"
				    "hall\x00\x01"
				    "7"
				    "\x05"
				    "since\x00\x0a"
				    "2026-01-31"
				    "\x04"
				    "star\x00\x01"
				    "*";
/* clang-format on */

static struct thing thing;

static struct facts
dev1(void)
{
	struct facts f = { .client_id = view_of("dev1"),
		.certificate_id = view_of("00ff"),
		.cert = cert,
		.source_text = view_of("192.0.2.1"),
		.domain_name = view_of("mqtt.example.com"),
		.persistent_connect = ANSWER_NO,
		.last_will = ANSWER_NO };

	f.source = address_parse(f.source_text);
	return f;
}

/* Other clients differ from it as the words of a row say; the words are kept here. */
static char words_kept[256];

static bool
apply_word(struct facts *f, const char *word)
{
	if (strcmp(word, "thing") == 0)
		f->thing = &thing;
	else if (strcmp(word, "persistent") == 0)
		f->persistent_connect = ANSWER_YES;
	else if (strcmp(word, "persistent?") == 0)
		f->persistent_connect = ANSWER_NOT_ASKED;
	else if (strcmp(word, "will?") == 0)
		f->last_will = ANSWER_NOT_ASKED;
	else if (strcmp(word, "will") == 0)
		f->last_will = ANSWER_YES;
	else if (strcmp(word, "will-topic") == 0)
		f->last_will_topic = view_of(TEST_PREFIX "topic/will/dev1");
	else if (strcmp(word, "unknown") == 0)
		*f = (struct facts){ .client_id = { NULL, 0 } };
	else if (strcmp(word, "as-is") == 0)
		f->client_id_as_is = true;
	else if (strncmp(word, "id=", 3) == 0)
		f->client_id = view_of(word + 3);
	else if (strncmp(word, "ip=", 3) == 0)
		f->source_text = view_of(word + 3);
	else
		return false;
	f->source = address_parse(f->source_text);
	return true;
}

static struct facts
facts_of(const char *words)
{
	struct facts f = dev1();

	thing = (struct thing){ .name = view_of("dev1"),
		.type_name = view_of("lamp"),
		.attributes = { attributes, sizeof(attributes) - 1 } };
	snprintf(words_kept, sizeof(words_kept), "%s", words);
	for (char *word = strtok(words_kept, " "); word != NULL; word = strtok(NULL, " "))
		ck_assert_msg(apply_word(&f, word), "no such fact: %s", word);
	return f;
}

static enum policy_result
ask(const char *document, const struct facts *facts, enum policy_action action, const char *name)
{
	struct policy_request r = { .action = action,
		.prefix = head_of(action),
		.name = view_of(name),
		.facts = facts };
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	struct policy *p = NULL, *decoded;
	struct diag diag = { "" };
	enum policy_result result;

	if (action == POLICY_CONTROL) {
		r.control = name;
		r.name = view_of("*");
	}
	ck_assert_msg(policy_read(document, &p, &diag) == ERR_OK, "%s: %s", document, diag.text);
	result = policy_eval((const struct policy *const *)&p, 1, &r, NULL);
	decoded = policy_again(p, &scope);
	ck_assert_int_eq(policy_eval((const struct policy *const *)&decoded, 1, &r, NULL), result);
	free(decoded);
	policy_free(p);
	return result;
}

struct row {
	const char *what;
	const char *document, *facts;
	enum policy_action action;
	const char *name;
	enum policy_result expected;
};

static const struct row rows[] = {
	/* The test vectors of aws-iot F.8, by their number. */
	{ "1: * crosses /", DOC(ALLOW("Publish", "@topic/a/*")), "", PUBLISH, "a/b/c", ALLOWED },
	{ "2: a/* is not a", DOC(ALLOW("Publish", "@topic/a/*")), "", PUBLISH, "a", IMPLICIT_DENY },
	{ "3: ? is one character", DOC(ALLOW("Publish", "@topic/a/?")), "", PUBLISH, "a/b",
	    ALLOWED },
	{ "3: and not two", DOC(ALLOW("Publish", "@topic/a/?")), "", PUBLISH, "a/bc",
	    IMPLICIT_DENY },
	{ "4: + is a plus", DOC(ALLOW("Publish", "@topic/a/+")), "", PUBLISH, "a/b",
	    IMPLICIT_DENY },
	{ "5: a/# is that filter", DOC(ALLOW("Subscribe", "@topicfilter/a/#")), "", SUBSCRIBE,
	    "a/#", ALLOWED },
	{ "5: and no other", DOC(ALLOW("Subscribe", "@topicfilter/a/#")), "", SUBSCRIBE, "a/b",
	    IMPLICIT_DENY },
	{ "6: a/* is a/#", DOC(ALLOW("Subscribe", "@topicfilter/a/*")), "", SUBSCRIBE, "a/#",
	    ALLOWED },
	{ "6: and a/+/c", DOC(ALLOW("Subscribe", "@topicfilter/a/*")), "", SUBSCRIBE, "a/+/c",
	    ALLOWED },
	{ "6: and a/b", DOC(ALLOW("Subscribe", "@topicfilter/a/*")), "", SUBSCRIBE, "a/b",
	    ALLOWED },
	{ "7: a topic is no filter", DOC(ALLOW("Subscribe", "@topic/a/b")), "", SUBSCRIBE, "a/b",
	    IMPLICIT_DENY },
	{ "8: filters are compared as text",
	    DOC(ALLOW("Subscribe", "@topicfilter/a/*") "," DENY("Subscribe",
		"@topicfilter/a/secret/*")),
	    "", SUBSCRIBE, "a/#", ALLOWED },
	{ "8: a Deny wins",
	    DOC(ALLOW("Subscribe", "@topicfilter/a/*") "," DENY("Subscribe",
		"@topicfilter/a/secret/*")),
	    "", SUBSCRIBE, "a/secret/x", EXPLICIT_DENY },
	{ "9: of each delivery too",
	    DOC(ALLOW("Receive", "*") "," DENY("Receive", "@topic/a/secret/*")), "", RECEIVE,
	    "a/secret/x", EXPLICIT_DENY },
	{ "9: but no other", DOC(ALLOW("Receive", "*") "," DENY("Receive", "@topic/a/secret/*")),
	    "", RECEIVE, "a/x", ALLOWED },
	{ "10: any client id is its own", DOC(ALLOW("Connect", "@client/${iot:ClientId}")), "",
	    CONNECT, "dev1", ALLOWED },
	{ "11: the common name",
	    DOC(ALLOW("Connect", "@client/${iot:Certificate.Subject.CommonName}")), "", CONNECT,
	    "dev-1", ALLOWED },
	{ "11: and no other",
	    DOC(ALLOW("Connect", "@client/${iot:Certificate.Subject.CommonName}")), "", CONNECT,
	    "dev1", IMPLICIT_DENY },
	{ "13: there is no thing",
	    DOC(ALLOW("Connect", "@client/${iot:Connection.Thing.ThingName}")), "", CONNECT, "dev1",
	    IMPLICIT_DENY },
	{ "13: there is one", DOC(ALLOW("Connect", "@client/${iot:Connection.Thing.ThingName}")),
	    "thing", CONNECT, "dev1", ALLOWED },
	{ "14: everything on everything", DOC(ALLOW("*", "*")), "", SUBSCRIBE, "#", ALLOWED },
	{ "15: RETAIN is asked for itself", DOC(ALLOW("Publish", "@topic/x")), "", RETAIN, "x",
	    IMPLICIT_DENY },
	{ "16: all but its own is denied",
	    DOC(ALLOW("*", "*") "," ST("Deny", "Publish", "'NotResource':'@topic/dev1/*'")), "",
	    PUBLISH, "dev1/t", ALLOWED },
	{ "16: so is another's",
	    DOC(ALLOW("*", "*") "," ST("Deny", "Publish", "'NotResource':'@topic/dev1/*'")), "",
	    PUBLISH, "dev2/t", EXPLICIT_DENY },
	{ "17: another region", DOC(ALLOW("Publish", "arn:aws:iot:eu-west-1:123456789012:topic/x")),
	    "", PUBLISH, "x", IMPLICIT_DENY },
	{ "18: .1 is the second",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit.1}")), "",
	    PUBLISH, "two", ALLOWED },
	{ "18: not the first",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit.1}")), "",
	    PUBLISH, "one", IMPLICIT_DENY },
	{ "19: the serial number in decimal",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.SerialNumber}")), "", PUBLISH,
	    "10525622389124227206", ALLOWED },
	{ "20: ${*} is a star", DOC(ALLOW("Publish", "@topic/a${*}b")), "", PUBLISH, "a*b",
	    ALLOWED },
	{ "20: and nothing else", DOC(ALLOW("Publish", "@topic/a${*}b")), "", PUBLISH, "axb",
	    IMPLICIT_DENY },

	/* Actions and resources (aws-iot F.1 to F.3). */
	{ "action names have no case", DOC(ALLOW("pUBLISH", "@topic/x")), "", PUBLISH, "x",
	    ALLOWED },
	{ "and may have wildcards", DOC(ALLOW("Pub*", "@topic/x")), "", PUBLISH, "x", ALLOWED },
	{ "Pub* is not RetainPublish", DOC(ALLOW("Pub*", "@topic/x")), "", RETAIN, "x",
	    IMPLICIT_DENY },
	{ "? in an action", DOC(ALLOW("?ublish", "@topic/x")), "", PUBLISH, "x", ALLOWED },
	{ "a blank in an action matches nothing", DOC(ALLOW(" *", "*")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "NotAction is everything else",
	    DOC("{'Effect':'Allow','NotAction':'iot:Publish',"
		"'Resource':'*'}"),
	    "", RECEIVE, "x", ALLOWED },
	{ "NotAction is not that",
	    DOC("{'Effect':'Allow','NotAction':'iot:Publish','Resource':'*'}"), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "one of several actions",
	    DOC("{'Effect':'Allow','Action':['iot:Connect','iot:Publish'],"
		"'Resource':['@client/x','@topic/y','@topic/z']}"),
	    "", PUBLISH, "z", ALLOWED },
	{ "a wildcard for region and account", DOC(ALLOW("Publish", "arn:aws:iot:*:*:topic/x")), "",
	    PUBLISH, "x", ALLOWED },
	{ "a wildcard across the type", DOC(ALLOW("Publish", "arn:aws:iot:*/x")), "", PUBLISH, "x",
	    IMPLICIT_DENY },

	/* The first five parts are compared one by one (IAM user guide, "Resource"). */
	{ "a wildcard for all five", DOC(ALLOW("Publish", "*:*:*:*:*:topic/x")), "", PUBLISH, "x",
	    ALLOWED },
	{ "within one of them", DOC(ALLOW("Publish", "arn:a?s:i*t:us-*-1:1234*:topic/x")), "",
	    PUBLISH, "x", ALLOWED },
	{ "no topic passes for another",
	    DOC(ALLOW("Publish", "arn:aws:iot:*:*:topic/devices/c1/*")), "", PUBLISH,
	    "devices/c2/x:topic/devices/c1/up", IMPLICIT_DENY },
	{ "nor with one wildcard", DOC(ALLOW("Publish", "arn:aws:iot:us-east-1:*:topic/a")), "",
	    PUBLISH, "b:topic/a", IMPLICIT_DENY },
	{ "nor with ? for the colon",
	    DOC(ALLOW("Publish", "arn:aws:iot:us-east-1?123456789012:topic/a")), "", PUBLISH, "a",
	    IMPLICIT_DENY },
	{ "nor as a filter", DOC(ALLOW("Subscribe", "arn:*:iot:*:*:topicfilter/a/*")), "",
	    SUBSCRIBE, "b/#:topicfilter/a/x", IMPLICIT_DENY },
	{ "nor a client id", DOC(ALLOW("Connect", "arn:aws:*:*:*:client/c1")), "", CONNECT,
	    "c2:client/c1", IMPLICIT_DENY },
	{ "nor by a Deny", DOC(ALLOW("*", "*") "," DENY("Publish", "arn:aws:iot:*:*:topic/a")), "",
	    PUBLISH, "b:topic/a", ALLOWED },
	{ "nor by NotResource",
	    DOC("{'Effect':'Deny','Action':'*','NotResource':"
		"'arn:aws:iot:*:*:topic/a'}"),
	    "", PUBLISH, "b:topic/a", EXPLICIT_DENY },
	{ "behind them a colon is a letter", DOC(ALLOW("Publish", "arn:aws:iot:*:*:topic/a:b:*")),
	    "", PUBLISH, "a:b:c", ALLOWED },
	{ "a name that looks like an ARN", DOC(ALLOW("Publish", "@topic/arn:*")), "", PUBLISH,
	    "arn:aws:iot:x:y:topic/z", ALLOWED },
	{ "a variable for the region has no value",
	    DOC(ALLOW("Publish", "arn:aws:iot:${iot:Nope}:*:topic/x")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "a variable for the account is its value",
	    DOC(ALLOW("Publish", "arn:aws:iot:*:${iot:ClientId}:topic/x")), "id=123456789012",
	    PUBLISH, "x", ALLOWED },
	{ "or not", DOC(ALLOW("Publish", "arn:aws:iot:*:${iot:ClientId}:topic/x")), "", PUBLISH,
	    "x", IMPLICIT_DENY },
	{ "another partition", DOC(ALLOW("Publish", "arn:aws-cn:iot:*:*:topic/x")), "", PUBLISH,
	    "x", IMPLICIT_DENY },
	{ "another service", DOC(ALLOW("Publish", "arn:aws:s3:*:*:topic/x")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "a star at the end stands for what is missing", DOC(ALLOW("Publish", "arn:aws:iot:*")),
	    "", PUBLISH, "x", ALLOWED },
	{ "but not for what is there", DOC(ALLOW("Publish", "arn:aws-cn:*")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "nor of another region", DOC(ALLOW("Publish", "arn:aws:iot:eu-*")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "and it reaches no $", DOC(ALLOW("*", "arn:aws:iot:*")), "", RECEIVE, "$SYS/x",
	    IMPLICIT_DENY },
	{ "a Deny of it denies all", DOC(ALLOW("*", "*") "," DENY("*", "arn:aws:iot:*")), "",
	    PUBLISH, "x", EXPLICIT_DENY },
	{ "a star that was escaped is none", DOC(ALLOW("Publish", "arn:aws:iot:${*}")), "", PUBLISH,
	    "x", IMPLICIT_DENY },
	{ "what is no ARN does not allow", DOC(ALLOW("Publish", "arn:*/x")), "", PUBLISH, "x",
	    IMPLICIT_DENY },
	{ "and denies what it could mean",
	    DOC(ALLOW("*", "*") "," DENY("Publish", "arn:aws:iot:*/x")), "", PUBLISH, "x",
	    EXPLICIT_DENY },
	{ "and nothing else", DOC(ALLOW("*", "*") "," DENY("Publish", "arn:aws:iot:*/x")), "",
	    PUBLISH, "y", ALLOWED },
	{ "nor does it except from a Deny",
	    DOC(ALLOW("*", "*") ",{'Effect':'Deny','Action':'*',"
				"'NotResource':'arn:aws:iot:*/x'}"),
	    "", PUBLISH, "x", EXPLICIT_DENY },
	{ "a wildcard within the type", DOC(ALLOW("Publish", "@top?c/x")), "", PUBLISH, "x",
	    ALLOWED },
	{ "? is one UTF-8 character", DOC(ALLOW("Publish", "@topic/?")), "", PUBLISH,
	    "\xf0\x9f\x94\x91", ALLOWED },
	{ "?? is not one of four bytes", DOC(ALLOW("Publish", "@topic/*??")), "", PUBLISH,
	    "\xf0\x9f\x94\x91", IMPLICIT_DENY },
	{ "case counts", DOC(ALLOW("Publish", "@topic/X")), "", PUBLISH, "x", IMPLICIT_DENY },
	{ "no statement at all", DOC(""), "", PUBLISH, "x", IMPLICIT_DENY },
	{ "the older version has no variables",
	    "{'Version':'2008-10-17','Statement':" ALLOW("Publish", "@topic/${iot:ClientId}") "}",
	    "", PUBLISH, "dev1", IMPLICIT_DENY },
	{ "there they are text",
	    "{'Version':'2008-10-17','Statement':" ALLOW("Publish", "@topic/${iot:ClientId}") "}",
	    "", PUBLISH, "${iot:ClientId}", ALLOWED },

	/* No value of a client or a certificate widens a policy (aws-iot F.5). */
	{ "12: a star in an id is not one", DOC(ALLOW("Publish", "@topic/${iot:ClientId}/x")),
	    "id=*", PUBLISH, "dev2/x", IMPLICIT_DENY },
	{ "not even for itself", DOC(ALLOW("Publish", "@topic/${iot:ClientId}/x")), "id=*", PUBLISH,
	    "*/x", IMPLICIT_DENY },
	{ "a + that matches every client",
	    DOC(ALLOW("Subscribe", "@topicfilter/my/${iot:ClientId}/t")), "id=+", SUBSCRIBE,
	    "my/+/t", IMPLICIT_DENY },
	{ "the # too", DOC(ALLOW("Subscribe", "@topicfilter/my/${iot:ClientId}")), "id=#",
	    SUBSCRIBE, "my/#", IMPLICIT_DENY },
	{ "a / in a client id", DOC(ALLOW("Publish", "@topic/${iot:ClientId}")), "id=a/b", PUBLISH,
	    "a/b", IMPLICIT_DENY },
	{ "but as it is, as AWS does", DOC(ALLOW("Publish", "@topic/${iot:ClientId}")),
	    "id=a/b as-is", PUBLISH, "a/b", ALLOWED },
	{ "as it is, a star stays text", DOC(ALLOW("Publish", "@topic/${iot:ClientId}")),
	    "id=* as-is", PUBLISH, "dev2", IMPLICIT_DENY },
	{ "as it is, it matches itself", DOC(ALLOW("Publish", "@topic/${iot:ClientId}")),
	    "id=* as-is", PUBLISH, "*", ALLOWED },
	{ "a thing's attribute with a star",
	    DOC(ALLOW("Publish", "@topic/${iot:Connection.Thing.Attributes[star]}")), "thing",
	    PUBLISH, "*", IMPLICIT_DENY },
	{ "no client has the id ${iot:ClientId}", DOC(ALLOW("Publish", "@topic/${iot:ClientId}")),
	    "unknown", PUBLISH, "${iot:ClientId}", IMPLICIT_DENY },
	{ "an unknown variable matches nothing", DOC(ALLOW("Publish", "@topic/${iot:Nonsense}*")),
	    "", PUBLISH, "x", IMPLICIT_DENY },
	{ "a hidden address does not allow", DOC(ALLOW("Publish", "@topic/${aws:SourceIp}")),
	    "unknown", PUBLISH, "192.0.2.1", IMPLICIT_DENY },
	{ "a hidden address denies what it could be",
	    DOC(ALLOW("*", "*") "," DENY("Publish", "@topic/a/${aws:SourceIp}")), "unknown",
	    PUBLISH, "a/x", EXPLICIT_DENY },
	{ "and not what it cannot be",
	    DOC(ALLOW("*", "*") "," DENY("Publish", "@topic/a/${aws:SourceIp}")), "unknown",
	    PUBLISH, "b/x", ALLOWED },

	/* The value of every variable. */
	{ "the client id", DOC(ALLOW("Publish", "@topic/a/${iot:ClientId}/b")), "", PUBLISH,
	    "a/dev1/b", ALLOWED },
	{ "in any case", DOC(ALLOW("Publish", "@topic/a/${IOT:clientID}/b")), "", PUBLISH,
	    "a/dev1/b", ALLOWED },
	{ "behind a star", DOC(ALLOW("Publish", "@topic/*/${iot:ClientId}/*")), "", PUBLISH,
	    "a/dev/dev1/x", ALLOWED },
	{ "the certificate id", DOC(ALLOW("Publish", "@topic/${iot:CertificateId}")), "", PUBLISH,
	    "00ff", ALLOWED },
	{ "the domain name", DOC(ALLOW("Publish", "@topic/${iot:DomainName}")), "", PUBLISH,
	    "mqtt.example.com", ALLOWED },
	{ "the address", DOC(ALLOW("Publish", "@topic/${aws:SourceIp}")), "", PUBLISH, "192.0.2.1",
	    ALLOWED },
	{ "the thing's type", DOC(ALLOW("Publish", "@topic/${iot:Connection.Thing.ThingTypeName}")),
	    "thing", PUBLISH, "lamp", ALLOWED },
	{ "its attribute",
	    DOC(ALLOW("Publish", "@topic/${iot:Connection.Thing.Attributes[Level]}")), "thing",
	    PUBLISH, "12", ALLOWED },
	{ "of a name in another case",
	    DOC(ALLOW("Publish", "@topic/${iot:Connection.Thing.Attributes[level]}")), "thing",
	    PUBLISH, "12", IMPLICIT_DENY },
	{ "without .1 the first",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit}")), "",
	    PUBLISH, "one", ALLOWED },
	{ ".2 is the third",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit.2}")), "",
	    PUBLISH, "three", ALLOWED },
	{ ".3 has no value",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit.3}*")), "",
	    PUBLISH, "three", IMPLICIT_DENY },
	{ "a list is no text",
	    DOC(ALLOW("Publish", "@topic/${iot:Certificate.Subject.OrganizationalUnit.List}")), "",
	    PUBLISH, "one", IMPLICIT_DENY },

	/* Names that begin with $ are reached only literally (policy.h). */
	{ "a star does not reach $SYS", DOC(ALLOW("*", "*")), "", SUBSCRIBE, "$SYS/#",
	    IMPLICIT_DENY },
	{ "nor behind topicfilter/", DOC(ALLOW("*", "@topicfilter/*")), "", SUBSCRIBE, "$SYS/#",
	    IMPLICIT_DENY },
	{ "nor a wildcard in its first level", DOC(ALLOW("*", "@topic/$SYS*")), "", RECEIVE,
	    "$SYS/x", IMPLICIT_DENY },
	{ "its name does", DOC(ALLOW("*", "@topic/$SYS/*")), "", RECEIVE, "$SYS/x", ALLOWED },
	{ "whatever the region", DOC(ALLOW("*", "arn:aws:iot:*:*:topic/$SYS/*")), "", RECEIVE,
	    "$SYS/x", ALLOWED },
	{ "the name alone is a level", DOC(ALLOW("*", "@topic/$x")), "", PUBLISH, "$x", ALLOWED },
	{ "written ${$} too", DOC(ALLOW("*", "@topic/${$}aws/things/${iot:ClientId}/*")), "",
	    PUBLISH, "$aws/things/dev1/shadow", ALLOWED },
	{ "another level in disguise", DOC(ALLOW("*", "arn:aws:iot:*:topic/$SYS/*")), "", RECEIVE,
	    "$other/x:topic/$SYS/y", IMPLICIT_DENY },
	{ "NotResource names nothing",
	    DOC("{'Effect':'Allow','Action':'*','NotResource':'@topic/a'}"), "", RECEIVE, "$SYS/x",
	    IMPLICIT_DENY },
	{ "a variable is no literal", DOC(ALLOW("*", "@topic/${iot:ClientId}/x")), "id=$SYS as-is",
	    PUBLISH, "$SYS/x", IMPLICIT_DENY },
	{ "a Deny reaches them by a star",
	    DOC(ALLOW("*", "@topic/$SYS/*") "," DENY("*", "@topic/*")), "", RECEIVE, "$SYS/x",
	    EXPLICIT_DENY },
	{ "a $ elsewhere is a letter", DOC(ALLOW("*", "@topic/*")), "", RECEIVE, "a/$x", ALLOWED },
	{ "a client id may have one", DOC(ALLOW("Connect", "@client/*")), "", CONNECT, "$x",
	    ALLOWED },

	/* Actions of the control API (policy.h). */
	{ "a name allows", DOC(ALLOW("UpdateCertificate", "*")), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", ALLOWED },
	{ "in any case", DOC(ALLOW("updatecertificate", "*")), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", ALLOWED },
	{ "part of a name allows", DOC(ALLOW("*Certificate", "*")), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", ALLOWED },
	{ "a part that is another's does not", DOC(ALLOW("*Policy", "*")), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", IMPLICIT_DENY },
	{ "iot:* does not", DOC(ALLOW("*", "*")), "", POLICY_CONTROL, "iot:UpdateCertificate",
	    IMPLICIT_DENY },
	{ "nor * and ? together", DOC(ALLOW("*?", "*")), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", IMPLICIT_DENY },
	{ "* does not", DOC("{'Effect':'Allow','Action':'*','Resource':'*'}"), "", POLICY_CONTROL,
	    "iot:UpdateCertificate", IMPLICIT_DENY },
	{ "nor a name behind a star",
	    DOC("{'Effect':'Allow','Action':'*UpdateCertificate',"
		"'Resource':'*'}"),
	    "", POLICY_CONTROL, "iot:UpdateCertificate", IMPLICIT_DENY },
	{ "NotAction does not", DOC("{'Effect':'Allow','NotAction':'iot:Connect','Resource':'*'}"),
	    "", POLICY_CONTROL, "iot:UpdateCertificate", IMPLICIT_DENY },
	{ "a Deny does by iot:*", DOC(ALLOW("UpdateCertificate", "*") "," DENY("*", "*")), "",
	    POLICY_CONTROL, "iot:UpdateCertificate", EXPLICIT_DENY },
	{ "a Deny does by NotAction",
	    DOC(ALLOW("UpdateCertificate",
		"*") ",{'Effect':'Deny','NotAction':'iot:Connect','Resource':'*'}"),
	    "", POLICY_CONTROL, "iot:UpdateCertificate", EXPLICIT_DENY },
};

/* Conditions are asked with {'Effect':E,'Action':'iot:*','Resource':'*'}. */
static const struct {
	const char *what, *condition, *facts;
	enum policy_action action;
	bool holds, hidden;
} conditions[] = {
	{ "nothing to hold", "", "", PUBLISH, true, false },
	{ "a text that is the same", "'StringEquals':{'iot:ClientId':'dev1'}", "", PUBLISH, true,
	    false },
	{ "one that is not", "'StringEquals':{'iot:ClientId':'dev2'}", "", PUBLISH, false, false },
	{ "a star is a star there", "'StringEquals':{'iot:ClientId':'dev*'}", "", PUBLISH, false,
	    false },
	{ "one of several", "'StringEquals':{'iot:ClientId':['a','dev1']}", "", PUBLISH, true,
	    false },
	{ "none of several", "'StringNotEquals':{'iot:ClientId':['a','dev1']}", "", PUBLISH, false,
	    false },
	{ "really none", "'StringNotEquals':{'iot:ClientId':['a','b']}", "", PUBLISH, true, false },
	{ "case counts", "'StringEquals':{'iot:ClientId':'DEV1'}", "", PUBLISH, false, false },
	{ "or not", "'StringEqualsIgnoreCase':{'iot:ClientId':'DEV1'}", "", PUBLISH, true, false },
	{ "not, negated", "'StringNotEqualsIgnoreCase':{'iot:ClientId':'DEV1'}", "", PUBLISH, false,
	    false },
	{ "a pattern", "'StringLike':{'iot:ClientId':'d?v*'}", "", PUBLISH, true, false },
	{ "a negated pattern", "'StringNotLike':{'iot:ClientId':'d?v*'}", "", PUBLISH, false,
	    false },
	{ "an escaped star", "'StringLike':{'iot:ClientId':'dev${*}'}", "", PUBLISH, false, false },
	{ "a key's value counts as it is", "'StringEquals':{'iot:ClientId':'a*/+'}", "id=a*/+",
	    PUBLISH, true, false },
	{ "a variable in a value",
	    "'StringEquals':{'iot:Connection.Thing.ThingName':'${iot:ClientId}'}", "thing", PUBLISH,
	    true, false },
	{ "one that may not stand", "'StringEquals':{'iot:ClientId':'${iot:ClientId}'}", "id=*",
	    PUBLISH, false, false },
	{ "the same, negated", "'StringNotEquals':{'iot:ClientId':'${iot:ClientId}'}", "id=*",
	    PUBLISH, true, false },
	{ "one without a value", "'StringNotEquals':{'iot:ClientId':'${iot:Nonsense}'}", "",
	    PUBLISH, true, false },
	{ "a missing key", "'StringEquals':{'iot:Nonsense':'x'}", "", PUBLISH, false, false },
	{ "a missing key, negated", "'StringNotEquals':{'iot:Nonsense':'x'}", "", PUBLISH, true,
	    false },
	{ "a missing key, if it exists", "'StringEqualsIfExists':{'iot:Nonsense':'x'}", "", PUBLISH,
	    true, false },
	{ "one that exists", "'StringEqualsIfExists':{'iot:ClientId':'x'}", "", PUBLISH, false,
	    false },
	{ "ForAnyValue of a missing key, if it exists",
	    "'ForAnyValue:StringEqualsIfExists':"
	    "{'iot:Nonsense':'x'}",
	    "", PUBLISH, true, false },
	{ "no value at all", "'StringEquals':{'iot:ClientId':[]}", "", PUBLISH, false, false },
	{ "no value at all, negated", "'StringNotEquals':{'iot:ClientId':[]}", "", PUBLISH, true,
	    false },
	{ "all operators must hold",
	    "'StringEquals':{'iot:ClientId':'dev1'},'StringLike':"
	    "{'iot:ClientId':'x*'}",
	    "", PUBLISH, false, false },
	{ "all keys must hold", "'StringEquals':{'iot:ClientId':'dev1','iot:DomainName':'x'}", "",
	    PUBLISH, false, false },

	{ "a key of several values, one matches",
	    "'StringEquals':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':'two'}",
	    "", PUBLISH, true, false },
	{ "negated: one matches",
	    "'StringNotEquals':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':'two'}",
	    "", PUBLISH, false, false },
	{ "ForAllValues: not all",
	    "'ForAllValues:StringEquals':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':['one','two']}",
	    "", PUBLISH, false, false },
	{ "ForAllValues: all",
	    "'ForAllValues:StringLike':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':['*o*','th*']}",
	    "", PUBLISH, true, false },
	{ "ForAnyValue: one differs",
	    "'ForAnyValue:StringNotEquals':"
	    "{'iot:Certificate.Subject.OrganizationalUnit.List':['one','two']}",
	    "", PUBLISH, true, false },
	{ "ForAllValues of a missing key", "'ForAllValues:StringEquals':{'iot:Nonsense':'x'}", "",
	    PUBLISH, true, false },
	{ "ForAnyValue of a missing key", "'ForAnyValue:StringNotEquals':{'iot:Nonsense':'x'}", "",
	    PUBLISH, false, false },
	{ "the keys that have a value",
	    "'ForAnyValue:StringEquals':{'iot:Certificate.AvailableKeys':"
	    "'iot:Certificate.Subject.OrganizationalUnit'}",
	    "", PUBLISH, true, false },
	{ "and no others",
	    "'ForAnyValue:StringEquals':{'iot:Certificate.AvailableKeys':"
	    "'iot:Certificate.Subject.Title'}",
	    "", PUBLISH, false, false },
	{ "among which are none of ours",
	    "'ForAnyValue:StringLike':{'iot:Certificate.AvailableKeys':"
	    "['*Key*','jitr:*']}",
	    "", PUBLISH, false, false },
	{ "the kind of key", "'StringEquals':{'jitr:Certificate.KeyType':['P-256','P-384']}", "",
	    PUBLISH, true, false },
	{ "in whatever case", "'StringEquals':{'JITR:certificate.keytype':'P-256'}", "", PUBLISH,
	    true, false },
	{ "its size", "'NumericGreaterThan':{'jitr:Certificate.KeyBits':256}", "", PUBLISH, false,
	    false },
	{ "what it is signed with",
	    "'StringLike':{'jitr:Certificate.SignatureAlgorithm':'*SHA256'}", "", PUBLISH, true,
	    false },
	{ "how long it is valid", "'NumericLessThanEquals':{'jitr:Certificate.ValidityDays':366}",
	    "", PUBLISH, true, false },
	{ "ours are not AWS's",
	    "'Null':{'iot:Certificate.KeyType':true,"
	    "'iot:Certificate.ValidityDays':true}",
	    "", PUBLISH, true, false },
	{ "nor AWS's ours",
	    "'Null':{'jitr:Certificate.SerialNumber':true,"
	    "'jitr:Certificate.Subject.CommonName':true}",
	    "", PUBLISH, true, false },
	{ "an escaped value of a certificate",
	    "'StringEquals':{'iot:Certificate.Issuer.CommonName':"
	    "'a\\\\,b'}",
	    "", PUBLISH, true, false },

	{ "true is true", "'Bool':{'iot:Connection.Thing.IsAttached':['true']}", "thing", PUBLISH,
	    true, false },
	{ "true is not false", "'Bool':{'iot:Connection.Thing.IsAttached':true}", "", PUBLISH,
	    false, false },
	{ "false is false", "'Bool':{'iot:Connection.Thing.IsAttached':false}", "", PUBLISH, true,
	    false },
	{ "dev1 is neither", "'Bool':{'iot:ClientId':['true','false']}", "", PUBLISH, false,
	    false },

	{ "an address", "'IpAddress':{'aws:SourceIp':'192.0.2.1'}", "", PUBLISH, true, false },
	{ "a range", "'IpAddress':{'aws:SourceIp':['10.0.0.0/8','192.0.2.0/24']}", "", PUBLISH,
	    true, false },
	{ "the range beside it", "'IpAddress':{'aws:SourceIp':'192.0.3.0/24'}", "", PUBLISH, false,
	    false },
	{ "half a range", "'IpAddress':{'aws:SourceIp':'192.0.2.128/25'}", "", PUBLISH, false,
	    false },
	{ "not in a range", "'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}", "", PUBLISH, true,
	    false },
	{ "everything", "'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}", "", PUBLISH, true, false },
	{ "all of the other family", "'IpAddress':{'aws:SourceIp':'::/0'}", "", PUBLISH, false,
	    false },
	{ "IPv6", "'IpAddress':{'aws:SourceIp':'2001:db8::/33'}", "ip=2001:DB8::1", PUBLISH, true,
	    false },
	{ "IPv6 beyond the bits", "'IpAddress':{'aws:SourceIp':'2001:db8::/33'}",
	    "ip=2001:db8:8000::1", PUBLISH, false, false },
	{ "IPv4 in IPv6", "'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", "ip=::ffff:192.0.2.9",
	    PUBLISH, true, false },
	{ "a range in IPv6 of IPv4", "'IpAddress':{'aws:SourceIp':'::ffff:192.0.2.0/120'}", "",
	    PUBLISH, true, false },
	{ "no address at all", "'IpAddress':{'iot:ClientId':'0.0.0.0/0'}", "", PUBLISH, false,
	    false },
	{ "an address of the certificate",
	    "'IpAddress':"
	    "{'iot:Certificate.Issuer.AlternativeName.IPAddress':'192.0.2.0/28'}",
	    "", PUBLISH, true, false },
	{ "a hidden address", "'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}", "unknown", PUBLISH, false,
	    true },
	{ "a hidden address, negated", "'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}", "unknown",
	    PUBLISH, false, true },

	{ "numbers", "'NumericEquals':{'iot:Connection.Thing.Attributes[Level]':12}", "thing",
	    PUBLISH, true, false },
	{ "written otherwise", "'NumericEquals':{'iot:Connection.Thing.Attributes[Level]':'012.0'}",
	    "thing", PUBLISH, true, false },
	{ "12 is not 7", "'NumericNotEquals':{'iot:Connection.Thing.Attributes[Level]':7}", "thing",
	    PUBLISH, true, false },
	{ "12 is more than 7",
	    "'NumericGreaterThan':{'iot:Connection.Thing.Attributes[Level]':'7'}", "thing", PUBLISH,
	    true, false },
	{ "12 is not less than 7", "'NumericLessThan':{'iot:Connection.Thing.Attributes[Level]':7}",
	    "thing", PUBLISH, false, false },
	{ "12 is at most 12",
	    "'NumericLessThanEquals':{'iot:Connection.Thing.Attributes[Level]':12}", "thing",
	    PUBLISH, true, false },
	{ "12 is at least 12",
	    "'NumericGreaterThanEquals':"
	    "{'iot:Connection.Thing.Attributes[Level]':12}",
	    "thing", PUBLISH, true, false },
	{ "12 is more than -13",
	    "'NumericGreaterThan':{'iot:Connection.Thing.Attributes[Level]':-13.5}", "thing",
	    PUBLISH, true, false },
	{ "a number of any length is exact",
	    "'NumericEquals':"
	    "{'iot:Certificate.SerialNumber':'10525622389124227207'}",
	    "", PUBLISH, false, false },
	{ "and itself", "'NumericEquals':{'iot:Certificate.SerialNumber':'10525622389124227206'}",
	    "", PUBLISH, true, false },
	{ "dev1 is no number", "'NumericLessThan':{'iot:ClientId':5}", "", PUBLISH, false, false },

	{ "dates", "'DateEquals':{'iot:Connection.Thing.Attributes[since]':'2026-01-31T00:00:00Z'}",
	    "thing", PUBLISH, true, false },
	{ "a later date",
	    "'DateLessThan':{'iot:Connection.Thing.Attributes[since]':"
	    "'2026-01-31T00:00:00.001Z'}",
	    "thing", PUBLISH, true, false },
	{ "seconds since 1970",
	    "'DateEquals':{'iot:Connection.Thing.Attributes[since]':1769817600}", "thing", PUBLISH,
	    true, false },
	{ "an earlier one",
	    "'DateGreaterThanEquals':{'iot:Connection.Thing.Attributes[since]':"
	    "'2024-02-29'}",
	    "thing", PUBLISH, true, false },
	{ "no clock here", "'DateLessThan':{'aws:CurrentTime':'9999-01-01'}", "", PUBLISH, false,
	    true },
	{ "not for the time in seconds either", "'NumericLessThan':{'aws:EpochTime':'1'}", "",
	    PUBLISH, false, true },

	{ "it is there", "'Null':{'iot:ClientId':'false'}", "", PUBLISH, true, false },
	{ "it is not", "'Null':{'iot:Nonsense':true}", "", PUBLISH, true, false },
	{ "it is not there, though", "'Null':{'iot:ClientId':true}", "", PUBLISH, false, false },
	{ "no thing is no name of a thing", "'Null':{'iot:Connection.Thing.ThingName':'true'}", "",
	    PUBLISH, true, false },

/* aws-iot F.6: the features that a CONNECT uses.  The documented idioms come first. */
#define USED(op, values) "'" op "':{'iot:ConnectAttributes':" values "}"
	{ "plain only: plain", USED("ForAllValues:StringEquals", "[]"), "", CONNECT, true, false },
	{ "plain only: will", USED("ForAllValues:StringEquals", "[]"), "will", CONNECT, false,
	    false },
	{ "plain only: persistent", USED("ForAllValues:StringEquals", "[]"), "persistent", CONNECT,
	    false, false },
	{ "will allowed: plain", USED("ForAllValues:StringEquals", "['LastWill']"), "", CONNECT,
	    true, false },
	{ "will allowed: will", USED("ForAllValues:StringEquals", "['LastWill']"), "will", CONNECT,
	    true, false },
	{ "will allowed: both", USED("ForAllValues:StringEquals", "['LastWill']"),
	    "will persistent", CONNECT, false, false },
	{ "both allowed: both",
	    USED("ForAllValues:StringEquals", "['PersistentConnect','LastWill']"),
	    "will persistent", CONNECT, true, false },
	{ "all but persistence: will",
	    USED("ForAllValues:StringNotEquals", "['PersistentConnect']"), "will", CONNECT, true,
	    false },
	{ "all but persistence: both",
	    USED("ForAllValues:StringNotEquals", "['PersistentConnect']"), "will persistent",
	    CONNECT, false, false },
	{ "any is persistence: both", USED("ForAnyValue:StringEquals", "['PersistentConnect']"),
	    "will persistent", CONNECT, true, false },
	{ "any is persistence: will", USED("ForAnyValue:StringEquals", "['PersistentConnect']"),
	    "will", CONNECT, false, false },
	{ "any is persistence: plain", USED("ForAnyValue:StringEquals", "['PersistentConnect']"),
	    "", CONNECT, false, false },
	{ "a hidden will matters", USED("ForAllValues:StringEquals", "[]"), "will?", CONNECT, false,
	    true },
	{ "a hidden will where it does not matter",
	    USED("ForAllValues:StringEquals", "['LastWill']"), "will?", CONNECT, true, false },
	{ "a hidden will beside persistence", USED("ForAllValues:StringEquals", "['LastWill']"),
	    "will? persistent", CONNECT, false, false },
	{ "hidden persistence beside a will", USED("ForAllValues:StringEquals", "[]"),
	    "will persistent?", CONNECT, false, false },
	{ "both hidden", USED("ForAnyValue:StringEquals", "'PersistentConnect'"),
	    "will? persistent?", CONNECT, false, true },
	{ "both hidden, neither matters", USED("ForAnyValue:StringEquals", "'Other'"),
	    "will? persistent?", CONNECT, false, false },
	{ "other actions have no such key", USED("ForAllValues:StringEquals", "[]"),
	    "will? persistent", PUBLISH, true, false },

	{ "the topic of the will", "'ArnEquals':{'iot:LastWillTopic':'@topic/will/dev1'}",
	    "will will-topic", CONNECT, true, false },
	{ "by a pattern", "'ArnLike':{'iot:LastWillTopic':'arn:aws:iot:*:*:topic/will/*'}",
	    "will will-topic", CONNECT, true, false },
	{ "ArnEquals has patterns too", "'ArnEquals':{'iot:LastWillTopic':'@topic/*/dev?'}",
	    "will will-topic", CONNECT, true, false },
	{ "any ARN", "'ArnEquals':{'iot:LastWillTopic':'*'}", "will will-topic", CONNECT, true,
	    false },
	{ "parts are compared one by one",
	    "'ArnLike':{'iot:LastWillTopic':'arn:aws:iot:*:topic/x:*'}", "will will-topic", CONNECT,
	    false, false },
	{ "a star does not cross a colon", "'ArnLike':{'iot:LastWillTopic':'arn:aws:*:x:x:*'}",
	    "will will-topic", CONNECT, false, false },
	{ "with a variable", "'ArnEquals':{'iot:LastWillTopic':'@topic/will/${iot:ClientId}'}",
	    "will will-topic", CONNECT, true, false },
	{ "negated", "'ArnNotLike':{'iot:LastWillTopic':'@topic/will/*'}", "will will-topic",
	    CONNECT, false, false },
	{ "no will, no topic", "'ArnLike':{'iot:LastWillTopic':'*'}", "", CONNECT, false, false },
	{ "no will, no topic, negated", "'ArnNotEquals':{'iot:LastWillTopic':'@topic/x'}", "",
	    CONNECT, true, false },
	{ "a hidden topic", "'ArnLike':{'iot:LastWillTopic':'@topic/will/*'}", "will", CONNECT,
	    false, true },
	{ "a hidden will", "'ArnLike':{'iot:LastWillTopic':'@topic/will/*'}", "will?", CONNECT,
	    false, true },
	{ "other actions have no will", "'ArnLike':{'iot:LastWillTopic':'@topic/will/*'}", "will",
	    PUBLISH, false, false },
	{ "an id is no ARN", "'ArnLike':{'iot:ClientId':'arn:*:*:*:*:*'}", "", PUBLISH, false,
	    false },
};

START_TEST(a_request_is_decided_as_the_row_says)
{
	const struct row *r = &rows[_i];
	struct facts f = facts_of(r->facts);

	ck_assert_msg(ask(r->document, &f, r->action, r->name) == r->expected, "%s", r->what);
}
END_TEST

/* Certificates whose name is a pattern: vector 12 of aws-iot F.8. */
START_TEST(a_common_name_with_a_wildcard_gives_no_rights)
{
	static const char *const ids[] = { "dev*", "devil", "dev" };
	struct facts f = dev1();

	cert->values[4].text = view_of("dev*");
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ck_assert_int_eq(ask(DOC(ALLOW("Connect",
					 "@client/${iot:Certificate.Subject.CommonName}")),
				     &f, CONNECT, ids[i]),
		    IMPLICIT_DENY);
}
END_TEST

static void
ck_condition(const char *effect, size_t i, enum policy_result expected)
{
	struct facts f = facts_of(conditions[i].facts);
	bool deny = strcmp(effect, "Deny") == 0;
	char text[2048];

	snprintf(text, sizeof(text),
	    "{'Version':'2012-10-17','Statement':[%s"
	    "{'Effect':'%s','Action':'iot:*','Resource':'*','Condition':{%s}}]}",
	    deny ? ALLOW("*", "*") "," : "", effect, conditions[i].condition);
	ck_assert_msg(ask(text, &f, conditions[i].action, "x") == expected, "%s: %s",
	    conditions[i].what, effect);
}

START_TEST(an_allow_applies_if_its_condition_surely_holds)
{
	ck_condition("Allow", (size_t)_i, conditions[_i].holds ? ALLOWED : IMPLICIT_DENY);
}
END_TEST

START_TEST(a_deny_applies_unless_its_condition_surely_does_not_hold)
{
	ck_condition("Deny", (size_t)_i,
	    conditions[_i].holds || conditions[_i].hidden ? EXPLICIT_DENY : ALLOWED);
}
END_TEST

/*
 * Several policies.
 */

static struct policy *
read_policy(const char *written)
{
	struct policy *p = NULL;
	struct diag diag = { "" };

	ck_assert_msg(policy_read(written, &p, &diag) == ERR_OK, "%s", diag.text);
	return p;
}

START_TEST(the_deciding_statement_is_the_first_deny_else_the_first_allow)
{
	struct policy *set[] = {
		read_policy(DOC(ALLOW("Publish", "@topic/none"))),
		read_policy(DOC(ALLOW("Connect",
		    "*") ",{'Sid':'S1','Effect':'Allow',"
			 "'Action':'iot:Publish','Resource':'*'}," ALLOW("Publish", "*"))),
		read_policy(DOC(ALLOW("Publish", "*") "," DENY("Publish", "@topic/x"))),
	};
	const struct policy *const *all = (const struct policy *const *)set;
	struct facts f = dev1();
	struct policy_request r = { .action = PUBLISH,
		.prefix = head_of(PUBLISH),
		.name = view_of("y"),
		.facts = &f };
	struct policy_match g = { 9, 9, { NULL, 0 } };

	ck_assert_int_eq(policy_eval(all, 1, &r, &g), IMPLICIT_DENY);
	ck_assert_uint_eq(g.policy, 9);
	ck_assert_int_eq(policy_eval(all, 3, &r, &g), ALLOWED);
	ck_assert_uint_eq(g.policy, 1);
	ck_assert_uint_eq(g.statement, 1);
	ck_assert(view_equal(g.sid, view_of("S1")));
	r.name = view_of("x");
	ck_assert_int_eq(policy_eval(all, 3, &r, &g), EXPLICIT_DENY);
	ck_assert_uint_eq(g.policy, 2);
	ck_assert_uint_eq(g.statement, 1);
	ck_assert_uint_eq(g.sid.len, 0);
	ck_assert_int_eq(policy_eval(all, 0, &r, &g), IMPLICIT_DENY);
	for (size_t i = 0; i < COUNT_OF(set); i++)
		policy_free(set[i]);
	policy_free(NULL);
}
END_TEST

/* As one text, or in two parts split anywhere behind its first five fields. */
START_TEST(an_arn_may_be_given_in_two_parts)
{
	static const char arn[] = TEST_PREFIX "topic/a/b";
	struct policy *p = read_policy(
	    DOC(ALLOW("Publish", "@topic/?/b") "," DENY("Publish", "@topic/$x/*")));
	struct policy_request r = { .action = PUBLISH };

	for (size_t cut = 0; cut < sizeof(arn); cut++) {
		if (cut > 0 && cut < sizeof(TEST_PREFIX) - 1)
			continue;
		r.prefix = (struct view){ (const uint8_t *)arn, cut };
		r.name = (struct view){ (const uint8_t *)arn + cut, sizeof(arn) - 1 - cut };
		ck_assert_int_eq(policy_eval((const struct policy *const *)&p, 1, &r, NULL),
		    ALLOWED);
	}
	policy_free(p);
}
END_TEST

START_TEST(the_variables_and_uses_of_a_policy_are_reported)
{
	struct policy *p = read_policy(DOC(ST("Allow", "Publish",
	    "'Resource':["
	    "'@topic/${iot:ClientId}/${iot:clientid}','@topic/${iot:Nope}'],'Condition':{"
	    "'StringEquals':{'iot:Certificate.Subject.CommonName':'${aws:SourceIp}'}}")));
	static const char *const names[] = { "iot:ClientId", "iot:Nope", "aws:SourceIp",
		"iot:Certificate.Subject.CommonName" };
	struct facts f = dev1();
	struct view name;
	bool has;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		ck_assert(policy_variable(p, i, &f, &name, &has));
		ck_assert(view_equal(name, view_of(names[i])));
		ck_assert_int_eq(has, i != 1);
	}
	ck_assert(!policy_variable(p, COUNT_OF(names), &f, &name, &has));
	ck_assert_uint_eq(policy_uses(p), POLICY_USES_CERTIFICATE);
	policy_free(p);
}
END_TEST

static const struct {
	const char *document;
	unsigned uses;
} uses[] = {
	{ DOC(ALLOW("*", "*")), 0 },
	{ DOC(ALLOW("Publish", "@topic/${iot:Connection.Thing.ThingName}")), POLICY_USES_THING },
	{ DOC(IF("Allow", "Connect", "'Null':{'iot:LastWillTopic':true}")), 0 },
	{ DOC(ALLOW("UpdateCertificate", "*")), POLICY_ALLOWS_CONTROL },
	{ DOC(ALLOW("*Certificate", "*")), POLICY_ALLOWS_CONTROL },
	{ DOC(ALLOW("Sub*", "*") "," ALLOW("RECEIVE?", "*")), 0 }, /* no other begins so */
	{ DOC(ALLOW("S*", "*")), POLICY_ALLOWS_CONTROL },
	{ DOC(DENY("UpdateCertificate", "*")), POLICY_DENIES_CONTROL },
	{ DOC(DENY("*", "@policy/x")), POLICY_DENIES_CONTROL },
	{ DOC("{'Effect':'Deny','NotAction':'iot:Publish','Resource':'*'}"),
	    POLICY_DENIES_CONTROL },
	{ DOC("{'Effect':'Deny','Action':'*','NotResource':'@topic/a'}"), POLICY_DENIES_CONTROL },
	{ DOC(DENY("*", "@topic/a/*")), 0 },
	{ DOC(DENY("Publish", "*")), 0 },
	{ DOC("{'Effect':'Allow','NotAction':'iot:UpdateCertificate','Resource':'*'}"), 0 },
	{ DOC(ALLOW("Connect", "*")), 0 },
	{ DOC(ALLOW("CONNECT", "*")), 0 },
	{ DOC(ALLOW("?*", "*")), 0 },
};

/* A right on every name: an Allow must match all names, a Deny only one. */
static const struct {
	const char *document;
	enum policy_result expected;
} every_name[] = {
	{ DOC(ALLOW("AttachPolicy", "@policy/*")), ALLOWED },
	{ DOC(ALLOW("AttachPolicy", "*")), ALLOWED },
	{ DOC(ALLOW("AttachPolicy", "@*")), ALLOWED },
	{ DOC(ALLOW("AttachPolicy", "arn:*")), ALLOWED },
	{ DOC(ALLOW("AttachPolicy", "@policy/a*")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@policy/a")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@policy/?*")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@policy/*x")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@policy/")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@policy/${iot:ClientId}")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "@cert/*")), IMPLICIT_DENY },
	{ DOC(ALLOW("AttachPolicy", "*policy/*")), IMPLICIT_DENY },
	{ DOC("{'Effect':'Allow','Action':'iot:AttachPolicy','NotResource':'@policy/a'}"),
	    IMPLICIT_DENY },
	{ DOC("{'Effect':'Allow','Action':'iot:AttachPolicy','NotResource':'@cert/*'}"), ALLOWED },
#define ALL ALLOW("AttachPolicy", "*") ","
	{ DOC(ALL DENY("AttachPolicy", "@policy/secret")), EXPLICIT_DENY },
	{ DOC(ALL DENY("AttachPolicy", "@policy/secret-*")), EXPLICIT_DENY },
	{ DOC(ALL DENY("AttachPolicy", "@policy/${iot:ClientId}")), EXPLICIT_DENY },
	{ DOC(ALL DENY("*", "*secret")), EXPLICIT_DENY },
	{ DOC(ALL DENY("AttachPolicy", "@*")), EXPLICIT_DENY },
	{ DOC(ALL DENY("AttachPolicy", "@cert/x")), ALLOWED },
	{ DOC(ALL DENY("AttachPolicy", "@policy/")), ALLOWED },
	{ DOC(ALL DENY("DetachPolicy", "@policy/secret")), ALLOWED },
	{ DOC(ALL "{'Effect':'Deny','Action':'iot:AttachPolicy','NotResource':'@policy/a'}"),
	    EXPLICIT_DENY },
	{ DOC(ALL "{'Effect':'Deny','Action':'iot:AttachPolicy','NotResource':'@policy/*'}"),
	    ALLOWED },
#undef ALL
};

START_TEST(a_right_on_every_name_is_found_in_one_query)
{
	struct facts facts = dev1();
	struct policy_request r = { .action = POLICY_CONTROL,
		.control = "iot:AttachPolicy",
		.prefix = view_of(TEST_PREFIX "policy/"),
		.name = view_of(""),
		.any_name = true,
		.facts = &facts };
	struct policy *p = read_policy(every_name[_i].document);

	ck_assert_msg(policy_eval((const struct policy *const *)&p, 1, &r, NULL) ==
		every_name[_i].expected,
	    "%s", every_name[_i].document);
	policy_free(p);
}
END_TEST

START_TEST(facts_that_no_policy_uses_need_not_be_gathered)
{
	struct policy *p = read_policy(uses[_i].document);

	ck_assert_msg(policy_uses(p) == uses[_i].uses, "%s", uses[_i].document);
	policy_free(p);
}
END_TEST

/*
 * Time.
 */

static double
seconds_of(const char *document, const struct policy_request *r, enum policy_result expected)
{
	struct policy *p = read_policy(document);
	const struct policy *set[10];
	struct timespec begin, end;
	enum policy_result result;

	for (size_t i = 0; i < COUNT_OF(set); i++)
		set[i] = p;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	result = policy_eval(set, COUNT_OF(set), r, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	policy_free(p);
	ck_assert_int_eq(result, expected);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static const struct {
	const char *what, *piece, *tail;
	bool matches_nothing; /* decided within the limit of steps */
} hostile[] = {
	{ "stars", "*a", "b", true },
	{ "stars and places", "*?a", "*b*", true },
	{ "a star and many places", "?a", "*b*", true },
	{ "one long text", "a", "b*c", true },
	{ "a text that nearly is there", "a", "?b*", false },
	{ "many places that nearly are there", "?a", "?b*", false },
	{ "variables and stars", "${iot:ClientId}*", "?b*", false },
	{ "variables", "${iot:ClientId}", "?b*", false },
};

/* The goal is some milliseconds; a slow machine and a sanitizer may take longer.  Without the
 * limit of steps it takes seconds. */
START_TEST(every_policy_and_topic_are_evaluated_quickly)
{
	static uint8_t topic[65535];
	struct facts f = { .client_id = view_of("aaaa") };
	struct policy_request r = { .action = PUBLISH,
		.prefix = head_of(PUBLISH),
		.name = { topic, sizeof(topic) },
		.facts = &f };
	char allow[4096] = "{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'iot:*',"
			   "'Resource':'@topic/*",
	     deny[4096];
	char *effect;

	memset(topic, 'a', sizeof(topic));
	while (strlen(allow) < 1900)
		strcat(allow, hostile[_i].piece);
	strcat(strcat(allow, hostile[_i].tail), "'}}");
	ck_assert_double_lt(seconds_of(allow, &r, IMPLICIT_DENY), 0.5);
	strcpy(deny, allow);
	effect = strstr(deny, "'Allow'");
	memmove(effect + 6, effect + 7, strlen(effect + 7) + 1);
	memcpy(effect, "'Deny'", 6);
	ck_assert_double_lt(seconds_of(deny, &r,
				hostile[_i].matches_nothing ? IMPLICIT_DENY : EXPLICIT_DENY),
	    0.5);
}
END_TEST

static const struct {
	const char *text;
	int family; /* 0: none */
} addresses[] = {
	{ "192.0.2.1", 4 },
	{ "0.0.0.0", 4 },
	{ "::ffff:192.0.2.1", 4 },
	{ "2001:db8::1", 6 },
	{ "::", 6 },
	{ "::1", 6 },
	{ "", 0 },
	{ "192.0.2", 0 },
	{ "192.0.2.1 ", 0 },
	{ "192.0.2.256", 0 },
	{ "192.0.2.1.1", 0 },
	{ "0x7f.1", 0 },
	{ "fe80::1%eth0", 0 },
	{ "1:2:3:4:5:6:7:8:9", 0 },
	{ "localhost", 0 },
	{ "[::1]", 0 },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0 },
};

START_TEST(an_address_is_parsed_or_unknown)
{
	struct address a = address_parse(view_of(addresses[_i].text));
	bool mapped = a.b[10] == 0xff && a.b[11] == 0xff;

	ck_assert_msg(a.known == (addresses[_i].family != 0), "%s", addresses[_i].text);
	ck_assert(!a.known || mapped == (addresses[_i].family == 4));
}
END_TEST

START_TEST(actions_and_fields_have_their_names)
{
	struct arn_scope scope = arn_scope_of("r", "1");

	ck_assert_str_eq(policy_action_name(POLICY_RETAIN_PUBLISH), "iot:RetainPublish");
	ck_assert_str_eq(policy_action_name(POLICY_CONTROL), "");
	ck_assert_str_eq(policy_resource_type(POLICY_SUBSCRIBE), "topicfilter");
	ck_assert_str_eq(policy_resource_type(POLICY_CONTROL), "");
	ck_assert_str_eq(cert_field_name(FIELD_ISSUER_DNS_NAME), "Issuer.AlternativeName.DNSName");
	ck_assert_str_eq(cert_field_name(FIELD_CERT_SERIAL_NUMBER), "SerialNumber");
	ck_assert_str_eq(cert_field_name(FIELD_VALIDITY_DAYS), "ValidityDays");
	ck_assert(cert_field_is_ours(FIELD_KEY_TYPE) && cert_field_is_ours(FIELD_VALIDITY_DAYS));
	ck_assert(!cert_field_is_ours(FIELD_ISSUER_IP_ADDRESS));
	ck_assert(!cert_field_is_ours(CERT_FIELD_COUNT));
	ck_assert_str_eq(scope.prefix, "arn:aws:iot:r:1:");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy");
	TCase *t = suite_case(suite, "policy");

	tcase_add_checked_fixture(t, make_certificate, forget_certificate);
	tcase_add_loop_test(t, a_request_is_decided_as_the_row_says, 0, COUNT_OF(rows));
	tcase_add_test(t, a_common_name_with_a_wildcard_gives_no_rights);
	tcase_add_loop_test(t, an_allow_applies_if_its_condition_surely_holds, 0,
	    COUNT_OF(conditions));
	tcase_add_loop_test(t, a_deny_applies_unless_its_condition_surely_does_not_hold, 0,
	    COUNT_OF(conditions));
	tcase_add_test(t, the_deciding_statement_is_the_first_deny_else_the_first_allow);
	tcase_add_test(t, an_arn_may_be_given_in_two_parts);
	tcase_add_test(t, the_variables_and_uses_of_a_policy_are_reported);
	tcase_add_loop_test(t, a_right_on_every_name_is_found_in_one_query, 0,
	    COUNT_OF(every_name));
	tcase_add_loop_test(t, facts_that_no_policy_uses_need_not_be_gathered, 0, COUNT_OF(uses));
	tcase_add_loop_test(t, every_policy_and_topic_are_evaluated_quickly, 0, COUNT_OF(hostile));
	tcase_add_loop_test(t, an_address_is_parsed_or_unknown, 0, COUNT_OF(addresses));
	tcase_add_test(t, actions_and_fields_have_their_names);
	return suite_run(suite);
}
