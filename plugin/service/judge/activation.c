/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* activation.c - see activation.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/service/activation.h"
#include "jitr/service/revocation.h"

static void
forget(struct activation *a)
{
	rule_free(a->rule);
	template_free(a->template);
	memset(a, 0, sizeof(*a));
}

void
activations_clear(struct activations *a)
{
	for (size_t i = 0; i < ACTIVATIONS_MAX; i++)
		forget(&a->kept[i]);
}

/* The entry of this CA, or a free one, or the longest unused. */
static struct activation *
place_of(struct activations *a, const struct certid *ca_id)
{
	struct activation *oldest = &a->kept[0];

	for (size_t i = 0; i < ACTIVATIONS_MAX; i++) {
		if (a->kept[i].used != 0 && certid_equal(&a->kept[i].ca_id, ca_id))
			return &a->kept[i];
		if (a->kept[i].used < oldest->used)
			oldest = &a->kept[i];
	}
	return oldest;
}

/* The body of the CA's template, given by value or by name; empty: it has none. */
static enum err
find_template(struct txn *t, const struct ca *ca, const struct ca_settings *settings,
    struct view *body, struct activation *a)
{
	struct provisioning_template template;
	struct ca_document document;
	enum err e;

	*body = (struct view){ NULL, 0 };
	if (settings->template_name.len == 0) {
		e = store_get_ca_document(t, &ca->id, &document);
		if (e == ERR_OK)
			*body = document.template_body;
		return e;
	}
	(void)snprintf(a->template_name, sizeof(a->template_name), "%.*s",
	    (int)settings->template_name.len, (const char *)settings->template_name.data);
	e = store_get_template(t, settings->template_name, &template);
	if (e != ERR_OK || !template.enabled) {
		diag_set(&a->broken, "its provisioning template %s is %s", a->template_name,
		    e == ERR_OK ? "not enabled" : "not there");
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	a->template_generation = template.generation;
	*body = template.body;
	return ERR_OK;
}

/* A failure to compile is cached too, with its reason. */
static enum err
compile(struct activations *all, struct txn *t, const struct ca *ca, struct activation *a)
{
	struct ca_settings settings;
	struct view body;
	enum err e = revocation_settings(t, &ca->id, &settings);

	if (e != ERR_OK)
		return e;
	if (settings.activation.len > 0) {
		e = rule_compile(settings.activation, &a->rule, &a->broken);
		return e == ERR_REQUEST ? ERR_OK : e;
	}
	e = find_template(t, ca, &settings, &body, a);
	a->by_template = body.len > 0 || settings.template_name.len > 0;
	if (e == ERR_OK && body.len > 0)
		e = template_compile(body, &all->scope, &a->template, &a->broken);
	return e == ERR_REQUEST ? ERR_OK : e;
}

static bool
is_fresh(struct txn *t, const struct activation *a, const struct ca *ca)
{
	struct ca_revision ca_revision = ca_revision_of(ca);
	struct ca_settings settings;
	struct provisioning_template template;

	if (a->used == 0 || !certid_equal(&a->ca_id, &ca->id) ||
	    a->ca_revision.version != ca_revision.version ||
	    !generation_equal(&a->ca_revision.generation, &ca_revision.generation))
		return false;
	if (!a->by_template || revocation_settings(t, &ca->id, &settings) != ERR_OK)
		return !a->by_template;
	if (settings.template_name.len == 0)
		return true;
	return store_get_template(t, settings.template_name, &template) == ERR_OK &&
	    template.enabled && generation_equal(&template.generation, &a->template_generation);
}

enum err
activation_get(struct activations *all, struct txn *t, const struct ca *ca, struct activation **out)
{
	struct activation *a = place_of(all, &ca->id);
	enum err e;

	*out = a;
	if (is_fresh(t, a, ca)) {
		a->used = ++all->clock;
		return ERR_OK;
	}
	forget(a);
	e = compile(all, t, ca, a);
	if (e != ERR_OK) {
		forget(a);
		return e;
	}
	a->ca_id = ca->id;
	a->ca_revision = ca_revision_of(ca);
	a->used = ++all->clock;
	return ERR_OK;
}

bool
activation_is_empty(const struct activation *a)
{
	return a->rule == NULL && a->template == NULL && a->broken.text[0] == '\0';
}

enum err
activation_exists(struct activations *all, struct txn *t, const struct ca *ca, bool *exists)
{
	struct activation *a;
	enum err e = activation_get(all, t, ca, &a);

	*exists = e == ERR_OK && !activation_is_empty(a);
	return e;
}
