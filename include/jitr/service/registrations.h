/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registrations.h - where the gate sends what it wants registered.
 *
 * The gate does not write.  It presents a certificate under a number that it uses once, and
 * gate_presented() completes that number later, never from within present().  The functions
 * copy what they keep and do not wait.  Broker thread.
 */
#ifndef JITR_REGISTRATIONS_H
#define JITR_REGISTRATIONS_H

#include "jitr/core/registration.h"

struct registrations {
	void *context;

	/* After ERR_OK the number is completed once, or gate_registrations_lost() is called;
	 * after an error (ERR_BUSY: too many are under way) it is not. */
	enum err (*present)(void *context, uint64_t number, const struct presentation *p);

	/* Records that a registered certificate was refused.  The time is set when it is
	 * recorded.  Not completed; lost after an error (ERR_BUSY: many wait). */
	enum err (*refused)(void *context, const struct certid *id, const struct refusal *refusal);
};

#endif
