/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_file.h - reads a certificate revocation list from a file and splits it into
 * parts.
 *
 * The plugin validates the list; here it only has to be one value in DER, or one block
 * of PEM (RFC 7468) with any text around it.  Blocks while reading.  Any thread.
 */
#ifndef CTL_CRL_FILE_H
#define CTL_CRL_FILE_H

#include "jitr/core/base.h"

#define CRL_FILE_BYTES_MAX ((size_t)128 << 20) /* limit for a list in DER, as in the plugin */

/* Size of a part in bytes.  Its base64 has 460 000 characters, which keeps a request
 * below 480 KiB, and is padded only in the last part. */
#define CRL_PART_SIZE ((size_t)345000)

struct crl_file;

/* given: file://path, fileb://path, a plain path, or PEM text.  NULL: *d has the
 * reason. */
MUST_USE struct crl_file *crl_file_open(const char *given, struct diag *d);
void crl_file_close(struct crl_file *f); /* NULL is fine */

size_t crl_file_parts(const struct crl_file *f); /* at least 1 */

/* The nth part, from 0, as base64; release with free().  NULL: out of memory. */
MUST_USE char *crl_file_part(const struct crl_file *f, size_t nth);

#endif
