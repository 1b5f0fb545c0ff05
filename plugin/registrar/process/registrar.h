/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registrar.h - the registrar: the process that owns the registry.
 *
 * It is started by the plugin (child.h) and talks to it over one socket (link.h).  It does what
 * the broker's thread must not wait for, or must not parse: every write, control requests,
 * revocation lists and their files, the schedule, the CA files, the log file.
 *
 *	REGISTRAR_NEW ── CONFIG ──► REGISTRAR_RUNNING ── STOP, the socket ends ──► REGISTRAR_ENDED
 *	      └───────── it cannot start: FAILED, the socket ends ────────────────────────▲
 *
 * One thread.  registrar_turn() is one turn of the loop, so that a test can call it in its own
 * process.
 */
#ifndef JITR_REGISTRAR_H
#define JITR_REGISTRAR_H

#include "jitr/core/base.h"

enum registrar_state {
	REGISTRAR_NEW,
	REGISTRAR_RUNNING,
	REGISTRAR_ENDED,
};

struct registrar;

/* After ERR_OK the registrar owns the socket fd. */
MUST_USE enum err registrar_open(int fd, struct registrar **out);

/* Waits for frames or for work that is due, at most max_ms, and does a bounded amount of it.
 * When the state becomes REGISTRAR_ENDED, everything that was submitted is committed, except
 * for the rest of long jobs. */
enum registrar_state registrar_turn(struct registrar *r, int max_ms);

/* Did it fail to start? */
bool registrar_failed(const struct registrar *r);

void registrar_close(struct registrar *r); /* NULL is fine */

#endif
