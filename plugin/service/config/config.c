/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* config.c - see config.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/service/config.h"

#include "config_value.h"

#define LIST_MAX 256 /* names in one option */

/* 16 GiB of address space; 1 GiB where pointers have 32 bits. */
#define MAP_SIZE_MB (sizeof(void *) > 4 ? 16384 : 1024)
#define MAP_MAX_MB  (sizeof(void *) > 4 ? 1048576 : 2047)

/* One setter per option: false and *diag if the value is not valid. */
typedef bool config_setter(struct config *c, const char *value, struct diag *diag);

static bool
set_db_path(struct config *c, const char *value, struct diag *diag)
{
	return value_text(&c->db_path, value, diag);
}

static bool
set_db_map_size(struct config *c, const char *value, struct diag *diag)
{
	return value_number(&c->db_map_size_mb, value, 1, MAP_MAX_MB, diag);
}

static bool
set_ca_path(struct config *c, const char *value, struct diag *diag)
{
	return value_text(&c->ca_path, value, diag);
}

static bool
set_endpoint_address(struct config *c, const char *value, struct diag *diag)
{
	size_t len = strlen(value);

	if (len == 0 || len > 253 ||
	    strspn(value,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-.:[]") != len)
		return value_refuse(diag, value,
		    "a host name or an address: 1 to 253 letters, digits, "
		    "hyphens, dots, colons and brackets");
	c->endpoint_address = strdup(value);
	return c->endpoint_address != NULL ||
	    value_refuse(diag, value, "stored, but there is no memory");
}

static bool
set_crl_dir(struct config *c, const char *value, struct diag *diag)
{
	if (value[0] != '/')
		return value_refuse(diag, value, "an absolute path");
	return value_text(&c->crl_dir, value, diag);
}

static bool
set_trust_store(struct config *c, const char *value, struct diag *diag)
{
	static const char *const words[] = {
		[TRUST_STORE_CAPATH] = "capath",
		[TRUST_STORE_LIVE] = "live",
		[TRUST_STORE_LIVE_AND_CAFILE] = "live-and-cafile",
	};
	size_t which;

	if (!value_word(&which, value, words, diag))
		return false;
	c->trust_store = (enum trust_store)which;
	return true;
}

static bool
set_account_id(struct config *c, const char *value, struct diag *diag)
{
	if (strlen(value) != 12 || strspn(value, "0123456789") != 12)
		return value_refuse(diag, value, "12 digits");
	(void)snprintf(c->account_id, sizeof(c->account_id), "%s", value);
	return true;
}

static bool
set_region(struct config *c, const char *value, struct diag *diag)
{
	size_t len = strlen(value);

	if (len == 0 || len >= sizeof(c->region) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return value_refuse(diag, value, "1 to 63 lower-case letters, digits and hyphens");
	(void)snprintf(c->region, sizeof(c->region), "%s", value);
	return true;
}

static bool
set_admin_users(struct config *c, const char *value, struct diag *diag)
{
	struct certid id;
	struct view name;
	const char *list = value;

	c->admin_users = calloc(LIST_MAX, sizeof(char *));
	while (c->admin_users != NULL && value_next_name(&list, &name)) {
		char **user = &c->admin_users[c->admin_user_count];

		if (name.len == 0 || c->admin_user_count == LIST_MAX)
			return value_refuse(diag, value,
			    "user names separated by commas, at most 256");
		if (certid_from_hex(&id, name))
			return value_refuse(diag, value,
			    "user names; certificateIds belong in admin_certificates");
		*user = strndup((const char *)name.data, name.len);
		if (*user == NULL)
			break;
		c->admin_user_count++;
	}
	return list == NULL || value_refuse(diag, value, "stored, but there is no memory");
}

static bool
set_admin_certificates(struct config *c, const char *value, struct diag *diag)
{
	struct view hex;
	const char *list = value;

	c->admin_certificates = calloc(LIST_MAX, sizeof(*c->admin_certificates));
	if (c->admin_certificates == NULL)
		return value_refuse(diag, value, "stored, but there is no memory");
	while (value_next_name(&list, &hex)) {
		if (c->admin_certificate_count == LIST_MAX ||
		    !certid_from_hex(&c->admin_certificates[c->admin_certificate_count], hex))
			return value_refuse(diag, value,
			    "certificateIds of 64 hexadecimal digits separated by commas, at most 256");
		c->admin_certificate_count++;
	}
	return true;
}

static bool
set_authorization(struct config *c, const char *value, struct diag *diag)
{
	static const char *const words[] = {
		[AUTHORIZATION_POLICY] = "policy",
		[AUTHORIZATION_DEFER] = "defer",
		[AUTHORIZATION_ALLOW] = "allow",
	};
	size_t which;

	if (!value_word(&which, value, words, diag))
		return false;
	c->authorization = (enum authorization)which;
	return true;
}

static bool
set_shared_certificate(struct config *c, const char *value, struct diag *diag)
{
	static const char *const words[] = {
		[SHARED_ALLOW] = "allow",
		[SHARED_NEWEST] = "newest",
		[SHARED_OLDEST] = "oldest",
	};
	size_t which;

	if (!value_word(&which, value, words, diag))
		return false;
	c->shared_certificate = (enum shared_certificate)which;
	return true;
}

static bool
set_first_connection(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->first_connection_accept, value, "accept", "refuse", diag);
}

static bool
set_event_details(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->event_details, value, "true", "false", diag);
}

static bool
set_lifecycle_events(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->lifecycle_events, value, "true", "false", diag);
}

static bool
set_expiring_days(struct config *c, const char *value, struct diag *diag)
{
	return value_number(&c->expiring_days, value, 0, 3650, diag);
}

