/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* world.c - see world.h. */
#include <signal.h>
#include <sys/resource.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"
#include "tree.h"
#include "world.h"

#include "jitr/adapter/x509.h"

#define MAP_SIZE (64u << 20)

struct world world;

static atomic_llong clock_ms;
static struct note *notes, **notes_end = &notes;
static pthread_t broker_thread;
static sem_t holding, release;

/*
 * The broker.
 */

static char *
copy_bytes(struct view v)
{
	char *text = malloc(v.len + 1);

	must(text != NULL);
	if (v.len > 0)
		memcpy(text, v.data, v.len);
	text[v.len] = '\0';
	return text;
}

/* Only in programs with fault.c. */
extern void fault_pause(bool pause) __attribute__((weak));

static void
note_free(struct note *n)
{
	free(n->to);
	free(n->topic);
	free(n->text);
	free(n);
}

/* The texts are copied. */
static void
take_note(struct note n, const char *to, const char *topic, struct view text)
{
	struct note *copy;

	if (fault_pause != NULL)
		fault_pause(true); /* allocations of the test itself do not count */
	copy = malloc(sizeof(*copy));
	must(copy != NULL);
	must(pthread_equal(pthread_self(), broker_thread));
	n.to = to != NULL ? copy_bytes(view_of(to)) : NULL;
	n.topic = topic != NULL ? copy_bytes(view_of(topic)) : NULL;
	n.text = copy_bytes(text);
	n.text_len = text.len;
	if (fault_pause != NULL)
		fault_pause(false);
	*copy = n;
	*notes_end = copy;
	notes_end = &copy->next;
	if (world.on_note != NULL)
		world.on_note(copy);
}

static void
broker_log(enum log_level level, const char *line)
{
	take_note((struct note){ .kind = NOTE_LINE, .level = level }, NULL, NULL, view_of(line));
}

static enum err
broker_publish(const char *topic, struct view payload, int qos, bool retain)
{
	if (world.publish_result != ERR_OK)
		return world.publish_result;
	if (world.publish_most == 0)
		return ERR_NOMEM;
	world.publish_most--;
	take_note((struct note){ .kind = NOTE_PUBLISHED, .qos = qos, .retain = retain }, NULL,
	    topic, payload);
	return ERR_OK;
}

static enum err
broker_answer(const char *client_id, const char *topic, struct view payload)
{
	if (world.answer_result == ERR_OK)
		take_note((struct note){ .kind = NOTE_ANSWER }, client_id, topic, payload);
	return world.answer_result;
}

static void
broker_kick(const char *user_name)
{
	take_note((struct note){ .kind = NOTE_KICK }, user_name, NULL, view_of(NULL));
}

static bool
broker_kick_one(const void *client, const char *client_id)
{
	if (world.kicks_by_id)
		take_note((struct note){ .kind = NOTE_KICK_ONE, .client = client }, client_id, NULL,
		    view_of(NULL));
	return world.kicks_by_id;
}

static enum err
broker_name_client(void *client, const char *user_name)
{
	if (world.name_result == ERR_OK)
		take_note((struct note){ .kind = NOTE_NAME, .client = client }, NULL, NULL,
		    view_of(user_name));
	return world.name_result;
}

const struct broker world_broker = { broker_log, broker_publish, broker_answer, broker_kick,
	broker_kick_one, broker_name_client };

static void
sink_log(void *context, enum log_level level, const char *line)
{
	(void)context;
	broker_log(level, line);
}

const struct report_sink world_sink = { NULL, sink_log, NULL };

const struct note *
world_note(enum note_kind kind, size_t nth)
{
	for (const struct note *n = notes; n != NULL; n = n->next)
		if (n->kind == kind && nth-- == 0)
			return n;
	return NULL;
}

size_t
world_count(enum note_kind kind)
{
	size_t count = 0;

	while (world_note(kind, count) != NULL)
		count++;
	return count;
}

const struct note *
world_last(enum note_kind kind)
{
	size_t count = world_count(kind);

	return count > 0 ? world_note(kind, count - 1) : NULL;
}

bool
world_said(const char *part)
{
	for (const struct note *n = notes; n != NULL; n = n->next)
		if (n->kind == NOTE_LINE && strstr(n->text, part) != NULL)
			return true;
	return false;
}

