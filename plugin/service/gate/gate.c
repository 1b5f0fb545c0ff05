/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate.c - see gate.h.
 *
 * Here: a connection from CONNECT to its end, and what changes meanwhile.
 * gate_identity.c: what a client has proved.  gate_judge.c: what is decided about a
 * certificate.  gate_present.c: what is done about it.  gate_late.c: clients that got
 * past CONNECT.  gate_access.c: what one may do.  gate_cut.c: closing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate_private.h"
#include "jitr/service/signature_variants.h"

#include "jitr/adapter/x509.h"

#define NAMED_MAX 20000 /* certificates that have their turn first */

/* Certificates of one thing that are judged within one call; where it has more, every
 * connection is judged anew, tick by tick. */
#define THING_PRINCIPALS_AT_ONCE 100

int64_t
gate_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
name_resources(struct gate *g)
{
	for (enum policy_action a = 0; a < POLICY_CONTROL; a++) {
		(void)snprintf(g->head_text[a], sizeof(g->head_text[a]), "%s%s/",
		    g->config.scope.prefix, policy_resource_type(a));
		g->head[a] = view_of(g->head_text[a]);
	}
}

enum err
gate_open(const struct gate_config *config, struct gate **out)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return ERR_NOMEM;
	g->config = *config;
	g->sessions.policies = &g->policies;
	g->policies.scope = config->scope;
	g->activations.scope = config->scope;
	g->activations.policies = &g->policies;
	g->presence = (struct presence){ .on = config->presence,
		.broker = config->broker,
		.stats = config->stats,
		.now = config->now,
		.pace = config->pace };
	g->changes = 1;
	name_resources(g);
	*out = g;
	return ERR_OK;
}

void
gate_close(struct gate *g)
{
	if (g == NULL)
		return;
	departed_clear(&g->departures);
	shared_names_clear(g);
	gate_release(g);
	late_forget_all(g);
	denial_forget_all(g);
	clone_forget_all(g);
	takeover_forget_all(g);
	free(g->named);
	presence_clear(&g->presence);
	sessions_clear(&g->sessions);
	issuer_cache_clear(&g->issuers);
	activations_clear(&g->activations);
	free(g);
}

/* Its user name from here on: by it the broker closes every connection of a
 * certificate, and sessions that it restores from disk are known again. */
static bool
name_client(struct gate *g, void *client, const struct principal *p)
{
	return g->config.broker->name_client(client, p->hex) == ERR_OK;
}

/* Until its certificate is stored, the plan that let it in says what it may. */
static void
adopt_plan(struct principal *p, struct judgement *j)
{
	if (!lets_in_by_plan(&j->decision) || p->plan != NULL)
		return;
	p->plan = j->plan;
	p->plan_number = j->plan_number;
	j->plan = NULL;
}

/* Of MQTT 5 the session expiry interval tells (MQTT 5, 3.1.2.11.2), and no version of
 * the broker shows it: mosquitto_client_clean_session() is the clean start flag, and
 * the event of BASIC_AUTH has no properties (2.0.11 to 2.1.2). */
static enum answer
persistence_of(const struct client *c)
{
	if (c->version == 5)
		return ANSWER_NOT_ASKED;
	return c->clean_session ? ANSWER_NO : ANSWER_YES;
}

/* May it stay, by its policies and beside others with its certificate? */
static void
admit(struct gate *g, const struct client *c, struct session *session, struct judgement *j)
{
	enum reason reason;

	session->facts.persistent_connect = persistence_of(c);
	reason = session_admit(g, session);
	if (session->admitted && !g->reloading)
		reason = clone_admit(g, session);
	if (session->admitted && !g->reloading && !takeover_note(g, c, session)) {
		session->admitted = false;
		reason = REASON_REGISTRY_FAILED;
	}
	if (j->decision.verdict == VERDICT_ALLOW && !session->admitted)
		j->decision = (struct decision){ .reason = reason };
}

struct session *
gate_remember(struct gate *g, const struct client *c, struct judgement *j)
{
	bool other = j->decision.verdict == VERDICT_DEFER;
	struct connection connection = { c->handle, c->x, c->id, c->address,
		other && c->name_to_check ? c->user_name : NULL };
	struct session *session = session_add(&g->sessions, &connection,
	    other ? NULL : &j->presented.id);

	if (session == NULL || other)
		return session;
	session->by_name = c->extended;
	adopt_plan(session->principal, j);
	gate_keep_judgement(g, session->principal, &j->decision);
	admit(g, c, session, j);
	if (!name_client(g, c->handle, session->principal)) {
		session_remove(&g->sessions, c->handle);
		return NULL;
	}
	return session;
}

static void
count(struct gate *g, const struct decision *d)
{
	if (d->verdict == VERDICT_ALLOW)
		g->config.stats->accepted++;
	else
		stats_refused(g->config.stats, d->reason);
}

