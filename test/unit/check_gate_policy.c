/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_gate_policy.c - what a client may do by the policies of its
 * certificate, at once and after every change (gate.h; aws-iot F).
 */
#include <stdio.h>
#include <string.h>

#include "jitr/service/caller_rights.h"
#include "gates.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_thing.h"
#include "jitr/adapter/x509.h"
#include "suite.h"

static char clients[400];
static char hex_name[CERTID_HEX_SIZE];

#define A                    "arn:aws:iot:local:123456789012"
#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(action, resource) \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource "\"}"
#define DENY(action, resource) \
	"{\"Effect\":\"Deny\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource "\"}"
#define CONNECT ALLOW("Connect", A ":client/*")

static void
set_up(void)
{
	gates_open(AUTHORIZATION_POLICY, "device-1");
	world_put_cert(device, ca, CERT_ACTIVE);
	world_start_writer(64, 16);
	memcpy(hex_name, world_hex(device), sizeof(hex_name));
	open_gate();
}

/*
 * Changes, as requests make them.
 */

static void
settled(struct txn *t, enum err e)
{
	ck_assert_int_eq(e, ERR_OK);
	world_commit(t);
}

static void
create(const char *name, const char *document)
{
	struct txn t;

	world_change(&t);
	settled(&t,
	    registry_create_policy(&t, view_of(name), view_of(document), world_now(), NULL));
}

static void
attach(const char *name, const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	settled(&t, registry_attach_policy(&t, view_of(name), &id, NULL));
	gate_changed(gate, &id);
}

static void
detach(const char *name, const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	settled(&t, registry_detach_policy(&t, view_of(name), &id, NULL));
	gate_changed(gate, &id);
}

static void
new_version(const char *name, const char *document)
{
	uint32_t number;
	struct txn t;

	world_change(&t);
	settled(&t,
	    registry_create_policy_version(&t, view_of(name),
		&(struct new_policy_version){ view_of(document), true }, world_now(), &number,
		NULL));
	gate_policy_changed(gate, view_of(name));
}

/* A device with one policy of these statements. */
static void
give(const char *document)
{
	create("p", document);
	attach("p", device);
}

/*
 * Clients.
 */

static struct client
client_as(int n, const char *client_id)
{
	return (struct client){ .handle = &clients[n],
		.id = client_id,
		.user_name = "u1",
		.address = "203.0.113.7",
		.x = device->x,
		.clean_session = true };
}

static enum verdict
connect_as(int n, const char *client_id)
{
	struct client c = client_as(n, client_id);

	return gate_connect(gate, &c);
}

static enum access
may_as(int n, const char *client_id, enum action action, const char *topic)
{
	struct client c = client_as(n, client_id);
	enum access known, looked = gates_access(&c, action, topic, false);

	/* The short way answers the same wherever it answers. */
	if (gates_access_known(c.handle, client_id, hex_name, action, topic, &known))
		ck_assert_int_eq(known, looked);
	return looked;
}

static enum access
may(enum action action, const char *topic)
{
	return may_as(0, "d1", action, topic);
}

static enum access
may_absent(enum action action, const char *topic, bool retain)
{
	struct client c = { .handle = &clients[9], .id = "d1", .user_name = hex_name };

	return gates_access(&c, action, topic, retain);
}

/*
 * Connecting.
 */

START_TEST(an_active_certificate_without_policies_is_refused)
{
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_DENY);
	ck_assert(world_said("no policy is attached"));
	ck_assert_int_eq(may(ACTION_WRITE, "a"), ACCESS_DENY);
}
END_TEST

START_TEST(a_policy_with_no_statements_allows_nothing)
{
	give(DOCUMENT(""));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_DENY);
	ck_assert(world_said("do not allow it to connect with this client id"));
}
END_TEST

START_TEST(connect_is_judged_by_the_client_id)
{
	give(DOCUMENT(ALLOW("Connect", A ":client/d1")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, "d2"), VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, "d1x"), VERDICT_DENY);
}
END_TEST

