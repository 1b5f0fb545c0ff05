/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* model.c - see model.h. */
#include <string.h>

#include "model.h"

#define DAY_MS INT64_C(86400000)

const struct model_document model_documents[DOCUMENTS] = {
	{ .allows_connect = true, .allows_publish = true },
	{ .allows_publish = true },
	{ .allows_publish = true, .denies_connect = true },
	{ .allows_connect = true },
};

const struct model_plan model_rules[RULES] = {
	{ .exists = false },
	{ .exists = true, .status = CERT_ACTIVE, .policies = 1, .thing = NONE },
	{ .exists = true, .status = CERT_ACTIVE, .policies = 3, .thing = 0 },
	{ .exists = true,
	    .status = CERT_ACTIVE,
	    .policies = 4,
	    .thing = 1,
	    .supersedes = true,
	    .after = 3600000 },
	{ .exists = true, .status = CERT_REVOKED, .thing = NONE },
	{ .exists = true, .status = CERT_PENDING_ACTIVATION, .thing = NONE },
};

const struct model_plan model_templates[TEMPLATES] = {
	{ .exists = true,
	    .is_template = true,
	    .status = CERT_ACTIVE,
	    .policies = 2,
	    .thing = NONE },
	{ .exists = true, .is_template = true, .status = CERT_INACTIVE, .policies = 1, .thing = 2 },
};

void
model_begin(struct model *m, const struct model_world *w, int64_t now)
{
	memset(m, 0, sizeof(*m));
	m->world = w;
	m->now = now;
}

static bool
is_valid(int64_t from, int64_t until, int64_t now)
{
	return from <= now && now <= until;
}

static bool
ca_is_in_time(const struct model *m, int ca)
{
	return is_valid(m->world->ca[ca].from, m->world->ca[ca].until, m->now);
}

static void
owe(struct model *m, enum model_event_kind kind, int device)
{
	const struct model_cert *c = &m->cert[device];

	if (m->owed_count < OWED)
		m->owed[m->owed_count++] = (struct model_event){ kind, device, c->ca, c->status };
}

/*
 * CAs.
 */

enum err
model_add_ca(struct model *m, int ca, bool active, bool automatic)
{
	struct model_ca *c = &m->ca[ca];

	if (c->present)
		return ERR_EXISTS;
	*c = (struct model_ca){ .present = true,
		.active = active,
		.automatic = automatic,
		.created = m->now,
		.version = 1,
		.template = NONE,
		.check = CRL_IF_PRESENT };
	return ERR_OK;
}

/* Each successful update counts. */
static struct model_ca *
update(struct model *m, int ca)
{
	m->ca[ca].version += m->ca[ca].present;
	return m->ca[ca].present ? &m->ca[ca] : NULL;
}

enum err
model_set_ca_status(struct model *m, int ca, bool active)
{
	struct model_ca *c = update(m, ca);

	if (c == NULL)
		return ERR_NOT_FOUND;
	c->active = active;
	return ERR_OK;
}

enum err
model_set_automatic(struct model *m, int ca, bool automatic)
{
	struct model_ca *c = update(m, ca);

	if (c == NULL)
		return ERR_NOT_FOUND;
	c->automatic = automatic;
	return ERR_OK;
}

/* aws-iot A.2.3: the template goes, and auto-registration is off. */
enum err
model_remove_automatic(struct model *m, int ca)
{
	struct model_ca *c = update(m, ca);

	if (c == NULL)
		return ERR_NOT_FOUND;
	c->automatic = false;
	c->template = NONE;
	return ERR_OK;
}

enum err
model_set_check(struct model *m, int ca, enum crl_check check, unsigned grace_days)
{
	struct model_ca *c = update(m, ca);

	if (c == NULL)
		return ERR_NOT_FOUND;
	c->check = check;
	c->grace_days = grace_days;
	return ERR_OK;
}

