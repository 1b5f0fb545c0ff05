/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_activation.c - CA settings, templates, certificate notes and refusals; see
 * codec.h.
 */
#include <assert.h>
#include <string.h>

#include "codec_private.h"

#define FORMAT_CERT_NOTE 1
#define FORMAT_REFUSAL   1
#define FORMAT_SUCCESSOR 1

/* A setting that depends on another one must be zero without it. */
static bool
settings_fit(const struct ca_settings *settings)
{
	if (settings->crl_check > CRL_IF_PRESENT || settings->crl_grace_days > CRL_GRACE_DAYS_MAX ||
	    (settings->crl_grace_days != 0 && settings->crl_check != CRL_GRACE))
		return false;
	if (settings->supersede_after < 0 ||
	    (settings->supersede_after != 0 && !settings->supersedes))
		return false;
	return settings->template_name.len <= TEMPLATE_NAME_MAX;
}

size_t
codec_ca_settings_size(const struct ca_settings *settings)
{
	assert(settings->crl_file.len <= UINT32_MAX && settings->activation.len <= UINT32_MAX);
	if (!settings_fit(settings))
		return 0;
	return 1 + 1 + 2 + 1 + 8 + LENGTH_SIZE + settings->crl_file.len + LENGTH_SIZE +
	    settings->activation.len + 1 + settings->template_name.len +
	    form_field_size(settings->activation_form);
}

void
codec_put_ca_settings(const struct ca_settings *settings, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_ca_settings_size(settings) };

	put_format_of(&s, settings->activation_form);
	put_one_of(&s, settings->crl_check, CRL_IF_PRESENT + 1);
	put_number(&s, settings->crl_grace_days, 2);
	put_one_of(&s, settings->supersedes, 2);
	put_time(&s, settings->supersede_after);
	put_text(&s, settings->crl_file);
	put_text(&s, settings->activation);
	put_name(&s, settings->template_name);
	put_form(&s, settings->activation_form);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_ca_settings(struct view in, struct ca_settings *out)
{
	struct source s = { .at = in.data, .left = in.len };
	bool has_form;

	memset(out, 0, sizeof(*out));
	has_form = get_format_of(&s);
	out->crl_check = (enum crl_check)get_one_of(&s, CRL_IF_PRESENT + 1);
	out->crl_grace_days = (uint32_t)get_number(&s, 2);
	out->supersedes = get_one_of(&s, 2) == 1;
	out->supersede_after = get_time(&s);
	out->crl_file = get_text(&s);
	out->activation = get_text(&s);
	out->template_name = get_view(&s, get_one_of(&s, TEMPLATE_NAME_MAX + 1));
	out->activation_form = get_form(&s, has_form);
	if (get_end(&s) && settings_fit(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

/* A UTF-8 character has at most four bytes (RFC 3629 section 3). */
static bool
template_fits(const struct provisioning_template *made)
{
	return made->created >= 0 && made->body.len <= (size_t)4 * TEMPLATE_BODY_MAX;
}

size_t
codec_template_size(const struct provisioning_template *made)
{
	assert(made->description.len <= UINT32_MAX && made->role_arn.len <= UINT32_MAX);
	if (!template_fits(made))
		return 0;
	return 1 + 1 + 8 + 8 + sizeof(made->generation.b) + LENGTH_SIZE + made->description.len +
	    LENGTH_SIZE + made->role_arn.len + LENGTH_SIZE + made->body.len +
	    form_field_size(made->form);
}

void
codec_put_template(const struct provisioning_template *made, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_template_size(made) };

	put_format_of(&s, made->form);
	put_one_of(&s, made->enabled, 2);
	put_created(&s, made->created);
	put_time(&s, made->modified);
	put_bytes(&s, made->generation.b, sizeof(made->generation.b));
	put_text(&s, made->description);
	put_text(&s, made->role_arn);
	put_text(&s, made->body);
	put_form(&s, made->form);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_template(struct view in, struct provisioning_template *out)
{
	struct source s = { .at = in.data, .left = in.len };
	bool has_form;

	memset(out, 0, sizeof(*out));
	has_form = get_format_of(&s);
	out->enabled = get_one_of(&s, 2) == 1;
	out->created = get_created(&s);
	out->modified = get_time(&s);
	get_array(&s, out->generation.b, sizeof(out->generation.b));
	out->description = get_text(&s);
	out->role_arn = get_text(&s);
	out->body = get_text(&s);
	out->form = get_form(&s, has_form);
	if (get_end(&s) && template_fits(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_put_cert_note(const struct cert_note *note, uint8_t out[CODEC_CERT_NOTE_MAX])
{
	struct sink s = { .at = out, .left = CODEC_CERT_NOTE_MAX };

	put_number(&s, FORMAT_CERT_NOTE, 1);
	put_time(&s, note->time);
	put_one_of(&s, note->superseded, 2);
	if (note->superseded)
		put_bytes(&s, note->successor.b, sizeof(note->successor.b));
	put_text(&s, note->text);
	return note->text.len <= NOTE_TEXT_MAX ? put_end(&s) : 0;
}

enum err
codec_get_cert_note(struct view in, struct cert_note *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_CERT_NOTE);
	out->time = get_time(&s);
	out->superseded = get_one_of(&s, 2) == 1;
	if (out->superseded)
		get_array(&s, out->successor.b, sizeof(out->successor.b));
	out->text = get_text(&s);
	if (get_end(&s) && out->text.len <= NOTE_TEXT_MAX)
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

static bool
refusal_fits(const struct refusal *refusal)
{
	return refusal->code.len <= REFUSAL_TEXT_MAX && refusal->details.len <= REFUSAL_TEXT_MAX &&
	    refusal->client_id.len <= REFUSAL_TEXT_MAX && refusal->address.len <= REFUSAL_TEXT_MAX;
}

size_t
codec_put_refusal(const struct refusal *refusal, uint8_t out[CODEC_REFUSAL_MAX])
{
	struct sink s = { .at = out, .left = CODEC_REFUSAL_MAX };

	put_number(&s, FORMAT_REFUSAL, 1);
	put_time(&s, refusal->time);
	put_text(&s, refusal->code);
	put_text(&s, refusal->details);
	put_text(&s, refusal->client_id);
	put_text(&s, refusal->address);
	return refusal_fits(refusal) ? put_end(&s) : 0;
}

enum err
codec_get_refusal(struct view in, struct refusal *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_REFUSAL);
	out->time = get_time(&s);
	out->code = get_text(&s);
	out->details = get_text(&s);
	out->client_id = get_text(&s);
	out->address = get_text(&s);
	if (get_end(&s) && refusal_fits(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_put_successor(const struct certid *successor, uint8_t out[CODEC_SUCCESSOR_MAX])
{
	struct sink s = { .at = out, .left = CODEC_SUCCESSOR_MAX };

	put_number(&s, FORMAT_SUCCESSOR, 1);
	put_bytes(&s, successor->b, sizeof(successor->b));
	return put_end(&s);
}

enum err
codec_get_successor(struct view in, struct certid *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_SUCCESSOR);
	get_array(&s, out->b, sizeof(out->b));
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}
