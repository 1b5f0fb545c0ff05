/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_gate.c - which clients may connect, and what a connected client may do.
 *
 * Real certificates, a real registry, a real writer.  The promises are those
 * of the contract, section 6; the ways around the connect check are those of
 * mosquitto section 0.
 */
#include <stdio.h>
#include <string.h>

#include "gates.h"
#include "suite.h"

/* Addresses of clients. */
static char clients[400];

static char admin_name[] = "admin";
static char *const admin_names[] = { admin_name };

/* An active CA that registers; a device of it that is not registered. */
static void
set_up(void)
{
	gates_open(AUTHORIZATION_DEFER, "device-1");
	config.admin_users = admin_names;
	config.admin_user_count = 1;
	world_start_writer(64, 16);
	open_gate();
}

/* The nth client, which claims to be u1. */
static struct client
client(int n, const struct pki_cert *c)
{
	return (struct client){ .handle = &clients[n],
		.id = "d1",
		.user_name = "u1",
		.address = "203.0.113.7",
		.x = c != NULL ? c->x : NULL };
}

static void
leave(int n)
{
	gate_disconnected(gate, &(struct client){ .handle = &clients[n] },
	    &(struct presence_end){ ANSWER_NO, NULL });
}

static enum verdict
connect_as(int n, const struct pki_cert *c)
{
	struct client presented = client(n, c);

	return gate_connect(gate, &presented);
}

static enum access
may(int n, const struct pki_cert *c, enum action action, const char *topic)
{
	struct client presented = client(n, c);

	return gates_access(&presented, action, topic, false);
}

/* The same client without a certificate, with this user name. */
static struct client
named(const char *name)
{
	struct client c = client(0, NULL);

	c.user_name = name;
	return c;
}

static enum access
may_named(const char *name, enum action action, const char *topic)
{
	struct client c = named(name);

	return gates_access(&c, action, topic, false);
}

/* The same for a client that is not connected, identified only by its user name. */
static enum access
may_restored(const char *name, enum action action, const char *topic)
{
	struct client c = client(7, NULL);

	c.user_name = name;
	c.address = NULL;
	return gates_access(&c, action, topic, false);
}

static void
put(const struct pki_cert *c, enum cert_status status)
{
	world_put_cert(c, ca, status);
}

static void
put_and_tell(const struct pki_cert *c, enum cert_status status)
{
	struct certid id = world_id(c);

	put(c, status);
	gate_changed(gate, &id);
}

static void
remove_cert(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
}

/* A client without a certificate; other plugins check its user name. */
static void
log_in(int n, const char *name)
{
	struct client c = client(n, NULL);

	c.user_name = name;
	c.name_to_check = true;
	(void)gate_connect(gate, &c);
}

static void
put_admin(enum cert_status status)
{
	put(device, status);
	admin_ids[0] = world_id(device);
}

/*
 * CONNECT.
 */

START_TEST(an_active_certificate_is_accepted_and_named_by_its_id)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_str_eq(world_last(NOTE_NAME)->text, world_hex(device));
	ck_assert_ptr_eq(world_last(NOTE_NAME)->client, &clients[0]);
	ck_assert(world_said("connection accepted"));
	ck_assert_uint_eq(stats.accepted, 1);
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

START_TEST(a_first_connection_is_refused_and_registered)
{
	struct cert cert;

	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said("registered now, waits for activation"));
	ck_assert(!gate_take_announced(gate)); /* nothing before it is on disk */
	world_settle();
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_PENDING_ACTIVATION);
	ck_assert_uint_eq(world_message_count(), 1);
	ck_assert(world_said("certificate registered: certificate="));
	ck_assert(gate_take_announced(gate));
	ck_assert(!gate_take_announced(gate));
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(stats.refused, 1);
	ck_assert_uint_eq(world_count(NOTE_NAME), 0); /* a refused client is not named */
}
END_TEST

/* Refusals, each with its reason in the log (contract, section 6). */
static const struct {
	int record; /* -1: none */
	enum reason reason;
} refusals[] = {
	{ CERT_PENDING_ACTIVATION, REASON_PENDING_ACTIVATION },
	{ CERT_INACTIVE, REASON_INACTIVE },
	{ CERT_REVOKED, REASON_REVOKED },
	{ CERT_PENDING_TRANSFER, REASON_PENDING_TRANSFER },
};

START_TEST(a_certificate_that_is_not_active_is_refused)
{
	char line[100];

	put(device, (enum cert_status)refusals[_i].record);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	snprintf(line, sizeof(line), "refused: reason=\"%s\"", reason_text(refusals[_i].reason));
	ck_assert(world_said(line));
	ck_assert(world_said(world_hex(ca))); /* and the CA of the record */
	ck_assert_uint_eq(stats.refused, 1);
}
END_TEST

/* Refused under the first one's id, and noted on its record; nothing is stored of
 * it, and no other plugin is asked (contract, section 6). */
START_TEST(another_form_of_a_known_certificate_is_refused_by_its_signed_part)
{
	struct pki_cert *twin = pki_twin(device, ca);
	struct certid id = world_id(device);
	struct refusal refusal;
	struct cert cert;
	struct txn t;

	put(device, (enum cert_status)_i);
	ck_assert_int_eq(connect_as(0, twin), VERDICT_DENY);
	ck_assert(world_said("known by another id, with its signature in another form"));
	ck_assert(world_said(world_hex(device)));
	world_settle();
	ck_assert(!world_get_cert(twin, &cert));
	ck_assert_uint_eq(world_message_count(), 0);
	ck_assert_int_eq(store_read(world.store, &t), ERR_OK);
	ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_OK);
	ck_assert(view_equal(refusal.code, view_of("CERTIFICATE_IN_ANOTHER_FORM")));
	store_end(&t);
	pki_free(twin);
}
END_TEST

/* An older version may have both: one that is REVOKED comes first, then those that
 * are not pending, then the older one. */
static const struct {
	enum cert_status first, second; /* in the order of their registration */
	bool first_stands;
} pairs[] = {
	{ CERT_ACTIVE, CERT_PENDING_ACTIVATION, true },
	{ CERT_PENDING_ACTIVATION, CERT_ACTIVE, false },
	{ CERT_ACTIVE, CERT_INACTIVE, true },
	{ CERT_INACTIVE, CERT_ACTIVE, true },
	{ CERT_ACTIVE, CERT_ACTIVE, true },
	{ CERT_ACTIVE, CERT_REVOKED, false },
	{ CERT_REVOKED, CERT_ACTIVE, true },
};

