/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#define _GNU_SOURCE /* pipe2() */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#include "census.h"
#include "records.h"
#include "stores.h"
#include "tiny.h"

#define CHURN_CAS 12

struct child
child_start(const char *role, const char *dir, const char *argument)
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

void
child_wait(const struct child *c)
{
	char byte;

	ck_assert_msg(read(c->out, &byte, 1) == 1, "the other process ended");
}

int
child_end(struct child *c)
{
	int status;

	(void)close(c->in);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	(void)close(c->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
child_kill(struct child *c)
{
	ck_assert_int_eq(kill(c->pid, SIGKILL), 0);
	ck_assert_int_eq(child_end(c), 128 + SIGKILL);
}

void
child_run(const char *role, const char *dir, const char *argument)
{
	struct child c = child_start(role, dir, argument);

	ck_assert_int_eq(child_end(&c), 0);
}

uint32_t
random_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

void
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

/* Tells the test that the role has got so far: one byte. */
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

/* Holds it open as a broker does, until the input ends. */
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

/* Takes every slot of the reader table and waits for a signal. */
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

/* Changes every field that an index is sorted by. */
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

/* One random change: puts, deletes and records that move in their indexes. */
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

/* Commits batches without end, each with a message, and one byte of output after each. */
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

int
child_main(const char *role, const char *dir, const char *argument)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (strcmp(role, roles[i].name) == 0)
			return roles[i].run(dir, argument);
	return 1;
}
