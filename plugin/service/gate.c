/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate.c - see gate.h.
 *
 * Here: judging a certificate, at CONNECT and whenever it may have changed.
 * gate_late.c: clients that got past CONNECT.  gate_access.c: what one may do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate_private.h"

#include "jitr/x509.h"

/* Of the broker's time at one tick: long enough to be done with a handful of
 * clients, short enough that nobody notices. */
#define CUT_BUDGET_NS (3 * 1000 * 1000)
#define SWEEP_BUDGET_NS (5 * 1000 * 1000)
#define SWEEP_STRIDE 64 /* principals between two looks at the clock */

/* Certificates of one thing that are judged within one call; where it has more,
 * everybody is looked after, tick by tick. */
#define THING_PRINCIPALS_AT_ONCE 100

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
	late_forget_all(g);
	denial_forget_all(g);
	sessions_clear(&g->sessions);
	issuer_cache_clear(&g->issuers);
	free(g);
}

/*
 * The job of a certificate that is to be registered or announced.
 */

struct present_job {
	struct job       job;
	struct gate     *gate;
	struct presented presented;
	struct certid    ca_id;
	struct decision  done;
	uint8_t         *der;
	size_t           der_len;
};

static enum err
present_run(struct txn *t, struct job *job, int64_t now)
{
	struct present_job *p = (struct present_job *)job;
	struct view der = { p->der, p->der_len };

	return registry_present(t, &p->presented, &p->ca_id, der, &p->gate->config.rules, now, &p->done);
}

static void
present_free(struct present_job *p)
{
	free(p->der);
	free(p);
}

static void
present_finish(struct job *job, void *context)
{
	struct present_job *p = (struct present_job *)job;
	struct gate *g = p->gate;

	(void)context;
	if (job->result != ERR_OK) {
		g->config.stats->failed++;
		report_registration(g->config.report, &p->presented.id, &p->ca_id, job->result,
		    job->failure != NULL ? job->failure : "the device will try again");
	} else if (p->done.effects & EFFECT_REGISTER) {
		g->config.stats->registered++;
		report_registration(g->config.report, &p->presented.id, &p->ca_id, ERR_OK, "");
	}
	if (job->result == ERR_OK && p->done.effects & EFFECT_ANNOUNCE)
		g->announced = true;
	present_free(p);
}

static const struct job_type present_type = { "present", false, present_run, NULL, present_finish };

enum err
gate_submit(struct gate *g, struct x509_st *x, const struct judgement *j)
{
	struct present_job *p = calloc(1, sizeof(*p));
	enum err e;

	if (p == NULL)
		return ERR_NOMEM;
	p->job.type = &present_type;
	p->gate = g;
	p->presented = j->presented;
	p->ca_id = j->ca_id;
	e = x509_to_der(x, &p->der, &p->der_len);
	if (e == ERR_OK)
		e = writer_submit(g->config.writer, &p->job);
	if (e != ERR_OK)
		present_free(p);
	return e;
}

void
gate_report_not_submitted(struct gate *g, const struct judgement *j, enum err e)
{
	if (e == ERR_BUSY)
		g->config.stats->busy++;
	else
		g->config.stats->failed++;
	report_registration(g->config.report, &j->presented.id, &j->ca_id, e,
	    "the device will try again");
}

/*
 * Judging.
 */

/* The registered CA of a certificate that is not registered itself. */
static enum err
look_for_ca(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j,
    struct issuer *issuer)
{
	enum err e = issuer_find(t, &g->issuers, x, issuer);

	if (e != ERR_OK || issuer->issued == ANSWER_NOT_ASKED)
		return e;
	j->presented.issued_by_ca = issuer->issued;
	x509_read_strength(x, &j->presented);
	j->ca_id = issuer->ca.id;
	j->has_ca = true;
	return ERR_OK;
}

enum err
judge_in(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j)
{
	struct issuer issuer;
	struct cert cert;
	enum err e = store_get_cert(t, &j->presented.id, &cert);
	bool registered = e == ERR_OK;

	if (registered) {
		j->has_ca = cert.has_ca;
		j->ca_id = cert.ca_id;
	} else if (e == ERR_NOT_FOUND) {
		e = look_for_ca(g, t, x, j, &issuer);
	}
	if (e != ERR_OK)
		return e;
	j->decision = decide_connect(&j->presented, !registered && j->has_ca ? &issuer.ca : NULL,
	    registered ? &cert : NULL, &g->config.rules.decide, g->config.now());
	return ERR_OK;
}

void
gate_judge(struct gate *g, struct x509_st *x, struct judgement *j)
{
	struct txn t;
	enum err e;

	memset(j, 0, sizeof(*j));
	if (x509_read(x, &j->presented) != ERR_OK) {
		j->decision.reason = REASON_UNREADABLE;
		return;
	}
	j->has_id = true;
	e = store_read(g->config.store, &t);
	if (e == ERR_OK) {
		e = judge_in(g, &t, x, j);
		store_end(&t);
	}
	if (e != ERR_OK)
		j->decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
	if (g->reloading)
		j->decision.effects = 0;
}

