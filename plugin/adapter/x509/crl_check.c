/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_check.c - checks a list except for its entries; see crl_private.h.
 *
 * Any thread.  One small function for each requirement of RFC 5280 5; on failure *diag
 * has the reason and the remedy.  Cheap checks come first, the signature last.
 */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crl_private.h"
#include "jitr/core/crl_scope.h"
#include "jitr/core/calendar.h"
#include "x509_private.h"

/* The fields before the entries, as split by crl_split(). */
struct head {
	struct view version;                 /* content; empty: version 1 */
	struct view algorithm;               /* complete value */
	struct der this_update, next_update; /* tag 0: absent */
};

static bool
read_head(struct view rest, struct head *out)
{
	struct der value, issuer;

	memset(out, 0, sizeof(*out));
	if (der_take(&rest, DER_INTEGER, &value))
		out->version = value.content;
	if (!der_take(&rest, DER_SEQUENCE, &value) || !der_take(&rest, DER_SEQUENCE, &issuer))
		return false;
	out->algorithm = value.whole;
	if (!der_next(&rest, &out->this_update))
		return false;
	return rest.len == 0 || der_next(&rest, &out->next_update);
}

/* A version 1 list has no extensions, and neither have its entries. */
static bool
has_extensions(const struct crl_parts *p)
{
	struct view entries = p->entries;
	struct der entry, number, date;

	while (der_take(&entries, DER_SEQUENCE, &entry))
		if (der_next(&entry.content, &number) && der_next(&entry.content, &date) &&
		    entry.content.len > 0)
			return true;
	return p->tail.len > 0;
}

/* RFC 5280 5.1.2.1.  `openssl ca -gencrl` writes version 1 unless configured otherwise. */
static bool
check_version(const struct crl_reading *r, const struct head *h, struct diag *diag)
{
	static const uint8_t version_2[] = { 1 };

	if (view_equal(h->version, (struct view){ version_2, sizeof(version_2) }))
		return true;
	if (h->version.len != 0)
		diag_set(diag, "the list has an unknown version: neither 1 nor 2");
	else if (has_extensions(&r->parts))
		diag_set(diag, "the list has version 1 and extensions, which only version 2 has");
	else
		return true;
	return false;
}

static const X509_ALGOR *
algorithm_of(const struct crl_reading *r)
{
	const X509_ALGOR *algorithm;

	X509_CRL_get0_signature(r->skeleton, NULL, &algorithm);
	return algorithm;
}

/* RFC 5280 5.1.1.2: the outer algorithm is not signed, so it must equal the inner one. */
static bool
check_algorithms(const struct crl_reading *r, const struct head *h, struct diag *diag)
{
	struct view rest = r->parts.signature;
	struct der outside;

	if (der_take(&rest, DER_SEQUENCE, &outside) && view_equal(outside.whole, h->algorithm))
		return true;
	diag_set(diag,
	    "the list names one signature algorithm in what is signed and another one "
	    "beside the signature");
	return false;
}

static bool
check_strength(const struct crl_reading *r, struct crl_scheme *scheme, struct diag *diag)
{
	if (crl_scheme_read(algorithm_of(r), scheme) &&
	    algorithm_is_strong(scheme->key, scheme->digest))
		return true;
	diag_set(diag,
	    "the signature algorithm of the list is not accepted: %s; " STRONG_ALGORITHMS,
	    OBJ_nid2ln(X509_CRL_get_signature_nid(r->skeleton)));
	return false;
}

/* Compares names as in RFC 5280 7.1. */
static bool
check_issuer(const struct crl_reading *r, struct diag *diag)
{
	char name[128];

	if (X509_NAME_cmp(X509_CRL_get_issuer(r->skeleton), X509_get_subject_name(r->terms.ca)) ==
	    0)
		return true;
	name_text(X509_CRL_get_issuer(r->skeleton), name, sizeof(name));
	diag_set(diag, "the list is issued by \"%s\", not by this CA; import it for that CA", name);
	return false;
}

/* NULL: absent or malformed. */
static void *
extension(const struct crl_reading *r, int nid, bool *is_there)
{
	int critical;
	void *value = X509_CRL_get_ext_d2i(r->skeleton, nid, &critical, NULL);

	*is_there = critical != -1;
	return value;
}

