/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store.c - the registry on disk, on a real one.
 *
 * Whatever happens (a full map, a full disk, a damaged row, a kill in the
 * middle of a commit), every index agrees with the records and the store says
 * what is wrong.  Other processes are this program again, with a role as its
 * first argument: LMDB must not be carried over a fork.
 */
#define _GNU_SOURCE /* unshare() */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jitr/core/der.h"
#include "jitr/adapter/store.h"
#include "jitr/adapter/x509.h"
#include "tiny.h"

#define CREATED   1502379443476 /* 2017-08-10 15:37:23.476 UTC */
#define MAP_SIZE  ((size_t)1 << 30)
#define PATH_ROOM 256
#define CA_COUNT  5 /* of the certificates that cert_number() makes */

/*
 * Where tests work, and how they open.
 */

static char base[PATH_ROOM / 2];

static const char *
in(const char *dir, const char *name)
{
	static char path[2 * PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *
new_dir(void)
{
	static char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s/XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static enum err
open_with(const char *dir, size_t map_size, bool exclusive, struct store **s, struct diag *diag)
{
	struct store_config config = { dir, map_size, exclusive, sha256_of };

	*s = NULL;
	diag->text[0] = '\0';
	return store_open(&config, s, diag);
}

static struct store *
open_store(const char *dir)
{
	struct diag diag;
	struct store *s;

	ck_assert_msg(open_with(dir, MAP_SIZE, false, &s, &diag) == ERR_OK, "%s", diag.text);
	return s;
}

/* store_open() fails, and its words begin with the path and contain these. */
static void
assert_refused(const char *dir, bool exclusive, const char *words)
{
	struct diag diag;
	struct store *s;
	enum err e = open_with(dir, MAP_SIZE, exclusive, &s, &diag);

	ck_assert_msg(e == ERR_STORAGE || e == ERR_CORRUPT, "opened, or %s", err_text(e));
	ck_assert_ptr_null(s);
	ck_assert_msg(strncmp(diag.text, dir, strlen(dir)) == 0, "no path: %s", diag.text);
	ck_assert_msg(strstr(diag.text, words) != NULL, "not '%s': %s", words, diag.text);
}

static struct txn
reading(struct store *s)
{
	struct txn t;

	ck_assert_int_eq(store_read(s, &t), ERR_OK);
	return t;
}

static struct txn
writing(struct store *s)
{
	struct txn t;

	ck_assert_msg(store_write(s, &t) == ERR_OK, "%s", store_failure(s));
	return t;
}

static void
commit(struct txn *t)
{
	ck_assert_msg(store_commit(t) == ERR_OK, "%s", store_failure(t->store));
}

/*
 * Records, told apart by a number that is part of their id.
 */

/* Ids in no order, as hashes are. */
static struct certid
id_number(uint32_t n)
{
	struct certid id;

	for (size_t i = 0; i < 28; i++)
		id.b[i] = (uint8_t)((n + 1) * 2654435761u >> (i % 4 * 8));
	for (size_t i = 0; i < 4; i++)
		id.b[28 + i] = (uint8_t)(n >> (24 - 8 * i));
	return id;
}

static uint32_t
number_of(const struct certid *id)
{
	return (uint32_t)id->b[28] << 24 | (uint32_t)id->b[29] << 16 | (uint32_t)id->b[30] << 8 |
	    id->b[31];
}

static struct certid
ca_id_number(uint32_t n)
{
	return id_number(1000000 + n);
}

static struct ca
ca_number(uint32_t n)
{
	static const uint8_t key_id[20] = { 0xfb, 0x19, 0x68, 0xed, 0x25 };

	return (struct ca){ .id = ca_id_number(n),
		.status = CA_ACTIVE,
		.mode = MODE_DEFAULT,
		.auto_registration = true,
		.not_before = -1,
		.not_after = CREATED + 1,
		.created = CREATED + n,
		.modified = CREATED + n,
		.version = 1,
		.generation = { { 0xca, (uint8_t)n } },
		.subject_hash = 0x10000000 + n % 3,
		.key_id = { key_id, sizeof(key_id) } };
}

/* Three are of one millisecond; of six, five have a CA. */
static struct cert
cert_number(uint32_t n)
{
	struct cert cert = { .id = id_number(n),
		.status = CERT_PENDING_ACTIVATION,
		.mode = MODE_DEFAULT,
		.not_before = -5,
		.not_after = CREATED + 7,
		.created = CREATED + n / 3,
		.modified = CREATED + n / 3,
		.announced = CREATED,
		.version = n,
		.generation = { { 0xce, (uint8_t)n } } };

	cert.has_ca = n % (CA_COUNT + 1) < CA_COUNT;
	if (cert.has_ca)
		cert.ca_id = ca_id_number(n % (CA_COUNT + 1));
	return cert;
}

/* Two have the same serial number. */
static struct view
serial_number(uint32_t n, uint8_t out[4])
{
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)((0x01000000 + n / 2) >> (24 - 8 * i));
	return (struct view){ out, 4 };
}

static struct view
der_number(uint32_t n, size_t size)
{
	static uint8_t der[TINY_MOST];
	uint8_t serial[4];

	return tiny_certificate(serial_number(n, serial), size, der);
}

static void
put_cert_number(struct txn *t, uint32_t n)
{
	struct cert cert = cert_number(n);
	struct cert_document document = { .der = der_number(n, 900), .pem = view_of("pem") };

	store_put_cert(t, &cert, &document);
}

static void
put_ca_number(struct txn *t, uint32_t n)
{
	struct ca ca = ca_number(n);
	struct ca_document document = { .der = view_of("der"),
		.pem = view_of("pem"),
		.tags = view_of("[]") };

	store_put_ca(t, &ca, &document);
}

static void
put_certs(struct store *s, uint32_t first, uint32_t count)
{
	struct txn t = writing(s);

	for (uint32_t n = first; n < first + count; n++)
		put_cert_number(&t, n);
	commit(&t);
}

#define EVERY_SERIAL 1 /* the number of a revocation list */

/* A list that names the serial number of every certificate below this. */
static void
put_every_serial(struct txn *t, uint32_t below)
{
	struct revoked entry = { .date = CREATED, .reason = REVOKED_UNSPECIFIED };

	for (uint32_t n = 0; n < below; n += 2) {
		uint8_t serial[4];

		store_append_revoked(t, EVERY_SERIAL, serial_number(n, serial), &entry);
	}
}

static void
assert_view(struct view v, const char *text)
{
	ck_assert_uint_eq(v.len, strlen(text));
	if (v.len > 0)
		ck_assert_mem_eq(v.data, text, v.len);
}

static void
assert_same_cert(const struct cert *a, const struct cert *b)
{
	ck_assert(certid_equal(&a->id, &b->id));
	ck_assert_int_eq(a->has_ca, b->has_ca);
	ck_assert(certid_equal(&a->ca_id, &b->ca_id));
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->not_before, b->not_before);
	ck_assert_int_eq(a->not_after, b->not_after);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_int_eq(a->announced, b->announced);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
}

static void
assert_same_ca(const struct ca *a, const struct ca *b)
{
	ck_assert(certid_equal(&a->id, &b->id));
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->auto_registration, b->auto_registration);
	ck_assert_int_eq(a->not_before, b->not_before);
	ck_assert_int_eq(a->not_after, b->not_after);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
	ck_assert_uint_eq(a->subject_hash, b->subject_hash);
	ck_assert_uint_eq(a->key_id.len, b->key_id.len);
	ck_assert_mem_eq(a->key_id.data, b->key_id.data, a->key_id.len);
}

/*
 * Every index agrees with the records.  Told by listing in both directions,
 * all of them, by CA and by status, by what a list of every serial number
 * names, and by looking for each number below a bound.
 */

struct census {
	struct position *at; /* in ascending order */
	size_t count, size;
	size_t with_ca;
};

static int
compare(const struct position *a, const struct position *b)
{
	if (a->created != b->created)
		return a->created < b->created ? -1 : 1;
	return memcmp(&a->id, &b->id, sizeof(a->id));
}

static void
census_add(struct census *c, int64_t created, const struct certid *id)
{
	if (c->count == c->size) {
		c->size = c->size == 0 ? 64 : 2 * c->size;
		c->at = realloc(c->at, c->size * sizeof(*c->at));
		ck_assert_ptr_nonnull(c->at);
	}
	c->at[c->count++] = (struct position){ created, *id };
}

/* Of what, if not all. */
struct filter {
	const struct certid *ca;
	const enum cert_status *status;
};

static struct census
list_certs(struct txn *t, struct filter of, bool ascending, size_t page_size)
{
	struct listing l = { .ca = of.ca, .status = of.status, .ascending = ascending };
	struct cert *page = calloc(page_size, sizeof(*page));
	struct census c = { NULL, 0, 0, 0 };
	struct position after;
	size_t count;

	ck_assert_ptr_nonnull(page);
	do {
		ck_assert_int_eq(store_list_certs(t, &l, page, page_size, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			census_add(&c, page[i].created, &page[i].id);
			c.with_ca += page[i].has_ca;
			ck_assert(of.ca == NULL || certid_equal(&page[i].ca_id, of.ca));
			ck_assert(of.status == NULL || page[i].status == *of.status);
		}
		if (count > 0)
			after = c.at[c.count - 1];
		l.after = &after;
	} while (count == page_size);
	free(page);
	return c;
}

static struct census
list_cas(struct txn *t, bool ascending, size_t page_size)
{
	struct listing l = { .ascending = ascending };
	struct ca page[64];
	struct census c = { NULL, 0, 0, 0 };
	struct position after;
	size_t count;

	do {
		ck_assert_int_eq(store_list_cas(t, &l, page, page_size, &count), ERR_OK);
		for (size_t i = 0; i < count; i++)
			census_add(&c, page[i].created, &page[i].id);
		if (count > 0)
			after = c.at[c.count - 1];
		l.after = &after;
	} while (count == page_size);
	return c;
}

/* Both directions: the same entries, in order. */
static void
assert_mirrored(const struct census *up, const struct census *down)
{
	ck_assert_uint_eq(up->count, down->count);
	for (size_t i = 0; i < up->count; i++)
		ck_assert_int_eq(compare(&up->at[i], &down->at[down->count - 1 - i]), 0);
	for (size_t i = 1; i < up->count; i++)
		ck_assert_int_lt(compare(&up->at[i - 1], &up->at[i]), 0);
}

static size_t
count_filtered(struct txn *t, struct filter of, size_t page_size, size_t *with_ca)
{
	struct census up = list_certs(t, of, true, page_size);
	struct census down = list_certs(t, of, false, page_size + 3);
	size_t count = up.count;

	assert_mirrored(&up, &down);
	if (with_ca != NULL)
		*with_ca = up.with_ca;
	free(up.at);
	free(down.at);
	return count;
}

static size_t
count_listed(struct txn *t, const struct certid *ca, size_t page_size, size_t *with_ca)
{
	return count_filtered(t, (struct filter){ .ca = ca }, page_size, with_ca);
}

/* Each certificate has one status, and store_count() knows how many have it. */
static void
assert_statuses_agree(struct txn *t, size_t all)
{
	struct store_counts counts;
	size_t sum = 0;

	ck_assert_int_eq(store_count(t, &counts), ERR_OK);
	for (int i = 0; i < CERT_STATUS_COUNT; i++) {
		enum cert_status status = (enum cert_status)i;
		size_t count = count_filtered(t, (struct filter){ .status = &status }, 13, NULL);

		ck_assert_uint_eq(counts.certs[i], count);
		sum += count;
	}
	ck_assert_uint_eq(sum, all);
}

/* Of this CA, each once; serial numbers do not go back. */
static size_t
count_named(struct txn *t, const struct certid *ca)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct view last = { NULL, 0 }, serial;
	size_t count = 0, steps = SIZE_MAX;
	struct revoked entry;
	struct certid id;
	struct cert cert;

	while (store_next_revoked_cert(t, ca, EVERY_SERIAL, &walk, &steps, &id, &entry) == ERR_OK) {
		ck_assert_int_eq(store_get_cert(t, &id, &cert), ERR_OK);
		ck_assert(cert.has_ca && certid_equal(&cert.ca_id, ca));
		ck_assert_int_eq(store_get_cert_serial(t, &id, &serial), ERR_OK);
		ck_assert_uint_eq(serial.len, 4);
		ck_assert(last.len == 0 || memcmp(last.data, serial.data, 4) <= 0);
		last = serial;
		count++;
	}
	return count;
}

