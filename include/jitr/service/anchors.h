/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * anchors.h - the registered CAs as trust anchors of TLS handshakes (trust.h).
 *
 * All registered CAs, ACTIVE or not, as in the listeners' capath (ca_dir.h): after the
 * handshake the gate decides whether a client may connect.  Broker thread.
 */
#ifndef JITR_ANCHORS_H
#define JITR_ANCHORS_H

#include "jitr/adapter/store.h"
#include "jitr/adapter/trust.h"

struct anchors;

/* The store is borrowed. */
MUST_USE enum err anchors_open(struct store *store, struct anchors **out);
void anchors_close(struct anchors *a); /* NULL is fine */

/* A trust_finder; the context is a struct anchors.  Reads the last commit. */
size_t anchors_find(void *context, uint32_t subject_hash, struct x509_st **found, size_t max);

#endif
