/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crls.c - revocation lists of all CAs: watched files, imports by commands, and what is
 * left of abandoned imports.  The clock is the test's own.
 *
 * The listener counts what it is told.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "jitr/registrar/crls.h"
#include "pki_crl.h"
#include "suite.h"
#include "world.h"

#define RETRY_LIST_MS INT64_C(600000) /* the interval after a failed import */
#define RETRY_TIDY_MS 2000

static struct pki_cert *ca, *device;
static struct certid ca_id;
static struct report *report;
static struct stats stats;
static struct crls *crls;
static size_t told, named_count;
static struct certid last_named;
static char path[160];

static void
crl_changed(void *context, const struct certid *named, size_t count)
{
	(void)context;
	told++;
	named_count += count;
	if (count > 0)
		last_named = named[count - 1];
}

static void
crl_removed(void *context, const struct certid *removed)
{
	(void)context;
	stats_forget_crl(removed, &world_broker);
}

static const struct change_listener listener = { .crl = crl_changed, .crl_removed = crl_removed };

static void
start(void)
{
	struct crls_config config = { .store = world.store,
		.stats = &stats,
		.listener = &listener,
		.now = world_now };
	struct report_config report_config = { .account_id = "123456789012",
		.sink = world_sink,
		.now = world_now };

	world_start_writer(64, 16);
	ck_assert_int_eq(report_open(&report_config, &report), ERR_OK);
	config.writer = world.writer;
	config.report = report;
	ck_assert_int_eq(crls_open(&config, &crls), ERR_OK);
}

static void
stop(void)
{
	world_stop_writer();
	crls_close(crls);
	report_close(report);
}

/* Ticks until nothing is left to do at this time. */
static void
tick(void)
{
	for (int n = 0; n < 20; n++) {
		crls_tick(crls);
		world_settle();
	}
}

static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	ca_id = world_id(ca);
	world_put_ca(ca, CA_ACTIVE, true);
	world_put_cert(device, ca, CERT_ACTIVE);
	memset(&stats, 0, sizeof(stats));
	told = named_count = 0;
	snprintf(path, sizeof(path), "%s/ca.crl", world.dir);
	start();
	tick();
	ck_assert_uint_eq(told, 0);
}

static void
tear_down(void)
{
	stop();
	pki_free(device);
	pki_free(ca);
	world_close();
}

/*
 * Settings and files.
 */

/* The writer must be idle.  Files are checked at the next tick. */
static void
set_at_once(const struct certid *id, const char *file, enum crl_check check, uint32_t days)
{
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct txn t;

	settings.crl_file = view_of(file);
	settings.crl_check = check;
	settings.crl_grace_days = days;
	world_change(&t);
	store_put_ca_settings(&t, id, &settings);
	world_commit(&t);
	crls_settings_changed(crls);
}

static void
set(const struct certid *id, const char *file, enum crl_check check, uint32_t days)
{
	set_at_once(id, file, check, days);
	world_wait(CRL_WATCH_MS);
}

static void
watch(void)
{
	set(&ca_id, path, CRL_IF_PRESENT, 0);
}

static void
write_bytes(const char *where, struct view bytes)
{
	char new[200];
	FILE *out;

	snprintf(new, sizeof(new), "%s.new", where);
	out = fopen(new, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, out), bytes.len);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(rename(new, where), 0);
}

static void
write_list(const char *number, const struct pki_cert *revoked)
{
	struct pki_crl_options options = { .issuer = ca, .number = number, .now = world_now() };
	struct pki_crl *list;

	options.entries[0].cert = revoked;
	list = pki_crl_make(&options);
	write_bytes(path, list->pem);
	pki_crl_free(list);
}

/* The CRL number of the list in force; -1 if there is none. */
static int
in_force(const struct certid *id)
{
	struct crl crl;
	struct txn t;
	enum err e;

	ck_assert_int_eq(store_read(world.store, &t), ERR_OK);
	e = store_get_crl(&t, id, &crl);
	store_end(&t);
	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK ? crl.number[crl.number_len - 1] : -1;
}

