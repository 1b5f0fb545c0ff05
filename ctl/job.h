/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * job.h - the state of one command: arguments, connection, answer.
 *
 * Shared by run.c, pages.c and upload.c.  One thread.
 */
#ifndef CTL_JOB_H
#define CTL_JOB_H

#include "arguments.h"
#include "client.h"
#include "crl_file.h"
#include "print.h"
#include "proof.h"
#include "run.h"

struct job {
	const struct options *options;
	struct arguments arguments;
	enum output output;
	cJSON *members;        /* of the request */
	struct ca_key *ca_key; /* --ca-key */
	struct crl_file *crl;  /* --crl */
	struct client *client;
	struct diag why;
};

const struct given *job_given(const struct job *j, const char *name);
const char *job_member(const struct job *j, const char *name);

/* Connects to the broker. */
MUST_USE enum status job_connect(struct job *j);

/* Sends a request; on STATUS_DONE the caller owns *answer.  Otherwise the error has
 * been printed. */
MUST_USE enum status job_ask(struct job *j, const char *operation, const cJSON *members,
    cJSON **answer);

/* Print an answer to standard output, or an error. */
MUST_USE enum status job_show(const struct job *j, const cJSON *data);
MUST_USE enum status job_fail(const char *why);

/* Shows progress on a terminal, unless --quiet. */
void job_progress(const struct job *j, const char *what, size_t count);

#endif