START_TEST(a_client_id_may_be_the_name_in_the_certificate)
{
	give(DOCUMENT(ALLOW("Connect", A ":client/${iot:Certificate.Subject.CommonName}")));
	ck_assert_int_eq(connect_as(0, "device-1"), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, "d1"), VERDICT_DENY);
}
END_TEST

/* An administrator has to attach the first policy. */
START_TEST(an_administrators_certificate_connects_without_policies)
{
	admin_ids[0] = world_id(device);
	open_gate();
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "$aws/events/#"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "a"), ACCESS_DENY);
	memset(admin_ids, 0, sizeof(admin_ids));
}
END_TEST

#define PERSISTENT(condition) \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"*\",\"Condition\":{" condition \
	"}}"

START_TEST(a_persistent_session_is_seen_and_a_will_is_not)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(PERSISTENT("\"ForAllValues:StringEquals\":{\"iot:ConnectAttributes\":"
				 "[\"LastWill\"]}")));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	c.clean_session = false;
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DENY);
	/* Whether there is a will decides, and cannot be known. */
	new_version("p",
	    DOCUMENT(PERSISTENT("\"ForAllValues:StringEquals\":"
				"{\"iot:ConnectAttributes\":[\"PersistentConnect\"]}")));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DENY);
	/* Whether there is one or not, it is allowed. */
	new_version("p",
	    DOCUMENT(
		PERSISTENT("\"ForAllValues:StringEquals\":"
			   "{\"iot:ConnectAttributes\":[\"PersistentConnect\",\"LastWill\"]}")));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
}
END_TEST

static void
ck_forbidden(struct client *c)
{
	c->clean_session = true;
	ck_assert_int_eq(gate_connect(gate, c), VERDICT_DENY);
	c->clean_session = false;
	ck_assert_int_eq(gate_connect(gate, c), VERDICT_DENY);
}

/* Of MQTT 5 the broker shows the clean start flag and not the session expiry interval: a
 * session that may persist is not let past a policy that forbids it. */
START_TEST(persistence_of_mqtt_5_is_hidden)
{
	struct client c = client_as(0, "d1");

	c.version = 5;
	give(DOCUMENT(CONNECT));
	new_version("p",
	    DOCUMENT(PERSISTENT("\"ForAllValues:StringNotEquals\":"
				"{\"iot:ConnectAttributes\":[\"PersistentConnect\"]}")));
	ck_forbidden(&c);
	new_version("p",
	    DOCUMENT(CONNECT ",{\"Effect\":\"Deny\",\"Action\":\"iot:Connect\","
			     "\"Resource\":\"*\",\"Condition\":{\"ForAnyValue:StringEquals\":"
			     "{\"iot:ConnectAttributes\":\"PersistentConnect\"}}}"));
	ck_forbidden(&c);
	new_version("p",
	    DOCUMENT(
		PERSISTENT("\"ForAllValues:StringEquals\":"
			   "{\"iot:ConnectAttributes\":[\"PersistentConnect\",\"LastWill\"]}")));
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
}
END_TEST

static void
take(const struct pki_cert *c, int n, bool clean, int version)
{
	struct client client = client_as(n, "d1");

	client.x = c->x;
	client.clean_session = clean;
	client.version = version;
	ck_assert_int_eq(gate_connect(gate, &client), VERDICT_ALLOW);
}

static void
leave(int n)
{
	gate_disconnected(gate, &(struct client){ .handle = &clients[n] },
	    &(struct presence_end){ ANSWER_NO, NULL });
}

/* Closed once: then the broker asks about each subscription (mosquitto section 2). */
static void
ck_taken_over(bool taken)
{
	size_t before = world_count(NOTE_KICK_ONE);

	world.kicks_by_id = true;
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK_ONE) - before, taken);
	if (taken)
		ck_assert_str_eq(world_last(NOTE_KICK_ONE)->to, "d1");
}