enum err
model_set_rule(struct model *m, int ca, int rule)
{
	struct model_ca *c = &m->ca[ca];

	if (!c->present)
		return ERR_NOT_FOUND;
	if (rule != 0 && c->template != NONE)
		return ERR_REQUEST;
	c->rule = rule;
	c->version++;
	return ERR_OK;
}

enum err
model_set_template(struct model *m, int ca, int template)
{
	struct model_ca *c = &m->ca[ca];

	if (!c->present)
		return ERR_NOT_FOUND;
	if (template != NONE && c->rule != 0)
		return ERR_REQUEST;
	if (template != NONE && !m->template[template].present)
		return ERR_NOT_FOUND;
	c->template = template;
	c->version++;
	return ERR_OK;
}

enum err
model_remove_ca(struct model *m, int ca)
{
	struct model_ca *c = &m->ca[ca];

	if (!c->present)
		return ERR_NOT_FOUND;
	if (c->active)
		return ERR_WRONG_STATE;
	memset(c, 0, sizeof(*c));
	return ERR_OK;
}

/*
 * Statuses.
 */

/* aws-iot A.3.6. */
static bool
may_change(enum cert_status from, enum cert_status to)
{
	return to != CERT_PENDING_ACTIVATION && (from != CERT_REVOKED || to == CERT_REVOKED);
}

static void
put_status(struct model *m, int device, enum cert_status status)
{
	m->cert[device].version += m->cert[device].status != status;
	m->cert[device].status = status;
}

static void
schedule(struct model *m, const struct model_superseded *s)
{
	for (size_t i = 0; i < m->superseded_count; i++) {
		if (m->superseded[i].due == s->due && m->superseded[i].device == s->device) {
			m->superseded[i] = *s;
			return;
		}
	}
	if (m->superseded_count < SCHEDULED)
		m->superseded[m->superseded_count++] = *s;
}

/* The other certificates of its things, if ACTIVE and not newer, end after a time. */
static void
supersede(struct model *m, int device, int64_t after)
{
	for (int t = 0; t < THINGS; t++) {
		for (int d = 0; d < DEVICES; d++) {
			const struct model_thing *thing = &m->thing[t];

			if (d != device && thing->device[device].attached &&
			    thing->device[d].attached && m->cert[d].status == CERT_ACTIVE &&
			    m->cert[d].created <= m->cert[device].created)
				schedule(m,
				    &(struct model_superseded){ m->now + after, d, device });
		}
	}
}

/* Due entries, by time, then by certificateId. */
static size_t
next_due(const struct model *m)
{
	size_t best = m->superseded_count;

	for (size_t i = 0; i < m->superseded_count; i++) {
		const struct model_superseded *a = &m->superseded[i], *b = &m->superseded[best];

		if (a->due > m->now)
			continue;
		if (best == m->superseded_count || a->due < b->due ||
		    (a->due == b->due &&
			memcmp(&m->world->device[a->device].id, &m->world->device[b->device].id,
			    sizeof(struct certid)) < 0))
			best = i;
	}
	return best;
}

void
model_retire(struct model *m)
{
	for (size_t i; (i = next_due(m)) < m->superseded_count;) {
		struct model_superseded s = m->superseded[i];

		m->superseded[i] = m->superseded[--m->superseded_count];
		if (m->cert[s.device].present && m->cert[s.device].status == CERT_ACTIVE &&
		    m->cert[s.successor].present && m->cert[s.successor].status == CERT_ACTIVE)
			put_status(m, s.device, CERT_INACTIVE);
	}
}

/* By the time of its expiry, then of its creation, then by certificateId. */
static bool
expires_before(const struct model *m, int a, int b)
{
	const struct model_world *w = m->world;

	if (w->device[a].until != w->device[b].until)
		return w->device[a].until < w->device[b].until;
	if (m->cert[a].created != m->cert[b].created)
		return m->cert[a].created < m->cert[b].created;
	return memcmp(&w->device[a].id, &w->device[b].id, sizeof(struct certid)) < 0;
}

