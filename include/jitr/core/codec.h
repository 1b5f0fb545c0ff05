/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec.h - encodes records to bytes and decodes them.
 *
 * Pure, no allocation.  Every record begins with a format byte; integers are
 * big-endian.  A decoder accepts only input that it consumes exactly; otherwise it
 * returns ERR_CORRUPT and a zeroed record.  doc/storage.md documents the bytes.
 * Decoded views point into the input.  Any thread.
 */
#ifndef JITR_CODEC_H
#define JITR_CODEC_H

#include "jitr/core/model.h"

#define CODEC_CA_MAX   256 /* upper bound of an encoded ca, in bytes */
#define CODEC_CERT_MAX 192

/* Records read for each connection have a fixed maximum size, so they fit on the stack.
 * Encoders return the length written, or 0 if the record has no encoding (key id longer
 * than 64 bytes, created before 1970).  The id is the key of the row and not encoded:
 * decoders leave it zero. */
size_t codec_put_ca(const struct ca *ca, uint8_t out[CODEC_CA_MAX]);
size_t codec_put_cert(const struct cert *cert, uint8_t out[CODEC_CERT_MAX]);

/* Documents may be large: ask for the size, then encode into a buffer of that size. */
size_t codec_ca_document_size(const struct ca_document *d);
void codec_put_ca_document(const struct ca_document *d, uint8_t *out);
size_t codec_cert_document_size(const struct cert_document *d);
void codec_put_cert_document(const struct cert_document *d, uint8_t *out);
size_t codec_message_size(struct view topic, struct view payload);
void codec_put_message(struct view topic, struct view payload, uint8_t *out);

/* Policies and things.  Name and version number are the key of the row: decoders leave
 * them empty.  A size of 0 means that the record has no encoding (created before 1970,
 * name longer than 128 bytes, attributes that violate model.h). */
#define CODEC_POLICY_MAX 64
size_t codec_put_policy(const struct policy_record *p, uint8_t out[CODEC_POLICY_MAX]);
size_t codec_policy_version_size(const struct policy_version *v);
void codec_put_policy_version(const struct policy_version *v, uint8_t *out);
size_t codec_thing_size(const struct thing *thing);
void codec_put_thing(const struct thing *thing, uint8_t *out);

/* Checks packed attributes: sorted by name, unique, within the limits of model.h.  Sets
 * their number. */
MUST_USE bool codec_check_attributes(struct view packed, size_t *count);

/* Merges changes into old attributes: a change replaces the attribute of its name, an
 * empty value removes it.  Both inputs must pass codec_check_attributes(); out has room
 * for both.  Returns the length. */
size_t codec_merge_attributes(struct view old, struct view changes, uint8_t *out);

/* Revocation lists and revoked certificate entries.  0: the record has no encoding
 * (list number 0, cRLNumber with leading zeros, a distribution point without its scope
 * or the reverse, a reason that RFC 5280 does not define). */
#define CODEC_CRL_MAX     (96 + 1 + 1 + 2 + CRL_POINT_MAX)
#define CODEC_REVOKED_MAX 10
size_t codec_put_crl(const struct crl *crl, uint8_t out[CODEC_CRL_MAX]);
size_t codec_put_revoked(const struct revoked *entry, uint8_t out[CODEC_REVOKED_MAX]);

/* CA settings and templates.  A size of 0: the record has no encoding (grace days or a
 * delay without the setting that uses them, a text longer than model.h allows, created
 * before 1970). */
size_t codec_ca_settings_size(const struct ca_settings *settings);
void codec_put_ca_settings(const struct ca_settings *settings, uint8_t *out);
size_t codec_template_size(const struct provisioning_template *made);
void codec_put_template(const struct provisioning_template *made, uint8_t *out);

/* Notes and refusals of a certificate, and the successor that a SCHEDULE_SUPERSEDE
 * entry stores beside its key.  0: a text is longer than model.h allows. */
#define CODEC_CERT_NOTE_MAX (1 + 8 + 1 + 32 + 4 + NOTE_TEXT_MAX)
#define CODEC_REFUSAL_MAX   (1 + 8 + 4 * (4 + REFUSAL_TEXT_MAX))
#define CODEC_SUCCESSOR_MAX (1 + 32)
size_t codec_put_cert_note(const struct cert_note *note, uint8_t out[CODEC_CERT_NOTE_MAX]);
size_t codec_put_refusal(const struct refusal *refusal, uint8_t out[CODEC_REFUSAL_MAX]);
size_t codec_put_successor(const struct certid *successor, uint8_t out[CODEC_SUCCESSOR_MAX]);

MUST_USE enum err codec_get_crl(struct view in, struct crl *out);
MUST_USE enum err codec_get_revoked(struct view in, struct revoked *out);
MUST_USE enum err codec_get_ca_settings(struct view in, struct ca_settings *out);
MUST_USE enum err codec_get_template(struct view in, struct provisioning_template *out);
MUST_USE enum err codec_get_cert_note(struct view in, struct cert_note *out);
MUST_USE enum err codec_get_refusal(struct view in, struct refusal *out);
MUST_USE enum err codec_get_successor(struct view in, struct certid *out);

MUST_USE enum err codec_get_policy(struct view in, struct policy_record *out);
MUST_USE enum err codec_get_policy_version(struct view in, struct policy_version *out);
MUST_USE enum err codec_get_thing(struct view in, struct thing *out);

MUST_USE enum err codec_get_ca(struct view in, struct ca *out);
MUST_USE enum err codec_get_cert(struct view in, struct cert *out);
MUST_USE enum err codec_get_ca_document(struct view in, struct ca_document *out);
MUST_USE enum err codec_get_cert_document(struct view in, struct cert_document *out);
MUST_USE enum err codec_get_message(struct view in, struct view *topic, struct view *payload);

#endif
