/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_memory.c - the nth allocation fails, for every n.
 *
 * A function then reports lack of memory, does not report its input as invalid, and works
 * afterwards.  Allocations of OpenSSL, cJSON, libc and LMDB fail too (fault.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "forms.h"
#include "gates.h"
#include "jitr/adapter/crl.h"
#include "jitr/adapter/json.h"
#include "jitr/core/json_grammar.h"
#include "jitr/service/registry_policy.h"
#include "jitr/core/rule.h"
#include "jitr/core/template.h"
#include "jitr/adapter/x509.h"
#include "pki_crl.h"
#include "suite.h"

#define TRIES_MAX 5000 /* allocations of one run */

/* No long repetitions: glibc 2.36 frees memory twice if an allocation fails for an expression
 * like x{0,64}. */
#define RULE \
	"{\"conditions\": {\"StringMatches\": {\"iot:Certificate.Subject.CommonName\": " \
	"[\"d[0-9]{1,3}\", \"[a-f]+-(x|y)*z\"]}, \"StringLike\": {\"iot:ClientId\": \"d*\"}}," \
	" \"policies\": [\"device\"], \"thing\": \"${iot:Certificate.Subject.CommonName}\"}"

#define TEMPLATE \
	"{\"Parameters\": {\"AWS::IoT::Certificate::Id\": {\"Type\": \"String\"}," \
	" \"AWS::IoT::Certificate::CommonName\": {\"Type\": \"String\"}}, \"Resources\": {" \
	"\"thing\": {\"Type\": \"AWS::IoT::Thing\", \"Properties\": {\"ThingName\": " \
	"{\"Ref\": \"AWS::IoT::Certificate::CommonName\"}}}," \
	"\"certificate\": {\"Type\": \"AWS::IoT::Certificate\", \"Properties\": " \
	"{\"CertificateId\": {\"Ref\": \"AWS::IoT::Certificate::Id\"}, \"Status\": \"ACTIVE\"}}," \
	"\"policy\": {\"Type\": \"AWS::IoT::Policy\", \"Properties\": {\"PolicyName\": \"device\"}}}}"

#define POLICY \
	"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": " \
	"[\"iot:Connect\", \"iot:Publish\"], \"Resource\": [\"*\", " \
	"\"arn:aws:iot:local:123456789012:topic/${iot:ClientId}/\\u00e4\"], \"Condition\": " \
	"{\"StringNotEquals\": {\"iot:Certificate.Subject.Country\": [\"XX\", \"YY\"]}}}]}"

/*
 * Functions that read input.  Each returns its result for valid input.
 */

static struct pki_cert *issuer, *leaf, *verification;
static struct pki_crl *list;
static struct diag said;

static enum err
read_rule(void)
{
	struct rule *rule;
	enum err e = rule_compile(view_of(RULE), &rule, &said);

	rule_free(rule);
	return e;
}

static enum err
read_template(void)
{
	struct arn_scope scope = arn_scope_of("local", "123456789012");
	struct template *template;
	enum err e = template_compile(view_of(TEMPLATE), &scope, &template, &said);

	template_free(template);
	return e;
}

static enum err
read_policy(void)
{
	struct arn_scope scope = arn_scope_of("local", "123456789012");
	struct policy *policy;
	enum err e = policy_compile(view_of(POLICY), &scope, &policy, &said);

	policy_free(policy);
	return e;
}

static enum err
read_json(void)
{
	cJSON *value = NULL;
	enum err e = json_parse(view_of("\xef\xbb\xbf {\"a\\ud83d\\ude00\": [1, -2.5e3, 007, true, "
					"null, \"\t\"], \"b\": {}, \"c\": [] }\n"),
	    4, &value, &said);

	if (e == ERR_OK)
		cJSON_Delete(value);
	return e;
}

static bool
is_good(const struct presented *p)
{
	return p->is_leaf && p->strong_key && p->strong_signature && p->known_extensions;
}

static enum err
read_der(void)
{
	struct x509_st *x;
	struct presented p;
	enum err e = x509_from_der(leaf->der, &x, &said);

	/* The result read under lack of memory is a complete one. */
	fault_pause(true);
	if (e == ERR_OK &&
	    (x509_read(x, &p) != ERR_OK || x509_read_strength(x, &p) != ERR_OK || !is_good(&p)))
		e = ERR_CORRUPT;
	x509_free(x);
	fault_pause(false);
	return e;
}

static enum err
read_pem(void)
{
	struct x509_st *x;
	enum err e = x509_from_pem(leaf->pem, &x, &said);

	x509_free(x);
	return e;
}

static enum err
read_facts(void)
{
	struct cert_facts *facts;
	enum err e = x509_read_facts(leaf->x, &facts);

	free(facts);
	return e;
}

static enum err
read_certificate(void)
{
	struct presented p;
	struct issuer_hint hint;
	uint8_t *der = NULL;
	size_t len;
	enum err e = x509_read(leaf->x, &p);

	if (e == ERR_OK)
		e = x509_issuer_hint(leaf->x, &hint);
	if (e == ERR_OK)
		e = x509_to_der(leaf->x, &der, &len);
	free(der);
	return e;
}

/* A new object each time, because OpenSSL caches what it computes for a certificate. */
static struct x509_st *
fresh(const struct pki_cert *c)
{
	return pki_parse(c->der);
}

static enum err
read_strength(void)
{
	static struct x509_st *x;
	struct presented p = { .is_leaf = false };
	enum err e;

	fault_pause(true);
	x509_free(x);
	x = fresh(leaf);
	fault_pause(false);
	e = x509_read_strength(x, &p);
	return e == ERR_OK && !is_good(&p) ? ERR_CORRUPT : e;
}

static enum err
check_issuer(void)
{
	enum answer issued = x509_issued_by(leaf->x, issuer->x);

	return issued == ANSWER_YES ? ERR_OK : issued == ANSWER_NO ? ERR_CORRUPT : ERR_NOMEM;
}

static enum err
check_authority(void)
{
	return x509_check_ca(issuer->x, world_now(), &said);
}

static enum err
check_client(void)
{
	return x509_check_client(leaf->x, world_now(), &said);
}

static enum err
check_proof(void)
{
	char code[65];

	return x509_check_verification(verification->x, issuer->x, world_now(), code, &said);
}

static enum err
read_list(void)
{
	struct crl_list *l;
	enum err e = crl_read(list->pem, &(struct crl_terms){ issuer->x, 0, world_now() }, &l, NULL,
	    &said);

	crl_free(l);
	return e;
}

static const struct {
	const char *what;
	enum err (*run)(void);
} readers[] = {
	{ "a rule", read_rule },
	{ "a template", read_template },
	{ "a policy", read_policy },
	{ "JSON", read_json },
	{ "a certificate in DER", read_der },
	{ "a certificate in PEM", read_pem },
	{ "what a certificate says", read_facts },
	{ "a certificate of a handshake", read_certificate },
	{ "its strength", read_strength },
	{ "its issuer", check_issuer },
	{ "a CA certificate", check_authority },
	{ "a client certificate", check_client },
	{ "a proof", check_proof },
	{ "a revocation list", read_list },
};

static void
set_up(void)
{
	issuer = pki_ca("Test CA");
	leaf = pki_make(&(struct pki_options){ .common_name = "d1", .issuer = issuer, .sans = 2 });
	verification = pki_verification(issuer, "code");
	list = pki_crl(issuer, leaf);
	world_set_clock(INT64_C(1000) * time(NULL));
}

static void
tear_down(void)
{
	pki_crl_free(list);
	pki_free(verification);
	pki_free(leaf);
	pki_free(issuer);
}

START_TEST(a_failed_allocation_is_not_reported_as_invalid_input)
{
	bool lasting = _i % 2, failed = true;
	enum err (*run)(void) = readers[_i / 2].run;
	unsigned long n;

	if (!fault_works())
		return;
	ck_assert_int_eq(run(), ERR_OK); /* static objects are allocated now */
	for (n = 1; failed && n < TRIES_MAX; n++) {
		enum err e;

		memset(&said, 0, sizeof(said));
		fault_at(n, lasting);
		e = run();
		failed = fault_end();
		ck_assert_msg(e == ERR_OK || (failed && e == ERR_NOMEM),
		    "%s, allocation %lu: %s (%s)", readers[_i / 2].what, n, err_text(e), said.text);
		ck_assert_msg(e == ERR_OK || said.text[0] == '\0', "%s, allocation %lu: %s",
		    readers[_i / 2].what, n, said.text);
	}
	ck_assert_msg(!failed && n > 2, "%s: %lu allocations", readers[_i / 2].what, n);
	ck_assert_int_eq(run(), ERR_OK);
}
END_TEST

START_TEST(invalid_json_is_not_reported_as_lack_of_memory)
{
	static const char *const texts[] = { "", "{", "[1,]", "{\"a\" 1}", "\"", "nul", "-", ".5",
		"\"\\ud800\"", "\"\\x\"", "\"\\u12g4\"", "[1 2]", "{1: 2}", "'a'", "[\"a\\\"]" };
	struct diag diag = { "" };
	cJSON *value;

	ck_assert_msg(json_parse(view_of(texts[_i]), 4, &value, &diag) == ERR_REQUEST, "%s",
	    texts[_i]);
	ck_assert(diag.text[0] != '\0');
}
END_TEST

/* Every byte of a text is changed: cJSON accepts exactly what json_is_value() accepts. */
START_TEST(the_grammar_is_that_of_cjson)
{
	static const char text[] =
	    " {\"a\\ud83d\\ude00\\n\": [1, -2.5e+3, true, null, \"b\"], \"c\": {}}";
	char copy[sizeof(text)];

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (int byte = 1; byte < 128; byte++) {
			struct view v = { (const uint8_t *)copy, sizeof(text) - 1 };
			cJSON *value;

			memcpy(copy, text, sizeof(text));
			copy[at] = (char)byte;
			/* cJSON reads malformed digits as NUL; such texts are not given to it. */
			if (copy[at] != text[at] && strstr(copy, "\\u") != NULL &&
			    !json_is_value(v, 8))
				continue;
			value = cJSON_ParseWithLengthOpts(copy, v.len, NULL, false);
			ck_assert_msg((value != NULL) == json_is_value(v, 8), "%s", copy);
			cJSON_Delete(value);
		}
}
END_TEST

/*
 * The gate.
 */

static char clients[2];

static enum verdict
connect_device(const struct pki_cert *c)
{
	struct client client = { .handle = &clients[0],
		.id = "d1",
		.address = "192.0.2.1",
		.x = fresh(c) };
	enum verdict v = gate_connect(gate, &client);

	x509_free(client.x);
	return v;
}

static void
leave(void)
{
	gate_disconnected(gate, &(struct client){ .handle = &clients[0] },
	    &(struct presence_end){ ANSWER_NO, NULL });
	gate_tick(gate);
	world_settle();
}

static void
open_world(void)
{
	struct view text = view_of(RULE);
	struct certid id;
	struct txn t;

	gates_open(AUTHORIZATION_POLICY, "d0");
	id = world_id(ca);
	world_change(&t);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"),
			     &(struct new_policy_version){ .document = view_of(POLICY),
				 .form = form_text(FORM_POLICY, view_of(POLICY)) },
			     world_now(), NULL),
	    ERR_OK);
	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){
				 .settings = { .activation = &text,
				     .activation_form = form_text(FORM_RULE, text) } },
			     world_now(), NULL),
	    ERR_OK);
	world_commit(&t);
	world_start_writer(64, 16);
	open_gate();
}

