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
#include "client.h"
#include "envelope.h"
#include "print.h"
#include "proof.h"
#include "terminal.h"
#include "value.h"

#define PAGE_SIZE 250 /* as large as the service has them (aws-iot 1.6) */

/* One command on its way. */
struct job {
	const struct options *options;
	struct arguments      arguments;
	enum output           output;
	cJSON                *members; /* of the request */
	struct ca_key        *ca_key;  /* --ca-key */
	struct client        *client;
	struct diag           why;
};

static const struct given *
given(const struct job *j, const char *name)
{
	return arguments_given(&j->arguments, name);
}

static const char *
member(const struct job *j, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j->members, name));
}

/* ---- before the broker is asked ---------------------------------------- */

MUST_USE static bool
read_output(struct job *j)
{
	const struct given *g = given(j, "output");

	j->output = OUTPUT_JSON;
	if (g == NULL || output_parse(g->value, &j->output))
		return true;
	diag_set(&j->why, "argument --output: Invalid choice: '%s', valid choices are: json, text, "
	    "table", g->value);
	return false;
}

/* In mode DEFAULT a CA needs exactly one proof, in SNI_ONLY none (aws-iot
 * A.2.1).  The plugin would say so, too, but not how to do it. */
MUST_USE static bool
check_proof(struct job *j)
{
	const char *mode = member(j, "certificateMode");
	bool key = given(j, "ca-key") != NULL;
	bool certificate = given(j, "verification-certificate") != NULL;

	if (key && certificate)
		diag_set(&j->why, "--ca-key makes the proof that --verification-certificate would "
		    "bring: give one of them");
	else if (key && mode != NULL && strcmp(mode, "SNI_ONLY") == 0)
		diag_set(&j->why, "--ca-key: there is no proof in --certificate-mode SNI_ONLY");
	else if (!key && !certificate && (mode == NULL || strcmp(mode, "DEFAULT") == 0))
		diag_set(&j->why, "the proof that you hold the CA's key is missing: give --ca-key "
		    "FILE, or --verification-certificate with a certificate made for the code of "
		    "get-registration-code");
	else
		return true;
	return false;
}

MUST_USE static bool
prepare_register_ca(struct job *j)
{
	const struct given *key = given(j, "ca-key");
	char *path;

	if (!check_proof(j))
		return false;
	if (key == NULL)
		return true;
	path = value_path(key->value, &j->why);
	if (path != NULL)
		j->ca_key = ca_key_open(path, member(j, "caCertificate"), &j->why);
	free(path);
	return j->ca_key != NULL;
}

/* Everything that can be wrong without a broker. */
MUST_USE static bool
prepare(struct job *j)
{
	if (!arguments_complete(&j->arguments, &j->why) || !read_output(j))
		return false;
	j->members = build_members(&j->arguments, &j->why);
	if (j->members == NULL)
		return false;
	if (strcmp(j->arguments.command->name, "register-ca-certificate") == 0)
		return prepare_register_ca(j);
	return true;
}

/* ---- what the broker says ----------------------------------------------- */

static void
complain(const char *text)
{
	char *safe = print_safe(text);

	(void)fprintf(stderr, "\n%s\n", safe != NULL ? safe : text);
	free(safe);
}

static void
print_refusal(const char *operation, const cJSON *answer)
{
	char *error = print_safe(answer_error(answer));
	char *message = print_safe(answer_message(answer));

	(void)fprintf(stderr, "\nAn error occurred (%s) when calling the %s operation: %s\n",
	    error != NULL ? error : "", operation, message != NULL ? message : "");
	free(error);
	free(message);
}

/* One request; *answer is the caller's when it is done. */
MUST_USE static enum status
ask(struct job *j, const char *operation, const cJSON *members, cJSON **answer)
{
	*answer = client_ask(j->client, operation, members, &j->why);
	if (*answer == NULL) {
		terminal_progress_end();
		complain(j->why.text);
		return STATUS_UNREACHABLE;
	}
	if (answer_error(*answer) == NULL)
		return STATUS_DONE;
	terminal_progress_end();
	print_refusal(operation, *answer);
	cJSON_Delete(*answer);
	*answer = NULL;
	return STATUS_REFUSED;
}

