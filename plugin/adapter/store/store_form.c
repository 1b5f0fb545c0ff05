/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_form.c - compiles the documents of a registry that was made before there were
 * forms (codec_form.h), or when these had another version.
 *
 * One row at a time, so that the memory does not grow with the registry.  A damaged row
 * stays as it is.  The form of a document that does not compile has the reason.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

/* A row that is made again; the views point into the map and to the form. */
struct remade {
	struct view form;
	struct policy_version version;
	struct ca_settings settings;
	struct ca_document document;
	struct provisioning_template template;
};

/* A kind of rows with documents. */
struct document_rows {
	enum table table;
	enum form_kind kind;

	/* The document of a row, and where its form belongs.  False: the row is damaged. */
	bool (
	    *read)(struct view row, struct remade *out, struct view *document, struct view **form);
	size_t (*size)(const struct remade *r);
	void (*put)(const struct remade *r, uint8_t *out);
};

static bool
read_version(struct view row, struct remade *out, struct view *document, struct view **form)
{
	bool ok = codec_get_policy_version(row, &out->version) == ERR_OK;

	*document = out->version.document;
	*form = &out->version.form;
	return ok;
}

static size_t
version_size(const struct remade *r)
{
	return codec_policy_version_size(&r->version);
}

static void
put_version(const struct remade *r, uint8_t *out)
{
	codec_put_policy_version(&r->version, out);
}

static bool
read_settings(struct view row, struct remade *out, struct view *document, struct view **form)
{
	bool ok = codec_get_ca_settings(row, &out->settings) == ERR_OK;

	*document = out->settings.activation;
	*form = &out->settings.activation_form;
	return ok;
}

static size_t
settings_size(const struct remade *r)
{
	return codec_ca_settings_size(&r->settings);
}

static void
put_settings(const struct remade *r, uint8_t *out)
{
	codec_put_ca_settings(&r->settings, out);
}

static bool
read_document(struct view row, struct remade *out, struct view *document, struct view **form)
{
	bool ok = codec_get_ca_document(row, &out->document) == ERR_OK;

	*document = out->document.template_body;
	*form = &out->document.template_form;
	return ok;
}

static size_t
document_size(const struct remade *r)
{
	return codec_ca_document_size(&r->document);
}

static void
put_document(const struct remade *r, uint8_t *out)
{
	codec_put_ca_document(&r->document, out);
}

static bool
read_template(struct view row, struct remade *out, struct view *document, struct view **form)
{
	bool ok = codec_get_template(row, &out->template) == ERR_OK;

	*document = out->template.body;
	*form = &out->template.form;
	return ok;
}

static size_t
template_size(const struct remade *r)
{
	return codec_template_size(&r->template);
}

static void
put_template(const struct remade *r, uint8_t *out)
{
	codec_put_template(&r->template, out);
}

static const struct document_rows all[] = {
	{ TABLE_POLICY_VERSION, FORM_POLICY, read_version, version_size, put_version },
	{ TABLE_CA_SETTINGS, FORM_RULE, read_settings, settings_size, put_settings },
	{ TABLE_CA_DOCUMENT, FORM_TEMPLATE, read_document, document_size, put_document },
	{ TABLE_TEMPLATE, FORM_TEMPLATE, read_template, template_size, put_template },
};

static void
replace_row(struct txn *t, const struct document_rows *rows, struct view key,
    const struct remade *r)
{
	size_t size = rows->size(r);
	uint8_t *row = row_allocate(t, size, "a record with a compiled form");

	if (row == NULL)
		return;
	rows->put(r, row);
	table_put(t, rows->table, key, (struct view){ row, size });
	free(row);
}

static bool
is_current(struct view form)
{
	return form.len > 0 && form.data[0] == FORM_VERSION;
}

/* key: a copy, because the map changes. */
static void
remake(struct txn *t, const struct document_rows *rows, struct view key, struct view row)
{
	struct remade r = { .form = { NULL, 0 } };
	struct view document, *form;
	enum err e;

	if (!rows->read(row, &r, &document, &form) || document.len == 0 || is_current(*form))
		return;
	e = t->store->make_form(rows->kind, document, &r.form);
	if (e != ERR_OK) {
		txn_fail(t, e, "a stored document cannot be compiled");
		return;
	}
	*form = r.form;
	replace_row(t, rows, key, &r);
	free((void *)(uintptr_t)r.form.data);
}

/* The key is in the table: a row was replaced, not added. */
static int
step_behind(MDB_cursor *cursor, struct view at, MDB_val *key, MDB_val *value)
{
	int rc;

	*key = val_of(at);
	rc = mdb_cursor_get(cursor, key, value, MDB_SET);
	return rc == 0 ? mdb_cursor_get(cursor, key, value, MDB_NEXT) : rc;
}

static int
remake_all(struct txn *t, const struct document_rows *rows, MDB_cursor *cursor)
{
	uint8_t at[KEY_MAX];
	MDB_val key, value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);

	while (rc == 0 && t->failed == ERR_OK) {
		struct view copy = { at, key.mv_size };

		if (key.mv_size > sizeof(at))
			return MDB_CORRUPTED;
		memcpy(at, key.mv_data, key.mv_size);
		remake(t, rows, copy, view_of_val(&value));
		rc = step_behind(cursor, copy, &key, &value);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
forms_add(struct txn *t)
{
	MDB_cursor *cursor;
	int rc = 0;

	for (size_t i = 0; t->store->make_form != NULL && rc == 0 && i < COUNT_OF(all); i++) {
		rc = table_cursor(t, all[i].table, &cursor);
		if (rc != 0)
			break;
		rc = remake_all(t, &all[i], cursor);
		mdb_cursor_close(cursor);
	}
	return rc;
}
