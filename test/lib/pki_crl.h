/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pki_crl.h - revocation lists for tests, minted in memory with exactly the
 * flaw under test, and OpenSSL as an oracle.
 *
 * Nothing here can fail: a list that cannot be made ends the program.  A list
 * of a million entries takes a second.  One thread.
 */
#ifndef JITR_TEST_PKI_CRL_H
#define JITR_TEST_PKI_CRL_H

#include "pki.h"

struct X509_crl_st; /* OpenSSL's X509_CRL */

struct pki_revoked {
	const char *serial; /* decimal, or of: */
	const struct pki_cert *cert;
	const char *date;       /* as pki_options has it; NULL: two days before now */
	int reason;             /* 0: none is written */
	const char *extensions; /* more of them, as pki_der() has it */
	const char *der;        /* or the whole entry */
};

/* Everything left out is as it should be. */
struct pki_crl_options {
	const struct pki_cert *issuer;
	const struct pki_cert *named_issuer; /* whose name is written down; NULL: issuer's */
	const char *issuer_name;             /* or just this common name */
	const struct pki_cert *signer;       /* whose key signs; NULL: issuer's */
	int version;                         /* 1: none, and no extensions but those below;
	                                       * 0: 2; otherwise the number that is written */
	int64_t now;                         /* ms, for the two below; 0: the clock */
	int this_days;                       /* 0: a day ago */
	int next_days;                       /* 0: in 30 days */
	const char *this_update;             /* as not_before of pki_options */
	const char *next_update;             /* the same; "": none */
	const char *number;                  /* decimal; NULL: 1; "": none */
	enum pki_key_id key_id;              /* authorityKeyIdentifier */
	struct pki_extension extensions[8];
	unsigned extra; /* this many unknown, not critical extensions */
	struct pki_revoked entries[8];
	unsigned many;             /* this many more entries */
	struct view raw;           /* and these, encoded */
	bool empty;                /* revokedCertificates is there without any */
	const char *digest;        /* NULL: "SHA256" */
	bool pss;                  /* RSA signature with PSS padding, and in it: */
	const char *mask_digest;   /* NULL: digest */
	int salt_len;              /* 0: that of the digest */
	const char *digest_inside; /* what the signed part says of it */
	const char *algorithm;     /* what both parts say, as pki_der() has it */
};

struct pki_crl {
	struct view der;
	struct view pem; /* terminated as well */
};

struct pki_crl *pki_crl_make(const struct pki_crl_options *options);
void pki_crl_free(struct pki_crl *l); /* NULL is fine */

/* The usual one: what the issuer says when it has revoked this certificate;
 * NULL: none. */
struct pki_crl *pki_crl(const struct pki_cert *issuer, const struct pki_cert *revoked);

/* These bytes as the signed part of a list, whatever they are. */
struct pki_crl *pki_crl_sign(const struct pki_cert *signer, struct view tbs);

/* The serial number of the nth of `many` entries: not in their order. */
#define PKI_SERIAL_SIZE 16
void pki_serial(unsigned nth, uint8_t serial[PKI_SERIAL_SIZE]);

void pki_sha256(struct view bytes, uint8_t digest[32]);

/* DER in short: hexadecimal digits, 'text', and the tag before parentheses of
 * whose content the length is counted: "30( 02(05) 17('261101000000Z') )". */
struct view pki_der(const char *notation, uint8_t *out, size_t size);

/* What OpenSSL makes of a list: NULL when it refuses it.  Is it issuer's, and
 * signed with its key?  What it says of a serial number (the content of its
 * INTEGER): listed, since when and why (-1: no reason). */
struct X509_crl_st *pki_crl_parse(struct view der);
void pki_crl_parsed_free(struct X509_crl_st *l); /* NULL is fine */
size_t pki_crl_count(struct X509_crl_st *l);
bool pki_crl_is_of(struct X509_crl_st *l, const struct pki_cert *issuer);
bool pki_crl_lists(struct X509_crl_st *l, struct view serial, int64_t *date, int *reason);

#endif
