/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load.h - devices that connect, many at a time.
 *
 * Each device: TCP, a full TLS 1.3 handshake (sessions are not resumed), CONNECT (MQTT 3.1.1),
 * CONNACK, and the end.
 */
#ifndef JITR_BENCH_LOAD_H
#define JITR_BENCH_LOAD_H

#include "fleet.h"

enum outcome {
	ACCEPTED, /* CONNACK 0 */
	REFUSED,  /* CONNACK 5, not authorized */
	NOT_CONNECTED,
	NO_HANDSHAKE,
	NO_ANSWER,
	OTHER_ANSWER,
	OUTCOME_COUNT
};

enum manner {
	LEAVE,   /* an accepted device sends DISCONNECT and waits until the broker closes */
	HANG_UP, /* the device closes after any answer, as the broker does after a refusal */
};

struct load_result {
	int64_t started, ended; /* clock_ns() */
	unsigned count[OUTCOME_COUNT];
};

/* Connects each of these devices once.  Blocks. */
void load_run(int port, const struct device *d, size_t count, unsigned parallel, enum manner manner,
    struct load_result *out);

/* Ends the program with a message unless all had this outcome. */
void load_must_be(const struct load_result *r, enum outcome wanted, const char *devices);

#endif
