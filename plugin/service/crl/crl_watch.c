/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_watch.c - see crl_watch.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include <uthash.h>

#include "jitr/service/crls.h"

#include "crl_place.h"
#include "crl_watch.h"

/*
 * How long to wait until a file is read again that has not changed, by why its list could
 * not be taken.  Each is looked at every CRL_WATCH_MS, which is the wait of all that may be
 * mended at any moment: a file that changes is read at once.
 */
enum cause {
	CAUSE_NONE,      /* it was taken: when it changes */
	CAUSE_NO_FILE,   /* missing, or may not be looked at: when that changes */
	CAUSE_NOT_YET,   /* from the future: when its thisUpdate comes */
	CAUSE_YOUNG,     /* wrong, but written just now and perhaps not to its end: a time in
	                     * full seconds does not show each change */
	CAUSE_ELSEWHERE, /* no memory, no room in the registry, a disk that fails, a file that
	                     * may not be read or changed meanwhile: CRL_WATCH_MS */
	CAUSE_LIST,      /* broken, of another CA, badly signed, too old: nothing that time
	                     * mends, so this is in case that the clock is */
};

#define YOUNG_MS     2000
#define WAIT_LIST_MS 600000

/* What a file is, or why it cannot be looked at. */
struct file_state {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	int error; /* errno; 0: none */
};

struct watched {
	struct certid ca_id;
	char *path;
	struct file_state state;
	int64_t read;  /* when it was read last, and how long to wait until it is */
	int64_t wait;  /* read again, though it has not changed; 0: for ever */
	bool had_list; /* its CA had one in force then */
	UT_hash_handle hh;
};

struct watch_job {
	struct job job;
	struct crl_watch *watch;
	struct crl_import *import;
	bool has_files, has_found;
	bool had_list;
	struct crl_found found;
	char *path;
	struct file_state state;
};

/*
 * Looking, on the writer's thread.
 */

static struct file_state
look_at(const char *dir, const char *path)
{
	struct file_state state = { .error = 0 };
	struct stat st;

	state.error = crl_place_stat(dir, path, &st);
	if (state.error != 0)
		return state;
	state.device = st.st_dev;
	state.inode = st.st_ino;
	state.size = st.st_size;
	state.modified = st.st_mtim;
	return state;
}

static bool
same_state(const struct file_state *a, const struct file_state *b)
{
	return a->error == b->error && a->device == b->device && a->inode == b->inode &&
	    a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
	    a->modified.tv_nsec == b->modified.tv_nsec;
}

static struct watched *
find(struct watched *files, const struct certid *ca_id)
{
	struct watched *w;

	HASH_FIND(hh, files, ca_id, sizeof(*ca_id), w);
	return w;
}

/* A clock that was set back has made every wait a wrong one. */
static bool
is_due(const struct watched *w, int64_t now)
{
	return w->wait != 0 && (now < w->read || now - w->read >= w->wait);
}

/* Known is what was read already, unless the list in force was taken away since:
 * then it may be just what is wanted. */
static bool
is_known(const struct watched *w, const struct watch_job *j, int64_t now)
{
	return w != NULL && strcmp(w->path, j->path) == 0 && same_state(&w->state, &j->state) &&
	    (j->had_list || !w->had_list) && !is_due(w, now);
}

static enum err
has_list(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct crl crl;

	return store_optional(store_get_crl(t, ca_id, &crl), out);
}

/* Is the file another one than the last time?  What is to be done about it. */
static enum err
look_at_entry(struct watch_job *j, struct txn *t, const struct ca_setting_entry *entry, int64_t now)
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
	j->state = look_at(j->watch->dir, j->path);
	if (is_known(find(j->watch->files, &entry->id), j, now)) {
		free(j->path);
		j->path = NULL;
		return ERR_OK;
	}
	j->found.ca_id = entry->id;
	j->has_found = true;
	if (j->state.error == 0) {
		j->found.result = crl_import_new_file(&entry->id, j->watch->dir, j->path,
		    &j->import);
		return j->found.result;
	}
	diag_set(&j->found.diag, "%.200s: %s", j->path, strerror(j->state.error));
	j->found.result = ERR_STORAGE;
	return ERR_OK;
}

