/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire.h - the frames between the plugin and its registrar process.
 *
 * Pure, no allocation.  A frame is a header and a payload; doc/link.md documents the bytes.
 * Each payload has exactly one encoding.  A decoder accepts only input that it consumes
 * exactly and that has every member within its limits; otherwise it returns ERR_CORRUPT
 * and a zeroed result.  Decoded texts and views point into the input.  Any thread.
 *
 * An encoder writes at most size bytes to out and returns the length of the payload; 0: it
 * does not fit, or a member exceeds its limit.  With out NULL it writes nothing, so that
 * the caller learns the length; size is then SIZE_MAX.
 *
 * Texts are C strings.  A payload has the terminator, too, so that a decoder returns a
 * pointer without a copy.  NULL: absent, allowed where a comment says so.
 */
#ifndef JITR_WIRE_H
#define JITR_WIRE_H

#include "jitr/core/control_message.h"

/* Raised with each change of a frame.  HELLO and the beginning of CONFIG never change, so
 * that both sides can name their versions. */
#define WIRE_PROTOCOL 1

/* The process that receives a frame. */
enum wire_end {
	WIRE_REGISTRAR,
	WIRE_BROKER,
};

/*
 * Frame types: name, number, receiver.
 *
 * The number in the header is the sender's number of the request or registration; ANSWER and
 * DONE repeat it.  In other frames it is 0.  The payloads of PRESENT, REFUSED and DONE are those
 * of wire_registration.h.
 */
#define WIRE_TYPES(X) \
	X(CONFIG, 1, REGISTRAR)    /* the first frame */ \
	X(REQUEST, 2, REGISTRAR)   /* a control request */ \
	X(LEFT, 3, REGISTRAR)      /* a connection that had sent requests has ended */ \
	X(PRESENT, 4, REGISTRAR)   /* a first connection */ \
	X(REFUSED, 5, REGISTRAR)   /* a refused connection */ \
	X(PUBLISHED, 6, REGISTRAR) /* the events of the outbox up to a number */ \
	X(RECORD, 7, REGISTRAR)    /* a line of the log file */ \
	X(REOPEN, 8, REGISTRAR)    /* open the log file again; no payload */ \
	X(STOP, 9, REGISTRAR)      /* finish and end; no payload */ \
	X(ALIVE, 10, REGISTRAR)    /* the broker's loop runs: every 5 seconds; no payload */ \
	X(HELLO, 128, BROKER)      /* the registry is open */ \
	X(FAILED, 129, BROKER)     /* it cannot start: one line */ \
	X(ANSWER, 130, BROKER)     /* to a control request */ \
	X(DONE, 131, BROKER)       /* a registration was carried out, or failed */ \
	X(CHANGED, 132, BROKER)    /* something in the registry, committed */ \
	X(LOG, 133, BROKER)        /* a line of the broker's log */ \
	X(STATE, 134, BROKER)      /* gauges and counters */

enum wire_type {
#define X(name, number, end) WIRE_##name = (number),
	WIRE_TYPES(X)
#undef X
};

const char *wire_type_name(enum wire_type type); /* "CONFIG", ... */

/*
 * Frames.
 */
#define WIRE_HEADER_SIZE 13                /* length (4), type (1), number (8) */
#define WIRE_PAYLOAD_MAX (2 * 1024 * 1024) /* bytes */

struct wire_header {
	enum wire_type type;
	uint64_t number;
	size_t payload; /* its length */
};

void wire_put_header(const struct wire_header *h, uint8_t out[WIRE_HEADER_SIZE]);

/* ERR_CORRUPT: a type that this end does not receive, or a length out of range. */
MUST_USE enum err wire_get_header(const uint8_t in[WIRE_HEADER_SIZE], enum wire_end receiver,
    struct wire_header *out);

/*
 * Payloads for the registrar.
 */

/* An option as in mosquitto.conf, or a fact about the broker. */
struct wire_pair {
	const char *name, *value;
};

#define WIRE_PAIRS_MAX 64

struct wire_pairs {
	size_t count;
	struct wire_pair list[WIRE_PAIRS_MAX];
};

struct wire_config {
	uint32_t protocol;
	const char *version; /* of the plugin */
	struct wire_pairs options;
	struct wire_pairs facts; /* "broker_version", ... */
};