START_TEST(of_two_with_one_signed_part_one_stands)
{
	struct pki_cert *twin = pki_twin(device, ca);

	put(device, pairs[_i].first);
	world_wait(1000);
	put(twin, pairs[_i].second);
	ck_assert_int_eq(connect_as(0, device),
	    pairs[_i].first == CERT_ACTIVE && pairs[_i].first_stands ? VERDICT_ALLOW
								     : VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, twin),
	    pairs[_i].second == CERT_ACTIVE && !pairs[_i].first_stands ? VERDICT_ALLOW
								       : VERDICT_DENY);
	pki_free(twin);
}
END_TEST

START_TEST(a_pending_certificate_is_announced_again)
{
	put(device, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 1);
	ck_assert(gate_take_announced(gate));
	ck_assert(!world_said("certificate registered"));
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 1); /* not twice in a second */
}
END_TEST

START_TEST(two_simultaneous_first_connections_register_once)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	world_release_writer();
	ck_assert_uint_eq(world_message_count(), 1);
	ck_assert_uint_eq(stats.registered, 1);
}
END_TEST

static void
ck_refused_and_not_registered(const struct pki_cert *c, enum reason reason)
{
	struct cert cert;
	char line[120];

	ck_assert_int_eq(connect_as(0, c), VERDICT_DENY);
	world_settle();
	snprintf(line, sizeof(line), "refused: reason=\"%s\"", reason_text(reason));
	ck_assert_msg(world_said(line), "%s", line);
	ck_assert(!world_get_cert(c, &cert));
	ck_assert_uint_eq(world_message_count(), 0);
}

START_TEST(a_ca_that_may_not_register_does_not)
{
	world_put_ca(ca, CA_ACTIVE, false);
	ck_refused_and_not_registered(device, REASON_AUTO_REGISTRATION_OFF);
	world_put_ca(ca, CA_INACTIVE, true);
	ck_refused_and_not_registered(device, REASON_CA_INACTIVE);
}
END_TEST

START_TEST(a_certificate_of_an_unknown_ca_is_refused)
{
	struct pki_cert *other = pki_ca("Another CA"), *stranger = pki_device(other, "stranger");

	ck_refused_and_not_registered(stranger, REASON_UNKNOWN_CA);
	pki_free(stranger);
	pki_free(other);
}
END_TEST

START_TEST(an_issuer_name_without_a_signature_is_refused)
{
	struct pki_cert *impostor = pki_ca("Test CA"), *forged = pki_device(impostor, "forged");

	ck_refused_and_not_registered(forged, REASON_NOT_ISSUED_BY_CA);
	pki_free(forged);
	pki_free(impostor);
}
END_TEST

/* aws-iot D.6. */
static const struct {
	struct pki_options options;
	enum reason reason;
} unfit[] = {
	{ { .not_after_days = -1 }, REASON_EXPIRED },
	{ { .not_before_days = 1 }, REASON_NOT_YET_VALID },
	{ { .is_ca = true }, REASON_IS_CA },
	{ { .digest = "SHA1" }, REASON_WEAK_SIGNATURE },
	{ { .key = PKI_RSA_1024 }, REASON_WEAK_KEY },
	{ { .extensions = { { "1.2.3.4", "critical,DER:0500" } } }, REASON_UNKNOWN_EXTENSION },
};

START_TEST(a_weak_or_malformed_certificate_is_not_registered)
{
	struct pki_options options = unfit[_i].options;
	struct pki_cert *c;

	options.issuer = ca;
	options.common_name = "unfit";
	c = pki_make(&options);
	ck_refused_and_not_registered(c, unfit[_i].reason);
	pki_free(c);
}
END_TEST

START_TEST(an_unreadable_certificate_is_refused_without_an_id)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .issuer = ca,
	    .common_name = "bad",
	    .not_after = "20231301000000Z" }); /* month 13 */

	ck_assert_int_eq(connect_as(0, c), VERDICT_DENY);
	ck_assert(world_said(
	    "the certificate cannot be read\" code=CERTIFICATE_MALFORMED certificate=- ca=-"));
	ck_assert_int_eq(may(0, c, ACTION_WRITE, "a"), ACCESS_DENY);
	ck_assert_int_eq(may(0, c, ACTION_READ, "a"), ACCESS_DENY);
	pki_free(c);
}
END_TEST

/* aws-iot D.2 row 7. */
START_TEST(an_active_certificate_is_accepted_after_its_ca_is_deleted)
{
	struct certid ca_id = world_id(ca);
	struct txn t;

	put(device, CERT_ACTIVE);
	world_put_ca(ca, CA_INACTIVE, false);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_change(&t);
	store_delete_ca(&t, &ca_id);
	world_commit(&t);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
}
END_TEST

/* CAs renew their certificates: registered or deleted, an expired one gives way to another of
 * the same name and key. */
START_TEST(an_active_certificate_of_an_expired_ca_is_accepted_by_its_renewed_one)
{
	struct pki_cert *expired = pki_make(&(struct pki_options){ .common_name = "Test CA",
	    .is_ca = true,
	    .key_of = ca,
	    .not_after_days = -1,
	    .extensions = { { "keyUsage", "critical,keyCertSign" } } });
	struct certid ca_id = world_id(ca), expired_id = world_id(expired);
	struct txn t;

	world_put_ca(expired, CA_INACTIVE, false);
	world_put_cert(device, expired, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_change(&t);
	store_delete_ca(&t, &expired_id);
	world_commit(&t);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_change(&t);
	store_delete_ca(&t, &ca_id);
	world_commit(&t);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said(reason_text(REASON_CA_NOT_VALID)));
	pki_free(expired);
}
END_TEST

START_TEST(a_full_queue_postpones_the_registration)
{
	struct cert cert;

	world_stop_writer();
	world_start_writer(1, 1);
	open_gate();
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said("certificate not registered: reason=\"too many requests: the device "
			     "will try again\""));
	ck_assert_uint_eq(stats.busy, 1);
	world_release_writer();
	ck_assert(!world_get_cert(device, &cert));
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert(world_get_cert(device, &cert));
}
END_TEST

