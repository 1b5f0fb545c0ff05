/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link.h - one device's TLS 1.3 connection to the broker, blocking.
 *
 * A link is its thread's; the context may be shared.
 */
#ifndef JITR_BENCH_LINK_H
#define JITR_BENCH_LINK_H

#include "fleet.h"

struct ssl_st;
struct ssl_ctx_st;

struct link {
	int fd;
	struct ssl_st *tls;
};

/* Never resumes a session.  Free with SSL_CTX_free(), or at the end. */
struct ssl_ctx_st *link_context(void);

bool link_dial(struct link *l, int port); /* TCP; false: there is nothing to close */
bool link_handshake(struct link *l, struct ssl_ctx_st *context, const struct device *d);
void link_close(struct link *l);

/* All of it or false. */
bool link_write(struct link *l, const uint8_t *data, size_t len);
bool link_read(struct link *l, uint8_t *data, size_t len);

/* Reads until the broker closes. */
void link_drain(struct link *l);

/* CONNECT; the return code of the CONNACK, -1: no answer, -2: something else. */
int link_connect(struct link *l, const char *client_id);

#endif
