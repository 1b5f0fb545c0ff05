/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_session.c - clients, connected or left, and their certificates (session.h).
 *
 * A broker reuses the addresses of clients that left: a session must never be taken for
 * that of another client.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/adapter/x509.h"
#include "pki.h"
#include "jitr/service/session.h"
#include "suite.h"

static struct sessions sessions;
static struct policy_cache policies;
static struct pki_cert *ca, *first, *second;
static struct certid first_id, second_id;

/* Addresses of clients. */
static char clients[3000];

/* The broker's texts of their client ids. */
static char names[COUNT_OF(clients) + 1];

static struct certid
id_of(const struct pki_cert *c)
{
	struct presented p;

	ck_assert_int_eq(x509_read(c->x, &p), ERR_OK);
	return p.id;
}

static void
set_up(void)
{
	memset(&sessions, 0, sizeof(sessions));
	memset(&policies, 0, sizeof(policies));
	sessions.policies = &policies;
	ca = pki_ca("Test CA");
	first = pki_device(ca, "first");
	second = pki_device(ca, "second");
	first_id = id_of(first);
	second_id = id_of(second);
}

static void
tear_down(void)
{
	sessions_clear(&sessions);
	pki_free(first);
	pki_free(second);
	pki_free(ca);
}

static struct session *
add(int client, const struct pki_cert *c, const struct certid *id)
{
	struct connection connection = { &clients[client], c != NULL ? c->x : NULL, &names[client],
		"192.0.2.1", "u1" };
	struct session *s = session_add(&sessions, &connection, id);

	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(a_session_is_found_by_client_and_certificate)
{
	struct session *s = add(0, first, &first_id);

	ck_assert_ptr_eq(session_find(&sessions, &clients[0], first->x), s);
	ck_assert_ptr_null(session_find(&sessions, &clients[1], first->x));
	ck_assert_ptr_null(session_find(&sessions, &clients[0], second->x));
	session_remove(&sessions, &clients[0]);
	session_remove(&sessions, &clients[0]); /* no session: fine */
	ck_assert_ptr_null(session_find(&sessions, &clients[0], first->x));
	ck_assert_ptr_null(principal_find(&sessions, &first_id));
}
END_TEST

/* While it is held, no other certificate can be given its address. */
START_TEST(the_certificate_is_held)
{
	struct x509_st *x = first->x;
	struct session *s = add(0, first, &first_id);
	struct presented p;

	pki_free(first);
	first = NULL;
	ck_assert_ptr_eq(s->x, x);
	ck_assert_int_eq(x509_read(s->x, &p), ERR_OK);
	ck_assert(certid_equal(&p.id, &first_id));
}
END_TEST

START_TEST(a_client_that_comes_again_replaces_itself)
{
	add(0, first, &first_id);
	add(0, second, &second_id);
	ck_assert_ptr_null(session_find(&sessions, &clients[0], first->x));
	ck_assert_ptr_nonnull(session_find(&sessions, &clients[0], second->x));
	ck_assert_ptr_null(principal_find(&sessions, &first_id));
	add(0, second, &second_id); /* with the same certificate, too */
	ck_assert_ptr_null(principal_find(&sessions, &second_id)->sessions->next);
}
END_TEST

START_TEST(the_sessions_of_one_certificate_share_its_principal)
{
	struct principal *p = add(0, first, &first_id)->principal;

	ck_assert_ptr_eq(add(1, first, &first_id)->principal, p);
	ck_assert_ptr_ne(add(2, second, &second_id)->principal, p);
	ck_assert_ptr_eq(principal_find(&sessions, &first_id), p);
	session_remove(&sessions, &clients[0]);
	ck_assert_ptr_eq(principal_find(&sessions, &first_id), p);
	session_remove(&sessions, &clients[1]);
	ck_assert_ptr_null(principal_find(&sessions, &first_id));
	ck_assert_ptr_nonnull(principal_find(&sessions, &second_id));
}
END_TEST

START_TEST(a_new_principal_is_denied)
{
	struct principal *p = add(0, first, &first_id)->principal;

	ck_assert_int_eq(p->verdict, VERDICT_DENY);
	ck_assert_int_eq(p->closing, PRINCIPAL_STAYS);
}
END_TEST

START_TEST(a_client_of_other_plugins_has_no_principal)
{
	struct session *s = add(0, first, NULL);

	ck_assert_ptr_null(s->principal);
	ck_assert_ptr_null(principal_find(&sessions, &first_id));
}
END_TEST

/*
 * Without a look at the certificate.
 */

START_TEST(a_client_is_known_by_the_texts_the_broker_has_of_it)
{
	struct session *s = add(0, first, &first_id);
	const char *hex = s->principal->hex;
	char copy[CERTID_HEX_SIZE], other[CERTID_HEX_SIZE];

	memcpy(copy, hex, sizeof(copy));
	memcpy(other, hex, sizeof(other));
	other[63] ^= 1; /* as a listener may take it from a certificate */
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[0], other));
	ck_assert_ptr_eq(session_known(&sessions.connected, &clients[0], &names[0], copy), s);
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[1], &names[0], copy));
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[1], copy));
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], NULL, copy));
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[0], NULL));
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[0], other));
	copy[63] ^= 1; /* another text at the address of the freed one */
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[0], copy));
}
END_TEST