void
world_forget(void)
{
	struct note *n;

	while ((n = notes) != NULL) {
		notes = n->next;
		note_free(n);
	}
	notes_end = &notes;
}

/*
 * The clock.
 */

int64_t
world_now(void)
{
	return atomic_load(&clock_ms);
}

void
world_set_clock(int64_t ms)
{
	atomic_store(&clock_ms, ms);
}

void
world_wait(int64_t ms)
{
	world_set_clock(world_now() + ms);
}

int64_t
world_clock_us(void)
{
	world.looked_us += world.look_us;
	return world_now() * 1000 + world.looked_us;
}

/*
 * The registry.
 */

static void
open_store(void)
{
	struct store_config config = { .path = world.db_path,
		.map_size = MAP_SIZE,
		.sha256 = sha256_of };
	struct diag diag = { "" };

	if (store_open(&config, &world.store, &diag) != ERR_OK)
		ck_abort_msg("%s", diag.text);
}

static void
name_paths(void)
{
	const char *base = getenv("TMPDIR");

	if (base == NULL || strlen(base) > 40)
		base = "/tmp";
	(void)snprintf(world.dir, sizeof(world.dir), "%s/jitr-test-XXXXXX", base);
	must(mkdtemp(world.dir) != NULL);
	(void)snprintf(world.db_path, sizeof(world.db_path), "%s/db", world.dir);
	(void)snprintf(world.ca_path, sizeof(world.ca_path), "%s/ca", world.dir);
	(void)snprintf(world.log_path, sizeof(world.log_path), "%s/jitr.log", world.dir);
	must(mkdir(world.ca_path, 0755) == 0);
}

void
world_open(void)
{
	memset(&world, 0, sizeof(world));
	world.publish_most = SIZE_MAX;
	broker_thread = pthread_self();
	world_set_clock((int64_t)time(NULL) * 1000);
	name_paths();
	open_store();
}

void
world_close(void)
{
	world_stop_writer();
	store_close(world.store);
	world_forget();
	(void)chmod(world.ca_path, 0755);
	must(remove_tree(world.dir));
}

void
world_reopen_store(void)
{
	must(world.writer == NULL);
	store_close(world.store);
	open_store();
}

void
world_change(struct txn *t)
{
	must(store_write(world.store, t) == ERR_OK);
}

void
world_commit(struct txn *t)
{
	must(store_commit(t) == ERR_OK);
}

/*
 * The writer.
 */

void
world_start_writer(size_t queue_max, size_t batch_max)
{
	struct writer_config config = { .store = world.store,
		.queue_max = queue_max,
		.batch_max = batch_max,
		.now = world_now };

	must(sem_init(&holding, 0, 0) == 0 && sem_init(&release, 0, 0) == 0);
	must(writer_start(&config, &world.writer) == ERR_OK);
}

void
world_stop_writer(void)
{
	sem_post(&release); /* a test may have failed while it held it */
	writer_stop(world.writer);
	world.writer = NULL;
}

struct tool_job {
	struct job job;
	bool *finished; /* NULL: no wait */
};

static enum err
idle_run(struct txn *t, struct job *job, int64_t now)
{
	(void)t;
	(void)job;
	(void)now;
	return ERR_OK;
}

static enum err
hold_run(struct txn *t, struct job *job, int64_t now)
{
	(void)t;
	(void)job;
	(void)now;
	sem_post(&holding);
	while (sem_wait(&release) != 0)
		;
	return ERR_OK;
}

static void
tool_finish(struct job *job)
{
	struct tool_job *tool = (struct tool_job *)job;

	if (tool->finished != NULL)
		*tool->finished = true;
	free(tool);
}

static const struct job_type idle_type = { "idle", false, idle_run, NULL, tool_finish };
static const struct job_type hold_type = { "hold", false, hold_run, NULL, tool_finish };

static bool
submit_tool(const struct job_type *type, bool *finished)
{
	struct tool_job *tool = calloc(1, sizeof(*tool));

	must(tool != NULL);
	tool->job.type = type;
	tool->finished = finished;
	if (writer_submit(world.writer, &tool->job) == ERR_OK)
		return true;
	free(tool);
	return false;
}

