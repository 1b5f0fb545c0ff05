/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* base.c - see base.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jitr/core/base.h"

struct view
view_of(const char *text)
{
	if (text == NULL)
		return (struct view){ NULL, 0 };
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

uint64_t
hash_bytes(uint64_t hash, struct view bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void
view_move(struct view *v, uint8_t **at)
{
	if (v->len > 0)
		memcpy(*at, v->data, v->len);
	v->data = *at;
	*at += v->len;
}

bool
view_equal(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int
view_order(struct view a, struct view b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool
view_equal_folded(struct view a, struct view b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
			return false;
	return true;
}

void
hex_encode(struct view bytes, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.len; i++) {
		*hex++ = digits[bytes.data[i] >> 4];
		*hex++ = digits[bytes.data[i] & 15];
	}
	*hex = '\0';
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_decode(uint8_t *bytes, size_t size, struct view hex)
{
	if (hex.len != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(hex.data[2 * i]);
		int low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
certid_to_hex(const struct certid *id, char hex[CERTID_HEX_SIZE])
{
	hex_encode((struct view){ id->b, sizeof(id->b) }, hex);
}

bool
certid_from_hex(struct certid *id, struct view hex)
{
	return hex_decode(id->b, sizeof(id->b), hex);
}

bool
certid_equal(const struct certid *a, const struct certid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static const struct {
	int http;
	const char *aws;
	const char *text;
} errors[] = {
#define X(name, http, aws, text) [name] = { http, aws, text },
	ERR_TABLE(X)
#undef X
};

const char *
err_text(enum err e)
{
	return (size_t)e < COUNT_OF(errors) ? errors[e].text : "unknown error";
}

const char *
err_aws_name(enum err e)
{
	return (size_t)e < COUNT_OF(errors) ? errors[e].aws : "InternalFailureException";
}

int
err_http_status(enum err e)
{
	return (size_t)e < COUNT_OF(errors) ? errors[e].http : 500;
}

void
diag_set(struct diag *d, const char *fmt, ...)
{
	va_list args;

	if (d == NULL)
		return;
	va_start(args, fmt);
	(void)vsnprintf(d->text, sizeof(d->text), fmt, args);
	va_end(args);
}