static enum cert_status
status_of(const struct pki_cert *c)
{
	struct cert cert;

	ck_assert(world_get_cert(c, &cert));
	return cert.status;
}

static const char *
failure(void)
{
	const struct crl_failure *f = crls_failure(crls, &ca_id);

	return f != NULL ? f->details.text : "";
}

static void
ck_failure(const char *part)
{
	ck_assert_msg(strstr(failure(), part) != NULL, "%s", failure());
}

static size_t
complaints(void)
{
	const struct note *n;
	size_t count = 0;

	for (size_t i = 0; (n = world_note(NOTE_LINE, i)) != NULL; i++)
		count += strstr(n->text, "revocation list not imported") != NULL;
	return count;
}

START_TEST(a_file_is_imported_and_the_gate_and_the_log_are_notified)
{
	write_list("1", device);
	watch();
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(named_count, 1);
	ck_assert(certid_equal(&last_named, &(struct certid[]){ world_id(device) }[0]));
	ck_assert_uint_eq(stats.crl_imported, 1);
	ck_assert_uint_eq(stats.revoked, 1);
	ck_assert(world_said("revocation list imported"));
	ck_assert_str_eq(failure(), "");
}
END_TEST

START_TEST(a_file_is_checked_every_two_seconds)
{
	write_list("1", NULL);
	watch();
	tick();
	write_list("2", NULL);
	world_wait(CRL_WATCH_MS - 1);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	world_wait(1);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
	ck_assert_uint_eq(told, 2);
}
END_TEST

/* Other bytes with the same size and time. */
static void
spoil_unseen(void)
{
	int fd = open(path, O_WRONLY);
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pwrite(fd, "?", 1, 0), 1);
	ck_assert_int_eq(futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim }), 0);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(an_unchanged_file_is_not_read_again)
{
	write_list("1", NULL);
	watch();
	tick();
	spoil_unseen();
	for (int n = 0; n < 5; n++) {
		world_wait(CRL_WATCH_MS);
		tick();
	}
	ck_assert_str_eq(failure(), "");
	ck_assert_uint_eq(told, 1);
}
END_TEST

/* The file is touched or copied: it is read, and the list is the same. */
START_TEST(the_same_list_in_another_file_is_not_reported)
{
	struct pki_crl *list = pki_crl(ca, NULL);

	watch();
	for (int n = 0; n < 3; n++) {
		write_bytes(path, list->pem);
		world_wait(CRL_WATCH_MS);
		tick();
	}
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(stats.crl_imported, 1);
	pki_crl_free(list);
}
END_TEST

/* Permanent errors of a file. */
static void
make_garbage(void)
{
	world_write_file(path, "hello");
}

static void
make_empty(void)
{
	world_write_file(path, "");
}

static void
make_none(void)
{
	(void)unlink(path);
}

/* Temporary errors, which leave no difference when they end. */
static void
make_directory(void)
{
	(void)unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
make_pipe(void)
{
	(void)unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static const struct {
	void (*make)(void);
	const char *says;
	int64_t retry; /* 0: when the file changes */
} bad_files[] = {
	{ make_garbage, "X509 CRL", RETRY_LIST_MS },
	{ make_empty, "has 0 bytes", RETRY_LIST_MS },
	{ make_none, "No such file", 0 },
	{ make_directory, "is not a regular file", CRL_WATCH_MS },
	{ make_pipe, "is not a regular file", CRL_WATCH_MS },
};

START_TEST(a_bad_file_is_reported_once_and_the_list_stays)
{
	int64_t first;

	write_list("1", NULL);
	watch();
	tick();
	bad_files[_i].make();
	world_wait(CRL_WATCH_MS);
	tick();
	first = world_now();
	ck_failure(bad_files[_i].says);
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, first);
	for (int n = 0; n < 5; n++) {
		world_wait(RETRY_LIST_MS);
		tick();
	}
	ck_assert_uint_eq(complaints(), 1);
	ck_assert_uint_eq(stats.crl_failed, 1);
	ck_assert_uint_eq(told, 1);
	ck_assert_int_eq(in_force(&ca_id), 1);
	/* A new attempt sets the time of the failure. */
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time,
	    bad_files[_i].retry != 0 ? world_now() : first);
	(void)rmdir(path);
	write_list("2", NULL);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
	ck_assert_str_eq(failure(), "");
}
END_TEST

