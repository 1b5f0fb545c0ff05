/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fleet.c - see fleet.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "fleet.h"

#include "jitr/adapter/store.h"
#include "jitr/adapter/x509.h"

#define DAY             86400
#define PER_TRANSACTION 10000

static EVP_PKEY *
key_make(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	must(key != NULL, "key");
	return key;
}

/*
 * Certificates.
 */

static void
set_name(X509_NAME *name, const char *common_name)
{
	const unsigned char *text = (const unsigned char *)common_name;

	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0), "name");
}

static void
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(e != NULL && X509_add_ext(x, e, -1), value);
	X509_EXTENSION_free(e);
}

/* Version 3, valid from yesterday for a month, not signed yet. */
static X509 *
blank_make(const char *common_name, EVP_PKEY *key, const X509 *issuer)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();

	must(x != NULL && name != NULL, "certificate");
	set_name(name, common_name);
	must(X509_set_version(x, X509_VERSION_3) && X509_set_subject_name(x, name) &&
		X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : name) &&
		ASN1_INTEGER_set(X509_get_serialNumber(x), 1) && X509_set_pubkey(x, key) &&
		X509_gmtime_adj(X509_getm_notBefore(x), -DAY) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(x), 30L * DAY) != NULL,
	    "certificate");
	X509_NAME_free(name);
	return x;
}

