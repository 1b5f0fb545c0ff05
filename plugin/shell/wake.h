/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wake.h - ends the broker's sleep while the plugin has work.
 *
 * A quiet broker sleeps 100 ms in epoll_wait() and cannot be given a descriptor
 * to watch.  A signal that arrives while it sleeps makes epoll_wait() return
 * EINTR, which all supported versions take as "nothing happened", and the loop
 * ticks.  One that arrives a moment before it sleeps does nothing, so a timer
 * sends the signal again and again until wake_stop().
 *
 * The signal is a real-time signal that nothing else in the process handles, it
 * is sent to the broker's thread only, and its handler is empty.
 */
#ifndef JITR_WAKE_H
#define JITR_WAKE_H

#include "jitr/core/base.h"

struct wake;

/* Broker thread: the signals go to the thread that calls this.  ERR_LIMIT: no
 * timer or no free signal. */
MUST_USE enum err wake_open(struct wake **out);

/* Broker thread, after every other thread that uses it has ended.  Gives the
 * signal back.  NULL is fine. */
void wake_close(struct wake *w);

/* Any thread: wake the broker every so many microseconds.  While it is being
 * woken already this changes nothing.  NULL: does nothing. */
void wake_start(struct wake *w, long us);

/* Broker thread: no more.  Call it before looking for work, not after: a request
 * from another thread that comes in between is for work that is there by then.
 * NULL: does nothing. */
void wake_stop(struct wake *w);

#endif
