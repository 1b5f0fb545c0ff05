/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_file.h - a certificate revocation list from a file, and its parts.
 *
 * What kind of list it is and whether it is a good one is the plugin's
 * business; here it has to be one value in DER, or one block of PEM (RFC 7468)
 * with whatever text around it.  Blocks while it reads.  Any thread.
 */
#ifndef CTL_CRL_FILE_H
#define CTL_CRL_FILE_H

#include "jitr/core/base.h"

#define CRL_FILE_BYTES_MAX ((size_t)128 << 20) /* of a list in DER; the plugin takes no more */

/* Bytes of one part.  Their base64 is 460 000, so that a request stays below
 * 480 KiB, and has no padding before the end. */
#define CRL_PART_SIZE ((size_t)345000)

struct crl_file;

/* given: file://path, fileb://path, a plain path, or the text of a PEM.  NULL:
 * why in d. */
MUST_USE struct crl_file *crl_file_open(const char *given, struct diag *d);
void crl_file_close(struct crl_file *f); /* NULL is fine */

size_t crl_file_parts(const struct crl_file *f); /* at least 1 */

/* A part, 0 the first, as base64 to be free()d.  NULL: out of memory. */
MUST_USE char *crl_file_part(const struct crl_file *f, size_t nth);

#endif