/* The next certificate that expires before this time and was not looked at. */
static int
next_expiring(const struct model *m, int64_t until)
{
	int best = NONE;

	for (int d = 0; d < DEVICES; d++) {
		if (!m->cert[d].present || m->cert[d].expiry_told ||
		    m->world->device[d].until > until)
			continue;
		if (best == NONE || expires_before(m, d, best))
			best = d;
	}
	return best;
}

void
model_announce_expiring(struct model *m, int64_t until)
{
	for (int d; (d = next_expiring(m, until)) != NONE;) {
		m->cert[d].expiry_told = true;
		if (m->cert[d].status != CERT_REVOKED && m->world->device[d].until >= m->now)
			owe(m, EVENT_EXPIRING, d);
	}
}

/*
 * Revocation lists.
 */

static bool
names(unsigned contents, const struct model *m, int device)
{
	return contents & 1u << m->world->device[device].content;
}

/* The list of the CA that a certificate was registered under. */
static bool
is_listed(const struct model *m, int ca, int device, bool *on_hold)
{
	const struct model_ca *c = ca != NONE ? &m->ca[ca] : NULL;

	*on_hold = false;
	if (c == NULL || !c->has_list || !names(c->listed | c->on_hold, m, device))
		return false;
	*on_hold = !names(c->listed, m, device);
	return true;
}

enum err
model_import_list(struct model *m, int ca, unsigned listed, unsigned on_hold, int64_t next_update)
{
	struct model_ca *c = &m->ca[ca];
	bool held;

	if (!c->present)
		return ERR_NOT_FOUND;
	c->has_list = true;
	c->listed = listed;
	c->on_hold = on_hold & ~listed;
	c->next_update = next_update;
	for (int d = 0; d < DEVICES; d++)
		if (m->cert[d].present && m->cert[d].ca == ca && is_listed(m, ca, d, &held) &&
		    !held)
			put_status(m, d, CERT_REVOKED);
	return ERR_OK;
}

enum err
model_remove_list(struct model *m, int ca)
{
	if (!m->ca[ca].present || !m->ca[ca].has_list)
		return ERR_NOT_FOUND;
	m->ca[ca].has_list = false;
	return ERR_OK;
}

/* REASON_NONE: the list of this CA does not stand against the certificate. */
static enum reason
fault_of_list(const struct model *m, int ca, int device)
{
	const struct model_ca *c = ca != NONE ? &m->ca[ca] : NULL;
	bool on_hold;

	if (is_listed(m, ca, device, &on_hold))
		return on_hold ? REASON_ON_HOLD : REASON_ON_LIST;
	if (c == NULL || !c->present || c->check == CRL_IF_PRESENT)
		return REASON_NONE;
	if (!c->has_list)
		return REASON_LIST_MISSING;
	if (m->now > c->next_update + (c->check == CRL_GRACE ? c->grace_days * DAY_MS : 0))
		return REASON_LIST_STALE;
	return REASON_NONE;
}

/*
 * Issuers.
 */

struct issuers {
	int named;   /* registered CAs of that name */
	int signers; /* among them those that signed it */
	int best;    /* of the signers */
};

static int
rank(const struct model_ca *c)
{
	return (c->active ? 2 : 0) + (c->automatic ? 1 : 0);
}

static bool
is_named(const struct model *m, int ca, int device)
{
	return m->ca[ca].present && m->world->ca[ca].name == m->world->device[device].issuer_name;
}

static bool
is_signer(const struct model *m, int ca, int device)
{
	return is_named(m, ca, device) &&
	    m->world->ca[ca].key == m->world->device[device].signer_key;
}