/* CAs of the same name are distinguished by their keys (RFC 5280 5.2.1). */
static bool
check_key_id(const struct crl_reading *r, struct diag *diag)
{
	bool is_there, fits;
	AUTHORITY_KEYID *id = extension(r, NID_authority_key_identifier, &is_there);

	/* X509_check_purpose() makes OpenSSL parse the CA's own key id. */
	fits = !is_there ||
	    (id != NULL && X509_check_purpose(r->terms.ca, -1, 0) == 1 &&
		X509_check_akid(r->terms.ca, id) == X509_V_OK);
	AUTHORITY_KEYID_free(id);
	if (!fits)
		diag_set(diag,
		    "the authorityKeyIdentifier of the list is not this CA's; is it the "
		    "list of a CA of the same name?");
	return fits;
}

/* X509_get_key_usage() returns all bits if there is no keyUsage. */
static bool
check_may_sign(const struct crl_reading *r, struct diag *diag)
{
	if (X509_get_key_usage(r->terms.ca) & KU_CRL_SIGN)
		return true;
	diag_set(diag,
	    "the CA certificate has a keyUsage extension without cRLSign: it may sign no "
	    "lists; register a certificate of the CA that may");
	return false;
}

/* Bounds the cost of verifying the signature. */
static bool
check_key(const struct crl_reading *r, struct diag *diag)
{
	if (key_is_strong(r->terms.ca))
		return true;
	diag_set(diag,
	    "the key of the CA certificate is too weak, too large or of an unknown kind, so "
	    "what it signs is not accepted");
	return false;
}

/* Extensions that are checked below; others must not be critical. */
static bool
is_known(X509_EXTENSION *e)
{
	switch (OBJ_obj2nid(X509_EXTENSION_get_object(e))) {
	case NID_authority_key_identifier:
	case NID_crl_number:
	case NID_delta_crl:
	case NID_issuing_distribution_point:
		return true;
	default:
		return false;
	}
}

/* RFC 5280 4.2 and 5.2: each at most once, and a list with an unrecognised critical
 * extension must not be used. */
static bool
check_extension(const struct crl_reading *r, int nth, struct diag *diag)
{
	X509_EXTENSION *e = X509_CRL_get_ext(r->skeleton, nth);
	char name[64];

	OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(e), 0);
	if (X509_CRL_get_ext_by_OBJ(r->skeleton, X509_EXTENSION_get_object(e), nth) >= 0)
		diag_set(diag, "the list has an extension twice: %s", name);
	else if (!is_known(e) && X509_EXTENSION_get_critical(e))
		diag_set(diag, "the list has an unrecognised critical extension: %s", name);
	else
		return true;
	return false;
}

static bool
check_extensions(const struct crl_reading *r, struct diag *diag)
{
	int count = X509_CRL_get_ext_count(r->skeleton);

	if (count > EXTENSIONS_MAX) {
		diag_set(diag, "the list has %d extensions; more than %d are not looked at", count,
		    EXTENSIONS_MAX);
		return false;
	}
	for (int i = 0; i < count; i++)
		if (!check_extension(r, i, diag))
			return false;
	return true;
}

/* RFC 5280 5.2.4: a delta list has only changes since a complete list. */
static bool
check_is_complete(const struct crl_reading *r, struct diag *diag)
{
	if (X509_CRL_get_ext_by_NID(r->skeleton, NID_delta_crl, -1) < 0)
		return true;
	diag_set(diag,
	    "this is a delta list, which has only what was changed; import the complete "
	    "list");
	return false;
}

/* A certificate that is not on a list counts as not revoked.  Lists that omit
 * certificates revoked for some reasons, or that are about other certificates, are
 * therefore not accepted. */
static const char *
scope_fault(const ISSUING_DIST_POINT *scope)
{
	if (scope->indirectCRL)
		return "this is an indirect list, which may have certificates of other issuers; "
		       "import the list that the CA issues for its own";
	if (scope->onlyCA)
		return "the list has only certificates of CAs (onlyContainsCACerts); import the one "
		       "for certificates of devices";
	if (scope->onlyattr)
		return "the list has only attribute certificates (onlyContainsAttributeCerts); "
		       "import the one for certificates of devices";
	if (scope->onlysomereasons != NULL)
		return "the list is for some reasons of revocation only (onlySomeReasons); import "
		       "the one for all";
	return NULL;
}

/* From the raw bytes, because they are compared bytewise with certificates. */
static bool
read_scope(const struct crl_reading *r, struct crl *facts)
{
	int nth = X509_CRL_get_ext_by_NID(r->skeleton, NID_issuing_distribution_point, -1);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(
	    X509_CRL_get_ext(r->skeleton, nth));

	return crl_scope_read((struct view){ ASN1_STRING_get0_data(value),
				  (size_t)ASN1_STRING_length(value) },
	    facts);
}

/* RFC 5280 5.2.5.  A list with a distribution point covers the certificates that name
 * it (crl_scope.h). */
