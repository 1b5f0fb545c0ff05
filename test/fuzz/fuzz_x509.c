/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_x509.c - arbitrary bytes as certificates: DER, PEM, and DER as OpenSSL accepts it in a
 * handshake.
 *
 * No crash.  A refusal has a reason.  An accepted certificate is returned unchanged and keeps
 * its id.  OpenSSL's error queue stays empty.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/x509.h"
#include "pki.h"

#define NOW       1800000000000
#define YEAR_1950 (-631152000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth || !pki_no_errors())
		abort();
}

static bool
has_words(const struct diag *diag)
{
	return diag->text[0] != '\0' && memchr(diag->text, 0, sizeof(diag->text)) != NULL;
}

/* DER and PEM of it are read back as the same certificate. */
static void
check_round_trip(struct x509_st *x)
{
	struct x509_st *again;
	struct presented before, after;
	struct view der;
	uint8_t *bytes;
	char *pem;

	if (x509_read(x, &before) != ERR_OK || x509_to_der(x, &bytes, &der.len) != ERR_OK)
		return;
	der.data = bytes;
	require(x509_pem_from_der(der, &pem) == ERR_OK);
	require(x509_from_pem(view_of(pem), &again, NULL) == ERR_OK);
	require(x509_read(again, &after) == ERR_OK && certid_equal(&before.id, &after.id));
	x509_free(again);
	free(pem);
	free(bytes);
}

/* The facts for policies and rules: in order, at most five of each field of AWS, all fields of
 * this project. */
static void
ask_facts(struct x509_st *x)
{
	struct cert_facts *facts;
	size_t same = 1, ours = 0;

	if (x509_read_facts(x, &facts) != ERR_OK) {
		require(facts == NULL);
		return;
	}
	require(facts->count > 0);
	for (size_t i = 0; i < facts->count; i++) {
		require(i == 0 || facts->values[i].field >= facts->values[i - 1].field);
		same = i > 0 && facts->values[i].field == facts->values[i - 1].field ? same + 1 : 1;
		require(same <= CERT_FIELD_VALUES_MAX);
		ours += cert_field_is_ours(facts->values[i].field);
	}
	require(ours == CERT_FIELD_COUNT - FIELD_KEY_TYPE);
	free(facts);
}

static void
ask_everything(struct x509_st *x, size_t size)
{
	struct presented p;
	struct issuer_hint hint;
	struct ca ca;
	struct diag diag = { "" };
	char code[65], subject[64];

	require(x509_read(x, &p) != ERR_OK || p.not_after >= YEAR_1950);
	x509_read_strength(x, &p);
	require(x509_issuer_hint(x, &hint) == ERR_OK);
	require(x509_read_ca(x, &ca) != ERR_OK || ca.key_id.len <= 64);
	require(x509_check_ca(x, NOW, &diag) == ERR_OK || has_words(&diag));
	require(x509_check_client(x, NOW, &diag) == ERR_OK || has_words(&diag));
	require(x509_check_verification(x, x, NOW, code, &diag) == ERR_OK || code[0] == '\0');
	require(strlen(code) <= 64);
	ask_facts(x);
	x509_subject_text(x, subject, 1 + size % sizeof(subject));
	require(strlen(subject) <= size % sizeof(subject));
	x509_hold(x);
	x509_free(x);
}

static void
run_der(struct view in)
{
	struct x509_st *lax = pki_parse(in), *x;
	struct diag diag = { "" };
	uint8_t *der;
	size_t len;

	if (lax != NULL) {
		ask_everything(lax, in.len);
		check_round_trip(lax);
	}
	if (x509_from_der(in, &x, &diag) == ERR_OK) {
		require(lax != NULL);
		require(x509_to_der(x, &der, &len) == ERR_OK);
		require(len == in.len && memcmp(der, in.data, len) == 0);
		free(der);
	} else {
		require(x == NULL && has_words(&diag));
	}
	x509_free(x);
	x509_free(lax);
}

static void
run_pem(struct view in)
{
	struct x509_st *x;
	struct diag diag = { "" };

	if (x509_from_pem(in, &x, &diag) == ERR_OK)
		ask_everything(x, in.len);
	else
		require(x == NULL && has_words(&diag));
	x509_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_der((struct view){ data, size });
	run_pem((struct view){ data, size });
	return 0;
}
