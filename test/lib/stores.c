/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stores.h"

#include "child.h"
#include "suite.h"
#include "tree.h"

#include "jitr/adapter/form.h"
#include "jitr/adapter/x509.h"

static char base[PATH_ROOM / 2];

const char *
base_dir(void)
{
	return base;
}

const char *
path_in(const char *dir, const char *name)
{
	static char path[2 * PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

const char *
new_dir(void)
{
	static char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s/XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

void
write_file(const char *path, const char *text, size_t times)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	while (times-- > 0)
		ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

enum err
open_with(const char *dir, size_t map_size, bool exclusive, struct store **s, struct diag *diag)
{
	struct store_config config = { .path = dir,
		.map_size = map_size,
		.exclusive = exclusive,
		.sha256 = sha256_of,
		.make_form = form_make };

	*s = NULL;
	diag->text[0] = '\0';
	return store_open(&config, s, diag);
}

struct store *
open_store(const char *dir)
{
	struct diag diag;
	struct store *s;

	ck_assert_msg(open_with(dir, MAP_SIZE, false, &s, &diag) == ERR_OK, "%s", diag.text);
	return s;
}

void
assert_refused(const char *dir, bool exclusive, const char *words)
{
	struct diag diag;
	struct store *s;
	enum err e = open_with(dir, MAP_SIZE, exclusive, &s, &diag);

	ck_assert_msg(e == ERR_STORAGE || e == ERR_CORRUPT || e == ERR_BUSY, "opened, or %s",
	    err_text(e));
	ck_assert_ptr_null(s);
	ck_assert_msg(strncmp(diag.text, dir, strlen(dir)) == 0, "no path: %s", diag.text);
	ck_assert_msg(strstr(diag.text, words) != NULL, "not '%s': %s", words, diag.text);
}

void
assert_refused_with_room(const char *dir, rlim_t size)
{
	struct rlimit old, low;

	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_refused(dir, false, "");
	assert_refused(dir, false, "");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
}

struct txn
reading(struct store *s)
{
	struct txn t;

	ck_assert_int_eq(store_read(s, &t), ERR_OK);
	return t;
}

struct txn
writing(struct store *s)
{
	struct txn t;

	ck_assert_msg(store_write(s, &t) == ERR_OK, "%s", store_failure(s));
	return t;
}

void
commit(struct txn *t)
{
	ck_assert_msg(store_commit(t) == ERR_OK, "%s", store_failure(t->store));
}

void
post(struct store *s, const char *topic, const char *payload)
{
	struct txn t = writing(s);

	store_post(&t, view_of(topic), view_of(payload));
	commit(&t);
}

void
drop(struct store *s, uint64_t up_to)
{
	struct txn t = writing(s);

	store_drop_messages(&t, up_to);
	commit(&t);
}

uint64_t
last_message(struct store *s)
{
	struct txn t = reading(s);
	struct message m = { .seq = 0 };

	while (store_next_message(&t, m.seq, &m) == ERR_OK)
		;
	store_end(&t);
	return m.seq;
}

MDB_txn *
raw_begin(const char *dir, MDB_env **env)
{
	MDB_txn *txn;

	ck_assert_int_eq(mdb_env_create(env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(*env, 32), 0);
	ck_assert_int_eq(mdb_env_set_mapsize(*env, MAP_SIZE), 0);
	ck_assert_int_eq(mdb_env_open(*env, dir, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(*env, NULL, 0, &txn), 0);
	return txn;
}

MDB_val
raw(const void *bytes, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)bytes };
}

void
raw_put(const char *dir, const char *table_name, struct view key, const char *text)
{
	MDB_val k = raw(key.data, key.len), v = raw(text, strlen(text));
	MDB_env *env;
	MDB_txn *txn = raw_begin(dir, &env);
	MDB_dbi table;

	ck_assert_int_eq(mdb_dbi_open(txn, table_name, 0, &table), 0);
	ck_assert_int_eq(mdb_put(txn, table, &k, &v, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

void
patch_database(const char *dir, struct view from, struct view to)
{
	int fd = open(path_in(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = malloc((size_t)size);
	size_t patched = 0;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(pread(fd, bytes, (size_t)size, 0), size);
	for (off_t at = 0; at + (off_t)from.len <= size; at++)
		if (memcmp(bytes + at, from.data, from.len) == 0) {
			ck_assert_int_eq(pwrite(fd, to.data, to.len, at), (ssize_t)to.len);
			patched++;
		}
	ck_assert_uint_gt(patched, 0);
	free(bytes);
	(void)close(fd);
}

int
stores_main(Suite *suite, int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	int status;

	if (argc > 2) {
		srunner_free(srunner_create(suite)); /* a leak would change the exit status */
		return child_main(argv[1], argv[2], argv[3]);
	}
	(void)snprintf(base, sizeof(base), "%s/jitr-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(base) == NULL) {
		perror(base);
		return EXIT_FAILURE;
	}
	status = suite_run(suite);
	(void)remove_tree(base);
	return status;
}

TCase *
stores_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_set_timeout(t, 60);
	return t;
}
