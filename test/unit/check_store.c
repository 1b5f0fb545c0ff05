/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store.c - transactions of one process and of several, and messages.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "census.h"
#include "child.h"
#include "records.h"
#include "stores.h"

START_TEST(missing_records_are_not_found)
{
	struct store *s = open_store(new_dir());
	struct txn t = reading(s);
	struct certid id = id_number(1);
	struct cert_document cert_document;
	struct ca_document ca_document;
	char code[REGISTRATION_CODE_SIZE];
	struct message m;
	struct cert cert;
	struct ca ca;
	bool has = true;

	ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_cert_document(&t, &id, &cert_document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_document(&t, &id, &ca_document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_find_issuer(&t, 0, 0, &ca), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, UINT64_MAX, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_has_cert_of(&t, &id, &has), ERR_OK);
	ck_assert(!has);
	store_end(&t);
	store_end(&t);

	t = writing(s);
	store_delete_cert(&t, &id);
	store_delete_ca(&t, &id);
	store_delete_registration_code(&t);
	store_drop_messages(&t, UINT64_MAX);
	commit(&t);
	store_close(s);
}
END_TEST

START_TEST(changes_without_a_commit_are_dropped)
{
	struct store *s = open_store(new_dir());
	struct txn t = writing(s);

	put_cert_number(&t, 1);
	put_ca_number(&t, 1);
	store_end(&t);
	store_end(&t);
	assert_consistent(s, 10);
	t = reading(s);
	ck_assert_uint_eq(count_certs(&t, 10), 0);
	ck_assert_int_eq(store_commit(&t), ERR_OK);
	store_close(s);
}
END_TEST

START_TEST(a_transaction_knows_whether_it_changed_anything)
{
	struct store *s = open_store(new_dir());
	struct cert missing = cert_number(7);
	struct txn t = writing(s);

	store_delete_cert(&t, &missing.id);
	commit(&t);
	ck_assert(!store_changed(s));
	put_certs(s, 0, 1);
	ck_assert(store_changed(s));
	t = writing(s);
	ck_assert(!store_changed(s));
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(the_first_failure_of_a_transaction_sticks)
{
	struct store *s = open_store(new_dir());
	struct cert impossible = cert_number(2);
	struct txn t = writing(s);

	impossible.created = -1;
	put_cert_number(&t, 1);
	store_put_cert(&t, &impossible, NULL);
	ck_assert_int_eq(t.failed, ERR_STORAGE);
	put_cert_number(&t, 3);
	put_ca_number(&t, 3);
	store_delete_cert(&t, &impossible.id);
	store_post(&t, view_of(""), view_of(""));
	store_drop_messages(&t, 1);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_str_eq(store_failure(s), "a certificate that cannot be encoded");
	ck_assert_uint_eq(last_message(s), 0);
	t = reading(s);
	ck_assert_uint_eq(count_certs(&t, 10), 0);
	store_end(&t);
	put_certs(s, 0, 5);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

START_TEST(messages_are_read_in_the_order_they_were_posted)
{
	struct store *s = open_store(new_dir());
	struct message m = { .seq = 0 };
	struct txn t = writing(s);

	store_post(&t, view_of("one"), view_of("1"));
	store_post(&t, view_of("two"), view_of(""));
	commit(&t);
	post(s, "three", "3");
	t = reading(s);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 1);
	assert_view(m.topic, "one");
	assert_view(m.payload, "1");
	ck_assert_int_eq(store_next_message(&t, 1, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 2);
	assert_view(m.payload, "");
	ck_assert_int_eq(store_next_message(&t, 2, &m), ERR_OK);
	assert_view(m.topic, "three");
	ck_assert_int_eq(store_next_message(&t, 3, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, UINT64_MAX, &m), ERR_NOT_FOUND);
	store_end(&t);
	drop(s, 2);
	t = reading(s);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 3);
	store_end(&t);
	store_close(s);
}
END_TEST

/* A reader remembers the last number it has seen (store.h). */
START_TEST(a_message_number_is_never_used_twice)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	for (uint64_t round = 1; round <= 5; round++) {
		post(s, "topic", "payload");
		ck_assert_uint_eq(last_message(s), round);
		drop(s, round % 2 == 0 ? round : UINT64_MAX);
		ck_assert_uint_eq(last_message(s), 0);
		store_close(s);
		s = open_store(dir);
	}
	t = writing(s);
	store_post(&t, view_of("dropped"), view_of("with its transaction"));
	store_end(&t);
	post(s, "topic", "payload");
	ck_assert_uint_eq(last_message(s), 6);
	store_close(s);
}
END_TEST

static void *
put_ten(void *store)
{
	put_certs(store, 0, 10);
	return NULL;
}

/* The broker may call the plugin from within a call of the plugin: the inner transaction
 * sees the present state, the outer one still sees its own. */
START_TEST(an_inner_reader_sees_commits_that_the_outer_one_does_not)
{
	struct store *s = open_store(new_dir());
	struct txn outer = reading(s), inner, third;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, put_ten, s), 0);
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	inner = reading(s);
	ck_assert_uint_eq(count_certs(&outer, 20), 0);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	put_certs(s, 10, 5);
	store_end(&outer);
	third = reading(s);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	ck_assert_uint_eq(count_certs(&third, 20), 15);
	store_end(&third);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	store_end(&inner);
	outer = reading(s);
	ck_assert_uint_eq(count_certs(&outer, 20), 15);
	store_end(&outer);
	store_close(s);
}
END_TEST

