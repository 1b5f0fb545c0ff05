/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* resource.c - see resource.h. */
#include <stdio.h>

#include "resource.h"

static const char *const resource_types[] = {
	[RESOURCE_NONE] = "",
	[RESOURCE_CA] = "cacert/",
	[RESOURCE_CERTIFICATE] = "cert/",
	[RESOURCE_POLICY] = "policy/",
	[RESOURCE_THING] = "thing/",
	[RESOURCE_CRL] = "cacert/",
	[RESOURCE_TEMPLATE] = "provisioningtemplate/",
};

bool
resource_has_id(enum resource r)
{
	return r == RESOURCE_CA || r == RESOURCE_CERTIFICATE || r == RESOURCE_CRL;
}

void
resource_text(enum resource r, const struct certid *id, struct view name, char out[RESOURCE_SIZE])
{
	char hex[CERTID_HEX_SIZE] = "";

	if (resource_has_id(r) && id != NULL)
		certid_to_hex(id, hex);
	if (resource_has_id(r))
		name = view_of(hex);
	if (r == RESOURCE_NONE)
		name = view_of("");
	(void)snprintf(out, RESOURCE_SIZE, "%s%.*s", resource_types[r], (int)name.len,
	    name.len > 0 ? (const char *)name.data : "");
}
