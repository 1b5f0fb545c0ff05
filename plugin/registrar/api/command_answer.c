/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_answer.c - see command_answer.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_answer.h"

#include "jitr/adapter/x509.h"
#include "jitr/core/text.h"

/*
 * Values.
 */

void
add_view(cJSON *o, const char *name, struct view v)
{
	char *text = v.len > 0 ? strndup((const char *)v.data, v.len) : NULL;

	if (text != NULL)
		cJSON_AddStringToObject(o, name, text);
	free(text);
}

/* It may quote a value that was cut in the middle of a character. */
void
add_bytes(cJSON *o, const char *name, struct view bytes)
{
	struct view rest = bytes;
	size_t n;

	while ((n = utf8_next(rest)) > 0 && rest.data[0] != '\0')
		rest = (struct view){ rest.data + n, rest.len - n };
	add_view(o, name, (struct view){ bytes.data, bytes.len - rest.len });
}

void
add_text(cJSON *o, const char *name, const char *text)
{
	add_bytes(o, name, view_of(text));
}

void
add_hex(cJSON *o, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[CERTID_HEX_SIZE];

	hex_encode((struct view){ bytes, len }, hex);
	cJSON_AddStringToObject(o, name, hex);
}

void
add_time(cJSON *o, const char *name, int64_t ms)
{
	cJSON_AddNumberToObject(o, name, (double)ms / 1000);
}

void
add_uuid(cJSON *o, const char *name, const struct generation *g)
{
	char uuid[40];
	struct text t = text_in(uuid, sizeof(uuid));

	text_add_uuid(&t, g->b);
	cJSON_AddStringToObject(o, name, uuid);
}

void
add_validity(cJSON *o, int64_t not_before, int64_t not_after)
{
	cJSON *validity = cJSON_AddObjectToObject(o, "validity");

	add_time(validity, "notBefore", not_before);
	add_time(validity, "notAfter", not_after);
}

void
add_item(cJSON *list, struct view item)
{
	char *text = strndup((const char *)item.data, item.len);

	if (text != NULL)
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	free(text);
}

static enum err
add_made_pem(cJSON *o, struct view der)
{
	char *pem;
	enum err e = x509_pem_from_der(der, &pem);

	if (e != ERR_OK)
		return e;
	cJSON_AddStringToObject(o, "certificatePem", pem);
	free(pem);
	return ERR_OK;
}

enum err
add_pem(cJSON *o, struct view pem, struct view der)
{
	char *text;

	if (pem.len == 0)
		return add_made_pem(o, der);
	text = strndup((const char *)pem.data, pem.len);
	if (text == NULL)
		return ERR_NOMEM;
	cJSON_AddStringToObject(o, "certificatePem", text);
	free(text);
	return ERR_OK;
}

/*
 * ARNs.
 */

static void
add_arn(cJSON *o, const char *name, const struct command *c, const char *resource)
{
	char arn[ARN_PREFIX_SIZE + RESOURCE_SIZE];

	(void)snprintf(arn, sizeof(arn), "%s%s", c->context->account->scope.prefix, resource);
	if (name != NULL)
		cJSON_AddStringToObject(o, name, arn);
	else
		cJSON_AddItemToArray(o, cJSON_CreateString(arn));
}

void
add_id_arn(cJSON *o, const char *name, const struct command *c, enum resource r,
    const struct certid *id)
{
	char resource[RESOURCE_SIZE];

	resource_text(r, id, (struct view){ NULL, 0 }, resource);
	add_arn(o, name, c, resource);
}

void
add_name_arn(cJSON *o, const char *name, const struct command *c, enum resource r,
    struct view resource_name)
{
	char resource[RESOURCE_SIZE];

	resource_text(r, NULL, resource_name, resource);
	add_arn(o, name, c, resource);
}

void
add_policy_name(cJSON *o, const struct command *c, struct view name)
{
	add_view(o, "policyName", name);
	add_name_arn(o, "policyArn", c, RESOURCE_POLICY, name);
}

void
add_principals(cJSON *data, const char *name, const struct command *c, const struct certid *ids,
    size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(data, name);

	for (size_t i = 0; i < count && i < c->page.size; i++)
		add_id_arn(list, NULL, c, RESOURCE_CERTIFICATE, &ids[i]);
	if (count > c->page.size)
		page_add_mark(data, &c->page, &(struct mark){ .id = ids[c->page.size - 1] });
}

/*
 * Warnings.
 */

void
add_warning(cJSON *answer, const char *text)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "warnings");

	if (list == NULL)
		list = cJSON_AddArrayToObject(answer, "warnings");
	cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

struct policy_warnings {
	cJSON *answer;
	const char *name; /* of the policy; NULL: is not told */
};

static void
add_policy_warning(void *context, const char *text)
{
	const struct policy_warnings *w = context;
	char line[640];

	if (w->name == NULL) {
		add_warning(w->answer, text);
		return;
	}
	(void)snprintf(line, sizeof(line), "policy %s: %s", w->name, text);
	add_warning(w->answer, line);
}

void
add_policy_warnings(cJSON *answer, const struct command *c, const struct policy *policy,
    const char *name)
{
	struct policy_warnings w = { answer, name };

	policy_warn(policy, &c->context->actions, add_policy_warning, &w);
}

/*
 * Errors.
 */

enum err
refuse_bytes(struct command *c)
{
	diag_set(&c->diag, "The answer to this request is too large: ask for less at a time");
	return ERR_LIMIT;
}

enum err
refuse_steps(struct command *c)
{
	diag_set(&c->diag,
	    "These policies take too many steps to be asked in one request: ask about "
	    "less at a time");
	return ERR_LIMIT;
}

enum err
lookup_ca(struct txn *t, struct command *c, struct ca *out)
{
	enum err e = store_get_ca(t, &c->id, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "CA certificate not found");
	return e;
}

enum err
lookup_certificate(struct txn *t, struct command *c, struct cert *out)
{
	char hex[CERTID_HEX_SIZE];
	enum err e = store_get_cert(t, &c->id, out);

	if (e == ERR_NOT_FOUND) {
		certid_to_hex(&c->id, hex);
		diag_set(&c->diag, "Certificate not found (id: %s)", hex);
	}
	return e;
}

enum err
lookup_policy(struct txn *t, struct command *c, struct policy_record *out)
{
	enum err e = store_get_policy(t, c->named, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Policy not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	return e;
}

enum err
lookup_thing(struct txn *t, struct command *c, struct thing *out)
{
	enum err e = store_get_thing(t, c->named, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Thing %.*s cannot be found.", (int)c->named.len,
		    (const char *)c->named.data);
	return e;
}