/* A file that was written within the last second is read twice. */
static void
grow_old(void)
{
	world_wait(CRL_WATCH_MS);
	tick();
}

START_TEST(a_bad_file_is_not_tried_again_too_soon)
{
	int64_t first;

	if (bad_files[_i].retry == 0)
		return;
	bad_files[_i].make();
	watch();
	tick();
	grow_old();
	first = world_now();
	world_wait(bad_files[_i].retry - 1);
	tick();
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, first);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, world_now());
}
END_TEST

/* A new reason is reported, and the first one again when it returns. */
START_TEST(each_change_of_the_error_is_reported)
{
	static void (*const makes[])(void) = { make_garbage, make_empty, make_none, make_garbage };

	watch();
	for (size_t i = 0; i < COUNT_OF(makes); i++) {
		makes[i]();
		world_wait(CRL_WATCH_MS);
		tick();
		ck_assert_uint_eq(complaints(), i + 1);
	}
}
END_TEST

/* The bad file is the first in order. */
START_TEST(a_bad_file_does_not_delay_other_files)
{
	static const size_t count = 8;
	struct pki_cert *cas[8];
	struct pki_crl *list;
	struct certid ids[8], *first = &ids[0];
	char file[200];

	for (size_t i = 0; i < count; i++) {
		cas[i] = pki_ca("Another CA");
		ids[i] = world_id(cas[i]);
		world_put_ca(cas[i], CA_ACTIVE, true);
		if (memcmp(&ids[i], first, sizeof(*first)) < 0)
			first = &ids[i];
	}
	bad_files[_i].make();
	for (size_t i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%zu.crl", world.dir, i);
		set(&ids[i], &ids[i] == first ? path : file, CRL_IF_PRESENT, 0);
		list = pki_crl(cas[i], NULL);
		write_bytes(file, list->pem);
		pki_crl_free(list);
	}
	tick();
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(in_force(&ids[i]), &ids[i] == first ? -1 : 1);
		ck_assert_ptr_eq(crls_failure(crls, &ids[i]) != NULL ? first : NULL,
		    &ids[i] == first ? first : NULL);
		pki_free(cas[i]);
	}
	ck_assert_uint_eq(complaints(), 1);
}
END_TEST

static size_t
jobs_of_a_tick(void)
{
	struct writer_state state;

	world_wait(CRL_WATCH_MS);
	world_hold_writer();
	crls_tick(crls);
	writer_read_state(world.writer, &state);
	world_release_writer();
	return state.waiting - 1; /* the one that holds it */
}

START_TEST(without_files_there_is_nothing_to_do)
{
	ck_assert_uint_eq(jobs_of_a_tick(), 0);
	crls_settings_changed(crls);
	ck_assert_uint_eq(jobs_of_a_tick(), 1);
	ck_assert_uint_eq(jobs_of_a_tick(), 0);
	write_list("1", NULL);
	watch();
	ck_assert_uint_eq(jobs_of_a_tick(), 1);
	ck_assert_int_eq(in_force(&ca_id), 1);
	tick();
	ck_assert_uint_eq(jobs_of_a_tick(), 1);
	ck_assert_uint_eq(jobs_of_a_tick(), 1);
	set(&ca_id, "", CRL_IF_PRESENT, 0);
	tick();
	ck_assert_uint_eq(jobs_of_a_tick(), 0);
}
END_TEST