size_t wire_put_config(const struct wire_config *c, uint8_t *out, size_t size);

/* ERR_VERSION: another protocol; only protocol and version are set. */
MUST_USE enum err wire_get_config(struct view in, struct wire_config *out);

/* The number of a request is in the header: it is not encoded, and decoded as 0.  A text that
 * control_message.h does not call NULL is present.  A payload has its bytes if they are at most
 * REQUEST_MAX, otherwise its length alone. */
size_t wire_put_request(const struct control_request *r, uint8_t *out, size_t size);
MUST_USE enum err wire_get_request(struct view in, struct control_request *out);

/* LEFT: the number of a session.  PUBLISHED: the number of an event. */
#define WIRE_NUMBER_SIZE 8
size_t wire_put_number(uint64_t number, uint8_t *out, size_t size);
MUST_USE enum err wire_get_number(struct view in, uint64_t *out);

/* RECORD and FAILED. */
#define WIRE_LINE_OVERHEAD 8 /* bytes beyond those of the text, at most */
size_t wire_put_line(const char *line, uint8_t *out, size_t size);
MUST_USE enum err wire_get_line(struct view in, const char **out);

/* REOPEN, STOP and ALIVE. */
MUST_USE enum err wire_get_nothing(struct view in);

/*
 * Payloads for the broker.
 */
struct wire_hello {
	uint32_t protocol;
	const char *version; /* of the registrar */
};

size_t wire_put_hello(const struct wire_hello *h, uint8_t *out, size_t size);
MUST_USE enum err wire_get_hello(struct view in, struct wire_hello *out);

#define WIRE_ANSWER_MAX (1024 * 1024) /* bytes of the payload */

/* The number of an answer is in the header, as that of its request.  A throttled answer has no
 * payload. */
size_t wire_put_answer(const struct control_answer *a, uint8_t *out, size_t size);
MUST_USE enum err wire_get_answer(struct view in, struct control_answer *out);

enum wire_change_kind {
	WIRE_CHANGED_ANYTHING,    /* another process wrote */
	WIRE_CHANGED_CERTIFICATE, /* ids: one */
	WIRE_CHANGED_POLICY,      /* name */
	WIRE_CHANGED_THING,       /* name */
	WIRE_CHANGED_CRL,         /* ids: certificates that a list names, if there are few */
	WIRE_CHANGED_CRL_REMOVED, /* ids: the CA */
	WIRE_CHANGED_EVENTS,      /* events wait in the outbox */
};

#define WIRE_CHANGE_KINDS (WIRE_CHANGED_EVENTS + 1)
#define WIRE_IDS_MAX      16384

struct wire_change {
	enum wire_change_kind kind;
	const char *name;         /* NULL where the kind has none */
	const struct certid *ids; /* borrowed; decoded: in the input */
	size_t count;             /* at most WIRE_IDS_MAX */
};

size_t wire_put_change(const struct wire_change *c, uint8_t *out, size_t size);
MUST_USE enum err wire_get_change(struct view in, struct wire_change *out);

/* The values of enum log_level. */
#define WIRE_LEVELS 5

struct wire_log {
	unsigned level; /* below WIRE_LEVELS */
	const char *line;
};

size_t wire_put_log(const struct wire_log *l, uint8_t *out, size_t size);
MUST_USE enum err wire_get_log(struct view in, struct wire_log *out);

/* index: of a row of STATS_TABLE (stats.h), ascending. */
#define WIRE_COUNTERS_MAX 128

struct wire_counter {
	unsigned index; /* below WIRE_COUNTERS_MAX */
	uint64_t delta; /* since the last STATE */
};

struct wire_state {
	/* As struct writer_state. */
	uint64_t waiting, commits, commit_us, commit_us_max, commit_us_last;

	size_t count;
	struct wire_counter counters[WIRE_COUNTERS_MAX];
};

#define WIRE_STATE_MAX (5 * 8 + 1 + WIRE_COUNTERS_MAX * 9)
size_t wire_put_state(const struct wire_state *s, uint8_t *out, size_t size);
MUST_USE enum err wire_get_state(struct view in, struct wire_state *out);

#endif
