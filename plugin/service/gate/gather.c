/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gather.c - the facts that the policies of a client look at.
 *
 * Facts are gathered as far as the policies use them: the names in a certificate once, the
 * thing again whenever it may have changed.
 */
#include <stdlib.h>

#include "gate_private.h"

#include "jitr/adapter/x509.h"
#include "jitr/service/facts.h"

/* From the certificate that was presented, if there is one. */
static bool
gather_certificate(struct txn *t, struct principal *p, struct x509_st *x)
{
	enum err e = ERR_OK;

	if (p->facts == NULL)
		e = x != NULL ? x509_read_facts(x, &p->facts)
			      : read_stored_facts(t, &p->id, &p->facts);
	return e == ERR_OK;
}

static bool
gather_thing(struct txn *t, struct session *s)
{
	struct live *live = s->live;
	struct thing thing;
	bool found = false;
	enum err e;

	free(live->thing);
	live->facts.thing = live->thing = NULL;
	e = find_thing_or_planned(t, &s->principal->id, s->principal->plan, live->facts.client_id,
	    &thing, &found);
	if (found)
		live->facts.thing = live->thing = thing_copy(&thing);
	return e == ERR_OK && (!found || live->thing != NULL);
}

bool
gather_facts(struct txn *t, struct session *s)
{
	unsigned use = rights_use(&s->principal->rights);

	if (use & POLICY_USES_CERTIFICATE && !gather_certificate(t, s->principal, s->x))
		return false;
	s->live->facts.cert = s->principal->facts;
	return !(use & POLICY_USES_THING) || gather_thing(t, s);
}

bool
gather_absent_facts(const struct gate *g, struct txn *t, struct principal *p, struct view client_id,
    struct facts *facts, struct thing *thing)
{
	unsigned use = rights_use(&p->rights);
	bool found = false;

	*facts = (struct facts){ .client_id = client_id,
		.certificate_id = view_of(p->hex),
		.client_id_as_is = g->config.client_id_as_is };
	if (use & POLICY_USES_CERTIFICATE && !gather_certificate(t, p, NULL))
		return false;
	facts->cert = p->facts;
	if (use & POLICY_USES_THING &&
	    find_thing_or_planned(t, &p->id, p->plan, client_id, thing, &found) != ERR_OK)
		return false;
	facts->thing = found ? thing : NULL;
	return true;
}