/* It is configured while a check that found no file is still running. */
START_TEST(a_file_configured_during_a_check_is_found)
{
	crls_settings_changed(crls);
	world_wait(CRL_WATCH_MS);
	world_hold_writer();
	crls_tick(crls);
	crls_settings_changed(crls);
	world_release_writer();
	write_list("1", NULL);
	watch();
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
}
END_TEST

START_TEST(a_new_file_name_is_read_at_once)
{
	char other[180];

	write_list("1", NULL);
	watch();
	tick();
	snprintf(other, sizeof(other), "%s.2", path);
	ck_assert_int_eq(link(path, other), 0); /* the very same file */
	set(&ca_id, other, CRL_IF_PRESENT, 0);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	write_list("2", NULL); /* the old path, which is not checked now */
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	watch();
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
}
END_TEST

/* However short ago the files were checked. */
START_TEST(a_file_is_read_as_soon_as_it_is_configured)
{
	char other[180];

	write_list("1", NULL);
	watch();
	tick();
	snprintf(other, sizeof(other), "%s.2", path);
	ck_assert_int_eq(rename(path, other), 0);
	write_list("2", NULL);
	ck_assert_int_eq(rename(path, other), 0);
	set_at_once(&ca_id, other, CRL_IF_PRESENT, 0);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
}
END_TEST

/* Failures are reported again for the new file. */
START_TEST(another_missing_file_is_reported)
{
	watch();
	tick();
	ck_failure("ca.crl: No such file");
	set(&ca_id, "/nowhere/else.crl", CRL_IF_PRESENT, 0);
	tick();
	ck_failure("/nowhere/else.crl: No such file");
}
END_TEST

/* Appends empty lines. */
static void
pad(off_t size)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	while (lseek(fd, 0, SEEK_END) < size)
		ck_assert_int_eq(write(fd, "\n", 1), 1);
	ck_assert_int_eq(close(fd), 0);
}

/* Many tools copy files with the time of the original. */
START_TEST(a_replaced_file_is_read_although_size_and_time_are_the_same)
{
	static const char *const found[] = { "1", "2", "3" };

	watch();
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		write_list(found[i], NULL);
		pad(2048);
		ck_assert_int_eq(utimensat(AT_FDCWD, path,
				     (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0),
		    0);
		world_wait(CRL_WATCH_MS);
		tick();
		ck_assert_int_eq(in_force(&ca_id), (int)i + 1);
	}
}
END_TEST

static void
take_away(void)
{
	struct diag diag = { "" };
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(crl_remove(&t, &ca_id, &diag), ERR_OK);
	world_commit(&t);
	crls_removed(crls, &ca_id);
}

START_TEST(a_list_removed_from_the_registry_is_read_again)
{
	write_list("1", NULL);
	watch();
	tick();
	take_away();
	ck_assert_uint_eq(told, 2);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	ck_assert_uint_eq(told, 3);
}
END_TEST

START_TEST(an_older_list_is_read_once_the_newer_one_is_removed)
{
	write_list("2", NULL);
	watch();
	tick();
	write_list("1", NULL);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_failure("older");
	take_away();
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
}
END_TEST

/* There was no list before either. */
START_TEST(a_bad_first_list_is_not_read_at_every_check)
{
	int64_t first;

	make_garbage();
	watch();
	tick();
	grow_old();
	first = world_now();
	for (int n = 0; n < 5; n++) {
		world_wait(CRL_WATCH_MS);
		tick();
	}
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, first);
}
END_TEST

START_TEST(a_longer_grace_makes_the_file_be_read_again)
{
	struct pki_crl *list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca,
	    .now = world_now(),
	    .this_days = -9,
	    .next_days = -2 });

	write_bytes(path, list->pem);
	watch();
	tick();
	ck_failure("was valid until");
	set(&ca_id, path, CRL_GRACE, 1);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_failure("grace days are over");
	set(&ca_id, path, CRL_GRACE, 3);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	ck_assert_str_eq(failure(), "");
	pki_crl_free(list);
}
END_TEST