START_TEST(a_client_of_other_plugins_is_never_known_by_its_name)
{
	add(0, first, NULL);
	ck_assert_ptr_null(session_known(&sessions.connected, &clients[0], &names[0], "admin"));
}
END_TEST

/*
 * Clients that left.
 */

static struct connection
connection_of(int client, const struct pki_cert *c)
{
	return (struct connection){ &clients[client], c != NULL ? c->x : NULL, &names[client],
		"192.0.2.1", "u1" };
}

static struct session *
leave(int client, enum session_keeps keeps)
{
	struct connection connection = connection_of(client, NULL);
	struct session *s = session_leave(&sessions, &connection, keeps);

	ck_assert_ptr_nonnull(s);
	session_step(s, SESSION_ON_LEAVE);
	return s;
}

START_TEST(a_client_that_left_is_the_same_session_without_its_live_part)
{
	struct connection shown = connection_of(0, first), not_shown = connection_of(0, NULL);
	struct session *s = add(0, first, &first_id);

	session_step(s, SESSION_ON_ACCEPTED);
	ck_assert_ptr_null(session_find_left(&sessions, &shown));
	ck_assert_ptr_eq(leave(0, KEEPS_WILL), s);
	ck_assert_int_eq(s->state, SESSION_LEFT_ADMITTED);
	ck_assert_ptr_null(s->live);
	ck_assert(certid_equal(&s->id, &first_id));
	ck_assert_ptr_null(session_of(&sessions, &clients[0]));
	ck_assert_ptr_null(principal_find(&sessions, &first_id));
	ck_assert_ptr_eq(session_find_left(&sessions, &shown), s);
	ck_assert_ptr_eq(session_find_left(&sessions, &not_shown), s);
	sessions_tick(&sessions);
	ck_assert_int_eq(s->state, SESSION_OFFLINE_WILL);
	ck_assert_ptr_null(session_find_left(&sessions, &shown)); /* another certificate */
	ck_assert_ptr_eq(session_find_left(&sessions, &not_shown), s);
	session_forget_left(&sessions, &clients[0]);
	ck_assert_ptr_null(session_find_left(&sessions, &not_shown));
}
END_TEST

START_TEST(another_client_at_the_address_is_not_the_one_that_left)
{
	struct connection other = connection_of(0, NULL), freed = other;

	add(0, NULL, NULL);
	leave(0, KEEPS_WILL);
	other.user_name = "u2";
	ck_assert_ptr_null(session_find_left(&sessions, &other));
	other.user_name = NULL;
	ck_assert_ptr_null(session_find_left(&sessions, &other));
	other = connection_of(0, second);
	ck_assert_ptr_null(session_find_left(&sessions, &other));
	/* The broker frees its address and its name before the client. */
	freed.address = freed.user_name = NULL;
	ck_assert_ptr_nonnull(session_find_left(&sessions, &freed));
}
END_TEST

START_TEST(of_a_client_that_left_remains_what_the_broker_keeps)
{
	struct connection c[3] = { connection_of(0, NULL), connection_of(1, NULL),
		connection_of(2, NULL) };

	for (int i = 0; i < 3; i++)
		session_step(add(i, first, &first_id), SESSION_ON_ACCEPTED);
	leave(0, KEEPS_NOTHING);
	leave(1, KEEPS_QUEUE);
	leave(2, KEEPS_WILL);
	ck_assert_ptr_nonnull(session_find_left(&sessions, &c[0]));
	sessions_tick(&sessions);
	ck_assert_ptr_null(session_find_left(&sessions, &c[0]));
	ck_assert_int_eq(session_find_left(&sessions, &c[1])->state, SESSION_OFFLINE);
	ck_assert_int_eq(session_find_left(&sessions, &c[2])->state, SESSION_OFFLINE_WILL);
}
END_TEST

START_TEST(a_client_that_was_never_seen_has_no_rights_when_it_left)
{
	ck_assert_int_eq(leave(0, KEEPS_WILL)->state, SESSION_LEFT_UNKNOWN);
}
END_TEST

/* A million offline clients are common (session.h). */
START_TEST(a_session_that_left_is_small)
{
	ck_assert_uint_le(sizeof(struct session), 200);
}
END_TEST

