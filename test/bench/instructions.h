/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * instructions.h - what something costs the broker in instructions, counted by
 * valgrind's callgrind: slow, but nearly the same on every run and every
 * machine.  The kernel's are not among them.
 */
#ifndef JITR_BENCH_INSTRUCTIONS_H
#define JITR_BENCH_INSTRUCTIONS_H

#include "fleet.h"
#include "server.h"

/* What is done to the broker, so many times; first: how often before, to the
 * broker that ran before. */
struct work {
	void (*run)(const struct server *s, size_t first, size_t count, const void *context);
	const void *context;
	const char *name; /* of callgrind's output, beside the server's */
};

bool instructions_can_be_counted(void);

/* For each time: a broker to which it is done many times less one to which it
 * is done a few times.  callgrind.<server>.<work>.{few,many} stay in the
 * directory. */
double instructions_count(const struct server_config *config, const struct work *w, size_t few,
    size_t many);

#endif
