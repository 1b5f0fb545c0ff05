/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upload.h - a revocation list on its way to the broker.
 *
 * One thread.
 */
#ifndef CTL_UPLOAD_H
#define CTL_UPLOAD_H

#include "job.h"

/* In one request, or in parts when it is too large for one; the answer to the
 * last is shown. */
MUST_USE enum status upload_crl(struct job *j);

#endif
