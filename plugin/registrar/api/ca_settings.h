/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_settings.h - settings of a CA in commands: its template (aws-iot E), its rule, and
 * its revocation list; the last two are not AWS's.  The registrar's thread.
 */
#ifndef JITR_CA_SETTINGS_H
#define JITR_CA_SETTINGS_H

#include "command.h"

/* registrationConfig; activation, crlCheck, crlFile */
void parse_registration_config(struct members *m, struct command *c);
void parse_ca_settings(struct members *m, struct command *c);

/* Rows of registerCACertificate and updateCACertificate. */
enum err content_of_ca(const struct command *c, struct content *out);
enum err prepare_ca(struct command *c);

/* Defaults where none are stored. */
MUST_USE enum err get_ca_settings(struct txn *t, const struct certid *id, struct ca_settings *out);

void add_registration_config(cJSON *data, const struct ca_document *document,
    const struct ca_settings *settings);
void add_crl_settings(cJSON *data, const struct ca_settings *s);

#endif
