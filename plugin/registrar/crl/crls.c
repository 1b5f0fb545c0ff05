/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crls.c - see crls.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/registrar/crls.h"

#include "crl_dir.h"
#include "crl_failures.h"
#include "crl_tidy.h"
#include "crl_watch.h"
#include "jitr/core/text.h"
#include "jitr/registrar/writer.h"

/* Certificates that a list names are refused whether their records say REVOKED or not, so
 * a failed attempt to update the records can wait. */
#define TIDY_RETRY_MS 2000

struct crls {
	struct crls_config config;
	struct crl_watch *watch;
	struct crl_failures *failures;
	size_t imports;          /* under way, of requests */
	bool tidy_needed;        /* an import may have left something to crl_tidy.h */
	bool tidy_pending;       /* its job was submitted */
	int64_t tidy_not_before; /* ms since 1970, after a failure */
};

/*
 * Files outside crl_dir: stored by version 0.1, or while the option had another value.
 */

/* The next CA with such a file, and a line about it.  The line is logged by the caller,
 * because no line may be logged while a transaction is open. */
static enum err
next_outside(const struct crls *c, const struct certid *after, struct certid *id, struct text *line)
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
	    crl_dir_contains(c->config.crl_dir, entry.settings.crl_file));
	if (e == ERR_OK && count > 0) {
		certid_to_hex(id, hex);
		text_addf(line, "the revocation list of ca=%s is still read outside crl_dir: \"",
		    hex);
		text_add_escaped(line, entry.settings.crl_file, 200);
		text_add(line, "\"; move it there and set crlFile, or change the option");
	}
	store_end(&t);
	return e == ERR_OK && count == 0 ? ERR_NOT_FOUND : e;
}

static void
report_files_outside(const struct crls *c)
{
	char buffer[1000];
	struct text line = text_in(buffer, sizeof(buffer));
	struct certid id;
	enum err e = next_outside(c, NULL, &id, &line);

	while (e == ERR_OK) {
		report_line(c->config.report, LEVEL_WARNING, "%s", buffer);
		line = text_in(buffer, sizeof(buffer));
		e = next_outside(c, &id, &id, &line);
	}
}

enum err
crls_check_file(const struct crls *c, struct view path, struct diag *diag)
{
	if (crl_dir_contains(c->config.crl_dir, path))
		return ERR_OK;
	diag_set(diag,
	    "crlFile must be a file in the directory that the broker's option crl_dir "
	    "names: a name below it, or a path that begins with it, without . and ..");
	return ERR_REQUEST;
}

/*
 * Results of imports.
 */

const struct crl_failure *
crls_failure(const struct crls *c, const struct certid *ca_id)
{
	return crl_failures_find(c->failures, ca_id);
}

void
crls_begin(struct crls *c)
{
	c->imports++;
}

static void
tell_crl(struct crls *c, const struct certid *named, size_t count)
{
	const struct change_listener *listener = c->config.listener;

	listener->crl(listener->context, named, count);
}

static void
import_succeeded(struct crls *c, const struct crl_result *r)
{
	crl_failures_remove(c->failures, &r->ca_id);
	if (r->unchanged)
		return;
	c->config.stats->crl_imported++;
	c->config.stats->revoked += r->revoked;
	report_crl(c->config.report, &r->ca_id, &r->crl, ERR_OK, "");
	tell_crl(c, r->named->ids, r->named->count);
	c->tidy_needed = true;
}

/* Returns whether the failure is new.  A CA that is not registered has no failures. */
static bool
keep_failure(struct crls *c, const struct certid *ca_id, enum err result, const char *details,
    bool of_file)
{
	struct crl_failure failure = { .time = c->config.now(), .of_file = of_file };

	c->tidy_needed = true;
	if (result == ERR_NOT_FOUND)
		return true;
	diag_set(&failure.details, "%s", details[0] != '\0' ? details : err_text(result));
	return crl_failures_put(c->failures, ca_id, &failure);
}

static void
report_failure(struct crls *c, const struct certid *ca_id, enum err result, const char *details)
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
		import_succeeded(c, &r);
		return;
	}
	(void)keep_failure(c, &r.ca_id, result, diag->text, false);
	report_failure(c, &r.ca_id, result, diag->text);
}

