/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * unchanged.h - an operation that fails must not change the registry of the world.
 */
#ifndef JITR_TEST_UNCHANGED_H
#define JITR_TEST_UNCHANGED_H

#include <stdio.h>

#include "suite.h"
#include "world.h"

/* A number that changes with the file: a commit without a change writes nothing. */
static inline uint64_t
registry_hash(void)
{
	char path[160];
	uint64_t hash = 14695981039346656037u;
	FILE *f;
	int c;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", world.db_path);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		hash = (hash ^ (uint64_t)c) * 1099511628211u;
	(void)fclose(f);
	return hash;
}

/* Commits t, which must have changed nothing since before, and begins it again. */
static inline void
assert_nothing_put(struct txn *t, uint64_t before)
{
	ck_assert_int_eq(t->failed, ERR_OK);
	world_commit(t);
	ck_assert(registry_hash() == before);
	world_change(t);
}

#endif