/* A certificate of which we have no more than the id: an offline session, or a
 * client connected before something changed. */
static struct decision
judge_id_in(struct gate *g, struct txn *t, const struct certid *id)
{
	/* Its validity was judged when it connected. */
	struct presented p = { .id = *id, .not_before = INT64_MIN, .not_after = INT64_MAX };
	struct decision d = { .reason = REASON_REGISTRY_FAILED };
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e == ERR_NOT_FOUND)
		d.reason = REASON_DELETED;
	if (e != ERR_OK)
		return d;
	d = decide_connect(&p, NULL, &cert, &g->config.rules.decide, g->config.now());
	d.effects = 0;
	return d;
}

static bool
asks_policies(const struct gate *g, const struct principal *p)
{
	return g->config.authorization == AUTHORIZATION_POLICY && p->verdict == VERDICT_ALLOW;
}

/* What was decided about it, and its policies, from one moment of the registry. */
static void
principal_judged(struct gate *g, struct txn *t, struct principal *p, const struct decision *d)
{
	p->verdict = d->verdict;
	p->reason = d->reason;
	p->generation = g->generation;
	p->revision++;
	if (asks_policies(g, p))
		rights_read(&p->rights, &g->policies, t, &p->id);
	else
		rights_clear(&p->rights, &g->policies);
}

static void
principal_unreadable(struct principal *p)
{
	p->verdict = VERDICT_DENY;
	p->reason = REASON_REGISTRY_FAILED;
	p->revision++;
}

void
gate_refresh(struct gate *g, struct principal *p)
{
	struct decision d;
	struct txn t;

	if (p->generation == g->generation && p->verdict == VERDICT_ALLOW)
		return;
	if (store_read(g->config.store, &t) != ERR_OK) {
		principal_unreadable(p);
		return;
	}
	d = judge_id_in(g, &t, &p->id);
	principal_judged(g, &t, p, &d);
	store_end(&t);
}

/* The name under which offline sessions and wills are known again, and by
 * which the client can be cut off. */
static bool
name_client(struct gate *g, void *client, const struct principal *p)
{
	return g->config.broker->name_client(client, p->hex) == ERR_OK;
}

/* The policies of one that may connect, as far as they were not read before. */
static void
remember_judgement(struct gate *g, struct principal *p, const struct decision *d)
{
	struct txn t;

	if (p->verdict == VERDICT_ALLOW && d->verdict == VERDICT_ALLOW &&
	    p->generation == g->generation)
		return;
	if (store_read(g->config.store, &t) != ERR_OK) {
		principal_unreadable(p);
		return;
	}
	principal_judged(g, &t, p, d);
	store_end(&t);
}

struct session *
gate_remember(struct gate *g, const struct client *c, struct judgement *j)
{
	bool stranger = j->decision.verdict == VERDICT_DEFER;
	struct connection connection = { c->handle, c->x, c->id, c->address };
	struct session *session = session_add(&g->sessions, &connection,
	    stranger ? NULL : &j->presented.id);
	enum reason reason;

	if (session == NULL || stranger)
		return session;
	remember_judgement(g, session->principal, &j->decision);
	session->facts.persistent_connect = c->clean_session ? ANSWER_NO : ANSWER_YES;
	reason = session_admit(g, session);
	if (j->decision.verdict == VERDICT_ALLOW && !session->admitted)
		j->decision = (struct decision){ .reason = reason };
	if (!name_client(g, c->handle, session->principal)) {
		session_remove(&g->sessions, c->handle);
		return NULL;
	}
	return session;
}

void
gate_report_judged(struct gate *g, const struct client *c, const struct judgement *j)
{
	if (j->decision.verdict == VERDICT_ALLOW)
		g->config.stats->accepted++;
	else if (j->decision.verdict == VERDICT_DENY)
		g->config.stats->refused++;
	else
		return; /* the plugin that judges it tells */
	report_connection(g->config.report, c, j->has_id ? &j->presented.id : NULL,
	    j->has_ca ? &j->ca_id : NULL, &j->decision, NULL);
}

/*
 * No certificate: another listener, or, while the broker asks about all its
 * sessions again, one that is offline.  Those are not connected: a websockets
 * connection is a live one, whatever it calls itself.
 */
static enum verdict
connect_without_certificate(struct gate *g, const struct client *c)
{
	struct judgement j = { .decision = { .reason = REASON_NAME_RESERVED } };

	if (!name_is_certid(c->user_name, &j.presented.id))
		return VERDICT_DEFER;
	if (g->reloading && !c->websockets)
		return VERDICT_ALLOW;
	gate_report_judged(g, c, &j);
	return VERDICT_DENY;
}

