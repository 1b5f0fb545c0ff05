/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pages.h - a list, page after page, shown as one.
 *
 * As the AWS CLI does it (aws-iot 1.6).  One thread.
 */
#ifndef CTL_PAGES_H
#define CTL_PAGES_H

#include "job.h"

/* Flags about pages that contradict each other, or are no number: before the broker
 * is asked.  False: j->why says what is wrong. */
MUST_USE bool pages_check(struct job *j);

/* The command has a list, and no flag asks for one page of it. */
bool pages_wanted(const struct job *j);

MUST_USE enum status pages_show(struct job *j); /* of one that is wanted */

#endif
