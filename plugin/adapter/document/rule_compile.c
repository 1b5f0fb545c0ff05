/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule_compile.c - compiles rule documents; see rule.h.  The registrar's thread.  Anything that
 * is not fully understood is refused, since a partial rule could accept any device.
 */
#include <string.h>

#include "compiler.h"

#include "jitr/adapter/expression.h"
#include "jitr/core/name.h"
#include "jitr/core/rule_form.h"

#define DEPTH_MAX 8 /* a document needs four levels */

/* A policy may use unknown variables, but in a rule a misspelt name in a negated
 * condition would activate every certificate. */
static const char *
fault_of_variable(const struct variable *v)
{
	switch (v->kind) {
	case VARIABLE_CLIENT_ID:
	case VARIABLE_SOURCE_IP:
	case VARIABLE_CERTIFICATE_ID:
	case VARIABLE_CERT_FIELD:
	case VARIABLE_CERT_KEYS:
		return NULL;
	case VARIABLE_DOMAIN_NAME:
	case VARIABLE_TIME:
	case VARIABLE_THING_NAME:
	case VARIABLE_THING_TYPE:
	case VARIABLE_THING_ATTACHED:
	case VARIABLE_THING_ATTRIBUTE:
	case VARIABLE_CONNECT_ATTRIBUTES:
	case VARIABLE_LAST_WILL_TOPIC:
		return "is not known when a certificate is activated";
	case VARIABLE_UNKNOWN:
		break;
	}
	return "is unknown";
}

static const struct language rules = { .document = "activation",
	.before = "activation: ",
	.failure = ERR_REQUEST,
	.expressions = true,
	.fault = fault_of_variable };

static void
compile_policy(struct compiler *c, const cJSON *item, struct rule *r)
{
	struct view name = view_of(cJSON_IsString(item) ? item->valuestring : "");

	if (!cJSON_IsString(item))
		compiler_fail(c, "must be a string");
	else if (!policy_name_valid(name))
		compiler_fail(c, "'%.*s' is not a valid policy name: " POLICY_NAME_WORDS, SHOWN,
		    item->valuestring);
	for (size_t i = 0; i < r->policy_count; i++)
		if (view_equal(r->policies[i], name))
			compiler_fail(c, "'%.*s' is named twice", SHOWN, item->valuestring);
	if (c->failed == ERR_OK)
		r->policies[r->policy_count++] = compiler_copy(c, name);
}

static void
compile_policies(struct compiler *c, const cJSON *list, struct rule *r)
{
	const cJSON *item = list_first(list);

	if (list_count(list) > POLICIES_MAX)
		compiler_fail(c, "a certificate has %d policies at most", POLICIES_MAX);
	for (size_t i = 0; c->failed == ERR_OK && i < list_count(list); i++, item = item->next) {
		size_t before = place_enter_item(c, list, i);

		compile_policy(c, item, r);
		place_leave(c, before);
	}
}

static void
check_piece_of_name(struct compiler *c, const struct piece *piece)
{
	const struct variable *v = piece->variable;

	if (piece->kind == PIECE_TEXT && !thing_name_valid(piece->text))
		compiler_fail(c, "'%.*s' cannot be part of a thing name: " THING_NAME_WORDS,
		    piece->text.len < SHOWN ? (int)piece->text.len : SHOWN,
		    (const char *)piece->text.data);
	if (piece->kind == PIECE_VARIABLE && (v->list || v->kind == VARIABLE_CERT_KEYS))
		compiler_fail(c, "'%.*s' has more than one value", (int)v->name.len,
		    (const char *)v->name.data);
}

static void
compile_thing(struct compiler *c, const cJSON *value, struct rule *r)
{
	struct view text;

	if (!cJSON_IsString(value) || value->valuestring[0] == '\0') {
		compiler_fail(c, "must be a string that is not empty");
		return;
	}
	text = compiler_copy(c, view_of(value->valuestring));
	r->thing = compile_pattern(c, text, c->pattern_flags, false);
	if (r->thing.least > NAME_MAX_LENGTH)
		compiler_fail(c, "the name of a thing has %d characters at most", NAME_MAX_LENGTH);
	for (size_t i = 0; i < r->thing.count && c->failed == ERR_OK; i++)
		check_piece_of_name(c, &r->thing.pieces[i]);
}