/* What the plugin refused while it was connected is remembered when the same connection
 * authenticates again. */
START_TEST(a_connection_that_is_shut_out_stays_so_when_it_authenticates_again)
{
	struct session *s = add(0, first, &first_id);

	s->shut_out = REASON_NAME_RESERVED;
	s = add(0, first, &first_id);
	ck_assert_int_eq(s->state, SESSION_SHUT_OUT);
	ck_assert_int_eq(add(0, second, &second_id)->state, SESSION_NEW);
}
END_TEST

/*
 * Principals without a session.
 */

START_TEST(an_absent_principal_is_kept_until_it_connects)
{
	struct principal *p = principal_absent(&sessions, &first_id);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_eq(principal_absent(&sessions, &first_id), p);
	ck_assert_ptr_eq(add(0, first, &first_id)->principal, p);
	ck_assert_uint_eq(sessions.absent_count, 0);
	ck_assert_ptr_eq(principal_absent(&sessions, &first_id), p); /* it is there */
	ck_assert_uint_eq(sessions.absent_count, 0);
}
END_TEST

START_TEST(an_absent_principal_is_not_disconnected)
{
	principal_disconnect(&sessions, principal_absent(&sessions, &first_id), REASON_REVOKED);
	ck_assert_ptr_null(principal_next_to_disconnect(&sessions));
}
END_TEST

static struct certid numbered_id(unsigned n);

START_TEST(the_longest_unused_absent_principal_is_replaced)
{
	struct certid id, last = numbered_id(ABSENT_MAX);

	for (unsigned n = 0; n < ABSENT_MAX; n++) {
		id = numbered_id(n);
		must(principal_absent(&sessions, &id) != NULL);
	}
	id = numbered_id(0);
	must(principal_absent(&sessions, &id) != NULL); /* used again */
	must(principal_absent(&sessions, &last) != NULL);
	ck_assert_uint_eq(sessions.absent_count, ABSENT_MAX);
	ck_assert_ptr_nonnull(principal_find(&sessions, &id));
	id = numbered_id(1);
	ck_assert_ptr_null(principal_find(&sessions, &id));
}
END_TEST

/*
 * Disconnecting.
 */

START_TEST(principals_are_disconnected_once_in_order)
{
	struct principal *a = add(0, first, &first_id)->principal;
	struct principal *b = add(1, second, &second_id)->principal;

	principal_disconnect(&sessions, b, REASON_REVOKED);
	principal_disconnect(&sessions, a, REASON_REVOKED);
	principal_disconnect(&sessions, b, REASON_REVOKED);
	ck_assert_ptr_eq(principal_next_to_disconnect(&sessions), b);
	ck_assert_ptr_eq(principal_next_to_disconnect(&sessions), a);
	ck_assert_ptr_null(principal_next_to_disconnect(&sessions));
	principal_disconnect(&sessions, a, REASON_REVOKED); /* and may be again */
	ck_assert_ptr_eq(principal_next_to_disconnect(&sessions), a);
}
END_TEST

/* The sessions to be closed are the first of their principal's list. */
START_TEST(a_session_to_be_closed_comes_first_in_the_list)
{
	struct session *stays = add(0, first, &first_id), *goes = add(1, first, &first_id);
	struct principal *p = stays->principal;

	session_disconnect(&sessions, goes, REASON_REVOKED);
	ck_assert_ptr_eq(p->sessions, goes);
	session_put_last(goes);
	ck_assert_ptr_eq(p->sessions, stays);
	ck_assert_ptr_eq(principal_next_to_disconnect(&sessions), p);
	ck_assert_ptr_null(principal_next_to_disconnect(&sessions));
}
END_TEST

START_TEST(a_client_that_left_is_not_disconnected)
{
	principal_disconnect(&sessions, add(0, first, &first_id)->principal, REASON_REVOKED);
	principal_disconnect(&sessions, add(1, second, &second_id)->principal, REASON_REVOKED);
	session_remove(&sessions, &clients[0]);
	ck_assert_ptr_eq(principal_next_to_disconnect(&sessions),
	    principal_find(&sessions, &second_id));
	ck_assert_ptr_null(principal_next_to_disconnect(&sessions));
}
END_TEST

/*
 * The sweep.
 */

static struct certid
numbered_id(unsigned n)
{
	struct certid id = { { 0 } };

	memcpy(id.b, &n, sizeof(n));
	return id;
}

static unsigned
number_of(const struct session *session)
{
	unsigned n;

	memcpy(&n, session->principal->id.b, sizeof(n));
	return n;
}

static void
add_numbered(unsigned n)
{
	struct certid id = numbered_id(n);

	add((int)n, first, &id);
}

