/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_open.c - see store.h: opening and closing.
 *
 * Both are called by one thread of a process.
 * Every commit is synced: no flag that trades safety for speed is ever set,
 * and the map is never written through (MDB_WRITEMAP dies of SIGBUS on a full
 * disk).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define DATA_FILE "data.mdb"
#define OUR_LOCK  "broker.lock"

#define SCHEMA_SIZE 4

static const struct {
	const char *name;
	unsigned since; /* which schema */
	unsigned flags;
} tables[TABLE_COUNT] = {
	[TABLE_META] = { "meta", 1, 0 },
	[TABLE_CA] = { "ca", 1, 0 },
	[TABLE_CA_DOCUMENT] = { "ca_document", 1, 0 },
	[TABLE_CA_BY_SUBJECT] = { "ca_by_subject", 1, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_CA_BY_TIME] = { "ca_by_time", 1, 0 },
	[TABLE_CERT] = { "cert", 1, 0 },
	[TABLE_CERT_DOCUMENT] = { "cert_document", 1, 0 },
	[TABLE_CERT_BY_TIME] = { "cert_by_time", 1, 0 },
	[TABLE_CERT_BY_CA] = { "cert_by_ca", 1, 0 },
	[TABLE_MESSAGE] = { "message", 1, 0 },
	[TABLE_POLICY] = { "policy", 2, 0 },
	[TABLE_POLICY_VERSION] = { "policy_version", 2, 0 },
	[TABLE_POLICY_BY_TIME] = { "policy_by_time", 2, 0 },
	[TABLE_POLICY_CERT] = { "policy_cert", 2, 0 },
	[TABLE_CERT_POLICY] = { "cert_policy", 2, 0 },
	[TABLE_THING] = { "thing", 2, 0 },
	[TABLE_THING_CERT] = { "thing_cert", 2, 0 },
	[TABLE_CERT_THING] = { "cert_thing", 2, 0 },
	[TABLE_CA_SETTINGS] = { "ca_settings", 3, 0 },
	[TABLE_CRL] = { "crl", 3, 0 },
	[TABLE_REVOKED] = { "revoked", 3, 0 },
	[TABLE_CERT_BY_SERIAL] = { "cert_by_serial", 3, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_CERT_BY_STATUS] = { "cert_by_status", 3, 0 },
	[TABLE_CERT_NOTE] = { "cert_note", 3, 0 },
	[TABLE_REFUSAL] = { "refusal", 3, 0 },
	[TABLE_SCHEDULE] = { "agenda", 3, 0 },
	[TABLE_TEMPLATE] = { "template", 3, 0 },
	[TABLE_CERT_BY_CONTENT] = { "cert_by_content", 4, MDB_DUPSORT | MDB_DUPFIXED },
};

/* LMDB forbids a second environment of one file in a process: closing either
 * would drop the file locks of both (lmdb.h, "Caveats"). */
static struct store *open_stores;

static const struct {
	int rc;
	const char *words; /* the reason, and what to do */
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
	{ MDB_INVALID, "data.mdb is no LMDB database: restore a backup, or move that file away" },
	{ MDB_VERSION_MISMATCH, "made by another kind of LMDB: restore a backup of this machine" },
	{ MDB_NOTFOUND,
	    "the database is of another program, or damaged: name another directory, "
	    "or restore a backup" },
	{ MDB_INCOMPATIBLE, "the database is of another program: name another directory" },
	{ CUT_SHORT,
	    "data.mdb was cut short, and what is left of it is not whole: restore a backup" },
	{ MDB_CORRUPTED, "damaged: restore a backup" },
	{ MDB_PAGE_NOTFOUND, "damaged: restore a backup" },
};

/* A path longer than this would leave no room for the reason. */
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

/* After a power cut the new directory is still there.  Where the one above may
 * not be read, that is up to the file system. */
static void
sync_parent(int directory)
{
	int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0)
		return;
	(void)fsync(parent);
	(void)close(parent);
}

static int
open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		sync_parent(fd);
	return fd;
}

