/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_watch.c - see crl_watch.h. */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include <uthash.h>

#include "jitr/registrar/crls.h"
#include "jitr/registrar/writer.h"

#include "crl_file.h"
#include "crl_watch.h"

/*
 * Why a list could not be imported.  The cause decides when the file is read again although
 * it has not changed.  (A file that has changed is read at the next check, CRL_WATCH_MS
 * later at the latest.)
 */
enum retry_cause {
	/* Not before it changes: it was imported, or its state cannot be read. */
	CAUSE_NONE,
	CAUSE_NO_FILE,

	/* At its thisUpdate, which is in the future. */
	CAUSE_NOT_YET_VALID,

	/* After CRL_WATCH_MS.  RECENT: bad, but perhaps still being written: where file times
	 * have whole seconds, not every change can be seen.  TEMPORARY: no memory, no room
	 * in the registry, an I/O error, a file that cannot be opened or that changed while
	 * it was read. */
	CAUSE_RECENT,
	CAUSE_TEMPORARY,

	/* After BAD_LIST_WAIT_MS, in case the clock was wrong: malformed, of another CA,
	 * with a bad signature, too old. */
	CAUSE_BAD_LIST,
};

#define RECENT_MS        2000
#define BAD_LIST_WAIT_MS 600000

/* A file as it was read last. */
struct watched {
	struct certid ca_id;
	char *path;
	struct crl_file_state state;
	int64_t read_at; /* ms since 1970 */
	int64_t wait;    /* ms until it is read again, though unchanged; 0: for ever */
	bool had_list;   /* its CA had a list in force afterwards */
	UT_hash_handle hh;
};

struct crl_watch {
	struct crl_watch_config config;

	/* The job's while job_pending. */
	struct watched *files;
	struct certid after; /* the CA of the last file that was read */
	bool more;           /* the next job continues after that CA */

	int64_t checked_at; /* 0: check at the next tick */
	int64_t check_by;   /* check at this time at the latest; 0: none */
	bool idle;          /* no CA has a file */
	bool retry;         /* the next job also reads files of lists that were rejected */
	bool job_pending;
};

struct watch_job {
	struct job job;
	struct crl_watch *watch;
	struct crl_import *import;
	bool has_files; /* a CA has a file */
	bool has_found; /* a file has changed: found, path, state and had_list are about it */
	struct crl_found found;
	char *path;
	struct crl_file_state state;
	bool had_list; /* the CA had a list in force before */
};

enum err
crl_watch_open(const struct crl_watch_config *config, struct crl_watch **out)
{
	struct crl_watch *w = calloc(1, sizeof(*w));

	*out = w;
	if (w == NULL)
		return ERR_NOMEM;
	w->config = *config;
	return ERR_OK;
}

static void
watched_remove(struct crl_watch *w, struct watched *file)
{
	HASH_DEL(w->files, file);
	free(file->path);
	free(file);
}

void
crl_watch_close(struct crl_watch *w)
{
	struct watched *file, *next;

	if (w == NULL)
		return;
	HASH_ITER(hh, w->files, file, next)
		watched_remove(w, file);
	free(w);
}

/*
 * The job.
 */

static struct watched *
watched_find(struct watched *files, const struct certid *ca_id)
{
	struct watched *file;

	HASH_FIND(hh, files, ca_id, sizeof(*ca_id), file);
	return file;
}

/* A clock that was set back ends every wait. */
static bool
is_due(const struct watched *file, int64_t now)
{
	return file->wait != 0 && (now < file->read_at || now - file->read_at >= file->wait);
}

/* Is the file as it was read last?  If not, it is read again; also if the list in force was
 * removed since, or its wait is over. */
static bool
is_known(const struct watched *file, const struct watch_job *j, int64_t now)
{
	return file != NULL && strcmp(file->path, j->path) == 0 &&
	    crl_file_state_equal(&file->state, &j->state) && (j->had_list || !file->had_list) &&
	    !is_due(file, now);
}

static enum err
has_list(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct crl crl;

	return store_optional(store_get_crl(t, ca_id, &crl), out);
}

/* Begins the import of a file that has changed. */
static enum err
begin_import(struct watch_job *j, const struct certid *ca_id)
{
	j->found.ca_id = *ca_id;
	j->has_found = true;
	if (j->state.error == 0) {
		j->found.result = crl_import_new_file(ca_id, j->watch->config.dir, j->path,
		    &j->import);
		return j->found.result;
	}
	diag_set(&j->found.diag, "%.200s: %s", j->path, strerror(j->state.error));
	j->found.result = ERR_STORAGE;
	return ERR_OK;
}

/* The file of one CA. */
static enum err
check_file(struct watch_job *j, struct txn *t, const struct ca_setting_entry *entry, int64_t now)
{
	struct view path = entry->settings.crl_file;
	enum err e;

	if (path.len == 0)
		return ERR_OK;
	e = has_list(t, &entry->id, &j->had_list);
	if (e != ERR_OK)
		return e;
	j->has_files = true;
	j->path = strndup((const char *)path.data, path.len);
	if (j->path == NULL)
		return ERR_NOMEM;
	j->state = crl_file_state_read(j->watch->config.dir, j->path);
	if (!is_known(watched_find(j->watch->files, &entry->id), j, now))
		return begin_import(j, &entry->id);
	free(j->path);
	j->path = NULL;
	return ERR_OK;
}

/* Up to the first file that has changed. */
static enum err
check_files(struct watch_job *j, struct txn *t, int64_t now)
{
	struct ca_setting_entry entry;
	struct certid last = j->watch->after;
	size_t count = 1;
	enum err e = store_list_ca_settings(t, j->watch->more ? &last : NULL, &entry, 1, &count);

	while (e == ERR_OK && count > 0 && !j->has_found) {
		e = check_file(j, t, &entry, now);
		last = entry.id;
		if (e == ERR_OK && !j->has_found)
			e = store_list_ca_settings(t, &last, &entry, 1, &count);
	}
	return e;
}

