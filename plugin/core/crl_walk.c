/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_walk.c - see crl_walk.h. */
#include <string.h>

#include "jitr/core/crl_walk.h"

/* The bytes between begin and rest. */
static struct view
passed(struct view begin, struct view rest)
{
	return (struct view){ begin.data, begin.len - rest.len };
}

static bool
skip(struct view *rest, uint8_t tag)
{
	struct der value;

	return der_take(rest, tag, &value);
}

static bool
skip_time(struct view *rest)
{
	return skip(rest, DER_UTC_TIME) || skip(rest, DER_GENERALIZED_TIME);
}

/* version, signature, issuer, thisUpdate, nextUpdate; the first and the last are
 * optional (RFC 5280 5.1.2). */
static bool
take_head(struct view *rest, struct view *head)
{
	struct view begin = *rest;

	(void)skip(rest, DER_INTEGER);
	if (!skip(rest, DER_SEQUENCE)) /* signature */
		return false;
	if (!skip(rest, DER_SEQUENCE) || !skip_time(rest)) /* issuer, thisUpdate */
		return false;
	(void)skip_time(rest);
	*head = passed(begin, *rest);
	return true;
}

/* revokedCertificates must be absent if there are no entries (RFC 5280 5.1.2.6), but
 * some CAs write an empty one. */
static bool
split_tbs(struct view content, struct crl_parts *out)
{
	struct der entries;

	if (!take_head(&content, &out->head))
		return false;
	if (der_take(&content, DER_SEQUENCE, &entries))
		out->entries = entries.content;
	out->tail = content;
	return content.len == 0 || (skip(&content, DER_CONTEXT_0) && content.len == 0);
}

/* A signature of any supported algorithm consists of whole bytes: no unused bits. */
static bool
is_signature(struct view rest)
{
	struct der value;

	return skip(&rest, DER_SEQUENCE) && der_take(&rest, DER_BIT_STRING, &value) &&
	    rest.len == 0 && value.content.len > 1 && value.content.data[0] == 0;
}

bool
crl_split(struct view der, struct crl_parts *out)
{
	struct der list, tbs;

	memset(out, 0, sizeof(*out));
	if (!der_take(&der, DER_SEQUENCE, &list) || der.len > 0 ||
	    !der_take(&list.content, DER_SEQUENCE, &tbs))
		return false;
	out->tbs = tbs.whole;
	out->signature = list.content;
	return split_tbs(tbs.content, out) && is_signature(out->signature);
}

/* X.690 11.1.  DER omits a FALSE, which is the default, but some CAs write it. */
static bool
take_critical(struct view *rest, bool *critical)
{
	struct der value;

	*critical = false;
	if (!der_take(rest, DER_BOOLEAN, &value))
		return true;
	*critical = value.content.len == 1 && value.content.data[0] == 0xff;
	return value.content.len == 1 && (*critical || value.content.data[0] == 0);
}

/* X.690 8.19.2: each number in as few bytes as possible; the last byte of each has bit
 * 8 clear. */
static bool
is_oid(struct view content)
{
	bool begins = true;

	for (size_t i = 0; i < content.len; i++) {
		if (begins && content.data[i] == 0x80)
			return false;
		begins = content.data[i] < 0x80;
	}
	return begins && content.len > 0;
}

struct extension {
	struct view oid, value;
	bool critical;
};

static bool
take_extension(struct view *rest, struct extension *out)
{
	struct der whole, oid, value;

	if (!der_take(rest, DER_SEQUENCE, &whole) || !der_take(&whole.content, DER_OID, &oid) ||
	    !take_critical(&whole.content, &out->critical) ||
	    !der_take(&whole.content, DER_OCTET_STRING, &value))
		return false;
	out->oid = oid.content;
	out->value = value.content;
	return whole.content.len == 0 && is_oid(out->oid);
}

#define NUMBER_NOT_USED 7 /* RFC 5280 5.3.1 */
#define REMOVE_FROM_CRL 8

/* An undefined reason code does not make the certificate less revoked. */
static enum crl_step
read_reason(struct view extension, uint8_t *reason)
{
	struct der value;

	if (!der_take(&extension, DER_ENUMERATED, &value) || extension.len > 0 ||
	    !der_is_shortest(value.content))
		return CRL_STEP_BROKEN;
	*reason = value.content.len == 1 ? value.content.data[0] : UINT8_MAX;
	if (*reason == REMOVE_FROM_CRL)
		return CRL_STEP_DELTA;
	if (*reason == NUMBER_NOT_USED || *reason > REVOKED_REASON_MAX)
		*reason = REVOKED_UNSPECIFIED;
	return CRL_STEP_ENTRY;
}

/* id-ce (RFC 5280 appendix A.2): 2.5.29.last */
static bool
is_standard(const struct extension *e, uint8_t last)
{
	const uint8_t oid[] = { 0x55, 0x1d, last };

	return view_equal(e->oid, (struct view){ oid, sizeof(oid) });
}

#define REASON_CODE        21
#define CERTIFICATE_ISSUER 29

/* Unknown extensions that are not critical may be ignored (RFC 5280 5.3). */
static enum crl_step
read_extension(const struct extension *e, bool *has_reason, struct revoked *out)
{
	if (is_standard(e, CERTIFICATE_ISSUER))
		return CRL_STEP_INDIRECT;
	if (!is_standard(e, REASON_CODE))
		return e->critical ? CRL_STEP_UNKNOWN : CRL_STEP_ENTRY;
	if (*has_reason)
		return CRL_STEP_BROKEN;
	*has_reason = true;
	return read_reason(e->value, &out->reason);
}

static enum crl_step
read_extensions(struct view rest, struct revoked *out)
{
	struct der list;
	struct extension extension;
	enum crl_step step = CRL_STEP_ENTRY;
	bool has_reason = false;

	if (!der_take(&rest, DER_SEQUENCE, &list) || rest.len > 0)
		return CRL_STEP_BROKEN;
	while (list.content.len > 0 && step == CRL_STEP_ENTRY) {
		if (!take_extension(&list.content, &extension))
			return CRL_STEP_BROKEN;
		step = read_extension(&extension, &has_reason, out);
	}
	return step;
}

enum crl_step
crl_next(struct view *rest, struct view *serial, struct revoked *out)
{
	struct der entry, number, date;

	memset(out, 0, sizeof(*out));
	*serial = (struct view){ 0 };
	if (rest->len == 0)
		return CRL_STEP_END;
	if (!der_take(rest, DER_SEQUENCE, &entry) ||
	    !der_take(&entry.content, DER_INTEGER, &number))
		return CRL_STEP_BROKEN;
	if (number.content.len > SERIAL_MAX || !der_is_shortest(number.content))
		return CRL_STEP_BROKEN;
	if (!der_next(&entry.content, &date) || !der_time(&date, &out->date))
		return CRL_STEP_BROKEN;
	*serial = number.content;
	return entry.content.len == 0 ? CRL_STEP_ENTRY : read_extensions(entry.content, out);
}
