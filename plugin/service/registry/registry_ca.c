/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_ca.c - see registry.h: the registration code and CA certificates. */
#include <string.h>

#include "jitr/service/registry.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"
#include "jitr/service/revocation.h"

enum err
registry_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE])
{
	uint8_t random[(REGISTRATION_CODE_SIZE - 1) / 2];
	enum err e = store_get_registration_code(t, code);

	if (e != ERR_NOT_FOUND)
		return e;
	e = random_fill(random, sizeof(random));
	if (e != ERR_OK)
		return e;
	hex_encode((struct view){ random, sizeof(random) }, code);
	store_put_registration_code(t, code);
	return t->failed;
}

enum err
registry_delete_registration_code(struct txn *t, struct diag *diag)
{
	char code[REGISTRATION_CODE_SIZE];
	enum err e = store_get_registration_code(t, code);

	store_use_reserve(t);
	if (e == ERR_NOT_FOUND)
		diag_set(diag, "There is no registration code");
	if (e != ERR_OK)
		return e;
	store_delete_registration_code(t);
	return t->failed;
}

/* The comparison is exact (aws-iot C).  If no code was ever made, no proof is valid. */
static enum err
check_proof(struct txn *t, const char *common_name, struct diag *diag)
{
	char code[REGISTRATION_CODE_SIZE];
	enum err e = store_get_registration_code(t, code);

	if (e == ERR_OK && strcmp(code, common_name) == 0)
		return ERR_OK;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	diag_set(diag,
	    "The common name of the verification certificate is not the current "
	    "registration code: ask for it with getRegistrationCode");
	return ERR_PROOF;
}

static enum err
check_same_subject(struct txn *t, uint32_t subject_hash, struct diag *diag)
{
	struct ca other;
	enum err e = store_find_issuer(t, subject_hash, CA_SAME_SUBJECT_MAX - 1, &other);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	diag_set(diag, "Limit reached for number of CA Certificates with same subject");
	return ERR_LIMIT;
}

/*
 * Settings.
 */

static void
apply_settings(struct ca_settings *s, const struct ca_settings_update *u)
{
	if (u->crl_check != NULL) {
		s->crl_check = *u->crl_check;
		s->crl_grace_days = u->crl_grace_days;
	}
	if (u->crl_file != NULL)
		s->crl_file = *u->crl_file;
	if (u->activation != NULL) {
		s->activation = *u->activation;
		s->activation_form = u->activation_form;
		s->supersedes = u->supersedes;
		s->supersede_after = u->supersede_after;
	}
	if (u->template_name != NULL)
		s->template_name = *u->template_name;
}

static bool
sets_nothing(const struct ca_settings_update *u)
{
	return u->crl_check == NULL && u->crl_file == NULL && u->activation == NULL &&
	    u->template_name == NULL;
}

static enum err
check_template(struct txn *t, struct view name, struct diag *diag)
{
	struct provisioning_template template;
	enum err e = name.len > 0 ? store_get_template(t, name, &template) : ERR_OK;

	if (e == ERR_NOT_FOUND)
		diag_set(diag, "There is no provisioning template %.*s", NAME_ARGS(name));
	return e;
}

/* A certificate is activated by either a rule or a template, not by both. */
static enum err
check_settings(struct txn *t, const struct ca_document *document, const struct ca_settings *s,
    struct diag *diag)
{
	if (s->activation.len > 0 &&
	    (document->template_body.len > 0 || s->template_name.len > 0)) {
		diag_set(diag,
		    "activation and registrationConfig exclude each other: activation none "
		    "removes the rule, removeAutoRegistration the template");
		return ERR_REQUEST;
	}
	return check_template(t, s->template_name, diag);
}

/* The settings are read again: views that were read before became invalid with the first
 * change. */
static enum err
put_settings(struct txn *t, const struct certid *id, const struct ca_settings_update *u,
    bool no_template)
{
	struct ca_settings settings;
	enum err e = revocation_settings(t, id, &settings);

	if (e != ERR_OK)
		return store_fail(t, e);
	apply_settings(&settings, u);
	if (no_template)
		settings.template_name = (struct view){ NULL, 0 };
	if (!sets_nothing(u) || no_template)
		store_put_ca_settings(t, id, &settings);
	return t->failed;
}

static enum err
check_new_settings(struct txn *t, const struct ca_document *document,
    const struct ca_settings_update *u, struct diag *diag)
{
	struct ca_settings settings = CA_SETTINGS_DEFAULT;

	apply_settings(&settings, u);
	return check_settings(t, document, &settings, diag);
}