void
crls_removed(struct crls *c, const struct certid *ca_id)
{
	const struct change_listener *listener = c->config.listener;

	listener->crl_removed(listener->context, ca_id);
	listener->crl(listener->context, NULL, 0);
	c->tidy_needed = true;
}

void
crls_ca_deleted(struct crls *c, const struct certid *ca_id)
{
	crl_failures_remove(c->failures, ca_id);
	crls_removed(c, ca_id);
}

/* A file is read repeatedly: the same failure is reported once. */
static void
file_imported(void *context, const struct crl_found *found)
{
	struct crls *c = context;
	struct crl_result r;

	if (found->result == ERR_OK) {
		r = crl_import_result(found->import);
		import_succeeded(c, &r);
	} else if (keep_failure(c, &found->ca_id, found->result, found->diag.text, true)) {
		report_failure(c, &found->ca_id, found->result, found->diag.text);
	}
}

/*
 * The job that tidies up (crl_tidy.h).
 */

struct tidy_job {
	struct job job;
	struct crls *crls;
	struct crl_tidy *tidy;
};

static enum err
tidy_run(struct txn *t, struct job *job, int64_t now)
{
	return crl_tidy_run(((struct tidy_job *)job)->tidy, t, now);
}

static void
tidy_committed(struct job *job)
{
	job->again = crl_tidy_committed(((struct tidy_job *)job)->tidy);
}

static void
tidy_job_free(struct tidy_job *j)
{
	crl_tidy_free(j->tidy);
	free(j);
}

static void
tidy_finish(struct job *job)
{
	struct tidy_job *j = (struct tidy_job *)job;
	struct crl_tidy_result r = crl_tidy_result(j->tidy);
	struct crls *c = j->crls;

	c->tidy_pending = false;
	if (job->result != ERR_OK) {
		c->tidy_needed = true;
		c->tidy_not_before = c->config.now() + TIDY_RETRY_MS;
	}
	if (r.named->count > 0)
		tell_crl(c, r.named->ids, r.named->count);
	if (r.revoked > 0) {
		c->config.stats->revoked += r.revoked;
		report_line(c->config.report, LEVEL_NOTICE,
		    "%zu certificates on revocation lists are REVOKED now", r.revoked);
	}
	tidy_job_free(j);
}

static const struct job_type tidy_type = { "tidy lists", false, tidy_run, tidy_committed,
	tidy_finish };

static bool
is_time_to_tidy(const struct crls *c)
{
	return c->tidy_needed && !c->tidy_pending && c->imports == 0 &&
	    !crl_watch_is_busy(c->watch) && c->config.now() >= c->tidy_not_before;
}

/* Without memory or room in the queue, the next tick tries again. */
static void
submit_tidy(struct crls *c)
{
	struct tidy_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return;
	j->job.type = &tidy_type;
	j->crls = c;
	c->tidy_pending = crl_tidy_new(&j->tidy) == ERR_OK &&
	    writer_submit(c->config.writer, &j->job) == ERR_OK;
	c->tidy_needed = !c->tidy_pending;
	if (!c->tidy_pending)
		tidy_job_free(j);
}

void
crls_settings_changed(struct crls *c)
{
	crl_watch_settings_changed(c->watch);
}

void
crls_tick(struct crls *c)
{
	if (is_time_to_tidy(c))
		submit_tidy(c);
	if (!c->tidy_pending)
		crl_watch_tick(c->watch);
}

/*
 * Open and close.
 */

enum err
crls_open(const struct crls_config *config, struct crls **out)
{
	struct crl_watch_config watch = { .writer = config->writer,
		.now = config->now,
		.dir = config->crl_dir,
		.found = file_imported };
	struct crls *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NOMEM;
	c->config = *config;
	c->tidy_needed = true; /* a registrar that was killed may have left something */
	watch.context = c;
	e = crl_watch_open(&watch, &c->watch);
	if (e == ERR_OK)
		e = crl_failures_new(&c->failures);
	if (e != ERR_OK) {
		crls_close(c);
		return e;
	}
	report_files_outside(c);
	*out = c;
	return ERR_OK;
}

void
crls_close(struct crls *c)
{
	if (c == NULL)
		return;
	crl_failures_free(c->failures);
	crl_watch_close(c->watch);
	free(c);
}
