/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * model.h - data types of the registry: CA certificates, client certificates,
 * revocation lists, policies, things.
 *
 * Plain data.  In every enum the zero value grants nothing, so an uninitialised field
 * refuses instead of admitting.  Times are milliseconds since 1970.
 */
#ifndef JITR_MODEL_H
#define JITR_MODEL_H

#include "jitr/core/base.h"

/* The answer to a yes/no question that may not have been asked. */
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

/* Random, new for each registration: tells a record from a deleted one with the same
 * id. */
struct generation {
	uint8_t b[16];
};

bool generation_equal(const struct generation *a, const struct generation *b);

/* A registered CA certificate: the part that is read for each connection. */
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

/* Is now (ms since 1970) within its validity?  Both ends are included. */
bool ca_is_valid(const struct ca *ca, int64_t now);

/* The rest of a CA's record.  Texts are empty if never given. */
struct ca_document {
	struct view der;
	struct view pem;           /* as received, returned unchanged */
	struct view template_body; /* AWS: registrationConfig */
	struct view template_form; /* of template_body (codec_form.h) */
	struct view role_arn;
	struct view tags; /* a JSON array of {"Key":...,"Value":...} */
};

/* The revocation list that connections under a CA require.  REQUIRED: a current list.
 * GRACE: a list at most crl_grace_days past its nextUpdate.  IF_PRESENT: none; if there
 * is a list, the certificates on it are refused. */
enum crl_check {
	CRL_REQUIRED,
	CRL_GRACE,
	CRL_IF_PRESENT,
};

#define CRL_GRACE_DAYS_MAX 3650
#define CRL_FILE_MAX       4095 /* bytes of a path */

/* Settings of a CA that AWS does not have.  Texts are empty if not set. */
struct ca_settings {
	enum crl_check crl_check;
	uint32_t crl_grace_days;     /* with CRL_GRACE; otherwise 0 */
	struct view crl_file;        /* on the broker's machine, read again when it changes */
	struct view activation;      /* the rule: a JSON document (rule.h) */
	struct view activation_form; /* of the rule (codec_form.h) */
	bool supersedes;             /* the rule deactivates older certificates of the same
				    * thing */
	int64_t supersede_after;     /* ms of delay, with supersedes; otherwise 0 */
	struct view template_name;   /* AWS: registrationConfig.templateName */
};

/* Settings of a CA that has none stored. */
#define CA_SETTINGS_DEFAULT ((struct ca_settings){ .crl_check = CRL_IF_PRESENT })

#define CRL_NUMBER_MAX 20 /* bytes (RFC 5280 5.2.3) */

/* Which certificates a revocation list covers (RFC 5280 5.2.5). */
enum crl_scope {
	CRL_SCOPE_UNKNOWN, /* imported by a version that did not read the scope; covers all */
	CRL_SCOPE_ALL,
	CRL_SCOPE_POINT, /* certificates that name the list's distribution point */
};

#define CRL_POINT_MAX 1024 /* bytes */

/* The revocation list in force for a CA (RFC 5280 5): the part that is read for each
 * connection. */
struct crl {
	uint64_t list; /* number under which its entries are stored, from 1 */
	int64_t this_update, next_update;
	int64_t imported;
	uint32_t count;                 /* of entries */
	bool applied;                   /* all certificates it names have become REVOKED */
	struct certid digest;           /* SHA-256 over its DER */
	uint8_t number_len;             /* 0: no cRLNumber */
	uint8_t number[CRL_NUMBER_MAX]; /* big-endian without leading zeros; the number 0 is
					 * one zero byte */
	enum crl_scope scope;
	bool only_users;              /* does not cover CA certificates */
	uint16_t point_len;           /* with CRL_SCOPE_POINT; otherwise 0 */
	uint8_t point[CRL_POINT_MAX]; /* DistributionPointName: crl_scope.h */
};

/* RFC 5280 5.3.1, with the standard's values. */
enum revocation_reason {
	REVOKED_UNSPECIFIED = 0,
	REVOKED_HOLD = 6, /* certificateHold: a later list may remove the entry */
	REVOKED_REASON_MAX = 10,
};

/* A serial number as the content of its DER INTEGER. */
#define SERIAL_MAX 64

struct serial {
	uint8_t len; /* 0: longer than SERIAL_MAX; no list can name it */
	uint8_t b[SERIAL_MAX];
};

/* A revoked certificate entry. */
struct revoked {
	int64_t date;
	uint8_t reason; /* enum revocation_reason, or another value of RFC 5280 */
};