/* Reasons about the certificate, its CA, its rule or its policies. */
static void
assert_no_certificate_is_blamed(unsigned long n)
{
	static const char *const codes[] = { "CERTIFICATE_MALFORMED", "KEY_UNSUPPORTED",
		"ALGORITHM_UNSUPPORTED", "EXTENSION_UNSUPPORTED", "CERTIFICATE_IS_CA",
		"NOT_ISSUED_BY_CA", "CA_CERTIFICATE_NOT_REGISTERED", "ACTIVATION_RULE",
		"POLICY_UNUSABLE", "NO_POLICY", "AUTHORIZATION_FAILURE", "PROVISIONING_FAILED" };

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		ck_assert_msg(!world_said(codes[i]), "allocation %lu: %s", n, codes[i]);
}

/* A first connection of a new device each time, with a new gate or one with compiled policies.
 * The attempt may be refused; the next one is not. */
START_TEST(a_first_connection_without_memory_is_refused_once)
{
	bool new_gate = _i & 1, lasting = _i & 2, failed = true;
	unsigned long n;

	if (!fault_works())
		return;
	open_world();
	ck_assert_int_eq(connect_device(device), VERDICT_ALLOW);
	leave();
	for (n = 1; failed && n < TRIES_MAX; n++) {
		struct pki_cert *c = pki_device(ca, "d1");
		struct client client = { .handle = &clients[0],
			.id = "d1",
			.address = "192.0.2.1",
			.x = fresh(c) };
		enum verdict v;

		if (new_gate)
			open_gate();
		world_forget();
		fault_at(n, lasting);
		v = gate_connect(gate, &client);
		failed = fault_end();
		world_settle();
		gate_tick(gate);
		ck_assert_msg(failed || v == VERDICT_ALLOW, "without a fault: %d", v);
		assert_no_certificate_is_blamed(n);
		leave();
		x509_free(client.x);
		ck_assert_msg(connect_device(c) == VERDICT_ALLOW, "allocation %lu stays missing",
		    n);
		leave();
		pki_free(c);
	}
	ck_assert_msg(!failed && n > 10, "%lu allocations", n);
	gates_close();
}
END_TEST