START_TEST(a_client_that_resumes_the_session_of_another_certificate_is_disconnected_once)
{
	struct pki_cert *other = pki_device(ca, "device-2");

	give(DOCUMENT(CONNECT));
	world_put_cert(other, ca, CERT_ACTIVE);
	attach("p", other);
	take(device, 0, false, 4);
	ck_taken_over(false);
	leave(0);
	take(device, 0, false, 4); /* its own */
	ck_taken_over(false);
	take(other, 1, false, 4); /* a live one */
	ck_taken_over(true);
	take(other, 2, false, 4); /* its own by now */
	ck_taken_over(false);
	take(device, 3, true, 4); /* a clean session ends the other's, and leaves none */
	ck_taken_over(false);
	take(device, 4, true, 5); /* a clean start may leave one */
	ck_taken_over(false);
	take(other, 5, false, 5);
	leave(5); /* gone before the tick: an offline session is not kicked */
	ck_taken_over(false);
	pki_free(other);
}
END_TEST

/*
 * Doing.
 */

START_TEST(each_action_needs_its_own_right)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(CONNECT "," ALLOW("Publish", A ":topic/w") "," ALLOW("Receive",
	    A ":topic/r") "," ALLOW("Subscribe", A ":topicfilter/s/#") "," ALLOW("RetainPublish",
	    A ":topic/x")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "r"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_READ, "r"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_READ, "w"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "s/#"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "$share/group/s/#"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "s/a"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "$share/group/s/a"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_UNSUBSCRIBE, "anything"), ACCESS_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", true), ACCESS_DENY);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "x", true), ACCESS_DENY);
}
END_TEST

START_TEST(a_retained_publish_needs_both_rights)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(
	    CONNECT "," ALLOW("Publish", A ":topic/w") "," ALLOW("RetainPublish", A ":topic/w")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", true), ACCESS_ALLOW);
	new_version("p", DOCUMENT(CONNECT "," ALLOW("Publish", A ":topic/w")));
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", true), ACCESS_DENY);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_ALLOW);
}
END_TEST

START_TEST(dollar_topics_are_matched_by_name_only)
{
	give(DOCUMENT(CONNECT "," ALLOW("*", "*")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_READ, "a"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_READ, "$SYS/broker/uptime"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "$aws/events/#"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_WRITE, "$dps/x"), ACCESS_DENY);
	new_version("p",
	    DOCUMENT(CONNECT "," ALLOW("*", A ":topic/$SYS/*") "," ALLOW("*", A ":topic/$aws/*")));
	ck_assert_int_eq(may(ACTION_READ, "$SYS/broker/uptime"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_READ, "$aws/events/x"), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "$aws/events/x"), ACCESS_DENY); /* nobody */
}
END_TEST

START_TEST(a_device_sends_requests_and_receives_its_answers)
{
	give(DOCUMENT(CONNECT));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, CONTROL_TOPIC), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, CONTROL_RESPONSE_TOPIC), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_READ, CONTROL_RESPONSE_TOPIC), ACCESS_ALLOW);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "$CONTROL/jitr/#"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_WRITE, CONTROL_RESPONSE_TOPIC), ACCESS_DENY);
}
END_TEST

START_TEST(a_denial_disconnects_if_configured)
{
	config.deny_publish_disconnects = config.deny_subscribe_disconnects = true;
	open_gate();
	give(DOCUMENT(CONNECT));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "a"), ACCESS_DISCONNECT);
	ck_assert_int_eq(may(ACTION_SUBSCRIBE, "a"), ACCESS_DISCONNECT);
	ck_assert_int_eq(may(ACTION_READ, "a"), ACCESS_DENY); /* it would be the publisher */
	ck_assert_int_eq(may_absent(ACTION_WRITE, "a", false), ACCESS_DENY);
}
END_TEST

