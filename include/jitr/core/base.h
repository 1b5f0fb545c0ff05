/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * base.h - what every other file may use.
 *
 * Value types, the one error type, and nothing that allocates, blocks or
 * remembers.  Includes no other header of this project.  Any thread.
 */
#ifndef JITR_BASE_H
#define JITR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define COUNT_OF(array)       (sizeof(array) / sizeof((array)[0]))

/* Borrowed bytes.  A view never owns; the header that hands one out says how
 * long it lives. */
struct view {
	const uint8_t *data;
	size_t len;
};

bool view_equal(struct view a, struct view b); /* byte by byte */

/* Copies the bytes to *at, which goes on behind them, and views the copy. */
void view_move(struct view *v, uint8_t **at);
struct view view_of(const char *text); /* without the terminator; NULL is empty */

/* FNV-1a, 64 bits, begun with HASH_START or with what it was before: tells bytes
 * apart, proves nothing. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t hash, struct view bytes);

/* A certificate's identity: SHA-256 over its DER encoding.  AWS calls the
 * lower-case hex form certificateId (aws-iot B.1); hex exists only at the
 * edges. */
struct certid {
	uint8_t b[32];
};

#define CERTID_HEX_SIZE 65 /* 64 digits and the terminator */

void hex_encode(struct view bytes, char *hex); /* 2 * len + 1 chars, lower case */
MUST_USE bool hex_decode(uint8_t *bytes, size_t size,
    struct view hex); /* exactly 2 * size digits */

void certid_to_hex(const struct certid *id, char hex[CERTID_HEX_SIZE]);
MUST_USE bool certid_from_hex(struct certid *id, struct view hex); /* upper case is folded */
bool certid_equal(const struct certid *a, const struct certid *b);

/*
 * Every failure this program can report.  One row per error: our name, the
 * AWS exception the API answers with and its HTTP status (aws-iot 1.4), and
 * words for a log.  A new error is a new row; nothing else changes.
 */
#define ERR_TABLE(X) \
	X(ERR_OK, 200, "", "success") \
	X(ERR_NOT_FOUND, 404, "ResourceNotFoundException", "no such resource") \
	X(ERR_EXISTS, 409, "ResourceAlreadyExistsException", "already exists") \
	X(ERR_WRONG_STATE, 406, "CertificateStateException", "not allowed in this state") \
	X(ERR_REQUEST, 400, "InvalidRequestException", "malformed request") \
	X(ERR_CERTIFICATE, 400, "CertificateValidationException", "invalid certificate") \
	X(ERR_CONFLICT, 409, "CertificateConflictException", "more than one CA fits") \
	X(ERR_PROOF, 400, "RegistrationCodeValidationException", "no proof of possession") \
	X(ERR_LIMIT, 410, "LimitExceededException", "limit exceeded") \
	X(ERR_POLICY, 400, "MalformedPolicyException", "malformed policy") \
	X(ERR_VERSIONS, 409, "VersionsLimitExceededException", "too many versions") \
	X(ERR_VERSION, 409, "VersionConflictException", "another version than expected") \
	X(ERR_ATTACHED, 409, "DeleteConflictException", "still attached") \
	X(ERR_DENIED, 403, "AccessDeniedException", "not permitted") \
	X(ERR_BUSY, 400, "ThrottlingException", "too many requests") \
	X(ERR_STORAGE, 503, "ServiceUnavailableException", "storage failed") \
	X(ERR_CORRUPT, 500, "InternalFailureException", "stored data is damaged") \
	X(ERR_CRYPTO, 500, "InternalFailureException", "OpenSSL failed") \
	X(ERR_NOMEM, 500, "InternalFailureException", "out of memory")

enum err {
#define X(name, http, aws, text) name,
	ERR_TABLE(X)
#undef X
};

const char *err_text(enum err e);     /* for logs */
const char *err_aws_name(enum err e); /* for API answers */
int err_http_status(enum err e);

/* What an error code cannot say: which field, which file, what to do.
 * Optional everywhere: functions that take one accept NULL.  May quote bytes
 * from outside; it is escaped where it is printed. */
struct diag {
	char text[320];
};

void diag_set(struct diag *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
