/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load.h - devices that connect, many at a time.
 *
 * Each: TCP, a full TLS 1.3 handshake (no session is ever resumed), CONNECT
 * (MQTT 3.1.1), CONNACK, and the end.
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
	LEAVE,   /* who was accepted sends DISCONNECT and waits until the broker has closed */
	HANG_UP, /* whatever the answer is: closes at once, as the broker does when it refuses */
};

struct load_result {
	int64_t started, ended; /* clock_ns() */
	unsigned count[OUTCOME_COUNT];
};

/* Each of these devices once.  Blocks. */
void load_run(int port, const struct device *d, size_t count, unsigned parallel, enum manner manner,
    struct load_result *out);

/* All of them with this outcome, or the program ends and says what happened. */
void load_must_be(const struct load_result *r, enum outcome wanted, const char *who);

#endif