static bool
has_every_serial(struct txn *t)
{
	uint64_t list;

	return store_next_list(t, 0, &list) == ERR_OK;
}

/* Those of this signed part; so many of them are this certificate. */
static size_t
count_by_content(struct txn *t, const struct certid *content, const struct certid *id,
    size_t *times)
{
	struct certid ids[8];
	size_t count;

	ck_assert_int_eq(store_find_by_content(t, content, ids, COUNT_OF(ids), &count), ERR_OK);
	*times = 0;
	for (size_t i = 0; i < count; i++)
		*times += certid_equal(&ids[i], id);
	return count;
}

static void
assert_found_by_content(struct txn *t, const struct certid *id)
{
	struct certid content;
	size_t times;

	ck_assert_int_eq(store_get_cert_content(t, id, &content), ERR_OK);
	(void)count_by_content(t, &content, id, &times);
	ck_assert_uint_eq(times, 1);
}

/* Records there are, by number; a record has its document. */
static size_t
count_certs(struct txn *t, uint32_t below)
{
	struct cert_document document;
	struct cert cert;
	size_t count = 0;

	for (uint32_t n = 0; n < below; n++) {
		struct certid id = id_number(n);
		enum err e = store_get_cert(t, &id, &cert);

		if (e == ERR_OK)
			assert_found_by_content(t, &id);

		ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
		ck_assert_int_eq(store_get_cert_document(t, &id, &document), e);
		count += e == ERR_OK;
	}
	return count;
}

static void
assert_certs_agree(struct txn *t, uint32_t below)
{
	size_t with_ca, by_ca = 0, all = count_listed(t, NULL, 61, &with_ca);

	ck_assert_uint_eq(all, count_certs(t, below));
	for (uint32_t n = 0; n < CA_COUNT; n++) {
		struct certid id = ca_id_number(n);
		size_t count = count_listed(t, &id, 17, NULL);
		bool has;

		ck_assert_int_eq(store_has_cert_of(t, &id, &has), ERR_OK);
		ck_assert_int_eq(has, count > 0);
		if (has_every_serial(t))
			ck_assert_uint_eq(count_named(t, &id), count);
		by_ca += count;
	}
	ck_assert_uint_eq(by_ca, with_ca);
	assert_statuses_agree(t, all);
}

/* How often the CA is found by its subject: once, or the index is wrong. */
static size_t
times_found(struct txn *t, const struct ca *ca)
{
	struct ca found;
	size_t times = 0;
	enum err e = ERR_OK;

	for (size_t nth = 0; e == ERR_OK; nth++) {
		e = store_find_issuer(t, ca->subject_hash, nth, &found);
		times += e == ERR_OK && certid_equal(&found.id, &ca->id);
	}
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	return times;
}

static size_t
count_by_subject(struct txn *t, uint32_t hashes)
{
	struct ca found;
	size_t count = 0;

	for (uint32_t hash = 0; hash < hashes; hash++)
		for (size_t nth = 0; store_find_issuer(t, 0x10000000 + hash, nth, &found) == ERR_OK;
		     nth++)
			count++;
	return count;
}

static void
assert_cas_agree(struct txn *t, uint32_t below)
{
	struct census up = list_cas(t, true, 3), down = list_cas(t, false, 64);
	struct ca_document document;
	struct ca ca;
	size_t count = 0;

	assert_mirrored(&up, &down);
	for (uint32_t n = 0; n < below; n++) {
		struct certid id = ca_id_number(n);
		enum err e = store_get_ca(t, &id, &ca);

		ck_assert_int_eq(store_get_ca_document(t, &id, &document), e);
		if (e == ERR_OK)
			ck_assert_uint_eq(times_found(t, &ca), 1);
		count += e == ERR_OK;
	}
	ck_assert_uint_eq(up.count, count);
	ck_assert_uint_eq(count_by_subject(t, 16), count);
	free(up.at);
	free(down.at);
}

static void
assert_consistent(struct store *s, uint32_t below)
{
	struct txn t = reading(s);

	assert_certs_agree(&t, below);
	assert_cas_agree(&t, 64);
	store_end(&t);
}

/* Nobody was warned of any: each certificate is on the schedule, in the order in
 * which they expire.  Looked at by taking them off, which is dropped. */
static void
assert_all_on_the_schedule(struct store *s, uint32_t below)
{
	struct txn t = writing(s);
	struct schedule_entry entry;
	int64_t last = INT64_MIN;
	size_t count = 0;
	enum err e;

	while ((e = store_next_schedule(&t, SCHEDULE_EXPIRY, &entry)) == ERR_OK) {
		struct cert cert;

		ck_assert_int_eq(store_get_cert(&t, &entry.id, &cert), ERR_OK);
		ck_assert_int_eq(entry.time, cert.not_after);
		ck_assert_int_ge(entry.time, last);
		last = entry.time;
		store_delete_schedule(&t, &entry);
		ck_assert_int_eq(t.failed, ERR_OK);
		count++;
	}
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	ck_assert_uint_eq(count, count_certs(&t, below));
	store_end(&t);
}

static uint64_t
last_message(struct store *s)
{
	struct txn t = reading(s);
	struct message m = { .seq = 0 };

	while (store_next_message(&t, m.seq, &m) == ERR_OK)
		;
	store_end(&t);
	return m.seq;
}

/*
 * Other processes.
 */

struct child {
	pid_t pid;
	int in, out; /* its standard input and output */
};

static struct child
start(const char *role, const char *dir, const char *argument)
{
	char *argv[] = { (char *)"check_store", (char *)(uintptr_t)role, (char *)(uintptr_t)dir,
		(char *)(uintptr_t)argument, NULL };
	posix_spawn_file_actions_t actions;
	int to[2], from[2];
	struct child c;

	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to[0], 0);
	posix_spawn_file_actions_adddup2(&actions, from[1], 1);
	ck_assert_int_eq(posix_spawn(&c.pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	(void)close(to[0]);
	(void)close(from[1]);
	c.in = to[1];
	c.out = from[0];
	return c;
}

static void
wait_until_ready(const struct child *c)
{
	char byte;

	ck_assert_msg(read(c->out, &byte, 1) == 1, "the other process ended");
}

/* Its exit status, or 128 and the signal. */
static int
end(struct child *c)
{
	int status;

	(void)close(c->in);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	(void)close(c->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
kill_child(struct child *c)
{
	ck_assert_int_eq(kill(c->pid, SIGKILL), 0);
	ck_assert_int_eq(end(c), 128 + SIGKILL);
}

static void
run(const char *role, const char *dir, const char *argument)
{
	struct child c = start(role, dir, argument);

	ck_assert_int_eq(end(&c), 0);
}

/* What a role says about itself: one byte. */
static void
tell(void)
{
	if (write(STDOUT_FILENO, "", 1) != 1)
		_exit(3);
}

static struct store *
role_open(const char *dir, bool exclusive)
{
	struct diag diag;
	struct store *s;

	if (open_with(dir, MAP_SIZE, exclusive, &s, &diag) == ERR_OK)
		return s;
	if (!exclusive)
		(void)fprintf(stderr, "%s\n", diag.text);
	exit(2);
}

static int
role_create(const char *dir, const char *argument)
{
	(void)argument;
	tell();
	store_close(role_open(dir, false));
	return 0;
}

/* Has it open as a broker has, until its input ends. */
static int
role_hold(const char *dir, const char *argument)
{
	struct store *s = role_open(dir, true);
	char byte;

	(void)argument;
	tell();
	(void)!read(STDIN_FILENO, &byte, 1);
	store_close(s);
	return 0;
}

static int
role_put(const char *dir, const char *number)
{
	struct store *s = role_open(dir, false);
	struct txn t;

	if (store_write(s, &t) != ERR_OK)
		return 1;
	put_cert_number(&t, (uint32_t)strtoul(number, NULL, 10));
	if (store_commit(&t) != ERR_OK)
		return 1;
	store_close(s);
	return 0;
}

/* Takes every place in the table of readers and waits to be killed. */
static int
role_read(const char *dir, const char *argument)
{
	struct store *s = role_open(dir, false);
	struct txn t;

	(void)argument;
	while (store_read(s, &t) == ERR_OK)
		;
	tell();
	(void)pause();
	return 1;
}

static uint32_t
random_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

#define CHURN_CERTS 300
#define CHURN_CAS   12

/* In another place of each index. */
static struct cert
moved(struct cert cert, uint64_t *state)
{
	cert.created += random_number(state) % 4;
	cert.status = (enum cert_status)(random_number(state) % CERT_STATUS_COUNT);
	cert.not_after = (int64_t)(random_number(state) % 7) * CREATED - 3 * CREATED;
	if (cert.has_ca)
		cert.ca_id = ca_id_number(random_number(state) % CA_COUNT);
	return cert;
}

/* One change of any kind, records that move in their indexes included. */
static void
churn(struct txn *t, uint64_t *state)
{
	static const uint8_t der[6000];
	uint32_t n = random_number(state) % CHURN_CERTS, how = random_number(state);
	struct cert cert = cert_number(n), stored;
	struct ca ca = ca_number(n % CHURN_CAS);
	struct cert_document document = { .der = der_number(n, TINY_LEAST + how % sizeof(der)) };
	struct ca_document ca_document = { .der = { der, how % sizeof(der) } };

	cert = moved(cert, state);
	ca.created += random_number(state) % 4;
	ca.subject_hash = 0x10000000 + random_number(state) % 3;
	switch (how >> 16 & 7) {
	case 0:
		store_delete_ca(t, &ca.id);
		break;
	case 1:
		store_put_ca(t, &ca, &ca_document);
		break;
	case 2:
	case 3:
		store_delete_cert(t, &cert.id);
		break;
	case 4:
		if (store_get_cert(t, &cert.id, &stored) == ERR_OK) {
			stored = moved(stored, state);
			store_put_cert(t, &stored, NULL);
		}
		break;
	default:
		store_put_cert(t, &cert, &document);
	}
}

/* Commits one batch after the other, a message in each, and says so. */
static int
role_churn(const char *dir, const char *seed)
{
	struct store *s = role_open(dir, false);
	uint64_t state = strtoull(seed, NULL, 10);
	struct txn t;

	for (;;) {
		if (store_write(s, &t) != ERR_OK)
			return 1;
		if (!has_every_serial(&t))
			put_every_serial(&t, CHURN_CERTS);
		for (uint32_t i = random_number(&state) % 20; i > 0; i--)
			churn(&t, &state);
		store_post(&t, view_of("topic"), view_of("payload"));
		if (store_commit(&t) != ERR_OK)
			return 1;
		tell();
	}
}

static const struct {
	const char *name;
	int (*run)(const char *dir, const char *argument);
} roles[] = {
	{ "create", role_create },
	{ "hold", role_hold },
	{ "put", role_put },
	{ "read", role_read },
	{ "churn", role_churn },
};

/*
 * Opening.
 */

/* The registry names every device there is: it is nobody else's to read. */
START_TEST(a_new_registry_is_its_owners_alone)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "broker.lock" };
	char dir[PATH_ROOM];
	struct diag diag;
	struct store *s;
	struct stat st;

	(void)umask(0);
	(void)snprintf(dir, sizeof(dir), "%s/registry", new_dir());
	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		ck_assert_int_eq(stat(in(dir, files[i]), &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
	}
	store_close(s);
}
END_TEST

START_TEST(programs_that_we_start_inherit_nothing)
{
	char dir[PATH_ROOM];
	struct diag diag;
	struct store *s;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	for (int fd = 0; fd < 1000; fd++) {
		char link[64], file[2 * PATH_ROOM] = "";

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, file, sizeof(file) - 1) > 0 && strstr(file, dir) == file)
			ck_assert_msg(fcntl(fd, F_GETFD) == FD_CLOEXEC, "%s", file);
	}
	store_close(s);
}
END_TEST