static enum err
look(struct watch_job *j, struct txn *t, int64_t now)
{
	struct ca_setting_entry entry;
	struct certid last = j->watch->after;
	size_t count = 1;
	enum err e = store_list_ca_settings(t, j->watch->more ? &last : NULL, &entry, 1, &count);

	while (e == ERR_OK && count > 0 && !j->has_found) {
		e = look_at_entry(j, t, &entry, now);
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
	enum err e = j->has_found ? ERR_OK : look(j, t, now);

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
 * What came of it, on the broker's thread.
 */

static void
forget(struct crl_watch *watch, struct watched *w)
{
	HASH_DEL(watch->files, w);
	free(w->path);
	free(w);
}

static bool
is_young(const struct file_state *state, int64_t now)
{
	int64_t age = now -
	    (state->modified.tv_sec * INT64_C(1000) + state->modified.tv_nsec / 1000000);

	return age >= 0 && age < YOUNG_MS;
}

static enum cause
cause_of(const struct watch_job *j, int64_t now)
{
	if (j->found.result == ERR_OK)
		return CAUSE_NONE;
	if (j->state.error != 0)
		return CAUSE_NO_FILE;
	if (j->found.result != ERR_CERTIFICATE)
		return CAUSE_ELSEWHERE;
	if (crl_import_valid_from(j->import) > now)
		return CAUSE_NOT_YET;
	return is_young(&j->state, now) ? CAUSE_YOUNG : CAUSE_LIST;
}

/* In ms; 0: until the file changes. */
static int64_t
wait_of(const struct watch_job *j, int64_t now)
{
	switch (cause_of(j, now)) {
	case CAUSE_NONE:
	case CAUSE_NO_FILE:
		return 0;
	case CAUSE_NOT_YET:
		return crl_import_valid_from(j->import) - now;
	case CAUSE_YOUNG:
	case CAUSE_ELSEWHERE:
		return CRL_WATCH_MS;
	case CAUSE_LIST:
		break;
	}
	return WAIT_LIST_MS;
}

/* Answers whether it could: then the next look finds what is behind it. */
static bool
remember(struct watch_job *j)
{
	struct crl_watch *watch = j->watch;
	struct watched *w = find(watch->files, &j->found.ca_id);

	if (w != NULL)
		forget(watch, w);
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return false;
	w->ca_id = j->found.ca_id;
	w->path = j->path;
	w->state = j->state;
	w->read = watch->now();
	w->wait = wait_of(j, w->read);
	w->had_list = j->had_list || j->found.result == ERR_OK;
	HASH_ADD(hh, watch->files, ca_id, sizeof(w->ca_id), w);
	if (find(watch->files, &w->ca_id) == NULL) {
		free(w);
		return false;
	}
	j->path = NULL;
	return true;
}

/* The next look is made when the first wait ends, if that is earlier.  Waits that have
 * ended are those of files that are not asked for any more. */
static void
set_alarm(struct crl_watch *watch, int64_t now)
{
	struct watched *w, *next;

	HASH_ITER(hh, watch->files, w, next)
		if (w->wait != 0 && w->read + w->wait > now &&
		    (watch->alarm == 0 || w->read + w->wait < watch->alarm))
			watch->alarm = w->read + w->wait;
}

static void
watch_finish(struct job *job, void *context)
{
	struct watch_job *j = (struct watch_job *)job;
	struct crl_watch *watch = j->watch;

	(void)context;
	watch->busy = false;
	watch->idle = watch->idle && job->result == ERR_OK && !j->has_files && !watch->more;
	watch->last = watch->now();
	watch->more = false;
	if (j->has_found) {
		if (j->found.result == ERR_OK)
			j->found.result = job->result;
		if (job->failure != NULL && j->found.diag.text[0] == '\0')
			diag_set(&j->found.diag, "%s", job->failure);
		j->found.import = j->import;
		if (remember(j)) {
			watch->after = j->found.ca_id;
			watch->more = true;
			watch->last = 0;
		}
		watch->found(watch->of, &j->found);
	}
	if (job->result == ERR_OK || j->has_found)
		set_alarm(watch, watch->now());
	crl_import_free(j->import);
	free(j->path);
	free(j);
}

static const struct job_type watch_type = { "watch lists", false, watch_run, watch_committed,
	watch_finish };

/* A list that counts no more may do so with more days of grace. */
static void
retry_all(struct crl_watch *watch)
{
	struct watched *w, *next;

	HASH_ITER(hh, watch->files, w, next)
		w->wait = w->wait != 0 ? 1 : 0;
	watch->retry = false;
}

void
crl_watch_settings_changed(struct crl_watch *w)
{
	w->idle = false;
	w->retry = true;
}

static bool
is_time_to_look(const struct crl_watch *w, int64_t now)
{
	if (w->busy || w->idle)
		return false;
	return w->last == 0 || now < w->last || now - w->last >= CRL_WATCH_MS ||
	    (w->alarm != 0 && now >= w->alarm);
}

/* A look that cannot be begun is begun at the next tick. */
void
crl_watch_tick(struct crl_watch *w)
{
	struct watch_job *j;
	int64_t now = w->now();

	if (!is_time_to_look(w, now))
		return;
	w->last = w->alarm = 0;
	if (w->retry)
		retry_all(w);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &watch_type;
	j->watch = w;
	w->busy = writer_submit(w->writer, &j->job) == ERR_OK;
	if (!w->busy) {
		free(j);
		return;
	}
	w->last = now;
	w->idle = true; /* until it is known better */
}

void
crl_watch_clear(struct crl_watch *w)
{
	struct watched *file, *next;

	HASH_ITER(hh, w->files, file, next)
		forget(w, file);
}