START_TEST(denials_are_counted_and_logged_once_in_ten_seconds)
{
	give(DOCUMENT(CONNECT));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	world_forget();
	for (int i = 0; i < 3; i++)
		(void)may(ACTION_WRITE, "a\nb");
	ck_assert_uint_eq(world_count(NOTE_LINE), 0); /* not where it happens */
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("publish denied: topic=\"a\\x0ab\" client=\"d1\""));
	ck_assert_uint_ge(stats.denied_publish, 3);
	world_wait(10001);
	(void)may(ACTION_READ, "c");
	gate_tick(gate);
	ck_assert(world_said("receive denied: topic=\"c\""));
}
END_TEST

/*
 * Things.
 */

static void
put_thing(const char *name, const char *type)
{
	struct thing thing = { .name = view_of(name), .type_name = view_of(type) };
	struct generation id;
	struct txn t;

	world_change(&t);
	settled(&t, registry_create_thing(&t, &thing, world_now(), &id, NULL));
}

static void
attach_exclusively(const char *name)
{
	struct certid id = world_id(device);
	struct txn t;

	world_change(&t);
	settled(&t, registry_attach_thing(&t, view_of(name), &id, PRINCIPAL_EXCLUSIVE, NULL));
	gate_changed(gate, &id);
}

static void
attach_thing(const char *name, bool attached)
{
	struct certid id = world_id(device);
	struct txn t;

	world_change(&t);
	settled(&t,
	    attached ? registry_attach_thing(&t, view_of(name), &id, PRINCIPAL_NON_EXCLUSIVE, NULL)
		     : registry_detach_thing(&t, view_of(name), &id, NULL));
	gate_changed(gate, &id);
}

START_TEST(a_thing_has_a_value_only_when_it_is_attached)
{
	give(DOCUMENT(ALLOW("Connect", A ":client/${iot:Connection.Thing.ThingName}")));
	put_thing("d1", "");
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_DENY);
	attach_thing("d1", true);
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, "d2"), VERDICT_DENY);
	attach_thing("d1", false);
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, hex_name);
}
END_TEST

/* AWS IoT developer guide, "Associating an AWS IoT thing to an MQTT client connection". */
START_TEST(an_exclusive_thing_is_the_connections_whatever_its_client_id)
{
	give(DOCUMENT(
	    ALLOW("Connect", A ":client/${iot:Connection.Thing.ThingName}-*") "," ALLOW("Publish",
		A ":topic/${iot:Connection.Thing.ThingName}/"
		  "${iot:Connection.Thing.ThingTypeName}")));
	put_thing("lamp", "light");
	attach_thing("lamp", true);
	ck_assert_int_eq(connect_as(0, "lamp-7"), VERDICT_DENY);
	attach_exclusively("lamp");
	ck_assert_int_eq(connect_as(0, "lamp-7"), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, "lamp"), VERDICT_DENY);
	ck_assert_int_eq(may_as(0, "lamp-7", ACTION_WRITE, "lamp/light"), ACCESS_ALLOW);
	ck_assert_int_eq(may_as(0, "lamp-7", ACTION_WRITE, "lamp-7/light"), ACCESS_DENY);
	attach_thing("lamp", true); /* not exclusively any more */
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, hex_name);
}
END_TEST

START_TEST(a_change_of_a_thing_is_seen_by_live_connections)
{
	struct thing_update update = { .has_type = true, .type_name = view_of("pump") };
	struct txn t;

	give(DOCUMENT(
	    CONNECT "," ALLOW("Publish", A ":topic/${iot:Connection.Thing.ThingTypeName}")));
	put_thing("d1", "valve");
	attach_thing("d1", true);
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "valve"), ACCESS_ALLOW);
	world_change(&t);
	settled(&t, registry_update_thing(&t, view_of("d1"), &update, world_now(), NULL));
	gate_thing_changed(gate, view_of("d1"));
	ck_assert_int_eq(may(ACTION_WRITE, "valve"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_WRITE, "pump"), ACCESS_ALLOW);
	ck_assert_int_eq(may_absent(ACTION_WRITE, "pump", false), ACCESS_ALLOW);
}
END_TEST

