/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * old_schema.h - registries of schemas 1 to 4, written row by row with LMDB's functions as
 * those versions wrote them.
 */
#ifndef JITR_TEST_OLD_SCHEMA_H
#define JITR_TEST_OLD_SCHEMA_H

#include "jitr/adapter/store.h"

#define OLD_SCHEMA_LAST 4

struct old_cert {
	struct cert cert;
	struct view der; /* valid until the next one is made */
	bool announced;  /* its expiry */
};

/* A new registry with these certificates. */
void old_schema_make(const char *dir, unsigned schema, uint32_t count,
    struct old_cert (*cert)(uint32_t n));

/* The number in meta. */
unsigned old_number_of(const char *dir);

/* The number in meta; the tables must be those of that schema, and no others. */
unsigned old_schema_of(const char *dir);

#endif
