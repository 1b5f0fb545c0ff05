/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_resource.c - compiles the resources of a provisioning template (aws-iot
 * E.1): thing, certificate, policies, and their OverrideSettings.
 */
#include <string.h>

#include "template_compiler.h"

#include "jitr/core/codec_form.h"
#include "jitr/core/name.h"

/*
 * Things.
 */

static void
compile_attribute(struct template_compiler *r, const cJSON *attribute,
    struct template_attribute *out)
{
	size_t before = place_enter(&r->c, ".%.*s", SHOWN, attribute->string);

	out->name = compiler_copy(&r->c, view_of(attribute->string));
	if (!attribute_name_valid(out->name))
		compiler_fail(&r->c, "is not a valid attribute name: " ATTRIBUTE_NAME_WORDS);
	if (r->c.failed == ERR_OK)
		compile_value(r, attribute, &kind_attribute, &out->value);
	place_leave(&r->c, before);
}

static void
compile_attributes(struct template_compiler *r, const cJSON *payload)
{
	const cJSON *sorted[THING_ATTRIBUTES_MAX];
	size_t count = (size_t)cJSON_GetArraySize(payload), at = 0;

	if (!cJSON_IsObject(payload)) {
		compiler_fail(&r->c, "must be an object");
		return;
	}
	if (count > COUNT_OF(sorted)) {
		compiler_fail(&r->c, "a thing has %d attributes at most", THING_ATTRIBUTES_MAX);
		return;
	}
	for (const cJSON *a = payload->child; a != NULL; a = a->next)
		sorted[at++] = a;
	json_sort(sorted, count);
	r->t->attributes = compiler_allocate(&r->c, count + 1, sizeof(*r->t->attributes));
	for (size_t i = 0; r->c.failed == ERR_OK && i < count; i++)
		compile_attribute(r, sorted[i], &r->t->attributes[i]);
	r->t->attribute_count = count;
}

static void
check_groups(struct compiler *c, const cJSON *groups)
{
	if (!cJSON_IsArray(groups))
		compiler_fail(c, "must be a list");
	else if (groups->child != NULL)
		compiler_fail(c, "there are no thing groups");
}

/* Properties that are lists or objects. */
static void
compile_lists_of_thing(struct template_compiler *r, const cJSON *properties)
{
	const cJSON *payload = object_get(properties, "AttributePayload");
	const cJSON *groups = object_get(properties, "ThingGroups");
	size_t before = place_enter(&r->c, ".AttributePayload");

	if (payload != NULL)
		compile_attributes(r, payload);
	place_leave(&r->c, before);
	(void)place_enter(&r->c, ".ThingGroups");
	if (groups != NULL)
		check_groups(&r->c, groups);
	place_leave(&r->c, before);
}

