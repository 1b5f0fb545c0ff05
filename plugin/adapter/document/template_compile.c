/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_compile.c - compiles provisioning templates; see template.h.  The registrar's thread.
 *
 * The grammar is aws-iot E.1 and E.2, as far as it applies to just-in-time
 * provisioning, where the certificate is the only source of values.  Any other
 * parameter has its Default as value.  Anything that is not fully understood is
 * refused.  template_resource.c compiles the resources.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"
#include "template_compiler.h"

#define DEPTH_MAX 16 /* a template needs six levels */

static const struct language templates = { .document = "templateBody",
	.before = "templateBody: ",
	.failure = ERR_REQUEST };

/*
 * Parameters.
 */

#define PSEUDO "AWS::"

static const struct {
	const char *name;
	enum cert_field field;
} subject[] = {
	{ "AWS::IoT::Certificate::Country", FIELD_SUBJECT_COUNTRY },
	{ "AWS::IoT::Certificate::Organization", FIELD_SUBJECT_ORGANIZATION },
	{ "AWS::IoT::Certificate::OrganizationalUnit", FIELD_SUBJECT_ORGANIZATIONAL_UNIT },
	{ "AWS::IoT::Certificate::DistinguishedNameQualifier", FIELD_SUBJECT_DN_QUALIFIER },
	{ "AWS::IoT::Certificate::StateName", FIELD_SUBJECT_STATE },
	{ "AWS::IoT::Certificate::CommonName", FIELD_SUBJECT_COMMON_NAME },
	{ "AWS::IoT::Certificate::SerialNumber", FIELD_SUBJECT_SERIAL_NUMBER },
};

/* The source of a parameter's value. */
static enum value_source
source_of(const char *parameter, enum cert_field *field)
{
	*field = FIELD_CERT_SERIAL_NUMBER;
	if (strcmp(parameter, PSEUDO_ID) == 0)
		return VALUE_CERTIFICATE_ID;
	for (size_t i = 0; i < COUNT_OF(subject); i++) {
		if (strcmp(parameter, subject[i].name) != 0)
			continue;
		*field = subject[i].field;
		return VALUE_SUBJECT;
	}
	return VALUE_DEFAULT;
}

/* Type defaults to String, the only type. */
static void
compile_parameter(struct compiler *c, const cJSON *parameter)
{
	static const char *const names[] = { "Type", "Default" };
	enum cert_field field;
	const char *type;
	size_t before;

	if (strncmp(parameter->string, PSEUDO, strlen(PSEUDO)) == 0 &&
	    source_of(parameter->string, &field) == VALUE_DEFAULT)
		compiler_fail(c, "there is no such parameter of a certificate");
	if (!cJSON_IsObject(parameter)) {
		compiler_fail(c, "must be an object");
		return;
	}
	object_check(c, parameter, names, COUNT_OF(names));
	(void)object_string(c, parameter, "Default");
	type = object_string(c, parameter, "Type");
	before = place_enter(c, ".Type");
	if (type != NULL && strcmp(type, "String") != 0)
		compiler_fail(c, "must be String");
	place_leave(c, before);
}

static void
compile_parameters(struct template_compiler *r, const cJSON *parameters)
{
	struct compiler *c = &r->c;
	size_t before = place_enter(c, "Parameters");

	if (!cJSON_IsObject(parameters))
		compiler_fail(c, "must be an object");
	for (const cJSON *p = parameters->child; c->failed == ERR_OK && p != NULL; p = p->next) {
		size_t here = place_enter(c, ".%.*s", SHOWN, p->string);

		compile_parameter(c, p);
		place_leave(c, here);
	}
	r->parameters = parameters;
	place_leave(c, before);
}

/*
 * Values.
 */

static void
check_value(struct compiler *c, const struct template_value *v)
{
	if (v->text.data == NULL || v->kind->valid(v->text))
		return;
	compiler_fail(c, "'%.*s'%s %s", SHOWN, (const char *)v->text.data,
	    v->source != VALUE_TEXT ? ", the parameter's Default," : "", v->kind->words);
}

static void
compile_reference(struct template_compiler *r, const char *name, struct template_value *out)
{
	const cJSON *parameter = object_get(r->parameters, name),
		    *given = object_get(parameter, "Default");

	if (parameter == NULL) {
		compiler_fail(&r->c, "the parameter '%.*s' is not declared under Parameters", SHOWN,
		    name);
		return;
	}
	out->source = source_of(name, &out->field);
	out->parameter = compiler_copy(&r->c, view_of(name));
	if (given != NULL)
		out->text = compiler_copy(&r->c, view_of(given->valuestring));
}

