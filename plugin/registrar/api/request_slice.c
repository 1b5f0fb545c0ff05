/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_slice.c - see request_private.h. */
#include "request_private.h"

static const struct rate slice_rate = { REQUESTS_SLICE_US, REQUESTS_SHARE_US };

/*
 * Jobs.
 */

static enum err
job_run(struct txn *t, struct job *job, int64_t now)
{
	return request_run(t, (struct request *)job, now);
}

static void
job_committed(struct job *job)
{
	request_committed((struct request *)job);
}

static void
job_finish(struct job *job)
{
	struct request *r = (struct request *)job;

	request_finish_run(r);
	request_queue(r);
	requests_run(r->api);
}

static const struct job_type request_type = {
	.name = "request",
	.run = job_run,
	.committed = job_committed,
	.finish = job_finish,
};

static void
request_submit(struct request *r)
{
	enum err e;

	r->job = (struct job){ .type = &request_type };
	r->stage = REQUEST_AT_WRITER;
	e = writer_submit(r->api->config.writer, &r->job);
	if (e != ERR_OK)
		request_reject_run(r, e);
}

/*
 * Slices.
 */

static void
request_go_on(struct request *r)
{
	switch (r->stage) {
	case REQUEST_UNREAD:
		request_read(r);
		break;
	case REQUEST_PREPARING:
		request_prepare(r);
		break;
	case REQUEST_OPEN:
		if (request_begin_run(r))
			request_submit(r);
		break;
	case REQUEST_RESPONDING:
		request_respond(r);
		break;
	case REQUEST_AT_WRITER:
	case REQUEST_DONE:
		break;
	}
}

static bool
request_is_runnable(const struct request *r)
{
	return r->stage != REQUEST_AT_WRITER && r->stage != REQUEST_DONE;
}

static void
request_put_back(struct request *r)
{
	r->next = r->api->waiting;
	r->api->waiting = r;
}

/* Until the slice ends.  A step is not interrupted: the longest is one evaluation of
 * policies, or reading the largest request. */
static void
request_run_slice(struct request *r, int64_t *now)
{
	int64_t began = *now;

	while (request_is_runnable(r) && *now < r->budget.ends) {
		request_go_on(r);
		*now = r->api->config.clock_us();
		r->used_us += *now - began;
		began = *now;
	}
	if (request_is_runnable(r)) {
		request_put_back(r);
	} else if (r->stage == REQUEST_DONE) {
		request_answer(r);
		request_free(r);
	}
}

void
request_queue(struct request *r)
{
	struct request **end = &r->api->waiting;

	while (*end != NULL)
		end = &(*end)->next;
	r->next = NULL;
	*end = r;
}

/* The first request of another caller than the last one, else the first one.  Requests of a
 * caller that has used up its bytes wait. */
static struct request *
request_take_next(struct api *a, int64_t now)
{
	struct request **found = NULL, *r;

	if (!answers_have_room(a, now))
		return NULL;
	for (struct request **at = &a->waiting; *at != NULL; at = &(*at)->next) {
		if (!allowance_has_room(a, (*at)->hash, now))
			continue;
		if (found == NULL)
			found = at;
		if ((*at)->hash != a->last_hash) {
			found = at;
			break;
		}
	}
	if (found == NULL)
		return NULL;
	r = *found;
	*found = r->next;
	a->last_hash = r->hash;
	return r;
}

/* A call from within a slice does nothing. */
void
requests_run(struct api *a)
{
	int64_t began = a->config.clock_us(), now = began, ends;
	struct request *r;

	ends = began + bucket_level(&a->slice_time, &slice_rate, began);
	if (a->running || a->waiting == NULL || ends <= began)
		return;
	a->running = true;
	while (now < ends && (r = request_take_next(a, now)) != NULL) {
		r->budget.ends = ends;
		request_run_slice(r, &now);
	}
	a->running = false;
	bucket_take(&a->slice_time, a->config.clock_us() - began);
}
