/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_check.c - reads a whole registry, and prints it and what is wrong with it.
 *
 *	registry_check DIRECTORY
 *
 * For a copy that nothing has open: it is opened for writing first, as a broker does, and
 * then for reading.  Prints a line for each record:
 *
 *	cert ID STATUS CA|-	ca ID STATUS	crl CA LIST ENTRIES	policy NAME
 *	attached POLICY ID	thing NAME	principal THING ID	message NUMBER TOPIC PAYLOAD
 *
 * and "bad: ..." for each disagreement of two tables.  Ends with 0 if there is none.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/x509.h"

#include "store_private.h"

#define PAGE     100
#define MAP_SIZE ((size_t)1 << 30)
#define CAS_MAX  1000

static unsigned faults;

static void PRINTF_LIKE(1, 2) bad(const char *fmt, ...)
{
	va_list args;

	faults++;
	(void)printf("bad: ");
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	(void)printf("\n");
}

struct hex {
	char text[2 * 32 + 1];
};

static struct hex
hex_of(const struct certid *id)
{
	struct hex h;

	for (size_t i = 0; i < sizeof(id->b); i++)
		(void)snprintf(h.text + 2 * i, 3, "%02x", id->b[i]);
	return h;
}

#define ID(id) hex_of(id).text

/*
 * Certificates, by each of their listings.
 */

static void
check_cert(struct txn *t, const struct cert *cert)
{
	struct certid digest, content, found[PAGE];
	struct cert_document document;
	struct cert stored;
	size_t count = 0, at = 0;

	if (store_get_cert(t, &cert->id, &stored) != ERR_OK)
		bad("cert %s is listed and cannot be read", ID(&cert->id));
	if (store_get_cert_document(t, &cert->id, &document) != ERR_OK ||
	    sha256_of(document.der, &digest) != ERR_OK || !certid_equal(&digest, &cert->id))
		bad("cert %s has another document", ID(&cert->id));
	if (store_get_cert_content(t, &cert->id, &content) != ERR_OK ||
	    store_find_by_content(t, &content, found, PAGE, &count) != ERR_OK)
		bad("cert %s has no signed part", ID(&cert->id));
	while (at < count && !certid_equal(&found[at], &cert->id))
		at++;
	if (at == count)
		bad("cert %s is not found by its signed part", ID(&cert->id));
}

static void
print_cert(const struct cert *cert)
{
	(void)printf("cert %s %s %s\n", ID(&cert->id), cert_status_name(cert->status),
	    cert->has_ca ? ID(&cert->ca_id) : "-");
}

/* All certificates of a listing; returns their number, and with first checks them. */
static uint64_t
walk_certs(struct txn *t, struct listing l, bool first)
{
	struct position after;
	struct cert page[PAGE];
	uint64_t all = 0;
	size_t count;

	l.ascending = true;
	do {
		if (store_list_certs(t, &l, page, PAGE, &count) != ERR_OK) {
			bad("a listing of certificates fails");
			return all;
		}
		for (size_t i = 0; i < count; i++) {
			if (first)
				print_cert(&page[i]);
			if (first)
				check_cert(t, &page[i]);
			if (l.status != NULL && page[i].status != *l.status)
				bad("cert %s is listed with another status", ID(&page[i].id));
			after = (struct position){ page[i].created, page[i].id };
		}
		l.after = &after;
		all += count;
	} while (count == PAGE);
	return all;
}

static void
check_certs(struct txn *t)
{
	uint64_t all = walk_certs(t, (struct listing){ .ca = NULL }, true), sum = 0;
	struct store_counts counts;

	if (store_count(t, &counts) != ERR_OK)
		bad("the counts cannot be read");
	for (int i = 0; i < CERT_STATUS_COUNT; i++) {
		enum cert_status status = (enum cert_status)i;
		uint64_t count = walk_certs(t, (struct listing){ .status = &status }, false);

		if (count != counts.certs[i])
			bad("%llu certs of a status are listed, %llu counted",
			    (unsigned long long)count, (unsigned long long)counts.certs[i]);
		sum += count;
	}
	if (sum != all)
		bad("%llu certs by status, %llu by time", (unsigned long long)sum,
		    (unsigned long long)all);
}

/*
 * Tables with ids at the beginning of their keys, and the table of their records.
 */

static void
check_owners(struct txn *t, enum table table, enum table of, bool is_value)
{
	MDB_cursor *rows;
	MDB_val key, value;
	int rc = table_cursor(t, table, &rows);

	if (rc != 0) {
		bad("table %d cannot be read", (int)table);
		return;
	}
	while ((rc = mdb_cursor_get(rows, &key, &value, MDB_NEXT)) == 0) {
		struct view id = view_of_val(is_value ? &value : &key), record;

		id.len = id.len < 32 ? id.len : 32;
		if (table_get(t, of, id, &record) != ERR_OK)
			bad("a row of table %d has no record", (int)table);
	}
	if (rc != MDB_NOTFOUND)
		bad("table %d: %s", (int)table, mdb_strerror(rc));
	mdb_cursor_close(rows);
}

