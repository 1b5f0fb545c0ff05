/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * backoff.h - when a process that has ended is started again.
 *
 * At once after the first end, then after 1, 2, 4, ... seconds, at most after a minute.  A
 * process that was up for a minute begins anew.  Pure.  Any thread.
 */
#ifndef JITR_BACKOFF_H
#define JITR_BACKOFF_H

#include "jitr/core/base.h"

#define BACKOFF_MAX_MS   60000
#define BACKOFF_RESET_MS 60000

/* The number of ends in a row, after one more end: before is the number until then.
 * up_ms: how long the process had been up; 0 if it never was. */
unsigned backoff_count(unsigned before, int64_t up_ms);

/* The delay after that many ends in a row, in ms. */
int64_t backoff_delay(unsigned ends);

#endif
