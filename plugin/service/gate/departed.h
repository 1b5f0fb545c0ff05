/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * departed.h - clients that have left, as long as the broker may still ask about
 * them: for their will, also a delayed one, and for messages to their offline
 * session.
 *
 * A client is known by the broker's pointer.  Its client id and user name tell it from
 * a later client at the same address, since the broker does not tell plugins of every
 * CONNECT.  An entry ends when the pointer belongs to another client, and, where the
 * broker frees the client at once or another client may have its names, at the next
 * tick.  So there are never more entries than the broker has had clients at a time.
 * Broker thread.
 */
#ifndef JITR_DEPARTED_H
#define JITR_DEPARTED_H

#include <uthash.h>

#include "jitr/service/report.h"

struct x509_st;

enum departed_as {
	DEPARTED_UNKNOWN,       /* it was never judged: no rights */
	DEPARTED_REFUSED,       /* not let in, or shut out: nothing of it is published */
	DEPARTED_OTHER,         /* other plugins and acl_file decide */
	DEPARTED_ADMINISTRATOR, /* the same, with a name of admin_users that others checked */
	DEPARTED_CERTIFICATE,   /* what its certificate may */
};

struct departed {
	const void *client;
	struct x509_st *x; /* held until the next tick, as long as the broker may show it */
	uint64_t names;    /* names_hash() */
	struct certid id;  /* of DEPARTED_REFUSED and DEPARTED_CERTIFICATE */
	enum departed_as as;
	bool freed_at_once; /* the broker keeps neither session nor will */
	bool shared;        /* a pre-shared key has its user name, too */
	bool will_at_once;  /* its protocol has no delayed ones */
	bool will_sent;     /* a client has one */
	bool fresh;         /* it left since the last tick: on the list of those */
	struct departed *next, *prev;
	UT_hash_handle hh;
};

struct departures {
	struct departed *by_client;
	struct departed *fresh; /* list */
};

/* Takes a reference of d->x.  Without memory there is no entry, and so no rights. */
void departed_add(struct departures *all, const struct departed *d);

/* Of a client id and a user name; NULL is fine. */
uint64_t names_hash(const char *client_id, const char *user_name);

/* This client, if it has left.  c->x: the certificate that the broker shows; NULL:
 * none. */
struct departed *departed_find(struct departures *all, const struct client *c);

void departed_forget(struct departures *all, const void *client);
void departed_tick(struct departures *all);
void departed_clear(struct departures *all);

#endif
