/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request_private.h - requests on their way, shared by the request*.c files.
 *
 *   request.c         opened, closed, ticked; a message becomes a request, or is refused
 *   request_slice.c   which request goes on next, and for how long
 *   request_read.c    bytes become commands; what their caller may
 *   request_run.c     runs of commands; changes are jobs of the writer
 *   request_answer.c  results become an answer; what was sent is charged; log lines
 *
 * Broker thread, but for the two functions of request_run.c that the writer calls.
 */
#ifndef JITR_REQUEST_PRIVATE_H
#define JITR_REQUEST_PRIVATE_H

#include "jitr/service/ca_mirror.h"
#include "jitr/api/request.h"

#include "answers.h"
#include "budget.h"
#include "command.h"
#include "upload.h"

/* What is left of the budget of one user or certificate with rights.  Callers with
 * the same hash share one. */
struct allowance {
	struct bucket answers;
	size_t held; /* bytes of its requests that are under way */
};

struct api {
	struct api_config config;
	struct account account;
	struct ca_mirror *mirror; /* owned */
	struct uploads uploads;
	struct answers answers_ready;

	struct request *waiting; /* for a slice, in the order in which they came */
	bool running;            /* a slice */
	uint64_t last_hash;      /* of the caller that was given a slice last */
	uint64_t seed;           /* of the hashes of callers */
	size_t held;             /* bytes of all requests that are under way */
	struct bucket slices, answers;
	struct allowance allowances[CALLERS_MAX];
	struct refusals denied, throttled;
	struct lines lines;
};

/*
 * What is done with a request next, and what follows:
 *
 *   UNREAD      request_read()        PREPARING
 *                                     OPEN        refused: one command that carries the error
 *                                     DONE        refused, and no memory for that command
 *   PREPARING   request_prepare()     PREPARING   commands are left
 *                                     OPEN        that was the last
 *   OPEN        request_begin_run()   AT_WRITER   changes
 *                                     RESPONDING  questions; changes that did not fit into the queue
 *                                     DONE        no commands are left
 *   AT_WRITER   the job is finished   RESPONDING
 *                                     OPEN        no room for several changes: one by one now
 *   RESPONDING  request_respond()     RESPONDING  commands of the run are left, or a part of one
 *                                     OPEN        that was the last
 *   DONE        request_answer()      freed
 */
enum request_stage {
	REQUEST_UNREAD,     /* its bytes are as they came */
	REQUEST_PREPARING,  /* its commands are read, allowed, prepared, one by one */
	REQUEST_OPEN,       /* the next run of commands is to begin */
	REQUEST_AT_WRITER,  /* a run of changes is a job; not in the list of those that wait */
	REQUEST_RESPONDING, /* a run is done, and is put into the answer command by command */
	REQUEST_DONE,
};

/* Its commands are carried out in runs: neighbours that change something are one
 * job of the writer. */
struct request {
	struct job job;
	struct api *api;
	struct request *next; /* of those that wait */
	enum request_stage stage;
	struct client client; /* its certificate is held, its texts are: */
	char *client_id, *user_name, *address;
	enum administration may;
	uint64_t hash;        /* of the user or certificate that asks: its allowance */
	struct caller caller; /* the connection that asked */
	char *response_topic;
	uint8_t *payload; /* until it is read; NULL too if it is too large */
	size_t payload_len, held;
	struct budget budget;
	int64_t used_us;

	cJSON *json;  /* what the commands' texts point into */
	char *answer; /* so far, without its end */
	size_t answer_len, answer_size;
	bool changes_ca, told_denied, cut_short;
	bool alone; /* a run of several could not be committed */
	enum err mirror_result;
	struct diag mirror_diag;
	size_t prepared, done, end; /* the present run begins at done and ends before end */
	size_t count;
	struct command *commands;
};

/* request.c */
struct allowance *allowance_find(struct api *a, uint64_t hash);
void request_hold(struct request *r, size_t bytes); /* counts them for its bounds */
void request_free(struct request *r);               /* NULL is fine */

/* request_slice.c: at the end of those that wait; requests go on for one slice. */
void request_queue(struct request *r);
void requests_run(struct api *a);

/* request_read.c: one stage each, see above. */
void request_read(struct request *r);
void request_prepare(struct request *r);

/* request_run.c */
void request_begin_run(struct request *r);
bool request_is_late(const struct request *r); /* it used REQUEST_TIME_MAX_US */
void command_set_late(struct command *c);

/* request_answer.c: one command of the run, or a part of it; then the whole. */
void request_respond(struct request *r);
void request_answer(struct request *r);

/* What was sent leaves room for more: to one caller, to all. */
bool allowance_has_room(struct api *a, uint64_t hash, int64_t now);
bool answers_have_room(struct api *a, int64_t now);

/* Copied; sent by api_send_answers().  response_topic: NULL for none. */
void answer_queue(struct api *a, const struct caller *caller, const char *client_id,
    const char *response_topic, const char *text);

/* command: NULL if none was read. */
void denied_log(struct api *a, const struct client *c, const char *reason, const char *command);
void untold_log(struct api *a);
void unanswered_log(struct api *a, enum err e);

#endif