START_TEST(what_was_committed_is_there_after_reopening)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	char code[REGISTRATION_CODE_SIZE];
	struct cert cert, expected_cert = cert_number(4);
	struct ca ca, expected_ca = ca_number(2);
	struct ca_document document;

	put_ca_number(&t, 2);
	put_cert_number(&t, 4);
	store_put_registration_code(&t,
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	store_post(&t, view_of("a"), view_of(""));
	commit(&t);
	store_close(s);

	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_get_ca(&t, &expected_ca.id, &ca), ERR_OK);
	assert_same_ca(&ca, &expected_ca);
	ck_assert_int_eq(store_get_ca_document(&t, &expected_ca.id, &document), ERR_OK);
	assert_view(document.der, "der");
	assert_view(document.tags, "[]");
	assert_view(document.role_arn, "");
	ck_assert_int_eq(store_get_cert(&t, &expected_cert.id, &cert), ERR_OK);
	assert_same_cert(&cert, &expected_cert);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_OK);
	ck_assert_str_eq(code, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	store_end(&t);
	ck_assert_uint_eq(last_message(s), 1);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

/* LMDB forbids it; whatever the second path looks like. */
START_TEST(a_registry_is_open_once_in_a_process)
{
	char dir[PATH_ROOM], link[PATH_ROOM];
	struct store *s, *other;

	(void)snprintf(link, sizeof(link), "%s/link", new_dir());
	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	ck_assert_int_eq(symlink(dir, link), 0);
	s = open_store(dir);
	assert_refused(dir, false, "already open in this process");
	assert_refused(dir, true, "already open in this process");
	assert_refused(link, false, "already open in this process");

	other = open_store(new_dir());
	store_close(s);
	s = open_store(link);
	store_close(other);
	store_close(s);
	store_close(NULL);
}
END_TEST

START_TEST(a_second_broker_is_refused_and_a_tool_is_not)
{
	const char *dir = new_dir();
	struct child broker = start("hold", dir, NULL);
	struct diag diag;
	struct store *s;

	wait_until_ready(&broker);
	assert_refused(dir, true, "in use by another broker");
	put_certs(s = open_store(dir), 0, 3);
	store_close(s);
	kill_child(&broker);

	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	assert_consistent(s, 10);
	broker = start("hold", dir, NULL);
	ck_assert_int_eq(end(&broker), 2);
	store_close(s);

	broker = start("hold", dir, NULL);
	wait_until_ready(&broker);
	ck_assert_int_eq(end(&broker), 0);
}
END_TEST

/* Replace bytes wherever they are in a closed database. */
static void
patch(const char *dir, struct view from, struct view to)
{
	int fd = open(in(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = malloc((size_t)size);
	size_t patched = 0;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(pread(fd, bytes, (size_t)size, 0), size);
	for (off_t at = 0; at + (off_t)from.len <= size; at++)
		if (memcmp(bytes + at, from.data, from.len) == 0) {
			ck_assert_int_eq(pwrite(fd, to.data, to.len, at), (ssize_t)to.len);
			patched++;
		}
	ck_assert_uint_gt(patched, 0);
	free(bytes);
	(void)close(fd);
}

static void
write_file(const char *path, const char *text, size_t times)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	while (times-- > 0)
		ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_newer_schema_is_refused_in_words)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch(dir, (struct view){ (const uint8_t *)"schema\0\0\0\4", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 });
	assert_refused(dir, false,
	    ": made by a newer version (schema 7, this program reads up to "
	    "4): install that version or restore a backup");
	patch(dir, (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\4", 10 });
	store_close(open_store(dir));
}
END_TEST

START_TEST(a_database_of_another_program_is_left_alone)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch(dir, view_of("meta"), view_of("atem"));
	assert_refused(dir, false, "the database belongs to another program");
}
END_TEST

START_TEST(a_table_that_is_missing_is_told)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch(dir, view_of("message"), view_of("massage"));
	assert_refused(dir, false, "damaged");
}
END_TEST

static void
make_nothing(const char *dir)
{
	(void)dir;
}

static void
make_parent_a_file(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(rmdir(parent), 0);
	write_file(parent, "", 1);
}

static void
make_parent_missing(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(rmdir(parent), 0);
}

static void
make_file(const char *dir)
{
	write_file(dir, "", 1);
}

static void
make_short_text(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(in(dir, "data.mdb"), "mine", 1);
}

static void
make_long_text(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(in(dir, "data.mdb"), "mine, and longer than two pages. ", 500);
}

static void
make_readonly(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0555), 0);
}

static void
make_private(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0000), 0);
}

static void
make_lock_a_link(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0777), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(symlink("/dev/null", in(dir, "broker.lock")), 0);
}

static void
make_parent_readonly(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(chmod(parent, 0555), 0);
}

static const struct {
	const char *what;
	void (*make)(const char *dir);
	bool as_nobody;
	const char *words;
} places[] = {
	{ "no parent", make_parent_missing, false, "the directory above it does not exist" },
	{ "below a file", make_parent_a_file, false, "not a directory" },
	{ "a file", make_file, false, "not a directory" },
	{ "a short data.mdb", make_short_text, false, "data.mdb is not an LMDB database" },
	{ "a long data.mdb", make_long_text, false, "data.mdb is not an LMDB database" },
	{ "may not be made", make_parent_readonly, true, "permission denied: it and its files" },
	{ "may not be written", make_readonly, true, "permission denied" },
	{ "may not be read", make_private, true, "permission denied" },
	{ "the lock is a link", make_lock_a_link, false, "symbolic links" },
	{ "of another user", make_nothing, true, "permission denied" },
};

START_TEST(a_place_that_will_not_do_is_refused_in_words)
{
	char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s/registry", new_dir());
	places[_i].make(dir);
	if (places[_i].make == make_nothing)
		store_close(open_store(dir));
	if (places[_i].as_nobody && geteuid() == 0) {
		(void)chmod(base, 0755);
		ck_assert_int_eq(seteuid(65534), 0);
	} else if (places[_i].make == make_nothing) {
		(void)printf("check_store: '%s' skipped: needs root\n", places[_i].what);
		return;
	}
	assert_refused(dir, true, places[_i].words);
	ck_assert_int_eq(seteuid(getuid()), 0);
	(void)prctl(PR_SET_DUMPABLE, 1); /* else a leak checker cannot look at us */
}
END_TEST

/* What is not ours is not touched, however short it is. */
START_TEST(a_refused_file_is_as_it_was)
{
	const char *dir = new_dir();
	struct stat st;

	write_file(in(dir, "data.mdb"), "mine", 1000);
	assert_refused(dir, false, "data.mdb is not an LMDB database");
	ck_assert_int_eq(stat(in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(st.st_size, 4000);
}
END_TEST

static MDB_txn *raw_begin(const char *dir, MDB_env **env);

/* Every length: refused in words, or opened because nothing was in what is missing; never a
 * SIGBUS, and what is refused is left as it is. */
START_TEST(a_file_that_was_cut_short_is_refused)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct store_counts counts;
	struct stat st, now;
	struct diag diag;
	struct txn t;
	size_t refused = 0;

	put_certs(s, 0, 200);
	store_close(s);
	ck_assert_int_eq(stat(in(dir, "data.mdb"), &st), 0);
	for (off_t len = st.st_size - 1; len > 0; len -= len > 100000 ? 20011 : 1013) {
		ck_assert_int_eq(truncate(in(dir, "data.mdb"), len), 0);
		if (_i == 1)
			ck_assert_int_eq(truncate(in(dir, "lock.mdb"), len % 8192), 0);
		if (open_with(dir, MAP_SIZE, false, &s, &diag) == ERR_OK) {
			t = reading(s);
			ck_assert_int_eq(store_count(&t, &counts), ERR_OK);
			store_end(&t);
			store_close(s);
			continue;
		}
		refused++;
		ck_assert_msg(strstr(diag.text, "truncated") != NULL ||
			strstr(diag.text, "not an LMDB database") != NULL,
		    "%ld bytes: %s", (long)len, diag.text);
		ck_assert_int_eq(stat(in(dir, "data.mdb"), &now), 0);
		ck_assert_int_eq(now.st_size, len);
	}
	ck_assert_uint_gt(refused, 10);
}
END_TEST

/* What a transaction took and gave back at the end of the file is not written: that is
 * no damage. */
START_TEST(a_short_file_that_is_whole_is_opened)
{
	const char *dir = new_dir();
	char *large = calloc(1, 200000);
	MDB_val key = { 1, "k" }, value = { 200000, large };
	struct stat st;
	struct store *s;
	MDB_envinfo info;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi meta;

	store_close(open_store(dir));
	for (int n = 0; n < 50; n++) { /* the more free pages, the sooner */
		value.mv_size = 4000u * (unsigned)(n + 1);
		txn = raw_begin(dir, &env);
		ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &meta), 0);
		ck_assert_int_eq(mdb_put(txn, meta, &key, &value, 0), 0);
		ck_assert_int_eq(mdb_del(txn, meta, &key, NULL), 0);
		ck_assert_int_eq(mdb_txn_commit(txn), 0);
		ck_assert_int_eq(mdb_env_info(env, &info), 0);
		ck_assert_int_eq(stat(in(dir, "data.mdb"), &st), 0);
		mdb_env_close(env);
		if (info.me_last_pgno >= (size_t)st.st_size / 4096)
			break;
	}
	ck_assert_uint_ge(info.me_last_pgno, (size_t)st.st_size / 4096);
	s = open_store(dir);
	put_certs(s, 0, 20);
	assert_consistent(s, 40);
	store_close(s);
	free(large);
}
END_TEST

START_TEST(a_path_of_any_length_leaves_room_for_the_reason)
{
	char path[1000] = "/";
	struct diag diag;
	struct store *s;

	for (size_t i = 0; i < 90; i++)
		strcat(path, "no-where/");
	ck_assert_int_eq(open_with(path, MAP_SIZE, false, &s, &diag), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "the directory above it does not exist"));
}
END_TEST

/* Files no longer than this: creation stops in the middle, wherever that is.
 * 8192 bytes are the two pages LMDB begins with. */
