/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault.h - the nth allocation fails: of everything in the process, OpenSSL, cJSON, LMDB
 * and libc's regular expressions included.
 *
 * A program that links this has another malloc().  With an address sanitizer, which has
 * one of its own, nothing fails, and fault_works() says so.
 *
 *	for (unsigned long n = 1; fault_at(n, false), run(), fault_end(); n++)
 *		...
 *
 * Only allocations of the thread that called fault_at() are counted.
 */
#ifndef JITR_TEST_FAULT_H
#define JITR_TEST_FAULT_H

#include <stdbool.h>

/* From now on: the nth allocation fails, and with lasting all behind it. */
void fault_at(unsigned long n, bool lasting);

/* Nothing fails any more.  Did something? */
bool fault_end(void);

bool fault_works(void);

/* Nothing fails meanwhile, nor is it counted. */
void fault_pause(bool pause);

#endif
