/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * absent.c - clients that are not connected: an offline session, a will, the publisher of a
 * retained message.
 *
 * The certificate's record decides, as it is now.
 */
#include "gate_private.h"

#include "admission.h"

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

/* After a client has left, the broker asks about its will and about messages for its offline
 * session.  There is at most one will, at once if its protocol has no delayed wills.  Its
 * subscriptions are judged again only while it is being disconnected.  Any other question is
 * about another client at its address. */
static bool
is_of_departed(const struct departed *d, const struct access_question *q)
{
	switch (q->action) {
	case ACTION_WRITE:
		return !d->will_sent && (d->fresh || !d->will_at_once);
	case ACTION_READ:
		return true;
	case ACTION_SUBSCRIBE:
	case ACTION_UNSUBSCRIBE:
		break;
	}
	return d->fresh;
}

enum access
access_of_departed(struct gate *g, struct departed *d, const struct client *c,
    const struct access_question *q)
{
	enum access access;

	switch (d->as) {
	case DEPARTED_CERTIFICATE:
		if (!is_of_departed(d, q))
			return ACCESS_DENY;
		access = access_of_id(g, &d->id, c->id, q);
		d->will_sent |= q->action == ACTION_WRITE && access != ACCESS_DENY;
		return access;
	case DEPARTED_REFUSED:
		return q->action == ACTION_READ ? access_of_refused(g, &d->id, c->id, q)
						: ACCESS_DENY;
	case DEPARTED_ADMINISTRATOR:
		return is_admin_access(q) && is_of_departed(d, q) ? ACCESS_ALLOW
								  : access_of_others(g, q);
	case DEPARTED_OTHER:
		return access_of_others(g, q);
	case DEPARTED_UNKNOWN:
		break;
	}
	return ACCESS_DENY;
}
