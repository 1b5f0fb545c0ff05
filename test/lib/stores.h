/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * stores.h - registries in temporary directories, for the tests of the store.
 *
 * stores_main() is the end of such a program: it makes the directory that holds all
 * others, runs the suite or a role of child.h, and removes the directory.  A failure of
 * any function here fails the test.
 */
#ifndef JITR_TEST_STORES_H
#define JITR_TEST_STORES_H

#include <check.h>
#include <lmdb.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "jitr/adapter/store.h"

#define CREATED   1502379443476 /* 2017-08-10 15:37:23.476 UTC */
#define MAP_SIZE  ((size_t)1 << 30)
#define PATH_ROOM 256

int stores_main(Suite *suite, int argc, char **argv);
TCase *stores_case(Suite *suite, const char *name);

/* An empty directory.  The text is valid until the next call. */
const char *new_dir(void);
/* The directory that new_dir() makes its own in. */
const char *base_dir(void);
/* The path of a file in a directory, valid until the next call. */
const char *path_in(const char *dir, const char *name);
void write_file(const char *path, const char *text, size_t times);

enum err open_with(const char *dir, size_t map_size, bool exclusive, struct store **s,
    struct diag *diag);
struct store *open_store(const char *dir);
/* store_open() fails; its text begins with the path and contains words. */
void assert_refused(const char *dir, bool exclusive, const char *words);
/* It fails twice while no file may grow beyond size bytes. */
void assert_refused_with_room(const char *dir, rlim_t size);

struct txn reading(struct store *s);
struct txn writing(struct store *s);
void commit(struct txn *t);

void post(struct store *s, const char *topic, const char *payload);
void drop(struct store *s, uint64_t up_to);
uint64_t last_message(struct store *s); /* its number; 0: there is none */

/* A closed registry, by LMDB's own functions or byte by byte. */
MDB_txn *raw_begin(const char *dir, MDB_env **env);
MDB_val raw(const void *bytes, size_t len);
void raw_put(const char *dir, const char *table, struct view key, const char *text);
void patch_database(const char *dir, struct view from, struct view to); /* wherever from is */

#endif