START_TEST(a_registration_that_cannot_be_stored_is_logged)
{
	struct cert cert;

	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_break_disk();
	world_release_writer();
	ck_assert(!world_get_cert(device, &cert));
	ck_assert(world_said("certificate not registered: reason=\"storage failed: "));
	ck_assert_uint_eq(stats.failed, 1);
	ck_assert(!gate_take_announced(gate));
}
END_TEST

START_TEST(a_client_that_cannot_be_named_is_refused)
{
	put(device, CERT_ACTIVE);
	world.name_result = ERR_NOMEM;
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_uint_eq(stats.accepted, 0);
	ck_assert_uint_eq(stats.refused, 1);
}
END_TEST

/*
 * Clients without a certificate of ours.
 */

START_TEST(a_client_without_a_certificate_is_deferred)
{
	struct client nobody = named(NULL), other = named("somebody");

	ck_assert_int_eq(gate_connect(gate, &nobody), VERDICT_DEFER);
	ck_assert_int_eq(gate_connect(gate, &other), VERDICT_DEFER);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	ck_assert_int_eq(may_named("somebody", ACTION_WRITE, "a"), ACCESS_DEFER);
	ck_assert_int_eq(may_named(NULL, ACTION_READ, "a"), ACCESS_DEFER);
	config.other_clients = OTHER_CLIENTS_ALLOW;
	open_gate();
	ck_assert_int_eq(may_named("somebody", ACTION_WRITE, "a"), ACCESS_ALLOW);
	ck_assert_int_eq(may_named(NULL, ACTION_READ, "a"), ACCESS_ALLOW);
}
END_TEST

/* Mosquitto denies what all plugins defer, without a log line. */
START_TEST(an_unset_other_clients_is_logged_once_at_a_tick)
{
	struct client c = named("some\nbody"), device_name = named(world_hex(device));

	c.id = "back end";
	/* A device, under authorization defer. */
	gate_deferred(gate, &device_name, &(struct access_request){ ACTION_WRITE, "a", false });
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	gate_deferred(gate, &c, &(struct access_request){ ACTION_SUBSCRIBE, "a/#", false });
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("subscribe deferred: topic=\"a/#\" client=\"back end\" user=\"some"));
	ck_assert(world_said("other_clients is not set"));
	gate_deferred(gate, &c, &(struct access_request){ ACTION_READ, "b", false });
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	config.other_clients = OTHER_CLIENTS_DEFER;
	open_gate();
	gate_deferred(gate, &c, &(struct access_request){ ACTION_READ, "b", false });
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
}
END_TEST

/* Its sessions and wills would be judged as the certificate's. */
START_TEST(a_user_name_like_a_certificate_id_is_refused)
{
	struct client impostor = named(world_hex(device));

	put(device, CERT_ACTIVE);
	ck_assert_int_eq(gate_connect(gate, &impostor), VERDICT_DENY);
	ck_assert(world_said("claims the name of a certificate without presenting it"));
}
END_TEST

START_TEST(a_user_name_that_only_resembles_an_id_is_accepted)
{
	char name[80] = "";
	struct client c = named(name);

	snprintf(name, sizeof(name), "%s0", world_hex(device));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER);
	snprintf(name, sizeof(name), "%.63s", world_hex(device));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER);
	snprintf(name, sizeof(name), "%.63sA", world_hex(device)); /* we write lower case */
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER);
}
END_TEST

START_TEST(unknown_certificates_are_deferred_with_unknown_ca_defer)
{
	struct pki_cert *other = pki_ca("Another CA"), *stranger = pki_device(other, "stranger");

	config.rules.decide.defer_unknown = true;
	open_gate();
	ck_assert_int_eq(connect_as(0, stranger), VERDICT_DEFER);
	ck_assert_uint_eq(world_count(NOTE_NAME), 0);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	ck_assert_int_eq(may(0, stranger, ACTION_WRITE, "a"), ACCESS_DEFER);
	ck_assert_int_eq(may(0, stranger, ACTION_WRITE, "$aws/events/x"), ACCESS_DENY);
	pki_free(stranger);
	pki_free(other);
}
END_TEST

/*
 * Access.
 */

/* Contract, section 2: for all clients and configurations. */
static const char *const reserved[] = { "$aws/events", "$aws/events/",
	"$aws/events/certificates/registered/x", "$SYS/broker/jitr", "$SYS/broker/jitr/a/b",
	"$CONTROL/jitr", "$CONTROL/jitr/v1/response", "$CONTROL/jitr/v2", "$CONTROL/jitr/v1/" };
static const char *const not_reserved[] = { "", "a", "aws/events/x", "$aws/eventsx", "$aws",
	"$aws/things/x", "$SYS/broker", "$SYS/broker/jitrx", "$CONTROL", "$CONTROL/jitrx",
	"$CONTROL/dynamic-security/v1", "x/$aws/events", CONTROL_TOPIC };

START_TEST(no_client_publishes_to_a_reserved_topic)
{
	config.authorization = AUTHORIZATION_ALLOW;
	config.other_clients = OTHER_CLIENTS_ALLOW;
	put_admin(CERT_ACTIVE);
	open_gate();
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	for (size_t i = 0; i < COUNT_OF(reserved); i++) {
		ck_assert(topic_is_reserved(reserved[i]));
		ck_assert_int_eq(may(1, device, ACTION_WRITE, reserved[i]), ACCESS_DENY);
		ck_assert_int_eq(may_named("admin", ACTION_WRITE, reserved[i]), ACCESS_DENY);
		ck_assert_int_eq(may_named(NULL, ACTION_WRITE, reserved[i]), ACCESS_DENY);
	}
	for (size_t i = 0; i < COUNT_OF(not_reserved); i++) {
		bool of_others = strncmp(not_reserved[i], "$CONTROL", 8) == 0 &&
		    strcmp(not_reserved[i], CONTROL_TOPIC) != 0;

		ck_assert_msg(!topic_is_reserved(not_reserved[i]), "%s", not_reserved[i]);
		ck_assert_int_eq(may_named("x", ACTION_WRITE, not_reserved[i]),
		    of_others ? ACCESS_DEFER : ACCESS_ALLOW);
	}
}
END_TEST

