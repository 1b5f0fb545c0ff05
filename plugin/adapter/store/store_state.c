/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_state.c - a broken environment, an enlarged map, and files that are gone; see
 * store.h.
 *
 * If LMDB cannot write a meta page it does not know which of the two on disk is valid.
 * It refuses every transaction of the process from then on, reading ones included, and
 * opening the environment again is the only remedy.  An environment is never replaced
 * while a transaction is open.
 *
 * A file that was unlinked stays usable for the process that has it open, so that
 * changes to it would succeed and be lost at the next start.  lock.mdb matters as much:
 * a process that creates a new one writes at the same time.
 */
#include <errno.h>
#include <sys/stat.h>

#include "store_private.h"

bool
environment_claim(struct store *s, enum store_use use)
{
	if (s->use != USE_SHARED)
		return false;
	s->use = use;
	return true;
}

void
environment_release(struct store *s)
{
	s->use = USE_SHARED;
}

void
environment_check(struct store *s)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0)
		mdb_txn_abort(txn);
	else if (rc == MDB_PANIC)
		s->state = STORE_BROKEN;
}

int
environment_resize(struct store *s)
{
	int rc;

	if (!environment_claim(s, USE_REPLACING))
		return MDB_MAP_RESIZED;
	rc = mdb_env_set_mapsize(s->env, 0);
	if (rc != 0) { /* there may be no map any more */
		environment_close(s);
		rc = MDB_PANIC;
	}
	environment_release(s);
	return rc;
}

static bool
is_same(const struct file_id *id, const struct stat *st)
{
	return id->device == st->st_dev && id->inode == st->st_ino;
}

/* What cannot be examined, for example because the process has dropped its privileges
 * since, counts as unchanged. */
static bool
is_in_place(int rc, const struct stat *st, const struct file_id *id)
{
	if (rc != 0)
		return errno != ENOENT && errno != ENOTDIR;
	return is_same(id, st);
}

static int
identify(const struct store *s, const char *name, struct file_id *out)
{
	struct stat st;

	if (fstatat(s->directory, name, &st, 0) != 0)
		return errno;
	*out = (struct file_id){ st.st_dev, st.st_ino };
	return 0;
}

int
files_remember(struct store *s)
{
	int rc = identify(s, DATA_FILE, &s->data_id);

	if (rc == 0)
		rc = identify(s, LOCK_FILE, &s->lock_id);
	if (rc == 0)
		s->state = STORE_IN_ORDER;
	return rc;
}

bool
files_are_there(struct store *s)
{
	struct stat st;
	bool there = is_in_place(stat(s->path, &st), &st, &s->directory_id) &&
	    is_in_place(fstatat(s->directory, DATA_FILE, &st, 0), &st, &s->data_id) &&
	    is_in_place(fstatat(s->directory, LOCK_FILE, &st, 0), &st, &s->lock_id);

	if (s->state != STORE_BROKEN)
		s->state = there ? STORE_IN_ORDER : STORE_GONE;
	return there;
}

enum store_state
store_state(const struct store *s)
{
	return s->state;
}

/* Files that are not those that were opened first are not opened: one that is missing
 * would be created. */
static enum err
replace_environment(struct store *s, struct diag *diag)
{
	enum err e;

	if (!files_are_there(s)) {
		diag_set(diag, "%.150s: %s", s->path, FILES_GONE);
		return ERR_STORAGE;
	}
	environment_close(s);
	e = environment_open(s, diag);
	if (e != ERR_OK)
		return e;
	s->foreign = true;
	s->state = STORE_IN_ORDER;
	return ERR_OK;
}

enum err
store_reopen(struct store *s, struct diag *diag)
{
	enum err e;

	if (s->reading || !environment_claim(s, USE_REPLACING)) {
		diag_set(diag, "%.150s: in use", s->path);
		return ERR_BUSY;
	}
	e = replace_environment(s, diag);
	environment_release(s);
	return e;
}
