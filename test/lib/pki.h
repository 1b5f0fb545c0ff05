/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pki.h - certificates for tests, made in memory with exactly the flaw under
 * test.
 *
 * There are no PEM files in the tree that could expire and break a build.
 * Nothing here can fail: a certificate that cannot be made ends the program.
 * One thread.
 *
 *	struct pki_cert *ca = pki_ca("Test CA");
 *	struct pki_cert *device = pki_device(ca, "device-1");
 *	struct pki_cert *expired = pki_make(&(struct pki_options){
 *	    .common_name = "device-2", .issuer = ca, .not_after_days = -1 });
 *	...
 *	pki_free(device);
 */
#ifndef JITR_TEST_PKI_H
#define JITR_TEST_PKI_H

#include "jitr/core/base.h"

struct x509_st;     /* OpenSSL's X509 */
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

struct pki_cert {
	struct x509_st
	    *x; /* parsed from der as in a handshake; NULL: this OpenSSL cannot parse it */
	struct evp_pkey_st *key; /* without its private half for PKI_RSA_16384, _E1 */
	struct view der;
	struct view pem; /* terminated as well */
};

/* Elliptic keys are new for each certificate.  RSA and DSA keys are made once
 * in a process: one for self-signed certificates, one for all others. */
enum pki_key {
	PKI_P256,
	PKI_P384,
	PKI_P521,
	PKI_P224,
	PKI_SECP256K1,
	PKI_P256_EXPLICIT, /* P-256 with explicit parameters */
	PKI_ED25519,
	PKI_ED448,
	PKI_X25519, /* signs nothing: needs an issuer */
	PKI_RSA_512,
	PKI_RSA_1024,
	PKI_RSA_2048,
	PKI_RSA_3072,
	PKI_RSA_PSS_2048,
	PKI_RSA_16384, /* without a private key: needs an issuer */
	PKI_RSA_E1,    /* public exponent 1: needs an issuer */
	PKI_DSA_2048,
};

enum pki_key_id {
	PKI_KEY_ID_RIGHT, /* subjectKeyIdentifier in CAs, authorityKeyIdentifier below them */
	PKI_KEY_ID_NONE,
	PKI_KEY_ID_WRONG, /* an authorityKeyIdentifier that is not the issuer's */
	PKI_KEY_ID_LONG,  /* a subjectKeyIdentifier of 65 bytes */
};

/* As in openssl.cnf: {"keyUsage", "critical,keyCertSign"}, {"1.2.3", "DER:0500"}. */
struct pki_extension {
	const char *name;
	const char *value;
};

/* Members that are not set give a valid certificate. */
struct pki_options {
	const char *common_name; /* NULL: none */
	size_t common_name_len;  /* for a NUL inside; 0: strlen */
	int common_name_type;    /* ASN.1 tag; 0: UTF8String */
	const char *second_common_name;
	const char *organization;
	struct pki_extension attributes[16]; /* more of the subject: {"OU", "one"} */
	const struct pki_cert *issuer;       /* NULL: self-signed */
	const struct pki_cert *named_issuer; /* the name in it; NULL: issuer's */
	const char *issuer_name;             /* or just this common name */
	int version;                         /* 1: no extensions but those below; 0: 3 */
	int64_t now;                         /* ms, for the two below; 0: the clock */
	int not_before_days;                 /* 0: a day ago, or a day before not_after */
	int not_after_days;                  /* 0: in a year */
	const char *not_before;              /* as the bytes of a UTCTime (up to 13) or */
	const char *not_after;               /* GeneralizedTime, well-formed or not */
	const char *serial;                  /* decimal; NULL: random */
	const char *digest;                  /* NULL: "SHA256" */
	bool pss;                            /* RSA signature with PSS padding */
	enum pki_key key;
	const struct pki_cert *key_of; /* the same key as this one, not a new one */
	bool is_ca;
	bool no_basic_constraints;
	enum pki_key_id key_id;
	struct pki_extension extensions[8];
	unsigned sans;  /* this many subjectAltName entries */
	unsigned extra; /* this many unknown, not critical extensions */
};

struct pki_cert *pki_make(const struct pki_options *options);
void pki_free(struct pki_cert *c); /* NULL is fine */

/* The usual ones: CA with keyUsage, P-256; device of it; verification
 * certificate, version 1 as the AWS recipes make it (aws-iot C). */
struct pki_cert *pki_ca(const char *common_name);
struct pki_cert *pki_device(const struct pki_cert *ca, const char *common_name);
struct pki_cert *pki_verification(const struct pki_cert *ca, const char *code);

/* The same certificate with another signature by its issuer, as its holder could derive one from
 * an ECDSA signature: only the id differs. */
struct pki_cert *pki_twin(const struct pki_cert *c, const struct pki_cert *issuer);

/* The PEM of a certificate's private key, terminated; free with free(). */
char *pki_key_pem(const struct pki_cert *c);

/* A pattern with a PEM, of this key: @ is the whole block, # what is between its first
 * and last line, ! the key, ~ a NUL.  Bytes written to out, which has 16384. */
size_t pki_fill_in(char *out, const char *pattern, struct view pem, const struct pki_cert *key);

/* Parses bytes as OpenSSL does in a handshake, less strictly than x509_from_der().  NULL if it
 * refuses them. */
struct x509_st *pki_parse(struct view der);
bool pki_is_version_1(const struct pki_cert *c);

/* Whether a TLS server in this process that trusts only `anchor` accepts a client with this
 * certificate at this time. */
bool pki_server_accepts(const struct pki_cert *anchor, const struct pki_cert *client, int64_t now);

/* Ends the program with a message if not ok. */
void pki_must(bool ok, const char *what);

/* OpenSSL's error queue: leaves an error in it; whether it is empty. */
void pki_leave_error(void);
bool pki_no_errors(void);

#endif