enum err
registry_add_ca(struct txn *t, const struct ca_registration *r, int64_t now, struct diag *diag)
{
	struct ca *ca = r->ca, existing;
	enum err e = r->proof != NULL ? check_proof(t, r->proof, diag) : ERR_OK;

	if (e != ERR_OK)
		return e;
	e = store_get_ca(t, &ca->id, &existing);
	if (e == ERR_OK) {
		diag_set(diag, "The CA certificate is already registered");
		return ERR_EXISTS;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = check_same_subject(t, ca->subject_hash, diag);
	if (e == ERR_OK)
		e = check_new_settings(t, r->document, r->settings, diag);
	if (e == ERR_OK)
		e = random_fill(&ca->generation, sizeof(ca->generation));
	if (e != ERR_OK)
		return e;
	ca->created = ca->modified = now;
	ca->version = 1;
	store_put_ca(t, ca, r->document);
	return put_settings(t, &ca->id, r->settings, false);
}

static enum err
get_ca(struct txn *t, const struct certid *id, struct ca *ca, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	enum err e = store_get_ca(t, id, ca);

	if (e == ERR_NOT_FOUND) {
		certid_to_hex(id, hex);
		diag_set(diag, "CA certificate not found (id: %s)", hex);
	}
	return e;
}

/* removeAutoRegistration removes the template and, unless the same command enables it,
 * switches auto-registration off (aws-iot A.2.3). */
static void
apply_update(struct ca *ca, struct ca_document *document, const struct ca_update *u)
{
	if (u->status != NULL)
		ca->status = *u->status;
	if (u->remove_auto_registration) {
		document->template_body = document->role_arn = (struct view){ NULL, 0 };
		document->template_form = (struct view){ NULL, 0 };
		ca->auto_registration = false;
	}
	if (u->auto_registration != NULL)
		ca->auto_registration = *u->auto_registration;
	if (u->template_body != NULL) {
		document->template_body = *u->template_body;
		document->template_form = u->template_form;
		document->role_arn = *u->role_arn;
	}
}

static bool
changes_nothing(const struct ca_update *u)
{
	return u->status == NULL && u->auto_registration == NULL && u->template_body == NULL &&
	    !u->remove_auto_registration && sets_nothing(&u->settings);
}

static enum err
check_update(struct txn *t, const struct certid *id, const struct ca_document *document,
    const struct ca_update *u, struct diag *diag)
{
	struct ca_settings settings;
	enum err e = revocation_settings(t, id, &settings);

	if (e != ERR_OK)
		return e;
	if (u->remove_auto_registration)
		settings.template_name.len = 0;
	apply_settings(&settings, &u->settings);
	return check_settings(t, document, &settings, diag);
}

/* Such an update may use the reserved space: it registers fewer devices and needs no more
 * room. */
static bool
only_removes(const struct ca_update *u)
{
	bool adds = (u->status != NULL && *u->status == CA_ACTIVE) ||
	    (u->auto_registration != NULL && *u->auto_registration) || u->template_body != NULL ||
	    u->role_arn != NULL || u->settings.crl_check != NULL || u->settings.crl_file != NULL ||
	    u->settings.activation != NULL || u->settings.template_name != NULL;

	return !adds;
}

enum err
registry_update_ca(struct txn *t, const struct certid *id, const struct ca_update *update,
    int64_t now, struct diag *diag)
{
	struct ca_document document;
	struct ca ca;
	enum err e = get_ca(t, id, &ca, diag);

	if (only_removes(update))
		store_use_reserve(t);
	if (e == ERR_OK)
		e = store_get_ca_document(t, id, &document);
	if (e != ERR_OK || changes_nothing(update))
		return e;
	apply_update(&ca, &document, update);
	e = check_update(t, id, &document, update, diag);
	if (e != ERR_OK)
		return e;
	ca.modified = now;
	ca.version++;
	store_put_ca(t, &ca, &document);
	return put_settings(t, id, &update->settings, update->remove_auto_registration);
}

enum err
registry_remove_ca(struct txn *t, const struct certid *id, struct diag *diag)
{
	struct ca ca;
	enum err e = get_ca(t, id, &ca, diag);

	store_use_reserve(t);
	if (e != ERR_OK)
		return e;
	if (ca.status == CA_ACTIVE) {
		diag_set(diag, "CA certificate must be deactivated (not ACTIVE) before deletion");
		return ERR_WRONG_STATE;
	}
	store_delete_ca(t, id);
	return t->failed;
}
