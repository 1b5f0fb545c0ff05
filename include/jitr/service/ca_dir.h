/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_dir.h - registered CAs mirrored into the listener's capath.
 *
 * OpenSSL looks an issuer up as <subject hash>.<n> at each handshake, so a
 * file that appears is trusted at once, without restart or signal (mosquitto
 * section 9.1).  The files are written aside and renamed: no reader sees half of one.
 *
 * Only files whose first line says that they are ours are ever touched.  One
 * stays while its CA is registered, active or not, and afterwards while
 * certificates registered under it exist: those go on working (aws-iot A.2.5)
 * and the gate, not TLS, decides which devices get in.
 *
 * Writer thread, or before it starts.
 */
#ifndef JITR_CA_DIR_H
#define JITR_CA_DIR_H

#include "jitr/adapter/store.h"

/* Make the directory equal to the registry.  ERR_STORAGE and *diag: which
 * file, why; the others are done all the same. */
MUST_USE enum err ca_dir_sync(const char *path, struct store *s, struct diag *diag);

#endif
