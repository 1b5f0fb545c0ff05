/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ping.h - a connected client on a listener without TLS that sends PINGREQ every few
 * milliseconds and measures how long the broker's loop delays the answers.
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
