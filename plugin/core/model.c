/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* model.c - see model.h. */
#include <string.h>

#include "jitr/model.h"

static const char *const ca_statuses[] = {
	[CA_INACTIVE] = "INACTIVE",
	[CA_ACTIVE] = "ACTIVE",
};

static const char *const cert_statuses[] = {
	[CERT_INACTIVE] = "INACTIVE",
	[CERT_ACTIVE] = "ACTIVE",
	[CERT_REVOKED] = "REVOKED",
	[CERT_PENDING_TRANSFER] = "PENDING_TRANSFER",
	[CERT_PENDING_ACTIVATION] = "PENDING_ACTIVATION",
};

static const char *const modes[] = {
	[MODE_SNI_ONLY] = "SNI_ONLY",
	[MODE_DEFAULT] = "DEFAULT",
};

static const char *
name_of(const char *const *names, size_t count, size_t value)
{
	return value < count ? names[value] : "UNKNOWN";
}

static bool
find_name(const char *const *names, size_t count, const char *name, size_t *value)
{
	for (*value = 0; *value < count; (*value)++)
		if (strcmp(names[*value], name) == 0)
			return true;
	return false;
}

const char *
ca_status_name(enum ca_status s)
{
	return name_of(ca_statuses, COUNT_OF(ca_statuses), s);
}

const char *
cert_status_name(enum cert_status s)
{
	return name_of(cert_statuses, COUNT_OF(cert_statuses), s);
}

const char *
cert_mode_name(enum cert_mode m)
{
	return name_of(modes, COUNT_OF(modes), m);
}

bool
ca_status_parse(const char *name, enum ca_status *out)
{
	size_t value;

	if (!find_name(ca_statuses, COUNT_OF(ca_statuses), name, &value))
		return false;
	*out = (enum ca_status)value;
	return true;
}

bool
cert_status_parse(const char *name, enum cert_status *out)
{
	size_t value;

	if (!find_name(cert_statuses, COUNT_OF(cert_statuses), name, &value))
		return false;
	*out = (enum cert_status)value;
	return true;
}

bool
cert_mode_parse(const char *name, enum cert_mode *out)
{
	size_t value;

	if (!find_name(modes, COUNT_OF(modes), name, &value))
		return false;
	*out = (enum cert_mode)value;
	return true;
}