START_TEST(an_active_certificate_is_deferred_with_authorization_defer)
{
	static const enum action actions[] = { ACTION_READ, ACTION_WRITE, ACTION_SUBSCRIBE,
		ACTION_UNSUBSCRIBE };

	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		ck_assert_int_eq(may(0, device, actions[i], "a/b"), ACCESS_DEFER);
		ck_assert_int_eq(may(0, device, actions[i], "$aws/things/x"), ACCESS_DEFER);
	}
}
END_TEST

/* aws-iot D.4: events are not for devices. */
static const struct {
	enum action action;
	const char *topic;
	enum access access;
} device_rights[] = {
	{ ACTION_WRITE, "a/b", ACCESS_ALLOW },
	{ ACTION_READ, "a/b", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "#", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$SYS/#", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$share/g/a/b", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$share/g", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$awsome", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$aws/events/#", ACCESS_DENY },
	{ ACTION_SUBSCRIBE, "$aws/#", ACCESS_DENY },
	{ ACTION_SUBSCRIBE, "$share/g/$aws/events/#", ACCESS_DENY },
	{ ACTION_SUBSCRIBE, "$share//$aws/#", ACCESS_DENY },
	{ ACTION_READ, "$aws/events/certificates/registered/x", ACCESS_DENY },
	{ ACTION_WRITE, "$aws/things/x", ACCESS_DENY },
	{ ACTION_UNSUBSCRIBE, "$aws/events/#", ACCESS_ALLOW },
	{ ACTION_WRITE, CONTROL_TOPIC, ACCESS_ALLOW }, /* the answer says no */
	{ ACTION_WRITE, CONTROL_RESPONSE_TOPIC, ACCESS_DENY },
};

START_TEST(authorization_allow_allows_all_but_reserved_topics)
{
	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_msg(may(0, device, device_rights[_i].action, device_rights[_i].topic) ==
		device_rights[_i].access,
	    "%s", device_rights[_i].topic);
}
END_TEST

/* Topics of other plugins' administration: whatever an option says, they and acl_file
 * are asked (mosquitto section 7). */
static const struct {
	enum action action;
	const char *topic;
	enum access access;
} control_rights[] = {
	{ ACTION_WRITE, "$CONTROL", ACCESS_DEFER },
	{ ACTION_WRITE, "$CONTROL/dynamic-security/v1", ACCESS_DEFER },
	{ ACTION_WRITE, "$CONTROL/jitrx/v1", ACCESS_DEFER },
	{ ACTION_READ, "$CONTROL/dynamic-security/v1/response", ACCESS_DEFER },
	{ ACTION_SUBSCRIBE, "$CONTROL/#", ACCESS_DEFER },
	{ ACTION_SUBSCRIBE, "$CONTROL/+/v1/response", ACCESS_DEFER },
	{ ACTION_SUBSCRIBE, "$share/g/$CONTROL/dynamic-security/#", ACCESS_DEFER },
	{ ACTION_WRITE, "$CONTROLS/x", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$share/g/x/$CONTROL", ACCESS_ALLOW },
};

START_TEST(control_topics_of_other_plugins_are_never_allowed)
{
	enum action action = control_rights[_i].action;
	const char *topic = control_rights[_i].topic;
	char id[20] = "client";
	enum access known;

	config.authorization = AUTHORIZATION_ALLOW;
	config.other_clients = OTHER_CLIENTS_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	for (int again = 0; again < 2; again++)
		ck_assert_msg(may(0, device, action, topic) == control_rights[_i].access, "%s",
		    topic);
	snprintf(id, sizeof(id), "%s", client(0, device).id);
	if (gates_access_known(&clients[0], id, world_hex(device), action, topic, &known))
		ck_assert_int_eq(known, control_rights[_i].access);
	ck_assert_int_eq(may_named("somebody", action, topic), control_rights[_i].access);
	ck_assert_int_eq(may_named("admin", action, topic), control_rights[_i].access);
	ck_assert_int_eq(may_named(world_hex(device), action, topic), control_rights[_i].access);
}
END_TEST

/* Administrators receive what others must not, also with authorization defer. */
static const struct {
	enum action action;
	const char *topic;
	enum access access;
} admin_rights[] = {
	{ ACTION_WRITE, CONTROL_TOPIC, ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, CONTROL_RESPONSE_TOPIC, ACCESS_ALLOW },
	{ ACTION_READ, CONTROL_RESPONSE_TOPIC, ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$aws/events/#", ACCESS_ALLOW },
	{ ACTION_READ, "$aws/events/certificates/registered/x", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$share/g/$aws/events/certificates/registered/+", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$SYS/broker/jitr/#", ACCESS_ALLOW },
	{ ACTION_SUBSCRIBE, "$SYS/#", ACCESS_DEFER },
	{ ACTION_SUBSCRIBE, "a", ACCESS_DEFER },
	{ ACTION_WRITE, "a", ACCESS_DEFER },
	{ ACTION_WRITE, "$aws/events/x", ACCESS_DENY },
};

START_TEST(an_administrator_by_name_receives_events)
{
	log_in(0, "admin");
	ck_assert_msg(may_named("admin", admin_rights[_i].action, admin_rights[_i].topic) ==
		admin_rights[_i].access,
	    "%s", admin_rights[_i].topic);
	log_in(0, "admin2");
	if (admin_rights[_i].action != ACTION_WRITE)
		ck_assert_int_eq(may_named("admin2", admin_rights[_i].action,
				     admin_rights[_i].topic),
		    ACCESS_DEFER);
}
END_TEST

START_TEST(an_administrator_by_certificate_receives_events)
{
	struct pki_cert *other = pki_device(ca, "device-2");

	put_admin(CERT_ACTIVE);
	put(other, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(2, other), VERDICT_ALLOW);
	ck_assert_msg(may(1, device, admin_rights[_i].action, admin_rights[_i].topic) ==
		admin_rights[_i].access,
	    "%s", admin_rights[_i].topic);
	if (admin_rights[_i].action != ACTION_WRITE)
		ck_assert_int_eq(may(2, other, admin_rights[_i].action, admin_rights[_i].topic),
		    ACCESS_DEFER);
	pki_free(other);
}
END_TEST

/* Sessions restored from disk have neither certificate nor address: the name that was
 * stored with them tells (mosquitto section 0, 11). */
START_TEST(a_restored_session_is_judged_by_its_name)
{
	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_READ, "a"),
	    ACCESS_DENY); /* unknown */
	put_and_tell(device, CERT_ACTIVE);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_READ, "a"), ACCESS_ALLOW);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_WRITE, "$aws/x"), ACCESS_DENY);
	put_and_tell(device, CERT_REVOKED);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_READ, "a"), ACCESS_DENY);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_WRITE, "a"), ACCESS_DENY);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
}
END_TEST

