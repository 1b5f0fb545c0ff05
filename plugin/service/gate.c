/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate.c - see gate.h.
 *
 * Here: a connection from CONNECT to its end, and what changes meanwhile.
 * gate_judge.c: what is decided about a certificate.  gate_present.c: what is
 * done about it.  gate_late.c: clients that got past CONNECT.  gate_access.c:
 * what one may do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/x509.h"

/* Of the broker's time at one tick: short enough that nobody notices. */
#define SWEEP_BUDGET_NS (5 * 1000 * 1000)
#define NAMED_MAX    20000 /* certificates that have their turn first */
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
	g->activations.scope = config->scope;
	g->presence = (struct presence){ .on = config->presence, .broker = config->broker,
		.stats = config->stats, .now = config->now };
	g->changes = 1;
	name_resources(g);
	*out = g;
	return ERR_OK;
}

static void
gone_forget(struct gate *g)
{
	g->gone = NULL;
	x509_free(g->gone_x);
	g->gone_x = NULL;
	g->gone_stranger = g->gone_unasked = g->gone_refused = false;
}

void
gate_close(struct gate *g)
{
	if (g == NULL)
		return;
	gone_forget(g);
	late_forget_all(g);
	denial_forget_all(g);
	clone_forget_all(g);
	free(g->named);
	presence_clear(&g->presence);
	sessions_clear(&g->sessions);
	issuer_cache_clear(&g->issuers);
	activations_clear(&g->activations);
	free(g);
}

/* The name under which offline sessions and wills are known again, and by
 * which the client can be cut off. */
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

/* May it stay, by its policies and beside others with its certificate? */
static void
admit(struct gate *g, const struct client *c, struct session *session, struct judgement *j)
{
	enum reason reason;

	session->facts.persistent_connect = c->clean_session ? ANSWER_NO : ANSWER_YES;
	reason = session_admit(g, session);
	if (session->admitted && !g->reloading)
		reason = clone_admit(g, session);
	if (j->decision.verdict == VERDICT_ALLOW && !session->admitted)
		j->decision = (struct decision){ .reason = reason };
}

struct session *
gate_remember(struct gate *g, const struct client *c, struct judgement *j)
{
	bool stranger = j->decision.verdict == VERDICT_DEFER;
	struct connection connection = { c->handle, c->x, c->id, c->address };
	struct session *session = session_add(&g->sessions, &connection,
	    stranger ? NULL : &j->presented.id);

	if (session == NULL || stranger)
		return session;
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

/* AWS tells of a connection that failed because of who the client is (aws-iot
 * D.9): so its certificate must be known to be one.  The session has the whole
 * client id, c of one that was judged late has not.  One that is connected, and asked
 * again, made no attempt. */
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
	report_connection(g->config.report, c, j->has_id ? &j->presented.id : NULL,
	    j->has_ca ? &j->ca_id : NULL, &j->decision,
	    j->details.text[0] != '\0' ? j->details.text : NULL, j->registered);
	tell_presence(g, c, j, session_or_null);
	if (j->decision.verdict == VERDICT_DENY)
		refusal_note(g, c, j);
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
	gate_report_judged(g, c, &j, NULL);
	return VERDICT_DENY;
}

/* That we closed it is known before the broker says so, and better. */
static void
tell_disconnected(struct gate *g, struct session *session, const struct presence_end *end)
{
	static const struct presence_end ours = { ANSWER_NO, "FORBIDDEN_ACCESS" };

	presence_disconnected(&g->presence, &session->presence, session->client_id,
	    &session->principal->id, session->kicked ? &ours : end);
}

/* One that is connected, and was asked again, the broker closes, and tells of its end:
 * until then it is known that nothing of it counts. */
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
	session->named_by_others = session->principal == NULL;
	return session;
}

enum verdict
gate_connect(struct gate *g, const struct client *c)
{
	struct judgement j;
	struct session *session;
	enum err submitted;

	if (g->gone == c->handle)
		gone_forget(g);
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

	gone_forget(g);
	g->gone = c->handle;
	g->gone_x = session != NULL ? session->x : c->x;
	if (g->gone_x != NULL)
		x509_hold(g->gone_x);
	g->gone_unasked = session == NULL && c->x != NULL;
	g->gone_stranger = session != NULL && session->principal == NULL;
	g->gone_refused = session != NULL && (session->shut_out != REASON_NONE ||
	    (session->principal != NULL && !session->admitted));
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

/* Without room for them they have their turn like everybody. */
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

/* The last one first; those who are not connected cost a look. */
static struct principal *
named_next(struct gate *g)
{
	struct principal *p = NULL;

	while (p == NULL && g->named_count > 0)
		p = principal_find(&g->sessions, &g->named[--g->named_count]);
	if (g->named_count == 0) {
		free(g->named);
		g->named = NULL;
	}
	return p;
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

static void
sweep(struct gate *g)
{
	int64_t start;
	size_t visited = 0;
	struct principal *p;

	if (g->sessions.sweep_left == 0)
		return;
	start = gate_clock_ns();
	while ((p = named_next(g)) != NULL || (p = sweep_next(&g->sessions)) != NULL) {
		principal_refresh(g, p);
		if (++visited % SWEEP_STRIDE == 0 && gate_clock_ns() - start > SWEEP_BUDGET_NS)
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

/* Until then whoever has them is refused: a Deny in them may not be lost. */
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

void
gate_tick(struct gate *g)
{
	g->reloading = false;
	retry_policies(g);
	gone_forget(g);
	late_report_all(g);
	denial_report_all(g);
	clone_report_all(g);
	presence_tick(&g->presence);
	report_unusable(g);
	sweep(g);
	gate_cut_off(g);
}

bool
gate_take_announced(struct gate *g)
{
	bool announced = g->announced;

	g->announced = false;
	return announced;
}