enum verdict
gate_connect(struct gate *g, const struct client *c)
{
	struct judgement j;
	struct session *session;
	enum err e;

	if (c->x == NULL)
		return connect_without_certificate(g, c);
	if (g->gone == c->handle)
		g->gone = NULL;
	gate_judge(g, c->x, &j);
	if (j.decision.effects != 0) {
		e = gate_submit(g, c->x, &j);
		if (e != ERR_OK)
			gate_report_not_submitted(g, &j, e);
	}
	if (j.decision.verdict != VERDICT_DENY) {
		session = gate_remember(g, c, &j);
		if (session == NULL)
			j.decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
		else if (j.decision.verdict == VERDICT_DENY)
			session_remove(&g->sessions, c->handle);
		else
			session->named_by_others = session->principal == NULL;
	}
	if (!g->reloading || j.decision.verdict == VERDICT_DENY)
		gate_report_judged(g, c, &j);
	return j.decision.verdict;
}

void
gate_disconnected(struct gate *g, const void *client)
{
	const struct session *session = session_of(&g->sessions, client);

	g->gone = client;
	g->gone_stranger = session != NULL && session->principal == NULL;
	session_remove(&g->sessions, client);
}

void
gate_reload(struct gate *g)
{
	g->reloading = true;
}

static void
principal_refresh(struct gate *g, struct principal *p)
{
	struct session *session, *next;

	for (session = p->sessions; session != NULL; session = next) {
		next = session->next;
		session_refresh(g, session);
	}
}

void
gate_changed(struct gate *g, const struct certid *id_or_null)
{
	struct principal *p;

	g->changes++;
	if (id_or_null == NULL) {
		g->generation++;
		g->policies.round++;
		sweep_start(&g->sessions);
		return;
	}
	p = principal_find(&g->sessions, id_or_null);
	if (p != NULL) {
		p->generation = g->generation - 1;
		principal_refresh(g, p);
	}
}

void
gate_policy_changed(struct gate *g, struct view name)
{
	struct txn t;
	bool held;

	if (store_read(g->config.store, &t) != ERR_OK) {
		gate_changed(g, NULL);
		return;
	}
	held = policy_cache_reload(&g->policies, &t, name);
	store_end(&t);
	if (!held)
		return;
	g->changes++;
	sweep_start(&g->sessions);
}

/* Those attached to it, as many as can be looked after at once. */
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

/*
 * Kicking walks all connections (mosquitto section 4): as many as fit into the
 * tick's budget, at least one.  A principal leaves the list first, since the
 * kick calls gate_disconnected().
 */
static int64_t
monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t
count_sessions(const struct principal *p, bool admitted)
{
	const struct session *session;
	size_t count = 0;

	for (session = p->sessions; session != NULL; session = session->next)
		count += session->admitted == admitted;
	return count;
}

/* Of several connections with one certificate those that may stay do: the
 * others are told apart by client id.  They are live, since we have them. */
static void
kick_some(struct gate *g, const struct principal *p)
{
	struct session *session, *next;

	for (session = p->sessions; session != NULL; session = next) {
		char *id = session->admitted || session->client_id == NULL
		    ? NULL : strdup(session->client_id);

		next = session->next;
		if (id != NULL)
			g->config.broker->kick_one(id); /* frees the session */
		free(id);
	}
}

static void
kick(struct gate *g, const struct principal *p)
{
	char hex[CERTID_HEX_SIZE];

	if (count_sessions(p, true) > 0) {
		kick_some(g, p);
		return;
	}
	memcpy(hex, p->hex, sizeof(hex)); /* p goes with its last session */
	g->config.broker->kick(hex);
}

static void
cut_off(struct gate *g)
{
	struct principal *p;
	int64_t start;

	if (g->sessions.to_cut == NULL)
		return;
	start = monotonic_ns();
	do {
		p = principal_next_cut(&g->sessions);
		if (p == NULL || count_sessions(p, false) == 0) /* activated again meanwhile */
			continue;
		g->config.stats->cut++;
		report_cut(g->config.report, &p->id, p->cut_reason);
		kick(g, p);
	} while (p != NULL && monotonic_ns() - start < CUT_BUDGET_NS);
}

static void
sweep(struct gate *g)
{
	int64_t start;
	size_t visited = 0;
	struct principal *p;

	if (g->sessions.sweep_left == 0)
		return;
	start = monotonic_ns();
	while ((p = sweep_next(&g->sessions)) != NULL) {
		principal_refresh(g, p);
		if (++visited % SWEEP_STRIDE == 0 && monotonic_ns() - start > SWEEP_BUDGET_NS)
			break;
	}
}

static void
report_unusable(struct gate *g)
{
	if (g->policies.unusable.text[0] == '\0')
		return;
	report_line(g->config.report, LEVEL_ERROR, "%s; the certificates it is attached to are refused",
	    g->policies.unusable.text);
	g->policies.unusable.text[0] = '\0';
}

void
gate_tick(struct gate *g)
{
	g->reloading = false;
	g->gone = NULL;
	late_report_all(g);
	denial_report_all(g);
	report_unusable(g);
	sweep(g);
	cut_off(g);
}

bool
gate_take_announced(struct gate *g)
{
	bool announced = g->announced;

	g->announced = false;
	return announced;
}
