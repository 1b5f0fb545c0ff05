/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * caller_rights.h - what the caller of a control request may do, by the registry as it is now.
 *
 * The gate says who the caller is (control_message.h).  A caller with a certificate is judged
 * by its id, as an offline session is: it has no rights if its certificate is not ACTIVE any
 * more, or if its policies do not let it connect with its client id.  A caller without a
 * certificate is a user of admin_users, which the gate recognised.
 *
 * The judge's thread, outside of a transaction.
 */
#ifndef JITR_CALLER_RIGHTS_H
#define JITR_CALLER_RIGHTS_H

#include "jitr/core/control_message.h"
#include "jitr/service/judge.h"
#include "jitr/service/rights.h"

/* Of one request: its policies are held, and the names in its certificate are read once. */
struct caller_rights {
	struct judge *judge;               /* borrowed */
	const struct caller_facts *caller; /* borrowed */
	enum administration now;           /* as caller_rights_refresh() found it */
	struct rights rights;
	struct facts facts;      /* point to what follows and to the caller */
	struct cert_facts *cert; /* owned; NULL: no policy asked for them */
	struct thing *thing;     /* owned; NULL: none */
	char hex[CERTID_HEX_SIZE];
};

/* Without rights until caller_rights_refresh().  Must not be moved afterwards. */
void caller_rights_open(struct caller_rights *r, struct judge *judge,
    const struct caller_facts *caller);
void caller_rights_close(struct caller_rights *r); /* all zero is fine, too */

/* Reads them again: a change since the last command counts. */
enum administration caller_rights_refresh(struct caller_rights *r);

/* May a caller with ADMINISTRATION_BY_POLICY do this?  false for all others.
 * action: "iot:UpdateCertificate".
 * resource: the part of the ARN behind the account, "cert/<id>"; one that ends with '/',
 * "policy/", stands for all of its kind; NULL: an action without a resource, which only
 * Resource "*" allows.
 * also: a second resource that must not be denied; NULL: none. */
bool caller_rights_may(const struct caller_rights *r, const char *action, const char *resource,
    const char *also);

#endif
