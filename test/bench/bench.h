/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench.h - common to the parts of the benchmark: the end on any error, a clock, options, and
 * medians.
 */
#ifndef JITR_BENCH_H
#define JITR_BENCH_H

#include "jitr/core/base.h"

/* A benchmark that failed has no result: the program ends. */
_Noreturn void die(const char *fmt, ...) PRINTF_LIKE(1, 2);
void must(bool ok, const char *what);

int64_t clock_ns(void); /* monotonic */
void sleep_us(unsigned us);

/* The whole number in this environment variable; otherwise if it is not set. */
size_t option(const char *name, size_t otherwise);

/* A list of numbers.  Zeroed is empty. */
struct series {
	double *at;
	size_t count, room;
};

void series_add(struct series *s, double value);
double series_at(struct series *s, double part); /* 0: least, 0.5: median, 0.99, 1: greatest */
double series_median(struct series *s);
void series_free(struct series *s);

#endif