static bool
check_scope(const struct crl_reading *r, struct crl *facts, struct diag *diag)
{
	bool is_there;
	ISSUING_DIST_POINT *scope = extension(r, NID_issuing_distribution_point, &is_there);
	const char *fault = NULL;

	facts->scope = CRL_SCOPE_ALL;
	if (scope != NULL)
		fault = scope_fault(scope);
	if (fault == NULL && is_there && (scope == NULL || !read_scope(r, facts)))
		fault = "the issuingDistributionPoint of the list cannot be read, or has more than "
			"16 names or 1024 bytes";
	ISSUING_DIST_POINT_free(scope);
	if (fault != NULL)
		diag_set(diag, "%s", fault);
	return fault == NULL;
}

static bool
check_beginning(const struct head *h, struct crl *facts, struct diag *diag)
{
	if (der_time(&h->this_update, &facts->this_update))
		return true;
	diag_set(diag, "the list has no thisUpdate that can be read");
	return false;
}

/* Checked last: valid_from is set only if the list is otherwise valid. */
static bool
check_has_begun(struct crl_reading *r, const struct crl *facts, struct diag *diag)
{
	char when[TIMESTAMP_SIZE];

	if (facts->this_update <= r->terms.now)
		return true;
	r->valid_from = facts->this_update;
	timestamp_text(facts->this_update, when);
	diag_set(diag,
	    "the list is valid from %s UTC (thisUpdate), which is in the future; is the clock "
	    "of this machine right? It can be imported then; a crlFile is read again by itself",
	    when);
	return false;
}

/* RFC 5280 5.1.2.5 requires nextUpdate; without it an old list could be replayed. */
static bool
check_end(const struct crl_reading *r, const struct head *h, struct crl *facts, struct diag *diag)
{
	char when[TIMESTAMP_SIZE];

	if (h->next_update.tag == 0) {
		diag_set(diag,
		    "the list has no nextUpdate, so it would be valid forever; the CA has to set one");
		return false;
	}
	if (!der_time(&h->next_update, &facts->next_update)) {
		diag_set(diag, "the list has no nextUpdate that can be read");
		return false;
	}
	if (r->terms.now - facts->next_update <= r->terms.grace)
		return true;
	timestamp_text(facts->next_update, when);
	diag_set(diag, "the list was valid until %s UTC (nextUpdate)%s; import the current one",
	    when, r->terms.grace > 0 ? ", and its grace days are over" : "");
	return false;
}

/* RFC 5280 5.2.3: not negative, at most 20 bytes. */
static bool
copy_number(const ASN1_INTEGER *n, struct crl *facts)
{
	int len = ASN1_STRING_length(n);

	if (ASN1_STRING_type(n) != V_ASN1_INTEGER || len < 1 || len > CRL_NUMBER_MAX)
		return false;
	memcpy(facts->number, ASN1_STRING_get0_data(n), (size_t)len);
	facts->number_len = (uint8_t)len;
	return true;
}

static bool
check_number(const struct crl_reading *r, struct crl *facts, struct diag *diag)
{
	bool is_there;
	ASN1_INTEGER *n = extension(r, NID_crl_number, &is_there);
	bool fits = !is_there || (n != NULL && copy_number(n, facts));

	ASN1_INTEGER_free(n);
	if (!fits)
		diag_set(diag, "the cRLNumber of the list is not a number of 0 to %d bytes",
		    CRL_NUMBER_MAX);
	return fits;
}

static bool
check_signature(const struct crl_reading *r, const struct crl_scheme *scheme, struct diag *diag)
{
	if (crl_signature_is_good(&r->parts, scheme, r->terms.ca))
		return true;
	diag_set(diag, "the list is not signed with the key of this CA, or was changed since");
	return false;
}

bool
crl_check(struct crl_reading *r, struct crl *facts, struct diag *diag)
{
	struct head head;
	struct crl_scheme scheme;

	if (!read_head(r->parts.head, &head)) {
		diag_set(diag, "the list has no issuer or no date");
		return false;
	}
	return check_version(r, &head, diag) && check_algorithms(r, &head, diag) &&
	    check_strength(r, &scheme, diag) && check_issuer(r, diag) &&
	    check_extensions(r, diag) && check_key_id(r, diag) && check_may_sign(r, diag) &&
	    check_is_complete(r, diag) && check_scope(r, facts, diag) &&
	    check_beginning(&head, facts, diag) && check_end(r, &head, facts, diag) &&
	    check_number(r, facts, diag) && check_key(r, diag) &&
	    check_signature(r, &scheme, diag) && check_has_begun(r, facts, diag);
}