/* A list with thisUpdate in so many ms, otherwise valid or signed by another key. */
static void
write_future(int64_t ms, const struct pki_cert *signer)
{
	time_t when = (time_t)((world_now() + ms) / 1000);
	char text[20];
	struct tm tm;
	struct pki_crl *list;

	(void)gmtime_r(&when, &tm);
	(void)strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca,
	    .signer = signer,
	    .number = "2",
	    .this_update = text + 2,
	    .now = world_now() });
	write_bytes(path, list->pem);
	pki_crl_free(list);
}

/* In full seconds, as dates in lists. */
static void
wait_full_second(void)
{
	world_wait(1000 - world_now() % 1000);
}

/* The broker's clock is behind the CA's.  The list is in force at its thisUpdate, not ten minutes
 * later, and this is reported once. */
START_TEST(a_list_from_the_future_is_imported_when_its_time_comes)
{
	write_list("1", NULL);
	watch();
	tick();
	wait_full_second();
	write_future(_i, NULL);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_failure("in the future");
	for (int64_t waited = CRL_WATCH_MS; waited + 10 < _i; waited += 10) {
		world_wait(10);
		crls_tick(crls);
	}
	world_settle();
	ck_assert_int_eq(in_force(&ca_id), 1);
	world_wait(10);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
	ck_assert_uint_eq(complaints(), 1);
}
END_TEST

START_TEST(a_list_from_the_future_is_imported_when_the_clock_is_set)
{
	wait_full_second();
	write_future(86400000, NULL);
	watch();
	tick();
	ck_failure("in the future");
	world_wait(86400000);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
}
END_TEST

/* The other flaw is reported, and time does not remove it. */
START_TEST(an_invalid_list_from_the_future_is_not_waited_for)
{
	struct pki_cert *stranger = pki_ca("Test CA");
	int64_t first;

	wait_full_second();
	write_future(20000, stranger);
	watch();
	tick();
	first = world_now();
	ck_failure("not signed with the key of this CA");
	world_wait(30000);
	tick();
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, first);
	pki_free(stranger);
}
END_TEST

/* Completed in place within the same second: only its bytes differ. */
START_TEST(a_half_written_file_is_read_again_soon)
{
	struct timespec times[2] = { { .tv_sec = 0 } };
	struct pki_crl *list;
	char *half;

	list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca, .now = world_now() });
	times[0].tv_sec = times[1].tv_sec = (time_t)((world_now() + CRL_WATCH_MS) / 1000);
	half = strdup((const char *)list->pem.data);
	memset(half + list->pem.len / 2, '\n', list->pem.len - list->pem.len / 2);
	world_write_file(path, half);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	watch();
	tick();
	ck_assert_int_eq(in_force(&ca_id), -1);
	world_write_file(path, (const char *)list->pem.data);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
	free(half);
	pki_crl_free(list);
}
END_TEST

START_TEST(a_list_that_could_not_be_stored_is_imported_when_the_disk_works)
{
	write_list("1", NULL);
	watch();
	world_hold_writer();
	crls_tick(crls);
	world_break_disk();
	world_release_writer();
	ck_assert_int_eq(in_force(&ca_id), -1);
	ck_assert_uint_eq(complaints(), 1);
	world_wait(CRL_WATCH_MS);
	tick();
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 1);
}
END_TEST

START_TEST(a_clock_that_is_set_back_does_not_stop_the_checks)
{
	write_list("1", NULL);
	watch();
	tick();
	world_wait(-86400000);
	write_list("2", NULL);
	tick();
	ck_assert_int_eq(in_force(&ca_id), 2);
}
END_TEST

