/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * facts.h - facts about a client, as input to policies and rules.
 *
 * Plain data, gathered by the caller.  Policy variables and condition keys (aws-iot
 * F.5, F.6) read from it.  All pointers are borrowed.  Any thread.
 *
 * A fact is present, absent, or hidden: it exists, but the broker does not expose it.
 * Zero means absent where an absent fact cannot grant access, otherwise hidden.
 */
#ifndef JITR_FACTS_H
#define JITR_FACTS_H

#include "jitr/core/model.h"

/*
 * Certificate fields that policies and rules may name behind "iot:Certificate."
 * (aws-iot F.5).  Subject and issuer have the same fields.
 */
#define CERT_NAME_TABLE(X, WHO, who) \
	X(WHO##_DN_QUALIFIER, who ".DistinguishedNameQualifier") \
	X(WHO##_COUNTRY, who ".Country") \
	X(WHO##_ORGANIZATION, who ".Organization") \
	X(WHO##_ORGANIZATIONAL_UNIT, who ".OrganizationalUnit") \
	X(WHO##_STATE, who ".State") \
	X(WHO##_COMMON_NAME, who ".CommonName") \
	X(WHO##_SERIAL_NUMBER, who ".SerialNumber") \
	X(WHO##_TITLE, who ".Title") \
	X(WHO##_SURNAME, who ".Surname") \
	X(WHO##_GIVEN_NAME, who ".GivenName") \
	X(WHO##_INITIALS, who ".Initials") \
	X(WHO##_PSEUDONYM, who ".Pseudonym") \
	X(WHO##_GENERATION_QUALIFIER, who ".GenerationQualifier") \
	X(WHO##_RFC822_NAME, who ".AlternativeName.RFC822Name") \
	X(WHO##_DNS_NAME, who ".AlternativeName.DNSName") \
	X(WHO##_DIRECTORY_NAME, who ".AlternativeName.DirectoryName") \
	X(WHO##_URI, who ".AlternativeName.UniformResourceIdentifier") \
	X(WHO##_IP_ADDRESS, who ".AlternativeName.IPAddress")

#define CERT_FIELD_TABLE(X) \
	X(FIELD_CERT_SERIAL_NUMBER, "SerialNumber") \
	CERT_NAME_TABLE(X, FIELD_SUBJECT, "Subject") \
	CERT_NAME_TABLE(X, FIELD_ISSUER, "Issuer")

/* Fields that AWS does not have, behind "jitr:Certificate.".  KeyType: "RSA", "P-256",
 * "P-384", "P-521", "Ed25519", "Ed448", "DSA" or "other".  SignatureAlgorithm:
 * OpenSSL's long name.  ValidityDays: whole days between notBefore and notAfter. */
#define OUR_FIELD_TABLE(X) \
	X(FIELD_KEY_TYPE, "KeyType") \
	X(FIELD_KEY_BITS, "KeyBits") \
	X(FIELD_SIGNATURE_ALGORITHM, "SignatureAlgorithm") \
	X(FIELD_VALIDITY_DAYS, "ValidityDays")

enum cert_field {
#define X(name, text) name,
	CERT_FIELD_TABLE(X) OUR_FIELD_TABLE(X)
#undef X
	    CERT_FIELD_COUNT
};

/* "Subject.CommonName", "KeyType" */
const char *cert_field_name(enum cert_field f);
bool cert_field_is_ours(enum cert_field f);

/* Maximum number of values kept per field (aws-iot F.5). */
#define CERT_FIELD_VALUES_MAX 5

struct cert_value {
	enum cert_field field;
	struct view text; /* escaped as for policies (aws-iot F.5); the certificate's serial
			   * number in decimal */
};

/* Values of a certificate's fields: one allocation, released with free(). */
struct cert_facts {
	size_t count;
	struct cert_value values[]; /* ordered by field, then as in the certificate */
};

/* An IP address; IPv4 is stored as ::ffff:a.b.c.d.  known false: no address. */
struct address {
	bool known;
	uint8_t b[16];
};

/* Parses "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; known is false for anything
 * else. */
struct address address_parse(struct view text);

struct facts {
	struct view client_id;         /* data NULL: absent */
	bool client_id_as_is;          /* its value may replace a variable whatever characters
				        * it contains */
	struct view certificate_id;    /* 64 hex digits; data NULL: absent */
	const struct cert_facts *cert; /* NULL: absent */
	const struct thing *thing;     /* attached to the certificate, exclusively or with the
				        * client id as its name; NULL: absent */
	struct view source_text;       /* data NULL: hidden */
	struct address source;
	struct view domain_name; /* data NULL: hidden */

	/* Of a CONNECT packet (aws-iot F.6, iot:ConnectAttributes); NOT_ASKED: hidden. */
	enum answer persistent_connect;
	enum answer last_will;
	struct view last_will_topic; /* data NULL: absent if last_will is ANSWER_NO, otherwise
				      * hidden */
};

#endif