/* A registered client certificate: the part that is read for each connection. */
struct cert {
	struct certid id;
	bool has_ca; /* registered under a CA; otherwise ca_id is zero */
	struct certid ca_id;
	enum cert_status status;
	enum cert_mode mode;
	int64_t not_before, not_after;
	int64_t created, modified;
	int64_t announced; /* time of the last registered event; 0: never */
	uint32_t version;
	struct generation generation;
	bool shared; /* false: no other certificate has its signed part.  The store sets it */
};

struct cert_document {
	struct view der;
	struct view pem; /* as received; empty if it came from a TLS handshake */
};

/* Why a certificate has its status. */
struct cert_note {
	int64_t time;
	bool superseded; /* by successor */
	struct certid successor;
	struct view text;
};

#define NOTE_TEXT_MAX 512

/* The last refused connection of a certificate. */
struct refusal {
	int64_t time;
	struct view code;               /* reason_code() */
	struct view details;            /* text for people */
	struct view client_id, address; /* empty: unknown */
};

#define REFUSAL_TEXT_MAX 512 /* bytes, of each text */

/* Changes that are due at a given time. */
enum schedule_kind {
	SCHEDULE_EXPIRY,    /* time: notAfter; the expiry was not announced yet */
	SCHEDULE_SUPERSEDE, /* time: when the certificate becomes INACTIVE */
};

struct schedule_entry {
	enum schedule_kind kind;
	int64_t time;
	struct certid id;
	struct certid successor; /* SCHEDULE_SUPERSEDE only */
};

#define TEMPLATE_NAME_MAX 36
#define TEMPLATE_BODY_MAX 10240 /* characters */

/* A template for just-in-time provisioning (AWS: provisioning template). */
struct provisioning_template {
	struct view name;
	bool enabled;
	int64_t created, modified;
	struct generation generation;
	struct view description, role_arn, body;
	struct view form; /* of the body (codec_form.h) */
};

/* Policy names: 1 to 128 of [A-Za-z0-9_+=,.@-].  Names of things, thing types and
 * billing groups: 1 to 128 of [a-zA-Z0-9:_-] (aws-iot 1.7). */
#define NAME_MAX_LENGTH 128

/* A policy without its documents. */
struct policy_record {
	struct view name;
	uint32_t default_version; /* the version that is evaluated */
	uint32_t last_version;    /* the highest number given so far */
	int64_t created, modified;
	struct generation generation;
};

struct policy_version {
	uint32_t number; /* 1, 2, 3, ... */
	int64_t created;
	struct view document; /* as received */
	struct view form;     /* of the document (codec_form.h) */
};

/* How a certificate is attached to a thing. */
enum principal_type {
	PRINCIPAL_NON_EXCLUSIVE,
	PRINCIPAL_EXCLUSIVE, /* the certificate may be attached to no other thing */
};

/* A thing.  Texts are empty if never given. */
struct thing {
	struct view name;
	struct view type_name;
	struct view billing_group;
	struct view attributes; /* packed, see thing_attribute_next() */
	uint32_t version;       /* 1, +1 on each update */
	int64_t created, modified;
	struct generation id; /* AWS: thingId */
};

#define THING_ATTRIBUTES_MAX         50 /* with a thing type */
#define THING_ATTRIBUTES_MAX_UNTYPED 3
#define THING_ATTRIBUTE_NAME_MAX     128
#define THING_ATTRIBUTE_VALUE_MAX    800

/* Iterates over packed attributes: sorted by name, unique; each is the length of the
 * name in one byte, the name, the length of the value in two bytes (big-endian), the
 * value.  Takes the first pair off *rest; false if there is none, or if it is
 * truncated. */
bool thing_attribute_next(struct view *rest, struct view *name, struct view *value);

/* The value of an attribute; data NULL if there is none. */
struct view thing_attribute(struct view attributes, struct view name);

/* The event on $aws/events/certificates/registered/<caId>. */
struct registered_event {
	struct certid cert_id, ca_id;
	enum cert_status status;
	int64_t timestamp;
	int64_t registered; /* 0 in the first event after a registration */
};

const char *ca_status_name(enum ca_status s);     /* "ACTIVE", ... */
const char *cert_status_name(enum cert_status s); /* "PENDING_ACTIVATION", ... */
const char *cert_mode_name(enum cert_mode m);     /* "DEFAULT", "SNI_ONLY" */
MUST_USE bool cert_status_parse(const char *name, enum cert_status *out);

#endif
