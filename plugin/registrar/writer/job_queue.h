/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* job_queue.h - a first-in first-out list of jobs. */
#ifndef JITR_JOB_QUEUE_H
#define JITR_JOB_QUEUE_H

#include "jitr/registrar/writer.h"

struct job_queue {
	struct job *first, **end; /* end: the next pointer of the last job, or &first */
	size_t count;
};

void job_queue_init(struct job_queue *q);
void job_queue_push(struct job_queue *q, struct job *job);
struct job *job_queue_pop(struct job_queue *q); /* NULL: empty */

/* Moves at most max jobs; returns their number. */
size_t job_queue_move(struct job_queue *to, struct job_queue *from, size_t max);

/* Jobs that are not deferrable. */
size_t job_queue_count_urgent(const struct job_queue *q);

#endif
