/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config.h - the plugin_opt_ options, parsed and checked (contract, section 5).
 *
 * The first option that is unknown, given twice or has a bad value is an error; *diag names it
 * and its valid values.
 */
#ifndef JITR_CONFIG_H
#define JITR_CONFIG_H

#include "jitr/core/access.h"
#include "jitr/core/options.h"

struct option {
	const char *name, *value;
};

/* An option that an earlier release named otherwise. */
struct option_rename {
	const char *old_name, *name;
};

#define OPTION_RENAMES 1

struct config {
	char *db_path;
	int64_t db_map_size_mb;
	char *ca_path;
	char *crl_dir; /* crl_dir.h */
	enum trust_store trust_store;
	char account_id[13];
	char region[64];
	char *endpoint_address; /* NULL: the machine's host name */
	char **admin_users;
	size_t admin_user_count;
	struct certid *admin_certificates;
	size_t admin_certificate_count;
	enum authorization authorization;
	enum other_clients other_clients;
	bool deny_publish_disconnects;
	bool deny_subscribe_disconnects;
	bool client_id_as_is; /* facts.h */
	bool unknown_ca_defer;
	bool first_connection_accept; /* of a certificate that a template activates */
	bool event_details;
	bool lifecycle_events;
	int64_t expiring_days; /* 0: off */
	enum shared_certificate shared_certificate;
	int64_t announce_interval;                           /* seconds */
	int64_t metrics_interval;                            /* seconds; 0: off */
	char *log_file;                                      /* NULL: none */
	char *health_file;                                   /* NULL: none */
	const struct option_rename *renames[OPTION_RENAMES]; /* given by the old name; NULL: not */
};

MUST_USE enum err config_parse(const struct option *options, size_t count, struct config *out,
    struct diag *diag);
void config_free(struct config *c); /* may be zeroed; may be freed twice */

/* The name of the nth option; NULL after the last one.  The tests compare the names with the
 * documents. */
const char *config_option_name(size_t nth);

#endif