/* However it is called: another path, a link, a bind mount. */
static bool
is_open_already(const struct store *s)
{
	for (const struct store *other = open_stores; other != NULL; other = other->next)
		if (other->device == s->device && other->inode == s->inode)
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

/* The directory, held against a second store of this process and, when asked,
 * against another broker.  Nothing of LMDB's is touched before. */
static enum err
claim_directory(struct store *s, const struct store_config *config, struct diag *diag)
{
	struct stat st;
	int rc;

	s->directory = open_directory(config->path);
	if (s->directory < 0 || fstat(s->directory, &st) != 0)
		return explain(diag, config->path, errno);
	s->device = st.st_dev;
	s->inode = st.st_ino;
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
		return ERR_STORAGE;
	}
	return rc == 0 ? ERR_OK : explain(diag, config->path, rc);
}

static void
close_environment(struct store *s)
{
	if (s->env != NULL)
		mdb_env_close(s->env);
	s->env = NULL;
}

/* LMDB leaves this one of its files to programs that the process starts. */
static int
keep_data_file(MDB_env *env)
{
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = errno;
	return rc;
}

static int
try_environment(struct store *s, const struct store_config *config)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int dead, rc = mdb_env_create(&s->env);

	if (rc != 0) {
		s->env = NULL;
		return rc;
	}
	rc = mdb_env_set_maxdbs(s->env, TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, config->map_size / page * page);
	if (rc == 0)
		rc = mdb_env_open(s->env, config->path, MDB_NOTLS, S_IRUSR | S_IWUSR);
	if (rc == 0)
		rc = keep_data_file(s->env);
	if (rc == 0)
		rc = mdb_reader_check(s->env, &dead);
	if (rc == 0)
		rc = check_whole(s->env);
	if (rc != 0)
		close_environment(s);
	return rc;
}

/*
 * LMDB begins a database with two pages in one write.  Killed in the middle of
 * it, or out of disk, it leaves a file that it refuses ever after, and that
 * never held anything.  Told by its length and the number that LMDB begins
 * with: what others put there is left alone.
 */
static int
undo_interrupted_creation(const struct store *s)
{
	static const uint32_t magic = 0xBEEFC0DE;
	const off_t magic_at = sizeof(size_t) + 8; /* behind the page header */
	const off_t txn_at = magic_at + 24 + 13 * (off_t)sizeof(size_t);
	int fd = openat(s->directory, DATA_FILE, O_RDWR | O_CLOEXEC), rc = MDB_INVALID;
	size_t txn = 0;
	uint32_t found = 0;
	struct stat st;

	if (fd < 0)
		return rc;
	if (fstat(fd, &st) == 0 && st.st_size < 2 * sysconf(_SC_PAGESIZE) &&
	    pread(fd, &found, sizeof(found), magic_at) == (ssize_t)sizeof(found) &&
	    found == magic) {
		/* One that held something has the number of a transaction there. */
		rc = pread(fd, &txn, sizeof(txn), txn_at) >= 0 && txn > 0 ? CUT_SHORT : 0;
		if (rc == 0 && ftruncate(fd, 0) != 0)
			rc = MDB_INVALID;
	}
	(void)close(fd);
	return rc;
}

static enum err
open_environment(struct store *s, const struct store_config *config, struct diag *diag)
{
	int rc = reserve_lock_file(s);

	if (rc == 0)
		rc = try_environment(s, config);
	if (rc == MDB_INVALID) {
		rc = undo_interrupted_creation(s);
		if (rc == 0)
			rc = try_environment(s, config);
	}
	return rc == 0 ? ERR_OK : explain(diag, config->path, rc);
}

static int
write_schema(struct store *s, MDB_txn *txn)
{
	uint8_t bytes[SCHEMA_SIZE];
	MDB_val key = val_of(view_of("schema"));
	MDB_val value = { sizeof(bytes), bytes };

	number_put(bytes, sizeof(bytes), STORE_SCHEMA);
	return mdb_put(txn, s->tables[TABLE_META], &key, &value, 0);
}

static int
read_schema(struct store *s, MDB_txn *txn, uint64_t *schema)
{
	MDB_val key = val_of(view_of("schema")), value;
	int rc = mdb_get(txn, s->tables[TABLE_META], &key, &value);

	if (rc == 0 && value.mv_size != SCHEMA_SIZE)
		rc = MDB_CORRUPTED;
	if (rc == 0)
		*schema = number_get(value.mv_data, SCHEMA_SIZE);
	return rc;
}

