/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_parts.c - what the commands share: members, lists, answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/name.h"
#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/*
 * Members.
 */

/* Members that every command may have come first. */
void
parse_nothing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData" };

	(void)c;
	json_only(m, names, COUNT_OF(names));
}

void
parse_fail(struct members *m, enum err e, const char *why)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, "%s", why);
}

void
parse_take(struct members *m, enum err e)
{
	if (m->failed == ERR_OK)
		m->failed = e;
}

bool
parse_pem(struct members *m, const char *name, bool required, struct x509_st **out)
{
	const char *pem = json_string(m, name, 1, X509_PEM_MAX, required);
	struct diag why = { "" };
	enum err e;

	if (pem == NULL)
		return false;
	e = x509_from_pem(view_of(pem), out, &why);
	if (e == ERR_OK)
		return true;
	m->failed = e;
	diag_set(m->diag, "%s: %s", name, why.text);
	return false;
}

static void
check_tag(struct members *m, const cJSON *json)
{
	static const char *const names[] = { "Key", "Value" };
	struct members tag = json_members(json, m->diag);

	if (!cJSON_IsObject(json)) {
		json_fail(m, "tags", NULL, "be a list of objects");
		return;
	}
	(void)json_string(&tag, "Key", 1, 128, true);
	(void)json_string(&tag, "Value", 0, 256, false);
	json_only(&tag, names, COUNT_OF(names));
	parse_take(m, tag.failed);
}

void
parse_tags(struct members *m)
{
	const cJSON *tags = json_array(m, "tags", 50), *tag;

	if (tags == NULL)
		return;
	cJSON_ArrayForEach(tag, tags) if (m->failed == ERR_OK) check_tag(m, tag);
}

/* A name in AWS's pattern for it (aws-iot 1.7). */
static void
parse_name(struct members *m, const char *name, bool required, bool (*valid)(struct view text),
    const char *pattern, struct view *out)
{
	const char *text = json_string(m, name, 1, NAME_MAX_LENGTH, required);
	char constraint[80];

	if (text == NULL)
		return;
	if (valid(view_of(text))) {
		*out = view_of(text);
		return;
	}
	(void)snprintf(constraint, sizeof(constraint), "satisfy regular expression pattern: %s",
	    pattern);
	json_fail(m, name, text, constraint);
}

void
parse_policy_name(struct members *m, struct command *c)
{
	parse_name(m, "policyName", true, policy_name_valid, "[\\w+=,.@-]+", &c->named);
}

void
parse_thing_name(struct members *m, const char *name, bool required, struct view *out)
{
	parse_name(m, name, required, thing_name_valid, "[a-zA-Z0-9:_-]+", out);
}

void
parse_template_name(struct members *m, const char *name, bool required, struct view *out)
{
	const char *text = json_string(m, name, 1, TEMPLATE_NAME_MAX, required);

	if (text == NULL)
		return;
	*out = view_of(text);
	if (text[strspn(text, LETTERS DIGITS "_-")] != '\0')
		json_fail(m, name, text, "satisfy regular expression pattern: ^[0-9A-Za-z_-]+$");
}

/* A principal is a certificate of this registry; its id alone will do. */
void
parse_principal(struct members *m, const char *name, struct command *c)
{
	const char *text = json_string(m, name, 1, 2048, true), *hex = text;
	const char *prefix = c->account->scope.prefix;
	size_t len = strlen(prefix);

	if (text == NULL)
		return;
	if (strncmp(text, prefix, len) == 0 && strncmp(text + len, "cert/", 5) == 0)
		hex = text + len + 5;
	if (certid_from_hex(&c->id, view_of(hex)))
		return;
	m->failed = ERR_REQUEST;
	diag_set(m->diag,
	    "Invalid principal '%.48s%s' at '%s': it must be the ARN of a certificate, "
	    "%scert/<certificateId>, or its certificateId",
	    text, strlen(text) > 48 ? "..." : "", name, prefix);
}

/*
 * Lists.  A mark is where the last page ended, as digits: they match AWS's
 * pattern (aws-iot 1.7, Marker) and mean nothing elsewhere.
 */

static void
put_time(uint8_t *out, int64_t ms)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)ms >> (56 - 8 * i));
}

static int64_t
get_time(const uint8_t *in)
{
	uint64_t ms = 0;

	for (size_t i = 0; i < 8; i++)
		ms = ms << 8 | in[i];
	return (int64_t)ms;
}

static size_t
mark_encode(enum page_key key, const struct mark *mark, uint8_t out[MARK_BYTES])
{
	size_t at = 0;

	if (key == KEY_CREATED_ID || key == KEY_CREATED_NAME) {
		put_time(out, mark->created);
		at = 8;
	}
	if (key == KEY_CREATED_ID || key == KEY_ID) {
		memcpy(out + at, mark->id.b, sizeof(mark->id.b));
		return at + sizeof(mark->id.b);
	}
	memcpy(out + at, mark->name.data, mark->name.len);
	return at + mark->name.len;
}