static const cJSON *
find_function(const cJSON *object)
{
	for (const cJSON *m = object->child; m != NULL; m = m->next)
		if (strncmp(m->string, "Fn::", 4) == 0)
			return m;
	return NULL;
}

void
compile_value(struct template_compiler *r, const cJSON *value, const struct text_kind *kind,
    struct template_value *out)
{
	const cJSON *only = cJSON_IsObject(value) && cJSON_GetArraySize(value) == 1 ? value->child
										    : NULL;
	const cJSON *function = cJSON_IsObject(value) ? find_function(value) : NULL;

	*out = (struct template_value){ .source = VALUE_TEXT, .kind = kind };
	if (cJSON_IsString(value))
		out->text = compiler_copy(&r->c, view_of(value->valuestring));
	else if (function != NULL)
		compiler_fail(&r->c, "'%.*s' is not for just-in-time provisioning", SHOWN,
		    function->string);
	else if (only != NULL && strcmp(only->string, "Ref") == 0 && cJSON_IsString(only))
		compile_reference(r, only->valuestring, out);
	else
		compiler_fail(&r->c, "must be a string or {\"Ref\": \"parameter\"}");
	if (r->c.failed == ERR_OK)
		check_value(&r->c, out);
}

void
compile_property(struct template_compiler *r, const cJSON *properties, const char *name,
    const struct text_kind *kind, struct template_value *out)
{
	const cJSON *value = object_get(properties, name);
	size_t before = place_enter(&r->c, ".%s", name);

	if (value != NULL && r->c.failed == ERR_OK)
		compile_value(r, value, kind, out);
	place_leave(&r->c, before);
}

/*
 * The template.
 */

static void
check_top(struct compiler *c, const cJSON *object)
{
	static const char *const names[] = { "Parameters", "Resources" };
	static const char *const others[] = { "Mappings", "DeviceConfiguration" };

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (object_get(object, others[i]) != NULL)
			compiler_fail(c, "'%s' is not for just-in-time provisioning", others[i]);
	object_check(c, object, names, COUNT_OF(names));
}

static void
compile_template(struct template_compiler *r, const cJSON *object)
{
	const cJSON *parameters;

	if (!cJSON_IsObject(object)) {
		compiler_fail(&r->c, "must be a JSON object");
		return;
	}
	check_top(&r->c, object);
	parameters = object_get(object, "Parameters");
	if (parameters != NULL)
		compile_parameters(r, parameters);
	if (r->c.failed == ERR_OK)
		compile_resources(r, object_get(object, "Resources"));
}

static void
check_size(struct compiler *c, struct view body)
{
	size_t characters = utf8_length(body);

	if (characters > TEMPLATE_BODY_MAX)
		compiler_fail(c, "it has %zu characters, %d at most are allowed", characters,
		    TEMPLATE_BODY_MAX);
}

static void
begin_template(struct template_compiler *r)
{
	r->t = compiler_allocate(&r->c, 1, sizeof(*r->t));
	if (r->t == NULL)
		return;
	r->t->status = (struct template_value){ .source = VALUE_TEXT,
		.kind = &kind_status,
		.text = view_of("ACTIVE") };
	r->t->on_status = OVERRIDE_REPLACE;
}

enum err
template_compile(struct view body, const struct arn_scope *scope, struct template **out,
    struct diag *diag)
{
	struct template_compiler r = { .c = compiler_of(&templates, diag), .scope = scope };
	cJSON *json = NULL;

	*out = NULL;
	check_size(&r.c, body);
	if (r.c.failed == ERR_OK)
		r.c.failed = json_parse_as(body, "template body", DEPTH_MAX, &json, diag);
	begin_template(&r);
	if (r.c.failed == ERR_OK)
		compile_template(&r, json);
	cJSON_Delete(json);
	if (r.c.failed != ERR_OK) {
		chunks_free(r.c.chunks);
		return r.c.failed;
	}
	r.t->memory = r.c.chunks;
	*out = r.t;
	return ERR_OK;
}

void
template_free(struct template *t)
{
	if (t != NULL)
		chunks_free(t->memory);
}
