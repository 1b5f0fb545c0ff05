/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_trust.c - a listener trusts registered CAs (trust.h): handshakes between a server and
 * a client in this process.
 */
#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "jitr/adapter/trust.h"
#include "jitr/adapter/x509.h"
#include "pki.h"
#include "suite.h"

/* The CAs that the lookup can find, by their names. */
static const struct pki_cert *known[8];
static size_t known_count, times_asked;

static size_t
find(void *context, uint32_t subject_hash, struct x509_st **found, size_t max)
{
	size_t count = 0;

	ck_assert_ptr_eq(context, &known_count);
	times_asked++;
	for (size_t i = 0; i < known_count && count < max; i++) {
		if ((uint32_t)X509_subject_name_hash(known[i]->x) != subject_hash)
			continue;
		found[count++] = known[i]->x;
		X509_up_ref(known[i]->x);
	}
	return count;
}

static void
know(const struct pki_cert *first, const struct pki_cert *second)
{
	known[0] = first;
	known[1] = second;
	known_count = first == NULL ? 0 : second == NULL ? 1 : 2;
}

static enum err
start(bool files_too)
{
	struct trust_config config = { find, &known_count, files_too };

	return trust_start(&config);
}

/*
 * Both ends.
 */

static struct pki_cert *ca, *server_cert, *device;
static SSL_CTX *server, *client;
static SSL_SESSION *session; /* of the client's last handshake */

static int
keep_session(SSL *ssl, SSL_SESSION *s)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

/* As the broker makes the context of a listener with require_certificate. */
static SSL_CTX *
make_server(int verify_mode)
{
	static const unsigned char id[] = "listener";
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(SSL_CTX_use_certificate(context, server_cert->x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, server_cert->key), 1);
	ck_assert_int_eq(SSL_CTX_set_session_id_context(context, id, sizeof(id)), 1);
	SSL_CTX_set_verify(context, verify_mode, NULL);
	return context;
}

#define DEMANDING (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

static void
set_up(void)
{
	know(NULL, NULL);
	times_asked = 0;
	session = NULL;
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	server_cert = pki_make(&(struct pki_options){ .common_name = "localhost" });
	ck_assert_int_eq(start(false), ERR_OK);
	ck_assert_int_eq(x509_trust_partial_chains(), ERR_OK);
	server = make_server(DEMANDING);
	client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client, keep_session);
}

static void
tear_down(void)
{
	trust_stop();
	x509_trust_partial_chains_undo();
	SSL_SESSION_free(session);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	pki_free(server_cert);
	pki_free(device);
	pki_free(ca);
}

static SSL *
make_end(SSL_CTX *context, BIO *bio, const struct pki_cert *cert, const struct pki_cert *chain)
{
	SSL *ssl = SSL_new(context);

	ck_assert_ptr_nonnull(ssl);
	SSL_set_bio(ssl, bio, bio);
	if (cert == NULL) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	ck_assert_int_eq(SSL_use_certificate(ssl, cert->x), 1);
	ck_assert_int_eq(SSL_use_PrivateKey(ssl, cert->key), 1);
	if (chain != NULL)
		ck_assert_int_eq(SSL_add1_chain_cert(ssl, chain->x), 1);
	if (session != NULL)
		ck_assert_int_eq(SSL_set_session(ssl, session), 1);
	return ssl;
}

struct outcome {
	bool accepted, resumed;
	int names; /* of CAs in the CertificateRequest */
	int chain; /* certificates that the server sent */
};

/* One step of a handshake.  As in the broker, any error of OpenSSL ends it. */
static bool
serve(SSL *s, bool *failed)
{
	int rc = SSL_do_handshake(s);

	*failed = *failed || (rc == 1 ? !pki_no_errors() : SSL_get_error(s, rc) == SSL_ERROR_SSL);
	return rc == 1 && !*failed;
}

