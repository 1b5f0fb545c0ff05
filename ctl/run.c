/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * run.c - see run.h.
 *
 * One thread.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "envelope.h"
#include "job.h"
#include "pages.h"
#include "upload.h"
#include "value.h"

/* ---- before connecting ------------------------------------------------ */

MUST_USE static bool
read_output(struct job *j)
{
	const struct given *g = job_given(j, "output");

	j->output = OUTPUT_JSON;
	if (g == NULL || output_parse(g->value, &j->output))
		return true;
	diag_set(&j->why,
	    "argument --output: Invalid choice: '%s', valid choices are: json, text, "
	    "table",
	    g->value);
	return false;
}

/* In mode DEFAULT a CA needs exactly one proof, in SNI_ONLY none (aws-iot A.2.1).  The
 * plugin checks this as well, but its message does not say how to do it here. */
MUST_USE static bool
check_proof(struct job *j)
{
	const char *mode = job_member(j, "certificateMode");
	bool key = job_given(j, "ca-key") != NULL;
	bool certificate = job_given(j, "verification-certificate") != NULL;

	if (key && certificate)
		diag_set(&j->why,
		    "--ca-key makes the proof that --verification-certificate would "
		    "bring: give one of them");
	else if (key && mode != NULL && strcmp(mode, "SNI_ONLY") == 0)
		diag_set(&j->why, "--ca-key: there is no proof in --certificate-mode SNI_ONLY");
	else if (!key && !certificate && (mode == NULL || strcmp(mode, "DEFAULT") == 0))
		diag_set(&j->why,
		    "the proof that you hold the CA's key is missing: give --ca-key "
		    "FILE, or --verification-certificate with a certificate made for the code of "
		    "get-registration-code");
	else
		return true;
	return false;
}

MUST_USE static bool
prepare_register_ca(struct job *j)
{
	const struct given *key = job_given(j, "ca-key");
	char *path;

	if (!check_proof(j))
		return false;
	if (key == NULL)
		return true;
	path = value_path(key->value, &j->why);
	if (path != NULL)
		j->ca_key = ca_key_open(path, job_member(j, "caCertificate"), &j->why);
	free(path);
	return j->ca_key != NULL;
}

MUST_USE static bool
prepare_crl(struct job *j, const struct given *crl)
{
	struct diag why = { "" };

	j->crl = crl_file_open(crl->value, &why);
	if (j->crl == NULL)
		diag_set(&j->why, "Error parsing parameter '--crl': %s", why.text);
	return j->crl != NULL;
}

/* Checks everything that can be checked without a broker. */
MUST_USE static bool
prepare(struct job *j)
{
	const struct given *crl = job_given(j, "crl");

	if (!arguments_complete(&j->arguments, &j->why) || !read_output(j) || !pages_check(j))
		return false;
	j->members = build_members(&j->arguments, &j->why);
	if (j->members == NULL)
		return false;
	if (strcmp(j->arguments.command->name, "register-ca-certificate") == 0)
		return prepare_register_ca(j);
	return crl == NULL || prepare_crl(j, crl);
}

/* ---- requests ----------------------------------------------------------- */

MUST_USE static enum status
ask_and_show(struct job *j)
{
	cJSON *answer;
	enum status status = job_ask(j, j->arguments.command->operation, j->members, &answer);

	if (status == STATUS_DONE)
		status = job_show(j, answer_data(answer));
	cJSON_Delete(answer);
	return status;
}

/* ---- --ca-key ----------------------------------------------------------- */

MUST_USE static enum status
add_proof(struct job *j)
{
	cJSON *nothing = cJSON_CreateObject();
	cJSON *answer = NULL;
	enum status status = job_ask(j, "GetRegistrationCode", nothing, &answer);
	const char *code;
	char *pem = NULL;

	cJSON_Delete(nothing);
	if (status != STATUS_DONE)
		return status;
	code = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(answer_data(answer), "registrationCode"));
	if (code == NULL)
		diag_set(&j->why, "the plugin answered without a registration code");
	else
		pem = ca_key_prove(j->ca_key, code, &j->why);
	if (pem == NULL ||
	    cJSON_AddStringToObject(j->members, "verificationCertificate", pem) == NULL)
		status = job_fail(j->why.text[0] != '\0' ? j->why.text : "out of memory");
	free(pem);
	cJSON_Delete(answer);
	return status;
}

/* ---- commands ----------------------------------------------------------- */

MUST_USE static enum status
ask_command(struct job *j)
{
	if (j->crl != NULL)
		return upload_crl(j);
	return pages_wanted(j) ? pages_show(j) : ask_and_show(j);
}

MUST_USE static enum status
execute(struct job *j)
{
	enum status status = job_connect(j);

	if (status == STATUS_DONE && j->ca_key != NULL)
		status = add_proof(j);
	if (status == STATUS_DONE)
		status = ask_command(j);
	client_close(j->client);
	return status;
}

MUST_USE static enum status
flush(enum status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("standard output");
	return STATUS_FAILED;
}

static enum status
show_help(const struct program *p, const struct command *c)
{
	if (c != NULL)
		help_command(stdout, p, c);
	else
		help_overview(stdout, p);
	return flush(STATUS_DONE);
}

enum status
run(const struct program *p, const struct options *o, int argc, char **argv)
{
	struct job j = { .options = o };
	enum status status;

	if (!arguments_parse(&j.arguments, argc, argv, &j.why)) {
		help_usage(p, j.why.text);
		return STATUS_USAGE;
	}
	if (j.arguments.help)
		return show_help(p, j.arguments.command);
	if (prepare(&j)) {
		status = execute(&j);
	} else {
		help_usage(p, j.why.text);
		status = STATUS_USAGE;
	}
	ca_key_close(j.ca_key);
	crl_file_close(j.crl);
	cJSON_Delete(j.members);
	return flush(status);
}

enum status
run_line(const struct program *p, int argc, char **argv)
{
	struct options o;
	struct diag why = { "" };
	int used = 0;
	enum status status;

	if (!options_parse(&o, argc, argv, &used, &why)) {
		help_usage(p, why.text);
		status = STATUS_USAGE;
	} else if (o.version) {
		(void)puts("mosquitto_jitr " JITR_VERSION);
		status = flush(STATUS_DONE);
	} else if (o.help) {
		status = show_help(p, NULL);
	} else {
		status = run(p, &o, argc - used, argv + used);
	}
	options_free(&o);
	return status;
}
