/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upload.h - sends a revocation list to the broker.
 *
 * One thread.
 */
#ifndef CTL_UPLOAD_H
#define CTL_UPLOAD_H

#include "job.h"

/* Sends the list in one request, or in parts if it is too large; shows the answer to
 * the last. */
MUST_USE enum status upload_crl(struct job *j);

#endif
