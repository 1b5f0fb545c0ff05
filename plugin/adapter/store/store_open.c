/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_open.c - opens and closes the store; see store.h.
 *
 * Every commit is synced: no
 * flag that trades safety for speed is set, and the map is never written (with
 * MDB_WRITEMAP a full disk raises SIGBUS).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define OUR_LOCK "broker.lock"

/* Certificates are read in no order, so reading ahead would fill the memory with pages
 * that are not needed, and take ten times as long for those that are. */
#define ENV_FLAGS (MDB_NOTLS | MDB_NORDAHEAD)

/* LMDB forbids two environments of one file in a process: closing either would drop the
 * file locks of both (lmdb.h, "Caveats"). */
static struct store *open_stores;

/* Additional return code: there is nothing to read. */
#define NO_REGISTRY (CUT_SHORT + 2)

static const struct {
	int rc;
	const char *words; /* reason and remedy */
} explanations[] = {
	{ ENOENT, "the directory above it does not exist: create that one first" },
	{ ENOTDIR, "not a directory: name a directory, or remove the file" },
	{ EACCES, "permission denied: it and its files must belong to the user of this program" },
	{ EROFS, "read-only file system: make it writable, or name another directory" },
	{ ENOSPC, "no space left on the device: free some and start again" },
	{ EIO, DISK_FAILED ": free some space, or restore a backup" },
	{ EDQUOT, "disk quota exceeded: free some space and start again" },
	{ ENOMEM, "no memory for a map of this size: lower db_map_size_mb" },
	{ MDB_MAP_FULL, "the registry does not fit: raise db_map_size_mb" },
	{ MDB_INVALID,
	    "data.mdb is not an LMDB database: restore a backup, or move that file away" },
	{ MDB_VERSION_MISMATCH,
	    "created by an incompatible version of LMDB: restore a backup of "
	    "this machine" },
	{ MDB_NOTFOUND,
	    "the database belongs to another program, or is damaged: name another "
	    "directory, or restore a backup" },
	{ MDB_INCOMPATIBLE, "the database belongs to another program: name another directory" },
	{ CUT_SHORT, "data.mdb is truncated: restore a backup" },
	{ NOT_UPGRADED, "its upgrade is not finished: it goes on when it is opened for writing" },
	{ NO_REGISTRY, "there is no registry: it is created when it is opened for writing" },
	{ MDB_CORRUPTED, "damaged: restore a backup" },
	{ MDB_PAGE_NOTFOUND, "damaged: restore a backup" },
};

/* A longer path would leave no room for the reason. */
#define PATH_FORMAT "%.150s"

static enum err
explain(struct diag *diag, const char *path, int rc)
{
	const char *words = mdb_strerror(rc);

	for (size_t i = 0; i < COUNT_OF(explanations); i++)
		if (explanations[i].rc == rc)
			words = explanations[i].words;
	diag_set(diag, PATH_FORMAT ": %s", path, words);
	return rc == CUT_SHORT || store_error(rc) == ERR_CORRUPT ? ERR_CORRUPT : ERR_STORAGE;
}

/* Compares inodes: the path may differ (links, bind mounts). */
static bool
is_open_already(const struct store *s)
{
	for (const struct store *other = open_stores; other != NULL; other = other->next)
		if (other->directory_id.device == s->directory_id.device &&
		    other->directory_id.inode == s->directory_id.inode)
			return true;
	return false;
}

static int
take_lock(struct store *s)
{
	s->lock = openat(s->directory, OUR_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    S_IRUSR | S_IWUSR);
	if (s->lock < 0 || flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return errno;
	return 0;
}

/* Opens the directory and checks that neither this process nor, if exclusive, another
 * broker uses it.  No file of LMDB is touched before. */
static enum err
claim_directory(struct store *s, const struct store_config *config, struct diag *diag)
{
	struct stat st;
	int rc;

	if (s->writing != NULL)
		s->directory = s->writing->open_directory(config->path);
	else
		s->directory = open(config->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->directory < 0 && errno == ENOENT && s->writing == NULL)
		return explain(diag, config->path, NO_REGISTRY);
	if (s->directory < 0 || fstat(s->directory, &st) != 0)
		return explain(diag, config->path, errno);
	s->directory_id = (struct file_id){ st.st_dev, st.st_ino };
	if (is_open_already(s)) {
		diag_set(diag, PATH_FORMAT ": already open in this process: load the plugin once",
		    config->path);
		return ERR_STORAGE;
	}
	rc = config->exclusive ? take_lock(s) : 0;
	if (rc == EWOULDBLOCK) {
		diag_set(diag,
		    PATH_FORMAT ": in use by another broker: stop that one, or name "
				"another directory",
		    config->path);
		return ERR_BUSY;
	}
	return rc == 0 ? ERR_OK : explain(diag, config->path, rc);
}

void
environment_close(struct store *s)
{
	if (s->reader != NULL)
		mdb_txn_abort(s->reader);
	s->reader = NULL;
	if (s->env != NULL)
		mdb_env_close(s->env);
	s->env = NULL;
}

/* LMDB does not set FD_CLOEXEC on this file. */
static int
keep_data_file(MDB_env *env)
{
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = errno;
	return rc;
}

bool
data_file_is_shorter(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	int fd;

	return mdb_env_get_fd(env, &fd) == 0 && mdb_env_info(env, &info) == 0 &&
	    mdb_env_stat(env, &stat) == 0 && fstat(fd, &st) == 0 &&
	    (size_t)st.st_size / stat.ms_psize <= info.me_last_pgno;
}

/* Does another process have lock.mdb open? */
static bool
lock_file_in_use(const struct store *s)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
	int fd = openat(s->directory, LOCK_FILE, O_RDWR | O_CLOEXEC);
	bool in_use = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	if (fd >= 0)
		(void)close(fd);
	return in_use;
}

