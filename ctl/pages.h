/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pages.h - fetches all pages of a list and shows them as one.
 *
 * As the AWS CLI does (aws-iot 1.6).  One thread.
 */
#ifndef CTL_PAGES_H
#define CTL_PAGES_H

#include "job.h"

/* Checks the paging flags before connecting.  False: j->why has the reason. */
MUST_USE bool pages_check(struct job *j);

/* Does the command list something, with no flag that requests a single page? */
bool pages_wanted(const struct job *j);

MUST_USE enum status pages_show(struct job *j); /* only if pages_wanted() */

#endif