/* Is it the name of anything?  Others never come from us. */
static bool
is_name(struct view v)
{
	static const char allowed[] = LETTERS DIGITS "_+=,.@-:";

	for (size_t i = 0; i < v.len; i++)
		if (v.data[i] == '\0' || strchr(allowed, v.data[i]) == NULL)
			return false;
	return v.len > 0 && v.len <= NAME_MAX_LENGTH;
}

static bool
mark_decode(struct page *p, size_t len)
{
	size_t at = 0;

	if (p->key == KEY_CREATED_ID || p->key == KEY_CREATED_NAME) {
		if (len < 8)
			return false;
		p->after.created = get_time(p->bytes);
		at = 8;
	}
	p->after.name = (struct view){ p->bytes + at, len - at };
	if (p->key == KEY_CREATED_NAME || p->key == KEY_NAME)
		return is_name(p->after.name);
	if (len - at != sizeof(p->after.id.b))
		return false;
	memcpy(p->after.id.b, p->bytes + at, sizeof(p->after.id.b));
	return true;
}

static void
parse_mark(struct members *m, struct page *p, const char *name)
{
	const char *text = json_string(m, name, 0, 1024, false);
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text) / 2;
	p->has_after = len <= sizeof(p->bytes) && hex_decode(p->bytes, len, view_of(text)) &&
	    mark_decode(p, len);
	if (!p->has_after)
		json_fail(m, name, text,
		    strcmp(name, "marker") == 0 ? "be a nextMarker of an earlier answer"
						: "be a nextToken of an earlier answer");
}

void
parse_markers(struct members *m, struct command *c, enum page_key key)
{
	c->page.key = key;
	c->page.next = "nextMarker";
	c->page.size = (size_t)json_integer(m, "pageSize", 1, PAGE_MAX, PAGE_DEFAULT);
	c->page.ascending = json_bool(m, "ascendingOrder", false);
	parse_mark(m, &c->page, "marker");
}

void
parse_tokens(struct members *m, struct command *c, enum page_key key)
{
	c->page.key = key;
	c->page.next = "nextToken";
	c->page.size = (size_t)json_integer(m, "maxResults", 1, PAGE_MAX, PAGE_DEFAULT_THINGS);
	c->page.ascending = true;
	parse_mark(m, &c->page, "nextToken");
}

void
add_mark(cJSON *data, const struct command *c, const struct mark *last)
{
	uint8_t bytes[MARK_BYTES];
	char hex[2 * MARK_BYTES + 1];

	hex_encode((struct view){ bytes, mark_encode(c->page.key, last, bytes) }, hex);
	cJSON_AddStringToObject(data, c->page.next, hex);
}

/*
 * Answers.
 */

void
add_view(cJSON *o, const char *name, struct view v)
{
	char *text = v.len > 0 ? strndup((const char *)v.data, v.len) : NULL;

	if (text != NULL)
		cJSON_AddStringToObject(o, name, text);
	free(text);
}

/* It may quote a value cut in the middle of a character. */
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

static void
add_arn(cJSON *o, const char *name, const struct account *a, const char *resource)
{
	char arn[ARN_PREFIX_SIZE + RESOURCE_SIZE];

	(void)snprintf(arn, sizeof(arn), "%s%s", a->scope.prefix, resource);
	if (name != NULL)
		cJSON_AddStringToObject(o, name, arn);
	else
		cJSON_AddItemToArray(o, cJSON_CreateString(arn));
}

void
add_id_arn(cJSON *o, const char *name, const struct account *a, enum resource r,
    const struct certid *id)
{
	char resource[RESOURCE_SIZE];

	resource_text(r, id, (struct view){ NULL, 0 }, resource);
	add_arn(o, name, a, resource);
}

void
add_name_arn(cJSON *o, const char *name, const struct account *a, enum resource r,
    struct view resource_name)
{
	char resource[RESOURCE_SIZE];

	resource_text(r, NULL, resource_name, resource);
	add_arn(o, name, a, resource);
}

void
add_principals(cJSON *data, const char *name, const struct command *c, const struct certid *ids,
    size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(data, name);

	for (size_t i = 0; i < count && i < c->page.size; i++)
		add_id_arn(list, NULL, c->account, RESOURCE_CERTIFICATE, &ids[i]);
	if (count > c->page.size)
		add_mark(data, c, &(struct mark){ .id = ids[c->page.size - 1] });
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

/* As it was received, or made from what the handshake brought. */
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
 * What must be there.
 */

enum err
check_principal(struct txn *t, struct command *c, struct cert *out)
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
check_policy(struct txn *t, struct command *c, struct policy_record *out)
{
	enum err e = store_get_policy(t, c->named, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Policy not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	return e;
}

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
