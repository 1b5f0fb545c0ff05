/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* model.c - see model.h. */
#include <string.h>

#include "jitr/core/model.h"

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

bool
generation_equal(const struct generation *a, const struct generation *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
ca_is_valid(const struct ca *ca, int64_t now)
{
	return now >= ca->not_before && now <= ca->not_after;
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
cert_status_parse(const char *name, enum cert_status *out)
{
	for (size_t i = 0; i < COUNT_OF(cert_statuses); i++) {
		if (strcmp(cert_statuses[i], name) != 0)
			continue;
		*out = (enum cert_status)i;
		return true;
	}
	return false;
}

/* Takes the first len bytes off *rest. */
static bool
take(struct view *rest, size_t len, struct view *out)
{
	if (rest->len < len)
		return false;
	*out = (struct view){ rest->data, len };
	*rest = view_from(*rest, len);
	return true;
}

bool
thing_attribute_next(struct view *rest, struct view *name, struct view *value)
{
	struct view len;

	return take(rest, 1, &len) && take(rest, len.data[0], name) && take(rest, 2, &len) &&
	    take(rest, (size_t)(len.data[0] << 8 | len.data[1]), value);
}

struct view
thing_attribute(struct view attributes, struct view name)
{
	struct view n, value;

	while (thing_attribute_next(&attributes, &n, &value))
		if (view_equal(n, name))
			return value;
	return (struct view){ NULL, 0 };
}
