/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_template.c - provisioning templates are compiled or refused, and make plans for
 * certificates (template.h, aws-iot E).
 */
#include "jitr/core/codec.h"
#include "jitr/core/template.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#define A20  "aaaaaaaaaaaaaaaaaaaa"
#define A100 A20 A20 A20 A20 A20
#define A128 A100 A20 "aaaaaaaa"

#define STRING       ":{'Type':'String'}"
#define PSEUDO(name) "'AWS::IoT::Certificate::" name "'"
#define REF(name)    "{'Ref':'" name "'}"
#define PREF(name)   "{'Ref':" PSEUDO(name) "}"
#define ALL_PSEUDO \
	PSEUDO("Id") \
	STRING "," PSEUDO("CommonName") STRING "," PSEUDO("Country") STRING \
	    "," PSEUDO("Organization") STRING "," PSEUDO("OrganizationalUnit") STRING \
	    "," PSEUDO("DistinguishedNameQualifier") STRING "," PSEUDO("StateName") STRING \
	    "," PSEUDO("SerialNumber") STRING

#define RESOURCE(name, type, properties) \
	"'" name "':{'Type':'AWS::IoT::" type "','Properties':{" properties "}}"
#define CERT_WITH(more) RESOURCE("certificate", "Certificate", "'CertificateId':" PREF("Id") more)
#define CERT            CERT_WITH("")
#define THING(rest)     RESOURCE("thing", "Thing", rest)
#define NAMED           "'ThingName':'t'"
#define POLICY(rest)    RESOURCE("policy", "Policy", rest)

/* With every parameter of a certificate, and the custom parameters p, q and s. */
#define DOC(resources) \
	"{'Parameters':{" ALL_PSEUDO ",'p'" STRING ",'q':{'Type':'String'," \
	"'Default':'dflt'},'s':{'Type':'String','Default':'a b'}},'Resources':{" resources "}}"
#define WITH(resource) DOC(CERT "," resource)

#define OVERRIDE(type, properties, settings) \
	"'r':{'Type':'AWS::IoT::" type "','Properties':{" properties \
	"},'OverrideSettings':{" settings "}}"

/* A policy document in a string, twice escaped. */
#define POLICY_TEXT \
	"{\\'Version\\':\\'2012-10-17\\',\\'Statement\\':{\\'Effect\\':\\'Allow\\'," \
	"\\'Action\\':\\'iot:*\\',\\'Resource\\':\\'@topic/${iot:ClientId}\\'}}"

static const struct {
	const char *what, *body;
} accepted[] = {
	{ "a certificate and nothing else", DOC(CERT) },
	{ "the id alone is declared",
	    "{'Parameters':{" PSEUDO("Id") STRING "},'Resources':{" CERT "}}" },
	{ "a status", DOC(CERT_WITH(",'Status':'INACTIVE'")) },
	{ "a status as AWS's guide writes it", DOC(CERT_WITH(",'Status':'Active'")) },
	{ "and the other", DOC(CERT_WITH(",'Status':'inActive'")) },
	{ "a parameter without a type, of which there is one",
	    "{'Parameters':{" PSEUDO("Id") ":{}},"
					   "'Resources':{" CERT "}}" },
	{ "a status by a parameter", DOC(CERT_WITH(",'Status':" PREF("Country"))) },
	{ "a thing", WITH(THING(NAMED)) },
	{ "a thing with all it can have",
	    WITH(THING("'ThingName':" PREF(
		"CommonName") ","
			      "'ThingTypeName':'lamp','BillingGroup':" REF(
				  "q") ",'ThingGroups':[],"
				       "'AttributePayload':{'country':" PREF(
					   "Country") ",'version':'v1','empty':''}")) },
	{ "a policy by name", WITH(POLICY("'PolicyName':'device'")) },
	{ "a policy by its document", WITH(POLICY("'PolicyDocument':'" POLICY_TEXT "'")) },
	{ "one by a parameter", WITH(POLICY("'PolicyName':" PREF("OrganizationalUnit"))) },
	{ "unused parameters", DOC(CERT) },
	{ "no order", "{'Resources':{" CERT "},'Parameters':{" ALL_PSEUDO "}}" },
	{ "what to do with a thing",
	    DOC(CERT "," OVERRIDE("Thing", NAMED,
		"'AttributePayload':'MERGE',"
		"'ThingTypeName':'REPLACE','ThingGroups':'DO_NOTHING'")) },
	{ "as AWS's prose spells it",
	    DOC(CERT "," OVERRIDE("Thing", NAMED,
		"'ATTRIBUTE_PAYLOAD':'FAIL',"
		"'THING_TYPE_NAME':'FAIL','THING_GROUPS':'MERGE'")) },
	{ "no settings", DOC(CERT "," OVERRIDE("Policy", "'PolicyName':'a'", "")) },
	{ "the example of AWS's guide",
	    "{'Parameters':{'AWS::IoT::Certificate::CommonName':{'Type':"
	    "'String'},'AWS::IoT::Certificate::SerialNumber':{'Type':'String'},"
	    "'AWS::IoT::Certificate::Country':{'Type':'String'},'AWS::IoT::Certificate::Id':"
	    "{'Type':'String'}},'Resources':{'thing':{'Type':'AWS::IoT::Thing','Properties':{"
	    "'ThingName':{'Ref':'AWS::IoT::Certificate::CommonName'},'AttributePayload':{'version':'v1',"
	    "'serialNumber':{'Ref':'AWS::IoT::Certificate::SerialNumber'}},'ThingTypeName':"
	    "'lightBulb-versionA','BillingGroup':'bg'},'OverrideSettings':{'AttributePayload':'MERGE',"
	    "'ThingTypeName':'REPLACE','ThingGroups':'DO_NOTHING'}},'certificate':{'Type':"
	    "'AWS::IoT::Certificate','Properties':{'CertificateId':{'Ref':'AWS::IoT::Certificate::Id'},"
	    "'Status':'ACTIVE'},'OverrideSettings':{'Status':'DO_NOTHING'}},'policy':{'Type':"
	    "'AWS::IoT::Policy','Properties':{'PolicyDocument':'{\\'Version\\':\\'2012-10-17\\',"
	    "\\'Statement\\':[{\\'Effect\\':\\'Allow\\',\\'Action\\':[\\'iot:Publish\\'],\\'Resource\\':"
	    "[\\'arn:aws:iot:us-east-1:123456789012:topic/foo/bar\\']}]}'}}}}" },
};

