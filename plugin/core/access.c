/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* access.c - see access.h. */
#include "jitr/core/access.h"

static struct access_decision
decided(enum access access, enum access_basis basis)
{
	return (struct access_decision){ .access = access, .basis = basis };
}

struct view
access_plain_topic(const struct access_question *q)
{
	struct view shared = { NULL, 0 };

	if (q->action == ACTION_SUBSCRIBE || q->action == ACTION_UNSUBSCRIBE)
		shared = topic_shared_filter(q->topic);
	return shared.data != NULL ? shared : q->topic;
}

/* Every client may send requests; the response says whether it has the rights.
 * Responses are sent to the requesting client only, so subscribing to them needs no
 * policy. */
static bool
is_control(const struct access_rights *r, enum action action, struct view topic)
{
	if (action == ACTION_WRITE)
		return topic_is_request(topic);
	return r->authorization == AUTHORIZATION_POLICY && topic_is_answer(topic);
}

/* Events are for administrators (aws-iot D.4).  Topics below $CONTROL of other plugins
 * are left to those plugins. */
static struct access_decision
decide_by_option(const struct access_rights *r, struct view topic)
{
	if (r->authorization != AUTHORIZATION_ALLOW || topic_is_foreign_control(topic))
		return decided(ACCESS_DEFER, BASIS_OPTION);
	return decided(topic_is_aws(topic) ? ACCESS_DENY : ACCESS_ALLOW, BASIS_OPTION);
}

/*
 * AWS does not document which text of a shared subscription is the resource, and
 * policies in use contain both (aws-iot F.2): denied if either text is denied,
 * otherwise allowed if either is allowed.  A filter that begins with '$' behind the
 * group needs an Allow that names it, as without the group (policy.h).
 */
static enum policy_result
ask_subscribe(const struct access_rights *r, struct view filter, struct policy_match *match)
{
	struct view shared = topic_shared_filter(filter);
	struct policy_match second = { .policy = 0 };
	enum policy_result whole = r->ask(r->context, POLICY_SUBSCRIBE, filter, match), bare;

	if (shared.data == NULL || whole == POLICY_EXPLICIT_DENY)
		return whole;
	bare = r->ask(r->context, POLICY_SUBSCRIBE, shared, &second);
	if (whole == POLICY_ALLOWED && bare == POLICY_IMPLICIT_DENY &&
	    !topic_begins_with_dollar(shared))
		return whole;
	if (bare != POLICY_IMPLICIT_DENY)
		*match = second;
	return bare;
}

static enum policy_result
ask_publish(const struct access_rights *r, const struct access_question *q,
    struct policy_match *match)
{
	enum policy_result result = r->ask(r->context, POLICY_PUBLISH, q->topic, match);

	if (result != POLICY_ALLOWED || !q->retain)
		return result;
	return r->ask(r->context, POLICY_RETAIN_PUBLISH, q->topic, match);
}

static enum policy_result
ask_policies(const struct access_rights *r, const struct access_question *q,
    struct policy_match *match)
{
	switch (q->action) {
	case ACTION_READ:
		return r->ask(r->context, POLICY_RECEIVE, q->topic, match);
	case ACTION_WRITE:
		return ask_publish(r, q, match);
	case ACTION_SUBSCRIBE:
		return ask_subscribe(r, q->topic, match);
	case ACTION_UNSUBSCRIBE: /* there is no iot:Unsubscribe (aws-iot F.2) */
		return POLICY_ALLOWED;
	}
	return POLICY_IMPLICIT_DENY;
}

static struct access_decision
decide_by_policy(const struct access_rights *r, const struct access_question *q, struct view topic)
{
	struct access_decision d = decided(ACCESS_DENY, BASIS_POLICY);

	d.result = ask_policies(r, q, &d.match);
	if (d.result == POLICY_ALLOWED)
		d.access = topic_is_foreign_control(topic) ? ACCESS_DEFER : ACCESS_ALLOW;
	return d;
}

struct access_decision
access_decide(const struct access_rights *r, const struct access_question *q)
{
	struct view topic = access_plain_topic(q);

	if (q->action == ACTION_WRITE && topic_reserved(topic))
		return decided(ACCESS_DENY, BASIS_RESERVED);
	if (q->action == ACTION_UNSUBSCRIBE && r->authorization != AUTHORIZATION_DEFER)
		return decided(topic_is_foreign_control(topic) ? ACCESS_DEFER : ACCESS_ALLOW,
		    BASIS_OPTION);
	if (is_control(r, q->action, topic))
		return decided(ACCESS_ALLOW, BASIS_CONTROL);
	if (r->administrator && q->action != ACTION_WRITE && topic_is_ours(topic))
		return decided(ACCESS_ALLOW, BASIS_ADMINISTRATOR);
	if (r->authorization != AUTHORIZATION_POLICY)
		return decide_by_option(r, topic);
	return decide_by_policy(r, q, topic);
}

/* Administrators of the configuration may always connect: they attach the first
 * policies. */
struct access_decision
access_connect(const struct access_rights *r, struct view client_id)
{
	struct access_decision d = decided(ACCESS_DENY, BASIS_POLICY);

	if (r->authorization != AUTHORIZATION_POLICY)
		return decided(ACCESS_ALLOW, BASIS_OPTION);
	if (r->administrator)
		return decided(ACCESS_ALLOW, BASIS_ADMINISTRATOR);
	d.result = r->ask(r->context, POLICY_CONNECT, client_id, &d.match);
	if (d.result == POLICY_ALLOWED)
		d.access = ACCESS_ALLOW;
	return d;
}

enum reason
access_refusal(const struct access_decision *d, bool usable, size_t policies)
{
	if (d->access == ACCESS_ALLOW)
		return REASON_NONE;
	if (!usable)
		return REASON_POLICY_UNUSABLE;
	return policies == 0 ? REASON_NO_POLICY : REASON_NOT_ALLOWED;
}