MUST_USE static enum status
fail(const char *why)
{
	terminal_progress_end();
	complain(why);
	return STATUS_FAILED;
}

MUST_USE static enum status
show(const struct job *j, const cJSON *data)
{
	terminal_progress_end();
	if (!print_answer(stdout, j->output, j->arguments.command->operation, data,
	        terminal_width()))
		return fail("out of memory");
	return STATUS_DONE;
}

MUST_USE static enum status
ask_and_show(struct job *j)
{
	cJSON *answer;
	enum status status = ask(j, j->arguments.command->operation, j->members, &answer);

	if (status == STATUS_DONE)
		status = show(j, answer_data(answer));
	cJSON_Delete(answer);
	return status;
}

/* ---- --ca-key ----------------------------------------------------------- */

MUST_USE static enum status
add_proof(struct job *j)
{
	cJSON *nothing = cJSON_CreateObject();
	cJSON *answer = NULL;
	enum status status = ask(j, "GetRegistrationCode", nothing, &answer);
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
		status = fail(j->why.text[0] != '\0' ? j->why.text : "out of memory");
	free(pem);
	cJSON_Delete(answer);
	return status;
}

/* ---- lists -------------------------------------------------------------- */

/* How lists call the parts of their pages. */
struct paging {
	const char *size, *from, *next;
};

static const struct paging by_marker = {"pageSize", "marker", "nextMarker"};
static const struct paging by_token = {"maxResults", "nextToken", "nextToken"};

struct list {
	struct job *job;
	const struct paging *paging;
	cJSON      *entries; /* of all pages so far */
	size_t      count;
	int         page_size;
	int         max_items; /* 0: all */
	char       *marker;    /* of the next page; NULL: this was the last */
};

