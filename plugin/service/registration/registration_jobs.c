/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registration_jobs.c - see registration_jobs.h. */
#include <stdlib.h>

#include "jitr/service/registration_jobs.h"

#include "jitr/core/wire_registration.h"

/* Refusals that wait; more are lost, because a refusal must not delay registrations. */
#define REFUSALS_WAITING_MAX 1000

struct registration_jobs {
	struct registration_jobs_config config;
	size_t refusals_waiting;
};

enum err
registration_jobs_open(const struct registration_jobs_config *config,
    struct registration_jobs **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return ERR_NOMEM;
	(*out)->config = *config;
	return ERR_OK;
}

void
registration_jobs_close(struct registration_jobs *r)
{
	free(r);
}

/*
 * Presentations.
 */

struct present_job {
	struct job job;
	const struct registration_jobs *of;
	uint64_t number;
	struct outcome outcome;
	size_t len;
	uint8_t bytes[];
};

static enum err
present_run(struct txn *t, struct job *job, int64_t now)
{
	struct present_job *p = (struct present_job *)job;
	struct presentation presentation;
	struct plan plan;
	enum err e = wire_get_presentation((struct view){ p->bytes, p->len }, &presentation, &plan);

	if (e != ERR_OK)
		return e;
	return registry_connect(t, &presentation, &p->of->config.rules, now, &p->outcome);
}

static void
present_finish(struct job *job)
{
	struct present_job *p = (struct present_job *)job;
	const struct registration_jobs_config *config = &p->of->config;

	config->presented(config->context, p->number, job->result, &p->outcome, job->failure);
	free(p);
}

static const struct job_type present_type = { "present", false, present_run, NULL, present_finish };

static enum err
present(void *context, uint64_t number, const struct presentation *presentation)
{
	struct registration_jobs *r = context;
	size_t len = wire_presentation_size(presentation);
	struct present_job *p = len > 0 ? calloc(1, sizeof(*p) + len) : NULL;
	enum err e;

	if (p == NULL)
		return len > 0 ? ERR_NOMEM : ERR_LIMIT;
	p->job.type = &present_type;
	p->of = r;
	p->number = number;
	p->len = len;
	wire_put_presentation(presentation, p->bytes);
	e = writer_submit(r->config.writer, &p->job);
	if (e != ERR_OK)
		free(p);
	return e;
}

/*
 * Refusals.
 */

struct refusal_job {
	struct job job;
	struct registration_jobs *of;
	size_t len;
	uint8_t bytes[WIRE_REFUSED_MAX];
};

static enum err
refusal_run(struct txn *t, struct job *job, int64_t now)
{
	struct refusal_job *r = (struct refusal_job *)job;
	struct refusal refusal;
	struct certid id;
	enum err e = wire_get_refused((struct view){ r->bytes, r->len }, &id, &refusal);

	if (e != ERR_OK)
		return e;
	refusal.time = now;
	return registry_refused(t, &id, &refusal);
}

/* A refusal that could not be written is in the log alone. */
static void
refusal_finish(struct job *job)
{
	struct refusal_job *r = (struct refusal_job *)job;

	r->of->refusals_waiting--;
	free(r);
}

static const struct job_type refusal_type = { "refusal", true, refusal_run, NULL, refusal_finish };

static enum err
submit_refusal(struct registration_jobs *r, struct refusal_job *job)
{
	enum err e = job->len > 0 ? writer_submit(r->config.writer, &job->job) : ERR_LIMIT;

	if (e == ERR_OK)
		r->refusals_waiting++;
	else
		free(job);
	return e;
}

static enum err
refused(void *context, const struct certid *id, const struct refusal *refusal)
{
	struct registration_jobs *r = context;
	struct refusal_job *job;

	if (r->refusals_waiting >= REFUSALS_WAITING_MAX)
		return ERR_BUSY;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return ERR_NOMEM;
	job->job.type = &refusal_type;
	job->of = r;
	job->len = wire_put_refused(id, refusal, job->bytes);
	return submit_refusal(r, job);
}

struct registrations
registration_jobs_port(struct registration_jobs *r)
{
	return (struct registrations){ r, present, refused };
}
