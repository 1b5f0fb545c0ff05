/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * admission.h - may a client connect, and what do its policies say?
 *
 * Live clients, explain and testAuthorization ask admission_rights() and
 * admission_connect(), so that they cannot differ.  The judge's thread.
 */
#ifndef JITR_ADMISSION_H
#define JITR_ADMISSION_H

#include "jitr/service/judge.h"
#include "jitr/service/rights.h"

/* What decides about a client; everything is borrowed. */
struct admission {
	const struct judge *judge;
	struct policy_set policies;
	const struct facts *facts;
	bool administrator;     /* one of admin_certificates */
	bool facts_are_missing; /* the policies use a fact that could not be read;
				 * policies.failed is set too, so that they allow nothing */
	size_t *steps;          /* the steps that policies take are added; NULL */
};

/* For access_decide() and access_connect(); valid as long as a. */
struct access_rights admission_rights(const struct admission *a);

/* May it connect with the client id of its facts?  REASON_NONE, or why not. */
enum reason admission_connect(const struct admission *a);

#endif