struct pair_writer {
	struct store *store;
	atomic_bool done;
};

/* The versions of two certificates are always committed together.  A reader that begins
 * during a commit may see it early (LMDB 0.9 takes the newest page of that parity), and the
 * next reader not yet: the version may go back by one. */
static void *
write_pairs(void *argument)
{
	struct pair_writer *w = argument;
	struct cert a = cert_number(1), b = cert_number(2);

	for (uint32_t version = 1; version <= 200; version++) {
		struct txn t = writing(w->store);

		a.version = b.version = version;
		store_put_cert(&t, &a, NULL);
		store_put_cert(&t, &b, NULL);
		commit(&t);
	}
	atomic_store(&w->done, true);
	return NULL;
}

START_TEST(readers_never_see_half_a_transaction)
{
	struct pair_writer w = { .store = open_store(new_dir()) };
	struct certid first = id_number(1), second = id_number(2);
	struct cert a = { .version = 0 }, b = { .version = 0 };
	uint32_t last = 0;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_pairs, &w), 0);
	while (!atomic_load(&w.done)) {
		struct txn t = reading(w.store);
		enum err e = store_get_cert(&t, &first, &a);

		ck_assert_int_eq(store_get_cert(&t, &second, &b), e);
		store_end(&t);
		ck_assert_uint_eq(a.version, b.version);
		ck_assert_uint_ge(a.version + 1, last);
		last = a.version;
		ck_assert(!store_changed_elsewhere(w.store));
	}
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	store_close(w.store);
}
END_TEST

START_TEST(too_many_readers_are_a_temporary_error)
{
	struct store *s = open_store(new_dir());
	struct txn t[200];
	size_t count = 0;

	while (count < COUNT_OF(t) && store_read(s, &t[count]) == ERR_OK)
		count++;
	ck_assert_uint_gt(count, 100);
	ck_assert_uint_lt(count, COUNT_OF(t));
	ck_assert_int_eq(t[count].failed, ERR_STORAGE);
	store_end(&t[count]);
	store_end(&t[0]); /* the reusable transaction keeps its slot */
	t[0] = reading(s);
	while (count > 0)
		store_end(&t[--count]);
	t[0] = reading(s);
	t[1] = reading(s);
	store_end(&t[0]);
	store_end(&t[1]);
	store_close(s);
}
END_TEST

