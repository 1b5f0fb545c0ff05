/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_scope.c - which certificates a list covers: the first byte is the length of an
 * issuingDistributionPoint extension, the extension follows, then a certificate.
 *
 * A scope that cannot be read covers no certificate.  The names of a point are within it, and a
 * list has a name in common with itself.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/crl_scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static size_t
count_names(const struct crl *list)
{
	struct view name;
	bool is_text;
	size_t n = 0;

	while (crl_scope_name(list, n, &name, &is_text)) {
		require(name.data >= list->point &&
		    name.data + name.len <= list->point + list->point_len);
		require(++n <= CRL_POINT_NAMES_MAX);
	}
	return n;
}

static void
check_list(const struct crl *list, struct view certificate)
{
	bool covers = crl_scope_covers(list, certificate);
	struct view serial = der_certificate_serial(certificate);
	struct view part = der_certificate_signed_part(certificate);

	require(crl_scope_covers(list, certificate) == covers);
	require(serial.len <= SERIAL_MAX && part.len <= certificate.len);
	require(list->point_len <= CRL_POINT_MAX);
	require((list->scope == CRL_SCOPE_POINT) == (list->point_len > 0));
	if (list->scope == CRL_SCOPE_POINT && count_names(list) > 0)
		require(crl_scope_same_point(list, list));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size }, extension = in, rest;
	struct der value;
	struct crl list;

	if (size == 0)
		return 0;
	in = view_from(in, 1);
	extension = in;
	extension.len = data[0] < in.len ? data[0] : in.len;
	rest = view_from(in, extension.len);
	memset(&list, 0, sizeof(list));
	if (crl_scope_read(extension, &list))
		check_list(&list, rest);
	while (der_next(&in, &value)) {
		int64_t ms;

		require(value.content.len < value.whole.len);
		(void)!der_time(&value, &ms);
		(void)!der_is_shortest(value.content);
	}
	return 0;
}
