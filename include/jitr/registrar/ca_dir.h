/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_dir.h - copies registered CAs into the listener's capath.
 *
 * OpenSSL looks up an issuer as <subject hash>.<n> at each handshake, so that a new file is
 * trusted at once, without restart or signal (mosquitto section 9.1).  A file is written under a
 * temporary name and renamed, so that a reader sees all of it or nothing.
 *
 * Only files that begin with the plugin's mark are changed.  A file stays while its CA is
 * registered, ACTIVE or not, and afterwards while certificates of the CA are registered: they
 * remain valid (aws-iot A.2.5), and the gate, not TLS, decides which devices may connect.
 *
 * In jobs of the writer, and at the start.
 */
#ifndef JITR_CA_DIR_H
#define JITR_CA_DIR_H

#include "jitr/adapter/store.h"

/* Makes the directory equal to the registry.  ERR_STORAGE and *diag: a file could not be
 * changed, and why; the others were. */
MUST_USE enum err ca_dir_sync(const char *path, struct store *s, struct diag *diag);

#endif
