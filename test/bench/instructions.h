/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * instructions.h - a broker under valgrind's callgrind: the instructions between two moments.
 * Slow, but nearly the same on every run and machine.  The kernel's instructions are not
 * counted.
 *
 * One counter at a time in a directory.
 */
#ifndef JITR_BENCH_INSTRUCTIONS_H
#define JITR_BENCH_INSTRUCTIONS_H

#include "server.h"

struct counter {
	struct server server;
	char path[4096]; /* callgrind.<server>.<name> below the directory */
};

bool instructions_can_be_counted(void);

void counter_open(struct counter *c, const struct server_config *config, const char *name);
void counter_start(struct counter *c);  /* once the broker has nothing left to do */
double counter_stop(struct counter *c); /* likewise; <path>.1 stays, for callgrind_annotate */
void counter_close(struct counter *c);

#endif
