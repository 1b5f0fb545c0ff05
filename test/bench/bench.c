/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* bench.c - see bench.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

_Noreturn void
die(const char *fmt, ...)
{
	va_list arg;

	fflush(stdout);
	fputs("bench: ", stderr);
	va_start(arg, fmt);
	vfprintf(stderr, fmt, arg);
	va_end(arg);
	fputc('\n', stderr);
	exit(2);
}

void
must(bool ok, const char *what)
{
	if (!ok)
		die("failed: %s", what);
}

int64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
sleep_us(unsigned us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	(void)nanosleep(&ts, NULL);
}

size_t
option(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	unsigned long value;

	if (text == NULL || text[0] == '\0')
		return otherwise;
	value = strtoul(text, &end, 10);
	if (*end != '\0' || text[0] == '-' || value > 10000000)
		die("%s must be a whole number up to 10000000", name);
	return value;
}

void
series_add(struct series *s, double value)
{
	if (s->count == s->room) {
		s->room = s->room == 0 ? 64 : 2 * s->room;
		s->at = realloc(s->at, s->room * sizeof(*s->at));
		must(s->at != NULL, "memory");
	}
	s->at[s->count++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
series_at(struct series *s, double part)
{
	if (s->count == 0)
		return 0;
	qsort(s->at, s->count, sizeof(*s->at), compare);
	return s->at[(size_t)(part * (double)(s->count - 1) + 0.5)];
}

double
series_median(struct series *s)
{
	if (s->count == 0)
		return 0;
	(void)series_at(s, 0); /* sorts */
	return (s->at[(s->count - 1) / 2] + s->at[s->count / 2]) / 2;
}

void
series_free(struct series *s)
{
	free(s->at);
	*s = (struct series){ .at = NULL };
}
