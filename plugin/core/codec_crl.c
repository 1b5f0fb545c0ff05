/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* codec_crl.c - revocation lists and their entries; see codec.h. */
#include <string.h>

#include "codec_private.h"

#define FORMAT_CRL     1 /* without a scope */
#define FORMAT_CRL_2   2
#define FORMAT_REVOKED 1

/* List numbers start at 1.  A cRLNumber has no leading zero, except the number 0. */
static bool
crl_fits(const struct crl *crl)
{
	return crl->list >= 1 && (crl->number_len < 2 || crl->number[0] != 0) &&
	    (crl->scope == CRL_SCOPE_POINT) == (crl->point_len > 0) &&
	    (crl->scope != CRL_SCOPE_UNKNOWN || !crl->only_users);
}

static void
put_scope(struct sink *s, const struct crl *crl)
{
	if (crl->scope == CRL_SCOPE_UNKNOWN)
		return;
	put_one_of(s, crl->scope == CRL_SCOPE_POINT, 2);
	put_one_of(s, crl->only_users, 2);
	put_number(s, crl->point_len, 2);
	s->failed = s->failed || crl->point_len > CRL_POINT_MAX;
	put_bytes(s, crl->point, crl->point_len);
}

static void
get_scope(struct source *s, struct crl *out)
{
	out->scope = get_one_of(s, 2) == 1 ? CRL_SCOPE_POINT : CRL_SCOPE_ALL;
	out->only_users = get_one_of(s, 2) == 1;
	out->point_len = (uint16_t)get_number(s, 2);
	if (out->point_len > CRL_POINT_MAX)
		s->failed = true;
	else
		get_array(s, out->point, out->point_len);
}

size_t
codec_put_crl(const struct crl *crl, uint8_t out[CODEC_CRL_MAX])
{
	struct sink s = { .at = out, .left = CODEC_CRL_MAX };

	put_number(&s, crl->scope == CRL_SCOPE_UNKNOWN ? FORMAT_CRL : FORMAT_CRL_2, 1);
	put_number(&s, crl->list, 8);
	put_time(&s, crl->this_update);
	put_time(&s, crl->next_update);
	put_time(&s, crl->imported);
	put_number(&s, crl->count, 4);
	put_one_of(&s, crl->applied, 2);
	put_bytes(&s, crl->digest.b, sizeof(crl->digest.b));
	put_one_of(&s, crl->number_len, CRL_NUMBER_MAX + 1);
	put_bytes(&s, crl->number, crl->number_len);
	put_scope(&s, crl);
	return crl_fits(crl) ? put_end(&s) : 0;
}

enum err
codec_get_crl(struct view in, struct crl *out)
{
	struct source s = { .at = in.data, .left = in.len };
	uint64_t format;

	memset(out, 0, sizeof(*out));
	format = get_number(&s, 1);
	s.failed = format != FORMAT_CRL && format != FORMAT_CRL_2;
	out->list = get_number(&s, 8);
	out->this_update = get_time(&s);
	out->next_update = get_time(&s);
	out->imported = get_time(&s);
	out->count = (uint32_t)get_number(&s, 4);
	out->applied = get_one_of(&s, 2) == 1;
	get_array(&s, out->digest.b, sizeof(out->digest.b));
	out->number_len = (uint8_t)get_one_of(&s, CRL_NUMBER_MAX + 1);
	get_array(&s, out->number, out->number_len);
	if (format == FORMAT_CRL_2)
		get_scope(&s, out);
	if (get_end(&s) && crl_fits(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_put_revoked(const struct revoked *entry, uint8_t out[CODEC_REVOKED_MAX])
{
	struct sink s = { .at = out, .left = CODEC_REVOKED_MAX };

	put_number(&s, FORMAT_REVOKED, 1);
	put_time(&s, entry->date);
	put_one_of(&s, entry->reason, REVOKED_REASON_MAX + 1);
	return put_end(&s);
}

enum err
codec_get_revoked(struct view in, struct revoked *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_REVOKED);
	out->date = get_time(&s);
	out->reason = (uint8_t)get_one_of(&s, REVOKED_REASON_MAX + 1);
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}
