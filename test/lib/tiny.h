/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * tiny.h - a minimal structure with a serial number, which stands for a certificate where only
 * the store reads it.
 */
#ifndef JITR_TEST_TINY_H
#define JITR_TEST_TINY_H

#include <string.h>

#include "jitr/core/base.h"

#define TINY_LEAST 400 /* with less than 256 bytes of filler its DER length is shorter */
#define TINY_MOST  65535

/* SEQUENCE { SEQUENCE { INTEGER serial, OCTET STRING filler } }. size is that of the whole;
 * serial has up to 64 bytes. */
static inline struct view
tiny_certificate(struct view serial, size_t size, uint8_t *out)
{
	size_t filler = size - 14 - serial.len;
	uint8_t head[] = { 0x30, 0x82, (uint8_t)((size - 4) >> 8), (uint8_t)(size - 4), 0x30, 0x82,
		(uint8_t)((size - 8) >> 8), (uint8_t)(size - 8), 0x02, (uint8_t)serial.len };
	uint8_t tail[] = { 0x04, 0x82, (uint8_t)(filler >> 8), (uint8_t)filler };

	memset(out, 0, size);
	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), serial.data, serial.len);
	memcpy(out + sizeof(head) + serial.len, tail, sizeof(tail));
	return (struct view){ out, size };
}

#endif