/*
 * At once.
 */

START_TEST(the_next_packet_is_judged_by_the_policies_attached_then)
{
	give(DOCUMENT(CONNECT));
	create("w", DOCUMENT(ALLOW("Publish", A ":topic/w")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_DENY);
		attach("w", device);
		ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_ALLOW);
		ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_ALLOW); /* remembered */
		detach("w", device);
	}
}
END_TEST

START_TEST(a_new_default_version_takes_a_right_away_at_once)
{
	give(DOCUMENT(CONNECT "," ALLOW("Publish", "*")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_ALLOW);
	ck_assert_int_eq(may_absent(ACTION_WRITE, "w", false), ACCESS_ALLOW);
	new_version("p",
	    DOCUMENT(CONNECT "," ALLOW("Publish", "*") "," DENY("Publish", A ":topic/w")));
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_DENY);
	ck_assert_int_eq(may(ACTION_WRITE, "v"), ACCESS_ALLOW);
	ck_assert_int_eq(may_absent(ACTION_WRITE, "w", false), ACCESS_DENY);
}
END_TEST

START_TEST(a_client_that_may_not_connect_any_more_is_denied_and_disconnected)
{
	give(DOCUMENT(CONNECT "," ALLOW("Publish", "*")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	new_version("p", DOCUMENT(ALLOW("Connect", A ":client/other") "," ALLOW("Publish", "*")));
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_DENY);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert(world_said("connection closed: reason=\"its policies do not allow"));
}
END_TEST

START_TEST(a_silent_client_is_disconnected_too)
{
	give(DOCUMENT(CONNECT));
	for (int n = 0; n < 300; n++)
		ck_assert_int_eq(connect_as(n, "d1"), VERDICT_ALLOW);
	detach("p", device);
	while (gate_tick(gate))
		continue;
	ck_assert_uint_eq(world_count(NOTE_KICK), 300);
	ck_assert(world_said("no policy is attached"));
}
END_TEST

static void
end_kicked(const struct note *n)
{
	static const struct presence_end end = { ANSWER_NO, NULL };

	if (n->kind == NOTE_KICK_ONE) {
		ck_assert_ptr_eq(n->client, &clients[1]);
		gate_disconnected(gate, &(struct client){ .handle = &clients[1] }, &end);
	}
}

/* A certificate that several connections share. */
START_TEST(of_several_clients_those_that_may_connect_stay)
{
	give(DOCUMENT(CONNECT));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, "d2"), VERDICT_ALLOW);
	new_version("p", DOCUMENT(ALLOW("Connect", A ":client/d1")));
	world.kicks_by_id = true;
	world.on_note = end_kicked;
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_uint_eq(world_count(NOTE_KICK_ONE), 1);
	ck_assert_str_eq(world_last(NOTE_KICK_ONE)->to, "d2");
	ck_assert_int_eq(may_as(0, "d1", ACTION_READ, CONTROL_RESPONSE_TOPIC), ACCESS_ALLOW);
	ck_assert_int_eq(may_as(1, "d2", ACTION_READ, CONTROL_RESPONSE_TOPIC), ACCESS_DENY);
}
END_TEST

START_TEST(a_right_given_back_before_the_tick_disconnects_no_client)
{
	give(DOCUMENT(CONNECT));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	detach("p", device);
	attach("p", device);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(may(ACTION_READ, CONTROL_RESPONSE_TOPIC), ACCESS_ALLOW);
}
END_TEST

