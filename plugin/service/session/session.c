/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* session.c - see session.h. */
#include <stdlib.h>
#include <string.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "jitr/service/session.h"
#include <utlist.h>

#include "jitr/adapter/x509.h"

/*
 * Principals.
 */

struct principal *
principal_find(struct sessions *s, const struct certid *id)
{
	struct principal *p;

	HASH_FIND(hh, s->by_id, id, sizeof(*id), p);
	return p;
}

static struct principal *
principal_new(struct sessions *s, const struct certid *id)
{
	struct principal *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->id = *id;
	certid_to_hex(id, p->hex);
	HASH_ADD(hh, s->by_id, id, sizeof(p->id), p);
	if (principal_find(s, id) != NULL)
		return p;
	free(p);
	return NULL;
}

static void
principal_free(struct sessions *s, struct principal *p)
{
	if (p->to_cut)
		DL_DELETE(s->to_cut, p);
	HASH_DELETE(hh, s->by_id, p);
	rights_clear(&p->rights, s->policies);
	free(p->facts);
	free(p->plan);
	free(p);
}

static void
absent_remove(struct sessions *s, struct principal *p)
{
	DL_DELETE(s->absent, p);
	s->absent_count--;
}

/* In the place of the longest unused one, if there are too many. */
static void
absent_add(struct sessions *s, struct principal *p)
{
	struct principal *oldest = s->absent;

	if (s->absent_count == ABSENT_MAX) {
		absent_remove(s, oldest);
		principal_free(s, oldest);
	}
	DL_APPEND(s->absent, p);
	s->absent_count++;
}

struct principal *
principal_absent(struct sessions *s, const struct certid *id)
{
	struct principal *p = principal_find(s, id);

	if (p != NULL && p->sessions != NULL)
		return p;
	if (p != NULL)
		absent_remove(s, p);
	else
		p = principal_new(s, id);
	if (p != NULL)
		absent_add(s, p);
	return p;
}

static bool
principal_join(struct sessions *s, const struct certid *id, struct session *session)
{
	struct principal *p = principal_find(s, id);

	if (p == NULL)
		p = principal_new(s, id);
	else if (p->sessions == NULL)
		absent_remove(s, p);
	if (p == NULL)
		return false;
	session->principal = p;
	DL_APPEND(p->sessions, session);
	return true;
}

/* The plan of a certificate that is not stored yet is known here alone: it is kept for the
 * client's will and its offline session. */
static void
principal_leave(struct sessions *s, struct session *session)
{
	struct principal *p = session->principal;

	if (p == NULL)
		return;
	DL_DELETE(p->sessions, session);
	if (p->sessions != NULL)
		return;
	if (p->plan == NULL) {
		principal_free(s, p);
		return;
	}
	if (p->to_cut)
		DL_DELETE(s->to_cut, p);
	p->to_cut = false;
	absent_add(s, p);
}

void
principal_disconnect(struct sessions *s, struct principal *p, enum reason reason)
{
	p->cut_reason = reason;
	if (p->to_cut || p->sessions == NULL)
		return;
	p->to_cut = true;
	p->cut_told = false;
	DL_APPEND(s->to_cut, p);
}

void
session_disconnect(struct sessions *s, struct session *session, enum reason reason)
{
	struct principal *p = session->principal;

	DL_DELETE(p->sessions, session);
	DL_PREPEND(p->sessions, session);
	principal_disconnect(s, p, reason);
}

void
session_put_last(struct session *session)
{
	struct principal *p = session->principal;

	DL_DELETE(p->sessions, session);
	DL_APPEND(p->sessions, session);
}

struct principal *
principal_next_to_disconnect(struct sessions *s)
{
	struct principal *p = s->to_cut;

	if (p != NULL) {
		DL_DELETE(s->to_cut, p);
		p->to_cut = false;
	}
	return p;
}

void
sweep_start(struct sessions *s)
{
	s->sweep_left = HASH_COUNT(s->by_client);
}

struct session *
sweep_next(struct sessions *s)
{
	struct session *session = s->sweep != NULL ? s->sweep : s->by_client;

	if (session == NULL)
		s->sweep_left = 0;
	if (s->sweep_left == 0)
		return NULL;
	s->sweep_left--;
	s->sweep = session->hh.next;
	return session;
}

