/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault.h - the nth allocation of the process fails, also in OpenSSL, cJSON, LMDB and
 * libc's regular expressions.
 *
 * A program that links this has another malloc().  With an address sanitizer, which
 * replaces malloc() itself, no allocation fails and fault_works() is false.
 *
 *	for (unsigned long n = 1; fault_at(n, false), run(), fault_end(); n++)
 *		...
 *
 * Only allocations of the thread that called fault_at() are counted.
 */
#ifndef JITR_TEST_FAULT_H
#define JITR_TEST_FAULT_H

#include <stdbool.h>

/* From now on the nth allocation fails; with lasting, all later ones too. */
void fault_at(unsigned long n, bool lasting);

/* No allocation fails from now on.  Returns whether one has failed. */
bool fault_end(void);

bool fault_works(void);

/* While paused no allocation fails or is counted. */
void fault_pause(bool pause);

#endif