START_TEST(a_restored_session_beside_a_live_one_is_judged_by_its_name)
{
	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_READ, "a"), ACCESS_ALLOW);
	put_and_tell(device, CERT_INACTIVE);
	ck_assert_int_eq(may_restored(world_hex(device), ACTION_READ, "a"), ACCESS_DENY);
}
END_TEST

/*
 * The rights to the control topic.
 */

static bool
may_administer(int n, const struct pki_cert *c, const char *name, const char *address)
{
	struct client presented = client(n, c);

	presented.user_name = name;
	presented.address = address;
	if (c == NULL)
		log_in(n, name);
	return gate_administration(gate, &presented) == ADMINISTRATION_ALL;
}

START_TEST(an_administrator_has_a_name_that_others_checked)
{
	ck_assert(may_administer(0, NULL, "admin", "::1"));
	ck_assert(!may_administer(0, NULL, "admin ", "::1"));
	ck_assert(!may_administer(0, NULL, "Admin", "::1"));
	ck_assert(!may_administer(0, NULL, NULL, "::1"));
	ck_assert(!may_administer(0, NULL, "admin", NULL)); /* a bridge */
}
END_TEST

START_TEST(an_administrator_may_have_an_active_certificate)
{
	put_admin(CERT_ACTIVE);
	ck_assert(!may_administer(0, device, "admin", "::1")); /* not connected yet */
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert(may_administer(0, device, NULL, "::1"));
	ck_assert(!may_administer(0, device, NULL, NULL));
	ck_assert(!may_administer(0, NULL, world_hex(device), "::1"));
	put_and_tell(device, CERT_INACTIVE);
	ck_assert(!may_administer(0, device, NULL, "::1"));
}
END_TEST

START_TEST(a_device_with_the_name_of_an_administrator_is_none)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert(!may_administer(0, device, "admin", "::1"));
}
END_TEST

/* The name counts only if the connect check saw it. */
START_TEST(the_name_with_an_unknown_certificate_counts_if_others_checked_it)
{
	struct pki_cert *other = pki_ca("Another CA"), *stranger = pki_device(other, "stranger");
	struct client c = client(0, stranger);

	config.rules.decide.defer_unknown = true;
	open_gate();
	c.user_name = "admin";
	c.name_to_check = true;
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER);
	ck_assert(gate_administration(gate, &c) == ADMINISTRATION_ALL);
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "$aws/events/#", false), ACCESS_ALLOW);
	c.name_to_check = false;
	c.handle = &clients[1]; /* a listener that takes the name from the certificate */
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "$aws/events/#", false), ACCESS_DEFER);
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
	pki_free(stranger);
	pki_free(other);
}
END_TEST

/* Extended authentication may check another name than the user name. */
START_TEST(a_name_that_was_not_checked_makes_no_administrator)
{
	struct client c = named("admin");

	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER); /* EXT_AUTH_START */
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "$aws/events/#", false), ACCESS_DEFER);
	c.handle = &clients[1]; /* never seen at CONNECT: another plugin was asked before */
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "$aws/events/#", false), ACCESS_DEFER);
	ck_assert(gate_caller(gate, &c).session != 0); /* but it can be answered */
}
END_TEST

START_TEST(a_connected_client_named_like_a_certificate_has_no_rights)
{
	struct client c = named(world_hex(device));

	config.authorization = AUTHORIZATION_ALLOW;
	config.other_clients = OTHER_CLIENTS_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	for (int action = ACTION_READ; action <= ACTION_UNSUBSCRIBE; action++)
		ck_assert_int_eq(gates_access(&c, (enum action)action, "a", false), ACCESS_DENY);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DENY);
}
END_TEST

/*
 * Clients that left: their wills, also delayed ones, and their offline sessions.
 */

START_TEST(a_client_that_left_has_one_will)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	/* What it subscribed to is judged while it is being closed. */
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "a", false), ACCESS_ALLOW);
	gate_tick(gate);
	c.x = NULL;
	ck_assert_int_eq(gates_access(&c, ACTION_SUBSCRIBE, "a", false), ACCESS_DENY);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DENY);
	ck_assert_int_eq(gates_access(&c, ACTION_READ, "a", false), ACCESS_ALLOW);
}
END_TEST

START_TEST(a_will_of_mqtt_3_is_published_before_the_tick)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	c.version = 4;
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	gate_release(gate); /* at every tick of the broker */
	c.x = NULL;
	ck_assert_int_eq(gates_access(&c, ACTION_READ, "a", false), ACCESS_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DENY);
}
END_TEST

/* 2.0 does not tell plugins of a CONNECT with a pre-shared key. */
START_TEST(a_client_whose_name_is_a_psk_identity_is_forgotten_at_the_tick)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	c.user_name = world_hex(device);
	ck_assert(!gate_add_psk_name(gate, "meter"));
	ck_assert(gate_add_psk_name(gate, "admin"));
	ck_assert(gate_add_psk_name(gate, world_hex(device)));
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_ALLOW);
	gate_release(gate);
	c.x = NULL;
	for (int action = ACTION_READ; action <= ACTION_UNSUBSCRIBE; action++)
		ck_assert_int_eq(gates_access(&c, (enum action)action, "a", false), ACCESS_DENY);
}
END_TEST

/* 2.1 asks about keys, and tells plugins of every client that is connected. */
START_TEST(a_client_with_a_psk_is_another_client)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	c.user_name = world_hex(device);
	for (int i = 0; i < 2; i++) {
		c.x = client(0, device).x;
		ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
		gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
		gate_tick(gate);
		c.x = NULL;
		ck_assert_int_eq(gates_access(&c, ACTION_READ, "a", false), ACCESS_ALLOW);
		if (i == 0)
			ck_assert(gate_psk(gate, &c, "meter"));
		else
			gate_connected(gate, &c);
		ck_assert_int_eq(gates_access(&c, ACTION_READ, "a", false), ACCESS_DENY);
	}
	ck_assert(!gate_psk(gate, &c, c.user_name));
}
END_TEST

