/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * model.h - the nouns: CA certificates, client certificates, events.
 *
 * Plain data.  In every enum the zero value is the one that grants nothing,
 * so a forgotten field refuses instead of admitting.
 * Times are milliseconds since 1970.
 */
#ifndef JITR_MODEL_H
#define JITR_MODEL_H

#include "jitr/core/base.h"

/* The answer to a question that may not have been asked. */
enum answer {
	ANSWER_NOT_ASKED,
	ANSWER_NO,
	ANSWER_YES,
};

enum ca_status {
	CA_INACTIVE,
	CA_ACTIVE,
};

/* AWS's deprecated REGISTER_INACTIVE is never stored (aws-iot B.4). */
enum cert_status {
	CERT_INACTIVE,
	CERT_ACTIVE,
	CERT_REVOKED,
	CERT_PENDING_TRANSFER,
	CERT_PENDING_ACTIVATION,
};
#define CERT_STATUS_COUNT (CERT_PENDING_ACTIVATION + 1)

/* How a CA was registered: DEFAULT with proof of possession of its key,
 * SNI_ONLY without (aws-iot A.2.1).  A certificate has the mode of its CA. */
enum cert_mode {
	MODE_SNI_ONLY,
	MODE_DEFAULT,
};

/* New for each registration, so that one after a deletion can be told apart. */
struct generation {
	uint8_t b[16];
};

bool generation_equal(const struct generation *a, const struct generation *b);

/* A registered CA certificate: what is looked at for each connection. */
struct ca {
	struct certid id;
	enum ca_status status;
	enum cert_mode mode;
	bool auto_registration; /* AWS: autoRegistrationStatus ENABLE */
	int64_t not_before, not_after;
	int64_t created, modified;
	uint32_t version; /* AWS: customerVersion, +1 on each change */
	struct generation generation;
	uint32_t subject_hash; /* OpenSSL's X509_NAME_hash of the subject */
	struct view key_id;    /* subjectKeyIdentifier, may be empty */
};

/* The rest of it.  Texts are empty when never given. */
struct ca_document {
	struct view der;
	struct view pem;           /* as received, returned verbatim */
	struct view template_body; /* AWS: registrationConfig */
	struct view role_arn;
	struct view tags; /* a JSON array of {"Key":...,"Value":...} */
};

/* What is asked of the revocation list of a CA: with REQUIRED a current one must
 * be there, with GRACE one that is not older than so many days beyond its
 * nextUpdate.  With IF_PRESENT any list that is there refuses the certificates on it. */
enum crl_check {
	CRL_REQUIRED,
	CRL_GRACE,
	CRL_IF_PRESENT,
};

#define CRL_GRACE_DAYS_MAX 3650
#define CRL_FILE_MAX       4095 /* bytes of a path */

/* What an operator sets for a CA besides AWS's fields.  Texts are empty when
 * not set. */
struct ca_settings {
	enum crl_check crl_check;
	uint32_t crl_grace_days;   /* with CRL_GRACE; otherwise 0 */
	struct view crl_file;      /* on the broker's machine, read again when it changes */
	struct view activation;    /* the rule: a JSON document (rule.h) */
	bool supersedes;           /* the rule says so, with: */
	int64_t supersede_after;   /* ms; otherwise 0 */
	struct view template_name; /* AWS: registrationConfig.templateName */
};

/* Of a CA for which nothing was set. */
#define CA_SETTINGS_DEFAULT ((struct ca_settings){ .crl_check = CRL_IF_PRESENT })

#define CRL_NUMBER_MAX 20 /* bytes (RFC 5280 5.2.3) */

/* Which certificates a list is about (RFC 5280 5.2.5). */
enum crl_scope {
	CRL_SCOPE_UNKNOWN, /* taken by a version that did not look; it counts for all */
	CRL_SCOPE_ALL,
	CRL_SCOPE_PLACE, /* those that name the place where it is published */
};

#define CRL_PLACE_MAX 1024 /* bytes */

/* The revocation list of a CA that is in force (RFC 5280 5): what is looked at
 * for each connection. */
struct crl {
	uint64_t list; /* under which number its entries are stored; from 1 on */
	int64_t this_update, next_update;
	int64_t imported;
	uint32_t count;                 /* of entries */
	bool applied;                   /* every certificate it names is REVOKED by now */
	struct certid digest;           /* SHA-256 over its DER */
	uint8_t number_len;             /* 0: it has no cRLNumber */
	uint8_t number[CRL_NUMBER_MAX]; /* big-endian, without zeros in front; the
	                                       * number 0 is one zero */
	enum crl_scope scope;
	bool only_users;              /* not about certificates of CAs */
	uint16_t place_len;           /* with CRL_SCOPE_PLACE; otherwise 0 */
	uint8_t place[CRL_PLACE_MAX]; /* DistributionPointName: crl_scope.h */
};

