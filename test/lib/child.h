/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * child.h - other processes that use a registry: this program again, with a role as its
 * first argument, because LMDB must not be carried over a fork.
 *
 *	create	opens the registry, after one byte of output
 *	hold	opens it as a broker does, one byte, until the input ends
 *	put	puts the certificate of the number given
 *	read	takes every slot of the reader table, one byte, until a signal
 *	churn	commits random batches of the seed given, one byte after each, until a signal
 *
 * A role ends with 0 if all went well; hold with 2 if another broker has the registry.
 */
#ifndef JITR_TEST_CHILD_H
#define JITR_TEST_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in, out; /* its standard input and output */
};

struct child child_start(const char *role, const char *dir, const char *argument);
void child_wait(const struct child *c); /* for one byte */
int child_end(struct child *c);         /* its exit status, or 128 and the signal */
void child_kill(struct child *c);
/* Start and end, with status 0. */
void child_run(const char *role, const char *dir, const char *argument);

/* The other side: carries out a role and returns the exit status. */
int child_main(const char *role, const char *dir, const char *argument);

#define CHURN_CERTS 300 /* the numbers of the certificates of churn are below this */

uint32_t random_number(uint64_t *state);
void spin(uint32_t microseconds);

#endif