/* aws-iot D.2: one that may register, then the newest. */
static struct issuers
find_issuers(const struct model *m, int device)
{
	struct issuers out = { .best = NONE };

	for (int i = 0; i < CAS; i++) {
		const struct model_ca *c = &m->ca[i], *best = &m->ca[out.best < 0 ? i : out.best];

		out.named += is_named(m, i, device);
		if (!is_signer(m, i, device))
			continue;
		out.signers++;
		if (out.best == NONE || rank(c) > rank(best) ||
		    (rank(c) == rank(best) && c->created > best->created))
			out.best = i;
	}
	return out;
}

/* Another registered form of the same certificate. */
static bool
has_variant(const struct model *m, int device)
{
	for (int d = 0; d < DEVICES; d++)
		if (d != device && m->cert[d].present &&
		    m->world->device[d].content == m->world->device[device].content)
			return true;
	return false;
}

/*
 * Certificates, by command.
 */

static enum err
check_issuer(const struct model *m, int device, int *ca)
{
	struct issuers found = find_issuers(m, device);

	if (found.named == 0)
		return ERR_WRONG_STATE;
	if (found.signers == 0)
		return ERR_CERTIFICATE;
	if (found.signers > 1)
		return ERR_CONFLICT;
	*ca = found.best;
	return m->ca[*ca].active ? ERR_OK : ERR_WRONG_STATE;
}

static void
put_new(struct model *m, int device, int ca, enum cert_status status)
{
	m->cert[device] = (struct model_cert){ .present = true,
		.ca = ca,
		.status = status,
		.created = m->now,
		.version = 1,
		.connected = m->cert[device].connected };
}

enum err
model_add_cert(struct model *m, int device, bool with_ca, enum cert_status status)
{
	int ca = NONE;
	enum err e;

	if (status == CERT_PENDING_ACTIVATION)
		return ERR_WRONG_STATE;
	if (m->cert[device].present || has_variant(m, device))
		return ERR_EXISTS;
	e = with_ca ? check_issuer(m, device, &ca) : ERR_OK;
	if (e == ERR_OK)
		put_new(m, device, ca, status);
	return e;
}

/* A CA's rule that supersedes does so for certificates that a command activates, too. */
enum err
model_set_status(struct model *m, int device, enum cert_status status)
{
	struct model_cert *c = &m->cert[device];
	const struct model_plan *rule;

	if (!c->present)
		return ERR_NOT_FOUND;
	if (!may_change(c->status, status))
		return ERR_WRONG_STATE;
	if (c->status == status)
		return ERR_OK;
	put_status(m, device, status);
	rule = &model_rules[c->ca != NONE && m->ca[c->ca].present ? m->ca[c->ca].rule : 0];
	if (status == CERT_ACTIVE && rule->supersedes)
		supersede(m, device, rule->after);
	return ERR_OK;
}

enum err
model_remove_cert(struct model *m, int device, bool force)
{
	struct model_cert *c = &m->cert[device];

	if (!c->present)
		return ERR_NOT_FOUND;
	if (c->status == CERT_ACTIVE)
		return ERR_WRONG_STATE;
	for (int t = 0; t < THINGS; t++)
		if (m->thing[t].device[device].attached)
			return ERR_ATTACHED;
	if (c->policies != 0 && !force)
		return ERR_ATTACHED;
	*c = (struct model_cert){ .connected = c->connected };
	return ERR_OK;
}

/*
 * Policies.
 */

enum err
model_create_policy(struct model *m, int policy, int document)
{
	struct model_policy *p = &m->policy[policy];

	if (p->present)
		return ERR_EXISTS;
	*p = (struct model_policy){ .present = true, .default_version = 1, .last_version = 1 };
	p->document[1] = document;
	return ERR_OK;
}

static unsigned
count_versions(const struct model_policy *p)
{
	unsigned count = 0;

	for (unsigned n = 1; n <= p->last_version; n++)
		count += p->document[n] != NONE;
	return count;
}