/* All those of our schema; made, where they came with a later one than that. */
static int
open_those_behind_meta(struct store *s, MDB_txn *txn, uint64_t schema)
{
	int rc = 0;

	for (size_t i = TABLE_META + 1; rc == 0 && i < TABLE_COUNT; i++) {
		unsigned create = tables[i].since > schema ? MDB_CREATE : 0;

		rc = mdb_dbi_open(txn, tables[i].name, tables[i].flags | create, &s->tables[i]);
	}
	return rc;
}

/* The schema is read first: of a newer one nothing else is known, not even its
 * tables.  One that is older, or none at all, gets what it lacks. */
static int
open_tables_in(struct store *s, MDB_txn *txn, unsigned flags, unsigned create, uint64_t *schema)
{
	int rc = mdb_dbi_open(txn, tables[TABLE_META].name, create, &s->tables[TABLE_META]);

	*schema = 0;
	if (rc == 0 && create == 0)
		rc = read_schema(s, txn, schema);
	if (rc != 0 || *schema > STORE_SCHEMA)
		return rc;
	if (*schema == STORE_SCHEMA)
		return open_those_behind_meta(s, txn, STORE_SCHEMA);
	if ((flags & MDB_RDONLY) != 0 || (*schema == 0 && create == 0))
		return 0;
	rc = open_those_behind_meta(s, txn, *schema);
	if (rc == 0 && *schema > 0)
		rc = upgrade(s, txn, *schema);
	if (rc == 0)
		rc = write_schema(s, txn);
	*schema = STORE_SCHEMA;
	return rc;
}

/* Only an empty database is made ours: one with anything in it belongs to
 * others, or another process was faster. */
static int
may_create(MDB_txn *txn, unsigned *create)
{
	MDB_dbi names;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &names);

	if (rc == 0)
		rc = mdb_stat(txn, names, &stat);
	if (rc == 0)
		*create = stat.ms_entries == 0 ? MDB_CREATE : 0;
	return rc;
}

static int
try_tables(struct store *s, unsigned flags, uint64_t *schema)
{
	unsigned create = 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, flags, &txn);

	if (rc != 0)
		return rc;
	if (flags == 0)
		rc = may_create(txn, &create);
	if (rc == 0)
		rc = open_tables_in(s, txn, flags, create, schema);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* Tables and schema come into being together, in one transaction: that of an
 * older schema too.  A database that has them is opened without waiting for
 * its writer. */
static enum err
open_tables(struct store *s, const struct store_config *config, struct diag *diag)
{
	uint64_t schema = 0;
	int rc = try_tables(s, MDB_RDONLY, &schema);

	if (rc == MDB_NOTFOUND || (rc == 0 && schema < STORE_SCHEMA)) {
		rc = try_tables(s, 0, &schema);
		if (rc == 0 && fsync(s->directory) != 0)
			rc = errno;
	}
	if (rc == 0 && schema > STORE_SCHEMA) {
		diag_set(diag,
		    PATH_FORMAT ": made by a newer version (schema %u, this program "
				"reads up to %d): install that version or restore a backup",
		    config->path, (unsigned)schema, STORE_SCHEMA);
		return ERR_STORAGE;
	}
	if (rc == 0 && schema < STORE_SCHEMA)
		rc = MDB_CORRUPTED;
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
	atomic_store(&s->own, info.me_last_txnid);
	return ERR_OK;
}

enum err
store_open(const struct store_config *config, struct store **out, struct diag *diag)
{
	struct store *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL) {
		diag_set(diag, PATH_FORMAT ": out of memory", config->path);
		return ERR_NOMEM;
	}
	s->directory = s->lock = -1;
	s->failure = s->warning = "";
	s->sha256 = config->sha256;
	e = claim_directory(s, config, diag);
	if (e == ERR_OK)
		e = open_environment(s, config, diag);
	if (e == ERR_OK)
		e = open_tables(s, config, diag);
	if (e == ERR_OK)
		e = open_reader(s, config, diag);
	if (e != ERR_OK) {
		store_close(s);
		return e;
	}
	s->next = open_stores;
	open_stores = s;
	*out = s;
	return ERR_OK;
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
	if (s->reader != NULL)
		mdb_txn_abort(s->reader);
	close_environment(s);
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->directory >= 0)
		(void)close(s->directory);
	free(s);
}
