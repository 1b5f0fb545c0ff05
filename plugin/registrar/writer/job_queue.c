/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* job_queue.c - see job_queue.h. */
#include "job_queue.h"

void
job_queue_init(struct job_queue *q)
{
	q->first = NULL;
	q->end = &q->first;
	q->count = 0;
}

void
job_queue_push(struct job_queue *q, struct job *job)
{
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
	q->count++;
}

struct job *
job_queue_pop(struct job_queue *q)
{
	struct job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->end = &q->first;
	q->count--;
	return job;
}

size_t
job_queue_move(struct job_queue *to, struct job_queue *from, size_t max)
{
	size_t moved = 0;

	for (; moved < max && from->first != NULL; moved++)
		job_queue_push(to, job_queue_pop(from));
	return moved;
}

size_t
job_queue_count_urgent(const struct job_queue *q)
{
	size_t count = 0;

	for (const struct job *job = q->first; job != NULL; job = job->next)
		count += !job->type->deferrable;
	return count;
}
