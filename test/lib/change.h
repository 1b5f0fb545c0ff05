/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * change.h - changes to the registry by hand, one transaction after another: one has always
 * begun, `t`.
 *
 * change_open() and change_close() are a checked fixture, with that of the world.
 */
#ifndef JITR_TEST_CHANGE_H
#define JITR_TEST_CHANGE_H

#include <check.h>

#include "world.h"

static struct txn t;

static inline void
change_open(void)
{
	world_open();
	world_change(&t);
}

static inline void
change_close(void)
{
	store_end(&t);
	world_close();
}

/* Commits the changes and begins the next transaction. */
static inline void
commit(void)
{
	world_commit(&t);
	world_change(&t);
}

/* As world_put_*(), which use a transaction of their own. */
static inline void
put_cert_of(const struct pki_cert *ca, const struct pki_cert *c, enum cert_status status)
{
	store_end(&t);
	world_put_cert(c, ca, status);
	world_change(&t);
}

/* One at a time. */
static inline const struct cert *
get_cert(const struct pki_cert *c)
{
	static struct cert cert;
	struct certid id = world_id(c);

	ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
	return &cert;
}

static inline bool
has_cert(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct cert cert;
	enum err e = store_get_cert(&t, &id, &cert);

	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

#endif
