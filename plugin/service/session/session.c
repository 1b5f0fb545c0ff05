/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* session.c - see session.h. */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
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
	if (p->closing != PRINCIPAL_STAYS)
		DL_DELETE(s->closing, p);
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

/* Replaces the longest unused one if there are too many. */
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

/* The plan of a certificate that is not stored yet is known only here: it is kept for the
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
	if (p->closing != PRINCIPAL_STAYS)
		DL_DELETE(s->closing, p);
	p->closing = PRINCIPAL_STAYS;
	absent_add(s, p);
}

void
principal_disconnect(struct sessions *s, struct principal *p, enum reason reason)
{
	p->close_reason = reason;
	if (p->closing != PRINCIPAL_STAYS || p->sessions == NULL)
		return;
	p->closing = PRINCIPAL_CLOSES;
	DL_APPEND(s->closing, p);
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
	struct principal *p = s->closing;

	if (p != NULL) {
		DL_DELETE(s->closing, p);
		p->closing = PRINCIPAL_STAYS;
	}
	return p;
}

void
sweep_start(struct sessions *s)
{
	s->sweep_left = HASH_COUNT(s->connected.by_client);
}

struct session *
sweep_next(struct sessions *s)
{
	struct session *session = s->sweep != NULL ? s->sweep : s->connected.by_client;

	if (session == NULL)
		s->sweep_left = 0;
	if (s->sweep_left == 0)
		return NULL;
	s->sweep_left--;
	s->sweep = session->hh.next;
	return session;
}

/*
 * Connected sessions.
 */

static void
live_free(struct live *live)
{
	if (live == NULL)
		return;
	free(live->thing);
	free(live);
}

static void
session_free(struct session *session)
{
	x509_free(session->x);
	live_free(session->live);
	free(session);
}

static size_t
text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static struct live *
live_new(const struct connection *c)
{
	size_t id_size = text_size(c->id), address_size = text_size(c->address);
	struct live *live = calloc(1, sizeof(*live) + id_size + address_size);

	if (live == NULL)
		return NULL;
	if (c->id != NULL)
		live->client_id = memcpy(live->texts, c->id, id_size);
	if (c->address != NULL)
		live->address = memcpy(live->texts + id_size, c->address, address_size);
	live->facts.client_id = view_of(live->client_id);
	live->facts.source_text = view_of(live->address);
	live->facts.source = address_parse(live->facts.source_text);
	return live;
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
	return session;
}

static struct session *
session_new_live(struct sessions *s, const struct connection *c)
{
	struct session *session = session_new(s, c);

	if (session == NULL)
		return NULL;
	session->live = live_new(c);
	if (session->live != NULL && session_index_add(&s->connected, session))
		return session;
	session_free(session);
	return NULL;
}

/* The members that a session takes over from the one before it if the same connection is
 * judged again. */
struct inherited {
	struct presence_session presence;
	enum reason shut_out;
};

static struct inherited
inherited_of(struct sessions *s, const struct connection *c)
{
	const struct session *before = session_find(s, c->client, c->x);

	return before != NULL ? (struct inherited){ before->live->presence, before->shut_out }
			      : (struct inherited){ .shut_out = REASON_NONE };
}

struct session *
session_add(struct sessions *s, const struct connection *c, const struct certid *id_or_null)
{
	struct inherited inherited = inherited_of(s, c);
	struct session *session;

	session_remove(s, c->client);
	session = session_new_live(s, c);
	if (session == NULL)
		return NULL;
	session->live->presence = inherited.presence;
	session->shut_out = inherited.shut_out;
	if (session->shut_out != REASON_NONE)
		session_step(session, SESSION_ON_SHUT_OUT);
	if (id_or_null != NULL && !principal_join(s, id_or_null, session)) {
		session_remove(s, c->client);
		return NULL;
	}
	if (session->principal != NULL)
		session->live->facts.certificate_id = view_of(session->principal->hex);
	return session;
}

struct session *
session_find(struct sessions *s, const void *client, const struct x509_st *x)
{
	struct session *session = session_index_find(&s->connected, client);

	return session != NULL && session->x == x ? session : NULL;
}

