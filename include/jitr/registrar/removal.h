/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * removal.h - removes published messages from the store.
 *
 * Removing has no commit of its own: the job is deferrable and is committed together with the
 * next change.  Since any change commits the removal as well, the certificate of an event that
 * is published again after a crash has not changed in the meantime.
 *
 * The registrar's thread.
 */
#ifndef JITR_REMOVAL_H
#define JITR_REMOVAL_H

#include "jitr/registrar/writer.h"

/* Zero but for the writer at first.  Not to be moved or freed before writer_stop(). */
struct removal {
	struct writer *writer; /* borrowed */

	/* Private. */
	struct job job; /* the only one: numbers that arrive in the meantime wait */
	bool submitted;
	uint64_t wanted;  /* messages up to this number may be removed */
	uint64_t running; /* the number of the submitted job */
	uint64_t removed; /* the highest number removed */
};

/* Messages up to this number were delivered: the function of an outbox_port, with a struct
 * removal as its context.  Always ERR_OK: a full queue only delays the removal. */
MUST_USE enum err removal_up_to(void *removal, uint64_t up_to);

/* Submits what is left: a full queue or a failed commit delayed it. */
void removal_tick(struct removal *r);

#endif
