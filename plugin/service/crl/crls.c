/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crls.c - see crls.h. */
#include <stdlib.h>
#include <string.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include <uthash.h>

#include "jitr/service/crls.h"

#include "crl_place.h"
#include "crl_watch.h"
#include "jitr/core/text.h"

/* A certificate that a list names is refused already; what is left is its record. */
#define TIDY_RETRY_MS 2000

struct failed_list {
	struct certid ca_id;
	struct crl_failure failure;
	UT_hash_handle hh;
};

struct crls {
	struct crls_config config;
	struct crl_watch watch;
	struct failed_list *failures;
	size_t imports; /* under way */
	bool untidy, tidying;
	int64_t tidy_again; /* when, after a failure */
};

static void file_found(void *of, const struct crl_found *found);

/* The next CA whose file is elsewhere, and the line that says so; nothing is logged
 * while a transaction is open. */
static enum err
next_elsewhere(const struct crls *c, const struct certid *after, struct certid *id,
    struct text *line)
{
	struct ca_setting_entry entry;
	char hex[CERTID_HEX_SIZE];
	size_t count = 1;
	struct txn t;
	enum err e = store_read(c->config.store, &t);

	if (e != ERR_OK)
		return e;
	do {
		e = store_list_ca_settings(&t, after, &entry, 1, &count);
		if (e != ERR_OK || count == 0)
			break;
		*id = entry.id;
		after = id;
	} while (entry.settings.crl_file.len == 0 ||
	    crl_place_has(c->config.crl_dir, entry.settings.crl_file));
	if (e == ERR_OK && count > 0) {
		certid_to_hex(id, hex);
		text_addf(line,
		    "the revocation list of ca=%s goes on being read outside crl_dir: \"", hex);
		text_add_escaped(line, entry.settings.crl_file, 200);
		text_add(line, "\"; move it there and set crlFile, or change the option");
	}
	store_end(&t);
	return e == ERR_OK && count == 0 ? ERR_NOT_FOUND : e;
}

/* Stored by version 0.1, or while the option was another. */
static void
tell_of_files_elsewhere(const struct crls *c)
{
	char buffer[1000];
	struct text line = text_in(buffer, sizeof(buffer));
	struct certid id;
	enum err e = next_elsewhere(c, NULL, &id, &line);

	while (e == ERR_OK) {
		report_line(c->config.report, LEVEL_WARNING, "%s", buffer);
		line = text_in(buffer, sizeof(buffer));
		e = next_elsewhere(c, &id, &id, &line);
	}
}

enum err
crls_open(const struct crls_config *config, struct crls **out)
{
	struct crls *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	c->config = *config;
	c->watch = (struct crl_watch){ .writer = config->writer,
		.now = config->now,
		.found = file_found,
		.of = c,
		.dir = config->crl_dir };
	c->untidy = true; /* a broker that was killed may have left something */
	tell_of_files_elsewhere(c);
	*out = c;
	return ERR_OK;
}

enum err
crls_check_file(const struct crls *c, struct view path, struct diag *diag)
{
	if (crl_place_has(c->config.crl_dir, path))
		return ERR_OK;
	diag_set(diag,
	    "crlFile must be a file in the directory that the broker's option crl_dir "
	    "names: a name below it, or a path that begins with it, without . and ..");
	return ERR_REQUEST;
}

static void
failure_remove(struct crls *c, struct failed_list *f)
{
	HASH_DEL(c->failures, f);
	free(f);
}

void
crls_close(struct crls *c)
{
	struct failed_list *f, *next;

	if (c == NULL)
		return;
	HASH_ITER(hh, c->failures, f, next)
		failure_remove(c, f);
	crl_watch_clear(&c->watch);
	free(c);
}

/*
 * Failures.
 */

static struct failed_list *
failure_find(const struct crls *c, const struct certid *ca_id)
{
	struct failed_list *f;

	HASH_FIND(hh, c->failures, ca_id, sizeof(*ca_id), f);
	return f;
}

const struct crl_failure *
crls_failure(const struct crls *c, const struct certid *ca_id)
{
	const struct failed_list *f = failure_find(c, ca_id);

	return f != NULL ? &f->failure : NULL;
}

/* Answers whether it is news. */
static bool
failure_keep(struct crls *c, const struct certid *ca_id, const char *details, bool of_file)
{
	struct failed_list *f = failure_find(c, ca_id);
	bool news = f == NULL || strcmp(f->failure.details.text, details) != 0;

	if (f == NULL) {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return true;
		f->ca_id = *ca_id;
		HASH_ADD(hh, c->failures, ca_id, sizeof(f->ca_id), f);
		if (failure_find(c, ca_id) == NULL) {
			free(f);
			return true;
		}
	}
	f->failure.time = c->config.now();
	f->failure.of_file = of_file;
	diag_set(&f->failure.details, "%s", details);
	return news;
}

