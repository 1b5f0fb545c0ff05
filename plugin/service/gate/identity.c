/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * identity.c - the names that give a client rights.
 *
 * The broker's texts prove nothing: with use_identity_as_username the user name comes from
 * a certificate or a PSK, and a client id is compared with nothing (mosquitto section 0, 6
 * and 13).  What counts is the connection: its certificate, or a user name that
 * gate_connect() saw before the broker let others check it.  A client without either has
 * no rights.
 */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include "gate_private.h"

/* A name that is also a PSK identity. */
struct psk_name {
	UT_hash_handle hh;
	char name[];
};

bool
name_is_certid(const char *name, struct certid *id_or_null)
{
	struct certid id;

	/* Lower case only, as the plugin writes them. */
	if (name == NULL || strspn(name, "0123456789abcdef") != 2 * sizeof(id.b) ||
	    !certid_from_hex(&id, view_of(name)))
		return false;
	if (id_or_null != NULL)
		*id_or_null = id;
	return true;
}

bool
is_admin_name(const struct gate *g, const char *name)
{
	if (name == NULL)
		return false;
	for (size_t i = 0; i < g->config.admin_user_count; i++)
		if (strcmp(g->config.admin_users[i], name) == 0)
			return true;
	return false;
}

/* Another plugin may have changed its user name since. */
bool
is_admin_session(const struct gate *g, const struct session *session, const char *user_name)
{
	return session != NULL && session->state == SESSION_ADMINISTRATOR &&
	    is_admin_name(g, user_name);
}

/* Its subscriptions were judged when they were made, and its queue is judged again when its
 * client returns. */
bool
is_admin_restored(const struct gate *g, const struct client *c)
{
	return c->address == NULL && is_admin_name(g, c->user_name);
}

/*
 * Names that are also PSK identities.
 */

static struct psk_name *
find_psk_name(const struct gate *g, const char *name)
{
	struct psk_name *psk = NULL;

	if (name != NULL)
		HASH_FIND_STR(g->psk_names, name, psk);
	return psk;
}

bool
is_psk_name(const struct gate *g, const char *name)
{
	return find_psk_name(g, name) != NULL;
}

bool
gate_add_psk_name(struct gate *g, const char *identity)
{
	struct psk_name *psk;
	size_t size;

	if (!name_is_certid(identity, NULL) && !is_admin_name(g, identity))
		return false;
	if (find_psk_name(g, identity) != NULL)
		return true;
	size = strlen(identity) + 1;
	psk = malloc(sizeof(*psk) + size);
	if (psk == NULL)
		return true;
	memcpy(psk->name, identity, size);
	HASH_ADD_STR(g->psk_names, name, psk);
	if (find_psk_name(g, identity) == NULL)
		free(psk);
	return true;
}

void
psk_names_clear(struct gate *g)
{
	struct psk_name *psk, *next;

	HASH_ITER(hh, g->psk_names, psk, next) {
		HASH_DEL(g->psk_names, psk);
		free(psk);
	}
}
