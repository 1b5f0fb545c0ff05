/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* explain_private.h - what explain.c and explain_policies.c share. */
#ifndef JITR_EXPLAIN_PRIVATE_H
#define JITR_EXPLAIN_PRIVATE_H

#include "jitr/service/explain.h"

#include "jitr/service/judgement.h"
#include "jitr/service/rights.h"

struct explain {
	struct judge *judge;
	struct cached_policy *held[EXPLAIN_POLICIES_MAX];
	size_t count;
	struct facts facts;
	struct cert_facts *cert; /* owned */
	bool unreadable;         /* the names in the certificate cannot be read */
	struct thing *thing;     /* owned; NULL: none */
	size_t *steps;
	bool administrator;         /* one of admin_certificates */
	struct judgement judgement; /* of the certificate that is explained */
	enum err chain;             /* of chain_verify(): ERR_OK, ERR_CERTIFICATE, or
				     * ERR_NOT_FOUND: it cannot be told */
	struct diag chain_fault;
	bool ca_is_deleted; /* the CA under which it was registered */
	char hex[CERTID_HEX_SIZE];
};

/* explain_policies.c: holds the policies that are asked. */
MUST_USE enum err explain_hold_policies(struct explain *e, struct txn *t,
    const struct explain_request *r, struct diag *diag);

/* Why it may not connect by its policies; REASON_NONE: it may. */
enum reason explain_connect_reason(const struct explain *e);

#endif
