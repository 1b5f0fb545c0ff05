/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * log_file.h - the file with one JSON object per line.
 *
 * Writing may wait for a disk.  The registrar's thread; logs nothing.
 */
#ifndef JITR_LOG_FILE_H
#define JITR_LOG_FILE_H

#include <stddef.h>

#include "jitr/core/base.h"

struct log_file;

/* For appending; made if it is missing.  path is borrowed.  ERR_STORAGE and *diag: it cannot be
 * opened. */
MUST_USE enum err log_file_open(const char *path, struct log_file **out, struct diag *diag);
void log_file_close(struct log_file *f); /* NULL is fine */

/* Appends the bytes from *written on and moves it forward, so that a second call goes on where
 * the first one failed.  0, or errno. */
MUST_USE int log_file_append(struct log_file *f, const char *text, size_t len, size_t *written);

/* Opens the path again after logrotate has renamed the file.  0, or errno: the file that was
 * open stays open. */
MUST_USE int log_file_reopen(struct log_file *f);

const char *log_file_path(const struct log_file *f);

#endif