/* Keys or values of the table end with the place of a certificate. */
static void
check_places(struct txn *t, enum table table, bool is_value)
{
	MDB_cursor *rows;
	MDB_val key, value;
	int rc = table_cursor(t, table, &rows);

	if (rc != 0) {
		bad("table %d cannot be read", (int)table);
		return;
	}
	while ((rc = mdb_cursor_get(rows, &key, &value, MDB_NEXT)) == 0) {
		struct view row = view_of_val(is_value ? &value : &key);
		size_t before = row.len < PLACE_SIZE ? 0 : row.len - PLACE_SIZE;
		struct cert_place place;
		struct cert cert;

		if (cert_place_read(view_from(row, before), &place) != ERR_OK ||
		    cert_place_find(t, &place, &cert) != ERR_OK)
			bad("a row of table %d has no certificate", (int)table);
	}
	if (rc != MDB_NOTFOUND)
		bad("table %d: %s", (int)table, mdb_strerror(rc));
	mdb_cursor_close(rows);
}

/* One row for each certificate that has a CA and a serial number. */
static void
check_serials(struct txn *t)
{
	struct listing l = { .ascending = true };
	struct position after;
	struct cert page[PAGE];
	uint64_t expected = 0;
	size_t count = 0;
	MDB_stat stat = { .ms_entries = 0 };

	do {
		if (store_list_certs(t, &l, page, PAGE, &count) != ERR_OK)
			return;
		for (size_t i = 0; i < count; i++) {
			struct view serial;

			if (page[i].has_ca &&
			    store_get_cert_serial(t, &page[i].id, &serial) == ERR_OK)
				expected += serial.len > 0;
			after = (struct position){ page[i].created, page[i].id };
		}
		l.after = &after;
	} while (count == PAGE);
	(void)mdb_stat(t->handle, t->store->tables[TABLE_SERIAL_CERT], &stat);
	if (stat.ms_entries != expected)
		bad("%zu rows of serial numbers, %llu certs", stat.ms_entries,
		    (unsigned long long)expected);
}

static void
check_rows(struct txn *t)
{
	check_places(t, TABLE_DOCUMENT, false);
	check_places(t, TABLE_CA_CERT, true);
	check_places(t, TABLE_STATUS_CERT, true);
	check_places(t, TABLE_SERIAL_CERT, true);
	check_places(t, TABLE_CONTENT_CERT, true);
	check_places(t, TABLE_EXPIRY, true);
	check_owners(t, TABLE_CERT_NOTE, TABLE_CERT, false);
	check_owners(t, TABLE_REFUSAL, TABLE_CERT, false);
	check_owners(t, TABLE_CERT_POLICY, TABLE_CERT, false);
	check_owners(t, TABLE_CERT_THING, TABLE_CERT, false);
	check_owners(t, TABLE_CA_DOCUMENT, TABLE_CA, false);
	check_owners(t, TABLE_CA_SETTINGS, TABLE_CA, false);
	check_owners(t, TABLE_CA_BY_SUBJECT, TABLE_CA, true);
	check_owners(t, TABLE_CRL, TABLE_CA, false);
	check_serials(t);
}

/*
 * CAs and their revocation lists.
 */

static uint64_t
count_revoked(struct txn *t, uint64_t list)
{
	uint8_t prefix[8];
	struct range r = { .table = TABLE_REVOKED,
		.prefix = { prefix, sizeof(prefix) },
		.ascending = true,
		.least = 1,
		.most = SERIAL_MAX };
	struct walk w;
	struct row row;
	uint64_t count = 0;
	enum err e;

	number_put(prefix, sizeof(prefix), list);
	e = walk_begin(&w, t, &r);
	while (e == ERR_OK && (e = walk_next(&w, &row)) == ERR_OK)
		count++;
	walk_end(&w);
	if (e != ERR_NOT_FOUND)
		bad("the entries of list %llu cannot be read", (unsigned long long)list);
	return count;
}

static void
check_crl(struct txn *t, const struct certid *ca)
{
	struct crl crl;
	enum err e = store_get_crl(t, ca, &crl);
	uint64_t entries;

	if (e == ERR_NOT_FOUND)
		return;
	if (e != ERR_OK) {
		bad("the list of CA %s cannot be read", ID(ca));
		return;
	}
	entries = count_revoked(t, crl.list);
	(void)printf("crl %s %llu %llu\n", ID(ca), (unsigned long long)crl.list,
	    (unsigned long long)entries);
	if (entries != crl.count)
		bad("the list of CA %s has %llu entries of %u", ID(ca), (unsigned long long)entries,
		    (unsigned)crl.count);
}

