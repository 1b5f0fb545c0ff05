/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pki_crl.h - revocation lists for tests, made in memory with exactly the flaw under test, and
 * OpenSSL's reading of them for comparison.
 *
 * Nothing here can fail: a list that cannot be made ends the program.  A list of a million
 * entries takes a second.  One thread.
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
	const char *extensions; /* more extensions, in the notation of pki_der() */
	const char *der;        /* or the whole entry */
};

/* Members that are not set give a valid list. */
struct pki_crl_options {
	const struct pki_cert *issuer;
	const struct pki_cert *named_issuer; /* the name in it; NULL: issuer's */
	const char *issuer_name;             /* or just this common name */
	const struct pki_cert *signer;       /* the key that signs; NULL: issuer's */
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
	struct view raw;           /* and these, already encoded */
	bool empty;                /* revokedCertificates is present but empty */
	const char *digest;        /* NULL: "SHA256" */
	bool pss;                  /* RSA signature with PSS padding, and in it: */
	const char *mask_digest;   /* NULL: digest */
	int salt_len;              /* 0: that of the digest */
	const char *digest_inside; /* the digest in the signed part */
	const char *algorithm;     /* the algorithm in both places, in the notation of pki_der() */
};

struct pki_crl {
	struct view der;
	struct view pem; /* terminated as well */
};

struct pki_crl *pki_crl_make(const struct pki_crl_options *options);
void pki_crl_free(struct pki_crl *l); /* NULL is fine */

/* A list with this certificate; NULL: an empty list. */
struct pki_crl *pki_crl(const struct pki_cert *issuer, const struct pki_cert *revoked);

/* A list with these bytes as its signed part. */
struct pki_crl *pki_crl_sign(const struct pki_cert *signer, struct view tbs);

/* The serial number of the nth of `many` entries; the numbers are not in order. */
#define PKI_SERIAL_SIZE 16
void pki_serial(unsigned nth, uint8_t serial[PKI_SERIAL_SIZE]);

void pki_sha256(struct view bytes, uint8_t digest[32]);

/* DER in short: hexadecimal digits, 'text', and a tag before parentheses, which gets the length
 * of their content: "30( 02(05) 17('261101000000Z') )". */
struct view pki_der(const char *notation, uint8_t *out, size_t size);

/* Parses a list with OpenSSL; NULL if it refuses it.  Whether it is issuer's and signed with its
 * key.  Whether a serial number (the content of its INTEGER) is listed, with date and reason (-1:
 * no reason). */
struct X509_crl_st *pki_crl_parse(struct view der);
void pki_crl_parsed_free(struct X509_crl_st *l); /* NULL is fine */
size_t pki_crl_count(struct X509_crl_st *l);
bool pki_crl_is_of(struct X509_crl_st *l, const struct pki_cert *issuer);
bool pki_crl_lists(struct X509_crl_st *l, struct view serial, int64_t *date, int *reason);

#endif
