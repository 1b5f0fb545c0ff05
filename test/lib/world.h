/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * world.h - the environment of the services in a test: a temporary registry on
 * real LMDB, a broker of twenty lines that records the calls of its functions, a
 * clock that the test sets, and a writer that runs when the test says so.
 *
 * There is one world at a time; world_open() and world_close() are a checked
 * fixture.  An error in any function fails the test.  Called by one thread, the
 * broker thread of the test; the broker's functions check this.
 *
 *	struct pki_cert *ca = pki_ca("Test CA"), *device = pki_device(ca, "device-1");
 *
 *	world_put_ca(ca, CA_ACTIVE, true);
 *	world_start_writer(100, 10);
 *	... gate_connect(...) ...
 *	world_settle();
 *	ck_assert(world_said("registered"));
 */
#ifndef JITR_TEST_WORLD_H
#define JITR_TEST_WORLD_H

#include "jitr/service/broker.h"
#include "jitr/service/report.h"
#include "jitr/service/writer.h"
#include "pki.h"

/* The calls of the broker's functions, in their order. */
enum note_kind {
	NOTE_LINE,      /* text */
	NOTE_PUBLISHED, /* topic, text */
	NOTE_ANSWER,    /* to, topic, text */
	NOTE_KICK,      /* to: a user name */
	NOTE_KICK_ONE,  /* to: a client id */
	NOTE_NAME,      /* client, text: its new user name */
};

struct note {
	enum note_kind kind;
	enum log_level level;
	char *to, *topic, *text;
	size_t text_len;
	const void *client;
	int qos;
	bool retain;
	struct note *next;
};

struct world {
	char dir[64];                                   /* temporary */
	char db_path[128], ca_path[128], log_path[128]; /* below it */
	struct store *store;
	struct writer *writer; /* NULL: not started */

	/* The results of the broker's functions. */
	enum err publish_result, answer_result, name_result;
	bool kicks_by_id;    /* it can kick by client id; false at first */
	size_t publish_most; /* this many publications succeed; SIZE_MAX at first */

	/* The clock of µs advances by this at each reading. */
	int64_t look_us, looked_us;

	/* Called for each note: a broker may call the plugin again from within its functions. */
	void (*on_note)(const struct note *n);

	/* Called when jobs have finished, as a broker has a tick then.  May be NULL. */
	void (*on_settled)(void);
};

extern struct world world;
extern const struct broker world_broker;

/* Its log alone; there is no log file. */
extern const struct report_sink world_sink;

void world_open(void);
void world_close(void); /* stops the writer, removes the directory */

/* The clock: the real time at world_open(), later set by the test. */
int64_t world_now(void);
void world_set_clock(int64_t ms);
void world_wait(int64_t ms); /* advances the clock */
int64_t world_clock_us(void);

/* Closes and opens the store, as a restart does.  The writer must not be running. */
void world_reopen_store(void);

void world_start_writer(size_t queue_max, size_t batch_max);
void world_stop_writer(void);
void world_settle(void); /* until every job is finished, also those submitted by finishers */

/* Keeps the writer busy with a job of its own until the release. */
void world_hold_writer(void);
void world_release_writer(void); /* and settle, and repair the disk */

/* No change can be stored until the release. */
void world_break_disk(void);

/* Changes by this thread.  The writer must be idle. */
void world_change(struct txn *t);
void world_commit(struct txn *t);

struct certid world_id(const struct pki_cert *c);
const char *world_hex(const struct pki_cert *c); /* lives until the eighth call after it */

/* Puts records as registration does. */
void world_put_ca(const struct pki_cert *ca, enum ca_status status, bool automatic);
void world_put_cert(const struct pki_cert *c, const struct pki_cert *ca_or_null,
    enum cert_status status);
bool world_get_cert(const struct pki_cert *c, struct cert *out); /* no views in it */
bool world_get_ca(const struct pki_cert *c, struct ca *out);     /* key_id is empty */
size_t world_message_count(void);

/* Notes. */
const struct note *world_note(enum note_kind kind, size_t nth); /* NULL: there are fewer */
const struct note *world_last(enum note_kind kind);
size_t world_count(enum note_kind kind);
bool world_said(const char *part); /* whether a line of the log has it */
void world_forget(void);

/* The whole of a file, terminated; free with free().  NULL: it cannot be read. */
char *world_read_file(const char *path);
void world_write_file(const char *path, const char *text);

#endif