#define R            "templateBody: Resources"
#define T            R ".thing.Properties"
#define C            R ".certificate.Properties"
#define P            R ".policy.Properties"
#define WRONG        "must be a string or {\"Ref\": \"parameter\"}"
#define NOT_A_THING  "is not a valid thing name: 1 to 128 of a-z A-Z 0-9 : _ -"
#define NOT_A_POLICY "is not a valid policy name: 1 to 128 of a-z A-Z 0-9 _ + = , . @ -"
#define NOT_A_VALUE  "is not a valid attribute value: up to 800 of a-z A-Z 0-9 _ . , @ / : # = [ ] -"

static const struct {
	const char *what, *body, *why;
} refused[] = {
	{ "nothing", "", "The template body is not acceptable: it is empty" },
	{ "no JSON", "{", "The template body is not acceptable: it is not JSON" },
	{ "a resource twice", "{'Resources':{'a':{},'a':{}}}",
	    "The template body is not acceptable: member 'a' is given twice" },
	{ "a list", "[]", "templateBody: must be a JSON object" },
	{ "an unknown member", "{'Resource':{}}", "templateBody: unknown member 'Resource'" },
	{ "what fleet provisioning has", "{'Mappings':{},'Resources':{}}",
	    "templateBody: 'Mappings' is not for just-in-time provisioning" },
	{ "what else it has", "{'Resources':{},'DeviceConfiguration':{}}",
	    "templateBody: 'DeviceConfiguration' is not for just-in-time provisioning" },

	{ "parameters in a list", "{'Parameters':[]}",
	    "templateBody: Parameters: must be an object" },
	{ "a parameter that is text", "{'Parameters':{'a':'String'}}",
	    "templateBody: Parameters.a: must be an object" },
	{ "a parameter of another", "{'Parameters':{'a':{'Type':'Number'}}}",
	    "templateBody: Parameters.a.Type: must be String" },
	{ "a type that is none", "{'Parameters':{'a':{'Type':1}}}",
	    "templateBody: Parameters.a.Type: must be a string" },
	{ "a default that is a number", "{'Parameters':{'a':{'Type':'String','Default':1}}}",
	    "templateBody: Parameters.a.Default: must be a string" },
	{ "a parameter with more", "{'Parameters':{'a':{'Type':'String','NoEcho':true}}}",
	    "templateBody: Parameters.a: unknown member 'NoEcho'" },
	{ "a parameter no certificate has", "{'Parameters':{" PSEUDO("State") STRING "}}",
	    "templateBody: Parameters.AWS::IoT::Certificate::State: there is no such parameter of a "
	    "certificate" },
	{ "one that nothing has", "{'Parameters':{'AWS::Region':{'Type':'String'}}}",
	    "templateBody: Parameters.AWS::Region: there is no such parameter of a certificate" },
	{ "one in another case", "{'Parameters':{" PSEUDO("commonName") STRING "}}",
	    "there is no such parameter of a certificate" },

	{ "no resources", "{'Parameters':{}}", R ": is missing" },
	{ "resources in a list", "{'Resources':[]}", R ": must be an object" },
	{ "no certificate", DOC(THING(NAMED)),
	    R ": there is no AWS::IoT::Certificate, so nothing would "
	      "become ACTIVE" },
	{ "a resource that is text", "{'Resources':{'a':'b'}}", R ".a: must be an object" },
	{ "a resource without a type", "{'Resources':{'a':{'Properties':{}}}}",
	    R ".a: Type is missing" },
	{ "a type that is a number", "{'Resources':{'a':{'Type':1}}}",
	    R ".a.Type: must be a string" },
	{ "a type that is not ours", "{'Resources':{'a':{'Type':'AWS::IoT::ThingGroup'}}}",
	    R ".a.Type: 'AWS::IoT::ThingGroup' is none of AWS::IoT::Thing, AWS::IoT::Certificate, "
	      "AWS::IoT::Policy" },
	{ "a resource with more", "{'Resources':{'a':{'Type':'AWS::IoT::Thing','DependsOn':'b'}}}",
	    R ".a: unknown member 'DependsOn'" },
	{ "no properties", "{'Resources':{'a':{'Type':'AWS::IoT::Thing'}}}",
	    R ".a: Properties is missing" },
	{ "properties in a list", "{'Resources':{'a':{'Type':'AWS::IoT::Thing','Properties':[]}}}",
	    R ".a.Properties: must be an object" },

	{ "a misspelt property", WITH(THING("'Name':'x'")), T ": unknown member 'Name'" },
	{ "a thing without a name", WITH(THING("")), T ": ThingName is missing" },
	{ "a number for a name", WITH(THING("'ThingName':7")), T ".ThingName: " WRONG },
	{ "a name that is null", WITH(THING("'ThingName':null")), T ".ThingName: " WRONG },
	{ "a name with a blank", WITH(THING("'ThingName':'a b'")),
	    T ".ThingName: 'a b' " NOT_A_THING },
	{ "no name in the name", WITH(THING("'ThingName':''")), T ".ThingName: '' " NOT_A_THING },
	{ "a name that is too long", WITH(THING("'ThingName':'" A128 "a'")), NOT_A_THING },
	{ "a default with a blank", WITH(THING("'ThingName':" REF("s"))),
	    T ".ThingName: 'a b', the parameter's Default, " NOT_A_THING },
	{ "a function", WITH(THING("'ThingName':{'Fn::Join':['',['a',{'Ref':'q'}]]}")),
	    T ".ThingName: 'Fn::Join' is not for just-in-time provisioning" },
	{ "a function beside", WITH(THING("'ThingName':{'Ref':'q','Fn::Sub':'x'}")),
	    T ".ThingName: 'Fn::Sub' is not for just-in-time provisioning" },
	{ "two of one", WITH(THING("'ThingName':{'Ref':'q','ref':'q'}")), T ".ThingName: " WRONG },
	{ "an empty object", WITH(THING("'ThingName':{}")), T ".ThingName: " WRONG },
	{ "a reference to a number", WITH(THING("'ThingName':{'Ref':1}")), T ".ThingName: " WRONG },
	{ "a reference in another case", WITH(THING("'ThingName':{'ref':'q'}")),
	    T ".ThingName: " WRONG },
	{ "a parameter that is not declared", WITH(THING("'ThingName':" REF("r"))),
	    T ".ThingName: the parameter 'r' is not declared under Parameters" },
	{ "one of a certificate", "{'Resources':{" CERT "}}",
	    C
	    ".CertificateId: the parameter 'AWS::IoT::Certificate::Id' is not declared under Parameters" },
	{ "a type with a blank", WITH(THING(NAMED ",'ThingTypeName':'a b'")),
	    T ".ThingTypeName: 'a b' " NOT_A_THING },
	{ "a group that pays with a blank", WITH(THING(NAMED ",'BillingGroup':'a b'")),
	    T ".BillingGroup: 'a b' " NOT_A_THING },
	{ "thing groups", WITH(THING(NAMED ",'ThingGroups':['g']")),
	    T ".ThingGroups: there are no thing groups" },
	{ "a thing group", WITH(THING(NAMED ",'ThingGroups':'g'")),
	    T ".ThingGroups: must be a list" },
	{ "attributes in a list", WITH(THING(NAMED ",'AttributePayload':[]")),
	    T ".AttributePayload: must be an object" },
	{ "attributes as commands have them",
	    WITH(THING(NAMED ",'AttributePayload':{'attributes':"
			     "{'a':'b'}}")),
	    T ".AttributePayload.attributes: " WRONG },
	{ "an attribute with a blank", WITH(THING(NAMED ",'AttributePayload':{'a b':'c'}")),
	    T
	    ".AttributePayload.a b: is not a valid attribute name: 1 to 128 of a-z A-Z 0-9 _ . , @ "
	    "/ : # -" },
	{ "an attribute without a name", WITH(THING(NAMED ",'AttributePayload':{'':'c'}")),
	    T ".AttributePayload.: is not a valid attribute name" },
	{ "an attribute with a long name",
	    WITH(THING(NAMED ",'AttributePayload':{'" A128 "a':'c'}")),
	    "is not a valid attribute name" },
	{ "a value with a blank", WITH(THING(NAMED ",'AttributePayload':{'a':'b c'}")),
	    T ".AttributePayload.a: 'b c' " NOT_A_VALUE },
	{ "a long value",
	    WITH(THING(
		NAMED ",'AttributePayload':{'a':'" A100 A100 A100 A100 A100 A100 A100 A100 "a'}")),
	    NOT_A_VALUE },
	{ "two things", WITH(THING(NAMED) "," RESOURCE("other", "Thing", NAMED)),
	    R ".other.Properties: there is a thing already" },

	{ "no certificate's id", DOC(RESOURCE("certificate", "Certificate", "")),
	    C ".CertificateId: must be {\"Ref\": \"AWS::IoT::Certificate::Id\"}" },
	{ "an id that stands there",
	    DOC(RESOURCE("certificate", "Certificate", "'CertificateId':'00ff'")),
	    C ".CertificateId: must be {\"Ref\": \"AWS::IoT::Certificate::Id\"}" },
	{ "another parameter",
	    DOC(RESOURCE("certificate", "Certificate", "'CertificateId':" REF("q"))),
	    C ".CertificateId: must be {\"Ref\": \"AWS::IoT::Certificate::Id\"}" },
	{ "a certificate by its PEM",
	    DOC(RESOURCE("certificate", "Certificate", "'CertificatePem':'x'")),
	    C ": 'CertificatePem' is not for just-in-time provisioning: CertificateId is" },
	{ "and its CA's", DOC(CERT_WITH(",'CACertificatePem':'x'")),
	    C ": 'CACertificatePem' is not for just-in-time provisioning: CertificateId is" },
	{ "a request for one",
	    DOC(RESOURCE("certificate", "Certificate", "'CertificateSigningRequest':" REF("q"))),
	    C
	    ": 'CertificateSigningRequest' is not for just-in-time provisioning: CertificateId is" },
	{ "a status that is none", DOC(CERT_WITH(",'Status':'PENDING_ACTIVATION'")),
	    C ".Status: 'PENDING_ACTIVATION' is neither ACTIVE nor INACTIVE" },
	{ "REVOKED", DOC(CERT_WITH(",'Status':'REVOKED'")), "is neither ACTIVE nor INACTIVE" },
	{ "a default that is no status", DOC(CERT_WITH(",'Status':" REF("q"))),
	    C ".Status: 'dflt', the parameter's Default, is neither ACTIVE nor INACTIVE" },
	{ "a certificate with more", DOC(CERT_WITH(",'ThingName':'x'")),
	    C ": unknown member 'ThingName'" },
	{ "two certificates", WITH(RESOURCE("other", "Certificate", "'CertificateId':" PREF("Id"))),
	    R ".other.Properties: there is a certificate already" },

	{ "a policy without anything", WITH(POLICY("")),
	    P ": PolicyName or PolicyDocument is missing" },
	{ "a policy with both", WITH(POLICY("'PolicyName':'a','PolicyDocument':'b'")),
	    P ": PolicyName and PolicyDocument exclude each other" },
	{ "a policy with a blank", WITH(POLICY("'PolicyName':'a b'")),
	    P ".PolicyName: 'a b' " NOT_A_POLICY },
	{ "a policy with more", WITH(POLICY("'PolicyName':'a','Version':1")),
	    P ": unknown member 'Version'" },
	{ "a document that is an object", WITH(POLICY("'PolicyDocument':{'Version':'2012-10-17'}")),
	    P ".PolicyDocument: " WRONG },
	{ "a document that is no policy", WITH(POLICY("'PolicyDocument':'{}'")),
	    P ".PolicyDocument: Policy document: Version is missing" },
	{ "one with a mistake",
	    WITH(POLICY("'PolicyDocument':'{\\'Version\\':\\'2012-10-17\\',"
			"\\'Statement\\':{\\'Effect\\':\\'allow\\'}}'")),
	    P ".PolicyDocument: Statement[0].Effect: 'allow' is neither Allow nor Deny" },
	{ "an empty document", WITH(POLICY("'PolicyDocument':''")),
	    P ".PolicyDocument: The policy document is not acceptable: it is empty" },
	{ "a default that is no policy", WITH(POLICY("'PolicyDocument':" REF("q"))),
	    P ".PolicyDocument: The policy document is not acceptable: it is not JSON" },
	{ "a document out of a certificate", WITH(POLICY("'PolicyDocument':" PREF("CommonName"))),
	    P ".PolicyDocument: must not come from the certificate" },
	{ "even its id", WITH(POLICY("'PolicyDocument':" PREF("Id"))),
	    P ".PolicyDocument: must not come from the certificate" },

	{ "settings in a list",
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{'r':{'Type':'AWS::IoT::Thing',"
	    "'Properties':{" NAMED "},'OverrideSettings':[]}}}",
	    R ".r.OverrideSettings: must be an object" },
	{ "a setting of something else", DOC(CERT "," OVERRIDE("Thing", NAMED, "'Status':'FAIL'")),
	    R ".r.OverrideSettings: unknown member 'Status'" },
	{ "a setting that is none",
	    DOC(CERT "," OVERRIDE("Thing", NAMED, "'AttributePayload':'merge'")),
	    R ".r.OverrideSettings.AttributePayload: must be DO_NOTHING, REPLACE, FAIL or MERGE" },
	{ "a setting that is a boolean",
	    DOC(CERT "," OVERRIDE("Thing", NAMED, "'THING_GROUPS':true")),
	    R ".r.OverrideSettings.THING_GROUPS: must be DO_NOTHING, REPLACE, FAIL or MERGE" },
	{ "merged types", DOC(CERT "," OVERRIDE("Thing", NAMED, "'THING_TYPE_NAME':'MERGE'")),
	    R ".r.OverrideSettings.THING_TYPE_NAME: must be DO_NOTHING, REPLACE or FAIL" },
	{ "one in both spellings",
	    DOC(CERT "," OVERRIDE("Thing", NAMED,
		"'ThingTypeName':'FAIL',"
		"'THING_TYPE_NAME':'FAIL'")),
	    R ".r.OverrideSettings: 'ThingTypeName' and 'THING_TYPE_NAME' are the same" },
	{ "a merged status",
	    DOC(OVERRIDE("Certificate", "'CertificateId':" PREF("Id"), "'Status':'MERGE'")),
	    R ".r.OverrideSettings.Status: must be DO_NOTHING, REPLACE or FAIL" },
	{ "a certificate's attributes",
	    DOC(OVERRIDE("Certificate", "'CertificateId':" PREF("Id"),
		"'AttributePayload':'FAIL'")),
	    R ".r.OverrideSettings: unknown member 'AttributePayload'" },
	{ "a policy's settings",
	    DOC(CERT "," OVERRIDE("Policy", "'PolicyName':'a'", "'PolicyName':'FAIL'")),
	    R ".r.OverrideSettings: unknown member 'PolicyName'" },
};

static enum err
read_template(const char *written, struct template **out, struct diag *diag)
{
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	char *text = policy_text(written);
	enum err e;

	*out = NULL;
	e = template_compile(view_of(text), &scope, out, diag);
	ck_assert((*out != NULL) == (e == ERR_OK));
	free(text);
	return e;
}

START_TEST(valid_templates_are_compiled)
{
	struct diag diag = { "" };
	struct template *t;

	ck_assert_msg(read_template(accepted[_i].body, &t, &diag) == ERR_OK, "%s: %s",
	    accepted[_i].what, diag.text);
	free(template_again(t));
	template_free(t);
}
END_TEST

START_TEST(invalid_templates_are_refused_with_the_position)
{
	struct diag diag = { "" };
	struct template *t;

	ck_assert_msg(read_template(refused[_i].body, &t, &diag) == ERR_REQUEST, "%s",
	    refused[_i].what);
	ck_assert_msg(strstr(diag.text, refused[_i].why) != NULL, "%s: %s", refused[_i].what,
	    diag.text);
	ck_assert_int_eq(read_template(refused[_i].body, &t, NULL), ERR_REQUEST);
}
END_TEST

/* Characters, not bytes (aws-iot 1.7). */
START_TEST(the_length_of_a_template_is_limited)
{
	static char text[3 * TEMPLATE_BODY_MAX];
	struct diag diag = { "" };
	struct template *t;
	size_t len;

	strcpy(text,
	    "{'Parameters':{" PSEUDO("Id") STRING ",'\xc3\xa9"
						  "'" STRING "},'Resources':{" CERT "}}");
	len = strlen(text);
	memset(text + len, ' ', TEMPLATE_BODY_MAX + 1 - len);
	ck_assert_int_eq(read_template(text, &t, &diag), ERR_OK);
	template_free(t);
	text[TEMPLATE_BODY_MAX + 1] = ' ';
	ck_assert_int_eq(read_template(text, &t, &diag), ERR_REQUEST);
	ck_assert_str_eq(diag.text,
	    "templateBody: it has 10241 characters, 10240 at most are allowed");
}
END_TEST

START_TEST(eleven_policies_are_too_many)
{
	char body[4096] = "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT;
	struct diag diag = { "" };
	struct template *t;

	for (int i = 0; i < 10; i++)
		sprintf(body + strlen(body),
		    ",'p%d':{'Type':'AWS::IoT::Policy','Properties':"
		    "{'PolicyName':'x'}}",
		    i);
	strcat(body, "}}");
	ck_assert_int_eq(read_template(body, &t, &diag), ERR_OK);
	template_free(t);
	body[strlen(body) - 2] = '\0';
	strcat(body, ",'p10':{'Type':'AWS::IoT::Policy','Properties':{'PolicyName':'x'}}}}");
	ck_assert_int_eq(read_template(body, &t, &diag), ERR_REQUEST);
	ck_assert_str_eq(diag.text, R ".p10.Properties: a certificate has 10 policies at most");
}
END_TEST

/* Bytes behind the view must not be read. */
START_TEST(a_truncated_template_is_refused_within_its_bounds)
{
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	char *text = policy_text(accepted[5].body);

	for (size_t len = 0; len < strlen(text); len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct template *t = NULL;

		memcpy(copy, text, len);
		must(template_compile((struct view){ copy, len }, &scope, &t, NULL) == ERR_REQUEST);
		must(t == NULL);
		free(copy);
	}
	free(text);
}
END_TEST

/*
 * Plans.
 */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	enum cert_field field;
	const char *text;
} values[] = {
	{ FIELD_CERT_SERIAL_NUMBER, "4711" },
	{ FIELD_SUBJECT_DN_QUALIFIER, "dn-q" },
	{ FIELD_SUBJECT_COUNTRY, "US" },
	{ FIELD_SUBJECT_ORGANIZATION, "Acme\\, Inc." },
	{ FIELD_SUBJECT_ORGANIZATIONAL_UNIT, "one" },
	{ FIELD_SUBJECT_ORGANIZATIONAL_UNIT, "two" },
	{ FIELD_SUBJECT_STATE, "Washington State" },
	{ FIELD_SUBJECT_COMMON_NAME, "sensor-1" },
	{ FIELD_SUBJECT_SERIAL_NUMBER, "SN-42" },
	{ FIELD_ISSUER_COUNTRY, "DE" },
};

static struct cert_facts *cert;
static uint8_t *room; /* of exactly this size: a sanitizer sees a write behind it */
static struct template *compiled, *decoded;

static void
set_up(void)
{
	cert = malloc(sizeof(*cert) + sizeof(struct cert_value) * COUNT_OF(values));
	cert->count = COUNT_OF(values);
	for (size_t i = 0; i < COUNT_OF(values); i++)
		cert->values[i] = (struct cert_value){ values[i].field, view_of(values[i].text) };
	room = malloc(PLAN_ROOM);
	compiled = decoded = NULL;
}

static void
tear_down(void)
{
	template_free(compiled);
	template_free(NULL);
	free(decoded);
	free(room);
	free(cert);
}

/* Of the template's form.  It and the buffer live until the end of the test. */
static struct plan
ask(const char *body)
{
	struct facts f = { .certificate_id = view_of(ID),
		.cert = cert,
		.client_id = view_of("client") };
	struct diag diag = { "" };
	struct plan p;

	template_free(compiled);
	free(decoded);
	ck_assert_msg(read_template(body, &compiled, &diag) == ERR_OK, "%s: %s", body, diag.text);
	decoded = template_again(compiled);
	memset(&p, 0xff, sizeof(p));
	template_eval(decoded, &f, room, &p);
	ck_assert_int_eq(p.origin, PLAN_TEMPLATE);
	ck_assert(!p.supersedes);
	return p;
}

/* A parameter of the certificate, in the name of a policy. */
static const struct {
	const char *what, *name, *value, *reason;
} parameters[] = {
	{ "C", "Country", "US", NULL },
	{ "O has a comma, which is escaped", "Organization", NULL,
	    "{Ref=AWS::IoT::Certificate::Organization} is 'Acme\\, Inc.', which " NOT_A_POLICY
	    "; values from a certificate have a \\ before characters such as , and =" },
	{ "the first OU", "OrganizationalUnit", "one", NULL },
	{ "dnQualifier", "DistinguishedNameQualifier", "dn-q", NULL },
	{ "ST has a blank", "StateName", NULL,
	    "{Ref=AWS::IoT::Certificate::StateName} is 'Washington State', which " NOT_A_POLICY },
	{ "CN", "CommonName", "sensor-1", NULL },
	{ "the subject's serial number, not the certificate's", "SerialNumber", "SN-42", NULL },
	{ "the certificate's id", "Id", ID, NULL },
};

static void
is_failed(const struct plan *p, const char *reason)
{
	ck_assert_str_eq(p->reason.text, reason);
	ck_assert(p->failed);
	ck_assert_int_eq(p->status, CERT_PENDING_ACTIVATION);
	ck_assert_uint_eq(p->policy_count, 0);
	ck_assert_uint_eq(p->thing.name.len, 0);
	ck_assert_uint_eq(p->thing.attributes.len, 0);
}

START_TEST(a_parameter_has_its_value_from_the_certificate)
{
	char body[2048];
	struct plan p;

	snprintf(body, sizeof(body),
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT ",'p':{'Type':"
	    "'AWS::IoT::Policy','Properties':{'PolicyName':{'Ref':'AWS::IoT::Certificate::%s'}}}}}",
	    parameters[_i].name);
	p = ask(body);
	if (parameters[_i].value == NULL) {
		is_failed(&p, parameters[_i].reason);
		return;
	}
	ck_assert_msg(!p.failed, "%s", p.reason.text);
	ck_assert_uint_eq(p.policy_count, 1);
	ck_assert_msg(view_equal(p.policies[0].name, view_of(parameters[_i].value)), "%s",
	    parameters[_i].what);
}
END_TEST

START_TEST(a_parameter_without_a_value_fails_with_the_text_of_aws)
{
	char body[2048], reason[256];
	struct plan p;

	cert->count = 0;
	snprintf(body, sizeof(body),
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT ",'p':{'Type':"
	    "'AWS::IoT::Policy','Properties':{'PolicyName':{'Ref':'AWS::IoT::Certificate::%s'}}}}}",
	    parameters[_i].name);
	snprintf(reason, sizeof(reason),
	    "Invalid registration template. Cannot resolve reference value: "
	    "{Ref=AWS::IoT::Certificate::%s}",
	    parameters[_i].name);
	p = ask(body);
	if (strcmp(parameters[_i].name, "Id") == 0)
		ck_assert(!p.failed && p.policy_count == 1);
	else
		is_failed(&p, reason);
}
END_TEST

/* The first certificate has a country, the second has none. */
START_TEST(a_default_replaces_a_missing_value)
{
	static const char body[] = "{'Parameters':{" PSEUDO("Id") STRING
	    "," PSEUDO("Country") ":{'Type':"
				  "'String','Default':'none'}},'Resources':{" CERT
				  "," THING("'ThingName':" PREF("Country")) "}}";
	struct plan p = ask(body);

	ck_assert(view_equal(p.thing.name, view_of("US")));
	cert->values[2].field = FIELD_ISSUER_COUNTRY;
	p = ask(body);
	ck_assert(!p.failed && view_equal(p.thing.name, view_of("none")));
}
END_TEST

START_TEST(a_custom_parameter_has_its_default_or_no_value)
{
	struct plan p = ask(WITH(THING("'ThingName':" REF("q"))));

	ck_assert(!p.failed && view_equal(p.thing.name, view_of("dflt")));
	p = ask(WITH(THING("'ThingName':" REF("p"))));
	is_failed(&p, "Invalid registration template. Cannot resolve reference value: {Ref=p}");
	p = ask(WITH(POLICY("'PolicyDocument':" REF("p"))));
	is_failed(&p, "Invalid registration template. Cannot resolve reference value: {Ref=p}");
}
END_TEST

START_TEST(without_facts_a_template_that_needs_one_fails)
{
	struct facts nothing = { .client_id = { NULL, 0 } };
	struct plan p = ask(WITH(THING("'ThingName':" PREF("Country"))));

	template_eval(decoded, &nothing, room, &p);
	is_failed(&p,
	    "Invalid registration template. Cannot resolve reference value: "
	    "{Ref=AWS::IoT::Certificate::Country}");
}
END_TEST

START_TEST(a_thing_is_planned_with_all_its_properties)
{
	struct plan p = ask(WITH(THING("'ThingName':" PREF(
	    "CommonName") ",'ThingTypeName':'lamp',"
			  "'BillingGroup':" REF("q") ",'AttributePayload':{'z':'v1','nothing':'','B':" PREF(
			      "Country") ",'a':" PREF("SerialNumber") "}")));
	size_t count;

	ck_assert_int_eq(p.status, CERT_ACTIVE);
	ck_assert(view_equal(p.thing.name, view_of("sensor-1")));
	ck_assert(view_equal(p.thing.type_name, view_of("lamp")));
	ck_assert(view_equal(p.thing.billing_group, view_of("dflt")));
	ck_assert(codec_check_attributes(p.thing.attributes, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert(view_equal(thing_attribute(p.thing.attributes, view_of("z")), view_of("v1")));
	ck_assert(view_equal(thing_attribute(p.thing.attributes, view_of("B")), view_of("US")));
	ck_assert(view_equal(thing_attribute(p.thing.attributes, view_of("a")), view_of("SN-42")));
	ck_assert_int_eq(p.thing.on_attributes, OVERRIDE_FAIL);
	ck_assert_int_eq(p.thing.on_type, OVERRIDE_FAIL);
}
END_TEST

START_TEST(without_a_thing_none_is_planned)
{
	struct plan p = ask(DOC(CERT));

	ck_assert_int_eq(p.status, CERT_ACTIVE);
	ck_assert_str_eq(p.reason.text, "the template of its CA");
	ck_assert_uint_eq(p.thing.name.len, 0);
	ck_assert_uint_eq(p.thing.attributes.len, 0);
	ck_assert_uint_eq(p.policy_count, 0);
}
END_TEST

START_TEST(an_invalid_attribute_value_fails)
{
	struct plan p = ask(WITH(THING(NAMED ",'AttributePayload':{'o':" PREF("StateName") "}")));

	is_failed(&p,
	    "{Ref=AWS::IoT::Certificate::StateName} is 'Washington State', which " NOT_A_VALUE);
	cert->values[6].text = view_of("");
	p = ask(WITH(THING(NAMED ",'AttributePayload':{'o':" PREF("StateName") "}")));
	ck_assert(!p.failed && p.thing.attributes.len == 0);
}
END_TEST

START_TEST(a_name_is_not_made_from_an_escaped_value)
{
	struct plan p;

	cert->values[7].text = view_of("a\\=b");
	p = ask(WITH(THING("'ThingName':" PREF("CommonName"))));
	is_failed(&p,
	    "{Ref=AWS::IoT::Certificate::CommonName} is 'a\\=b', which " NOT_A_THING
	    "; values from a certificate have a \\ before characters such as , and =");
}
END_TEST

START_TEST(policies_are_planned_by_name_and_by_document)
{
	struct plan p = ask(WITH(POLICY("'PolicyName':'device'") "," RESOURCE("p2", "Policy",
	    "'PolicyDocument':'" POLICY_TEXT "'")));
	struct view version = view_of("{\"Version\"");

	ck_assert_uint_eq(p.policy_count, 2);
	ck_assert(view_equal(p.policies[0].name, view_of("device")));
	ck_assert_uint_eq(p.policies[0].document.len, 0);
	ck_assert_uint_eq(p.policies[1].name.len, 0);
	p.policies[1].document.len = version.len;
	ck_assert(view_equal(p.policies[1].document, version));
}
END_TEST

static const struct {
	const char *properties, *settings;
	enum cert_status status;
	const char *reason;
	bool failed;
} statuses[] = {
	{ "", "", CERT_ACTIVE, "the template of its CA", false },
	{ ",'Status':'ACTIVE'", "", CERT_ACTIVE, "the template of its CA", false },
	{ ",'Status':'INACTIVE'", "", CERT_INACTIVE, "the template of its CA", false },
	{ ",'Status':'Active'", "", CERT_ACTIVE, "the template of its CA", false },
	{ ",'Status':'active'", "", CERT_ACTIVE, "the template of its CA", false },
	{ ",'Status':'Inactive'", "", CERT_INACTIVE, "the template of its CA", false },
	{ ",'Status':'inactive'", "", CERT_INACTIVE, "the template of its CA", false },
	{ ",'Status':'INACTIVE'", "'Status':'REPLACE'", CERT_INACTIVE, "the template of its CA",
	    false },
	{ "", "'STATUS':'REPLACE'", CERT_ACTIVE, "the template of its CA", false },
	{ ",'Status':'ACTIVE'", "'Status':'DO_NOTHING'", CERT_ACTIVE, "the template of its CA",
	    false },
	{ ",'Status':'ACTIVE'", "'Status':'FAIL'", CERT_PENDING_ACTIVATION,
	    "the template says FAIL if the certificate has another Status, and it has: "
	    "PENDING_ACTIVATION",
	    true },
	{ ",'Status':" PREF("Country"), "", CERT_PENDING_ACTIVATION,
	    "{Ref=AWS::IoT::Certificate::Country} is 'US', which is neither ACTIVE nor INACTIVE",
	    true },
};

START_TEST(the_status_is_active_unless_the_template_says_otherwise)
{
	char body[2048];
	struct plan p;

	snprintf(body, sizeof(body),
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{'c':{'Type':"
	    "'AWS::IoT::Certificate','Properties':{'CertificateId':" PREF(
		"Id") "%s},"
		      "'OverrideSettings':{%s}}," POLICY("'PolicyName':'a'") "}}",
	    statuses[_i].properties, statuses[_i].settings);
	p = ask(body);
	ck_assert_str_eq(p.reason.text, statuses[_i].reason);
	ck_assert_int_eq(p.status, statuses[_i].status);
	ck_assert(p.failed == statuses[_i].failed);
	ck_assert_uint_eq(p.policy_count, statuses[_i].failed ? 0 : 1);
}
END_TEST

static const struct {
	const char *word;
	enum override override;
} overrides[] = { { "FAIL", OVERRIDE_FAIL }, { "DO_NOTHING", OVERRIDE_DO_NOTHING },
	{ "REPLACE", OVERRIDE_REPLACE }, { "MERGE", OVERRIDE_MERGE } };

START_TEST(the_plan_says_how_to_treat_a_different_thing)
{
	static const char *const names[][2] = { { "AttributePayload", "ThingTypeName" },
		{ "ATTRIBUTE_PAYLOAD", "THING_TYPE_NAME" } };
	bool merge = overrides[_i].override == OVERRIDE_MERGE;
	char body[2048];
	struct plan p;

	for (size_t i = 0; i < 2; i++) {
		snprintf(body, sizeof(body),
		    "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT ",'t':{"
		    "'Type':'AWS::IoT::Thing','Properties':{" NAMED
		    "},'OverrideSettings':{'%s':'%s','%s':"
		    "'%s'}}}}",
		    names[i][0], overrides[_i].word, names[i][1],
		    merge ? "REPLACE" : overrides[_i].word);
		p = ask(body);
		ck_assert_int_eq(p.thing.on_attributes, overrides[_i].override);
		ck_assert_int_eq(p.thing.on_type,
		    merge ? OVERRIDE_REPLACE : overrides[_i].override);
	}
}
END_TEST

/* Fifty attributes with the longest names and values. */
START_TEST(there_is_room_for_the_largest_plan)
{
	static char body[TEMPLATE_BODY_MAX + 1], value[THING_ATTRIBUTE_VALUE_MAX + 1];
	struct view rest, name, one;
	struct plan p;
	size_t count;

	memset(value, 'v', sizeof(value) - 1);
	cert->values[2].text = view_of(value);
	strcpy(body,
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT ",'t':{'Type':"
	    "'AWS::IoT::Thing','Properties':{'ThingName':'" A128 "','ThingTypeName':'" A128 "',"
	    "'BillingGroup':'" A128 "','AttributePayload':{");
	for (int i = 0; i < THING_ATTRIBUTES_MAX; i++)
		sprintf(body + strlen(body), "%s'%02d" A100 A20 "aaaaaa':" PREF("Country"),
		    i > 0 ? "," : "", (i * 7) % THING_ATTRIBUTES_MAX);
	strcat(body, "}}}}}");
	p = ask(body);
	ck_assert_msg(!p.failed, "%s", p.reason.text);
	ck_assert(codec_check_attributes(p.thing.attributes, &count));
	ck_assert_uint_eq(count, THING_ATTRIBUTES_MAX);
	ck_assert_uint_eq(p.thing.attributes.len,
	    THING_ATTRIBUTES_MAX * (3 + THING_ATTRIBUTE_NAME_MAX + THING_ATTRIBUTE_VALUE_MAX));
	ck_assert(p.thing.attributes.data >= room &&
	    p.thing.attributes.data + p.thing.attributes.len <= room + PLAN_ROOM);
	for (rest = p.thing.attributes; thing_attribute_next(&rest, &name, &one);)
		must(name.len == THING_ATTRIBUTE_NAME_MAX && view_equal(one, view_of(value)));
}
END_TEST

START_TEST(fifty_one_attributes_are_too_many)
{
	static char body[TEMPLATE_BODY_MAX + 1] =
	    "{'Parameters':{" ALL_PSEUDO "},'Resources':{" CERT
	    ",'t':{'Type':'AWS::IoT::Thing','Properties':{" NAMED ",'AttributePayload':{'x':'1'";
	struct diag diag = { "" };
	struct template *t;

	for (int i = 0; i < THING_ATTRIBUTES_MAX; i++)
		sprintf(body + strlen(body), ",'%d':'1'", i);
	strcat(body, "}}}}}");
	ck_assert_int_eq(read_template(body, &t, &diag), ERR_REQUEST);
	ck_assert_str_eq(diag.text,
	    R ".t.Properties.AttributePayload: a thing has 50 attributes at most");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("template");
	TCase *t = suite_case(suite, "documents");

	tcase_add_loop_test(t, valid_templates_are_compiled, 0, COUNT_OF(accepted));
	tcase_add_loop_test(t, invalid_templates_are_refused_with_the_position, 0,
	    COUNT_OF(refused));
	tcase_add_test(t, the_length_of_a_template_is_limited);
	tcase_add_test(t, eleven_policies_are_too_many);
	tcase_add_test(t, fifty_one_attributes_are_too_many);
	tcase_add_test(t, a_truncated_template_is_refused_within_its_bounds);

	t = suite_case(suite, "plans");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_parameter_has_its_value_from_the_certificate, 0,
	    COUNT_OF(parameters));
	tcase_add_loop_test(t, a_parameter_without_a_value_fails_with_the_text_of_aws, 0,
	    COUNT_OF(parameters));
	tcase_add_test(t, a_default_replaces_a_missing_value);
	tcase_add_test(t, a_custom_parameter_has_its_default_or_no_value);
	tcase_add_test(t, without_facts_a_template_that_needs_one_fails);
	tcase_add_test(t, a_thing_is_planned_with_all_its_properties);
	tcase_add_test(t, without_a_thing_none_is_planned);
	tcase_add_test(t, an_invalid_attribute_value_fails);
	tcase_add_test(t, a_name_is_not_made_from_an_escaped_value);
	tcase_add_test(t, policies_are_planned_by_name_and_by_document);
	tcase_add_loop_test(t, the_status_is_active_unless_the_template_says_otherwise, 0,
	    COUNT_OF(statuses));
	tcase_add_loop_test(t, the_plan_says_how_to_treat_a_different_thing, 0,
	    COUNT_OF(overrides));
	tcase_add_test(t, there_is_room_for_the_largest_plan);
	return suite_run(suite);
}