START_TEST(a_creation_that_ran_out_of_room_is_taken_up_again)
{
	static const rlim_t limits[] = { 0, 4096, 8192, 12288 };
	struct rlimit old, low;
	const char *dir = new_dir();

	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	write_file(in(dir, "lock.mdb"), "", 1);
	ck_assert_int_eq(truncate(in(dir, "lock.mdb"), _i % 2 == 0 ? 0 : 8192), 0);
	low = old;
	low.rlim_cur = limits[_i / 3];
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_refused(dir, false, "");
	assert_refused(dir, false, "");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);

	struct store *s = open_store(dir);
	put_certs(s, 0, 10);
	assert_consistent(s, 20);
	store_close(s);
}
END_TEST

static void
spin(uint32_t microseconds)
{
	struct timespec start_time, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &start_time);
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (
	    (now.tv_sec - start_time.tv_sec) * 1000000 + (now.tv_nsec - start_time.tv_nsec) / 1000 <
	    (long)microseconds);
}

START_TEST(a_creation_that_was_killed_is_taken_up_again)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 25; round++) {
		const char *dir = new_dir();
		struct child c = start("create", dir, NULL);
		struct store *s;

		wait_until_ready(&c);
		spin(random_number(&state) % 3000);
		(void)kill(c.pid, SIGKILL);
		(void)end(&c);
		s = open_store(dir);
		put_certs(s, 0, 2);
		assert_consistent(s, 10);
		store_close(s);
	}
}
END_TEST

/*
 * An older schema.  LMDB's own functions make it what a program of then left:
 * without the tables that came later.
 */

static const struct {
	const char *name;
	unsigned since;
} later_tables[] = {
	{ "policy", 2 },
	{ "policy_version", 2 },
	{ "policy_by_time", 2 },
	{ "policy_cert", 2 },
	{ "cert_policy", 2 },
	{ "thing", 2 },
	{ "thing_cert", 2 },
	{ "cert_thing", 2 },
	{ "ca_settings", 3 },
	{ "crl", 3 },
	{ "revoked", 3 },
	{ "cert_by_serial", 3 },
	{ "cert_by_status", 3 },
	{ "cert_note", 3 },
	{ "refusal", 3 },
	{ "agenda", 3 },
	{ "template", 3 },
	{ "cert_by_content", 4 },
};

#define COUNTS_SINCE 3 /* they are in "meta" */

static MDB_txn *
raw_begin(const char *dir, MDB_env **env)
{
	MDB_txn *txn;

	ck_assert_int_eq(mdb_env_create(env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(*env, 32), 0);
	ck_assert_int_eq(mdb_env_set_mapsize(*env, MAP_SIZE), 0);
	ck_assert_int_eq(mdb_env_open(*env, dir, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(*env, NULL, 0, &txn), 0);
	return txn;
}

static MDB_val
raw(const void *bytes, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)bytes };
}

/* With so many certificates, of every status. */
static void
make_schema_with(const char *dir, unsigned schema, uint32_t certs)
{
	const uint8_t number[] = { 0, 0, 0, (uint8_t)schema };
	MDB_val key = raw("schema", 6), counts = raw("counts", 6), value = raw(number, 4);
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;

	for (uint32_t n = 0; n < certs; n++) {
		struct cert cert = cert_number(n);
		struct cert_document document = { .der = der_number(n, 900) };

		cert.status = (enum cert_status)(n % CERT_STATUS_COUNT);
		cert.not_after = CREATED - (int64_t)n % 7 * CREATED;
		store_put_cert(&t, &cert, &document);
	}
	commit(&t);
	store_close(s);
	txn = raw_begin(dir, &env);
	for (size_t i = 0; i < COUNT_OF(later_tables); i++)
		if (later_tables[i].since > schema) {
			ck_assert_int_eq(mdb_dbi_open(txn, later_tables[i].name, 0, &table), 0);
			ck_assert_int_eq(mdb_drop(txn, table, 1), 0);
		}
	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &table), 0);
	ck_assert_int_eq(mdb_put(txn, table, &key, &value, 0), 0);
	if (schema < COUNTS_SINCE)
		ck_assert_int_eq(mdb_del(txn, table, &counts, NULL), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
make_schema(const char *dir, unsigned schema)
{
	make_schema_with(dir, schema, 20);
}

/* Which schema it is; of the tables that came later it has its own alone. */
static unsigned
schema_of(const char *dir)
{
	MDB_val key = raw("schema", 6), counts = raw("counts", 6), value;
	MDB_env *env;
	MDB_txn *txn = raw_begin(dir, &env);
	MDB_dbi table;
	unsigned schema;

	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &table), 0);
	ck_assert_int_eq(mdb_get(txn, table, &key, &value), 0);
	schema = ((uint8_t *)value.mv_data)[3];
	ck_assert_int_eq(mdb_get(txn, table, &counts, &value) == 0, schema >= COUNTS_SINCE);
	for (size_t i = 0; i < COUNT_OF(later_tables); i++)
		ck_assert_int_eq(mdb_dbi_open(txn, later_tables[i].name, 0, &table) == 0,
		    later_tables[i].since <= schema);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return schema;
}

/* All that was there before, and room for what came later. */
static void
assert_upgraded(const char *dir)
{
	struct policy_record p = { .name = view_of("p"), .default_version = 1, .last_version = 1 };
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	ck_assert_uint_eq(count_certs(&t, 30), 20);
	store_put_policy(&t, &p);
	put_every_serial(&t, 30);
	commit(&t);
	assert_consistent(s, 30);
	assert_all_on_the_schedule(s, 30);
	store_close(s);
	store_close(open_store(dir));
	ck_assert_uint_eq(schema_of(dir), STORE_SCHEMA);
}

START_TEST(an_older_schema_is_upgraded_when_it_is_opened)
{
	const char *dir = new_dir();

	make_schema(dir, (unsigned)_i);
	ck_assert_uint_eq(schema_of(dir), (unsigned)_i);
	assert_upgraded(dir);
}
END_TEST

