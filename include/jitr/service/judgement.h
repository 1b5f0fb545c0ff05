/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judgement.h - what is decided about a certificate that a client presented.
 */
#ifndef JITR_JUDGEMENT_H
#define JITR_JUDGEMENT_H

#include "jitr/core/decide.h"
#include "jitr/service/registry.h"

struct judgement {
	struct presented presented;
	struct certid ca_id;
	bool has_id;     /* presented is set: the certificate could be read */
	bool has_ca;     /* ca_id is set */
	bool registered; /* or will be, by the job that was submitted */
	struct decision decision;
	struct plan *plan;    /* owned; what the rule or template of the CA says; NULL: nothing */
	uint64_t plan_number; /* no other plan has it; 0: no plan */
	struct ca_revision ca_revision; /* of the CA when the plan was made */
	struct diag details;            /* of the reason; empty: none */
	struct certid original; /* with REASON_OTHER_FORM: the certificate it is a form of */
	enum err submitted;     /* of the job that registers it; ERR_OK where there is none */
	bool record_refusal;    /* the refusal is to be written to the certificate's record */
};

void judgement_clear(struct judgement *j);

/* Lets the plan the client in before its certificate is stored as ACTIVE? */
static inline bool
lets_in_by_plan(const struct decision *d)
{
	return d->verdict == VERDICT_ALLOW && d->effects & EFFECT_PLAN;
}

#endif