/*
 * Imports by commands.
 */

static struct crl_import *
import_of(const struct certid *id, struct view bytes)
{
	struct crl_import *i;
	uint8_t *copy = malloc(bytes.len);

	memcpy(copy, bytes.data, bytes.len);
	ck_assert_int_eq(crl_import_new(id, copy, bytes.len, &i), ERR_OK);
	return i;
}

/* As request_run.c does, up to this number of parts. */
static enum err
import_parts(const struct certid *id, struct view bytes, size_t parts)
{
	struct crl_import *i = import_of(id, bytes);
	struct diag diag = { "" };
	bool more = true;
	enum err e = ERR_OK;
	struct txn t;

	crls_begin(crls);
	while (e == ERR_OK && more && parts-- > 0) {
		world_change(&t);
		e = crl_import_run(i, &t, world_now(), &diag);
		if (e == ERR_OK)
			world_commit(&t);
		else
			store_end(&t);
		more = e == ERR_OK && crl_import_committed(i);
	}
	if (e == ERR_OK && more)
		e = ERR_BUSY; /* abandoned */
	crls_end(crls, i, e, &diag);
	crl_import_free(i);
	return e;
}

static enum err
import(struct view bytes)
{
	return import_parts(&ca_id, bytes, SIZE_MAX);
}

START_TEST(an_import_is_reported_and_counted)
{
	struct pki_crl *list = pki_crl(ca, device);

	ck_assert_int_eq(import(list->der), ERR_OK);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(stats.crl_imported, 1);
	ck_assert_uint_eq(stats.revoked, 1);
	ck_assert_int_eq(import(list->der), ERR_OK); /* unchanged */
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(stats.crl_imported, 1);
	pki_crl_free(list);
}
END_TEST

START_TEST(each_failed_import_is_reported_and_the_last_one_kept)
{
	struct pki_crl *list = pki_crl(ca, NULL);

	ck_assert_int_eq(import(view_of("hello")), ERR_CERTIFICATE);
	world_wait(1000);
	ck_assert_int_eq(import(view_of("hello")), ERR_CERTIFICATE);
	ck_assert_uint_eq(complaints(), 2);
	ck_assert_uint_eq(stats.crl_failed, 2);
	ck_assert_uint_eq(told, 0);
	ck_assert_int_eq(crls_failure(crls, &ca_id)->time, world_now());
	ck_assert_int_eq(import(list->der), ERR_OK);
	ck_assert_ptr_null(crls_failure(crls, &ca_id));
	pki_crl_free(list);
}
END_TEST

START_TEST(failures_are_kept_for_each_ca)
{
	struct pki_cert *other = pki_ca("Other CA");
	struct pki_crl *list = pki_crl(ca, NULL);
	struct certid other_id = world_id(other);

	ck_assert_int_eq(import_parts(&other_id, list->der, 1), ERR_NOT_FOUND);
	ck_assert_ptr_null(crls_failure(crls, &other_id)); /* the CA is not registered */
	world_put_ca(other, CA_ACTIVE, true);
	ck_assert_int_eq(import_parts(&other_id, list->der, 1), ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(crls_failure(crls, &other_id));
	ck_assert_ptr_null(crls_failure(crls, &ca_id));
	crls_ca_deleted(crls, &other_id);
	ck_assert_ptr_null(crls_failure(crls, &other_id));
	pki_crl_free(list);
	pki_free(other);
}
END_TEST

START_TEST(the_gauges_of_a_list_are_removed_with_it)
{
	crls_removed(crls, &ca_id);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_nonnull(strstr(world_note(NOTE_PUBLISHED, i)->topic, world_hex(ca)));
		ck_assert(world_note(NOTE_PUBLISHED, i)->retain);
		ck_assert_uint_eq(world_note(NOTE_PUBLISHED, i)->text_len, 0);
	}
}
END_TEST

/*
 * Entries left by abandoned imports.
 */