static bool
has_version(const struct model_policy *p, unsigned number)
{
	return number >= 1 && number <= p->last_version && p->document[number] != NONE;
}

enum err
model_delete_policy(struct model *m, int policy)
{
	if (!m->policy[policy].present)
		return ERR_NOT_FOUND;
	for (int d = 0; d < DEVICES; d++)
		if (m->cert[d].policies & 1u << policy)
			return ERR_ATTACHED;
	if (count_versions(&m->policy[policy]) > 1)
		return ERR_ATTACHED;
	m->policy[policy].present = false;
	return ERR_OK;
}

enum err
model_create_version(struct model *m, int policy, int document, bool set_default)
{
	struct model_policy *p = &m->policy[policy];

	if (!p->present)
		return ERR_NOT_FOUND;
	if (count_versions(p) == 5)
		return ERR_VERSIONS;
	p->document[++p->last_version] = document;
	if (set_default)
		p->default_version = p->last_version;
	return ERR_OK;
}

enum err
model_set_default(struct model *m, int policy, unsigned number)
{
	struct model_policy *p = &m->policy[policy];

	if (!p->present || !has_version(p, number))
		return ERR_NOT_FOUND;
	p->default_version = number;
	return ERR_OK;
}

enum err
model_delete_version(struct model *m, int policy, unsigned number)
{
	struct model_policy *p = &m->policy[policy];

	if (!p->present || !has_version(p, number))
		return ERR_NOT_FOUND;
	if (p->default_version == number)
		return ERR_REQUEST;
	p->document[number] = NONE;
	return ERR_OK;
}

enum err
model_attach_policy(struct model *m, int policy, int device)
{
	if (!m->policy[policy].present || !m->cert[device].present)
		return ERR_NOT_FOUND;
	m->cert[device].policies |= 1u << policy;
	return ERR_OK;
}

enum err
model_detach_policy(struct model *m, int policy, int device)
{
	if (!(m->cert[device].policies & 1u << policy))
		return ERR_NOT_FOUND;
	m->cert[device].policies &= ~(1u << policy);
	return ERR_OK;
}

/* One policy that denies is stronger than all that allow. */
static bool
may(const struct model *m, unsigned policies, bool connect)
{
	bool allowed = false, denied = false;

	for (int i = 0; i < POLICIES; i++) {
		const struct model_policy *p = &m->policy[i];
		const struct model_document *d;

		if (!(policies & 1u << i))
			continue;
		d = &model_documents[p->document[p->default_version]];
		allowed |= connect ? d->allows_connect : d->allows_publish;
		denied |= connect && d->denies_connect;
	}
	return allowed && !denied;
}

/*
 * Things.
 */

enum err
model_create_thing(struct model *m, int thing, bool typed)
{
	struct model_thing *t = &m->thing[thing];

	if (t->present)
		return t->typed == typed ? ERR_OK : ERR_EXISTS;
	*t = (struct model_thing){ .present = true, .typed = typed, .version = 1 };
	return ERR_OK;
}

enum err
model_update_thing(struct model *m, int thing, bool typed)
{
	struct model_thing *t = &m->thing[thing];

	if (!t->present)
		return ERR_NOT_FOUND;
	t->typed = typed;
	t->version++;
	return ERR_OK;
}

/* Deleting what is not there is no error. */
enum err
model_delete_thing(struct model *m, int thing)
{
	for (int d = 0; d < DEVICES; d++)
		if (m->thing[thing].device[d].attached)
			return ERR_REQUEST;
	m->thing[thing].present = false;
	return ERR_OK;
}

/* An exclusive thing is the only one of its certificate. */
static bool
excludes(const struct model *m, int thing, int device, enum principal_type type)
{
	for (int t = 0; t < THINGS; t++)
		if (t != thing && m->thing[t].device[device].attached &&
		    (type == PRINCIPAL_EXCLUSIVE ||
			m->thing[t].device[device].type == PRINCIPAL_EXCLUSIVE))
			return true;
	return false;
}