static bool
differs_by_certificate(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pieces[i].kind == PIECE_VARIABLE)
			return true;
	return false;
}

/* With the same thing for all certificates, each new one would deactivate all others. */
static void
compile_supersede(struct compiler *c, const cJSON *value, struct rule *r)
{
	double seconds = cJSON_IsNumber(value) ? value->valuedouble : -1;

	if (!json_is_integer(seconds) || seconds < 0 || seconds > (double)RULE_SUPERSEDE_MAX) {
		compiler_fail(c, "must be a whole number of seconds, 0 to %lld",
		    (long long)RULE_SUPERSEDE_MAX);
		return;
	}
	if (!differs_by_certificate(&r->thing))
		compiler_fail(c, "needs a 'thing' that is named by a variable");
	r->supersedes = true;
	r->supersede_after = (int64_t)seconds * 1000;
}

static void
compile_otherwise(struct compiler *c, const cJSON *value, struct rule *r)
{
	enum cert_status status;

	if (cJSON_IsString(value) && cert_status_parse(value->valuestring, &status) &&
	    (status == CERT_PENDING_ACTIVATION || status == CERT_REVOKED))
		r->otherwise = status;
	else
		compiler_fail(c, "must be PENDING_ACTIVATION or REVOKED");
}

static void
compile_rule_conditions(struct compiler *c, const cJSON *value, struct rule *r)
{
	r->conditions = compile_conditions(c, value, &r->condition_count);
}

/* In this order: later members depend on earlier ones. */
static const struct {
	const char *name;
	void (*compile)(struct compiler *c, const cJSON *value, struct rule *r);
} members[] = {
	{ "conditions", compile_rule_conditions },
	{ "policies", compile_policies },
	{ "thing", compile_thing },
	{ "supersede", compile_supersede },
	{ "otherwise", compile_otherwise },
};

static void
check_names(struct compiler *c, const cJSON *object)
{
	const char *names[COUNT_OF(members)];

	for (size_t i = 0; i < COUNT_OF(members); i++)
		names[i] = members[i].name;
	object_check(c, object, names, COUNT_OF(names));
}

static void
compile_rule(struct compiler *c, const cJSON *object, struct rule *r)
{
	if (!cJSON_IsObject(object)) {
		compiler_fail(c, "must be a JSON object");
		return;
	}
	check_names(c, object);
	for (size_t i = 0; c->failed == ERR_OK && i < COUNT_OF(members); i++) {
		const cJSON *value = object_get(object, members[i].name);
		size_t before = place_enter(c, "%s", members[i].name);

		if (value != NULL)
			members[i].compile(c, value, r);
		place_leave(c, before);
	}
}

static struct rule *
begin_rule(struct compiler *c)
{
	struct rule *r = compiler_allocate(c, 1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->otherwise = CERT_PENDING_ACTIVATION;
	r->expression_match = expression_match;
	c->pattern_flags = PATTERN_VARIABLES;
	return r;
}

enum err
rule_compile(struct view document, struct rule **out, struct diag *diag)
{
	struct compiler c = compiler_of(&rules, diag);
	cJSON *json = NULL;
	struct rule *r;

	*out = NULL;
	if (document.len > RULE_BYTES_MAX)
		compiler_fail(&c, "it has %zu bytes, %d at most are allowed", document.len,
		    RULE_BYTES_MAX);
	if (c.failed == ERR_OK)
		c.failed = json_parse_as(document, "activation document", DEPTH_MAX, &json, diag);
	r = begin_rule(&c);
	if (c.failed == ERR_OK)
		compile_rule(&c, json, r);
	cJSON_Delete(json);
	if (c.failed != ERR_OK) {
		chunks_free(c.chunks);
		return c.failed;
	}
	r->names = c.names;
	r->memory = c.chunks;
	*out = r;
	return ERR_OK;
}

void
rule_free(struct rule *r)
{
	if (r != NULL)
		chunks_free(r->memory);
}
