/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wake.h - ends the broker's sleep while the plugin has work.
 *
 * An idle broker sleeps 100 ms in epoll_wait(), and a plugin cannot add a descriptor to it.  A
 * signal during the sleep makes epoll_wait() return EINTR, which all supported versions treat
 * as "no event", and the loop sends a tick.  A signal shortly before the sleep has no effect,
 * so a timer repeats the signal until wake_stop().
 *
 * The signal is a real-time signal that nothing else in the process handles.  It is sent to
 * the broker's thread only, and its handler is empty.
 *
 * A socket can wake the broker, too: the kernel sends a signal when bytes arrive, and when a
 * full socket can be written again (fcntl(2), O_ASYNC).  The handler starts the timer, so that
 * a signal shortly before the sleep delays the tick by WAKE_SOCKET_US at most.  This signal is
 * SIGIO: many that wait are one, while real-time signals queue up to a limit that all
 * processes of a user share, and beyond it the kernel sends SIGIO, which ends a process that
 * does not handle it.  Where something else handles SIGIO, it is a free real-time signal.
 */
#ifndef JITR_WAKE_H
#define JITR_WAKE_H

#include "jitr/core/base.h"

struct wake;

/* Broker thread: the signals are sent to the calling thread.  ERR_LIMIT: no timer or no free
 * signal. */
MUST_USE enum err wake_open(struct wake **out);

/* Broker thread, after the other threads that use it have ended.  Restores the signal's
 * handler.  NULL is fine. */
void wake_close(struct wake *w);

/* Any thread: wakes the broker every us microseconds.  No effect if the broker is being woken
 * already.  NULL does nothing. */
void wake_start(struct wake *w, long us);

/* Broker thread: stops.  To be called before checking for work: a wake_start() by another
 * thread in between has no effect, but its work is then found by that check.  NULL does
 * nothing. */
void wake_stop(struct wake *w);

/* How often the broker is woken from the news of a socket until wake_stop(). */
#define WAKE_SOCKET_US 1000

/* Broker thread.  The broker is woken from now on when the socket has news.  ERR_LIMIT: no
 * signal is free, or the kernel refuses; then nothing has changed. */
MUST_USE enum err wake_watch(struct wake *w, int fd);

/* Broker thread, before the socket is closed: another process may have it still. */
void wake_unwatch(int fd);

/* Broker thread.  Has a watched socket had news since the last call?  To be called before
 * reading. */
bool wake_take_news(struct wake *w);

#endif