enum err
model_attach_thing(struct model *m, int thing, int device, enum principal_type type)
{
	if (!m->thing[thing].present || !m->cert[device].present)
		return ERR_NOT_FOUND;
	if (excludes(m, thing, device, type) &&
	    !(m->thing[thing].device[device].attached &&
		m->thing[thing].device[device].type == type))
		return ERR_REQUEST;
	m->thing[thing].device[device].attached = true;
	m->thing[thing].device[device].type = type;
	return ERR_OK;
}

enum err
model_detach_thing(struct model *m, int thing, int device)
{
	if (!m->thing[thing].present || !m->cert[device].present)
		return ERR_NOT_FOUND;
	m->thing[thing].device[device].attached = false;
	return ERR_OK;
}

/*
 * Templates.
 */

enum err
model_create_template(struct model *m, int template)
{
	if (m->template[template].present)
		return ERR_EXISTS;
	m->template[template] = (struct model_template){ .present = true, .enabled = true };
	return ERR_OK;
}

enum err
model_enable_template(struct model *m, int template, bool enabled)
{
	if (!m->template[template].present)
		return ERR_NOT_FOUND;
	m->template[template].enabled = enabled;
	return ERR_OK;
}

enum err
model_delete_template(struct model *m, int template)
{
	if (!m->template[template].present)
		return ERR_NOT_FOUND;
	for (int i = 0; i < CAS; i++)
		if (m->ca[i].present && m->ca[i].template == template)
			return ERR_ATTACHED;
	m->template[template].present = false;
	return ERR_OK;
}

/*
 * A CONNECT.
 */

static struct decision
deny(enum reason reason, unsigned effects)
{
	return (struct decision){ VERDICT_DENY, reason, effects };
}

/* May the CA register? */
static enum reason
fault_of_ca(const struct model *m, int ca)
{
	if (!m->ca[ca].active)
		return REASON_CA_INACTIVE;
	if (!ca_is_in_time(m, ca))
		return REASON_CA_NOT_VALID;
	return m->ca[ca].automatic ? REASON_NONE : REASON_AUTO_REGISTRATION_OFF;
}

/* Its CA is valid, or another CA certificate of the key that signed is: CAs renew their
 * certificates.  The dates of a CA that was deleted are kept.  A certificate that was registered
 * without a CA needs one only if its issuer is registered. */
static bool
issuer_is_valid(const struct model *m, int device)
{
	int own = m->cert[device].ca;
	bool valid = own != NONE && ca_is_in_time(m, own);

	for (int i = 0; i < CAS; i++)
		valid |= is_signer(m, i, device) && ca_is_in_time(m, i);
	return valid || (own == NONE && find_issuers(m, device).signers == 0);
}

/* What the CA's rule or template does; failed if the registry lacks what it needs. */
static struct model_plan
plan_of(const struct model *m, int ca, int device)
{
	struct model_plan p = model_rules[m->ca[ca].rule];
	bool fails = false;

	if (m->ca[ca].template != NONE) {
		p = model_templates[m->ca[ca].template];
		fails = !m->template[m->ca[ca].template].enabled;
	}
	for (int i = 0; i < POLICIES; i++)
		fails |= p.policies & 1u << i && !m->policy[i].present;
	fails |= p.thing != NONE && excludes(m, p.thing, device, PRINCIPAL_NON_EXCLUSIVE);
	if (p.exists && fails)
		p = (struct model_plan){ .exists = true,
			.is_template = p.is_template,
			.failed = true,
			.status = CERT_PENDING_ACTIVATION,
			.thing = NONE };
	return p;
}