#define MANY (2 * CRL_ROWS_AT_ONCE + 10)

static size_t
stored_lists(void)
{
	uint64_t list = 0;
	size_t count = 0;
	struct txn t;

	ck_assert_int_eq(store_read(world.store, &t), ERR_OK);
	for (; store_next_list(&t, list, &list) == ERR_OK; list++)
		count++;
	store_end(&t);
	return count;
}

/* Stores a part of a list and abandons the import. */
static void
leave_something(void)
{
	struct pki_crl *list = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .many = MANY });

	ck_assert_int_eq(import_parts(&ca_id, list->der, 1), ERR_BUSY);
	ck_assert_uint_eq(stored_lists(), 1);
	pki_crl_free(list);
}

START_TEST(entries_without_a_list_are_removed)
{
	leave_something();
	tick();
	ck_assert_uint_eq(stored_lists(), 0);
	ck_assert_int_eq(in_force(&ca_id), -1);
}
END_TEST

START_TEST(entries_left_by_a_killed_broker_are_removed_by_the_next)
{
	leave_something();
	stop();
	world_reopen_store();
	start();
	tick();
	ck_assert_uint_eq(stored_lists(), 0);
}
END_TEST

/* The entries of a running import are not referred to by any list yet. */
START_TEST(nothing_is_removed_during_an_import)
{
	struct crl_import *i = import_of(&ca_id, view_of("x"));

	leave_something();
	crls_begin(crls);
	tick();
	ck_assert_uint_eq(stored_lists(), 1);
	crls_end(crls, i, ERR_BUSY, &(struct diag){ "" });
	crl_import_free(i);
	tick();
	ck_assert_uint_eq(stored_lists(), 0);
}
END_TEST

START_TEST(failed_removal_is_retried_later)
{
	leave_something();
	world_hold_writer();
	crls_tick(crls);
	world_break_disk();
	world_release_writer();
	ck_assert_uint_eq(stored_lists(), 1);
	world_wait(RETRY_TIDY_MS - 1);
	tick();
	ck_assert_uint_eq(stored_lists(), 1);
	world_wait(1);
	tick();
	ck_assert_uint_eq(stored_lists(), 0);
}
END_TEST

START_TEST(the_old_list_is_removed_once_the_new_one_is_in_force)
{
	write_list("1", device);
	watch();
	tick();
	write_list("2", device);
	world_wait(CRL_WATCH_MS);
	tick();
	ck_assert_uint_eq(stored_lists(), 1);
	take_away();
	set(&ca_id, "", CRL_IF_PRESENT, 0);
	tick();
	ck_assert_uint_eq(stored_lists(), 0);
}
END_TEST

/* Certificates with the serial numbers of pki_crl.h's many entries. */
static void
put_many_certificates(unsigned count)
{
	uint8_t der[64], serial[PKI_SERIAL_SIZE];
	struct txn t;

	world_change(&t);
	for (unsigned n = 0; n < count; n++) {
		struct cert cert = { .id = { { 1 } },
			.has_ca = true,
			.ca_id = ca_id,
			.status = CERT_ACTIVE,
			.created = 1 };
		char notation[128], hex[2 * PKI_SERIAL_SIZE + 1];
		struct cert_document document;

		pki_serial(n, serial);
		hex_encode((struct view){ serial, sizeof(serial) }, hex);
		snprintf(notation, sizeof(notation), "30( 30( 02(%s) ) )", hex);
		document = (struct cert_document){ .der = pki_der(notation, der, sizeof(der)) };
		memcpy(cert.id.b + 1, &n, sizeof(n));
		store_put_cert(&t, &cert, &document);
	}
	world_commit(&t);
}