/* RFC 5280 5.3.1; the numbers are the standard's. */
enum revocation_reason {
	REVOKED_UNSPECIFIED = 0,
	REVOKED_HOLD = 6, /* may be lifted by a later list */
	REVOKED_REASON_MAX = 10,
};

/* A serial number as the content of its DER INTEGER. */
#define SERIAL_MAX 64

struct serial {
	uint8_t len; /* 0: it is longer than that, and no list names it */
	uint8_t b[SERIAL_MAX];
};

/* An entry of a revocation list. */
struct revoked {
	int64_t date;
	uint8_t reason; /* enum revocation_reason, or another number of the standard */
};

/* A registered client certificate: what is looked at for each connection. */
struct cert {
	struct certid id;
	bool has_ca; /* registered under a CA; otherwise ca_id is zero */
	struct certid ca_id;
	enum cert_status status;
	enum cert_mode mode;
	int64_t not_before, not_after;
	int64_t created, modified;
	int64_t announced; /* last registered-event put in the outbox; 0: never */
	uint32_t version;
	struct generation generation;
};

struct cert_document {
	struct view der;
	struct view pem; /* as received; empty when it came by a handshake */
};

/* Why a certificate has its status. */
struct cert_note {
	int64_t time;
	bool superseded; /* by: */
	struct certid successor;
	struct view text;
};

#define NOTE_TEXT_MAX 512

/* The last time a certificate was turned away. */
struct refusal {
	int64_t time;
	struct view code;               /* reason_code() */
	struct view details;            /* in words */
	struct view client_id, address; /* empty: not known */
};

#define REFUSAL_TEXT_MAX 512 /* of each of its texts */

/* What is to be done at a time of its own. */
enum schedule_kind {
	SCHEDULE_EXPIRY,    /* time: notAfter of a certificate no warning was sent for */
	SCHEDULE_SUPERSEDE, /* time: when it becomes INACTIVE */
};

struct schedule_entry {
	enum schedule_kind kind;
	int64_t time;
	struct certid id;
	struct certid successor; /* of SCHEDULE_SUPERSEDE */
};

/* A template for just-in-time provisioning (AWS: provisioning template). */
#define TEMPLATE_NAME_MAX 36
#define TEMPLATE_BODY_MAX 10240 /* characters */

struct provisioning_template {
	struct view name;
	bool enabled;
	int64_t created, modified;
	struct generation generation;
	struct view description, role_arn, body;
};

/* Names of policies: 1 to 128 of [A-Za-z0-9_+=,.@-]; of things, and of their
 * types and billing groups: 1 to 128 of [a-zA-Z0-9:_-] (aws-iot 1.7). */
#define NAME_MAX_LENGTH 128

/* A policy without its texts. */
struct policy_record {
	struct view name;
	uint32_t default_version; /* the one that is asked */
	uint32_t last_version;    /* the highest number ever given */
	int64_t created, modified;
	struct generation generation;
};

struct policy_version {
	uint32_t number; /* 1, 2, 3, ... */
	int64_t created;
	struct view document; /* as received */
};

/* How a certificate is attached to a thing. */
enum principal_type {
	PRINCIPAL_NON_EXCLUSIVE,
	PRINCIPAL_EXCLUSIVE, /* it may be attached to no other thing */
};

/* A thing.  Texts are empty when never given. */
struct thing {
	struct view name;
	struct view type_name;
	struct view billing_group;
	struct view attributes; /* packed: see thing_attribute_next() */
	uint32_t version;       /* 1, +1 per update */
	int64_t created, modified;
	struct generation id; /* AWS: thingId */
};

#define THING_ATTRIBUTES_MAX         50 /* with a type; without one: */
#define THING_ATTRIBUTES_MAX_UNTYPED 3
#define THING_ATTRIBUTE_NAME_MAX     128
#define THING_ATTRIBUTE_VALUE_MAX    800

/* Packed attributes, sorted by name, each name once: length of the name in one
 * byte, name, length of the value in two bytes (big-endian), value.
 * Takes the first pair off *rest; false: there is none, or it is cut short. */
bool thing_attribute_next(struct view *rest, struct view *name, struct view *value);

/* The value of an attribute; data NULL: there is none. */
struct view thing_attribute(struct view attributes, struct view name);

/* The message AWS publishes on $aws/events/certificates/registered/<caId>. */
struct registered_event {
	struct certid cert_id, ca_id;
	enum cert_status status;
	int64_t timestamp;
	int64_t registered; /* 0 in the first event of a registration */
};

const char *ca_status_name(enum ca_status s);     /* "ACTIVE", ... */
const char *cert_status_name(enum cert_status s); /* "PENDING_ACTIVATION", ... */
const char *cert_mode_name(enum cert_mode m);     /* "DEFAULT", "SNI_ONLY" */
MUST_USE bool ca_status_parse(const char *name, enum ca_status *out);
MUST_USE bool cert_status_parse(const char *name, enum cert_status *out);
MUST_USE bool cert_mode_parse(const char *name, enum cert_mode *out);

#endif