struct session *
session_of(struct sessions *s, const void *client)
{
	return session_index_find(&s->connected, client);
}

/* The session is not connected any more. */
static void
take_out(struct sessions *s, struct session *session)
{
	if (s->sweep == session)
		s->sweep = session->hh.next;
	session_index_remove(&s->connected, session);
	principal_leave(s, session);
	session->principal = NULL;
}

void
session_remove(struct sessions *s, const void *client)
{
	struct session *session = session_of(s, client);

	if (session == NULL)
		return;
	take_out(s, session);
	session_free(session);
}

/*
 * Sessions that left.
 */

/* The byte at the end tells NULL from an empty text, and one text from the next. */
static uint64_t
hash_text(uint64_t hash, const char *text)
{
	const uint8_t end = text != NULL;

	return hash_bytes(hash_bytes(hash, view_of(text)), (struct view){ &end, 1 });
}

/* It need not be strong: a client gains nothing by a collision, since it may choose the same
 * names. */
static uint64_t
hash_names(const struct connection *c)
{
	return hash_text(hash_text(HASH_START, c->id), c->user_name);
}

static struct session *
find_left(struct sessions *s, const void *client)
{
	struct session *session;

	HASH_FIND_PTR(s->left, &client, session);
	return session;
}

static bool
add_left(struct sessions *s, struct session *session)
{
	HASH_ADD_PTR(s->left, client, session);
	if (find_left(s, session->client) != session)
		return false;
	DL_APPEND(s->leaving, session);
	return true;
}

/* The connected session without its struct live, or a new one. */
static struct session *
take_leaving(struct sessions *s, const struct connection *c)
{
	struct session *session = session_of(s, c->client);

	if (session == NULL)
		return session_new(s, c);
	if (session->principal != NULL)
		session->id = session->principal->id;
	take_out(s, session);
	live_free(session->live);
	session->live = NULL;
	return session;
}

struct session *
session_leave(struct sessions *s, const struct connection *c, enum session_keeps keeps)
{
	struct session *session = take_leaving(s, c);

	session_forget_left(s, c->client);
	if (session == NULL)
		return NULL;
	session->keeps = keeps;
	session->names = hash_names(c);
	if (add_left(s, session))
		return session;
	session_free(session);
	return NULL;
}

/* Without a certificate the names are compared, unless the address is NULL: the broker frees
 * address and user name of a client before the client, and asks about it in between. */
struct session *
session_find_left(struct sessions *s, const struct connection *c)
{
	struct session *session = find_left(s, c->client);

	if (session == NULL)
		return NULL;
	if (c->x != NULL)
		return c->x == session->x ? session : NULL;
	return c->address == NULL || session->names == hash_names(c) ? session : NULL;
}

/* Is it on the list of those that left since the last tick? */
static bool
is_leaving(const struct session *session)
{
	return session->prev != NULL;
}

static void
end_leaving(struct sessions *s, struct session *session)
{
	DL_DELETE(s->leaving, session);
	session->next = session->prev = NULL;
	x509_free(session->x);
	session->x = NULL;
}

void
session_forget_left(struct sessions *s, const void *client)
{
	struct session *session = find_left(s, client);

	if (session == NULL)
		return;
	if (is_leaving(session))
		end_leaving(s, session);
	HASH_DELETE(hh, s->left, session);
	session_free(session);
}

void
sessions_tick(struct sessions *s)
{
	struct session *session;

	while ((session = s->leaving) != NULL) {
		end_leaving(s, session);
		if (session->keeps == KEEPS_NOTHING)
			session_forget_left(s, session->client);
		else
			session_step(session,
			    session->keeps == KEEPS_WILL ? SESSION_ON_TICK
							 : SESSION_ON_TICK_NO_WILL);
	}
}

void
sessions_clear(struct sessions *s)
{
	struct session *session, *next;

	HASH_ITER(hh, s->connected.by_client, session, next)
		session_remove(s, session->client);
	HASH_ITER(hh, s->left, session, next)
		session_forget_left(s, session->client);
	while (s->absent != NULL) {
		struct principal *p = s->absent;

		absent_remove(s, p);
		principal_free(s, p);
	}
}