/* AWS tells of a connection that failed with the certificate that failed (aws-iot
 * D.9), so that must have been read.  The session has the whole client id; c of a
 * client that was judged late has not.  A connected client that the broker asks about
 * again made no attempt. */
static void
tell_presence(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session)
{
	const char *id = c->id != NULL ? c->id : "";

	if (session != NULL && session->principal != NULL && session->presence.version != 0)
		return; /* it is told already: it authenticates anew */
	if (session != NULL && session->principal != NULL)
		presence_connected(&g->presence, &session->presence, session->client_id,
		    &j->presented.id, session->address);
	else if (j->decision.verdict == VERDICT_DENY && j->has_id &&
	    session_find(&g->sessions, c->handle, c->x) == NULL)
		presence_connect_failed(&g->presence, id, &j->presented.id, c->address);
}

void
gate_report_judged(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session_or_null)
{
	if (j->decision.verdict == VERDICT_DEFER)
		return; /* the plugin that judges it tells */
	count(g, &j->decision);
	report_connection(g->config.report,
	    &(struct connection_line){ .client = c,
		.id = j->has_id ? &j->presented.id : NULL,
		.ca_id = j->has_ca ? &j->ca_id : NULL,
		.decision = &j->decision,
		.details = j->details.text[0] != '\0' ? j->details.text : NULL,
		.registered = j->registered });
	tell_presence(g, c, j, session_or_null);
	if (j->decision.verdict == VERDICT_DENY)
		refusal_note(g, c, j);
}

static enum verdict
refuse_name(struct gate *g, const struct client *c, enum reason reason)
{
	struct judgement j = { .decision = { .reason = reason } };

	gate_report_judged(g, c, &j, NULL);
	return VERDICT_DENY;
}

/*
 * No certificate: another listener, or, while the broker asks about all its
 * sessions again, one that is offline.  Those are not connected: a websockets
 * connection is a live one, whatever it calls itself.
 */
static enum verdict
connect_without_certificate(struct gate *g, const struct client *c)
{
	struct connection connection = { c->handle, NULL, c->id, c->address,
		c->name_to_check ? c->user_name : NULL };
	struct certid id;

	if (name_is_certid(c->user_name, &id) && g->reloading && !c->websockets) {
		takeover_learn(g, c->id, &id);
		return VERDICT_ALLOW;
	}
	if (name_is_certid(c->user_name, NULL))
		return refuse_name(g, c, REASON_NAME_RESERVED);
	if (g->reloading)
		return VERDICT_DEFER; /* what is known of it stays */
	/* Without memory it stays unknown, and so without rights. */
	(void)session_add(&g->sessions, &connection, NULL);
	return VERDICT_DEFER;
}

bool
gate_psk(struct gate *g, const struct client *c, const char *identity)
{
	departed_forget(&g->departures, c->handle);
	if (!name_is_certid(identity, NULL))
		return true;
	(void)refuse_name(g, c, REASON_NAME_RESERVED);
	return false;
}

/* Of a session that the plugin closed the plugin knows why; the broker does not. */
static void
tell_disconnected(struct gate *g, struct session *session, const struct presence_end *end)
{
	static const struct presence_end ours = { ANSWER_NO, "FORBIDDEN_ACCESS" };

	presence_disconnected(&g->presence, &session->presence, session->client_id,
	    &session->principal->id, session->kicked ? &ours : end);
}

/* A connected client that the broker asked about again: the broker closes it and tells
 * of its end.  Until then its session stays, shut out. */
static void
refuse_session(struct gate *g, struct session *session, bool connected, enum reason reason)
{
	if (!connected) {
		session_remove(&g->sessions, session->client);
		return;
	}
	session->shut_out = reason;
	session->admitted = false;
	session->kicked = true;
}

/* NULL: it is not let in. */
static struct session *
remember(struct gate *g, const struct client *c, struct judgement *j)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);
	bool connected = session != NULL;

	if (j->decision.verdict != VERDICT_DENY) {
		session = gate_remember(g, c, j);
		if (session == NULL)
			j->decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
	}
	if (j->decision.verdict == VERDICT_DENY) {
		if (session != NULL)
			refuse_session(g, session, connected, j->decision.reason);
		return NULL;
	}
	return session;
}

enum verdict
gate_connect(struct gate *g, const struct client *c)
{
	struct judgement j;
	struct session *session;
	enum err submitted;

	if (is_held(g, c))
		return refuse_name(g, c, REASON_CLIENT_ID_BUSY);
	if (!g->reloading)
		departed_forget(&g->departures, c->handle);
	if (c->x == NULL)
		return connect_without_certificate(g, c);
	gate_judge(g, c, &j);
	submitted = gate_submit(g, c, &j);
	if (submitted != ERR_OK)
		gate_report_not_submitted(g, &j, submitted);
	session = remember(g, c, &j);
	if (!g->reloading || j.decision.verdict == VERDICT_DENY)
		gate_report_judged(g, c, &j, session);
	judgement_clear(&j);
	return j.decision.verdict;
}