static enum err
watch_run(struct txn *t, struct job *job, int64_t now)
{
	struct watch_job *j = (struct watch_job *)job;
	enum err e = j->has_found ? ERR_OK : check_files(j, t, now);

	if (e == ERR_OK && j->import != NULL)
		e = crl_import_run(j->import, t, now, &j->found.diag);
	return e;
}

static void
watch_committed(struct job *job)
{
	struct watch_job *j = (struct watch_job *)job;

	if (j->import != NULL)
		job->again = crl_import_committed(j->import);
}

/*
 * Its result.
 */

static enum retry_cause
cause_of(const struct watch_job *j, int64_t now)
{
	if (j->found.result == ERR_OK)
		return CAUSE_NONE;
	if (j->state.error != 0)
		return CAUSE_NO_FILE;
	if (j->found.result != ERR_CERTIFICATE)
		return CAUSE_TEMPORARY;
	if (crl_import_valid_from(j->import) > now)
		return CAUSE_NOT_YET_VALID;
	return crl_file_is_recent(&j->state, now, RECENT_MS) ? CAUSE_RECENT : CAUSE_BAD_LIST;
}

/* In ms; 0: until the file changes. */
static int64_t
wait_of(const struct watch_job *j, int64_t now)
{
	switch (cause_of(j, now)) {
	case CAUSE_NONE:
	case CAUSE_NO_FILE:
		return 0;
	case CAUSE_NOT_YET_VALID:
		return crl_import_valid_from(j->import) - now;
	case CAUSE_RECENT:
	case CAUSE_TEMPORARY:
		return CRL_WATCH_MS;
	case CAUSE_BAD_LIST:
		break;
	}
	return BAD_LIST_WAIT_MS;
}

/* Records the file as read; false: no memory. */
static bool
remember(struct watch_job *j)
{
	struct crl_watch *w = j->watch;
	struct watched *file = watched_find(w->files, &j->found.ca_id);

	if (file != NULL)
		watched_remove(w, file);
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return false;
	file->ca_id = j->found.ca_id;
	file->path = j->path;
	file->state = j->state;
	file->read_at = w->config.now();
	file->wait = wait_of(j, file->read_at);
	file->had_list = j->had_list || j->found.result == ERR_OK;
	HASH_ADD(hh, w->files, ca_id, sizeof(file->ca_id), file);
	if (watched_find(w->files, &file->ca_id) == NULL) {
		free(file);
		return false;
	}
	j->path = NULL;
	return true;
}

/* The earliest end of a wait.  Ends in the past belong to files that no CA names any more. */
static void
set_check_by(struct crl_watch *w, int64_t now)
{
	struct watched *file, *next;

	HASH_ITER(hh, w->files, file, next)
		if (file->wait != 0 && file->read_at + file->wait > now &&
		    (w->check_by == 0 || file->read_at + file->wait < w->check_by))
			w->check_by = file->read_at + file->wait;
}

static void
finish_import(struct watch_job *j)
{
	struct crl_watch *w = j->watch;

	if (j->found.result == ERR_OK)
		j->found.result = j->job.result;
	if (j->job.failure != NULL && j->found.diag.text[0] == '\0')
		diag_set(&j->found.diag, "%s", j->job.failure);
	j->found.import = j->import;
	if (remember(j)) {
		w->after = j->found.ca_id;
		w->more = true;
		w->checked_at = 0;
	}
	w->config.found(w->config.context, &j->found);
}

static void
watch_finish(struct job *job)
{
	struct watch_job *j = (struct watch_job *)job;
	struct crl_watch *w = j->watch;

	w->job_pending = false;
	w->idle = w->idle && job->result == ERR_OK && !j->has_files && !w->more;
	w->checked_at = w->config.now();
	w->more = false;
	if (j->has_found)
		finish_import(j);
	if (job->result == ERR_OK || j->has_found)
		set_check_by(w, w->config.now());
	crl_import_free(j->import);
	free(j->path);
	free(j);
}

static const struct job_type watch_type = { "watch lists", false, watch_run, watch_committed,
	watch_finish };

/* For example, a stale list may be accepted with more days of grace. */
static void
end_waits(struct crl_watch *w)
{
	struct watched *file, *next;

	HASH_ITER(hh, w->files, file, next)
		file->wait = file->wait != 0 ? 1 : 0;
	w->retry = false;
}

void
crl_watch_settings_changed(struct crl_watch *w)
{
	w->idle = false;
	w->retry = true;
}

bool
crl_watch_is_busy(const struct crl_watch *w)
{
	return w->job_pending;
}

static bool
is_time_to_check(const struct crl_watch *w, int64_t now)
{
	if (w->job_pending || w->idle)
		return false;
	return w->retry || w->checked_at == 0 || now < w->checked_at ||
	    now - w->checked_at >= CRL_WATCH_MS || (w->check_by != 0 && now >= w->check_by);
}

/* Without memory or room in the queue, the next tick tries again. */
void
crl_watch_tick(struct crl_watch *w)
{
	struct watch_job *j;
	int64_t now = w->config.now();

	if (!is_time_to_check(w, now))
		return;
	w->checked_at = w->check_by = 0;
	if (w->retry)
		end_waits(w);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &watch_type;
	j->watch = w;
	w->job_pending = writer_submit(w->config.writer, &j->job) == ERR_OK;
	if (!w->job_pending) {
		free(j);
		return;
	}
	w->checked_at = now;
	w->idle = true; /* unless the job finds a file */
}