/* Completes the handshake and reads the session tickets that follow. */
static struct outcome
handshake(SSL_CTX *of_server, const struct pki_cert *cert, const struct pki_cert *chain)
{
	struct outcome out = { .accepted = false };
	bool failed = false;
	BIO *a, *b;
	SSL *s, *c;
	char byte;

	ck_assert_int_eq(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	s = make_end(of_server, a, NULL, NULL);
	c = make_end(client, b, cert, chain);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(c);
		ERR_clear_error();
		if (SSL_get0_peer_CA_list(c) != NULL)
			out.names = sk_X509_NAME_num(SSL_get0_peer_CA_list(c));
		out.accepted = serve(s, &failed);
	}
	out.chain = sk_X509_num(SSL_get_peer_cert_chain(c));
	(void)SSL_read(c, &byte, 1);
	out.resumed = out.accepted && SSL_session_reused(s);
	if (out.accepted) {
		SSL_set_shutdown(c, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_set_shutdown(s, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	}
	SSL_free(s);
	SSL_free(c);
	ERR_clear_error();
	return out;
}

static bool
accepts(const struct pki_cert *cert)
{
	SSL_SESSION_free(session);
	session = NULL;
	return handshake(server, cert, NULL).accepted;
}

/*
 * Trusted CAs.
 */

START_TEST(a_ca_is_trusted_while_the_lookup_finds_it)
{
	for (int i = 0; i < 3; i++) {
		know(NULL, NULL);
		ck_assert(!accepts(device));
		know(ca, NULL);
		ck_assert(accepts(device));
	}
}
END_TEST

START_TEST(a_ca_of_the_same_name_with_another_key_is_not_trusted)
{
	struct pki_cert *impostor = pki_ca("Test CA");
	struct pki_cert *forged = pki_device(impostor, "device-1");

	know(ca, NULL);
	ck_assert(!accepts(forged));
	pki_free(forged);
	pki_free(impostor);
}
END_TEST

/* Without key identifiers only the signature distinguishes them. */
START_TEST(several_cas_of_one_subject_are_distinguished)
{
	enum pki_key_id how = _i == 0 ? PKI_KEY_ID_RIGHT : PKI_KEY_ID_NONE;
	struct pki_options twin = { .common_name = "Twin", .is_ca = true, .key_id = how };
	struct pki_cert *one = pki_make(&twin), *two = pki_make(&twin);
	struct pki_cert *of_one = pki_make(
	    &(struct pki_options){ .common_name = "d1", .issuer = one, .key_id = how });
	struct pki_cert *of_two = pki_make(
	    &(struct pki_options){ .common_name = "d2", .issuer = two, .key_id = how });

	know(one, NULL);
	ck_assert(accepts(of_one) && !accepts(of_two));
	know(one, two);
	ck_assert(accepts(of_one) && accepts(of_two));
	know(two, one);
	ck_assert(accepts(of_one) && accepts(of_two));
	ck_assert(handshake(server, of_two, two).accepted); /* with its root in the chain */
	know(two, NULL);
	ck_assert(!accepts(of_one) && accepts(of_two));
	pki_free(of_two);
	pki_free(of_one);
	pki_free(two);
	pki_free(one);
}
END_TEST

/* A root renewed with the same key: one certificate expired, one valid. */
START_TEST(of_two_cas_with_one_key_the_valid_one_is_used)
{
	struct pki_options old_one = { .common_name = "Renewed",
		.is_ca = true,
		.not_after_days = -1 };
	struct pki_cert *old_ca = pki_make(&old_one);
	struct pki_cert *new_ca = pki_make(
	    &(struct pki_options){ .common_name = "Renewed", .is_ca = true, .key_of = old_ca });
	struct pki_cert *of_both = pki_device(old_ca, "d1");

	know(old_ca, NULL);
	ck_assert(!accepts(of_both));
	know(old_ca, new_ca);
	ck_assert(accepts(of_both));
	know(new_ca, old_ca);
	ck_assert(accepts(of_both));
	pki_free(of_both);
	pki_free(new_ca);
	pki_free(old_ca);
}
END_TEST

START_TEST(a_chain_ends_at_the_registered_ca)
{
	struct pki_cert *middle = pki_make(
	    &(struct pki_options){ .common_name = "Middle", .is_ca = true, .issuer = ca });
	struct pki_cert *below = pki_device(middle, "d1");

	know(ca, NULL);
	ck_assert(!accepts(below));
	ck_assert(handshake(server, below, middle).accepted);
	know(middle, NULL);
	ck_assert(accepts(below));
	ck_assert(handshake(server, below, middle).accepted);
	ck_assert(!accepts(device)); /* not the CAs above it */
	know(NULL, NULL);
	ck_assert(!handshake(server, below, middle).accepted);
	pki_free(below);
	pki_free(middle);
}
END_TEST

/* A client may send any certificates. */
#define LONG_CHAIN 60

static void
make_long_chain(struct pki_cert **chain)
{
	chain[0] = pki_ca("Test CA 0");
	for (int i = 1; i < LONG_CHAIN; i++)
		chain[i] = pki_make(
		    &(struct pki_options){ .common_name = i % 2 == 0 ? "even" : "odd",
			.is_ca = true,
			.issuer = chain[i - 1] });
}

static bool
accepts_below(struct pki_cert **chain, int from, int to)
{
	struct pki_cert *below = pki_device(chain[to], "d1");
	bool accepted;

	for (int i = to; i > from; i--) {
		X509_up_ref(chain[i]->x);
		ck_assert_int_eq(SSL_CTX_add_extra_chain_cert(client, chain[i]->x), 1);
	}
	accepted = accepts(below);
	SSL_CTX_clear_extra_chain_certs(client);
	pki_free(below);
	return accepted;
}

START_TEST(the_length_of_a_chain_is_limited)
{
	struct pki_cert *chain[LONG_CHAIN];

	make_long_chain(chain);
	know(chain[0], NULL);
	ck_assert(accepts_below(chain, 0, TRUST_CHAIN_MAX - 1));
	ck_assert(!accepts_below(chain, 0, TRUST_CHAIN_MAX));
	times_asked = 0;
	ck_assert(!accepts_below(chain, 0, LONG_CHAIN - 1));
	ck_assert_uint_le(times_asked, TRUST_CHAIN_MAX + 1); /* and its last CA by name */
	for (int i = 0; i < LONG_CHAIN; i++)
		pki_free(chain[i]);
}
END_TEST

START_TEST(a_root_sent_by_the_client_is_not_trusted)
{
	ck_assert(!handshake(server, device, ca).accepted);
	know(ca, NULL);
	ck_assert(handshake(server, device, ca).accepted);
}
END_TEST

START_TEST(dates_and_purposes_are_still_checked)
{
	struct pki_cert *expired = pki_make(
	    &(struct pki_options){ .common_name = "d1", .issuer = ca, .not_after_days = -1 });
	struct pki_cert *serving = pki_make(&(struct pki_options){ .common_name = "d2",
	    .issuer = ca,
	    .extensions = { { "extendedKeyUsage", "serverAuth" } } });

	know(ca, NULL);
	ck_assert(!accepts(expired));
	ck_assert(!accepts(serving));
	pki_free(serving);
	pki_free(expired);
}
END_TEST

/* crlfile, with the settings of the broker (mosquitto section 9.3). */
START_TEST(revocation_lists_of_the_listener_are_still_checked)
{
	X509_STORE_set_flags(SSL_CTX_get_cert_store(server), X509_V_FLAG_CRL_CHECK);
	know(ca, NULL);
	ck_assert(!accepts(device)); /* its CA has no list */
}
END_TEST

/*
 * Files of the listener.
 */

START_TEST(files_of_the_listener_are_trusted_only_if_configured)
{
	struct pki_cert *of_file = pki_ca("Of the file");
	struct pki_cert *other = pki_device(of_file, "d2");

	trust_stop();
	ck_assert_int_eq(start(_i == 1), ERR_OK);
	SSL_CTX_free(server);
	server = make_server(DEMANDING);
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), of_file->x), 1);
	know(ca, NULL);
	ck_assert(accepts(other) == (_i == 1));
	ck_assert(handshake(server, other, of_file).accepted == (_i == 1));
	ck_assert(accepts(device));
	know(NULL, NULL);
	ck_assert(!accepts(device));
	pki_free(other);
	pki_free(of_file);
}
END_TEST

