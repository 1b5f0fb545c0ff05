/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_watch.h - files of revocation lists, read again when they change.
 *
 * One look at a time: a job of the writer that compares each file with what it
 * was the last time, and imports the first one that is another.  The next look
 * goes on behind it, so that each of many is looked at once.
 */
#ifndef JITR_CRL_WATCH_H
#define JITR_CRL_WATCH_H

#include "jitr/service/crl_import.h"
#include "jitr/service/writer.h"

struct watched;

/* What came of a look that found something. */
struct crl_found {
	const struct crl_import *import; /* NULL: the file cannot be looked at */
	struct certid ca_id;
	enum err result;
	struct diag diag;
};

/* Zeroed, but for the first four, which are set by the owner, and borrowed. */
struct crl_watch {
	struct writer *writer;
	int64_t (*now)(void);
	void (*found)(void *of, const struct crl_found *found); /* broker thread */
	void *of;
	const char *dir;       /* crl_place.h; set and borrowed, too */
	struct watched *files; /* the writer's while busy, and so are the next two */
	struct certid after;   /* where the last look found something */
	bool more;             /* the next one goes on behind it */
	int64_t last;          /* when; 0: look at once */
	int64_t alarm;         /* and by then; 0: none */
	bool idle;             /* no CA had a file then */
	bool retry;            /* also what is known not to be taken */
	bool busy;
};

/* A CA may have another file, or take another list. */
void crl_watch_settings_changed(struct crl_watch *w);

/* TICK. */
void crl_watch_tick(struct crl_watch *w);
void crl_watch_clear(struct crl_watch *w); /* after writer_stop() */

#endif
