/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_private.h - what gate.c and gate_access.c share.  Broker thread. */
#ifndef JITR_GATE_PRIVATE_H
#define JITR_GATE_PRIVATE_H

#include "jitr/gate.h"

#include "issuer.h"
#include "session.h"

struct late; /* a client that got past gate_connect() and was not reported yet */

struct gate {
	struct gate_config  config;
	struct sessions     sessions;
	struct issuer_cache issuers;
	uint64_t            generation; /* grows when another process wrote */
	bool                reloading;
	bool                announced;
	struct late        *late; /* list */
	size_t              late_count;
};

/* A certificate, what the registry knows of it, and what follows. */
struct judgement {
	struct presented presented;
	struct certid    ca_id;
	bool             has_id, has_ca;
	struct decision  decision;
};

void            gate_judge(struct gate *g, struct x509_st *x, struct judgement *j);
struct decision gate_judge_id(struct gate *g, const struct certid *id);

/* Judge a principal again if it may have changed; to be cut off if refused. */
void gate_refresh(struct gate *g, struct principal *p);

/* A session for a client that was judged, refused ones included, and its name.
 * NULL: it cannot be remembered, and must not be let in. */
struct session *gate_remember(struct gate *g, const struct client *c, const struct judgement *j);

/* Register or announce, as the judgement says. */
enum err gate_submit(struct gate *g, struct x509_st *x, const struct judgement *j);
void     gate_report_not_submitted(struct gate *g, const struct judgement *j, enum err e);
void     gate_report_judged(struct gate *g, const struct client *c, const struct judgement *j);

/* A client that got past gate_connect(): as there, but reported at the next
 * tick, since the broker may be in the middle of a delivery.  NULL: it cannot
 * be remembered, and must not do anything. */
struct session *gate_connect_late(struct gate *g, const struct client *c);
void            late_report_all(struct gate *g);
void            late_forget_all(struct gate *g);

/* Does this user name have the shape of a certificateId? */
bool name_is_certid(const char *name, struct certid *id);

#endif
