/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ping.h - a client that is connected already, on a listener without TLS, and
 * asks the broker for a sign of life every few milliseconds: how long does the
 * broker's loop keep others waiting?
 */
#ifndef JITR_BENCH_PING_H
#define JITR_BENCH_PING_H

#include "bench.h"

#define PING_INTERVAL_US 2000

struct ping;

struct ping *ping_start(int port);

/* Adds the round trips, in milliseconds, to rtt, and frees p. */
void ping_stop(struct ping *p, struct series *rtt);

#endif