START_TEST(a_schema_without_a_number_is_damage)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch(dir, (struct view){ (const uint8_t *)"schema\0\0\0\4", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\0", 10 });
	assert_refused(dir, false, "damaged");
}
END_TEST

START_TEST(an_older_schema_that_lacks_a_table_is_damage)
{
	const char *dir = new_dir();

	make_schema(dir, (unsigned)_i);
	patch(dir, view_of("message"), view_of("massage"));
	assert_refused(dir, false, "damaged");
	ck_assert_uint_eq(schema_of(dir), (unsigned)_i);
}
END_TEST

START_TEST(an_upgrade_without_room_leaves_the_older_schema)
{
	static const rlim_t limits[] = { 0, 4096, 8192 };
	struct rlimit old, low;
	const char *dir = new_dir();

	make_schema(dir, 1 + (unsigned)_i % 3);
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = limits[_i / 3];
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_refused(dir, false, "");
	assert_refused(dir, false, "");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_uint_eq(schema_of(dir), 1 + (unsigned)_i % 3);
	assert_upgraded(dir);
}
END_TEST

START_TEST(an_upgrade_that_was_killed_is_taken_up_again)
{
	uint64_t state = 1181783497276652981u;

	for (int round = 0; round < 25; round++) {
		const char *dir = new_dir();
		struct child c;

		make_schema(dir, 1 + (unsigned)round % 3);
		c = start("create", dir, NULL);
		wait_until_ready(&c);
		spin(random_number(&state) % 12000);
		(void)kill(c.pid, SIGKILL);
		(void)end(&c);
		ck_assert_uint_le(schema_of(dir), STORE_SCHEMA);
		assert_upgraded(dir);
	}
}
END_TEST

/* Words that say what to do; and nothing has changed. */
START_TEST(an_upgrade_that_does_not_fit_is_refused_in_words)
{
	const char *dir = new_dir();
	struct diag diag;
	struct store *s;
	struct stat st;

	make_schema_with(dir, 2, 3000);
	ck_assert_int_eq(stat(in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(open_with(dir, (size_t)st.st_size / 2, false, &s, &diag), ERR_STORAGE);
	ck_assert_msg(strstr(diag.text, "does not fit: raise db_map_size_mb") != NULL, "%s",
	    diag.text);
	ck_assert_uint_eq(schema_of(dir), 2);
	s = open_store(dir);
	assert_consistent(s, 3000);
	assert_all_on_the_schedule(s, 3000);
	store_close(s);
}
END_TEST

static void
raw_put(const char *dir, const char *name, struct view key, const char *text)
{
	MDB_val k = raw(key.data, key.len), v = raw(text, strlen(text));
	MDB_env *env;
	MDB_txn *txn = raw_begin(dir, &env);
	MDB_dbi table;

	ck_assert_int_eq(mdb_dbi_open(txn, name, 0, &table), 0);
	ck_assert_int_eq(mdb_put(txn, table, &k, &v, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

/* Refused, neither replaced nor deleted, and found by nothing that came later. */
static void
assert_still_damaged(struct store *s, uint32_t n)
{
	struct cert cert = cert_number(n), got;
	struct txn t = reading(s);

	ck_assert_int_eq(store_get_cert(&t, &cert.id, &got), ERR_CORRUPT);
	store_end(&t);
	t = writing(s);
	store_put_cert(&t, &cert, NULL);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	t = writing(s);
	store_delete_cert(&t, &cert.id);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
}

static size_t
count_named_of_all(struct txn *t)
{
	size_t count = 0;

	for (uint32_t n = 0; n < CA_COUNT; n++) {
		struct certid id = ca_id_number(n);

		count += count_named(t, &id);
	}
	return count;
}

/* One certificate is rubbish, one has rubbish for a document, one a key that is
 * no id: the other 18 are where they belong, 15 of them with a CA. */
START_TEST(an_upgrade_leaves_a_damaged_row_as_it_is)
{
	struct certid cert = id_number(2), document = id_number(3);
	const char *dir = new_dir();
	struct schedule_entry entry;
	struct store *s;
	struct txn t;
	size_t on_schedule = 0;

	make_schema(dir, (unsigned)_i);
	raw_put(dir, "cert", (struct view){ cert.b, sizeof(cert.b) }, "rubbish");
	raw_put(dir, "cert_document", (struct view){ document.b, sizeof(document.b) }, "rubbish");
	raw_put(dir, "cert", view_of("short"), "rubbish");
	s = open_store(dir);
	t = writing(s);
	put_every_serial(&t, 30);
	ck_assert_uint_eq(count_named_of_all(&t), 15);
	assert_statuses_agree(&t, 19);
	while (store_next_schedule(&t, SCHEDULE_EXPIRY, &entry) == ERR_OK) {
		store_delete_schedule(&t, &entry);
		on_schedule++;
	}
	ck_assert_uint_eq(on_schedule, 19);
	store_end(&t);
	assert_still_damaged(s, 2);
	store_close(s);
}
END_TEST

/* A certificate with a signed part of its own; what is behind that part makes
 * another form of it. */
static struct view
der_in_form(uint32_t n, uint8_t form)
{
	static uint8_t der[TINY_LEAST + 3];
	uint8_t serial[4], tiny[TINY_LEAST];
	size_t len = sizeof(der) - 4;

	(void)tiny_certificate(serial_number(n, serial), sizeof(tiny), tiny);
	memcpy(der, tiny, sizeof(tiny));
	der[2] = (uint8_t)(len >> 8);
	der[3] = (uint8_t)len;
	memcpy(der + sizeof(tiny), (uint8_t[]){ 0x04, 0x01, form }, 3);
	return (struct view){ der, sizeof(der) };
}

/* 1000, 2000, ... have the signed part of this number. */
static void
put_in_form(struct txn *t, uint32_t n, uint8_t form)
{
	struct cert cert = cert_number(n + 1000u * form);
	struct cert_document document = { .der = der_in_form(n, form) };

	cert.status = form == 1 ? CERT_REVOKED : CERT_ACTIVE;
	store_put_cert(t, &cert, &document);
}

static struct certid
content_of(uint32_t n)
{
	struct certid content;

	ck_assert_int_eq(sha256_of(der_certificate_signed_part(der_in_form(n, 0)), &content),
	    ERR_OK);
	return content;
}

static size_t
count_forms(struct txn *t, uint32_t n)
{
	struct certid content = content_of(n), id = id_number(n);
	size_t times;

	return count_by_content(t, &content, &id, &times);
}

/* Whatever CA they were registered under, and whatever status they have; the row
 * goes with the certificate, and follows its document. */
START_TEST(certificates_are_found_by_their_signed_part)
{
	struct store *s = open_store(new_dir());
	struct certid first = id_number(5);
	struct cert_document other;
	struct txn t = writing(s);
	struct cert cert;

	for (uint8_t form = 0; form < 3; form++)
		put_in_form(&t, 5, form);
	put_in_form(&t, 6, 1);
	ck_assert_uint_eq(count_forms(&t, 5), 3);
	ck_assert_uint_eq(count_forms(&t, 6), 1);
	ck_assert_uint_eq(count_forms(&t, 8), 0);
	ck_assert_int_eq(store_get_cert(&t, &first, &cert), ERR_OK);
	cert.status = CERT_INACTIVE;
	cert.has_ca = false;
	store_put_cert(&t, &cert, NULL);
	ck_assert_uint_eq(count_forms(&t, 5), 3);
	other = (struct cert_document){ .der = der_in_form(6, 0) };
	store_put_cert(&t, &cert, &other);
	ck_assert_uint_eq(count_forms(&t, 5), 2);
	ck_assert_uint_eq(count_forms(&t, 6), 2);
	store_delete_cert(&t, &first);
	ck_assert_uint_eq(count_forms(&t, 6), 1);
	store_end(&t);
	store_close(s);
}
END_TEST

/* What an older version has registered twice keeps its records, and is found
 * twice; counts that were there are not made anew. */
START_TEST(an_upgrade_finds_all_that_share_a_signed_part)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	for (uint8_t form = 0; form < 2; form++)
		put_in_form(&t, 25, form);
	commit(&t);
	store_close(s);
	make_schema(dir, 3);
	s = open_store(dir);
	t = reading(s);
	ck_assert_uint_eq(count_forms(&t, 25), 2);
	assert_statuses_agree(&t, 22);
	store_end(&t);
	store_close(s);
	ck_assert_uint_eq(schema_of(dir), STORE_SCHEMA);
}
END_TEST

/* A value, and a key, that nobody has written: neither keeps back what is behind it. */
START_TEST(a_damaged_row_of_the_schedule_can_be_dropped)
{
	static const uint8_t early[41] = { SCHEDULE_SUPERSEDE };
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, CREATED, id_number(1), id_number(2) };
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	store_put_schedule(&t, &entry);
	commit(&t);
	store_close(s);
	raw_put(dir, "agenda", (struct view){ early, 7 }, "rubbish");
	raw_put(dir, "agenda", (struct view){ early, sizeof(early) }, "rubbish");
	s = open_store(dir);
	t = writing(s);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_CORRUPT);
		store_drop_schedule(&t, SCHEDULE_SUPERSEDE);
	}
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, CREATED);
	store_drop_schedule(&t, SCHEDULE_EXPIRY); /* nothing of this kind */
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	commit(&t);
	store_close(s);
}
END_TEST

/*
 * Records.
 */

START_TEST(what_is_not_there_is_not_found)
{
	struct store *s = open_store(new_dir());
	struct txn t = reading(s);
	struct certid id = id_number(1);
	struct cert_document cert_document;
	struct ca_document ca_document;
	char code[REGISTRATION_CODE_SIZE];
	struct message m;
	struct cert cert;
	struct ca ca;
	bool has = true;

	ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_cert_document(&t, &id, &cert_document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_document(&t, &id, &ca_document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_find_issuer(&t, 0, 0, &ca), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, UINT64_MAX, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_has_cert_of(&t, &id, &has), ERR_OK);
	ck_assert(!has);
	store_end(&t);
	store_end(&t);

	t = writing(s);
	store_delete_cert(&t, &id);
	store_delete_ca(&t, &id);
	store_delete_registration_code(&t);
	store_drop_messages(&t, UINT64_MAX);
	commit(&t);
	store_close(s);
}
END_TEST

START_TEST(a_changed_certificate_moves_in_every_index)
{
	struct store *s = open_store(new_dir());
	struct cert cert = cert_number(0);
	struct cert_document document;
	struct txn t;

	put_certs(s, 0, 20);
	for (int change = 0; change < 4; change++) {
		if (change == 0)
			cert.created += 100;
		else if (change == 1)
			cert.ca_id = ca_id_number(3);
		else
			cert.has_ca = change == 3;
		cert.ca_id = cert.has_ca ? ca_id_number(3) : (struct certid){ { 0 } };
		t = writing(s);
		store_put_cert(&t, &cert, NULL);
		commit(&t);
		assert_consistent(s, 30);
		t = reading(s);
		ck_assert_uint_eq(count_listed(&t, NULL, 5, NULL), 20);
		ck_assert_int_eq(store_get_cert_document(&t, &cert.id, &document), ERR_OK);
		assert_view(document.pem, "pem");
		store_end(&t);
	}
	store_close(s);
}
END_TEST

START_TEST(a_changed_ca_moves_in_every_index)
{
	struct store *s = open_store(new_dir());
	struct ca ca = ca_number(1), found;
	struct ca_document document;
	struct txn t = writing(s);

	for (uint32_t n = 0; n < 9; n++)
		put_ca_number(&t, n);
	commit(&t);
	t = writing(s);
	ca.subject_hash = 0x10000007;
	ca.created += 100;
	ca.key_id = (struct view){ NULL, 0 };
	store_put_ca(&t, &ca, NULL);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 0, &found), ERR_OK);
	commit(&t);

	assert_consistent(s, 0);
	t = reading(s);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 0, &found), ERR_OK);
	ck_assert(certid_equal(&found.id, &ca.id));
	ck_assert_uint_eq(found.key_id.len, 0);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 1, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000001, 1, &found), ERR_OK);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000001, 2, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_document(&t, &ca.id, &document), ERR_OK);
	assert_view(document.pem, "pem");
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(deleting_removes_every_trace)
{
	struct store *s = open_store(new_dir());
	struct certid id = id_number(5), ca_id = ca_id_number(0);
	struct cert_document document;
	struct ca ca = ca_number(0), deleted;
	struct txn t = writing(s);
	bool has;

	put_ca_number(&t, 0);
	put_ca_number(&t, 3);
	put_cert_number(&t, 5); /* has no CA */
	put_cert_number(&t, 0);
	commit(&t);
	t = writing(s);
	store_delete_cert(&t, &id);
	store_delete_ca(&t, &ca_id);
	commit(&t);
	assert_consistent(s, 10);

	/* The certificates of a deleted CA stay (aws-iot A.2.5). */
	t = reading(s);
	ck_assert_int_eq(store_has_cert_of(&t, &ca_id, &has), ERR_OK);
	ck_assert(has);
	ck_assert_int_eq(store_get_cert_document(&t, &id, &document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_OK);
	ck_assert_int_eq(deleted.not_before, ca.not_before);
	ck_assert_int_eq(deleted.not_after, ca.not_after);
	store_end(&t);

	t = writing(s);
	id = id_number(0);
	store_delete_cert(&t, &id);
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_has_cert_of(&t, &ca_id, &has), ERR_OK);
	ck_assert(!has);
	ck_assert_uint_eq(count_listed(&t, NULL, 5, NULL), 0);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_NOT_FOUND);
	store_end(&t);
	store_close(s);
}
END_TEST

/* Registered again it is judged by its record, as any other. */
START_TEST(a_ca_that_comes_back_is_not_a_deleted_one)
{
	struct store *s = open_store(new_dir());
	struct certid ca_id = ca_id_number(0);
	struct txn t = writing(s);
	struct ca deleted;

	put_ca_number(&t, 0);
	put_cert_number(&t, 0);
	store_delete_ca(&t, &ca_id);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_OK);
	put_ca_number(&t, 0);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_NOT_FOUND);
	commit(&t);
	store_close(s);
}
END_TEST

/* The way of every update: the texts that are kept lie on a page that the put
 * is about to change, one that this very transaction made included. */
START_TEST(a_record_may_be_put_back_with_the_views_it_came_with)
{
	struct store *s = open_store(new_dir());
	struct txn t = writing(s);
	struct certid id = ca_id_number(1);
	struct ca expected = ca_number(1), ca;
	struct ca_document document;

	for (int round = 0; round < 50; round++) {
		put_ca_number(&t, 1);
		put_ca_number(&t, 2 + (uint32_t)round);
		ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_OK);
		ck_assert_int_eq(store_get_ca_document(&t, &id, &document), ERR_OK);
		document.template_body = view_of("{\"a\":\"a text that makes the row grow\"}");
		document.der = document.pem;
		store_put_ca(&t, &ca, &document);
	}
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_OK);
	assert_same_ca(&ca, &expected);
	ck_assert_int_eq(store_get_ca_document(&t, &id, &document), ERR_OK);
	assert_view(document.der, "pem");
	assert_view(document.pem, "pem");
	assert_view(document.tags, "[]");
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(the_registration_code_is_kept_replaced_and_deleted)
{
	static const char *const codes[] = {
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	struct store *s = open_store(new_dir());
	char code[REGISTRATION_CODE_SIZE];
	struct txn t;

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		t = writing(s);
		store_put_registration_code(&t, codes[i]);
		commit(&t);
		t = reading(s);
		ck_assert_int_eq(store_get_registration_code(&t, code), ERR_OK);
		ck_assert_str_eq(code, codes[i]);
		store_end(&t);
	}
	t = writing(s);
	store_delete_registration_code(&t);
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_NOT_FOUND);
	store_end(&t);
	store_close(s);
}
END_TEST

/* Also the version byte of doc/storage.md: 9 is nobody's. */
START_TEST(a_damaged_record_is_told_and_never_replaced)
{
	const uint8_t from[] = { 1, CERT_PENDING_ACTIVATION, MODE_DEFAULT };
	const uint8_t to[] = { 9, CERT_PENDING_ACTIVATION, MODE_DEFAULT };
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct cert cert = cert_number(1);
	struct listing l = { .ascending = true };
	uint8_t good[11], bad[11];
	struct txn t;
	size_t count;

	put_certs(s, 1, 1);
	store_close(s);
	memset(good, 0xff, sizeof(good));
	good[10] = 0xfb; /* not_before, -5 */
	memcpy(good, from, sizeof(from));
	memcpy(bad, good, sizeof(bad));
	memcpy(bad, to, sizeof(to));
	patch(dir, (struct view){ good, sizeof(good) }, (struct view){ bad, sizeof(bad) });

	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_get_cert(&t, &cert.id, &cert), ERR_CORRUPT);
	cert = cert_number(1);
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
	store_end(&t);

	cert = cert_number(1);
	t = writing(s);
	store_put_cert(&t, &cert, NULL);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(store_failure(s), "cannot be read"));
	t = writing(s);
	store_delete_cert(&t, &cert.id);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	put_certs(s, 2, 5);
	store_close(s);
}
END_TEST