/* Another process wrote: everything is looked at again. */
START_TEST(a_change_from_elsewhere_is_seen)
{
	uint32_t number;
	struct txn t;

	give(DOCUMENT(CONNECT "," ALLOW("Publish", "*")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_ALLOW);
	world_change(&t);
	settled(&t,
	    registry_create_policy_version(&t, view_of("p"),
		&(struct new_policy_version){ view_of(DOCUMENT(CONNECT)), true }, world_now(),
		&number, NULL));
	gate_changed(gate, NULL);
	ck_assert_int_eq(may(ACTION_WRITE, "w"), ACCESS_DENY);
	ck_assert_int_eq(may_absent(ACTION_WRITE, "w", false), ACCESS_DENY);
}
END_TEST

/* A Deny in it may not be lost: it denies all, and the log says why. */
START_TEST(an_unusable_policy_denies_its_certificates)
{
	struct policy_version broken = { .number = 1, .document = view_of("{}") };
	struct txn t;

	give(DOCUMENT(CONNECT));
	create("q", DOCUMENT(""));
	attach("q", device);
	world_change(&t);
	store_put_policy_version(&t, view_of("q"), &broken);
	world_commit(&t);
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_DENY);
	ck_assert(world_said("one of its policies cannot be used"));
	gate_tick(gate);
	ck_assert(world_said("policy q cannot be used: "));
	detach("q", device);
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
}
END_TEST

/*
 * Offline.
 */

START_TEST(an_offline_session_is_judged_by_the_stored_certificate)
{
	give(DOCUMENT(
	    CONNECT "," ALLOW("Receive", A ":topic/${iot:Certificate.Subject.CommonName}/*")));
	ck_assert_int_eq(may_absent(ACTION_READ, "device-1/x", false), ACCESS_ALLOW);
	ck_assert_int_eq(may_absent(ACTION_READ, "d1/x", false), ACCESS_DENY);
	ck_assert_uint_eq(stats.denied_receive, 1);
	gate_tick(gate);
	ck_assert(world_said("receive denied: topic=\"d1/x\" client=\"d1\""));
	ck_assert_int_eq(may_absent(ACTION_WRITE, "device-1/x", false), ACCESS_DENY);
	detach("p", device);
	ck_assert_int_eq(may_absent(ACTION_READ, "device-1/x", false), ACCESS_DENY);
}
END_TEST

/* Some versions send it after the disconnection, with the certificate at hand. */
START_TEST(a_will_makes_no_session_for_a_client_that_left)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(CONNECT "," ALLOW("Publish", A ":topic/w")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	world_forget();
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "v", false), ACCESS_DENY);
	gate_tick(gate);
	ck_assert(!world_said("connection accepted"));
	detach("p", device);
	gate_tick(gate);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/* In 2.0 a listener that takes the name from the certificate asks about nothing before:
 * as at CONNECT, then. */
START_TEST(the_will_of_a_bypassed_client_needs_the_right_to_connect)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(ALLOW("Connect", A ":client/d1") "," ALLOW("Publish", A ":topic/w")));
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "v", false), ACCESS_DENY);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_ALLOW);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_DENY); /* one will */
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	c.x = NULL; /* in some versions it is not at hand any more, nor was it given a name */
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_ALLOW);
	c = client_as(0, "d2");
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "w", false), ACCESS_DENY);
}
END_TEST

START_TEST(a_retained_will_needs_both_rights)
{
	give(DOCUMENT(CONNECT "," ALLOW("Publish", A ":topic/w")));
	ck_assert_int_eq(may_absent(ACTION_WRITE, "w", false), ACCESS_ALLOW);
	ck_assert_int_eq(may_absent(ACTION_WRITE, "w", true), ACCESS_DENY);
}
END_TEST

/*
 * Administering.
 */

static bool
may_control(const char *action, const char *resource, const char *also)
{
	struct judge_config judge_config = { .authorization = config.authorization,
		.scope = config.scope,
		.store = world.store,
		.now = world_now };
	struct client c = client_as(0, "d1");
	struct caller_facts caller;
	struct caller_rights rights;
	struct judge judge;
	bool may;

	judge_init(&judge, &judge_config);
	gate_describe_caller(gate, &c, &caller);
	caller_rights_open(&rights, &judge, &caller);
	ck_assert_int_eq(caller_rights_refresh(&rights), gate_administration(gate, &c));
	may = caller_rights_may(&rights, action, resource, also);
	caller_rights_close(&rights);
	judge_clear(&judge);
	return may;
}

