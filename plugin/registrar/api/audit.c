/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* audit.c - see audit.h. */
#include <stdio.h>
#include <string.h>

#include "audit.h"

#include "jitr/core/text.h"
#include "jitr/service/registry_policy.h"
#include "jitr/adapter/x509.h"

/*
 * Values.
 */

static void
add_value(struct audit_state *s, const char *name, struct view value)
{
	struct audit_value *v = &s->values[s->count];
	struct view head = utf8_head(value, sizeof(v->text) - 1);

	if (value.len == 0 || s->count == COUNT_OF(s->values))
		return;
	v->name = name;
	v->sum = hash_bytes(HASH_START, value);
	memcpy(v->text, head.data, head.len);
	v->text[head.len] = '\0';
	s->count++;
}

static void
add_word(struct audit_state *s, const char *name, const char *word)
{
	add_value(s, name, view_of(word));
}

static void
add_count(struct audit_state *s, const char *name, uint64_t n)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	add_word(s, name, digits);
}

/* A document, by the first digits of its SHA-256. */
static void
add_digest(struct audit_state *s, const char *name, struct view document)
{
	char hex[CERTID_HEX_SIZE], text[32];
	struct certid digest;

	if (document.len == 0 || sha256_of(document, &digest) != ERR_OK)
		return;
	certid_to_hex(&digest, hex);
	(void)snprintf(text, sizeof(text), "sha256:%.8s", hex);
	add_word(s, name, text);
}

/*
 * The state of each kind of resource.
 */

static void
look_at_settings(struct txn *t, const struct certid *id, struct audit_state *s)
{
	static const char *const words[] = { [CRL_REQUIRED] = "required",
		[CRL_IF_PRESENT] = "if-present",
		[CRL_GRACE] = "grace" };
	struct ca_settings settings;

	if (store_get_ca_settings(t, id, &settings) != ERR_OK)
		settings = CA_SETTINGS_DEFAULT;
	add_digest(s, "activation", settings.activation);
	add_value(s, "templateName", settings.template_name);
	add_word(s, "crlCheck", words[settings.crl_check]);
	if (settings.crl_check == CRL_GRACE)
		add_count(s, "crlGraceDays", settings.crl_grace_days);
	add_value(s, "crlFile", settings.crl_file);
}

static void
look_at_ca(struct txn *t, const struct command *c, struct audit_state *s)
{
	struct ca_document document;
	struct ca ca;

	if (store_get_ca(t, &c->id, &ca) != ERR_OK)
		return;
	add_word(s, "status", ca_status_name(ca.status));
	add_count(s, "version", ca.version);
	add_word(s, "autoRegistration", ca.auto_registration ? "ENABLE" : "DISABLE");
	look_at_settings(t, &c->id, s);
	if (store_get_ca_document(t, &c->id, &document) == ERR_OK)
		add_digest(s, "template", document.template_body);
}

static void
look_at_attachments(struct txn *t, const struct certid *id, struct audit_state *s)
{
	struct view policies[POLICIES_PER_CERT_MAX];
	size_t count = 0;

	if (store_list_attached(t, id, NULL, true, policies, COUNT_OF(policies), &count) ==
		ERR_OK &&
	    count > 0)
		add_count(s, "policies", count);
}

static void
look_at_policy_of(struct txn *t, const struct command *c, struct audit_state *s)
{
	bool attached = false;

	if (store_is_attached(t, c->named, &c->id, &attached) == ERR_OK)
		add_word(s, "attached", attached ? "yes" : "no");
}

static void
look_at_thing_of(struct txn *t, const struct command *c, struct audit_state *s)
{
	enum principal_type type;
	enum err e = store_get_thing_principal(t, c->named, &c->id, &type);

	if (e == ERR_OK)
		add_word(s, "attached", type == PRINCIPAL_EXCLUSIVE ? "exclusively" : "yes");
	else if (e == ERR_NOT_FOUND)
		add_word(s, "attached", "no");
}

static void
look_at_certificate(struct txn *t, const struct command *c, struct audit_state *s)
{
	struct cert cert;

	if (c->type->also == RESOURCE_POLICY)
		look_at_policy_of(t, c, s);
	if (c->type->also == RESOURCE_THING)
		look_at_thing_of(t, c, s);
	if (c->type->also != RESOURCE_NONE || store_get_cert(t, &c->id, &cert) != ERR_OK)
		return;
	add_word(s, "status", cert_status_name(cert.status));
	add_count(s, "version", cert.version);
	look_at_attachments(t, &c->id, s);
}

/* The default version's document, and the version that the command names or makes. */
static void
look_at_policy(struct txn *t, const struct command *c, struct audit_state *s)
{
	struct policy_version version;
	struct policy_record policy;

	if (store_get_policy(t, c->named, &policy) != ERR_OK)
		return;
	if (c->policy.number != 0 &&
	    store_get_policy_version(t, c->named, c->policy.number, &version) == ERR_OK)
		add_count(s, "policyVersion", c->policy.number);
	add_count(s, "defaultVersion", policy.default_version);
	if (store_get_policy_version(t, c->named, policy.default_version, &version) == ERR_OK)
		add_digest(s, "document", version.document);
}

