/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * damage.h - damaged rows in the world's registry, written with LMDB's functions while it is
 * closed.
 */
#ifndef JITR_TEST_DAMAGE_H
#define JITR_TEST_DAMAGE_H

#include <lmdb.h>

#include "suite.h"
#include "world.h"

#include "jitr/adapter/store.h"

/* Commits the present change and begins a new one. value NULL deletes the row; of a key that may
 * have several rows, one more is put. */
static inline void
damage(struct txn *t, const char *table, const void *key, size_t key_len, const char *value,
    size_t len)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v = { len, (void *)(uintptr_t)value };
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	world_commit(t);
	store_close(world.store);
	world.store = NULL;
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(env, 32), 0);
	ck_assert_int_eq(mdb_env_open(env, world.db_path, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, table, 0, &dbi), 0);
	if (value != NULL)
		ck_assert_int_eq(mdb_put(txn, dbi, &k, &v, 0), 0);
	else
		ck_assert_int_eq(mdb_del(txn, dbi, &k, NULL), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	world_reopen_store();
	world_change(t);
}

#endif
