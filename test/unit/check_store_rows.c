/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_rows.c - the rows on disk are those of doc/storage.md.
 */
#include <string.h>

#include "records.h"
#include "stores.h"
#include "tiny.h"

/* The example of doc/storage.md in hexadecimal digits. */
static const struct {
	const char *table, *key, *value;
} documented[] = {
#define CA_ID  "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"
#define ID     "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
#define PLACE  "015dcccb05141d1d1d1d1d1d"
#define ZERO16 "00000000000000000000000000000000"
#define ZEROS  ZERO16 ZERO16 /* and so on */
	{ "document", PLACE,
	    "0201903082018c30820188"
	    "02040ba29011"
	    "0482017e" ZEROS },
	{ "ca_cert", CA_ID, PLACE },
	{ "status_cert", "04", PLACE },
	{ "serial_cert", CA_ID, "0ba2901100" PLACE },
	{ "content_cert", "00", "e585606112" PLACE },
	{ "expiry", "00", "8000024bce5cec18" PLACE },
	{ "message", "0000000000000001", "01000000017400000000" },
	{ "meta", "73657175656e6365", "0000000000000001" },
	{ "meta", "636f756e7473",
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000001" },
	{ "meta", "6c6973745f73657175656e6365", "0000000000000003" },
	{ "meta", "64656c657465645f63613a" CA_ID, "0000000000000000000001d1a94a2000" },
	{ "revoked", "00000000000000030ba29011", "010000015dc7826d8001" },
	{ "crl", CA_ID,
	    "0200000000000000030000015dc970d0000000015ded7d54000000015dcccb05140000000100"
	    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf02100400000000" },
#undef CA_ID
#undef ID
};

static void
put_documented(struct txn *t)
{
	static const uint8_t serial[] = { 0x0b, 0xa2, 0x90, 0x11 };
	struct cert cert = { .has_ca = true,
		.status = CERT_PENDING_ACTIVATION,
		.created = CREATED,
		.not_after = 2524607999000 };
	struct crl crl = { .list = 3,
		.this_update = 1502323200000,
		.next_update = 1502928000000,
		.imported = CREATED,
		.count = 1,
		.number_len = 2,
		.number = { 0x10, 0x04 },
		.scope = CRL_SCOPE_ALL };
	struct revoked entry = { 1502290800000, 1 };
	struct view bytes = { serial, sizeof(serial) };
	uint8_t der[TINY_LEAST];
	struct cert_document document = { .der = tiny_certificate(bytes, sizeof(der), der) };
	struct ca ca = { .created = CREATED, .not_after = 2000000000000 };
	uint64_t list = 0;

	memset(cert.id.b, 0x1d, sizeof(cert.id.b));
	for (size_t i = 0; i < sizeof(crl.digest.b); i++)
		crl.digest.b[i] = (uint8_t)(0xa0 + i);
	ck_assert(certid_from_hex(&cert.ca_id,
	    view_of("3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173")));
	store_put_cert(t, &cert, &document);
	ca.id = cert.ca_id;
	store_put_ca(t, &ca, &(struct ca_document){ .der = { NULL, 0 } });
	store_delete_ca(t, &ca.id);
	store_post(t, view_of("t"), view_of(""));
	while (list < 3)
		ck_assert_int_eq(store_new_list(t, &list), ERR_OK);
	store_append_revoked(t, list, bytes, &entry);
	store_put_crl(t, &cert.ca_id, &crl);
}

START_TEST(the_rows_are_as_documented)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	char hex[1024];
	MDB_env *env;
	MDB_txn *txn;

	put_documented(&t);
	commit(&t);
	store_close(s);
	txn = raw_begin(dir, &env);
	for (size_t i = 0; i < COUNT_OF(documented); i++) {
		uint8_t bytes[128];
		size_t len = strlen(documented[i].key) / 2;
		MDB_val key = raw(bytes, len), value;
		MDB_dbi table;

		ck_assert(hex_decode(bytes, len, view_of(documented[i].key)));
		ck_assert_int_eq(mdb_dbi_open(txn, documented[i].table, 0, &table), 0);
		ck_assert_msg(mdb_get(txn, table, &key, &value) == 0, "%s", documented[i].table);
		hex_encode((struct view){ value.mv_data, value.mv_size }, hex);
		if (strcmp(documented[i].table, "document") == 0)
			hex[strlen(documented[i].value)] = '\0';
		ck_assert_str_eq(hex, documented[i].value);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_rows");
	TCase *t = stores_case(suite, "rows");

	tcase_add_test(t, the_rows_are_as_documented);
	return stores_main(suite, argc, argv);
}