/* A row in a place of the index that is not its own would make a listing go
 * round in circles. */
START_TEST(an_index_that_disagrees_is_told)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct cert cert = cert_number(0);
	struct certid ca_id = cert.ca_id;
	struct listing l = { .ascending = true };
	uint8_t from[16], to[16];
	struct txn t;
	size_t count;

	put_certs(s, 0, 1);
	store_close(s);
	for (size_t i = 0; i < 8; i++) { /* created and modified, side by side */
		from[i] = from[8 + i] = to[i] = to[8 + i] = (uint8_t)(CREATED >> (56 - 8 * i));
		to[7] = 0;
	}
	patch(dir, (struct view){ from, sizeof(from) }, (struct view){ to, sizeof(to) });
	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	l.ca = &ca_id;
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	store_end(&t);
	store_close(s);
}
END_TEST

/* The worked example of doc/storage.md: rows as digits, *id* for the id. */
static const struct {
	const char *table, *key, *value;
} documented[] = {
#define CA_ID "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"
#define ID    "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
	{ "cert_by_time", "0000015dcccb0514" ID, "" },
	{ "cert_by_ca", CA_ID "0000015dcccb0514" ID, "" },
	{ "cert_by_serial", CA_ID "0ba29011", ID },
	{ "cert_by_status", "040000015dcccb0514" ID, "" },
	{ "cert_by_content", "e58560611296f092597e25403f84d588f9d21619fa6e515c00ba7ee8153353e1",
	    ID },
	{ "agenda", "008000024bce5cec18" ID, "" },
	{ "message", "0000000000000001", "01000000017400000000" },
	{ "meta", "73657175656e6365", "0000000000000001" },
	{ "meta", "636f756e7473",
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000001" },
	{ "meta", "6c6973745f73657175656e6365", "0000000000000003" },
	{ "meta", "64656c657465645f63613a" CA_ID, "0000000000000000000001d1a94a2000" },
	{ "revoked", "00000000000000030ba29011", "010000015dc7826d8001" },
	{ "crl", CA_ID,
	    "0200000000000000030000015dc970d0000000015ded7d54000000015dcccb05140000000100"
	    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf02100400000000" },
#undef CA_ID
#undef ID
};

static void
put_documented(struct txn *t)
{
	static const uint8_t serial[] = { 0x0b, 0xa2, 0x90, 0x11 };
	struct cert cert = { .has_ca = true,
		.status = CERT_PENDING_ACTIVATION,
		.created = CREATED,
		.not_after = 2524607999000 };
	struct crl crl = { .list = 3,
		.this_update = 1502323200000,
		.next_update = 1502928000000,
		.imported = CREATED,
		.count = 1,
		.number_len = 2,
		.number = { 0x10, 0x04 },
		.scope = CRL_SCOPE_ALL };
	struct revoked entry = { 1502290800000, 1 };
	struct view bytes = { serial, sizeof(serial) };
	uint8_t der[TINY_LEAST];
	struct cert_document document = { .der = tiny_certificate(bytes, sizeof(der), der) };
	struct ca ca = { .created = CREATED, .not_after = 2000000000000 };
	uint64_t list = 0;

	memset(cert.id.b, 0x1d, sizeof(cert.id.b));
	for (size_t i = 0; i < sizeof(crl.digest.b); i++)
		crl.digest.b[i] = (uint8_t)(0xa0 + i);
	ck_assert(certid_from_hex(&cert.ca_id,
	    view_of("3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173")));
	store_put_cert(t, &cert, &document);
	ca.id = cert.ca_id;
	store_put_ca(t, &ca, &(struct ca_document){ .der = { NULL, 0 } });
	store_delete_ca(t, &ca.id);
	store_post(t, view_of("t"), view_of(""));
	while (list < 3)
		ck_assert_int_eq(store_new_list(t, &list), ERR_OK);
	store_append_revoked(t, list, bytes, &entry);
	store_put_crl(t, &cert.ca_id, &crl);
}

START_TEST(the_rows_are_those_of_the_documentation)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	char hex[512];
	MDB_env *env;
	MDB_txn *txn;

	put_documented(&t);
	commit(&t);
	store_close(s);
	txn = raw_begin(dir, &env);
	for (size_t i = 0; i < COUNT_OF(documented); i++) {
		uint8_t bytes[128];
		size_t len = strlen(documented[i].key) / 2;
		MDB_val key = raw(bytes, len), value;
		MDB_dbi table;

		ck_assert(hex_decode(bytes, len, view_of(documented[i].key)));
		ck_assert_int_eq(mdb_dbi_open(txn, documented[i].table, 0, &table), 0);
		ck_assert_msg(mdb_get(txn, table, &key, &value) == 0, "%s", documented[i].table);
		hex_encode((struct view){ value.mv_data, value.mv_size }, hex);
		ck_assert_str_eq(hex, documented[i].value);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
}
END_TEST

/*
 * Listings (aws-iot 1.6).
 */

START_TEST(pages_of_any_size_give_the_same_listing)
{
	struct store *s = open_store(new_dir());
	struct certid ca_id = ca_id_number(2);
	struct txn t;

	put_certs(s, 0, 60);
	t = reading(s);
	ck_assert_uint_eq(count_listed(&t, NULL, (size_t)_i, NULL), 60);
	ck_assert_uint_eq(count_listed(&t, &ca_id, (size_t)_i, NULL), 10);
	store_end(&t);
	store_close(s);
}
END_TEST

/* Between two pages the entry that the position names is deleted, and others
 * come and go on both sides of it. */
START_TEST(a_listing_goes_on_while_entries_come_and_go)
{
	struct store *s = open_store(new_dir());
	struct listing l = { .ascending = _i == 0 };
	struct position after;
	struct cert page[10];
	struct txn t;
	size_t count;

	put_certs(s, 100, 100);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	store_end(&t);
	ck_assert_uint_eq(count, 10);
	after = (struct position){ page[9].created, page[9].id };
	l.after = &after;

	t = writing(s);
	store_delete_cert(&t, &page[9].id);
	store_delete_cert(&t, &page[3].id);
	put_cert_number(&t, _i == 0 ? 10 : 900); /* behind us: not seen */
	put_cert_number(&t, _i == 0 ? 901 : 11); /* before us: seen in the end */
	commit(&t);

	t = reading(s);
	for (size_t seen = 10; seen < 101; seen += count) {
		ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
		ck_assert_uint_eq(count, seen < 100 ? 10 : 1);
		for (size_t i = 0; i < count; i++) {
			struct position at = { page[i].created, page[i].id };

			ck_assert(_i == 0 ? compare(&after, &at) < 0 : compare(&after, &at) > 0);
			after = at;
		}
	}
	ck_assert_uint_eq(number_of(&page[0].id), _i == 0 ? 901 : 11);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

/* A position comes back from a client as it likes. */
static const struct {
	const char *what;
	int64_t created;
	size_t ascending, descending; /* how many of six follow it */
} positions[] = {
	{ "before 1970", INT64_MIN, 6, 0 },
	{ "just before 1970", -1, 6, 0 },
	{ "before all", 0, 6, 0 },
	{ "in the gap", CREATED + 100, 3, 3 },
	{ "behind all", CREATED + 1000, 0, 6 },
	{ "at the end of time", INT64_MAX, 0, 6 },
};

START_TEST(a_position_need_not_name_an_entry)
{
	struct store *s = open_store(new_dir());
	struct position after = { positions[_i].created, id_number(77) };
	struct listing l = { .after = &after, .ascending = true };
	struct cert page[10];
	struct txn t;
	size_t count;

	put_certs(s, 0, 3);
	put_certs(s, 600, 3);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, positions[_i].ascending);
	l.ascending = false;
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, positions[_i].descending);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 0, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(a_listing_by_ca_stays_within_that_ca)
{
	struct store *s = open_store(new_dir());
	struct listing l = { 0 };
	struct cert cert, page[10];
	struct txn t = writing(s);
	size_t count;

	/* Neighbours in the index: the next ids up and down. */
	for (uint8_t last = 1; last <= 3; last++) {
		cert = cert_number(last);
		memset(cert.ca_id.b, 0x77, sizeof(cert.ca_id.b));
		cert.ca_id.b[31] = last;
		store_put_cert(&t, &cert, NULL);
	}
	commit(&t);
	cert.ca_id.b[31] = 2;
	l.ca = &cert.ca_id;
	t = reading(s);
	for (int ascending = 0; ascending < 2; ascending++) {
		l.ascending = ascending == 1;
		ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
		ck_assert_uint_eq(count, 1);
		ck_assert_uint_eq(number_of(&page[0].id), 2);
	}
	cert.ca_id.b[31] = 4;
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

#define MANY 100000

START_TEST(a_hundred_thousand_certificates)
{
	struct store *s = open_store(new_dir());
	struct cert cert, expected;
	struct census c;
	struct txn t;

	for (uint32_t n = 0; n < MANY;) {
		t = writing(s);
		for (uint32_t batch_end = n + 5000; n < batch_end; n++) {
			cert = cert_number(n);
			store_put_cert(&t, &cert, NULL);
		}
		commit(&t);
	}
	t = reading(s);
	c = list_certs(&t, (struct filter){ NULL, NULL }, true, 1000);
	ck_assert_uint_eq(c.count, MANY);
	for (size_t i = 0; i < c.count; i++) {
		expected = cert_number(number_of(&c.at[i].id));
		ck_assert(i == 0 || compare(&c.at[i - 1], &c.at[i]) < 0);
		ck_assert(store_get_cert(&t, &c.at[i].id, &cert) == ERR_OK);
		ck_assert(cert.created == expected.created && cert.version == expected.version);
	}
	store_end(&t);
	free(c.at);
	store_close(s);
}
END_TEST

/*
 * The outbox.
 */

static void
post(struct store *s, const char *topic, const char *payload)
{
	struct txn t = writing(s);

	store_post(&t, view_of(topic), view_of(payload));
	commit(&t);
}

static void
drop(struct store *s, uint64_t up_to)
{
	struct txn t = writing(s);

	store_drop_messages(&t, up_to);
	commit(&t);
}

START_TEST(messages_come_back_in_order)
{
	struct store *s = open_store(new_dir());
	struct message m = { .seq = 0 };
	struct txn t = writing(s);

	store_post(&t, view_of("one"), view_of("1"));
	store_post(&t, view_of("two"), view_of(""));
	commit(&t);
	post(s, "three", "3");
	t = reading(s);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 1);
	assert_view(m.topic, "one");
	assert_view(m.payload, "1");
	ck_assert_int_eq(store_next_message(&t, 1, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 2);
	assert_view(m.payload, "");
	ck_assert_int_eq(store_next_message(&t, 2, &m), ERR_OK);
	assert_view(m.topic, "three");
	ck_assert_int_eq(store_next_message(&t, 3, &m), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_message(&t, UINT64_MAX, &m), ERR_NOT_FOUND);
	store_end(&t);
	drop(s, 2);
	t = reading(s);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_OK);
	ck_assert_uint_eq(m.seq, 3);
	store_end(&t);
	store_close(s);
}
END_TEST

/* Whoever remembers a number must not meet it again (store.h). */
START_TEST(a_message_number_is_never_given_twice)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	for (uint64_t round = 1; round <= 5; round++) {
		post(s, "topic", "payload");
		ck_assert_uint_eq(last_message(s), round);
		drop(s, round % 2 == 0 ? round : UINT64_MAX);
		ck_assert_uint_eq(last_message(s), 0);
		store_close(s);
		s = open_store(dir);
	}
	t = writing(s);
	store_post(&t, view_of("dropped"), view_of("with its transaction"));
	store_end(&t);
	post(s, "topic", "payload");
	ck_assert_uint_eq(last_message(s), 6);
	store_close(s);
}
END_TEST

START_TEST(a_sequence_that_went_back_is_told)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	post(s, "topic", "payload");
	post(s, "topic", "payload");
	store_close(s);
	patch(dir, (struct view){ (const uint8_t *)"sequence\0\0\0\0\0\0\0\2", 16 },
	    (struct view){ (const uint8_t *)"sequence\0\0\0\0\0\0\0\1", 16 });
	s = open_store(dir);
	t = writing(s);
	store_post(&t, view_of("topic"), view_of("payload"));
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	drop(s, UINT64_MAX);
	store_close(s);
}
END_TEST

