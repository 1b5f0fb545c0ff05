/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * connect.c - see gate.h: a CONNECT, from the question to the answer.
 *
 * The certificate, the revocation list, the policies, the thing and the last refusal are
 * read from one snapshot.  The broker is called after it is closed.
 */
#include <stdlib.h>

#include "gate_private.h"

#include "jitr/adapter/x509.h"

/* Until its certificate is stored, the plan that accepted it says what the client may do. */
static void
adopt_plan(struct principal *p, struct judgement *j)
{
	if (!lets_in_by_plan(&j->decision) || p->plan != NULL)
		return;
	p->plan = j->plan;
	p->plan_number = j->plan_number;
	j->plan = NULL;
}

/* In MQTT 5 the session expiry interval decides (MQTT 5, 3.1.2.11.2), and no version of the
 * broker shows it: mosquitto_client_clean_session() is the clean start flag, and the
 * event of BASIC_AUTH has no properties (2.0.11 to 2.1.2). */
static enum answer
persistence_of(const struct client *c)
{
	if (c->version == 5)
		return ANSWER_NOT_ASKED;
	return c->clean_session ? ANSWER_NO : ANSWER_YES;
}

/* May it stay, by its policies and beside others with its certificate? */
static void
admit(struct gate *g, struct txn *t, const struct client *c, struct attempt *a)
{
	struct session *session = a->session;
	struct judgement *j = &a->judgement;
	enum reason reason;

	session->live->facts.persistent_connect = persistence_of(c);
	reason = session_admit(g, t, session);
	if (session_is_admitted(session) && !g->reloading)
		reason = shared_admit(g, session);
	if (session_is_admitted(session) && !g->reloading && !takeover_note(g, c, session)) {
		session_step(session, SESSION_ON_REFUSED);
		reason = REASON_REGISTRY_FAILED;
	}
	if (j->decision.verdict == VERDICT_ALLOW && !session_is_admitted(session))
		j->decision = (struct decision){ .reason = reason };
}

/* Do other plugins check a user name of an administrator? */
static enum session_event
other_event(const struct gate *g, const struct client *c)
{
	return c->name_to_check && is_admin_name(g, c->user_name) ? SESSION_ON_ADMINISTRATOR
								  : SESSION_ON_OTHER;
}

void
connect_remember(struct gate *g, struct txn *txn_or_null, const struct client *c, struct attempt *a)
{
	struct judgement *j = &a->judgement;
	bool other = j->decision.verdict == VERDICT_DEFER;
	struct connection connection = connection_of(c);

	a->session = session_add(&g->sessions, &connection, other ? NULL : &j->presented.id);
	if (a->session == NULL)
		j->decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
	if (a->session != NULL && other)
		session_step(a->session, other_event(g, c));
	if (a->session == NULL || other)
		return;
	a->session->live->by_name = c->extended;
	adopt_plan(a->session->principal, j);
	principal_keep_judgement(g, txn_or_null, a->session->principal, &j->decision);
	admit(g, txn_or_null, c, a);
}

/* The user name serves to disconnect all clients of a certificate, and to recognise sessions
 * that the broker restores from disk. */
void
connect_name(struct gate *g, const struct client *c, struct attempt *a)
{
	if (a->session == NULL || a->session->principal == NULL ||
	    g->config.broker->name_client(c->handle, a->session->principal->hex) == ERR_OK)
		return;
	session_remove(&g->sessions, c->handle);
	a->session = NULL;
	a->judgement.decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
}

/*
 * Reports.
 */

static void
count(struct gate *g, const struct decision *d)
{
	if (d->verdict == VERDICT_ALLOW)
		g->config.stats->accepted++;
	else
		stats_refused(g->config.stats, d->reason);
}

/* AWS reports a failed connection with its certificate (aws-iot D.9), so the certificate must
 * have been read.  The client id comes from the session, because bypass.c truncates that of c.
 * No failed connection is reported for a client that is connected: the broker asked about it
 * again. */
static void
report_presence(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session)
{
	const char *id = c->id != NULL ? c->id : "";

	if (session != NULL && session->principal != NULL && session->live->presence.version != 0)
		return; /* reported already: the client authenticates again */
	if (session != NULL && session->principal != NULL)
		presence_connected(&g->presence, &session->live->presence, session->live->client_id,
		    &j->presented.id, session->live->address);
	else if (j->decision.verdict == VERDICT_DENY && j->has_id &&
	    session_find(&g->sessions, c->handle, c->x) == NULL)
		presence_connect_failed(&g->presence, id, &j->presented.id, c->address);
}

