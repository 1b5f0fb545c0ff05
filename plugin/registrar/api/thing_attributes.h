/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * thing_attributes.h - names and attributes of things in commands (aws-iot A.6).
 *
 * Attributes are an object of strings in JSON, and packed as model.h says in the registry.
 * The registrar's thread.
 */
#ifndef JITR_THING_ATTRIBUTES_H
#define JITR_THING_ATTRIBUTES_H

#include "command.h"

/* attributePayload, to out->has_attributes, merge and attributes.  keep_empty: attributes
 * with an empty value are packed, too; an update removes them. */
void parse_attributes(struct members *m, struct command *c, bool keep_empty,
    struct thing_update *out);

/* "thingName" and "thingArn"; "attributes", "thingTypeName" and "version". */
void add_thing_name(cJSON *o, const struct command *c, struct view name);
void add_configuration(cJSON *o, const struct thing *thing);

#endif