/*
 * Transactions.
 */

START_TEST(what_is_not_committed_never_was)
{
	struct store *s = open_store(new_dir());
	struct txn t = writing(s);

	put_cert_number(&t, 1);
	put_ca_number(&t, 1);
	store_end(&t);
	store_end(&t);
	assert_consistent(s, 10);
	t = reading(s);
	ck_assert_uint_eq(count_certs(&t, 10), 0);
	ck_assert_int_eq(store_commit(&t), ERR_OK);
	store_close(s);
}
END_TEST

START_TEST(a_transaction_knows_whether_it_changed_anything)
{
	struct store *s = open_store(new_dir());
	struct cert nobody = cert_number(7);
	struct txn t = writing(s);

	store_delete_cert(&t, &nobody.id);
	commit(&t);
	ck_assert(!store_changed(s));
	put_certs(s, 0, 1);
	ck_assert(store_changed(s));
	t = writing(s);
	ck_assert(!store_changed(s));
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(the_first_failure_of_a_transaction_sticks)
{
	struct store *s = open_store(new_dir());
	struct cert impossible = cert_number(2);
	struct txn t = writing(s);

	impossible.created = -1;
	put_cert_number(&t, 1);
	store_put_cert(&t, &impossible, NULL);
	ck_assert_int_eq(t.failed, ERR_STORAGE);
	put_cert_number(&t, 3);
	put_ca_number(&t, 3);
	store_delete_cert(&t, &impossible.id);
	store_post(&t, view_of(""), view_of(""));
	store_drop_messages(&t, 1);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_str_eq(store_failure(s), "a certificate that cannot be encoded");
	ck_assert_uint_eq(last_message(s), 0);
	t = reading(s);
	ck_assert_uint_eq(count_certs(&t, 10), 0);
	store_end(&t);
	put_certs(s, 0, 5);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

START_TEST(the_words_of_a_full_map_are_kept_and_the_store_goes_on)
{
	struct diag diag;
	struct store *s;
	struct txn t;
	size_t count;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	put_certs(s, 0, 50);
	for (int round = 0; round < 3; round++) {
		t = writing(s);
		for (uint32_t n = 100; n < 2000; n++)
			put_cert_number(&t, n);
		ck_assert_int_eq(t.failed, ERR_STORAGE);
		ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
		assert_consistent(s, 2000);
		put_certs(s, 50 + (uint32_t)round, 1);
	}
	t = reading(s);
	count = count_certs(&t, 2000);
	store_end(&t);
	ck_assert_uint_eq(count, 53);
	store_close(s);
}
END_TEST

/* Certificates until none fits: in large transactions first, then one by one. */
static uint32_t
fill_up(struct store *s)
{
	uint32_t n = 0;

	for (uint32_t batch = 32; batch > 0; batch /= 2) {
		struct txn t;

		for (;;) {
			t = writing(s);
			for (uint32_t i = 0; i < batch; i++)
				put_cert_number(&t, n + i);
			if (store_commit(&t) != ERR_OK)
				break;
			n += batch;
		}
		ck_assert_int_eq(t.failed, ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
	}
	return n;
}

static struct txn
taking_away(struct store *s)
{
	struct txn t = writing(s);

	store_use_reserve(&t);
	return t;
}

static const size_t full_maps[] = { 1, 2, 4, 8 };

static enum err
set_status(struct store *s, uint32_t n, enum cert_status status, const struct cert_note *note)
{
	struct txn t = taking_away(s);
	struct cert cert = cert_number(n);

	cert.status = status;
	store_put_cert(&t, &cert, NULL);
	if (note != NULL)
		store_put_cert_note(&t, &cert.id, note);
	return store_commit(&t);
}

/* LMDB writes what it deletes from anew first: of a map that is full to its last page
 * nothing could be taken away.  Every certificate is deactivated; as many as there is
 * room for are revoked, with a note of why, which must not be in the way of what is
 * next: all are deleted, and what is free then is used. */
START_TEST(a_full_map_is_emptied)
{
	struct cert_note note = { .time = 1, .text = view_of("on the revocation list of its CA") };
	uint32_t count, n = 0;
	struct diag diag;
	struct store *s;

	ck_assert_int_eq(open_with(new_dir(), full_maps[_i] << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (uint32_t i = 0; i < count; i++)
		ck_assert_msg(set_status(s, i, CERT_INACTIVE, NULL) == ERR_OK,
		    "%zu MiB, deactivating %u of %u: %s", full_maps[_i], i, count,
		    store_failure(s));
	while (n < count && set_status(s, n, CERT_REVOKED, &note) == ERR_OK)
		n++;
	ck_assert_msg(n >= count / 10, "revoked %u of %u", n, count);
	for (uint32_t i = 0; i < count; i++) {
		struct txn t = taking_away(s);
		struct certid id = id_number(i);

		store_delete_cert(&t, &id);
		ck_assert_msg(store_commit(&t) == ERR_OK, "%zu MiB, deleting %u of %u: %s",
		    full_maps[_i], i, count, store_failure(s));
	}
	put_certs(s, 0, count / 2);
	assert_consistent(s, count);
	store_close(s);
}
END_TEST

/* Deleting as the first thing of all, without a change before that frees pages. */
START_TEST(the_first_thing_done_to_a_full_map_is_a_deletion)
{
	struct diag diag;
	struct store *s;
	uint32_t count;

	ck_assert_int_eq(open_with(new_dir(), full_maps[_i] << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (uint32_t n = count; n-- > 0;) {
		struct txn t = taking_away(s);
		struct certid id = id_number(n);

		store_delete_cert(&t, &id);
		ck_assert_msg(store_commit(&t) == ERR_OK, "%zu MiB, %u: %s", full_maps[_i], n,
		    store_failure(s));
	}
	store_close(s);
}
END_TEST

/* What deletes lends nothing to what adds: neither in a transaction of both, in either
 * order, nor one after the other. */
START_TEST(the_reserve_is_for_nothing_that_adds)
{
	struct diag diag;
	struct store *s;
	uint32_t count;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	count = fill_up(s);
	for (int first = 0; first < 2; first++) {
		struct txn t = writing(s);

		for (int step = 0; step < 2; step++) {
			if (step > 0)
				store_next_step(&t);
			if (step == first)
				put_cert_number(&t, count);
			else
				store_use_reserve(&t);
		}
		ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
		ck_assert_ptr_nonnull(strstr(store_failure(s), "MDB_MAP_FULL"));
	}
	assert_consistent(s, count);
	store_close(s);
}
END_TEST

/* What takes no more room than before needs no reserve. */
START_TEST(a_full_map_takes_changes_that_add_nothing)
{
	struct certid id = id_number(0);
	struct diag diag;
	struct store *s;
	struct txn t;

	ck_assert_int_eq(open_with(new_dir(), (size_t)1 << 20, false, &s, &diag), ERR_OK);
	(void)fill_up(s);
	for (int round = 0; round < 20; round++) {
		struct cert cert;

		t = writing(s);
		ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
		cert.version++;
		store_put_cert(&t, &cert, NULL);
		commit(&t);
	}
	store_close(s);
}
END_TEST

/* A file system of our own, when we may have one. */
static bool
mount_small(const char *dir, const char *options, const char *what)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", dir, "tmpfs", 0, options) == 0)
		return true;
	(void)printf("check_store: '%s' skipped: mounting needs root (%s)\n", what,
	    strerror(errno));
	return false;
}

START_TEST(a_full_disk_is_told_and_the_store_goes_on)
{
	const char *dir = new_dir();
	uint32_t n = 0;
	struct store *s;
	struct txn t;

	if (!mount_small(dir, "size=1m", "a full disk"))
		return;
	s = open_store(dir);
	do {
		t = writing(s);
		for (uint32_t end_of_batch = n + 20; n < end_of_batch; n++)
			put_cert_number(&t, n);
	} while (store_commit(&t) == ERR_OK);
	ck_assert_int_eq(t.failed, ERR_STORAGE);
	ck_assert_msg(strstr(store_failure(s), "disk is full") != NULL ||
		strcmp(store_failure(s), strerror(ENOSPC)) == 0,
	    "%s", store_failure(s));
	assert_consistent(s, n);
	ck_assert(!store_changed_elsewhere(s));

	ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=4m"), 0);
	run("put", dir, "0"); /* with the number of the commit that failed */
	ck_assert(store_changed_elsewhere(s));
	put_certs(s, n, 20);
	assert_consistent(s, n + 20);
	store_close(s);
	store_close(s = open_store(dir));
}
END_TEST

/* LMDB's lock file is written through a map: a disk that is full from the
 * start must be an error, not a SIGBUS.  One more block at each step. */
START_TEST(a_registry_on_a_full_disk_is_refused_in_words)
{
	const char *dir = new_dir();
	struct diag diag;
	struct store *s;
	int attempt = 0, fd;

	if (!mount_small(dir, "size=4m", "a disk that is full from the start"))
		return;
	fd = open(in(dir, "filler"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (off_t size = 4 << 20; posix_fallocate(fd, 0, size) != 0; size -= 4096)
		ck_assert_int_gt(size, 0);
	while (open_with(dir, MAP_SIZE, true, &s, &diag) != ERR_OK) {
		off_t size = lseek(fd, 0, SEEK_END);

		ck_assert_msg(strstr(diag.text, "no space left") != NULL ||
			strstr(diag.text, "the disk is full") != NULL,
		    "%s", diag.text);
		ck_assert_int_eq(ftruncate(fd, size - 4096), 0);
		ck_assert_int_lt(++attempt, 40);
	}
	ck_assert_int_gt(attempt, 3);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	put_certs(s, 0, 1);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

START_TEST(a_read_only_file_system_is_told)
{
	char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	if (!mount_small(dir, "size=1m", "a read-only file system"))
		return;
	store_close(open_store(dir));
	ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_refused(dir, false, "read-only file system");
	assert_refused(dir, true, "read-only file system");
	assert_refused(in(dir, "below"), true, "read-only file system");
}
END_TEST

/*
 * Readers.
 */

static void *
put_ten(void *store)
{
	put_certs(store, 0, 10);
	return NULL;
}

/* The broker may call us from within a call of ours: the inner transaction
 * sees what is there by then, the outer one stays where it was. */
START_TEST(a_reader_sees_one_moment_and_one_within_it_the_next)
{
	struct store *s = open_store(new_dir());
	struct txn outer = reading(s), inner, third;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, put_ten, s), 0);
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	inner = reading(s);
	ck_assert_uint_eq(count_certs(&outer, 20), 0);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	put_certs(s, 10, 5);
	store_end(&outer);
	third = reading(s);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	ck_assert_uint_eq(count_certs(&third, 20), 15);
	store_end(&third);
	ck_assert_uint_eq(count_certs(&inner, 20), 10);
	store_end(&inner);
	outer = reading(s);
	ck_assert_uint_eq(count_certs(&outer, 20), 15);
	store_end(&outer);
	store_close(s);
}
END_TEST

struct pair_writer {
	struct store *store;
	atomic_bool done;
};

/* Two certificates whose versions are never committed apart.  A reader who begins
 * while a transaction is committed may see it a moment early (LMDB 0.9 takes the
 * newest page of that parity), and the next reader not yet: one back at most. */
static void *
write_pairs(void *argument)
{
	struct pair_writer *w = argument;
	struct cert a = cert_number(1), b = cert_number(2);

	for (uint32_t version = 1; version <= 200; version++) {
		struct txn t = writing(w->store);

		a.version = b.version = version;
		store_put_cert(&t, &a, NULL);
		store_put_cert(&t, &b, NULL);
		commit(&t);
	}
	atomic_store(&w->done, true);
	return NULL;
}

START_TEST(readers_never_see_half_a_transaction)
{
	struct pair_writer w = { .store = open_store(new_dir()) };
	struct certid first = id_number(1), second = id_number(2);
	struct cert a = { .version = 0 }, b = { .version = 0 };
	uint32_t last = 0;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_pairs, &w), 0);
	while (!atomic_load(&w.done)) {
		struct txn t = reading(w.store);
		enum err e = store_get_cert(&t, &first, &a);

		ck_assert_int_eq(store_get_cert(&t, &second, &b), e);
		store_end(&t);
		ck_assert_uint_eq(a.version, b.version);
		ck_assert_uint_ge(a.version + 1, last);
		last = a.version;
		ck_assert(!store_changed_elsewhere(w.store));
	}
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	store_close(w.store);
}
END_TEST

START_TEST(too_many_readers_are_an_error_that_passes)
{
	struct store *s = open_store(new_dir());
	struct txn t[200];
	size_t count = 0;

	while (count < COUNT_OF(t) && store_read(s, &t[count]) == ERR_OK)
		count++;
	ck_assert_uint_gt(count, 100);
	ck_assert_uint_lt(count, COUNT_OF(t));
	ck_assert_int_eq(t[count].failed, ERR_STORAGE);
	store_end(&t[count]);
	store_end(&t[0]); /* the reusable one has its place for ever */
	t[0] = reading(s);
	while (count > 0)
		store_end(&t[--count]);
	t[0] = reading(s);
	t[1] = reading(s);
	store_end(&t[0]);
	store_end(&t[1]);
	store_close(s);
}
END_TEST

START_TEST(the_places_of_killed_readers_are_found_again)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct child other = start("read", dir, NULL);
	struct txn t, inner;

	wait_until_ready(&other);
	t = reading(s);
	ck_assert_int_eq(store_read(s, &inner), ERR_STORAGE);
	kill_child(&other);
	inner = reading(s);
	store_end(&inner);
	store_end(&t);
	put_certs(s, 0, 5);
	store_close(s);
}
END_TEST

/*
 * Other processes that write.
 */

START_TEST(a_commit_of_another_process_is_noticed)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	ck_assert(!store_changed_elsewhere(s));
	put_certs(s, 0, 1);
	ck_assert(!store_changed_elsewhere(s));
	run("put", dir, "1");
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));
	put_certs(s, 2, 1);
	ck_assert(!store_changed_elsewhere(s));

	run("put", dir, "3"); /* ours follows before anybody looks */
	put_certs(s, 4, 1);
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));

	run("put", dir, "5"); /* two, one of them reported */
	ck_assert(store_changed_elsewhere(s));
	run("put", dir, "6");
	put_certs(s, 7, 1);
	put_certs(s, 8, 1);
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));

	t = writing(s); /* nothing to commit: the number goes to the other */
	commit(&t);
	run("put", dir, "9");
	ck_assert(store_changed_elsewhere(s));

	t = writing(s);
	put_cert_number(&t, 10);
	store_end(&t);
	ck_assert(!store_changed_elsewhere(s));
	run("put", dir, "10");
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));
	assert_consistent(s, 20);
	store_close(s);
}
END_TEST

