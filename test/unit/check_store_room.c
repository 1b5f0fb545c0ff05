/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_room.c - a full map, the reserve for deletions, and a full disk.
 */
#define _GNU_SOURCE /* unshare() */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "census.h"
#include "child.h"
#include "records.h"
#include "stores.h"

START_TEST(a_full_map_is_reported_and_the_store_continues)
{
	struct diag diag;
	struct store *s;
	struct txn t;
	size_t count;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	put_certs(s, 0, 50);
	for (int round = 0; round < 3; round++) {
		t = writing(s);
		for (uint32_t n = 100; n < 2000; n++)
			put_cert_number(&t, n);
		ck_assert_int_eq(t.failed, ERR_STORAGE);
		ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
		assert_consistent(s, 2000);
		put_certs(s, 50 + (uint32_t)round, 1);
	}
	t = reading(s);
	count = count_certs(&t, 2000);
	store_end(&t);
	ck_assert_uint_eq(count, 53);
	store_close(s);
}
END_TEST

/* Puts certificates until none fits, in large transactions first, then one by one.  Returns
 * how many were put. */
static uint32_t
fill_up(struct store *s)
{
	uint32_t n = 0;

	for (uint32_t batch = 32; batch > 0; batch /= 2) {
		struct txn t;

		for (;;) {
			t = writing(s);
			for (uint32_t i = 0; i < batch; i++)
				put_cert_number(&t, n + i);
			if (store_commit(&t) != ERR_OK)
				break;
			n += batch;
		}
		ck_assert_int_eq(t.failed, ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
	}
	return n;
}

static struct txn
taking_away(struct store *s)
{
	struct txn t = writing(s);

	store_use_reserve(&t);
	return t;
}

static const size_t full_maps[] = { 1, 2, 4, 8 };

static enum err
set_status(struct store *s, uint32_t n, enum cert_status status, const struct cert_note *note)
{
	struct txn t = taking_away(s);
	struct cert cert = cert_number(n);

	cert.status = status;
	store_put_cert(&t, &cert, NULL);
	if (note != NULL)
		store_put_cert_note(&t, &cert.id, note);
	return store_commit(&t);
}

/* LMDB copies a page before it deletes from it, so a deletion needs free pages: the reserve.
 * All certificates are deactivated; as many as fit are revoked, with a note, which must leave
 * enough for the next step; all are deleted; the freed pages are used again. */
START_TEST(a_full_map_can_be_emptied)
{
	struct cert_note note = { .time = 1, .text = view_of("on the revocation list of its CA") };
	uint32_t count, n = 0;
	struct diag diag;
	struct store *s;

	ck_assert_int_eq(open_with(new_dir(), full_maps[_i] << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (uint32_t i = 0; i < count; i++)
		ck_assert_msg(set_status(s, i, CERT_INACTIVE, NULL) == ERR_OK,
		    "%zu MiB, deactivating %u of %u: %s", full_maps[_i], i, count,
		    store_failure(s));
	while (n < count && set_status(s, n, CERT_REVOKED, &note) == ERR_OK)
		n++;
	ck_assert_msg(n >= count / 10, "revoked %u of %u", n, count);
	for (uint32_t i = 0; i < count; i++) {
		struct txn t = taking_away(s);
		struct certid id = id_number(i);

		store_delete_cert(&t, &id);
		ck_assert_msg(store_commit(&t) == ERR_OK, "%zu MiB, deleting %u of %u: %s",
		    full_maps[_i], i, count, store_failure(s));
	}
	put_certs(s, 0, count / 2);
	assert_consistent(s, count);
	store_close(s);
}
END_TEST

/* No change before it has freed pages. */
START_TEST(a_deletion_can_be_the_first_change_to_a_full_map)
{
	struct diag diag;
	struct store *s;
	uint32_t count;

	ck_assert_int_eq(open_with(new_dir(), full_maps[_i] << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (uint32_t n = count; n-- > 0;) {
		struct txn t = taking_away(s);
		struct certid id = id_number(n);

		store_delete_cert(&t, &id);
		ck_assert_msg(store_commit(&t) == ERR_OK, "%zu MiB, %u: %s", full_maps[_i], n,
		    store_failure(s));
	}
	store_close(s);
}
END_TEST

/* A transaction that deletes and adds, in either order, fails as one that only adds does. */
START_TEST(additions_cannot_use_the_reserve)
{
	struct diag diag;
	struct store *s;
	uint32_t count;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (int first = 0; first < 2; first++) {
		struct txn t = writing(s);

		for (int step = 0; step < 2; step++) {
			if (step > 0)
				store_next_step(&t);
			if (step == first)
				put_cert_number(&t, count);
			else
				store_use_reserve(&t);
		}
		ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
	}
	assert_consistent(s, count);
	store_close(s);
}
END_TEST

START_TEST(a_full_map_accepts_changes_that_add_nothing)
{
	struct certid id = id_number(0);
	struct diag diag;
	struct store *s;
	struct txn t;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	(void)fill_up(s);
	for (int round = 0; round < 20; round++) {
		struct cert cert;

		t = writing(s);
		ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
		cert.version++;
		store_put_cert(&t, &cert, NULL);
		commit(&t);
	}
	store_close(s);
}
END_TEST

/* Mounts a tmpfs in a mount namespace of its own.  False where this is not permitted. */
static bool
mount_small(const char *dir, const char *options, const char *what)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", dir, "tmpfs", 0, options) == 0)
		return true;
	(void)printf("skipped: %s: mounting needs root (%s)\n", what, strerror(errno));
	return false;
}

START_TEST(a_full_disk_is_reported_and_the_store_continues)
{
	const char *dir = new_dir();
	uint32_t n = 0;
	struct store *s;
	struct txn t;

	if (!mount_small(dir, "size=1m", "a full disk"))
		return;
	s = open_store(dir);
	do {
		t = writing(s);
		for (uint32_t end_of_batch = n + 20; n < end_of_batch; n++)
			put_cert_number(&t, n);
	} while (store_commit(&t) == ERR_OK);
	ck_assert_int_eq(t.failed, ERR_STORAGE);
	ck_assert_msg(strstr(store_failure(s), "disk is full") != NULL ||
		strcmp(store_failure(s), strerror(ENOSPC)) == 0,
	    "%s", store_failure(s));
	assert_consistent(s, n);
	ck_assert(!store_changed_elsewhere(s));

	ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=4m"), 0);
	child_run("put", dir, "0"); /* with the number of the commit that failed */
	ck_assert(store_changed_elsewhere(s));
	put_certs(s, n, 20);
	assert_consistent(s, n + 20);
	store_close(s);
	store_close(s = open_store(dir));
}
END_TEST

/* LMDB writes its lock file through a map: on a disk that is full from the start this must
 * be an error, not a SIGBUS.  Each step frees one more block. */
START_TEST(opening_on_a_full_disk_fails_with_the_reason)
{
	const char *dir = new_dir();
	struct diag diag;
	struct store *s;
	int attempt = 0, fd;

	if (!mount_small(dir, "size=4m", "a disk that is full from the start"))
		return;
	fd = open(path_in(dir, "filler"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (off_t size = 4 << 20; posix_fallocate(fd, 0, size) != 0; size -= 4096)
		ck_assert_int_gt(size, 0);
	while (open_with(dir, MAP_SIZE, true, &s, &diag) != ERR_OK) {
		off_t size = lseek(fd, 0, SEEK_END);

		ck_assert_msg(strstr(diag.text, "no space left") != NULL ||
			strstr(diag.text, "the disk is full") != NULL,
		    "%s", diag.text);
		ck_assert_int_eq(ftruncate(fd, size - 4096), 0);
		ck_assert_int_lt(++attempt, 40);
	}
	ck_assert_int_gt(attempt, 3);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	put_certs(s, 0, 1);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

START_TEST(a_read_only_file_system_is_reported)
{
	char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	if (!mount_small(dir, "size=1m", "a read-only file system"))
		return;
	store_close(open_store(dir));
	ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_refused(dir, false, "read-only file system");
	assert_refused(dir, true, "read-only file system");
	assert_refused(path_in(dir, "below"), true, "read-only file system");
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_room");
	TCase *t = stores_case(suite, "map");

	tcase_add_test(t, a_full_map_is_reported_and_the_store_continues);
	tcase_add_loop_test(t, a_full_map_can_be_emptied, 0, COUNT_OF(full_maps));
	tcase_add_loop_test(t, a_deletion_can_be_the_first_change_to_a_full_map, 0,
	    COUNT_OF(full_maps));
	tcase_add_test(t, additions_cannot_use_the_reserve);
	tcase_add_test(t, a_full_map_accepts_changes_that_add_nothing);

	t = stores_case(suite, "disk");
	tcase_add_test(t, a_full_disk_is_reported_and_the_store_continues);
	tcase_add_test(t, opening_on_a_full_disk_fails_with_the_reason);
	tcase_add_test(t, a_read_only_file_system_is_reported);
	return stores_main(suite, argc, argv);
}