static void
look_at_thing(struct txn *t, const struct command *c, struct audit_state *s)
{
	struct thing thing;

	if (store_get_thing(t, c->named, &thing) != ERR_OK)
		return;
	add_count(s, "version", thing.version);
	add_value(s, "type", thing.type_name);
	add_value(s, "billingGroup", thing.billing_group);
	add_digest(s, "attributes", thing.attributes);
}

static void
look_at_template(struct txn *t, const struct command *c, struct audit_state *s)
{
	struct provisioning_template template;

	if (store_get_template(t, c->named, &template) != ERR_OK)
		return;
	add_word(s, "enabled", template.enabled ? "true" : "false");
	add_value(s, "description", template.description);
	add_value(s, "roleArn", template.role_arn);
	add_digest(s, "body", template.body);
}

static void
look_at_list(struct txn *t, const struct command *c, struct audit_state *s)
{
	char hex[2 * CRL_NUMBER_MAX + 3] = "0x";
	struct crl crl;

	if (store_get_crl(t, &c->id, &crl) != ERR_OK)
		return;
	hex_encode((struct view){ crl.number, crl.number_len }, hex + 2);
	add_word(s, "crlNumber", crl.number_len > 0 ? hex : "-");
	add_count(s, "entries", crl.count);
}

static void
look_at_code(struct txn *t, struct audit_state *s)
{
	char code[REGISTRATION_CODE_SIZE];

	if (store_get_registration_code(t, code) == ERR_OK)
		add_word(s, "registrationCode", "made");
}

/* An import takes many transactions, and logs its result itself. */
void
audit_look(struct txn *t, const struct command *c, struct audit_state *out)
{
	static void (*const looks[])(struct txn *, const struct command *, struct audit_state *) = {
		[RESOURCE_CA] = look_at_ca,
		[RESOURCE_CERTIFICATE] = look_at_certificate,
		[RESOURCE_POLICY] = look_at_policy,
		[RESOURCE_THING] = look_at_thing,
		[RESOURCE_CRL] = look_at_list,
		[RESOURCE_TEMPLATE] = look_at_template,
	};

	out->count = 0;
	if (c->type->changed == RESOURCE_NONE)
		look_at_code(t, out);
	else if (c->import == NULL)
		looks[c->type->changed](t, c, out);
}

/*
 * Differences.
 */

static const struct audit_value *
find_value(const struct audit_state *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->values[i].name, name) == 0)
			return &s->values[i];
	return NULL;
}

/* from, to NULL: there was no value before, there is none now. */
static void
add_change(struct changes *list, const struct audit_value *from, const struct audit_value *to)
{
	struct change *change = &list->list[list->count];

	if (list->count == COUNT_OF(list->list) ||
	    (from != NULL && to != NULL && from->sum == to->sum))
		return;
	change->name = from != NULL ? from->name : to->name;
	(void)snprintf(change->from, sizeof(change->from), "%s", from != NULL ? from->text : "");
	(void)snprintf(change->to, sizeof(change->to), "%s", to != NULL ? to->text : "");
	list->count++;
}

void
audit_compare(struct txn *t, struct command *c, const struct audit_state *before)
{
	struct audit_state after;

	c->changes.count = 0;
	if (c->result != ERR_OK)
		return;
	audit_look(t, c, &after);
	for (size_t i = 0; i < after.count; i++)
		add_change(&c->changes, find_value(before, after.values[i].name), &after.values[i]);
	for (size_t i = 0; i < before->count; i++)
		if (find_value(&after, before->values[i].name) == NULL)
			add_change(&c->changes, &before->values[i], NULL);
}

/*
 * The line.
 */

/* hex: memory for an id; the result points to it. */
static struct request_subject
subject_of(const struct command *c, enum resource r, char hex[CERTID_HEX_SIZE])
{
	static const struct certid none;
	static const struct request_subject words[] = {
		[RESOURCE_NONE] = { "", "", { NULL, 0 } },
		[RESOURCE_CA] = { "ca", "caCertificateId", { NULL, 0 } },
		[RESOURCE_CERTIFICATE] = { "certificate", "certificateId", { NULL, 0 } },
		[RESOURCE_POLICY] = { "policy", "policyName", { NULL, 0 } },
		[RESOURCE_THING] = { "thing", "thingName", { NULL, 0 } },
		[RESOURCE_CRL] = { "ca", "caCertificateId", { NULL, 0 } },
		[RESOURCE_TEMPLATE] = { "template", "templateName", { NULL, 0 } },
	};
	struct request_subject s = words[r];

	if (r == RESOURCE_NONE)
		return s;
	if (!resource_has_id(r)) {
		s.name = c->named;
	} else if (!certid_equal(&c->id, &none)) {
		certid_to_hex(&c->id, hex);
		s.name = view_of(hex);
	}
	return s;
}

void
audit_report(struct report *r, const struct command *c, const struct asker *asker)
{
	char changed[CERTID_HEX_SIZE], also[CERTID_HEX_SIZE];
	struct request_line line = { .command = c->name,
		.user_name = asker->user_name,
		.client_id = asker->client_id,
		.address = asker->address,
		.changes = &c->changes,
		.result = c->result,
		.details = c->diag.text[0] != '\0' ? c->diag.text : NULL };

	line.subjects[0] = subject_of(c, c->type->changed, changed);
	line.subjects[1] = subject_of(c, c->type->also, also);
	report_request(r, &line);
}