START_TEST(a_named_control_action_is_allowed_on_its_resource)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(CONNECT "," ALLOW("AttachPolicy", A ":cert/*") "," ALLOW("ListThings",
	    "*") "," DENY("AttachPolicy", A ":policy/admin")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_BY_POLICY);
	ck_assert(may_control("iot:AttachPolicy", "cert/00", NULL));
	ck_assert(may_control("iot:AttachPolicy", "cert/00", "policy/p"));
	ck_assert(!may_control("iot:AttachPolicy", "cert/00", "policy/admin"));
	ck_assert(!may_control("iot:AttachPolicy", "policy/p", NULL));
	ck_assert(!may_control("iot:DetachPolicy", "cert/00", NULL));
	ck_assert(may_control("iot:ListThings", NULL, NULL));
	ck_assert(!may_control("iot:ListPolicies", NULL, NULL));
	c.address = NULL; /* a bridge */
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
}
END_TEST

START_TEST(a_broad_policy_makes_no_administrator)
{
	struct client c = client_as(0, "d1");

	give(DOCUMENT(CONNECT "," ALLOW("*", "*")));
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
	ck_assert(!may_control("iot:UpdateCertificate", "cert/00", NULL));
	detach("p", device); /* a client that may not connect may not administer */
	ck_assert_int_eq(gate_administration(gate, &c), ADMINISTRATION_NONE);
}
END_TEST

/*
 * Snapshots of the registry.
 */

static _Thread_local unsigned snapshots; /* since the last reset, by this thread */

enum err __real_store_read(struct store *s, struct txn *t);
enum err __wrap_store_read(struct store *s, struct txn *t);

enum err
__wrap_store_read(struct store *s, struct txn *t)
{
	snapshots++;
	return __real_store_read(s, t);
}

#define USES_ALL \
	DOCUMENT( \
	    ALLOW("Connect", A ":client/${iot:Connection.Thing.ThingName}") "," ALLOW("Publish", \
		A ":topic/${iot:Certificate.Subject.CommonName}"))

/* The certificate, its policies, the names in it and its thing come from one snapshot; so does
 * the last refusal, which is compared with this one. */
START_TEST(a_connect_reads_one_snapshot)
{
	struct pki_cert *new_device = pki_device(ca, "device-2");
	struct client c = client_as(1, "d2");

	give(USES_ALL);
	put_thing("d1", "");
	attach_thing("d1", true);
	snapshots = 0;
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	ck_assert_uint_eq(snapshots, 1);
	ck_assert_int_eq(connect_as(1, "d2"), VERDICT_DENY); /* by its policies */
	ck_assert_uint_eq(snapshots, 2);
	world_settle();
	ck_assert_int_eq(connect_as(1, "d2"), VERDICT_DENY); /* the refusal is on the record */
	ck_assert_uint_eq(snapshots, 3);
	c.x = new_device->x;
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DENY); /* registers it */
	ck_assert_uint_eq(snapshots, 4);
	world_settle();
	pki_free(new_device);
}
END_TEST

/* A client that bypassed the connect check is judged by its first packet. */
START_TEST(a_bypassed_client_is_judged_in_one_snapshot)
{
	give(USES_ALL);
	put_thing("d1", "");
	attach_thing("d1", true);
	snapshots = 0;
	ck_assert_int_eq(may(ACTION_WRITE, "device-1"), ACCESS_ALLOW);
	ck_assert_uint_eq(snapshots, 1);
	ck_assert_int_eq(may(ACTION_WRITE, "device-1"), ACCESS_ALLOW);
	ck_assert_uint_eq(snapshots, 1);
}
END_TEST