START_TEST(the_next_client_at_the_address_is_another_client)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	log_in(0, "somebody");
	ck_assert_int_eq(may_named("somebody", ACTION_WRITE, "a"), ACCESS_DEFER);
	ck_assert_int_eq(may_named("somebody", ACTION_READ, "a"), ACCESS_DEFER);
}
END_TEST

/* The broker frees a client of MQTT 3.1.1 with clean session at once, and it can have no
 * delayed will. */
START_TEST(a_client_that_the_broker_frees_is_forgotten_at_the_tick)
{
	struct client c = client(0, device);

	config.authorization = AUTHORIZATION_ALLOW;
	open_gate();
	put(device, CERT_ACTIVE);
	c.version = 4;
	c.clean_session = true;
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	gate_tick(gate);
	c.x = NULL;
	c.user_name = "u1";
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DEFER);
}
END_TEST

START_TEST(the_will_of_a_client_that_was_never_seen_is_not_published)
{
	struct client c = named("u1");

	config.other_clients = OTHER_CLIENTS_ALLOW;
	open_gate();
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DENY);
}
END_TEST

/*
 * Answers: the broker looks up the client id when it sends them.
 */

START_TEST(a_client_id_is_held_until_its_answer_is_sent)
{
	struct client asker = named("admin"), other = client(1, NULL);
	struct caller caller;

	log_in(0, "admin");
	caller = gate_caller(gate, &asker);
	ck_assert(gate_is_connected(gate, &caller));
	ck_assert(gate_hold(gate, &caller, "d1"));
	other.name_to_check = true;
	ck_assert_int_eq(gate_connect(gate, &other), VERDICT_DENY);
	ck_assert(world_said("code=CLIENT_ID_BUSY"));
	other.id = "d2";
	ck_assert_int_eq(gate_connect(gate, &other), VERDICT_DEFER);
	gate_release(gate);
	other.id = "d1";
	ck_assert_int_eq(gate_connect(gate, &other), VERDICT_DEFER);
	gate_disconnected(gate, &asker, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert(!gate_is_connected(gate, &caller));
	log_in(0, "admin"); /* the same address, user and client id: another connection */
	ck_assert(!gate_is_connected(gate, &caller));
}
END_TEST

/*
 * Clients that bypassed the connect check (mosquitto section 0, 6).
 */

START_TEST(a_bypassed_client_is_refused_at_once_and_disconnected_at_the_tick)
{
	put(device, CERT_REVOKED);
	ck_assert_int_eq(may(0, device, ACTION_SUBSCRIBE, "a"), ACCESS_DENY);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	/* In the middle of a delivery nothing is logged and no client is disconnected. */
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	gate_tick(gate);
	ck_assert(world_said("connection refused: reason=\"revoked\""));
	ck_assert(world_said("client=\"d1\" address=203.0.113.7 subject=\"CN=device-1\""));
	ck_assert(world_said("connection closed: reason=\"revoked\""));
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(device));
	ck_assert_uint_eq(stats.refused, 1);
	ck_assert_uint_eq(stats.closed, 1);
}
END_TEST

START_TEST(a_bypassed_client_is_named_and_reported_at_the_tick)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DEFER);
	ck_assert_str_eq(world_last(NOTE_NAME)->text, world_hex(device));
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	gate_tick(gate);
	ck_assert(world_said("connection accepted"));
	ck_assert_uint_eq(stats.accepted, 1);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DEFER);
	gate_tick(gate);
	ck_assert_uint_eq(stats.accepted, 1);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/* The broker frees the name that it had (mosquitto_set_username): named once, what was read
 * before is not looked at again. */
START_TEST(a_bypassed_client_is_named_once)
{
	struct client c = client(0, device);

	put(device, CERT_ACTIVE);
	c.user_name = "d1";
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "a", false), ACCESS_DEFER);
	ck_assert_uint_eq(world_count(NOTE_NAME), 1);
}
END_TEST

START_TEST(a_bypassed_first_connection_is_registered)
{
	struct cert cert;

	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	world_settle();
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_PENDING_ACTIVATION);
	gate_tick(gate);
	ck_assert(world_said("registered now, waits for activation"));
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
}
END_TEST

START_TEST(a_bypassed_registration_in_a_full_queue_is_logged)
{
	world_stop_writer();
	world_start_writer(1, 1);
	open_gate();
	world_hold_writer();
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert(world_said("certificate not registered"));
	ck_assert_uint_eq(stats.busy, 1);
	world_release_writer();
}
END_TEST

/* From 2.1 on the broker says when a client is connected. */
START_TEST(a_bypassed_client_is_judged_when_it_is_connected)
{
	struct client c = client(0, device);

	put(device, CERT_INACTIVE);
	gate_connected(gate, &c);
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(device));
	put(device, CERT_ACTIVE);
	world_forget();
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	c.handle = &clients[1];
	gate_connected(gate, &c); /* a client that passed the check is known */
	gate_tick(gate);
	ck_assert_uint_eq(stats.accepted, 1);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	c.x = NULL;
	gate_connected(gate, &c); /* no certificate: not judged */
}
END_TEST

