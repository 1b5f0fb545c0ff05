/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * records.h - certificates and CAs by number: the number is part of the id.
 *
 * Three certificates in a row have one millisecond of creation, two have one serial
 * number, and five of six have a CA, one of CA_COUNT.
 */
#ifndef JITR_TEST_RECORDS_H
#define JITR_TEST_RECORDS_H

#include "jitr/adapter/store.h"

#define CA_COUNT 5

struct certid id_number(uint32_t n);
uint32_t number_of(const struct certid *id); /* of a certificate's id */
struct certid ca_id_number(uint32_t n);
struct ca ca_number(uint32_t n);
struct cert cert_number(uint32_t n);
/* A certificate of size bytes with that number's serial number, valid until the next call. */
struct view der_number(uint32_t n, size_t size);

void put_cert_number(struct txn *t, uint32_t n);
void put_ca_number(struct txn *t, uint32_t n);
void put_certs(struct store *s, uint32_t first, uint32_t count);

/* Forms of one certificate: the same signed part, with other bytes behind it.  Form f of
 * n is stored as number n + 1000 f; form 1 is revoked.  The view is valid until the next
 * call. */
struct view der_in_form(uint32_t n, uint8_t form);
void put_in_form(struct txn *t, uint32_t n, uint8_t form);
struct certid content_of(uint32_t n); /* SHA-256 of the signed part of all its forms */

/* A revocation list that names the serial numbers of all certificates below this number. */
#define EVERY_SERIAL 1 /* the list's own number */
void put_every_serial(struct txn *t, uint32_t below);

void assert_view(struct view v, const char *text);
void assert_same_cert(const struct cert *a, const struct cert *b);
void assert_same_ca(const struct ca *a, const struct ca *b);

#endif
