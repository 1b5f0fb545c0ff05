/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * facts.h - what is known of a client when its policies are asked.
 *
 * Plain data, gathered by the caller; policy variables and condition keys
 * (aws-iot F.5, F.6) are read from it.  Everything is borrowed.  Any thread.
 *
 * A fact can be there, be absent, or be hidden: there is something, but the
 * broker does not show it.  Zero is absent where that admits none, and
 * hidden otherwise.
 */
#ifndef JITR_FACTS_H
#define JITR_FACTS_H

#include "jitr/core/model.h"

/*
 * The fields of a certificate that policies and rules may name, after
 * "iot:Certificate." (aws-iot F.5).  Subject and issuer have the same ones.
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

/* What AWS has no name for, after "jitr:Certificate.": the key is one of "RSA",
 * "P-256", "P-384", "P-521", "Ed25519", "Ed448", "DSA", or "other"; its bits; what
 * the certificate is signed with, as OpenSSL calls it in full; the whole days
 * between its notBefore and its notAfter. */
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

/* Of one field at most so many values are kept (aws-iot F.5). */
#define CERT_FIELD_VALUES_MAX 5

struct cert_value {
	enum cert_field field;
	struct view text; /* escaped as policies see it (aws-iot F.5); the
	                       * certificate's own serial number in decimal */
};

/* What a certificate says of itself: one allocation, freed with free(). */
struct cert_facts {
	size_t count;
	struct cert_value values[]; /* in the order of fields, then of the certificate */
};

/* An IP address; IPv4 as ::ffff:a.b.c.d.  known false: no address. */
struct address {
	bool known;
	uint8_t b[16];
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; anything else is unknown. */
struct address address_parse(struct view text);

struct facts {
	struct view client_id;         /* data NULL: absent */
	bool client_id_as_is;          /* stands for itself whatever it contains */
	struct view certificate_id;    /* 64 hex digits; data NULL: absent */
	const struct cert_facts *cert; /* NULL: absent */
	const struct thing *thing;     /* attached to the certificate, exclusively or
	                                          * named like the client id; NULL: absent */
	struct view source_text;       /* data NULL: hidden */
	struct address source;
	struct view domain_name; /* data NULL: hidden */

	/* Of a CONNECT (aws-iot F.6, iot:ConnectAttributes); NOT_ASKED: hidden. */
	enum answer persistent_connect;
	enum answer last_will;
	struct view last_will_topic; /* data NULL: hidden where last_will is not NO */
};

#endif
