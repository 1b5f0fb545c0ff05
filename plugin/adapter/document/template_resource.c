/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_resource.c - the resources of a provisioning template (aws-iot E.1):
 * thing, certificate and policies, and what is done where they are otherwise.
 */
#include <stdlib.h>
#include <string.h>

#include "template_compiler.h"

#include "jitr/core/name.h"

/*
 * Things.
 */

static int
compare_members(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static void
compile_attribute(struct reader *r, const cJSON *attribute, struct template_attribute *out)
{
	size_t before = go_to(&r->c, ".%.*s", SHOWN, attribute->string);

	out->name = copy(&r->c, view_of(attribute->string));
	if (!attribute_name_valid(out->name))
		fail(&r->c, "is no name of an attribute: that is " ATTRIBUTE_NAME_WORDS);
	if (r->c.failed == ERR_OK)
		compile_value(r, attribute, &kind_attribute, &out->value);
	go_back(&r->c, before);
}

static void
compile_attributes(struct reader *r, const cJSON *payload)
{
	const cJSON *sorted[THING_ATTRIBUTES_MAX];
	size_t count = (size_t)cJSON_GetArraySize(payload), at = 0;

	if (!cJSON_IsObject(payload)) {
		fail(&r->c, "must be an object");
		return;
	}
	if (count > COUNT_OF(sorted)) {
		fail(&r->c, "a thing has %d attributes at most", THING_ATTRIBUTES_MAX);
		return;
	}
	for (const cJSON *a = payload->child; a != NULL; a = a->next)
		sorted[at++] = a;
	qsort(sorted, count, sizeof(sorted[0]), compare_members);
	r->t->attributes = allocate(&r->c, count + 1, sizeof(*r->t->attributes));
	for (size_t i = 0; r->c.failed == ERR_OK && i < count; i++)
		compile_attribute(r, sorted[i], &r->t->attributes[i]);
	r->t->attribute_count = count;
}

static void
check_groups(struct compiler *c, const cJSON *groups)
{
	if (!cJSON_IsArray(groups))
		fail(c, "must be a list");
	else if (groups->child != NULL)
		fail(c, "there are no thing groups");
}

/* Properties that are no values. */
static void
compile_lists_of_thing(struct reader *r, const cJSON *properties)
{
	const cJSON *payload = get(properties, "AttributePayload");
	const cJSON *groups = get(properties, "ThingGroups");
	size_t before = go_to(&r->c, ".AttributePayload");

	if (payload != NULL)
		compile_attributes(r, payload);
	go_back(&r->c, before);
	(void)go_to(&r->c, ".ThingGroups");
	if (groups != NULL)
		check_groups(&r->c, groups);
	go_back(&r->c, before);
}

static void
compile_thing(struct reader *r, const cJSON *properties)
{
	static const char *const names[] = { "ThingName", "AttributePayload", "ThingTypeName",
		"ThingGroups", "BillingGroup" };
	struct template *t = r->t;

	check_members(&r->c, properties, names, COUNT_OF(names));
	if (t->thing_name.source != VALUE_NONE)
		fail(&r->c, "there is a thing already");
	if (get(properties, "ThingName") == NULL)
		fail(&r->c, "ThingName is missing");
	compile_property(r, properties, "ThingName", &kind_thing_name, &t->thing_name);
	compile_property(r, properties, "ThingTypeName", &kind_thing_name, &t->thing_type);
	compile_property(r, properties, "BillingGroup", &kind_thing_name, &t->billing_group);
	if (r->c.failed == ERR_OK)
		compile_lists_of_thing(r, properties);
}

/*
 * Certificates.
 */

static void
check_certificate_id(struct reader *r, const cJSON *properties)
{
	struct template_value id = { .source = VALUE_NONE };
	size_t before;

	compile_property(r, properties, "CertificateId", &kind_text, &id);
	before = go_to(&r->c, ".CertificateId");
	if (id.source != VALUE_CERTIFICATE_ID)
		fail(&r->c, "must be {\"Ref\": \"" PSEUDO_ID "\"}");
	go_back(&r->c, before);
}

static void
compile_certificate(struct reader *r, const cJSON *properties)
{
	static const char *const names[] = { "CertificateId", "Status" };
	static const char *const others[] = { "CertificatePem", "CACertificatePem",
		"CertificateSigningRequest" };

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (get(properties, others[i]) != NULL)
			fail(&r->c, "'%s' is not for just-in-time provisioning: CertificateId is",
			    others[i]);
	check_members(&r->c, properties, names, COUNT_OF(names));
	if (r->t->has_certificate)
		fail(&r->c, "there is a certificate already");
	r->t->has_certificate = true;
	check_certificate_id(r, properties);
	compile_property(r, properties, "Status", &kind_status, &r->t->status);
}

/*
 * Policies.
 */

/* What a certificate says must not say what it may do, and nothing that a template
 * makes hands out rights over the registry. */
static void
check_document(struct reader *r, const struct template_value *document)
{
	struct policy *p = NULL;
	struct diag why = { "" };
	enum err e;

	if (document->source == VALUE_SUBJECT || document->source == VALUE_CERTIFICATE_ID)
		fail(&r->c, "must not come from the certificate");
	if (r->c.failed != ERR_OK || document->text.data == NULL)
		return;
	e = policy_compile(document->text, r->scope, &p, &why);
	if (e == ERR_POLICY)
		fail(&r->c, "%s", why.text);
	else if (e == ERR_OK && policy_uses(p) & POLICY_ALLOWS_CONTROL)
		fail(&r->c, "must not allow actions of the registry");
	else
		r->c.failed = e;
	policy_free(p);
}

static void
compile_policy(struct reader *r, const cJSON *properties)
{
	static const char *const names[] = { "PolicyName", "PolicyDocument" };
	bool has_name = get(properties, "PolicyName") != NULL;
	bool has_document = get(properties, "PolicyDocument") != NULL;
	struct template_policy policy = { .name = { .source = VALUE_NONE } };
	size_t before;

	check_members(&r->c, properties, names, COUNT_OF(names));
	if (has_name == has_document)
		fail(&r->c,
		    has_name ? "PolicyName and PolicyDocument exclude each other"
			     : "PolicyName or PolicyDocument is missing");
	if (r->t->policy_count == POLICIES_MAX)
		fail(&r->c, "a certificate has %d policies at most", POLICIES_MAX);
	compile_property(r, properties, "PolicyName", &kind_policy_name, &policy.name);
	compile_property(r, properties, "PolicyDocument", &kind_text, &policy.document);
	before = go_to(&r->c, ".PolicyDocument");
	if (has_document)
		check_document(r, &policy.document);
	go_back(&r->c, before);
	if (r->c.failed == ERR_OK)
		r->t->policies[r->t->policy_count++] = policy;
}

/*
 * What is done where a resource is otherwise (aws-iot E.2).
 */

static const char *const overrides[] = {
	[OVERRIDE_FAIL] = "FAIL",
	[OVERRIDE_DO_NOTHING] = "DO_NOTHING",
	[OVERRIDE_REPLACE] = "REPLACE",
	[OVERRIDE_MERGE] = "MERGE",
};

struct setting {
	const char *name, *prose; /* as AWS's examples and its prose spell it */
	bool merges;
};

static void
compile_setting(struct compiler *c, const cJSON *value, bool merges, enum override *out)
{
	size_t count = merges ? COUNT_OF(overrides) : OVERRIDE_MERGE, i = 0;

	while (
	    i < count && !(cJSON_IsString(value) && strcmp(value->valuestring, overrides[i]) == 0))
		i++;
	if (i < count)
		*out = (enum override)i;
	else
		fail(c, "must be DO_NOTHING, REPLACE%s FAIL%s", merges ? "," : " or",
		    merges ? " or MERGE" : "");
}

/* One that is not there leaves *out. */
static void
find_setting(struct compiler *c, const cJSON *settings, const struct setting *s, enum override *out)
{
	const cJSON *value = get(settings, s->name), *other = get(settings, s->prose);
	size_t before;

	if (value != NULL && other != NULL)
		fail(c, "'%s' and '%s' are the same", s->name, s->prose);
	if (value == NULL)
		value = other;
	if (value == NULL)
		return;
	before = go_to(c, ".%s", value->string);
	compile_setting(c, value, s->merges, out);
	go_back(c, before);
}

#define SETTINGS_MAX 3 /* of one resource */

static void
compile_settings(struct compiler *c, const cJSON *settings, const struct setting *known,
    enum override *const *out, size_t count)
{
	const char *names[2 * SETTINGS_MAX] = { NULL };

	for (size_t i = 0; i < count; i++) {
		names[2 * i] = known[i].name;
		names[2 * i + 1] = known[i].prose;
	}
	check_members(c, settings, names, 2 * count);
	for (size_t i = 0; i < count; i++)
		find_setting(c, settings, &known[i], out[i]);
}

static void
compile_thing_settings(struct reader *r, const cJSON *settings)
{
	static const struct setting known[SETTINGS_MAX] = {
		{ "AttributePayload", "ATTRIBUTE_PAYLOAD", true },
		{ "ThingTypeName", "THING_TYPE_NAME", false },
		{ "ThingGroups", "THING_GROUPS", true },
	};
	enum override on_groups; /* of which there are none */
	enum override *const out[] = { &r->t->on_attributes, &r->t->on_type, &on_groups };

	compile_settings(&r->c, settings, known, out, COUNT_OF(known));
}

static void
compile_certificate_settings(struct reader *r, const cJSON *settings)
{
	static const struct setting known[] = { { "Status", "STATUS", false } };
	enum override *const out[] = { &r->t->on_status };

	compile_settings(&r->c, settings, known, out, COUNT_OF(known));
}

static void
compile_policy_settings(struct reader *r, const cJSON *settings)
{
	check_members(&r->c, settings, NULL, 0);
}

/*
 * Resources.
 */

static const struct {
	const char *type;
	void (*properties)(struct reader *r, const cJSON *properties);
	void (*settings)(struct reader *r, const cJSON *settings);
} types[] = {
	{ "AWS::IoT::Thing", compile_thing, compile_thing_settings },
	{ "AWS::IoT::Certificate", compile_certificate, compile_certificate_settings },
	{ "AWS::IoT::Policy", compile_policy, compile_policy_settings },
};

/* Which of the types it is; COUNT_OF(types): it failed. */
static size_t
compile_type(struct compiler *c, const cJSON *resource)
{
	const char *type = optional_string(c, resource, "Type");
	size_t i = 0, before;

	if (type == NULL) {
		fail(c, "Type is missing");
		return COUNT_OF(types);
	}
	while (i < COUNT_OF(types) && strcmp(types[i].type, type) != 0)
		i++;
	before = go_to(c, ".Type");
	if (i == COUNT_OF(types))
		fail(c,
		    "'%.*s' is none of AWS::IoT::Thing, AWS::IoT::Certificate, AWS::IoT::Policy",
		    SHOWN, type);
	go_back(c, before);
	return i;
}

/* A member of a resource that is an object. */
static void
compile_part(struct reader *r, const cJSON *resource, const char *name, bool required,
    void (*compile)(struct reader *r, const cJSON *object))
{
	const cJSON *object = get(resource, name);
	size_t before;

	if (object == NULL && required)
		fail(&r->c, "%s is missing", name);
	if (object == NULL || r->c.failed != ERR_OK)
		return;
	before = go_to(&r->c, ".%s", name);
	if (cJSON_IsObject(object))
		compile(r, object);
	else
		fail(&r->c, "must be an object");
	go_back(&r->c, before);
}

static void
compile_resource(struct reader *r, const cJSON *resource)
{
	static const char *const names[] = { "Type", "Properties", "OverrideSettings" };
	size_t type;

	if (!cJSON_IsObject(resource)) {
		fail(&r->c, "must be an object");
		return;
	}
	check_members(&r->c, resource, names, COUNT_OF(names));
	type = compile_type(&r->c, resource);
	if (r->c.failed != ERR_OK)
		return;
	compile_part(r, resource, "Properties", true, types[type].properties);
	compile_part(r, resource, "OverrideSettings", false, types[type].settings);
}

void
compile_resources(struct reader *r, const cJSON *resources)
{
	struct compiler *c = &r->c;
	size_t before = go_to(c, "Resources");
	const cJSON *first = NULL;

	if (cJSON_IsObject(resources))
		first = resources->child;
	else
		fail(c, resources == NULL ? "is missing" : "must be an object");
	for (const cJSON *o = first; c->failed == ERR_OK && o != NULL; o = o->next) {
		size_t here = go_to(c, ".%.*s", SHOWN, o->string);

		compile_resource(r, o);
		go_back(c, here);
	}
	if (!r->t->has_certificate)
		fail(c, "there is no AWS::IoT::Certificate, so nothing would become ACTIVE");
	go_back(c, before);
}