/* A read-only environment cannot be repaired.  If another process has it open, that one
 * has checked the file, and what is missing now has no data (store_data_file.c). */
static int
check_data_file(const struct store *s, bool shared)
{
	if (s->writing != NULL)
		return s->writing->check_data_file(s->env);
	return !shared && data_file_is_shorter(s->env) ? CUT_SHORT : 0;
}

static int
try_environment(struct store *s, const struct store_config *config)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned flags = ENV_FLAGS | (s->writing == NULL ? MDB_RDONLY : 0);
	bool shared = lock_file_in_use(s);
	int dead, rc = mdb_env_create(&s->env);

	if (rc != 0) {
		s->env = NULL;
		return rc;
	}
	rc = mdb_env_set_maxdbs(s->env, TABLE_COUNT + UPGRADE_TABLES);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, config->map_size / page * page);
	if (rc == 0)
		rc = mdb_env_open(s->env, config->path, flags, S_IRUSR | S_IWUSR);
	if (rc == 0)
		rc = keep_data_file(s->env);
	if (rc == 0)
		rc = mdb_reader_check(s->env, &dead);
	if (rc == 0)
		rc = check_data_file(s, shared);
	if (rc != 0)
		environment_close(s);
	return rc;
}

/* A writer made lock.mdb before there was a registry to read. */
static int
prepare_files(struct store *s)
{
	if (s->writing != NULL)
		return s->writing->reserve_lock_file(s);
	return faccessat(s->directory, DATA_FILE, F_OK, 0) != 0 ? NO_REGISTRY : 0;
}

static enum err
open_files(struct store *s, const struct store_config *config, struct diag *diag)
{
	int rc = prepare_files(s);

	if (rc == 0)
		rc = try_environment(s, config);
	if (rc == MDB_INVALID && s->writing != NULL) {
		rc = s->writing->undo_creation(s);
		if (rc == 0)
			rc = try_environment(s, config);
	}
	return rc == 0 ? ERR_OK : explain(diag, config->path, rc);
}

static enum err
open_tables(struct store *s, const struct store_config *config, struct diag *diag)
{
	uint64_t schema;
	int rc = schema_open(s, &schema);

	if (rc == 0 && schema < STORE_SCHEMA) {
		diag_set(diag,
		    PATH_FORMAT ": made by an older version (schema %u, this program reads %d): it "
				"is upgraded when it is opened for writing",
		    config->path, (unsigned)schema, STORE_SCHEMA);
		return ERR_STORAGE;
	}
	if (rc == 0 && schema > STORE_SCHEMA) {
		diag_set(diag,
		    PATH_FORMAT ": made by a newer version (schema %u, this program "
				"reads up to %d): install that version or restore a backup",
		    config->path, (unsigned)schema, STORE_SCHEMA);
		return ERR_STORAGE;
	}
	return rc == 0 ? ERR_OK : explain(diag, config->path, rc);
}

static enum err
open_reader(struct store *s, const struct store_config *config, struct diag *diag)
{
	MDB_envinfo info;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->reader);

	if (rc != 0) {
		s->reader = NULL;
		return explain(diag, config->path, rc);
	}
	mdb_txn_reset(s->reader);
	(void)mdb_env_info(s->env, &info);
	s->own = info.me_last_txnid;
	return ERR_OK;
}

enum err
environment_open(struct store *s, struct diag *diag)
{
	enum err e = open_files(s, &s->config, diag);

	if (e == ERR_OK)
		e = open_tables(s, &s->config, diag);
	if (e == ERR_OK)
		e = open_reader(s, &s->config, diag);
	if (e != ERR_OK)
		environment_close(s);
	return e;
}

static struct store *
new_store(const struct store_config *config)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->directory = s->lock = -1;
	s->failure = s->warning = "";
	s->sha256 = config->sha256;
	s->make_form = config->make_form;
	s->config = *config;
	s->config.path = s->path = strdup(config->path);
	if (s->path != NULL)
		return s;
	free(s);
	return NULL;
}

enum err
store_open_with(const struct store_writing *writing, const struct store_config *config,
    struct store **out, struct diag *diag)
{
	struct store *s = new_store(config);
	enum err e;
	int rc;

	if (s == NULL) {
		diag_set(diag, PATH_FORMAT ": out of memory", config->path);
		return ERR_NOMEM;
	}
	s->writing = writing;
	e = claim_directory(s, config, diag);
	if (e == ERR_OK)
		e = environment_open(s, diag);
	if (e == ERR_OK && (rc = files_remember(s)) != 0)
		e = explain(diag, config->path, rc);
	if (e != ERR_OK) {
		store_close(s);
		return e;
	}
	s->next = open_stores;
	open_stores = s;
	*out = s;
	return ERR_OK;
}

enum err
store_open_reader(const struct store_config *config, struct store **out, struct diag *diag)
{
	return store_open_with(NULL, config, out, diag);
}

const char *
store_warning(const struct store *s)
{
	return s->warning;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (struct store **at = &open_stores; *at != NULL; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	environment_close(s);
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->directory >= 0)
		(void)close(s->directory);
	free(s->path);
	free(s);
}
