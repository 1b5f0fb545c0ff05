/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registration.h - a certificate that is presented for registration, and the outcome.
 *
 * Plain data: complete, so that it can be encoded (wire_registration.h) and acted on
 * without the connection it came from.  Views are borrowed.  Any thread.
 */
#ifndef JITR_REGISTRATION_H
#define JITR_REGISTRATION_H

#include "jitr/core/decide.h"

/* The version of a CA from which a plan was made. */
struct ca_revision {
	struct generation generation;
	uint32_t version;
};

static inline struct ca_revision
ca_revision_of(const struct ca *ca)
{
	return (struct ca_revision){ ca->generation, ca->version };
}

/*
 * A certificate that a client presented, and for which the broker's thread has decided on a
 * change.  presented.issued_by_ca says whether the signature over der was verified with the
 * key of the CA; it is not verified again, because an id names the same bytes for ever.
 */
struct presentation {
	struct presented presented;
	struct certid ca_id;
	struct view der;
	const struct plan *plan;        /* of its CA's rule or template; NULL: none */
	struct ca_revision ca_revision; /* of the plan; without one zero */
	struct view details;            /* for events (event.h); empty: none */
	struct view client_id, address; /* for the record of a refusal */
};

struct outcome {
	struct decision decision; /* its effects were put */
	enum cert_status status;  /* of the record, if there is one */
	struct diag details;      /* the plan's reason; "": none */
	bool failed;              /* the plan could not be carried out */
};

#endif