/* Killed anywhere, most often in the middle of a commit: what it had said to
 * be committed is there, the rest is all or nothing.  In every second round
 * the registry is open here meanwhile, and its writer goes on after the kill
 * (the other one may have held LMDB's lock). */
START_TEST(a_killed_writer_leaves_a_consistent_registry)
{
	const char *dir = new_dir();
	uint64_t state = 0x2545f4914f6cdd1d, committed = 0;
	char seed[32], byte;

	for (int round = 0; round < 16; round++) {
		struct store *s = round % 2 == 0 ? open_store(dir) : NULL;
		struct child c;

		(void)snprintf(seed, sizeof(seed), "%u", random_number(&state) | 1);
		c = start("churn", dir, seed);
		for (uint32_t n = random_number(&state) % 25; n > 0; n--, committed++)
			ck_assert_int_eq(read(c.out, &byte, 1), 1);
		spin(random_number(&state) % 4000);
		kill_child(&c);
		if (s == NULL)
			s = open_store(dir);
		ck_assert_uint_ge(last_message(s), committed);
		assert_consistent(s, CHURN_CERTS);
		assert_all_on_the_schedule(s, CHURN_CERTS);
		post(s, "after", "it");
		committed = last_message(s);
		store_close(s);
	}
	ck_assert_uint_gt(committed, 20);
}
END_TEST

static TCase *
opening_case(void)
{
	TCase *t = tcase_create("opening");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_new_registry_is_its_owners_alone);
	tcase_add_test(t, programs_that_we_start_inherit_nothing);
	tcase_add_test(t, what_was_committed_is_there_after_reopening);
	tcase_add_test(t, a_registry_is_open_once_in_a_process);
	tcase_add_test(t, a_second_broker_is_refused_and_a_tool_is_not);
	tcase_add_test(t, a_newer_schema_is_refused_in_words);
	tcase_add_test(t, a_database_of_another_program_is_left_alone);
	tcase_add_test(t, a_table_that_is_missing_is_told);
	tcase_add_loop_test(t, a_place_that_will_not_do_is_refused_in_words, 0, COUNT_OF(places));
	tcase_add_test(t, a_refused_file_is_as_it_was);
	tcase_add_loop_test(t, a_file_that_was_cut_short_is_refused, 0, 2);
	tcase_add_test(t, a_short_file_that_is_whole_is_opened);
	tcase_add_test(t, a_path_of_any_length_leaves_room_for_the_reason);
	tcase_add_loop_test(t, a_creation_that_ran_out_of_room_is_taken_up_again, 0, 8);
	tcase_add_test(t, a_creation_that_was_killed_is_taken_up_again);
	tcase_add_loop_test(t, an_older_schema_is_upgraded_when_it_is_opened, 1, STORE_SCHEMA);
	tcase_add_test(t, a_schema_without_a_number_is_damage);
	tcase_add_test(t, certificates_are_found_by_their_signed_part);
	tcase_add_loop_test(t, an_older_schema_that_lacks_a_table_is_damage, 1, STORE_SCHEMA);
	tcase_add_loop_test(t, an_upgrade_without_room_leaves_the_older_schema, 0, 9);
	tcase_add_test(t, an_upgrade_that_was_killed_is_taken_up_again);
	tcase_add_test(t, an_upgrade_that_does_not_fit_is_refused_in_words);
	tcase_add_loop_test(t, an_upgrade_leaves_a_damaged_row_as_it_is, 1, 3);
	tcase_add_test(t, an_upgrade_finds_all_that_share_a_signed_part);
	tcase_add_test(t, a_damaged_row_of_the_schedule_can_be_dropped);
	return t;
}

static TCase *
records_case(void)
{
	TCase *t = tcase_create("records");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_not_there_is_not_found);
	tcase_add_test(t, a_changed_certificate_moves_in_every_index);
	tcase_add_test(t, a_changed_ca_moves_in_every_index);
	tcase_add_test(t, deleting_removes_every_trace);
	tcase_add_test(t, a_ca_that_comes_back_is_not_a_deleted_one);
	tcase_add_test(t, a_record_may_be_put_back_with_the_views_it_came_with);
	tcase_add_test(t, the_registration_code_is_kept_replaced_and_deleted);
	tcase_add_test(t, a_damaged_record_is_told_and_never_replaced);
	tcase_add_test(t, an_index_that_disagrees_is_told);
	tcase_add_test(t, the_rows_are_those_of_the_documentation);
	return t;
}

static TCase *
listings_case(void)
{
	TCase *t = tcase_create("listings");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, pages_of_any_size_give_the_same_listing, 1, 12);
	tcase_add_loop_test(t, a_listing_goes_on_while_entries_come_and_go, 0, 2);
	tcase_add_loop_test(t, a_position_need_not_name_an_entry, 0, COUNT_OF(positions));
	tcase_add_test(t, a_listing_by_ca_stays_within_that_ca);
	tcase_add_test(t, a_hundred_thousand_certificates);
	return t;
}

static TCase *
transactions_case(void)
{
	TCase *t = tcase_create("transactions");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, messages_come_back_in_order);
	tcase_add_test(t, a_message_number_is_never_given_twice);
	tcase_add_test(t, a_sequence_that_went_back_is_told);
	tcase_add_test(t, what_is_not_committed_never_was);
	tcase_add_test(t, a_transaction_knows_whether_it_changed_anything);
	tcase_add_test(t, the_first_failure_of_a_transaction_sticks);
	tcase_add_test(t, the_words_of_a_full_map_are_kept_and_the_store_goes_on);
	tcase_add_loop_test(t, a_full_map_is_emptied, 0, COUNT_OF(full_maps));
	tcase_add_loop_test(t, the_first_thing_done_to_a_full_map_is_a_deletion, 0,
	    COUNT_OF(full_maps));
	tcase_add_test(t, the_reserve_is_for_nothing_that_adds);
	tcase_add_test(t, a_full_map_takes_changes_that_add_nothing);
	tcase_add_test(t, a_full_disk_is_told_and_the_store_goes_on);
	tcase_add_test(t, a_registry_on_a_full_disk_is_refused_in_words);
	tcase_add_test(t, a_read_only_file_system_is_told);
	return t;
}

static TCase *
sharing_case(void)
{
	TCase *t = tcase_create("sharing");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_reader_sees_one_moment_and_one_within_it_the_next);
	tcase_add_test(t, readers_never_see_half_a_transaction);
	tcase_add_test(t, too_many_readers_are_an_error_that_passes);
	tcase_add_test(t, the_places_of_killed_readers_are_found_again);
	tcase_add_test(t, a_commit_of_another_process_is_noticed);
	tcase_add_test(t, a_killed_writer_leaves_a_consistent_registry);
	return t;
}

static int
run_all(void)
{
	Suite *suite = suite_create("store");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, opening_case());
	suite_add_tcase(suite, records_case());
	suite_add_tcase(suite, listings_case());
	suite_add_tcase(suite, transactions_case());
	suite_add_tcase(suite, sharing_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	int status;

	for (size_t i = 0; argc > 2 && i < COUNT_OF(roles); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run(argv[2], argv[3]);
	(void)snprintf(base, sizeof(base), "%s/jitr-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(base) == NULL) {
		perror(base);
		return EXIT_FAILURE;
	}
	status = run_all();
	(void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}