START_TEST(a_sweep_visits_every_session_once)
{
	bool met[COUNT_OF(clients)] = { false };
	struct session *p;
	unsigned count = 0;

	for (unsigned n = 0; n < COUNT_OF(clients); n++)
		add_numbered(n);
	ck_assert_ptr_null(sweep_next(&sessions)); /* none was started */
	sweep_start(&sessions);
	while ((p = sweep_next(&sessions)) != NULL) {
		must(!met[number_of(p)]);
		met[number_of(p)] = true;
		count++;
	}
	ck_assert_uint_eq(count, COUNT_OF(clients));
}
END_TEST

/* A session that leaves is not visited any more, and no other is left out. */
START_TEST(a_sweep_goes_on_when_the_next_one_leaves)
{
	bool met[100] = { false }, left[100] = { false };
	struct session *p;

	for (unsigned n = 0; n < 100; n++)
		add_numbered(n);
	sweep_start(&sessions);
	while ((p = sweep_next(&sessions)) != NULL) {
		struct session *next = sessions.sweep;

		met[number_of(p)] = true;
		if (next != NULL && number_of(next) % 3 == 0) {
			left[number_of(next)] = true;
			session_remove(&sessions, &clients[number_of(next)]);
		}
		session_remove(&sessions, &clients[number_of(p)]); /* this one may go as well */
	}
	for (unsigned n = 0; n < 100; n++)
		ck_assert_int_eq(met[n], !left[n]);
}
END_TEST

/* Policies of a fleet that is being set up change all the time. */
START_TEST(a_sweep_that_is_restarted_often_visits_every_session)
{
	bool met[100] = { false };

	for (unsigned n = 0; n < 100; n++)
		add_numbered(n);
	for (unsigned turn = 0; turn < 25; turn++) {
		sweep_start(&sessions);
		for (unsigned i = 0; i < 4; i++)
			met[number_of(sweep_next(&sessions))] = true;
	}
	for (unsigned n = 0; n < 100; n++)
		ck_assert(met[n]);
}
END_TEST

START_TEST(thousands_of_clients_are_found)
{
	for (unsigned n = 0; n < COUNT_OF(clients); n++)
		add_numbered(n);
	for (unsigned n = 0; n < COUNT_OF(clients); n += 2)
		session_remove(&sessions, &clients[n]);
	for (unsigned n = 0; n < COUNT_OF(clients); n++) {
		struct certid id = numbered_id(n);

		must((session_find(&sessions, &clients[n], first->x) != NULL) == (n % 2 == 1));
		must((principal_find(&sessions, &id) != NULL) == (n % 2 == 1));
	}
	sessions_clear(&sessions);
	ck_assert_ptr_null(session_find(&sessions, &clients[1], first->x));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *t = suite_case(suite, "sessions");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_session_is_found_by_client_and_certificate);
	tcase_add_test(t, the_certificate_is_held);
	tcase_add_test(t, a_client_that_comes_again_replaces_itself);
	tcase_add_test(t, the_sessions_of_one_certificate_share_its_principal);
	tcase_add_test(t, a_new_principal_is_denied);
	tcase_add_test(t, a_client_of_other_plugins_has_no_principal);
	t = suite_case(suite, "known by name, and absent");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_client_is_known_by_the_texts_the_broker_has_of_it);
	tcase_add_test(t, a_client_of_other_plugins_is_never_known_by_its_name);
	tcase_add_test(t, a_client_that_left_is_the_same_session_without_its_live_part);
	tcase_add_test(t, another_client_at_the_address_is_not_the_one_that_left);
	tcase_add_test(t, of_a_client_that_left_remains_what_the_broker_keeps);
	tcase_add_test(t, a_client_that_was_never_seen_has_no_rights_when_it_left);
	tcase_add_test(t, a_session_that_left_is_small);
	tcase_add_test(t, a_connection_that_is_shut_out_stays_so_when_it_authenticates_again);
	tcase_add_test(t, an_absent_principal_is_kept_until_it_connects);
	tcase_add_test(t, an_absent_principal_is_not_disconnected);
	tcase_add_test(t, the_longest_unused_absent_principal_is_replaced);
	t = suite_case(suite, "disconnecting and sweeping");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, principals_are_disconnected_once_in_order);
	tcase_add_test(t, a_session_to_be_closed_comes_first_in_the_list);
	tcase_add_test(t, a_client_that_left_is_not_disconnected);
	tcase_add_test(t, a_sweep_visits_every_session_once);
	tcase_add_test(t, a_sweep_goes_on_when_the_next_one_leaves);
	tcase_add_test(t, a_sweep_that_is_restarted_often_visits_every_session);
	tcase_add_test(t, thousands_of_clients_are_found);
	return suite_run(suite);
}
