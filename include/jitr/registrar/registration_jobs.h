/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registration_jobs.h - registrations (registrations.h) as jobs of the writer.
 *
 * What is presented is decided again in the write transaction (registry_connect()).  Jobs
 * hold the encoding of what was presented (wire_registration.h).  The registrar's thread.
 */
#ifndef JITR_REGISTRATION_JOBS_H
#define JITR_REGISTRATION_JOBS_H

#include "jitr/service/registrations.h"
#include "jitr/service/registry.h"
#include "jitr/registrar/writer.h"

struct registration_jobs_config {
	struct writer *writer; /* borrowed */
	struct registry_rules rules;

	/* A job is finished, as gate_presented() has it. */
	void (*presented)(void *context, uint64_t number, enum err result,
	    const struct outcome *outcome, const char *failure);
	void *context;
};

struct registration_jobs;

MUST_USE enum err registration_jobs_open(const struct registration_jobs_config *config,
    struct registration_jobs **out);
void registration_jobs_close(struct registration_jobs *r); /* after writer_stop(); NULL is fine */

/* Valid until registration_jobs_close(). */
struct registrations registration_jobs_port(struct registration_jobs *r);

#endif