/* Without key identifiers; one of them registered, the other in the listener's cafile. */
START_TEST(a_ca_of_the_listener_is_found_beside_a_registered_one_of_its_subject)
{
	struct pki_options twin = { .common_name = "Twin",
		.is_ca = true,
		.key_id = PKI_KEY_ID_NONE };
	struct pki_cert *of_file = pki_make(&twin), *registered = pki_make(&twin);
	struct pki_cert *one = pki_make(&(struct pki_options){ .common_name = "d1",
	    .issuer = of_file,
	    .key_id = PKI_KEY_ID_NONE });
	struct pki_cert *two = pki_make(&(struct pki_options){ .common_name = "d2",
	    .issuer = registered,
	    .key_id = PKI_KEY_ID_NONE });

	trust_stop();
	ck_assert_int_eq(start(true), ERR_OK);
	SSL_CTX_free(server);
	server = make_server(DEMANDING);
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), of_file->x), 1);
	know(registered, NULL);
	ck_assert(accepts(one) && accepts(two));
	pki_free(two);
	pki_free(one);
	pki_free(registered);
	pki_free(of_file);
}
END_TEST

START_TEST(after_the_stop_the_files_are_trusted_again)
{
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), ca->x), 1);
	ck_assert(!accepts(device));
	ck_assert_int_eq(start(true), ERR_EXISTS);
	trust_stop();
	trust_stop();
	times_asked = 0;
	ck_assert(accepts(device));
	ck_assert_uint_eq(times_asked, 0);
}
END_TEST

/* OpenSSL builds it from the same store with the same lookups. */
START_TEST(the_chain_of_the_server_is_built_from_its_files_only)
{
	struct pki_cert *middle = pki_make(
	    &(struct pki_options){ .common_name = "Of servers", .is_ca = true, .issuer = ca });
	struct pki_cert *below = pki_device(middle, "broker.example");

	ck_assert_int_eq(SSL_CTX_use_certificate(server, below->x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server, below->key), 1);
	know(ca, middle);
	ck_assert_int_eq(handshake(server, device, NULL).chain, 1);
	ck_assert_int_eq(handshake(server, device, NULL).chain,
	    1); /* now it requires a certificate */
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), middle->x), 1);
	know(ca, NULL);
	ck_assert_int_eq(handshake(server, device, NULL).chain, 2);
	ck_assert(accepts(device));
	pki_free(below);
	pki_free(middle);
}
END_TEST

