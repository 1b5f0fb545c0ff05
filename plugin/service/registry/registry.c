/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry.c - see registry.h: client certificates, changed by commands.
 * registry_connect.c: by connections.  registry_ca.c: CAs. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/registry.h"
#include "jitr/service/registry_schedule.h"
#include "jitr/service/registry_policy.h"
#include "jitr/adapter/x509.h"

#include "jitr/service/issuer.h"
#include "registry_private.h"
#include "jitr/service/signature_variants.h"

/* The pending statuses are set by a first connection or a transfer, not by commands
 * (aws-iot A.3.1, B.4). */
static enum err
check_status(enum cert_status status, struct diag *diag)
{
	if (status != CERT_PENDING_ACTIVATION && status != CERT_PENDING_TRANSFER)
		return ERR_OK;
	diag_set(diag, "Not allowed to register certificate with %s status",
	    cert_status_name(status));
	return ERR_WRONG_STATE;
}

static enum err
fill_from_ca(const struct ca *ca, struct cert *cert, struct diag *diag)
{
	if (ca->status != CA_ACTIVE) {
		diag_set(diag, "The CA certificate of the given certificate is not active");
		return ERR_WRONG_STATE;
	}
	cert->has_ca = true;
	cert->ca_id = ca->id;
	cert->mode = ca->mode;
	return ERR_OK;
}

static enum err
refuse_without_ca(struct diag *diag)
{
	diag_set(diag, "No CA certificate exists for the given certificate");
	return ERR_WRONG_STATE;
}

/* The caller has named the CA. */
static enum err
use_named_issuer(struct txn *t, const struct cert_registration *r, struct cert *cert,
    struct diag *diag)
{
	struct ca ca, facts;
	enum answer issued;
	enum err e = x509_read_ca(r->issuer, &facts);

	if (e != ERR_OK)
		return e;
	e = store_get_ca(t, &facts.id, &ca);
	if (e == ERR_NOT_FOUND)
		return refuse_without_ca(diag);
	if (e != ERR_OK)
		return e;
	issued = x509_issued_by(r->x, r->issuer);
	if (issued == ANSWER_NOT_ASKED)
		return ERR_NOMEM;
	if (issued != ANSWER_YES) {
		diag_set(diag, "The certificate is not signed by the given CA certificate");
		return ERR_CERTIFICATE;
	}
	return fill_from_ca(&ca, cert, diag);
}

static enum err
search_issuer(struct txn *t, const struct cert_registration *r, struct cert *cert,
    struct diag *diag)
{
	struct issuer issuer;
	enum err e = issuer_find(t, NULL, r->x, &issuer);

	if (e != ERR_OK)
		return e;
	if (issuer.issued == ANSWER_NOT_ASKED)
		return refuse_without_ca(diag);
	if (issuer.issued != ANSWER_YES) {
		diag_set(diag,
		    "The certificate names a registered CA as its issuer, "
		    "but is not signed by it");
		return ERR_CERTIFICATE;
	}
	if (issuer.matches > 1) {
		diag_set(diag,
		    "More than one registered CA has the subject and the key of the "
		    "issuer: pass caCertificatePem");
		return ERR_CONFLICT;
	}
	return fill_from_ca(&issuer.ca, cert, diag);
}

static enum err
put_registered(struct txn *t, const struct cert_registration *r, struct cert *cert)
{
	struct cert_document document = { .pem = r->pem };
	uint8_t *der = NULL;
	enum err e = x509_to_der(r->x, &der, &document.der.len);

	if (e == ERR_OK)
		e = random_fill(&cert->generation, sizeof(cert->generation));
	if (e == ERR_OK) {
		document.der.data = der;
		store_put_cert(t, cert, &document);
		e = t->failed;
	}
	free(der);
	return e;
}

/* Neither the certificate nor a variant of it may be registered (signature_variants.h).
 * After ERR_EXISTS *id is the registered one. */
