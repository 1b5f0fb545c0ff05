/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* writer_state.h - the length of the writer's queue and the cost of its commits. */
#ifndef JITR_WRITER_STATE_H
#define JITR_WRITER_STATE_H

#include <stddef.h>
#include <stdint.h>

struct writer_state {
	size_t waiting;         /* jobs submitted and not finished */
	uint64_t commits;       /* with a change, since the start */
	uint64_t commit_us;     /* their total time */
	uint64_t commit_us_max; /* the longest since the state was last read */
	uint64_t commit_us_last;
};

#endif
