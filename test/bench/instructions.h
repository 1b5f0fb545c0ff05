/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * instructions.h - what a connection costs the broker in instructions, counted
 * by valgrind's callgrind: slow, but the same on every run and every machine.
 */
#ifndef JITR_BENCH_INSTRUCTIONS_H
#define JITR_BENCH_INSTRUCTIONS_H

#include "fleet.h"
#include "server.h"

bool instructions_can_be_counted(void);

/* Per connection of these devices, who all meet this outcome: a run with all
 * of them less a run with the first few. */
double instructions_count(const struct server_config *config, const struct device *d,
    size_t count, int outcome);

#endif