/*
 * Imports.
 */

void
crls_begin(struct crls *c)
{
	c->imports++;
}

static void
imported(struct crls *c, const struct crl_result *r)
{
	struct failed_list *f = failure_find(c, &r->ca_id);

	if (f != NULL)
		failure_remove(c, f);
	if (r->unchanged)
		return;
	c->config.stats->crl_imported++;
	c->config.stats->revoked += r->revoked;
	report_crl(c->config.report, &r->ca_id, &r->crl, ERR_OK, "");
	gate_crl_changed(c->config.gate, r->named->ids, r->named->count);
	c->untidy = true;
}

/* Answers whether it is news.  A CA that is not registered has no failures. */
static bool
failed(struct crls *c, const struct certid *ca_id, enum err result, const char *details,
    bool of_file)
{
	c->untidy = true;
	return result == ERR_NOT_FOUND ||
	    failure_keep(c, ca_id, details[0] != '\0' ? details : err_text(result), of_file);
}

static void
not_imported(struct crls *c, const struct certid *ca_id, enum err result, const char *details)
{
	c->config.stats->crl_failed++;
	report_crl(c->config.report, ca_id, NULL, result, details);
}

void
crls_end(struct crls *c, const struct crl_import *i, enum err result, const struct diag *diag)
{
	struct crl_result r = crl_import_result(i);

	c->imports--;
	if (result == ERR_OK) {
		imported(c, &r);
		return;
	}
	(void)failed(c, &r.ca_id, result, diag->text, false);
	not_imported(c, &r.ca_id, result, diag->text);
}

void
crls_removed(struct crls *c, const struct certid *ca_id)
{
	stats_forget_crl(ca_id, c->config.broker);
	gate_crl_changed(c->config.gate, NULL, 0);
	c->untidy = true;
}

void
crls_ca_deleted(struct crls *c, const struct certid *ca_id)
{
	struct failed_list *f = failure_find(c, ca_id);

	if (f != NULL)
		failure_remove(c, f);
	crls_removed(c, ca_id);
}

/* A file that is looked at again and again tells the same story only once. */
static void
file_found(void *of, const struct crl_found *found)
{
	struct crl_result r;

	if (found->result == ERR_OK) {
		r = crl_import_result(found->import);
		imported(of, &r);
	} else if (failed(of, &found->ca_id, found->result, found->diag.text, true)) {
		not_imported(of, &found->ca_id, found->result, found->diag.text);
	}
}

/*
 * Tidying up.
 */

struct tidy_job {
	struct job job;
	struct crls *crls;
	struct crl_tidy tidy;
};

static enum err
tidy_run(struct txn *t, struct job *job, int64_t now)
{
	return crl_tidy_run(&((struct tidy_job *)job)->tidy, t, now);
}

static void
tidy_committed(struct job *job)
{
	job->again = crl_tidy_committed(&((struct tidy_job *)job)->tidy);
}

static void
tidy_finish(struct job *job, void *context)
{
	struct tidy_job *j = (struct tidy_job *)job;
	struct crls *c = j->crls;

	(void)context;
	c->tidying = false;
	if (job->result != ERR_OK) {
		c->untidy = true;
		c->tidy_again = c->config.now() + TIDY_RETRY_MS;
	}
	if (j->tidy.named.count > 0)
		gate_crl_changed(c->config.gate, j->tidy.named.ids, j->tidy.named.count);
	if (j->tidy.now.revoked > 0) {
		c->config.stats->revoked += j->tidy.now.revoked;
		report_line(c->config.report, LEVEL_NOTICE,
		    "%zu certificates on revocation lists are REVOKED now", j->tidy.now.revoked);
	}
	free(j);
}

static const struct job_type tidy_type = { "tidy lists", false, tidy_run, tidy_committed,
	tidy_finish };

static void
start_tidying(struct crls *c)
{
	struct tidy_job *j;

	if (!c->untidy || c->tidying || c->imports > 0 || c->watch.busy ||
	    c->config.now() < c->tidy_again)
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &tidy_type;
	j->crls = c;
	c->tidying = writer_submit(c->config.writer, &j->job) == ERR_OK;
	c->untidy = !c->tidying;
	if (!c->tidying)
		free(j);
}

void
crls_settings_changed(struct crls *c)
{
	crl_watch_settings_changed(&c->watch);
}

void
crls_tick(struct crls *c)
{
	start_tidying(c);
	if (!c->tidying)
		crl_watch_tick(&c->watch);
}