static struct decision
decide_new(const struct model *m, int device, int ca)
{
	unsigned effects = EFFECT_REGISTER | EFFECT_ANNOUNCE;
	enum reason fault = fault_of_ca(m, ca);

	if (fault != REASON_NONE)
		return deny(fault, 0);
	fault = fault_of_list(m, ca, device);
	if (fault == REASON_ON_LIST)
		return deny(fault, effects | EFFECT_REVOKE);
	if (fault != REASON_NONE)
		return deny(fault, effects);
	return deny(REASON_REGISTERED_NOW, effects | EFFECT_PLAN);
}

static struct decision
decide_pending(const struct model *m, int device)
{
	const struct model_cert *c = &m->cert[device];
	enum reason fault = fault_of_list(m, c->ca, device);
	int64_t since = m->now - c->announced;
	bool announces = since < 0 || since >= m->world->announce_interval;
	struct decision d = deny(REASON_PENDING_ACTIVATION, announces ? EFFECT_ANNOUNCE : 0);

	if (fault != REASON_NONE)
		d.reason = fault;
	else if (m->ca[c->ca].present && fault_of_ca(m, c->ca) == REASON_NONE)
		d.effects |= EFFECT_PLAN;
	else if (m->ca[c->ca].present && (m->ca[c->ca].rule != 0 || m->ca[c->ca].template != NONE))
		d.reason = fault_of_ca(m, c->ca);
	return d;
}

static struct decision
decide_active(const struct model *m, int device)
{
	const struct model_cert *c = &m->cert[device];
	enum reason fault = fault_of_list(m, c->ca, device);

	if (!issuer_is_valid(m, device))
		return deny(REASON_CA_NOT_VALID, 0);
	return fault != REASON_NONE ? deny(fault, 0) : (struct decision){ VERDICT_ALLOW, 0, 0 };
}

static struct decision
decide_known(const struct model *m, int device)
{
	const struct model_cert *c = &m->cert[device];
	bool on_hold;

	if (is_listed(m, c->ca, device, &on_hold) && !on_hold && c->status != CERT_REVOKED)
		return deny(REASON_ON_LIST, EFFECT_REVOKE);
	if (c->status == CERT_ACTIVE)
		return decide_active(m, device);
	if (c->status == CERT_PENDING_ACTIVATION)
		return decide_pending(m, device);
	return deny(c->status == CERT_REVOKED ? REASON_REVOKED : REASON_INACTIVE, 0);
}

/* *ca: the CA that registers it, or under which it is registered. */
static struct decision
decide(const struct model *m, int device, int *ca)
{
	struct issuers found = find_issuers(m, device);
	bool known = m->cert[device].present;

	*ca = known ? m->cert[device].ca : found.best;
	if (has_variant(m, device))
		return deny(REASON_OTHER_FORM, 0);
	if (!known && found.named == 0)
		return deny(REASON_UNKNOWN_CA, 0);
	if (m->now > m->world->device[device].until)
		return deny(REASON_EXPIRED, 0);
	if (m->now < m->world->device[device].from)
		return deny(REASON_NOT_YET_VALID, 0);
	if (known)
		return decide_known(m, device);
	return found.signers == 0 ? deny(REASON_NOT_ISSUED_BY_CA, 0) : decide_new(m, device, *ca);
}

/* The plan of a certificate that may be activated now. */
static struct decision
apply_rule(struct decision d, const struct model_plan *p)
{
	if (!(d.effects & EFFECT_PLAN) || !p->exists) {
		d.effects &= ~(unsigned)EFFECT_PLAN;
		return d;
	}
	if (p->status == CERT_PENDING_ACTIVATION) {
		if (!(d.effects & (EFFECT_REGISTER | EFFECT_ANNOUNCE)))
			d.effects &= ~(unsigned)EFFECT_PLAN;
		d.reason = p->is_template ? REASON_PROVISIONING_FAILED : REASON_RULE_WAITS;
		return d;
	}
	if (!(d.effects & EFFECT_REGISTER))
		d.effects &= ~(unsigned)EFFECT_ANNOUNCE;
	if (p->status == CERT_ACTIVE && !p->is_template)
		return (struct decision){ VERDICT_ALLOW, REASON_NONE, d.effects };
	d.reason = p->status == CERT_ACTIVE ? REASON_PROVISIONED_NOW
	    : p->status == CERT_REVOKED     ? REASON_RULE_REVOKES
					    : REASON_INACTIVE;
	return d;
}