static void
compile_thing(struct template_compiler *r, const cJSON *properties)
{
	static const char *const names[] = { "ThingName", "AttributePayload", "ThingTypeName",
		"ThingGroups", "BillingGroup" };
	struct template *t = r->t;

	object_check(&r->c, properties, names, COUNT_OF(names));
	if (t->thing_name.source != VALUE_NONE)
		compiler_fail(&r->c, "there is a thing already");
	if (object_get(properties, "ThingName") == NULL)
		compiler_fail(&r->c, "ThingName is missing");
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
check_certificate_id(struct template_compiler *r, const cJSON *properties)
{
	struct template_value id = { .source = VALUE_NONE };
	size_t before;

	compile_property(r, properties, "CertificateId", &kind_text, &id);
	before = place_enter(&r->c, ".CertificateId");
	if (id.source != VALUE_CERTIFICATE_ID)
		compiler_fail(&r->c, "must be {\"Ref\": \"" PSEUDO_ID "\"}");
	place_leave(&r->c, before);
}

static void
compile_certificate(struct template_compiler *r, const cJSON *properties)
{
	static const char *const names[] = { "CertificateId", "Status" };
	static const char *const others[] = { "CertificatePem", "CACertificatePem",
		"CertificateSigningRequest" };

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (object_get(properties, others[i]) != NULL)
			compiler_fail(&r->c,
			    "'%s' is not for just-in-time provisioning: CertificateId is",
			    others[i]);
	object_check(&r->c, properties, names, COUNT_OF(names));
	if (r->t->has_certificate)
		compiler_fail(&r->c, "there is a certificate already");
	r->t->has_certificate = true;
	check_certificate_id(r, properties);
	compile_property(r, properties, "Status", &kind_status, &r->t->status);
}

/*
 * Policies.
 */

/* A CONNECT uses the policy before it is stored. */
static struct view
keep_form(struct compiler *c, const struct policy *p)
{
	size_t size = policy_encode(p, NULL, 0);
	uint8_t *form = compiler_allocate(c, size, 1);

	if (size == 0)
		compiler_fail(c, "is too large");
	if (form == NULL)
		return (struct view){ NULL, 0 };
	return (struct view){ form, policy_encode(p, form, size) };
}

/* The content of a certificate must not determine its rights, and a template must not
 * grant rights over the registry. */
static void
check_document(struct template_compiler *r, const struct template_value *document,
    struct view *form)
{
	struct policy *p = NULL;
	struct diag why = { "" };
	enum err e;

	if (document->source == VALUE_SUBJECT || document->source == VALUE_CERTIFICATE_ID)
		compiler_fail(&r->c, "must not come from the certificate");
	if (r->c.failed != ERR_OK || document->text.data == NULL)
		return;
	e = policy_compile(document->text, r->scope, &p, &why);
	if (e == ERR_POLICY)
		compiler_fail(&r->c, "%s", why.text);
	else if (e == ERR_OK && policy_uses(p) & POLICY_ALLOWS_CONTROL)
		compiler_fail(&r->c, "must not allow actions of the registry");
	else if (e == ERR_OK)
		*form = keep_form(&r->c, p);
	else
		r->c.failed = e;
	policy_free(p);
}

static void
compile_policy(struct template_compiler *r, const cJSON *properties)
{
	static const char *const names[] = { "PolicyName", "PolicyDocument" };
	bool has_name = object_get(properties, "PolicyName") != NULL;
	bool has_document = object_get(properties, "PolicyDocument") != NULL;
	struct template_policy policy = { .name = { .source = VALUE_NONE } };
	size_t before;

	object_check(&r->c, properties, names, COUNT_OF(names));
	if (has_name == has_document)
		compiler_fail(&r->c,
		    has_name ? "PolicyName and PolicyDocument exclude each other"
			     : "PolicyName or PolicyDocument is missing");
	if (r->t->policy_count == POLICIES_MAX)
		compiler_fail(&r->c, "a certificate has %d policies at most", POLICIES_MAX);
	compile_property(r, properties, "PolicyName", &kind_policy_name, &policy.name);
	compile_property(r, properties, "PolicyDocument", &kind_text, &policy.document);
	before = place_enter(&r->c, ".PolicyDocument");
	if (has_document)
		check_document(r, &policy.document, &policy.form);
	place_leave(&r->c, before);
	if (r->c.failed == ERR_OK)
		r->t->policies[r->t->policy_count++] = policy;
}

/*
 * OverrideSettings (aws-iot E.2).
 */

static const char *const overrides[] = {
	[OVERRIDE_FAIL] = "FAIL",
	[OVERRIDE_DO_NOTHING] = "DO_NOTHING",
	[OVERRIDE_REPLACE] = "REPLACE",
	[OVERRIDE_MERGE] = "MERGE",
};

struct setting {
	const char *name, *prose; /* spelling in AWS's examples, and in its text */
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
		compiler_fail(c, "must be DO_NOTHING, REPLACE%s FAIL%s", merges ? "," : " or",
		    merges ? " or MERGE" : "");
}

/* An absent setting leaves *out unchanged. */
static void
compile_setting_of(struct compiler *c, const cJSON *settings, const struct setting *s,
    enum override *out)
{
	const cJSON *value = object_get(settings, s->name), *other = object_get(settings, s->prose);
	size_t before;

	if (value != NULL && other != NULL)
		compiler_fail(c, "'%s' and '%s' are the same", s->name, s->prose);
	if (value == NULL)
		value = other;
	if (value == NULL)
		return;
	before = place_enter(c, ".%s", value->string);
	compile_setting(c, value, s->merges, out);
	place_leave(c, before);
}

#define SETTINGS_MAX 3 /* per resource */

static void
compile_settings(struct compiler *c, const cJSON *settings, const struct setting *known,
    enum override *const *out, size_t count)
{
	const char *names[2 * SETTINGS_MAX] = { NULL };

	for (size_t i = 0; i < count; i++) {
		names[2 * i] = known[i].name;
		names[2 * i + 1] = known[i].prose;
	}
	object_check(c, settings, names, 2 * count);
	for (size_t i = 0; i < count; i++)
		compile_setting_of(c, settings, &known[i], out[i]);
}

static void
compile_thing_settings(struct template_compiler *r, const cJSON *settings)
{
	static const struct setting known[SETTINGS_MAX] = {
		{ "AttributePayload", "ATTRIBUTE_PAYLOAD", true },
		{ "ThingTypeName", "THING_TYPE_NAME", false },
		{ "ThingGroups", "THING_GROUPS", true },
	};
	enum override on_groups; /* ignored: there are no thing groups */
	enum override *const out[] = { &r->t->on_attributes, &r->t->on_type, &on_groups };

	compile_settings(&r->c, settings, known, out, COUNT_OF(known));
}

static void
compile_certificate_settings(struct template_compiler *r, const cJSON *settings)
{
	static const struct setting known[] = { { "Status", "STATUS", false } };
	enum override *const out[] = { &r->t->on_status };

	compile_settings(&r->c, settings, known, out, COUNT_OF(known));
}

static void
compile_policy_settings(struct template_compiler *r, const cJSON *settings)
{
	object_check(&r->c, settings, NULL, 0);
}

/*
 * Resources.
 */

static const struct {
	const char *type;
	void (*properties)(struct template_compiler *r, const cJSON *properties);
	void (*settings)(struct template_compiler *r, const cJSON *settings);
} types[] = {
	{ "AWS::IoT::Thing", compile_thing, compile_thing_settings },
	{ "AWS::IoT::Certificate", compile_certificate, compile_certificate_settings },
	{ "AWS::IoT::Policy", compile_policy, compile_policy_settings },
};

/* Index of the type; COUNT_OF(types): failed. */
static size_t
compile_type(struct compiler *c, const cJSON *resource)
{
	const char *type = object_string(c, resource, "Type");
	size_t i = 0, before;

	if (type == NULL) {
		compiler_fail(c, "Type is missing");
		return COUNT_OF(types);
	}
	while (i < COUNT_OF(types) && strcmp(types[i].type, type) != 0)
		i++;
	before = place_enter(c, ".Type");
	if (i == COUNT_OF(types))
		compiler_fail(c,
		    "'%.*s' is none of AWS::IoT::Thing, AWS::IoT::Certificate, AWS::IoT::Policy",
		    SHOWN, type);
	place_leave(c, before);
	return i;
}

/* Compiles a member of a resource that must be an object. */
static void
compile_part(struct template_compiler *r, const cJSON *resource, const char *name, bool required,
    void (*compile)(struct template_compiler *r, const cJSON *object))
{
	const cJSON *object = object_get(resource, name);
	size_t before;

	if (object == NULL && required)
		compiler_fail(&r->c, "%s is missing", name);
	if (object == NULL || r->c.failed != ERR_OK)
		return;
	before = place_enter(&r->c, ".%s", name);
	if (cJSON_IsObject(object))
		compile(r, object);
	else
		compiler_fail(&r->c, "must be an object");
	place_leave(&r->c, before);
}

static void
compile_resource(struct template_compiler *r, const cJSON *resource)
{
	static const char *const names[] = { "Type", "Properties", "OverrideSettings" };
	size_t type;

	if (!cJSON_IsObject(resource)) {
		compiler_fail(&r->c, "must be an object");
		return;
	}
	object_check(&r->c, resource, names, COUNT_OF(names));
	type = compile_type(&r->c, resource);
	if (r->c.failed != ERR_OK)
		return;
	compile_part(r, resource, "Properties", true, types[type].properties);
	compile_part(r, resource, "OverrideSettings", false, types[type].settings);
}

void
compile_resources(struct template_compiler *r, const cJSON *resources)
{
	struct compiler *c = &r->c;
	size_t before = place_enter(c, "Resources");
	const cJSON *first = NULL;

	if (cJSON_IsObject(resources))
		first = resources->child;
	else
		compiler_fail(c, resources == NULL ? "is missing" : "must be an object");
	for (const cJSON *o = first; c->failed == ERR_OK && o != NULL; o = o->next) {
		size_t here = place_enter(c, ".%.*s", SHOWN, o->string);

		compile_resource(r, o);
		place_leave(c, here);
	}
	if (!r->t->has_certificate)
		compiler_fail(c,
		    "there is no AWS::IoT::Certificate, so nothing would become ACTIVE");
	place_leave(c, before);
}