START_TEST(a_change_costs_a_session_one_snapshot)
{
	struct certid id = world_id(device);

	give(USES_ALL);
	put_thing("d1", "");
	attach_thing("d1", true);
	ck_assert_int_eq(connect_as(0, "d1"), VERDICT_ALLOW);
	snapshots = 0;
	gate_changed(gate, NULL); /* another process changed something */
	ck_assert_uint_eq(snapshots, 0);
	ck_assert_int_eq(may(ACTION_WRITE, "device-1"), ACCESS_ALLOW);
	ck_assert_uint_eq(snapshots, 1);
	gate_changed(gate, &id); /* one more to find other forms of the certificate */
	ck_assert_uint_eq(snapshots, 3);
}
END_TEST

START_TEST(a_question_about_an_offline_session_reads_one_snapshot)
{
	give(DOCUMENT(CONNECT "," ALLOW("Receive", A ":topic/${iot:Connection.Thing.ThingName}")));
	put_thing("d1", "");
	attach_thing("d1", true);
	snapshots = 0;
	ck_assert_int_eq(may_absent(ACTION_READ, "d1", false), ACCESS_ALLOW);
	ck_assert_uint_eq(snapshots, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gate_policy");
	TCase *t = suite_case(suite, "connecting");

	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, an_active_certificate_without_policies_is_refused);
	tcase_add_test(t, a_policy_with_no_statements_allows_nothing);
	tcase_add_test(t, connect_is_judged_by_the_client_id);
	tcase_add_test(t, a_client_id_may_be_the_name_in_the_certificate);
	tcase_add_test(t, an_administrators_certificate_connects_without_policies);
	tcase_add_test(t, persistence_of_mqtt_5_is_hidden);
	tcase_add_test(t,
	    a_client_that_resumes_the_session_of_another_certificate_is_disconnected_once);
	tcase_add_test(t, a_persistent_session_is_seen_and_a_will_is_not);
	t = suite_case(suite, "doing");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, each_action_needs_its_own_right);
	tcase_add_test(t, a_retained_publish_needs_both_rights);
	tcase_add_test(t, dollar_topics_are_matched_by_name_only);
	tcase_add_test(t, a_device_sends_requests_and_receives_its_answers);
	tcase_add_test(t, a_denial_disconnects_if_configured);
	tcase_add_test(t, denials_are_counted_and_logged_once_in_ten_seconds);
	tcase_add_test(t, a_thing_has_a_value_only_when_it_is_attached);
	tcase_add_test(t, an_exclusive_thing_is_the_connections_whatever_its_client_id);
	tcase_add_test(t, a_change_of_a_thing_is_seen_by_live_connections);
	t = suite_case(suite, "at once");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, the_next_packet_is_judged_by_the_policies_attached_then);
	tcase_add_test(t, a_new_default_version_takes_a_right_away_at_once);
	tcase_add_test(t, a_client_that_may_not_connect_any_more_is_denied_and_disconnected);
	tcase_add_test(t, a_silent_client_is_disconnected_too);
	tcase_add_test(t, of_several_clients_those_that_may_connect_stay);
	tcase_add_test(t, a_right_given_back_before_the_tick_disconnects_no_client);
	tcase_add_test(t, a_change_from_elsewhere_is_seen);
	tcase_add_test(t, an_unusable_policy_denies_its_certificates);
	t = suite_case(suite, "offline");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, an_offline_session_is_judged_by_the_stored_certificate);
	tcase_add_test(t, a_will_makes_no_session_for_a_client_that_left);
	tcase_add_test(t, the_will_of_a_bypassed_client_needs_the_right_to_connect);
	tcase_add_test(t, a_retained_will_needs_both_rights);
	t = suite_case(suite, "administering");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, a_named_control_action_is_allowed_on_its_resource);
	tcase_add_test(t, a_broad_policy_makes_no_administrator);
	t = suite_case(suite, "snapshots");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, a_connect_reads_one_snapshot);
	tcase_add_test(t, a_bypassed_client_is_judged_in_one_snapshot);
	tcase_add_test(t, a_change_costs_a_session_one_snapshot);
	tcase_add_test(t, a_question_about_an_offline_session_reads_one_snapshot);
	return suite_run(suite);
}