void
gate_disconnected(struct gate *g, const struct client *c, const struct presence_end *end)
{
	struct session *session = session_of(&g->sessions, c->handle);

	remember_departure(g, c, session);
	if (session != NULL && session->principal != NULL)
		tell_disconnected(g, session, end);
	session_remove(&g->sessions, c->handle);
}

void
gate_reload(struct gate *g)
{
	g->reloading = true;
}

static void
all_changed(struct gate *g)
{
	g->changes++;
	g->generation++;
	g->policies.round++;
	sweep_start(&g->sessions);
}

static void
one_changed(struct gate *g, const struct certid *id)
{
	struct principal *p = principal_find(&g->sessions, id);

	if (p != NULL) {
		p->generation = g->generation - 1;
		if (!gate_refresh_sessions(g, p))
			sweep_start(&g->sessions);
	}
}

/* A change of one certificate concerns those with the same signed part.  A deleted one
 * has none. */
static enum err
find_twins(struct gate *g, const struct certid *id, struct certid *ids, size_t max, size_t *count)
{
	struct certid content;
	struct txn t;
	enum err e = store_read(g->config.store, &t);

	*count = 0;
	if (e != ERR_OK)
		return e;
	e = store_get_cert_content(&t, id, &content);
	if (e == ERR_OK)
		e = store_find_by_content(&t, &content, ids, max, count);
	store_end(&t);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void
gate_changed(struct gate *g, const struct certid *id_or_null)
{
	struct certid twins[VARIANTS_MAX + 1];
	size_t count;

	if (id_or_null == NULL ||
	    find_twins(g, id_or_null, twins, COUNT_OF(twins), &count) != ERR_OK) {
		all_changed(g);
		return;
	}
	g->changes++;
	one_changed(g, id_or_null);
	for (size_t i = 0; i < count; i++)
		if (!certid_equal(&twins[i], id_or_null))
			one_changed(g, &twins[i]);
}

/* Without room for them they have their turn like all others. */
static void
named_add(struct gate *g, const struct certid *ids, size_t count)
{
	struct certid *more;

	if (count == 0 || g->named_count + count > NAMED_MAX)
		return;
	more = realloc(g->named, (g->named_count + count) * sizeof(*more));
	if (more == NULL)
		return;
	memcpy(more + g->named_count, ids, count * sizeof(*more));
	g->named = more;
	g->named_count += count;
}

void
gate_crl_changed(struct gate *g, const struct certid *named, size_t count)
{
	g->changes++;
	g->generation++;
	sweep_start(&g->sessions);
	named_add(g, named, count);
}

void
gate_policy_changed(struct gate *g, struct view name)
{
	struct txn t;
	bool changed;

	if (store_read(g->config.store, &t) != ERR_OK) {
		gate_changed(g, NULL);
		return;
	}
	changed = policy_cache_reload(&g->policies, &t, name);
	store_end(&t);
	if (!changed)
		return;
	g->changes++;
	sweep_start(&g->sessions);
}

/* The certificates attached to it, as many as can be judged at once. */
void
gate_thing_changed(struct gate *g, struct view name)
{
	struct thing_principal principals[THING_PRINCIPALS_AT_ONCE + 1];
	size_t count = 0;
	struct txn t;
	enum err e = store_read(g->config.store, &t);

	if (e == ERR_OK) {
		e = store_list_thing_principals(&t, name, NULL, principals, COUNT_OF(principals),
		    &count);
		store_end(&t);
	}
	if (e != ERR_OK || count > THING_PRINCIPALS_AT_ONCE) {
		gate_changed(g, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++)
		gate_changed(g, &principals[i].id);
}

static void
report_unusable(struct gate *g)
{
	if (g->policies.unusable.text[0] == '\0')
		return;
	report_line(g->config.report, LEVEL_ERROR,
	    "%s; the certificates it is attached to are refused", g->policies.unusable.text);
	g->policies.unusable.text[0] = '\0';
}

/* Until then certificates that have them are refused: a Deny must not be lost. */
static void
retry_policies(struct gate *g)
{
	struct txn t;
	bool changed;

	if (!g->policies.incomplete || store_read(g->config.store, &t) != ERR_OK)
		return;
	changed = policy_cache_retry(&g->policies, &t);
	store_end(&t);
	if (!changed)
		return;
	g->changes++;
	sweep_start(&g->sessions);
}

bool
gate_tick(struct gate *g)
{
	g->reloading = false;
	retry_policies(g);
	departed_tick(&g->departures);
	late_report_all(g);
	denial_report_all(g);
	left_report(g);
	clone_report_all(g);
	takeover_tick(g);
	presence_tick(&g->presence);
	report_unusable(g);
	return gate_go_on(g);
}

bool
gate_has_events(const struct gate *g)
{
	return g->presence.first != NULL;
}

bool
gate_take_announced(struct gate *g)
{
	bool announced = g->announced;

	g->announced = false;
	return announced;
}
