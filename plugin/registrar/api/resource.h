/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* resource.h - the kinds of resources that commands name, and their names in ARNs. */
#ifndef JITR_RESOURCE_H
#define JITR_RESOURCE_H

#include "jitr/core/policy.h"

/* Account and region of ARNs, and the name of the broker.  Texts are borrowed. */
struct account {
	const char *id, *region, *endpoint;
	struct arn_scope scope;
};

enum resource {
	RESOURCE_NONE,
	RESOURCE_CA,
	RESOURCE_CERTIFICATE,
	RESOURCE_POLICY,
	RESOURCE_THING,
	RESOURCE_CRL, /* named by the id of its CA */
	RESOURCE_TEMPLATE,
};

/* Is it named by an id?  Else by a name. */
bool resource_has_id(enum resource r);

/* The part of an ARN behind the account: "cert/<id>", "policy/<name>"; "cert/" for id NULL
 * and "policy/" for an empty name; "" for RESOURCE_NONE.  Only the id or the name is read,
 * see resource_has_id(). */
#define RESOURCE_SIZE 160
void resource_text(enum resource r, const struct certid *id, struct view name,
    char out[RESOURCE_SIZE]);

#endif