START_TEST(certificates_beyond_the_first_slice_are_revoked_afterwards)
{
	enum { COUNT = 2 * CRL_CERTS_AT_ONCE + 5 };
	struct pki_crl *list = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .many = COUNT });

	put_many_certificates(COUNT);
	ck_assert_int_eq(import(list->der), ERR_OK);
	ck_assert_uint_eq(stats.revoked, CRL_CERTS_AT_ONCE);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(named_count, CRL_NAMED_MAX);
	tick();
	ck_assert_uint_eq(stats.revoked, COUNT);
	ck_assert_uint_eq(told, 2);
	ck_assert_uint_eq(named_count, 2 * CRL_NAMED_MAX);
	ck_assert(world_said("2005 certificates on revocation lists are REVOKED now"));
	pki_crl_free(list);
}
END_TEST

static TCase *
crls_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, set_up, tear_down);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("crls");
	TCase *t = crls_case(suite, "files");

	tcase_add_test(t, a_file_is_imported_and_the_gate_and_the_log_are_notified);
	tcase_add_test(t, a_file_is_checked_every_two_seconds);
	tcase_add_test(t, an_unchanged_file_is_not_read_again);
	tcase_add_test(t, the_same_list_in_another_file_is_not_reported);
	tcase_add_loop_test(t, a_bad_file_is_reported_once_and_the_list_stays, 0,
	    COUNT_OF(bad_files));
	tcase_add_loop_test(t, a_bad_file_is_not_tried_again_too_soon, 0, COUNT_OF(bad_files));
	tcase_add_test(t, each_change_of_the_error_is_reported);
	tcase_add_loop_test(t, a_bad_file_does_not_delay_other_files, 0, COUNT_OF(bad_files));
	tcase_add_test(t, without_files_there_is_nothing_to_do);
	tcase_add_test(t, a_file_configured_during_a_check_is_found);
	tcase_add_test(t, a_new_file_name_is_read_at_once);
	tcase_add_test(t, a_file_is_read_as_soon_as_it_is_configured);
	tcase_add_test(t, another_missing_file_is_reported);
	tcase_add_test(t, a_replaced_file_is_read_although_size_and_time_are_the_same);
	tcase_add_test(t, a_list_removed_from_the_registry_is_read_again);
	tcase_add_test(t, an_older_list_is_read_once_the_newer_one_is_removed);
	tcase_add_test(t, a_bad_first_list_is_not_read_at_every_check);
	tcase_add_test(t, a_longer_grace_makes_the_file_be_read_again);
	tcase_add_loop_test(t, a_list_from_the_future_is_imported_when_its_time_comes, 20000,
	    20001);
	tcase_add_loop_test(t, a_list_from_the_future_is_imported_when_its_time_comes, 3000, 3001);
	tcase_add_test(t, a_list_from_the_future_is_imported_when_the_clock_is_set);
	tcase_add_test(t, an_invalid_list_from_the_future_is_not_waited_for);
	tcase_add_test(t, a_half_written_file_is_read_again_soon);
	tcase_add_test(t, a_list_that_could_not_be_stored_is_imported_when_the_disk_works);
	tcase_add_test(t, a_clock_that_is_set_back_does_not_stop_the_checks);
	t = crls_case(suite, "imports by others");
	tcase_add_test(t, an_import_is_reported_and_counted);
	tcase_add_test(t, each_failed_import_is_reported_and_the_last_one_kept);
	tcase_add_test(t, failures_are_kept_for_each_ca);
	tcase_add_test(t, the_gauges_of_a_list_are_removed_with_it);
	t = crls_case(suite, "what is left behind");
	tcase_add_test(t, entries_without_a_list_are_removed);
	tcase_add_test(t, entries_left_by_a_killed_broker_are_removed_by_the_next);
	tcase_add_test(t, nothing_is_removed_during_an_import);
	tcase_add_test(t, failed_removal_is_retried_later);
	tcase_add_test(t, the_old_list_is_removed_once_the_new_one_is_in_force);
	tcase_add_test(t, certificates_beyond_the_first_slice_are_revoked_afterwards);
	return suite_run(suite);
}
