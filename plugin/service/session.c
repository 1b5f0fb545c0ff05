/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* session.c - see session.h. */
#include <stdlib.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "session.h"
#include <utlist.h>

#include "jitr/x509.h"

static struct principal *
principal_hold(struct sessions *s, const struct certid *id)
{
	struct principal *p = principal_find(s, id);

	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		p->id = *id;
		HASH_ADD(hh, s->by_id, id, sizeof(p->id), p);
		if (principal_find(s, id) == NULL) {
			free(p);
			return NULL;
		}
	}
	p->sessions++;
	return p;
}

static void
principal_release(struct sessions *s, struct principal *p)
{
	if (p == NULL || --p->sessions > 0)
		return;
	if (s->sweep == p)
		s->sweep = p->hh.next;
	if (p->to_cut)
		DL_DELETE(s->to_cut, p);
	HASH_DELETE(hh, s->by_id, p);
	free(p);
}

static void
session_free(struct sessions *s, struct session *session)
{
	HASH_DELETE(hh, s->by_client, session);
	principal_release(s, session->principal);
	x509_free(session->x);
	free(session);
}

static struct session *
find_client(struct sessions *s, const void *client)
{
	struct session *session;

	HASH_FIND_PTR(s->by_client, &client, session);
	return session;
}

struct session *
session_add(struct sessions *s, const void *client, struct x509_st *x,
    const struct certid *id_or_null)
{
	struct session *session;

	session_remove(s, client);
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->client = client;
	if (id_or_null != NULL) {
		session->principal = principal_hold(s, id_or_null);
		if (session->principal == NULL)
			goto fail;
	}
	HASH_ADD_PTR(s->by_client, client, session);
	if (find_client(s, client) == NULL)
		goto fail;
	x509_hold(x);
	session->x = x;
	return session;

fail:
	principal_release(s, session->principal);
	free(session);
	return NULL;
}

struct session *
session_find(struct sessions *s, const void *client, const struct x509_st *x)
{
	struct session *session = find_client(s, client);

	return session != NULL && session->x == x ? session : NULL;
}

struct principal *
principal_find(struct sessions *s, const struct certid *id)
{
	struct principal *p;

	HASH_FIND(hh, s->by_id, id, sizeof(*id), p);
	return p;
}

void
session_remove(struct sessions *s, const void *client)
{
	struct session *session = find_client(s, client);

	if (session != NULL)
		session_free(s, session);
}

void
sessions_clear(struct sessions *s)
{
	struct session *session, *next;

	HASH_ITER(hh, s->by_client, session, next)
		session_free(s, session);
}

void
principal_cut(struct sessions *s, struct principal *p)
{
	if (p->to_cut)
		return;
	p->to_cut = true;
	DL_APPEND(s->to_cut, p);
}

struct principal *
principal_next_cut(struct sessions *s)
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
	s->sweep = s->by_id;
}

struct principal *
sweep_next(struct sessions *s)
{
	struct principal *p = s->sweep;

	if (p != NULL)
		s->sweep = p->hh.next;
	return p;
}