static bool
set_deny_publish(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->deny_publish_disconnects, value, "disconnect", "drop", diag);
}

static bool
set_deny_subscribe(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->deny_subscribe_disconnects, value, "disconnect", "suback", diag);
}

static bool
set_client_id_variable(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->client_id_as_is, value, "any", "plain", diag);
}

static bool
set_other_clients(struct config *c, const char *value, struct diag *diag)
{
	bool allow;

	if (!value_choice(&allow, value, "allow", "defer", diag))
		return false;
	c->other_clients = allow ? OTHER_CLIENTS_ALLOW : OTHER_CLIENTS_DEFER;
	return true;
}

static bool
set_unknown_ca(struct config *c, const char *value, struct diag *diag)
{
	return value_choice(&c->unknown_ca_defer, value, "defer", "deny", diag);
}

static bool
set_announce_interval(struct config *c, const char *value, struct diag *diag)
{
	return value_number(&c->announce_interval, value, 0, 86400, diag);
}

static bool
set_metrics_interval(struct config *c, const char *value, struct diag *diag)
{
	return value_number(&c->metrics_interval, value, 0, 86400, diag);
}

static bool
set_log_file(struct config *c, const char *value, struct diag *diag)
{
	return value_text(&c->log_file, value, diag);
}

static bool
set_health_file(struct config *c, const char *value, struct diag *diag)
{
	return value_text(&c->health_file, value, diag);
}

static const struct {
	const char *name;
	config_setter *set;
} option_table[] = {
	{ "db_path", set_db_path },
	{ "db_map_size_mb", set_db_map_size },
	{ "ca_path", set_ca_path },
	{ "crl_dir", set_crl_dir },
	{ "trust_store", set_trust_store },
	{ "account_id", set_account_id },
	{ "region", set_region },
	{ "endpoint_address", set_endpoint_address },
	{ "admin_users", set_admin_users },
	{ "admin_certificates", set_admin_certificates },
	{ "authorization", set_authorization },
	{ "deny_publish", set_deny_publish },
	{ "deny_subscribe", set_deny_subscribe },
	{ "client_id_variable", set_client_id_variable },
	{ "other_clients", set_other_clients },
	{ "unknown_ca", set_unknown_ca },
	{ "first_connection", set_first_connection },
	{ "shared_certificate", set_shared_certificate },
	{ "event_details", set_event_details },
	{ "lifecycle_events", set_lifecycle_events },
	{ "expiring_days", set_expiring_days },
	{ "announce_interval", set_announce_interval },
	{ "metrics_interval", set_metrics_interval },
	{ "log_file", set_log_file },
	{ "health_file", set_health_file },
};

const char *
config_option_name(size_t nth)
{
	return nth < COUNT_OF(option_table) ? option_table[nth].name : NULL;
}

/* The names of 0.1.  They are understood in this release, and the log says so. */
static const struct option_rename rename_table[OPTION_RENAMES] = {
	{ "clone_policy", "shared_certificate" },
};

/* The present name of an option. */
static const char *
present_name(struct config *c, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rename_table); i++) {
		if (strcmp(rename_table[i].old_name, name) == 0) {
			c->renames[i] = &rename_table[i];
			return rename_table[i].name;
		}
	}
	return name;
}

static bool
apply_option(struct config *c, const struct option *o, uint32_t *seen, struct diag *diag)
{
	const char *name = present_name(c, o->name);
	struct diag why = { "" };

	for (size_t i = 0; i < COUNT_OF(option_table); i++) {
		if (strcmp(option_table[i].name, name) != 0)
			continue;
		if (*seen & 1u << i) {
			diag_set(diag, "option %s is given twice", name);
			return false;
		}
		*seen |= 1u << i;
		if (option_table[i].set(c, o->value, &why))
			return true;
		diag_set(diag, "option %s: %s", o->name, why.text);
		return false;
	}
	diag_set(diag, "unknown option %.100s", o->name);
	return false;
}

/* A path below the registry, unless the option was given. */
static bool
default_below(const struct config *c, const char *name, char **path)
{
	size_t size = strlen(c->db_path) + strlen(name) + 2;

	if (*path != NULL)
		return true;
	*path = malloc(size);
	if (*path != NULL)
		(void)snprintf(*path, size, "%s/%s", c->db_path, name);
	return *path != NULL;
}

static bool
apply_defaults(struct config *c)
{
	if (c->db_path == NULL)
		c->db_path = strdup("/var/lib/mosquitto/jitr");
	return c->db_path != NULL && default_below(c, "ca", &c->ca_path) &&
	    default_below(c, "crl", &c->crl_dir);
}

enum err
config_parse(const struct option *options, size_t count, struct config *out, struct diag *diag)
{
	uint32_t seen = 0;

	*out = (struct config){ .db_map_size_mb = (int64_t)MAP_SIZE_MB,
		.account_id = "000000000000",
		.region = "local",
		.announce_interval = 1,
		.metrics_interval = 10 };
	for (size_t i = 0; i < count; i++) {
		if (!apply_option(out, &options[i], &seen, diag)) {
			config_free(out);
			return ERR_REQUEST;
		}
	}
	if (!apply_defaults(out)) {
		diag_set(diag, "out of memory");
		config_free(out);
		return ERR_NOMEM;
	}
	return ERR_OK;
}

void
config_free(struct config *c)
{
	for (size_t i = 0; i < c->admin_user_count; i++)
		free(c->admin_users[i]);
	free(c->admin_users);
	free(c->admin_certificates);
	free(c->db_path);
	free(c->ca_path);
	free(c->crl_dir);
	free(c->log_file);
	free(c->endpoint_address);
	free(c->health_file);
	memset(c, 0, sizeof(*c));
}