static enum err
check_new(struct txn *t, const struct presented *p, struct certid *id, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	struct variants variants;
	struct cert cert;
	enum err e = store_get_cert(t, &p->id, &cert);

	*id = p->id;
	if (e == ERR_OK) {
		diag_set(diag, "The certificate is already provisioned or registered");
		return ERR_EXISTS;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = variants_find(t, &p->content, &p->id, NULL, &variants);
	if (e != ERR_OK || variants.count == 0)
		return e;
	*id = variants.other;
	certid_to_hex(id, hex);
	diag_set(diag,
	    "The certificate is already registered, with its signature in another form "
	    "(id: %s)",
	    hex);
	return ERR_EXISTS;
}

enum err
registry_add_cert(struct txn *t, const struct cert_registration *r, int64_t now, struct certid *id,
    struct diag *diag)
{
	struct presented p;
	struct cert cert;
	enum err e = x509_read(r->x, &p);

	if (e == ERR_OK)
		e = check_status(r->status, diag);
	if (e != ERR_OK)
		return e;
	e = check_new(t, &p, id, diag);
	if (e != ERR_OK)
		return e;
	cert = (struct cert){ .id = p.id,
		.status = r->status,
		.mode = MODE_SNI_ONLY,
		.not_before = p.not_before,
		.not_after = p.not_after,
		.created = now,
		.modified = now,
		.version = 1 };
	if (r->with_ca)
		e = r->issuer != NULL ? use_named_issuer(t, r, &cert, diag)
				      : search_issuer(t, r, &cert, diag);
	return e == ERR_OK ? put_registered(t, r, &cert) : e;
}

enum err
registry_get_cert(struct txn *t, const struct certid *id, struct cert *cert, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	enum err e = store_get_cert(t, id, cert);

	if (e == ERR_NOT_FOUND) {
		certid_to_hex(id, hex);
		diag_set(diag, "Certificate not found (id: %s)", hex);
	}
	return e;
}

void
registry_put_status(struct txn *t, struct cert *cert, enum cert_status status,
    const struct cert_note *note, int64_t now)
{
	cert->status = status;
	cert->modified = now;
	cert->version++;
	store_put_cert(t, cert, NULL);
	if (note != NULL)
		store_put_cert_note(t, &cert->id, note);
	else
		store_delete_cert_note(t, &cert->id);
}

/* If an older version has registered several variants, none of them may become ACTIVE. */
static enum err
check_no_variants(struct txn *t, const struct cert *cert, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	struct variants variants;
	enum err e = variants_find_registered(t, cert, &variants);

	if (e != ERR_OK || variants.count == 0)
		return e;
	certid_to_hex(&variants.other, hex);
	diag_set(diag,
	    "The certificate is registered twice, with its signature in another form as "
	    "%s: one of them has to be deleted",
	    hex);
	return ERR_WRONG_STATE;
}

enum err
registry_set_cert_status(struct txn *t, const struct certid *id, enum cert_status status,
    int64_t now, enum cert_status *was, struct diag *diag)
{
	struct cert cert;
	enum err e = registry_get_cert(t, id, &cert, diag);

	if (status != CERT_ACTIVE)
		store_use_reserve(t);
	if (e != ERR_OK)
		return e;
	*was = cert.status;
	if (!decide_status_change(cert.status, status)) {
		diag_set(diag, "The status of a certificate cannot be changed from %s to %s",
		    cert_status_name(cert.status), cert_status_name(status));
		return ERR_WRONG_STATE;
	}
	if (cert.status == status)
		return ERR_OK;
	if (status == CERT_ACTIVE)
		e = check_no_variants(t, &cert, diag);
	if (e != ERR_OK)
		return e;
	registry_put_status(t, &cert, status, NULL, now);
	if (status != CERT_ACTIVE)
		return t->failed;
	return store_fail(t, registry_supersede_by_ca(t, &cert, now));
}

static enum err
check_removable(const struct cert *cert, const char *hex, struct diag *diag)
{
	if (cert->status == CERT_ACTIVE) {
		diag_set(diag,
		    "Certificate must be deactivated (not ACTIVE) before deletion. Id: %s", hex);
		return ERR_WRONG_STATE;
	}
	if (cert->status == CERT_PENDING_TRANSFER) {
		diag_set(diag, "Certificate is being transferred. Id: %s", hex);
		return ERR_WRONG_STATE;
	}
	return ERR_OK;
}

/* AWS's message (aws-iot A.3.9). */
static enum err
refuse_attached(const char *what, const char *arn_prefix, const struct certid *id,
    struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(id, hex);
	diag_set(diag, "%s must be detached before deletion (arn: %scert/%s)", what, arn_prefix,
	    hex);
	return ERR_ATTACHED;
}

static enum err
check_detached(struct txn *t, const struct certid *id, const char *arn_prefix, struct diag *diag)
{
	struct thing_principal first;
	size_t count;
	enum err e = store_list_principal_things(t, id, NULL, &first, 1, &count);

	if (e != ERR_OK || count == 0)
		return e;
	return refuse_attached("Things", arn_prefix, id, diag);
}

/* The names are copied first: views from a listing become invalid with the first change. */
static void
detach_all(struct txn *t, const struct certid *id, const struct view *names, size_t count)
{
	uint8_t copies[POLICIES_PER_CERT_MAX][NAME_MAX_LENGTH];
	size_t len[POLICIES_PER_CERT_MAX];

	for (size_t i = 0; i < count; i++) {
		len[i] = names[i].len;
		memcpy(copies[i], names[i].data, len[i]);
	}
	for (size_t i = 0; i < count; i++)
		store_detach(t, (struct view){ copies[i], len[i] }, id);
}

/* The order of the checks is AWS's: status, things, policies (aws-iot A.3.9). */
enum err
registry_remove_cert(struct txn *t, const struct certid *id, bool force, const char *arn_prefix,
    struct diag *diag)
{
	struct view policies[POLICIES_PER_CERT_MAX + 1];
	char hex[CERTID_HEX_SIZE];
	struct cert cert;
	size_t count;
	enum err e = registry_get_cert(t, id, &cert, diag);

	store_use_reserve(t);
	certid_to_hex(id, hex);
	if (e == ERR_OK)
		e = check_removable(&cert, hex, diag);
	if (e == ERR_OK)
		e = check_detached(t, id, arn_prefix, diag);
	if (e == ERR_OK)
		e = store_list_attached(t, id, NULL, true, policies, COUNT_OF(policies), &count);
	if (e != ERR_OK)
		return e;
	if (count > 0 && !force)
		return refuse_attached("Certificate policies", arn_prefix, id, diag);
	if (count > POLICIES_PER_CERT_MAX)
		return ERR_CORRUPT;
	detach_all(t, id, policies, count);
	store_delete_cert(t, id);
	return t->failed;
}