/*
 * Sessions.
 */

/* Clients are some kilobytes apart. */
static struct session **
front_of(struct sessions *s, const void *client)
{
	uintptr_t at = (uintptr_t)client;

	return &s->front[(at >> 4 ^ at >> 14) & (FRONT_SIZE - 1)];
}

static struct session *
find_client(struct sessions *s, const void *client)
{
	struct session **front = front_of(s, client), *session;

	if (*front != NULL && (*front)->client == client)
		return *front;
	HASH_FIND_PTR(s->by_client, &client, session);
	if (session != NULL)
		*front = session;
	return session;
}

static void
session_free(struct session *session)
{
	x509_free(session->x);
	free(session->client_id);
	free(session->address);
	free(session->checked_name);
	free(session->thing);
	free(session);
}

static bool
copy_text(const char *text, char **copy)
{
	*copy = text != NULL ? strdup(text) : NULL;
	return (*copy != NULL) == (text != NULL);
}

static struct session *
session_new(struct sessions *s, const struct connection *c)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->client = c->client;
	session->broker_id = c->id;
	session->number = ++s->numbered;
	session->x = c->x;
	if (session->x != NULL)
		x509_hold(session->x);
	if (copy_text(c->id, &session->client_id) && copy_text(c->address, &session->address) &&
	    copy_text(c->checked_name, &session->checked_name)) {
		session->facts.client_id = view_of(session->client_id);
		session->facts.source_text = view_of(session->address);
		session->facts.source = address_parse(session->facts.source_text);
		return session;
	}
	session_free(session);
	return NULL;
}

/* What outlives it when the same connection is judged again. */
struct constant {
	struct presence_session presence;
	enum reason shut_out;
};

static struct constant
constant_of(struct sessions *s, const struct connection *c)
{
	const struct session *before = find_client(s, c->client);

	return before != NULL && before->x == c->x
	    ? (struct constant){ before->presence, before->shut_out }
	    : (struct constant){ .shut_out = REASON_NONE };
}

struct session *
session_add(struct sessions *s, const struct connection *c, const struct certid *id_or_null)
{
	struct constant constant = constant_of(s, c);
	struct session *session;

	session_remove(s, c->client);
	session = session_new(s, c);
	if (session == NULL)
		return NULL;
	session->presence = constant.presence;
	session->shut_out = constant.shut_out;
	HASH_ADD_PTR(s->by_client, client, session);
	if (find_client(s, c->client) == NULL) {
		session_free(session);
		return NULL;
	}
	if (id_or_null != NULL && !principal_join(s, id_or_null, session)) {
		session_remove(s, c->client);
		return NULL;
	}
	if (session->principal != NULL)
		session->facts.certificate_id = view_of(session->principal->hex);
	return session;
}

struct session *
session_find(struct sessions *s, const void *client, const struct x509_st *x)
{
	struct session *session = find_client(s, client);

	return session != NULL && session->x == x ? session : NULL;
}

struct session *
session_of(struct sessions *s, const void *client)
{
	return find_client(s, client);
}

/* The name is compared each time: another one may be where it was, as the broker frees it
 * and takes one of the certificate at SIGHUP (mosquitto section 0, 6). */
struct session *
session_known(struct sessions *s, const void *client, const char *broker_id, const char *user_name)
{
	struct session *session = find_client(s, client);

	if (session == NULL || session->principal == NULL || session->broker_id != broker_id ||
	    broker_id == NULL || user_name == NULL)
		return NULL;
	return strcmp(user_name, session->principal->hex) == 0 ? session : NULL;
}

void
session_remove(struct sessions *s, const void *client)
{
	struct session *session = find_client(s, client);

	if (session == NULL)
		return;
	if (*front_of(s, client) == session)
		*front_of(s, client) = NULL;
	if (s->sweep == session)
		s->sweep = session->hh.next;
	HASH_DELETE(hh, s->by_client, session);
	principal_leave(s, session);
	session_free(session);
}

void
sessions_clear(struct sessions *s)
{
	struct session *session, *next;

	HASH_ITER(hh, s->by_client, session, next)
		session_remove(s, session->client);
	while (s->absent != NULL) {
		struct principal *p = s->absent;

		absent_remove(s, p);
		principal_free(s, p);
	}
}
