/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust_chain.c - see trust_chain.h.
 *
 * The CAs that may have issued the certificate are put into a separate store, and
 * OpenSSL verifies with it as with a listener's store.  A chain ends at the first
 * trusted certificate (X509_V_FLAG_PARTIAL_CHAIN, set for the process by x509.h), so
 * CAs above a registered CA do not matter.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "jitr/adapter/trust_chain.h"
#include "jitr/adapter/x509.h"

#include "x509_private.h"

#define NAME_SHOWN 160

static bool
could_have_issued(const struct trust_config *config, X509 *ca, X509 *x, bool alone)
{
	return X509_check_issued(ca, x) == X509_V_OK &&
	    (alone || config->files_too || X509_verify(x, X509_get0_pubkey(ca)) == 1);
}

/* NULL: out of memory.  *count: number of issuers in the store. */
static X509_STORE *
store_of_issuers(const struct trust_config *config, X509 *x, size_t *count)
{
	X509_STORE *store = X509_STORE_new();
	X509 *found[TRUST_SAME_SUBJECT_MAX];
	size_t found_count = 0;
	uint32_t hash;

	*count = 0;
	if (name_hash(X509_get_issuer_name(x), &hash))
		found_count = config->find(config->context, hash, found, COUNT_OF(found));
	for (size_t i = 0; store != NULL && i < found_count; i++) {
		if (!could_have_issued(config, found[i], x, found_count == 1))
			continue;
		++*count;
		if (X509_STORE_add_cert(store, found[i]) != 1) {
			X509_STORE_free(store);
			store = NULL;
		}
	}
	x509_free_all(found, found_count);
	return store;
}

/* The security level of a server's context with the system's defaults, which decides
 * about digests and keys within a chain. */
static int
security_level(void)
{
	static int level = -1;
	SSL_CTX *context;

	if (level >= 0)
		return level;
	context = SSL_CTX_new(TLS_server_method());
	if (context != NULL)
		level = SSL_CTX_get_security_level(context);
	SSL_CTX_free(context);
	return level >= 0 ? level : 1;
}

static void
set_rules(X509_STORE_CTX *context, int64_t now)
{
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);

	X509_VERIFY_PARAM_set_auth_level(rules, security_level());
	X509_VERIFY_PARAM_set_time(rules, (time_t)(now / 1000));
}

/*
 * Certificates of clients.
 */

/* The issuer was not found: the client may send it along. */
static bool
lacks_issuer(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	    error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	    error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	    error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
}

static void
tell_fault(X509_STORE_CTX *context, struct diag *diag)
{
	const X509 *at = X509_STORE_CTX_get_current_cert(context);
	const char *words = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
	int depth = X509_STORE_CTX_get_error_depth(context);
	char name[NAME_SHOWN] = "";

	if (at != NULL)
		name_text(X509_get_subject_name(at), name, sizeof(name));
	if (depth == 0)
		diag_set(diag, "TLS refuses the device's certificate '%s': %s", name, words);
	else
		diag_set(diag,
		    "TLS refuses its chain at the certificate '%s', %d above the device's: %s",
		    name, depth, words);
}

static enum err
verify_with(X509_STORE *store, X509 *x, bool has_issuer, int64_t now, struct diag *diag)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	enum err e = ERR_CRYPTO;

	if (context != NULL && X509_STORE_CTX_init(context, store, x, NULL) == 1 &&
	    X509_STORE_CTX_set_default(context, "ssl_client") == 1) {
		set_rules(context, now);
		e = X509_verify_cert(context) == 1 ? ERR_OK : ERR_CERTIFICATE;
	}
	if (e == ERR_CERTIFICATE && lacks_issuer(X509_STORE_CTX_get_error(context)) && !has_issuer)
		e = ERR_NOT_FOUND;
	else if (e == ERR_CERTIFICATE)
		tell_fault(context, diag);
	X509_STORE_CTX_free(context);
	return e;
}

enum err
trust_verify(struct x509_st *x, const struct trust_config *config, int64_t now, struct diag *diag)
{
	size_t count;
	X509_STORE *store = store_of_issuers(config, x, &count);
	enum err e = ERR_NOMEM;

	if (store != NULL)
		e = verify_with(store, x, count > 0, now, diag);
	X509_STORE_free(store);
	ERR_clear_error();
	return e;
}

/*
 * CAs.
 */

/* Checked without a purpose, because a CA's key is not used in a handshake.  NULL: no
 * fault. */
static const char *
fault_of_ca(X509_STORE *store, X509 *ca, int64_t now)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	const char *fault = NULL;

	if (context != NULL && X509_STORE_CTX_init(context, store, ca, NULL) == 1) {
		set_rules(context, now);
		(void)X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context),
		    X509_V_FLAG_PARTIAL_CHAIN);
		if (X509_verify_cert(context) != 1)
			fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
	}
	X509_STORE_CTX_free(context);
	return fault;
}

static void
warn(trust_warner *tell, void *context, const char *why)
{
	struct diag text;

	diag_set(&text, "TLS will refuse certificates of this CA%s", why);
	tell(context, text.text);
}

void
trust_check_ca(struct x509_st *ca, int64_t now, trust_warner *tell, void *context)
{
	X509_STORE *store = X509_STORE_new();
	const char *fault = NULL;
	struct diag why;

	if (store != NULL && X509_STORE_add_cert(store, ca) == 1)
		fault = fault_of_ca(store, ca, now);
	if (fault != NULL) {
		diag_set(&why, ": %s", fault);
		warn(tell, context, why.text);
	}
	if (X509_check_purpose(ca, X509_PURPOSE_SSL_CLIENT, 1) != 1)
		warn(tell, context,
		    ": its keyUsage or extendedKeyUsage does not allow "
		    "it to issue certificates of TLS clients");
	if (X509_get_ext_by_NID(ca, NID_name_constraints, -1) >= 0)
		warn(tell, context, " whose names break its nameConstraints");
	X509_STORE_free(store);
	ERR_clear_error();
}