START_TEST(reader_slots_of_a_killed_process_are_reused)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct child other = child_start("read", dir, NULL);
	struct txn t, inner;

	child_wait(&other);
	t = reading(s);
	ck_assert_int_eq(store_read(s, &inner), ERR_STORAGE);
	child_kill(&other);
	inner = reading(s);
	store_end(&inner);
	store_end(&t);
	put_certs(s, 0, 5);
	store_close(s);
}
END_TEST

START_TEST(a_commit_of_another_process_is_detected)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	ck_assert(!store_changed_elsewhere(s));
	put_certs(s, 0, 1);
	ck_assert(!store_changed_elsewhere(s));
	child_run("put", dir, "1");
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));
	put_certs(s, 2, 1);
	ck_assert(!store_changed_elsewhere(s));

	child_run("put", dir, "3"); /* followed by a commit of our own before the check */
	put_certs(s, 4, 1);
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));

	child_run("put", dir, "5"); /* two commits, the first of them reported */
	ck_assert(store_changed_elsewhere(s));
	child_run("put", dir, "6");
	put_certs(s, 7, 1);
	put_certs(s, 8, 1);
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));

	t = writing(s); /* nothing to commit: the other process uses the transaction's number */
	commit(&t);
	child_run("put", dir, "9");
	ck_assert(store_changed_elsewhere(s));

	t = writing(s);
	put_cert_number(&t, 10);
	store_end(&t);
	ck_assert(!store_changed_elsewhere(s));
	child_run("put", dir, "10");
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));
	assert_consistent(s, 20);
	store_close(s);
}
END_TEST

/* The writer is killed at a random moment, most often during a commit.  The batches that it
 * reported are there; of the last one all or nothing.  In every second round this process has
 * the registry open too, and writes after the kill: the other may have held LMDB's lock. */
START_TEST(a_killed_writer_leaves_a_consistent_registry)
{
	const char *dir = new_dir();
	uint64_t state = 0x2545f4914f6cdd1d, committed = 0;
	char seed[32], byte;

	for (int round = 0; round < 16; round++) {
		struct store *s = round % 2 == 0 ? open_store(dir) : NULL;
		struct child c;

		(void)snprintf(seed, sizeof(seed), "%u", random_number(&state) | 1);
		c = child_start("churn", dir, seed);
		for (uint32_t n = random_number(&state) % 25; n > 0; n--, committed++)
			ck_assert_int_eq(read(c.out, &byte, 1), 1);
		spin(random_number(&state) % 4000);
		child_kill(&c);
		if (s == NULL)
			s = open_store(dir);
		ck_assert_uint_ge(last_message(s), committed);
		assert_consistent(s, CHURN_CERTS);
		assert_all_on_the_schedule(s, CHURN_CERTS);
		post(s, "after", "it");
		committed = last_message(s);
		store_close(s);
	}
	ck_assert_uint_gt(committed, 20);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store");
	TCase *t = stores_case(suite, "transactions");

	tcase_add_test(t, missing_records_are_not_found);
	tcase_add_test(t, changes_without_a_commit_are_dropped);
	tcase_add_test(t, a_transaction_knows_whether_it_changed_anything);
	tcase_add_test(t, the_first_failure_of_a_transaction_sticks);

	t = stores_case(suite, "messages");
	tcase_add_test(t, messages_are_read_in_the_order_they_were_posted);
	tcase_add_test(t, a_message_number_is_never_used_twice);

	t = stores_case(suite, "readers");
	tcase_add_test(t, an_inner_reader_sees_commits_that_the_outer_one_does_not);
	tcase_add_test(t, readers_never_see_half_a_transaction);
	tcase_add_test(t, too_many_readers_are_a_temporary_error);
	tcase_add_test(t, reader_slots_of_a_killed_process_are_reused);

	t = stores_case(suite, "processes");
	tcase_add_test(t, a_commit_of_another_process_is_detected);
	tcase_add_test(t, a_killed_writer_leaves_a_consistent_registry);
	return stores_main(suite, argc, argv);
}