static void
ca_make(struct fleet *f)
{
	f->ca_key = key_make();
	f->ca = blank_make("Benchmark CA", f->ca_key, NULL);
	add_extension(f->ca, f->ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(f->ca, f->ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(f->ca, f->ca, NID_subject_key_identifier, "hash");
	must(X509_sign(f->ca, f->ca_key, EVP_sha256()) > 0, "CA signature");
}

/* The extensions of a device's certificate in openssl's recipes. */
static void
template_make(struct fleet *f)
{
	EVP_PKEY *key = key_make();

	f->template = blank_make("device", key, f->ca);
	add_extension(f->template, f->ca, NID_basic_constraints, "CA:FALSE");
	add_extension(f->template, f->ca, NID_key_usage, "critical,digitalSignature");
	add_extension(f->template, f->ca, NID_ext_key_usage, "clientAuth");
	add_extension(f->template, f->ca, NID_authority_key_identifier, "keyid");
	EVP_PKEY_free(key);
}

static size_t
der_of(const X509 *x, uint8_t **der)
{
	int len = i2d_X509(x, der);

	must(len > 0, "DER");
	return (size_t)len;
}

static X509 *
x509_parse(const uint8_t *der, size_t len)
{
	X509 *x = d2i_X509(NULL, &der, (long)len);

	must(x != NULL, "parse");
	return x;
}

/* The validity as the registry reads it. */
static void
template_facts(struct fleet *f)
{
	struct presented p;
	struct ca ca;

	must(X509_sign(f->template, f->ca_key, EVP_sha256()) > 0, "signature");
	must(x509_read(f->template, &p) == ERR_OK && x509_read_ca(f->ca, &ca) == ERR_OK, "facts");
	f->not_before = p.not_before;
	f->not_after = p.not_after;
	f->ca_id = ca.id;
}

void
fleet_open(struct fleet *f)
{
	*f = (struct fleet){ .made = 0 };
	ca_make(f);
	template_make(f);
	template_facts(f);
}

void
fleet_close(struct fleet *f)
{
	X509_free(f->ca);
	X509_free(f->template);
	EVP_PKEY_free(f->ca_key);
}

static void
set_serial(const struct fleet *f)
{
	ASN1_INTEGER *serial = X509_get_serialNumber(f->template);
	uint8_t bytes[16];

	if (!f->long_serials) {
		must(ASN1_INTEGER_set_uint64(serial, 1000 + f->made), "serial number");
		return;
	}
	must(random_fill(bytes, sizeof(bytes)) == ERR_OK, "random");
	bytes[0] = (bytes[0] & 0x3f) | 0x40; /* positive, no zero in front */
	must(ASN1_STRING_set(serial, bytes, sizeof(bytes)), "serial number");
}

/* The next certificate, its DER in *der for OPENSSL_free(); key NULL: the one
 * that the template had last. */
static size_t
next_certificate(struct fleet *f, EVP_PKEY *key, char *name, size_t name_size, uint8_t **der)
{
	X509_NAME *subject = X509_NAME_new();

	snprintf(name, name_size, "device-%08" PRIu64, ++f->made);
	must(subject != NULL, "name");
	set_name(subject, name);
	set_serial(f);
	must(X509_set_subject_name(f->template, subject) &&
		(key == NULL || X509_set_pubkey(f->template, key)) &&
		X509_sign(f->template, f->ca_key, EVP_sha256()) > 0,
	    "device certificate");
	X509_NAME_free(subject);
	*der = NULL;
	return der_of(f->template, der);
}

static void
id_of(const uint8_t *der, size_t len, struct certid *id)
{
	must(EVP_Digest(der, len, id->b, NULL, EVP_sha256(), NULL), "SHA-256");
}

struct device *
devices_make(struct fleet *f, size_t count)
{
	struct device *d = calloc(count, sizeof(*d));

	must(d != NULL, "memory");
	for (size_t i = 0; i < count; i++) {
		uint8_t *der;
		size_t len;

		d[i].key = key_make();
		len = next_certificate(f, d[i].key, d[i].name, sizeof(d[i].name), &der);
		d[i].x = x509_parse(der, len);
		id_of(der, len, &d[i].id);
		OPENSSL_free(der);
	}
	return d;
}

void
devices_free(struct device *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		X509_free(d[i].x);
		EVP_PKEY_free(d[i].key);
	}
	free(d);
}

/*
 * Files.
 */

static FILE *
open_below(const char *directory, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	must(file != NULL, path);
	return file;
}

void
fleet_write_server(const char *directory)
{
	EVP_PKEY *key = key_make();
	X509 *x = blank_make("localhost", key, NULL);
	FILE *certificate = open_below(directory, "server.pem");
	FILE *secret = open_below(directory, "server.key");

	add_extension(x, x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	must(X509_sign(x, key, EVP_sha256()) > 0, "server certificate");
	must(PEM_write_X509(certificate, x) == 1 && fclose(certificate) == 0, "server.pem");
	must(PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		fclose(secret) == 0,
	    "server.key");
	X509_free(x);
	EVP_PKEY_free(key);
}

/*
 * The registry.
 */

size_t
bench_map_mb(void)
{
	return option("JITR_BENCH_MAP_MB", 2048);
}

struct store *
bench_store_open(const char *directory)
{
	char path[4096];
	struct store_config config = { .path = path,
		.map_size = bench_map_mb() << 20,
		.sha256 = sha256_of };
	struct store *s;
	struct diag diag = { "" };

	snprintf(path, sizeof(path), "%s/db", directory);
	if (store_open(&config, &s, &diag) != ERR_OK)
		die("%s", diag.text);
	return s;
}

static void
put_ca(struct fleet *f, struct txn *t)
{
	struct ca ca = { .mode = MODE_DEFAULT };
	struct ca_document document = { .der = { NULL, 0 } };
	uint8_t *der = NULL;

	document.der.len = der_of(f->ca, &der);
	document.der.data = der;
	must(x509_read_ca(f->ca, &ca) == ERR_OK, "CA facts");
	ca.status = CA_ACTIVE;
	ca.auto_registration = true;
	ca.created = ca.modified = (int64_t)time(NULL) * 1000;
	ca.version = 1;
	must(random_fill(&ca.generation, sizeof(ca.generation)) == ERR_OK, "random");
	store_put_ca(t, &ca, &document);
	OPENSSL_free(der);
}

static void
put_active(struct fleet *f, struct txn *t, uint8_t *der, size_t len)
{
	struct cert_document document = { .der = { der, len } };
	struct cert cert = { .has_ca = true,
		.ca_id = f->ca_id,
		.status = CERT_ACTIVE,
		.mode = MODE_DEFAULT,
		.not_before = f->not_before,
		.not_after = f->not_after,
		.version = 1 };

	id_of(der, len, &cert.id);
	/* As if registered one by one over the last hours. */
	cert.created = ((int64_t)time(NULL) - DAY) * 1000 + (int64_t)f->registered++;
	cert.modified = cert.created;
	must(random_fill(&cert.generation, sizeof(cert.generation)) == ERR_OK, "random");
	store_put_cert(t, &cert, &document);
	OPENSSL_free(der);
}

/* The connecting devices are spread among the others, as ids are. */
void
fleet_register(struct fleet *f, struct store *s, const struct device *d, size_t devices,
    size_t count)
{
	struct txn t;

	must(store_write(s, &t) == ERR_OK, "write transaction");
	put_ca(f, &t);
	for (size_t i = 0; i < count || i < devices; i++) {
		uint8_t *der = NULL;
		char name[32];
		size_t len = i < devices ? der_of(d[i].x, &der)
					 : next_certificate(f, NULL, name, sizeof(name), &der);

		put_active(f, &t, der, len);
		if (i % PER_TRANSACTION != PER_TRANSACTION - 1)
			continue;
		must(store_commit(&t) == ERR_OK && store_write(s, &t) == ERR_OK, "commit");
	}
	must(store_commit(&t) == ERR_OK, "commit");
}

size_t
devices_pending(struct store *s, const struct device *d, size_t count)
{
	size_t found = 0;
	struct txn t;

	must(store_read(s, &t) == ERR_OK, "read transaction");
	for (size_t i = 0; i < count; i++) {
		struct cert cert;

		if (store_get_cert(&t, &d[i].id, &cert) == ERR_OK &&
		    cert.status == CERT_PENDING_ACTIVATION)
			found++;
	}
	store_end(&t);
	return found;
}