/* The broker reuses the address of a client that left. */
START_TEST(a_known_address_with_another_certificate_is_judged)
{
	struct pki_cert *other = pki_device(ca, "device-2");

	put(device, CERT_ACTIVE);
	put(other, CERT_REVOKED);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(may(0, other, ACTION_WRITE, "a"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(other));
	pki_free(other);
}
END_TEST

START_TEST(a_client_at_the_address_of_one_that_left_is_judged)
{
	struct pki_cert *other = pki_device(ca, "device-2");
	struct client c = client(0, device);

	put(device, CERT_ACTIVE);
	put(other, CERT_REVOKED);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(may(0, other, ACTION_SUBSCRIBE, "a"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(other));
	pki_free(other);
}
END_TEST

/* The one that left had no certificate. */
START_TEST(a_client_at_the_address_of_one_without_certificate_is_judged)
{
	struct client plain = client(0, device);

	put(device, CERT_ACTIVE);
	plain.x = NULL;
	ck_assert_int_eq(gate_connect(gate, &plain), VERDICT_DEFER);
	gate_disconnected(gate, &plain, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DEFER);
	gate_tick(gate);
	ck_assert_uint_eq(stats.accepted, 1); /* as a connection */
}
END_TEST

START_TEST(notices_are_dropped_when_the_gate_closes)
{
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	world_settle();
	open_gate(); /* closes the old one */
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/*
 * Reload (mosquitto section 0, 1).
 */

static enum verdict
reload_asks(const char *name, const struct pki_cert *c, bool websockets)
{
	struct client asked = client(0, c);

	asked.user_name = name;
	asked.websockets = websockets;
	if (c == NULL)
		asked.address = NULL;
	return gate_connect(gate, &asked);
}

START_TEST(while_reloading_nothing_is_registered_announced_or_logged)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_forget();
	gate_reload(gate);
	ck_assert_int_eq(reload_asks("u1", device, false), VERDICT_ALLOW);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	ck_assert_uint_eq(stats.accepted, 1);
	put(device, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(reload_asks("u1", device, false), VERDICT_DENY);
	remove_cert(device);
	ck_assert_int_eq(reload_asks("u1", device, false), VERDICT_DENY);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
	gate_tick(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 1);
}
END_TEST

START_TEST(while_reloading_an_offline_session_keeps_its_name)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(reload_asks(world_hex(device), NULL, false), VERDICT_DENY);
	gate_reload(gate);
	ck_assert_int_eq(reload_asks(world_hex(device), NULL, false), VERDICT_ALLOW);
	ck_assert_int_eq(reload_asks("somebody", NULL, false), VERDICT_DEFER);
	gate_tick(gate);
	ck_assert_int_eq(reload_asks(world_hex(device), NULL, false), VERDICT_DENY);
}
END_TEST

/* A client without a certificate connects while the broker reloads: a websockets connection
 * is never an offline session. */
START_TEST(while_reloading_a_websocket_named_like_a_certificate_is_refused)
{
	put(device, CERT_ACTIVE);
	gate_reload(gate);
	ck_assert_int_eq(reload_asks(world_hex(device), NULL, true), VERDICT_DENY);
	ck_assert(world_said("claims the name of a certificate"));
}
END_TEST

/*
 * Changes.
 */

START_TEST(a_change_takes_effect_at_once_and_disconnects_at_the_tick)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	put_and_tell(device, CERT_REVOKED);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	ck_assert_int_eq(may(1, device, ACTION_READ, "a"), ACCESS_DENY);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 2);
	ck_assert(world_said("connection closed: reason=\"revoked\""));
	ck_assert_uint_eq(stats.closed, 1); /* a certificate */
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 2);
}
END_TEST

START_TEST(a_change_of_one_form_of_a_certificate_reaches_the_other)
{
	struct pki_cert *twin = pki_twin(device, ca);

	put(device, CERT_ACTIVE);
	world_wait(1000);
	put(twin, CERT_INACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	put_and_tell(twin, CERT_REVOKED);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	pki_free(twin);
}
END_TEST

START_TEST(deleting_a_certificate_disconnects_its_clients)
{
	struct certid id = world_id(device);

	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	remove_cert(device);
	gate_changed(gate, &id);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
}
END_TEST

START_TEST(a_client_activated_again_before_the_tick_stays)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	put_and_tell(device, CERT_INACTIVE);
	put_and_tell(device, CERT_ACTIVE);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DEFER);
	put_and_tell(device, CERT_INACTIVE);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
}
END_TEST

START_TEST(a_change_of_another_certificate_has_no_effect)
{
	struct pki_cert *other = pki_device(ca, "device-2");

	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	put_and_tell(other, CERT_REVOKED);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	pki_free(other);
}
END_TEST

/* Another process wrote: all sessions are judged again. */
START_TEST(a_change_from_elsewhere_reaches_the_next_packet_and_the_next_tick)
{
	struct pki_cert *quiet = pki_device(ca, "device-2");

	put(device, CERT_ACTIVE);
	put(quiet, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, quiet), VERDICT_ALLOW);
	put(device, CERT_INACTIVE);
	put(quiet, CERT_INACTIVE);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DEFER); /* not known yet */
	gate_changed(gate, NULL);
	ck_assert_int_eq(may(0, device, ACTION_WRITE, "a"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 2);
	pki_free(quiet);
}
END_TEST

enum { MANY = 300 }; /* more than one tick looks after */

static void
connect_many(struct pki_cert **many)
{
	for (int i = 0; i < MANY; i++) {
		many[i] = pki_device(ca, "one of many");
		put(many[i], CERT_ACTIVE);
		must(connect_as(i, many[i]) == VERDICT_ALLOW);
	}
}

START_TEST(many_clients_are_judged_in_slices)
{
	struct pki_cert *many[MANY];

	connect_many(many);
	for (int i = 0; i < MANY; i++)
		put(many[i], CERT_INACTIVE);
	gate_changed(gate, NULL);
	for (int ticks = 0; world_count(NOTE_KICK) < MANY; ticks++) {
		ck_assert_int_lt(ticks, MANY + 2); /* at least one is cut off at each */
		gate_tick(gate);
	}
	for (int i = 0; i < MANY; i++)
		pki_free(many[i]);
}
END_TEST

/* The broker calls us from within the kick: the client has disconnected. */
static void
disconnect_kicked(const struct note *n)
{
	if (n->kind != NOTE_KICK)
		return;
	leave(0);
	leave(1);
}

START_TEST(a_kick_may_call_the_plugin_again)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	put_and_tell(device, CERT_INACTIVE);
	world.on_note = disconnect_kicked;
	gate_tick(gate);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
}
END_TEST

/* mosquitto section 0, 19: a log line is a message on $SYS, which asks us. */
static void
deliver_log(const struct note *n)
{
	disconnect_kicked(n);
	if (n->kind == NOTE_LINE)
		(void)may(0, device, ACTION_READ, "$SYS/broker/log/N");
}

START_TEST(a_log_line_may_call_the_plugin_again)
{
	struct pki_cert *other = pki_device(ca, "device-2");

	put(device, CERT_ACTIVE);
	world.on_note = deliver_log;
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, other), VERDICT_DENY);
	world_settle();
	put_and_tell(device, CERT_INACTIVE);
	gate_tick(gate);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	pki_free(other);
}
END_TEST