void
connect_report(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session_or_null)
{
	if (j->decision.verdict == VERDICT_DEFER)
		return; /* the plugin that judges it reports */
	count(g, &j->decision);
	report_connection(g->config.report,
	    &(struct connection_line){ .client = c,
		.id = j->has_id ? &j->presented.id : NULL,
		.ca_id = j->has_ca ? &j->ca_id : NULL,
		.decision = &j->decision,
		.details = j->details.text[0] != '\0' ? j->details.text : NULL,
		.registered = j->registered });
	report_presence(g, c, j, session_or_null);
	if (j->record_refusal)
		refusal_record(g, c, j);
}

/*
 * CONNECT.
 */

static enum verdict
refuse_name(struct gate *g, const struct client *c, enum reason reason)
{
	struct judgement j = { .decision = { .reason = reason } };

	connect_report(g, c, &j, NULL);
	return VERDICT_DENY;
}

/*
 * No certificate: a client of another listener, or, while the broker asks about all its
 * sessions again, an offline session.  A websockets connection is never an offline session,
 * whatever its user name is.
 */
static enum verdict
connect_without_certificate(struct gate *g, const struct client *c)
{
	struct connection connection = connection_of(c);
	struct session *session;
	struct certid id;

	if (name_is_certid(c->user_name, &id) && g->reloading && !c->websockets) {
		takeover_learn(g, c->id, &id);
		return VERDICT_ALLOW;
	}
	if (name_is_certid(c->user_name, NULL))
		return refuse_name(g, c, REASON_NAME_RESERVED);
	if (g->reloading)
		return VERDICT_DEFER; /* its session is unchanged */
	session = session_add(&g->sessions, &connection, NULL);
	if (session != NULL) /* without memory it is unknown, and so has no rights */
		session_step(session, other_event(g, c));
	return VERDICT_DEFER;
}

bool
gate_psk(struct gate *g, const struct client *c, const char *identity)
{
	session_forget_left(&g->sessions, c->handle);
	if (!name_is_certid(identity, NULL))
		return true;
	(void)refuse_name(g, c, REASON_NAME_RESERVED);
	return false;
}

/* A connected client that the broker asked about again: the broker disconnects it.  Its session
 * stays, shut out, until DISCONNECT. */
static void
refuse_session(struct gate *g, struct session *session, bool connected, enum reason reason)
{
	if (!connected) {
		session_remove(&g->sessions, session->client);
		return;
	}
	session->shut_out = reason;
	session_step(session, SESSION_ON_SHUT_OUT);
	session_step(session, SESSION_ON_CLOSE);
}

/* One snapshot of the registry. */
static void
judge(struct gate *g, const struct client *c, struct attempt *a)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);

	judge_client(g, t, c, &a->judgement);
	registration_submit(g, c, &a->judgement);
	if (a->judgement.decision.verdict != VERDICT_DENY)
		connect_remember(g, t, c, a);
	refusal_check(g, t, &a->judgement);
	gate_read_end(t);
}

static enum verdict
connect_with_certificate(struct gate *g, const struct client *c)
{
	struct attempt a = { .session = session_find(&g->sessions, c->handle, c->x) };
	bool connected = a.session != NULL;
	enum verdict verdict;

	judge(g, c, &a);
	connect_name(g, c, &a);
	verdict = a.judgement.decision.verdict;
	registration_report(g, &a.judgement);
	if (verdict == VERDICT_DENY && a.session != NULL) {
		refuse_session(g, a.session, connected, a.judgement.decision.reason);
		a.session = NULL;
	}
	if (!g->reloading || verdict == VERDICT_DENY)
		connect_report(g, c, &a.judgement, a.session);
	judgement_clear(&a.judgement);
	return verdict;
}

enum verdict
gate_connect(struct gate *g, const struct client *c)
{
	if (is_held(g, c))
		return refuse_name(g, c, REASON_CLIENT_ID_BUSY);
	if (!g->reloading)
		session_forget_left(&g->sessions, c->handle);
	return c->x != NULL ? connect_with_certificate(g, c) : connect_without_certificate(g, c);
}
