/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registrar_private.h - the registrar, shared by its files:
 *
 *   registrar.c   the loop: waits, reads frames, works, sends
 *   incoming.c    frames of the broker become calls of the parts
 *   parts.c       constructs the parts from the options, and ends them
 *   ports.c       the functions by which the parts reach the broker
 *   outgoing.c    frames to the broker
 *
 * Each calls only files below it.
 */
#ifndef JITR_REGISTRAR_PRIVATE_H
#define JITR_REGISTRAR_PRIVATE_H

#include "jitr/registrar/request.h"
#include "jitr/service/config.h"
#include "jitr/registrar/crls.h"
#include "jitr/registrar/health.h"
#include "jitr/service/judge.h"
#include "jitr/registrar/log_file.h"
#include "jitr/registrar/recovery.h"
#include "jitr/registrar/registration_jobs.h"
#include "jitr/registrar/removal.h"
#include "jitr/service/report.h"
#include "jitr/registrar/schedule.h"

#include "outgoing.h"
#include "registrar.h"

struct registrar {
	enum registrar_state state;
	bool failed; /* it could not start, or not send a result */
	bool unread; /* frames that were read are not handled yet */
	struct link *link;
	struct outgoing out;

	/* The parts, all owned. */
	struct config config;
	struct store *store;
	struct report *report;
	struct log_file *log_file; /* NULL: no log_file */
	struct writer *writer;
	struct removal removal;
	struct recovery recovery;
	struct registration_jobs *registrations;
	struct registrations port; /* of registrations */
	struct change_listener listener;
	struct judge judge; /* of the api */
	bool has_judge;
	struct crls *crls;
	struct api *api;
	struct schedule *schedule;
	struct health *health; /* NULL: no health_file */
	struct stats stats;    /* what is not sent yet */

	/* Times in ms, monotonic. */
	int64_t ticked;
	int64_t looked_elsewhere; /* for changes by other processes */
	int64_t heard;            /* the last ALIVE of the broker */
	int64_t told;             /* the last STATE */
	uint64_t commits_told;    /* in it */
	uint64_t commit_us_max;   /* since it */
};

int64_t now_ms(void); /* since 1970 */
int64_t monotonic_ms(void);
int64_t monotonic_us(void); /* not 0 */

/* ports.c */
struct report_sink port_of_report(struct registrar *r);
struct change_listener port_of_changes(struct registrar *r);
void port_answer(void *registrar, const struct control_answer *a);
void port_presented(void *registrar, uint64_t number, enum err result,
    const struct outcome *outcome, const char *failure);

/* parts.c.  *diag: why they cannot be opened; parts_close() is called then, too. */
MUST_USE enum err parts_open(struct registrar *r, const struct wire_config *config,
    struct diag *diag);

/* Commits what was submitted. */
void parts_close(struct registrar *r);

/* incoming.c: one frame.  An error: the broker sent what this version does not know, and the
 * process ends. */
MUST_USE enum err incoming_frame(struct registrar *r, const struct wire_frame *frame);

#endif