START_TEST(a_client_that_left_is_forgotten)
{
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	leave(0);
	put_and_tell(device, CERT_INACTIVE);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

static void
connect_tests(TCase *t)
{
	tcase_add_test(t, an_active_certificate_is_accepted_and_named_by_its_id);
	tcase_add_test(t, a_first_connection_is_refused_and_registered);
	tcase_add_loop_test(t, a_certificate_that_is_not_active_is_refused, 0, COUNT_OF(refusals));
	tcase_add_loop_test(t, another_form_of_a_known_certificate_is_refused_by_its_signed_part, 0,
	    CERT_STATUS_COUNT);
	tcase_add_loop_test(t, of_two_with_one_signed_part_one_stands, 0, COUNT_OF(pairs));
	tcase_add_test(t, a_pending_certificate_is_announced_again);
	tcase_add_test(t, two_simultaneous_first_connections_register_once);
	tcase_add_test(t, a_ca_that_may_not_register_does_not);
	tcase_add_test(t, a_certificate_of_an_unknown_ca_is_refused);
	tcase_add_test(t, an_issuer_name_without_a_signature_is_refused);
	tcase_add_loop_test(t, a_weak_or_malformed_certificate_is_not_registered, 0,
	    COUNT_OF(unfit));
	tcase_add_test(t, an_unreadable_certificate_is_refused_without_an_id);
	tcase_add_test(t, an_active_certificate_is_accepted_after_its_ca_is_deleted);
	tcase_add_test(t, an_active_certificate_of_an_expired_ca_is_accepted_by_its_renewed_one);
	tcase_add_test(t, a_full_queue_postpones_the_registration);
	tcase_add_test(t, a_registration_that_cannot_be_stored_is_logged);
	tcase_add_test(t, a_client_that_cannot_be_named_is_refused);
	tcase_add_test(t, a_client_without_a_certificate_is_deferred);
	tcase_add_test(t, an_unset_other_clients_is_logged_once_at_a_tick);
	tcase_add_test(t, a_user_name_like_a_certificate_id_is_refused);
	tcase_add_test(t, a_user_name_that_only_resembles_an_id_is_accepted);
	tcase_add_test(t, unknown_certificates_are_deferred_with_unknown_ca_defer);
}

static void
access_tests(TCase *t)
{
	tcase_add_test(t, no_client_publishes_to_a_reserved_topic);
	tcase_add_test(t, an_active_certificate_is_deferred_with_authorization_defer);
	tcase_add_loop_test(t, control_topics_of_other_plugins_are_never_allowed, 0,
	    COUNT_OF(control_rights));
	tcase_add_loop_test(t, authorization_allow_allows_all_but_reserved_topics, 0,
	    COUNT_OF(device_rights));
	tcase_add_loop_test(t, an_administrator_by_name_receives_events, 0, COUNT_OF(admin_rights));
	tcase_add_loop_test(t, an_administrator_by_certificate_receives_events, 0,
	    COUNT_OF(admin_rights));
	tcase_add_test(t, a_restored_session_is_judged_by_its_name);
	tcase_add_test(t, a_restored_session_beside_a_live_one_is_judged_by_its_name);
	tcase_add_test(t, an_administrator_has_a_name_that_others_checked);
	tcase_add_test(t, an_administrator_may_have_an_active_certificate);
	tcase_add_test(t, a_device_with_the_name_of_an_administrator_is_none);
	tcase_add_test(t, the_name_with_an_unknown_certificate_counts_if_others_checked_it);
	tcase_add_test(t, a_name_that_was_not_checked_makes_no_administrator);
	tcase_add_test(t, a_connected_client_named_like_a_certificate_has_no_rights);
	tcase_add_test(t, a_client_that_left_has_one_will);
	tcase_add_test(t, a_will_of_mqtt_3_is_published_before_the_tick);
	tcase_add_test(t, a_client_whose_name_is_a_psk_identity_is_forgotten_at_the_tick);
	tcase_add_test(t, a_client_with_a_psk_is_another_client);
	tcase_add_test(t, the_next_client_at_the_address_is_another_client);
	tcase_add_test(t, a_client_that_the_broker_frees_is_forgotten_at_the_tick);
	tcase_add_test(t, the_will_of_a_client_that_was_never_seen_is_not_published);
	tcase_add_test(t, a_client_id_is_held_until_its_answer_is_sent);
}

static void
late_tests(TCase *t)
{
	tcase_add_test(t, a_bypassed_client_is_refused_at_once_and_disconnected_at_the_tick);
	tcase_add_test(t, a_bypassed_client_is_named_and_reported_at_the_tick);
	tcase_add_test(t, a_bypassed_client_is_named_once);
	tcase_add_test(t, a_bypassed_first_connection_is_registered);
	tcase_add_test(t, a_bypassed_registration_in_a_full_queue_is_logged);
	tcase_add_test(t, a_bypassed_client_is_judged_when_it_is_connected);
	tcase_add_test(t, a_known_address_with_another_certificate_is_judged);
	tcase_add_test(t, a_client_at_the_address_of_one_that_left_is_judged);
	tcase_add_test(t, a_client_at_the_address_of_one_without_certificate_is_judged);
	tcase_add_test(t, notices_are_dropped_when_the_gate_closes);
	tcase_add_test(t, while_reloading_nothing_is_registered_announced_or_logged);
	tcase_add_test(t, while_reloading_an_offline_session_keeps_its_name);
	tcase_add_test(t, while_reloading_a_websocket_named_like_a_certificate_is_refused);
}

static void
change_tests(TCase *t)
{
	tcase_add_test(t, a_change_takes_effect_at_once_and_disconnects_at_the_tick);
	tcase_add_test(t, a_change_of_one_form_of_a_certificate_reaches_the_other);
	tcase_add_test(t, deleting_a_certificate_disconnects_its_clients);
	tcase_add_test(t, a_client_activated_again_before_the_tick_stays);
	tcase_add_test(t, a_change_of_another_certificate_has_no_effect);
	tcase_add_test(t, a_change_from_elsewhere_reaches_the_next_packet_and_the_next_tick);
	tcase_add_test(t, many_clients_are_judged_in_slices);
	tcase_add_test(t, a_kick_may_call_the_plugin_again);
	tcase_add_test(t, a_log_line_may_call_the_plugin_again);
	tcase_add_test(t, a_client_that_left_is_forgotten);
}

static TCase *
gate_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_set_timeout(t, 30);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("gate");

	connect_tests(gate_case(suite, "CONNECT"));
	access_tests(gate_case(suite, "access"));
	late_tests(gate_case(suite, "past the connect check, and reload"));
	change_tests(gate_case(suite, "changes"));
	return suite_run(suite);
}