MUST_USE static bool
set_member(cJSON *object, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (value != NULL && cJSON_AddItemToObject(object, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

/* The next page is never larger than what is still wanted, so that the marker
 * behind it is where the next command goes on. */
MUST_USE static bool
next_request(struct list *l)
{
	cJSON *members = l->job->members;
	int size = l->page_size;

	if (l->max_items > 0 && (size_t)size > (size_t)l->max_items - l->count)
		size = (int)((size_t)l->max_items - l->count);
	return set_member(members, l->paging->size, cJSON_CreateNumber(size)) &&
	    (l->marker == NULL ||
	        set_member(members, l->paging->from, cJSON_CreateString(l->marker)));
}

MUST_USE static bool
take_entries(struct list *l, const cJSON *data)
{
	cJSON *page = cJSON_GetObjectItemCaseSensitive(data, l->job->arguments.command->list);

	while (page != NULL && page->child != NULL) {
		cJSON *entry = cJSON_DetachItemViaPointer(page, page->child);

		if (!cJSON_AddItemToArray(l->entries, entry)) {
			cJSON_Delete(entry);
			return false;
		}
		l->count++; /* cJSON would count them anew each time */
	}
	return true;
}

/* Where the next page begins: not where this one did, or it would never end. */
MUST_USE static bool
take_marker(struct list *l, const cJSON *data)
{
	const cJSON *behind = cJSON_GetObjectItemCaseSensitive(data, l->paging->next);
	const char *next = cJSON_GetStringValue(behind);
	char *old = l->marker;
	bool ok = true;

	l->marker = NULL;
	if (next != NULL && old != NULL && strcmp(next, old) == 0) {
		diag_set(&l->job->why, "the plugin answers the same page again and again");
		ok = false;
	} else if (next != NULL && next[0] != '\0') {
		l->marker = strdup(next);
		ok = l->marker != NULL;
	}
	free(old);
	return ok;
}

MUST_USE static enum status
fetch_pages(struct list *l)
{
	const char *operation = l->job->arguments.command->operation;

	do {
		enum status status;
		cJSON *answer;
		bool ok;

		if (!next_request(l))
			return fail("out of memory");
		status = ask(l->job, operation, l->job->members, &answer);
		if (status != STATUS_DONE)
			return status;
		diag_set(&l->job->why, "out of memory"); /* unless they know better */
		ok = take_entries(l, answer_data(answer)) && take_marker(l, answer_data(answer));
		cJSON_Delete(answer);
		if (!ok)
			return fail(l->job->why.text);
		if (!l->job->options->quiet)
			terminal_progress(l->job->arguments.command->list, l->count);
	} while (l->marker != NULL && (l->max_items == 0 || l->count < (size_t)l->max_items));
	return STATUS_DONE;
}

/* As the AWS CLI: in text a record of its own, behind the others. */
MUST_USE static enum status
show_list(struct list *l)
{
	const struct job *j = l->job;
	cJSON *all = cJSON_CreateObject();
	cJSON *token = all;
	bool ok = all != NULL && set_member(all, j->arguments.command->list, l->entries);
	enum status status = STATUS_DONE;

	l->entries = NULL;
	if (ok && j->output == OUTPUT_TEXT && l->marker != NULL) {
		status = show(j, all);
		cJSON_DeleteItemFromObjectCaseSensitive(all, j->arguments.command->list);
		token = cJSON_AddObjectToObject(all, "NextToken");
	}
	if (ok && l->marker != NULL)
		ok = cJSON_AddStringToObject(token, "NextToken", l->marker) != NULL;
	if (ok && status == STATUS_DONE)
		status = show(j, all);
	cJSON_Delete(all);
	return ok ? status : fail("out of memory");
}

MUST_USE static bool
read_limits(struct list *l)
{
	const struct given *size = given(l->job, "page-size");
	const struct given *most = given(l->job, "max-items");
	const struct given *from = given(l->job, "starting-token");
	struct diag *d = &l->job->why;

	l->page_size = PAGE_SIZE;
	if (size != NULL && !value_number(size->value, &l->page_size, d))
		return false;
	if (most != NULL && (!value_number(most->value, &l->max_items, d) || l->max_items < 1)) {
		diag_set(d, "argument --max-items: invalid number: '%s'", most->value);
		return false;
	}
	if (from != NULL)
		l->marker = strdup(from->value);
	return true;
}

MUST_USE static enum status
list_and_show(struct job *j)
{
	struct list l = {.job = j, .entries = cJSON_CreateArray()};
	enum status status;

	if (l.entries == NULL)
		return fail("out of memory");
	l.paging = j->arguments.command->tokens ? &by_token : &by_marker;
	status = read_limits(&l) ? fetch_pages(&l) : fail(j->why.text);
	if (status == STATUS_DONE)
		status = show_list(&l);
	cJSON_Delete(l.entries);
	free(l.marker);
	return status;
}

/* ---- the whole ---------------------------------------------------------- */

static bool
all_pages(const struct job *j)
{
	return j->arguments.command->list != NULL && given(j, "marker") == NULL &&
	    given(j, "next-token") == NULL && given(j, "max-results") == NULL &&
	    given(j, "no-paginate") == NULL;
}

MUST_USE static enum status
carry_out(struct job *j)
{
	enum status status = STATUS_DONE;

	j->client = client_open(j->options, &j->why);
	if (j->client == NULL) {
		complain(j->why.text);
		return STATUS_UNREACHABLE;
	}
	if (j->ca_key != NULL)
		status = add_proof(j);
	if (status == STATUS_DONE)
		status = all_pages(j) ? list_and_show(j) : ask_and_show(j);
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
	struct job j = {.options = o};
	enum status status;

	if (!arguments_parse(&j.arguments, argc, argv, &j.why)) {
		help_usage(p, j.why.text);
		return STATUS_USAGE;
	}
	if (j.arguments.help)
		return show_help(p, j.arguments.command);
	if (prepare(&j)) {
		status = carry_out(&j);
	} else {
		help_usage(p, j.why.text);
		status = STATUS_USAGE;
	}
	ca_key_close(j.ca_key);
	cJSON_Delete(j.members);
	return flush(status);
}

enum status
run_line(const struct program *p, int argc, char **argv)
{
	struct options o;
	struct diag why = {""};
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
