/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust.c - see trust.h.
 *
 * OpenSSL calls a function for each new SSL_CTX (ex_data), which sets a ClientHello
 * callback.  At the first ClientHello of a listener this replaces the look-up functions
 * of the listener's store.  No list of contexts is kept.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "jitr/adapter/trust.h"
#include "jitr/adapter/x509.h"

#include "x509_private.h"

static struct trust_config trust; /* find is NULL: not started */
static int context_index = -1;
static _Thread_local bool on_starting_thread __attribute__((tls_model("initial-exec")));

static bool
is_valid_now(const X509 *ca)
{
	return X509_cmp_current_time(X509_get0_notBefore(ca)) < 0 &&
	    X509_cmp_current_time(X509_get0_notAfter(ca)) > 0;
}

/* If certificates have no authorityKeyIdentifier, CAs of one subject are distinguished
 * only by the signature.  A single CA needs no such check. */
static bool
is_issuer(X509 *ca, X509 *x, bool alone)
{
	return X509_check_issued(ca, x) == X509_V_OK &&
	    (alone || X509_verify(x, X509_get0_pubkey(ca)) == 1);
}

/* The first issuer; a valid one is preferred to one outside its validity. */
static X509 *
choose(X509 *const *found, size_t count, X509 *x)
{
	X509 *chosen = NULL;

	for (size_t i = 0; i < count; i++)
		if (is_issuer(found[i], x, count == 1 && !trust.files_too) &&
		    (chosen == NULL || (is_valid_now(found[i]) && !is_valid_now(chosen))))
			chosen = found[i];
	return chosen;
}

/* Finds registered CAs of this name; returns their number. */
static size_t
find(const X509_NAME *name, X509 **found)
{
	uint32_t hash;

	if (trust.find == NULL || !on_starting_thread || !name_hash(name, &hash))
		return 0;
	return trust.find(trust.context, hash, found, TRUST_SAME_SUBJECT_MAX);
}

/* The listener's own certificate chain is built from the same store, but is not a
 * question of trust.  Only the verification of a peer has the SSL object attached. */
static bool
is_of_client(X509_STORE_CTX *context)
{
	return X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()) != NULL;
}

static bool
files_are_trusted(void)
{
	return trust.find == NULL || trust.files_too;
}

/* With a reference; NULL: none.  Errors of candidates that do not match must not stay
 * in OpenSSL's queue: the broker would take them for a failure of the handshake. */
static X509 *
find_issuer(X509 *x)
{
	X509 *found[TRUST_SAME_SUBJECT_MAX], *issuer;
	size_t count;

	(void)ERR_set_mark();
	count = find(X509_get_issuer_name(x), found);
	issuer = choose(found, count, x);
	if (issuer != NULL)
		X509_up_ref(issuer);
	x509_free_all(found, count);
	(void)ERR_pop_to_mark();
	return issuer;
}

/* Same contract as X509_STORE_CTX_get1_issuer(): 1, 0 for none, or -1. */
static int
get_issuer(X509 **issuer, X509_STORE_CTX *context, X509 *x)
{
	if (!is_of_client(context))
		return X509_STORE_CTX_get1_issuer(issuer, context, x);
	*issuer = NULL;
	if (X509_STORE_CTX_get_num_untrusted(context) <= TRUST_CHAIN_MAX)
		*issuer = find_issuer(x);
	if (*issuer == NULL && files_are_trusted())
		return X509_STORE_CTX_get1_issuer(issuer, context, x);
	return *issuer != NULL;
}

/* Same contract as X509_STORE_CTX_get1_certs(): NULL is a failure, an empty stack is
 * none. */
static STACK_OF(X509) * get_certificates(X509_STORE_CTX *context, const X509_NAME *name)
{
	X509 *found[TRUST_SAME_SUBJECT_MAX];
	STACK_OF(X509) *all = NULL;
	size_t count;

	if (!is_of_client(context))
		return X509_STORE_CTX_get1_certs(context, name);
	if (files_are_trusted())
		all = X509_STORE_CTX_get1_certs(context, name);
	count = find(name, found);
	if (all == NULL)
		all = sk_X509_new_null();
	for (size_t i = 0; i < count; i++)
		if (all == NULL || X509_NAME_cmp(X509_get_subject_name(found[i]), name) != 0 ||
		    sk_X509_push(all, found[i]) == 0)
			X509_free(found[i]);
	return all;
}

static void
replace_lookups(SSL_CTX *context)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	if (X509_STORE_get_get_issuer(store) == get_issuer)
		return;
	X509_STORE_set_get_issuer(store, get_issuer);
	X509_STORE_set_lookup_certs(store, get_certificates);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_client_CA_list(context, sk_X509_NAME_new_null());
}

/* This SSL object copied its options from the context before, so they are set on it,
 * too. */
static int
on_client_hello(SSL *ssl, int *alert, void *context)
{
	(void)alert;
	(void)context;
	if (trust.find == NULL || !on_starting_thread ||
	    !(SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT))
		return SSL_CLIENT_HELLO_SUCCESS;
	replace_lookups(SSL_get_SSL_CTX(ssl));
	(void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
	(void)SSL_set_num_tickets(ssl, 0);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void
on_new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	SSL_CTX_set_client_hello_cb(parent, on_client_hello, NULL);
}

enum err
trust_start(const struct trust_config *config)
{
	if (trust.find != NULL)
		return ERR_EXISTS;
	context_index = SSL_CTX_get_ex_new_index(0, NULL, on_new_context, NULL, NULL);
	if (context_index < 0)
		return openssl_failure(ERR_CRYPTO);
	trust = *config;
	on_starting_thread = true;
	return ERR_OK;
}

/* The index cannot be released, but its callback must be removed: this code may be
 * unloaded before the process ends. */
void
trust_stop(void)
{
	if (trust.find == NULL)
		return;
	(void)CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, context_index);
	trust = (struct trust_config){ NULL, NULL, false };
	on_starting_thread = false;
	ERR_clear_error();
}