/* Jobs are finished in order: when the idle job is finished, all before it are, except long
 * ones. */
static void
settle_once(void)
{
	static const struct timespec moment = { 0, 100000 };
	bool finished = false, submitted = false;

	while (!finished) {
		submitted = submitted || submit_tool(&idle_type, &finished);
		writer_collect(world.writer, SIZE_MAX);
		if (!finished)
			nanosleep(&moment, NULL);
	}
}

void
world_settle(void)
{
	struct writer_state state;

	do {
		settle_once();
		writer_read_state(world.writer, &state);
	} while (state.waiting > 0);
	if (world.on_settled != NULL)
		world.on_settled();
}

void
world_hold_writer(void)
{
	must(submit_tool(&hold_type, NULL));
	while (sem_wait(&holding) != 0)
		;
}

/* Files may not grow beyond 0 bytes: every write of the store fails, reading works. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

void
world_release_writer(void)
{
	sem_post(&release);
	world_settle();
	limit_files(RLIM_INFINITY);
}

void
world_break_disk(void)
{
	signal(SIGXFSZ, SIG_IGN);
	limit_files(0);
}

/*
 * Records.
 */

struct certid
world_id(const struct pki_cert *c)
{
	struct presented p;

	must(x509_read(c->x, &p) == ERR_OK);
	return p.id;
}

const char *
world_hex(const struct pki_cert *c)
{
	static char buffers[8][CERTID_HEX_SIZE];
	static unsigned nth;
	struct certid id = world_id(c);

	nth = (nth + 1) % COUNT_OF(buffers);
	certid_to_hex(&id, buffers[nth]);
	return buffers[nth];
}

void
world_put_ca(const struct pki_cert *c, enum ca_status status, bool automatic)
{
	struct ca_document document = { .der = c->der, .pem = c->pem };
	struct txn t;
	struct ca ca = { .status = status };

	must(x509_read_ca(c->x, &ca) == ERR_OK);
	ca.status = status;
	ca.mode = MODE_DEFAULT;
	ca.auto_registration = automatic;
	ca.created = ca.modified = world_now();
	ca.version = 1;
	world_change(&t);
	store_put_ca(&t, &ca, &document);
	world_commit(&t);
}

void
world_put_cert(const struct pki_cert *c, const struct pki_cert *ca_or_null, enum cert_status status)
{
	struct cert_document document = { .der = c->der };
	struct presented p;
	struct txn t;

	must(x509_read(c->x, &p) == ERR_OK);
	struct cert cert = { .id = p.id,
		.has_ca = ca_or_null != NULL,
		.status = status,
		.mode = MODE_DEFAULT,
		.not_before = p.not_before,
		.not_after = p.not_after,
		.created = world_now(),
		.modified = world_now(),
		.version = 1 };
	if (ca_or_null != NULL)
		cert.ca_id = world_id(ca_or_null);
	world_change(&t);
	store_put_cert(&t, &cert, &document);
	world_commit(&t);
}

bool
world_get_cert(const struct pki_cert *c, struct cert *out)
{
	struct certid id = world_id(c);
	struct txn t;
	enum err e;

	must(store_read(world.store, &t) == ERR_OK);
	e = store_get_cert(&t, &id, out);
	store_end(&t);
	must(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

bool
world_get_ca(const struct pki_cert *c, struct ca *out)
{
	struct certid id = world_id(c);
	struct txn t;
	enum err e;

	must(store_read(world.store, &t) == ERR_OK);
	e = store_get_ca(&t, &id, out);
	store_end(&t);
	out->key_id = (struct view){ NULL, 0 };
	must(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

size_t
world_message_count(void)
{
	struct message m = { .seq = 0 };
	size_t count = 0;
	struct txn t;

	must(store_read(world.store, &t) == ERR_OK);
	while (store_next_message(&t, m.seq, &m) == ERR_OK)
		count++;
	store_end(&t);
	return count;
}

/*
 * Files.
 */

char *
world_read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	must(text != NULL);
	if (in == NULL) {
		free(text);
		return NULL;
	}
	(void)!fread(text, 1, (1 << 20) - 1, in);
	fclose(in);
	return text;
}

void
world_write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	must(out != NULL);
	must(fputs(text, out) >= 0);
	must(fclose(out) == 0);
}
