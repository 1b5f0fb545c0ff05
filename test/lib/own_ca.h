/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * own_ca.h - a CA with its key in a file, as --ca-key takes it.
 */
#ifndef JITR_TEST_OWN_CA_H
#define JITR_TEST_OWN_CA_H

#include <openssl/x509.h>
#include <stdbool.h>

/* with_id: with a subjectKeyIdentifier.  digest NULL for the Edwards curves. */
X509 *new_ca(EVP_PKEY *key, const EVP_MD *digest, bool with_id);
char *pem_of(X509 *x); /* the caller frees it */
/* Without a passphrase if NULL. */
void write_key(const char *name, EVP_PKEY *key, const char *passphrase);

#endif