/* A policy changes while devices are connected.  Their packets are refused until it can be
 * compiled, because it may have a Deny.  This happens at a tick, without a new connection. */
START_TEST(a_policy_that_could_not_be_compiled_is_compiled_at_the_next_tick)
{
	struct client client = { .handle = &clients[0], .id = "d1", .address = "192.0.2.1" };
	struct txn t;

	if (!fault_works())
		return;
	open_world();
	client.x = fresh(device);
	ck_assert_int_eq(gate_connect(gate, &client), VERDICT_ALLOW);
	world_settle();
	ck_assert_int_eq(gates_access(&client, ACTION_WRITE, "up", false), ACCESS_ALLOW);
	world_change(&t);
	ck_assert_int_eq(registry_create_policy_version(&t, view_of("device"),
			     &(struct new_policy_version){ view_of(POLICY " "),
				 form_text(FORM_POLICY, view_of(POLICY)), true },
			     world_now(), &(uint32_t){ 0 }, NULL),
	    ERR_OK);
	world_commit(&t);

	fault_at(1, true);
	gate_policy_changed(gate, view_of("device"));
	ck_assert(fault_end());
	ck_assert_int_eq(gates_access(&client, ACTION_WRITE, "up", false), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_int_eq(gates_access(&client, ACTION_WRITE, "up", false), ACCESS_ALLOW);
	x509_free(client.x);
	gates_close();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	TCase *t = suite_case(suite, "input");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_failed_allocation_is_not_reported_as_invalid_input, 0,
	    2 * (int)COUNT_OF(readers));
	tcase_add_loop_test(t, invalid_json_is_not_reported_as_lack_of_memory, 0, 15);
	tcase_add_test(t, the_grammar_is_that_of_cjson);
	t = suite_case(suite, "gate");
	tcase_add_loop_test(t, a_first_connection_without_memory_is_refused_once, 0, 4);
	tcase_add_test(t, a_policy_that_could_not_be_compiled_is_compiled_at_the_next_tick);
	return suite_run(suite);
}