static void
attach_planned(struct model *m, int device, const struct model_plan *p)
{
	m->cert[device].policies |= p->policies;
	if (p->thing == NONE)
		return;
	if (!m->thing[p->thing].present)
		m->thing[p->thing] = (struct model_thing){ .present = true, .version = 1 };
	if (!m->thing[p->thing].device[device].attached)
		m->thing[p->thing].device[device].type = PRINCIPAL_NON_EXCLUSIVE;
	m->thing[p->thing].device[device].attached = true;
}

/* What the job stores. */
static void
store(struct model *m, int device, int ca, unsigned effects, const struct model_plan *p)
{
	if (effects & EFFECT_REGISTER)
		put_new(m, device, ca, CERT_PENDING_ACTIVATION);
	if (effects & EFFECT_ANNOUNCE)
		m->cert[device].announced = m->now;
	if (effects & EFFECT_REVOKE)
		put_status(m, device, CERT_REVOKED);
	if (effects & EFFECT_PLAN)
		put_status(m, device, p->status);
	if (effects & EFFECT_REGISTER)
		m->cert[device].version = 1;
	if (effects & EFFECT_PLAN)
		attach_planned(m, device, p);
	if (effects & EFFECT_PLAN && p->supersedes && p->status == CERT_ACTIVE)
		supersede(m, device, p->after);
	if (effects & EFFECT_ANNOUNCE)
		owe(m, EVENT_REGISTERED, device);
	if (effects & EFFECT_PLAN && p->failed && p->is_template)
		owe(m, EVENT_FAILED, device);
}

struct decision
model_connect(struct model *m, int device)
{
	struct model_plan plan = { .exists = false };
	struct decision d;
	int ca;

	d = decide(m, device, &ca);
	if (d.effects & EFFECT_PLAN)
		plan = plan_of(m, ca, device);
	d = apply_rule(d, &plan);
	store(m, device, ca, d.effects, &plan);
	if (d.verdict == VERDICT_ALLOW && !may(m, m->cert[device].policies, true))
		d = deny(m->cert[device].policies == 0 ? REASON_NO_POLICY : REASON_NOT_ALLOWED,
		    d.effects);
	m->cert[device].connected = d.verdict == VERDICT_ALLOW;
	return d;
}

void
model_disconnect(struct model *m, int device)
{
	m->cert[device].connected = false;
}

/* Dates and the age of a list are looked at when a client connects, and not again. */
static bool
may_stay(const struct model *m, int device)
{
	const struct model_cert *c = &m->cert[device];
	bool on_hold;

	return c->present && c->status == CERT_ACTIVE && !is_listed(m, c->ca, device, &on_hold) &&
	    !has_variant(m, device) && may(m, c->policies, true);
}

void
model_close_connections(struct model *m)
{
	for (int d = 0; d < DEVICES; d++)
		m->cert[d].connected = m->cert[d].connected && may_stay(m, d);
}

bool
model_may_publish(const struct model *m, int device)
{
	return m->cert[device].connected && may(m, m->cert[device].policies, false);
}

/*
 * Events and crashes.
 */

void
model_publish(struct model *m, size_t count)
{
	if (count > m->owed_count)
		count = m->owed_count;
	memmove(m->owed, m->owed + count, (m->owed_count - count) * sizeof(m->owed[0]));
	m->owed_count -= count;
}

void
model_crash(struct model *m)
{
	for (int d = 0; d < DEVICES; d++)
		m->cert[d].connected = false;
}