static void
check_ca(struct txn *t, const struct ca *ca)
{
	struct ca_document document;
	struct certid digest;
	struct ca found;
	size_t nth = 0;

	(void)printf("ca %s %s\n", ID(&ca->id), ca->status == CA_ACTIVE ? "ACTIVE" : "INACTIVE");
	if (store_get_ca_document(t, &ca->id, &document) != ERR_OK ||
	    sha256_of(document.der, &digest) != ERR_OK || !certid_equal(&digest, &ca->id))
		bad("ca %s has another document", ID(&ca->id));
	while (store_find_issuer(t, ca->subject_hash, nth, &found) == ERR_OK &&
	    !certid_equal(&found.id, &ca->id))
		nth++;
	if (!certid_equal(&found.id, &ca->id))
		bad("ca %s is not found by its subject", ID(&ca->id));
	check_crl(t, &ca->id);
}

static void
check_cas(struct txn *t)
{
	struct listing l = { .ascending = true };
	struct ca *all = calloc(CAS_MAX, sizeof(*all));
	struct store_counts counts;
	size_t count = 0;

	if (all == NULL || store_list_cas(t, &l, all, CAS_MAX, &count) != ERR_OK)
		bad("the listing of CAs fails");
	for (size_t i = 0; i < count; i++) {
		check_ca(t, &all[i]);
		(void)walk_certs(t, (struct listing){ .ca = &all[i].id }, false);
	}
	if (store_count(t, &counts) == ERR_OK && counts.cas != count)
		bad("%zu CAs by time of %llu", count, (unsigned long long)counts.cas);
	free(all);
}

/*
 * Attachments: two tables that mirror each other.
 */

static void
check_mirror(struct txn *t, struct pairs p, const char *kind)
{
	struct range r = { .table = p.by_name, .ascending = true, .least = 33, .most = KEY_MAX };
	MDB_stat by_name = { .ms_entries = 0 }, by_id = { .ms_entries = 0 };
	struct certid id;
	struct walk w;
	struct row row;
	unsigned type;
	enum err e = walk_begin(&w, t, &r);

	while (e == ERR_OK && (e = walk_next(&w, &row)) == ERR_OK) {
		struct view name = { row.key.data, row.key.len - sizeof(id.b) - 1 };

		memcpy(id.b, row.key.data + row.key.len - sizeof(id.b), sizeof(id.b));
		(void)printf("%s %.*s %s\n", kind, (int)name.len, (const char *)name.data, ID(&id));
		if (pair_get(t, &p, name, &id, &type) != ERR_OK)
			bad("%s of %s is in one table alone", kind, ID(&id));
	}
	walk_end(&w);
	(void)mdb_stat(t->handle, t->store->tables[p.by_name], &by_name);
	(void)mdb_stat(t->handle, t->store->tables[p.by_id], &by_id);
	if (e != ERR_NOT_FOUND || by_name.ms_entries != by_id.ms_entries)
		bad("%s: %zu rows by name, %zu by certificate", kind, by_name.ms_entries,
		    by_id.ms_entries);
}

static void
check_policies(struct txn *t)
{
	struct policy_record *all = calloc(PAGE, sizeof(*all));
	size_t count = 0;

	if (all == NULL || store_list_policies(t, NULL, true, all, PAGE, &count) != ERR_OK)
		bad("the listing of policies fails");
	for (size_t i = 0; i < count; i++) {
		struct policy_version version;

		(void)printf("policy %.*s\n", (int)all[i].name.len, (const char *)all[i].name.data);
		if (store_get_policy_version(t, all[i].name, all[i].default_version, &version) !=
		    ERR_OK)
			bad("a policy has no default version");
	}
	free(all);
	check_mirror(t, (struct pairs){ TABLE_POLICY_CERT, TABLE_CERT_POLICY, 1 }, "attached");
	check_mirror(t,
	    (struct pairs){ TABLE_THING_CERT, TABLE_CERT_THING, PRINCIPAL_EXCLUSIVE + 1 },
	    "principal");
}

static void
check_messages(struct txn *t)
{
	struct message m = { .seq = 0 };
	enum err e;

	while ((e = store_next_message(t, m.seq, &m)) == ERR_OK)
		(void)printf("message %llu %.*s %.*s\n", (unsigned long long)m.seq,
		    (int)m.topic.len, (const char *)m.topic.data, (int)m.payload.len,
		    (const char *)m.payload.data);
	if (e != ERR_NOT_FOUND)
		bad("a message cannot be read");
}

static struct store *
open_registry(const char *path, bool read_only)
{
	struct store_config config = { .path = path, .map_size = MAP_SIZE, .sha256 = sha256_of };
	struct store *s = NULL;
	struct diag diag;

	if ((read_only ? store_open_reader : store_open)(&config, &s, &diag) == ERR_OK)
		return s;
	(void)printf("bad: %s\n", diag.text);
	exit(1);
}

int
main(int argc, char **argv)
{
	struct store *s;
	struct txn t;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: registry_check DIRECTORY\n");
		return 2;
	}
	store_close(open_registry(argv[1], false));
	s = open_registry(argv[1], true);
	if (store_read(s, &t) != ERR_OK)
		bad("nothing can be read");
	else {
		check_certs(&t);
		check_rows(&t);
		check_cas(&t);
		check_policies(&t);
		check_messages(&t);
		store_end(&t);
	}
	store_close(s);
	(void)printf("%u faults\n", faults);
	return faults == 0 ? 0 : 1;
}
