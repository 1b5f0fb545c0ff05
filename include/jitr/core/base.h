/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * base.h - types that every other file may use.
 *
 * Views, ids and the error type.  No allocation, no blocking, no state.  Includes no
 * other header of this project.  Any thread.
 */
#ifndef JITR_BASE_H
#define JITR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE              __attribute__((warn_unused_result))
#define NOT_INLINE            __attribute__((noinline))
#define PRINTF_LIKE(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define COUNT_OF(array)       (sizeof(array) / sizeof((array)[0]))

/* Borrowed bytes.  A view never owns them; the function that returns one documents how
 * long it stays valid. */
struct view {
	const uint8_t *data;
	size_t len;
};

bool view_equal(struct view a, struct view b); /* byte by byte */
int view_order(struct view a, struct view b);  /* of memcmp(); a beginning sorts first */

/* The same, ignoring the case of ASCII letters. */
bool view_equal_folded(struct view a, struct view b);
uint8_t ascii_lower(uint8_t c);

/* The bytes from n on; n is at most v.len. */
static inline struct view
view_from(struct view v, size_t n)
{
	return (struct view){ v.data + n, v.len - n };
}

/* Copies the bytes to *at, advances *at past them, and lets the view refer to the copy. */
void view_move(struct view *v, uint8_t **at);
struct view view_of(const char *text); /* without the terminator; NULL is empty */

/* FNV-1a, 64 bits.  Start with HASH_START, or pass the previous result to continue.
 * Not a cryptographic hash. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t hash, struct view bytes);

/* A certificate's identity: SHA-256 of its DER encoding.  AWS calls the lower-case hex
 * form certificateId (aws-iot B.1); hex is used only in input and output. */
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
 * All errors of the program.  One row per error: its name, the HTTP status and
 * exception of AWS's API (aws-iot 1.4), and the text for logs.  To add an error, add a
 * row.
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
const char *err_aws_name(enum err e); /* for API responses; "" for ERR_OK */
int err_http_status(enum err e);

/* Details of an error: which field, which file, what to do.  Functions that take a diag
 * accept NULL.  The text may quote bytes from outside; they are escaped when printed. */
struct diag {
	char text[320];
};

void diag_set(struct diag *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
