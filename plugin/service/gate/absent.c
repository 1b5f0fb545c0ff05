/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * absent.c - clients that are not connected: an offline session, a will, the publisher of a
 * retained message.
 *
 * The certificate's record decides, as it is now.
 */
#include "gate_private.h"

#include "jitr/service/admission.h"

static enum access
decide_absent(struct gate *g, struct principal *p, const struct facts *facts,
    const struct access_question *q)
{
	struct admission admission = admission_of(g, p, facts);
	struct access_rights rights = admission_rights(&admission);
	struct access_decision d = access_decide(&rights, q);

	if (d.access == ACCESS_DENY && d.basis == BASIS_POLICY)
		denial_note(g, p, facts, q);
	return d.access;
}

static enum access
access_absent(struct gate *g, struct txn *txn_or_null, const struct certid *id,
    const char *client_id, const struct access_question *q)
{
	struct principal *p = principal_find_absent(g, txn_or_null, id);
	struct facts facts;
	struct thing thing;

	if (p == NULL || txn_or_null == NULL ||
	    !gather_absent_facts(g, txn_or_null, p, view_of(client_id), &facts, &thing))
		return ACCESS_DENY;
	return decide_absent(g, p, &facts, q);
}

static enum access
access_of_id(struct gate *g, const struct certid *id, const char *client_id,
    const struct access_question *q)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);
	enum access access = access_absent(g, t, id, client_id, q);

	gate_read_end(t);
	return access;
}

/* A client that was refused: what waits for it, if it may connect now. */
static enum access
access_of_refused(struct gate *g, const struct certid *id, const char *client_id,
    const struct access_question *q)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);
	enum access access = ACCESS_DENY;

	if (may_connect_absent(g, t, id, view_of(client_id)))
		access = access_absent(g, t, id, client_id, q);
	gate_read_end(t);
	return access;
}

/*
 * A client that the plugin did not see at CONNECT, and that has no certificate.  Without an
 * address it is not connected: a session restored from disk, or the publisher of a retained
 * message, stored with the user name that the plugin had set (mosquitto section 0, 11).  A
 * connected client may have chosen any name, for example as a PSK identity with
 * use_identity_as_username (mosquitto section 0, 6).
 */
enum access
access_of_unknown(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct certid id;

	if (name_is_certid(c->user_name, &id) && c->address != NULL)
		return ACCESS_DENY;
	if (name_is_certid(c->user_name, &id)) {
		if (q->action == ACTION_READ) /* its session may be resumed */
			takeover_learn(g, c->id, &id);
		return access_of_id(g, &id, c->id, q);
	}
	return is_admin_restored(g, c) && is_admin_access(q) ? ACCESS_ALLOW
							     : access_of_others(g, q);
}

/* After a client left, the broker asks about its will and about messages for its offline
 * session, and, while it is being disconnected, about its subscriptions.  Any other question is
 * about another client at its address. */
static bool
is_of_left(enum session_state state, enum action action)
{
	switch (action) {
	case ACTION_WRITE:
		return session_state_has_will(state);
	case ACTION_READ:
		return true;
	case ACTION_SUBSCRIBE:
	case ACTION_UNSUBSCRIBE:
		break;
	}
	return session_state_is_leaving(state);
}

static enum access
access_of_left_certificate(struct gate *g, struct session *session, const struct client *c,
    const struct access_question *q)
{
	enum access access;

	if (!is_of_left(session->state, q->action))
		return ACCESS_DENY;
	access = access_of_id(g, &session->id, c->id, q);
	if (q->action == ACTION_WRITE && access != ACCESS_DENY)
		session_step(session, SESSION_ON_WILL);
	return access;
}

enum access
access_of_left(struct gate *g, struct session *session, const struct client *c,
    const struct access_question *q)
{
	switch ((int)session->state) {
	case SESSION_LEFT_ADMITTED:
	case SESSION_LEFT_WILL_SENT:
	case SESSION_OFFLINE_WILL:
	case SESSION_OFFLINE:
		return access_of_left_certificate(g, session, c, q);
	case SESSION_LEFT_REFUSED:
		return q->action == ACTION_READ ? access_of_refused(g, &session->id, c->id, q)
						: ACCESS_DENY;
	case SESSION_LEFT_ADMINISTRATOR:
	case SESSION_OFFLINE_ADMINISTRATOR:
		return is_admin_access(q) && is_of_left(session->state, q->action)
		    ? ACCESS_ALLOW
		    : access_of_others(g, q);
	case SESSION_LEFT_OTHER:
		return access_of_others(g, q);
	}
	return ACCESS_DENY;
}