/*
 * Handshakes.
 */

/* TLS 1.2 and 1.3.  In the control run without the plugin they are resumed. */
START_TEST(sessions_are_not_resumed)
{
	SSL_CTX *plain;
	int version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;

	SSL_CTX_set_min_proto_version(client, version);
	SSL_CTX_set_max_proto_version(client, version);
	know(ca, NULL);
	ck_assert(accepts(device));
	ck_assert(session == NULL || version == TLS1_2_VERSION); /* no ticket was sent */
	ck_assert(!handshake(server, device, NULL).resumed);

	trust_stop();
	plain = make_server(DEMANDING);
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(plain), ca->x), 1);
	ck_assert(handshake(plain, device, NULL).accepted);
	ck_assert(handshake(plain, device, NULL).resumed);
	SSL_CTX_free(plain);
}
END_TEST

/* From before the first handshake that the plugin saw, as after a reload. */
START_TEST(a_session_from_before_the_start_is_not_resumed)
{
	SSL_CTX_set_max_proto_version(client, _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), ca->x), 1);
	ck_assert(handshake(server, device, NULL).accepted);
	ck_assert_ptr_nonnull(session);
	SSL_CTX_set_verify(server, DEMANDING, NULL);
	ck_assert(!handshake(server, device, NULL).accepted);
}
END_TEST

START_TEST(no_ca_names_are_sent_in_the_certificate_request)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(server_cert->x)));
	SSL_CTX_set_client_CA_list(server, names);
	know(ca, NULL);
	ck_assert_int_eq(handshake(server, device, NULL).names, 0);
	ck_assert(accepts(device));
}
END_TEST

START_TEST(servers_that_require_no_certificate_are_not_changed)
{
	SSL_CTX *other = make_server(SSL_VERIFY_PEER);

	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(other), ca->x), 1);
	ck_assert(handshake(other, device, NULL).accepted);
	ck_assert_uint_eq(times_asked, 0);
	SSL_CTX_free(other);
}
END_TEST

static void *
handshake_elsewhere(void *accepted)
{
	*(bool *)accepted = handshake(server, device, NULL).accepted;
	OPENSSL_thread_stop();
	return NULL;
}

START_TEST(other_threads_are_not_affected)
{
	bool accepted = false;
	pthread_t thread;

	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), ca->x), 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, handshake_elsewhere, &accepted), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(accepted);
	ck_assert_uint_eq(times_asked, 0);
}
END_TEST

/* A context of a listener that another thread uses too. */
START_TEST(on_other_threads_no_ca_is_found)
{
	bool accepted = true;
	pthread_t thread;

	know(ca, NULL);
	ck_assert(accepts(device));
	times_asked = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, handshake_elsewhere, &accepted), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!accepted);
	ck_assert_uint_eq(times_asked, 0);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("trust");
	TCase *t = suite_case(s, "trust");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_ca_is_trusted_while_the_lookup_finds_it);
	tcase_add_test(t, a_ca_of_the_same_name_with_another_key_is_not_trusted);
	tcase_add_loop_test(t, several_cas_of_one_subject_are_distinguished, 0, 2);
	tcase_add_test(t, of_two_cas_with_one_key_the_valid_one_is_used);
	tcase_add_test(t, a_chain_ends_at_the_registered_ca);
	tcase_add_test(t, the_length_of_a_chain_is_limited);
	tcase_add_test(t, a_root_sent_by_the_client_is_not_trusted);
	tcase_add_test(t, dates_and_purposes_are_still_checked);
	tcase_add_test(t, revocation_lists_of_the_listener_are_still_checked);
	tcase_add_loop_test(t, files_of_the_listener_are_trusted_only_if_configured, 0, 2);
	tcase_add_test(t, a_ca_of_the_listener_is_found_beside_a_registered_one_of_its_subject);
	tcase_add_test(t, after_the_stop_the_files_are_trusted_again);
	tcase_add_test(t, the_chain_of_the_server_is_built_from_its_files_only);
	tcase_add_loop_test(t, sessions_are_not_resumed, 0, 2);
	tcase_add_loop_test(t, a_session_from_before_the_start_is_not_resumed, 0, 2);
	tcase_add_test(t, no_ca_names_are_sent_in_the_certificate_request);
	tcase_add_test(t, servers_that_require_no_certificate_are_not_changed);
	tcase_add_test(t, other_threads_are_not_affected);
	tcase_add_test(t, on_other_threads_no_ca_is_found);
	return s;
}

int
main(void)
{
	return suite_run(make_suite());
}
