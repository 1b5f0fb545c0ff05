/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * job.h - one command on its way: what was asked for, the broker, the answer.
 *
 * What run.c, pages.c and upload.c share.  One thread.
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

/* To the broker of the options. */
MUST_USE enum status job_connect(struct job *j);

/* One request; *answer is the caller's when it is done.  What went wrong
 * otherwise has been said. */
MUST_USE enum status job_ask(struct job *j, const char *operation, const cJSON *members,
    cJSON **answer);

/* The end of it: an answer on standard output, or why there is none. */
MUST_USE enum status job_show(const struct job *j, const cJSON *data);
MUST_USE enum status job_fail(const char *why);

/* How far it is, on a terminal, unless --quiet. */
void job_progress(const struct job *j, const char *what, size_t count);

#endif
