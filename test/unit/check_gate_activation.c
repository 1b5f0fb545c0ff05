/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_gate_activation.c - devices that a rule accepts before they are stored,
 * revocation lists that disconnect clients, shared certificates, refusals, presence.
 *
 * Real certificates, a real registry, a real writer (contract, section 7, 1, 2, 5, 6, 7 and 10).
 */
#include <stdio.h>
#include <string.h>

#include "forms.h"
#include "gates.h"
#include "jitr/service/registry_policy.h"
#include "jitr/adapter/x509.h"
#include "suite.h"

static char clients[400];

/* The linker puts this into the place of the gate's own clock: how much it goes
 * on from one look to the next. */
static int64_t tick_time;
static unsigned looks;
int64_t __wrap_gate_clock_ns(void);
int64_t __wrap_gate_cpu_ns(void);

int64_t
__wrap_gate_clock_ns(void)
{
	static int64_t ns;

	looks++;
	return ns += tick_time;
}

/* The broker has nothing else to do. */
int64_t
__wrap_gate_cpu_ns(void)
{
	return 1;
}

#define A "arn:aws:iot:local:123456789012"
#define STATEMENT(action, resource) \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:" action "\",\"Resource\":\"" A ":" resource "\"}"
#define DEVICE_POLICY \
	"{\"Version\":\"2012-10-17\",\"Statement\":[" STATEMENT("Connect", \
	    "client/d*") "," STATEMENT("Publish", \
	    "topic/up/${iot:ClientId}") "," STATEMENT("Publish", \
	    "topic/of/${iot:Connection.Thing.ThingName}") "," STATEMENT("Receive", \
	    "topic/down/${iot:Certificate.Subject.CommonName}") "]}"

static void
create_policy(const char *name, const char *document)
{
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_create_policy(&t, view_of(name),
			     &(struct new_policy_version){ .document = view_of(document),
				 .form = form_text(FORM_POLICY, view_of(document)) },
			     world_now(), NULL),
	    ERR_OK);
	world_commit(&t);
}

/* The default version of this policy is now this one. */
static void
replace_policy(const char *name, const char *document)
{
	struct new_policy_version made = { .document = view_of(document),
		.form = form_text(FORM_POLICY, view_of(document)),
		.set_default = true };
	uint32_t number;
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_create_policy_version(&t, view_of(name), &made, world_now(),
			     &number, NULL),
	    ERR_OK);
	world_commit(&t);
}

static void
set_rule_of(struct view text, struct view form)
{
	struct certid id = world_id(ca);
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){
				 .settings = { .activation = &text, .activation_form = form } },
			     world_now(), NULL),
	    ERR_OK);
	world_commit(&t);
}

static void
set_rule(const char *rule)
{
	struct view text = view_of(rule);

	set_rule_of(text, form_text(FORM_RULE, text));
}

/* An active CA with a rule that activates all, with a policy. */
static void
set_up(void)
{
	tick_time = 0;
	gates_open(AUTHORIZATION_POLICY, "d0");
	create_policy("device", DEVICE_POLICY);
	set_rule("{\"policies\":[\"device\"]}");
	world_start_writer(64, 16);
	open_gate();
}

/* The nth client is called dn and comes from an address of its own. */
static struct client
client(int n, const struct pki_cert *c)
{
	static char ids[400][8], addresses[400][32];

	snprintf(ids[n], sizeof(ids[n]), "d%d", n);
	snprintf(addresses[n], sizeof(addresses[n]), "192.0.2.%d", n + 1);
	return (struct client){ .handle = &clients[n],
		.id = ids[n],
		.user_name = "u1",
		.address = addresses[n],
		.x = c->x };
}

static enum verdict
connect_as(int n, const struct pki_cert *c)
{
	struct client presented = client(n, c);

	return gate_connect(gate, &presented);
}

static enum access
publish(int n, const struct pki_cert *c, const char *topic)
{
	struct client presented = client(n, c);

	return gates_access(&presented, ACTION_WRITE, topic, false);
}

static void
leave(int n)
{
	struct client c = client(n, device);

	c.user_name = world_hex(device);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
}

/* Of one that is not connected any more, by the name that it was given. */
static enum access
absent(int n, const struct pki_cert *c, enum action action, const char *topic)
{
	struct client presented = client(n, c);
	char name[CERTID_HEX_SIZE];

	snprintf(name, sizeof(name), "%s", world_hex(c));
	presented.x = NULL;
	presented.user_name = name;
	return gates_access(&presented, action, topic, false);
}

/* For its session, when it is offline. */
static enum access
keep_for(int n, const struct pki_cert *c, const char *topic)
{
	return absent(n, c, ACTION_READ, topic);
}

static void
delete_cert(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
}

static int
status_of(const struct pki_cert *c)
{
	struct cert cert;

	return world_get_cert(c, &cert) ? (int)cert.status : -1;
}

/* The broker disconnects the client. */
static void
obey(const struct note *n)
{
	static const struct presence_end end = { ANSWER_NO, NULL };

	if (n->kind == NOTE_KICK)
		for (size_t i = 0; i < sizeof(clients); i++)
			gate_disconnected(gate, &(struct client){ .handle = &clients[i] }, &end);
	if (n->kind == NOTE_KICK_ONE)
		gate_disconnected(gate, &(struct client){ .handle = &clients[n->to[1] - '0'] },
		    &end);
}

static void
tick(void)
{
	world.on_note = obey;
	gate_tick(gate);
	world.on_note = NULL;
}

/*
 * The first connection is accepted.
 */

START_TEST(a_device_that_a_rule_activates_is_connected_before_it_is_stored)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(status_of(device), -1);
	ck_assert_str_eq(world_last(NOTE_NAME)->text, world_hex(device));
	/* And does what the policies of the rule allow. */
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(0, device, "up/d1"), ACCESS_DENY);
	world_release_writer();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(0, device, "up/d1"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_uint_eq(stats.accepted, 1);
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(stats.activated, 1);
	ck_assert(gate_take_announced(gate));
}
END_TEST

START_TEST(a_pending_device_is_accepted_by_a_later_rule)
{
	world_put_cert(device, ca, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
}
END_TEST

START_TEST(a_device_whose_record_cannot_be_stored_is_disconnected)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_break_disk();
	world_release_writer();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert(world_said("connection closed: reason=\"its registration could not be stored\""));
	ck_assert_int_eq(status_of(device), -1);
	/* The disk is mended; it comes again. */
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
}
END_TEST

/* A change of the CA, ahead in the queue. */
static enum err
change_run(struct txn *t, struct job *job, int64_t now)
{
	struct certid id = world_id(ca);
	bool on = true;

	(void)job;
	return registry_update_ca(t, &id, &(struct ca_update){ .auto_registration = &on }, now,
	    NULL);
}

static void
change_finish(struct job *job)
{
	ck_assert_int_eq(job->result, ERR_OK);
}

START_TEST(a_device_whose_ca_changed_before_it_was_stored_is_disconnected)
{
	static const struct job_type change_type = { "change", false, change_run, NULL,
		change_finish };
	struct job change = { .type = &change_type };

	world_hold_writer();
	ck_assert_int_eq(writer_submit(world.writer, &change), ERR_OK);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_release_writer();
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_int_eq(status_of(device), CERT_PENDING_ACTIVATION);
}
END_TEST

START_TEST(a_device_that_cannot_be_stored_is_refused)
{
	world_stop_writer();
	world_start_writer(1, 1);
	open_gate();
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said("its registration could not be stored"));
	ck_assert_uint_eq(stats.busy, 1);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	world_release_writer();
}
END_TEST

START_TEST(two_connections_of_one_device_are_one_registration)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	world_release_writer();
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(world_message_count(), 1);
}
END_TEST

START_TEST(the_policies_of_the_rule_decide_under_which_name_it_connects)
{
	struct client stranger = client(0, device);

	stranger.id = "x0";
	ck_assert_int_eq(gate_connect(gate, &stranger), VERDICT_DENY);
	ck_assert(world_said("its policies do not allow it to connect with this client id"));
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE); /* but it is one of ours */
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
}
END_TEST

START_TEST(a_rule_whose_policy_is_not_there_leaves_it_pending_and_says_so)
{
	set_rule("{\"policies\":[\"missing\"]}");
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_PENDING_ACTIVATION);
	ck_assert(
	    world_said("certificate not activated: by=rule reason=\"there is no policy missing "
		       "to attach\""));
	ck_assert_uint_eq(stats.provisioning_failed, 0);
	/* It is created: the next attempt is accepted. */
	create_policy("missing", DEVICE_POLICY);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
}
END_TEST

/* It was stored by an earlier version, for example. */
START_TEST(a_rule_whose_form_cannot_be_used_leaves_it_pending_and_says_so)
{
	static const uint8_t form[] = "\0no rule of this version";

	set_rule_of(view_of("{}"), (struct view){ form, sizeof(form) - 1 });
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_PENDING_ACTIVATION);
	ck_assert(world_said("by=rule reason=\"no rule of this version\""));
	set_rule_of(view_of("{}"), (struct view){ NULL, 0 });
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said("it has no compiled form"));
	set_rule("{\"policies\":[\"device\"]}");
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
}
END_TEST

/* Its facts are those of the thing it is about to be attached to. */
START_TEST(the_thing_that_the_rule_makes_counts_from_the_first_packet_on)
{
	set_rule("{\"policies\":[\"device\"],\"thing\":\"${iot:Certificate.Subject.CommonName}\"}");
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	world_release_writer();
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
}
END_TEST

/* Nor does it end with the connection: the broker publishes the will behind it,
 * and keeps messages for its session. */
START_TEST(its_rights_outlast_the_connection_until_it_is_stored)
{
	set_rule("{\"policies\":[\"device\"],\"thing\":\"${iot:Certificate.Subject.CommonName}\"}");
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	ck_assert_int_eq(publish(0, device, "up/d1"), ACCESS_DENY);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(keep_for(0, device, "down/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(keep_for(0, device, "down/d1"), ACCESS_DENY);
	ck_assert_int_eq(status_of(device), -1);
	world_release_writer();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	ck_assert_int_eq(keep_for(0, device, "down/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	ck_assert_uint_eq(stats.registered, 1);
}
END_TEST

START_TEST(its_rights_end_when_it_cannot_be_stored)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	world_break_disk();
	world_release_writer();
	ck_assert_int_eq(keep_for(0, device, "down/d0"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	/* The disk is mended; what becomes of it then has nothing to do with that. */
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	delete_cert(device);
	gate_changed(gate, NULL);
	tick();
	ck_assert(world_said("connection closed: reason=\"not registered any more\""));
}
END_TEST

/* It waits for the writer while thousands are asked about that are offline. */
START_TEST(a_forgotten_device_is_judged_by_the_registry)
{
	char name[CERTID_HEX_SIZE];
	struct client absent = client(1, device);

	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	absent.x = NULL;
	absent.address = NULL;
	absent.user_name = name;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%064x", i);
		ck_assert_int_eq(gates_access(&absent, ACTION_READ, "a", false), ACCESS_DENY);
	}
	ck_assert_int_eq(keep_for(0, device, "down/d0"), ACCESS_DENY);
	world_release_writer();
	gate_changed(gate, NULL);
	ck_assert_int_eq(keep_for(0, device, "down/d0"), ACCESS_ALLOW);
}
END_TEST

/* While SIGHUP asks about all sessions again (mosquitto section 0, 1). */
START_TEST(a_reload_keeps_a_device_that_is_being_stored)
{
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	tick();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	world_release_writer();
	tick();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(stats.accepted, 1);
}
END_TEST

START_TEST(a_reload_registers_no_device)
{
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	tick();
	world_settle();
	ck_assert_int_eq(status_of(device), -1);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
}
END_TEST

/* Listener options that bypass the connect check (mosquitto section 0, 6). */
START_TEST(a_bypassed_client_is_accepted_by_the_rule)
{
	world_hold_writer();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	world_release_writer();
	tick();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_uint_eq(stats.accepted, 1);
}
END_TEST

/*
 * Templates.
 */

#define REF(name)  "{\"Ref\":\"AWS::IoT::Certificate::" name "\"}"
#define TYPE(type) "{\"Type\":\"AWS::IoT::" type "\",\"Properties\":"
#define ID_PARAMETERS \
	"{\"Parameters\":{\"AWS::IoT::Certificate::Id\":{\"Type\":\"String\"}," \
	"\"AWS::IoT::Certificate::CommonName\":{\"Type\":\"String\"}},\"Resources\":{"
#define TEMPLATE(status, policy) \
	ID_PARAMETERS \
	"\"c\":" TYPE("Certificate") "{\"CertificateId\":" REF( \
	    "Id") ",\"Status\":\"" status "\"}}," \
		  "\"t\":" TYPE("Thing") "{\"ThingName\":" REF( \
		      "CommonName") "}}," \
				    "\"p\":" TYPE("Policy") "{" policy "}}}}"
/* The policy, in a string of the template. */
#define Q "\\\""
#define QUOTED_STATEMENT(action, resource) \
	"{" Q "Effect" Q ":" Q "Allow" Q "," Q "Action" Q ":" Q "iot:" action Q "," Q "Resource" Q \
	":" Q A ":" resource Q "}"
#define BY_DOCUMENT \
	"\"PolicyDocument\":\"{" Q "Version" Q ":" Q "2012-10-17" Q "," Q "Statement" Q \
	":[" QUOTED_STATEMENT("Connect", "client/d*") "," QUOTED_STATEMENT("Publish", \
	    "topic/of/${iot:Connection.Thing.ThingName}") "]}\""
#define BY_NAME(name) "\"PolicyName\":\"" name "\""

static void
set_template(const char *body, bool accept_first)
{
	struct view text = view_of(body), none = view_of("");
	struct certid id = world_id(ca);
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){ .template_body = &text,
				 .template_form = form_text(FORM_TEMPLATE, text),
				 .role_arn = &none,
				 .settings = { .activation = &none, .template_name = &none } },
			     world_now(), NULL),
	    ERR_OK);
	world_commit(&t);
	config.rules.decide.accept_first = accept_first;
	open_gate();
}

START_TEST(a_device_that_a_template_activates_is_accepted_at_its_next_connect)
{
	set_template(TEMPLATE("ACTIVE", BY_NAME("device")), false);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said("provisioned now, may connect the next time"));
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	ck_assert_uint_eq(stats.activated, 1);
}
END_TEST

/* Not even the policy is there before it is stored. */
START_TEST(with_first_connection_accept_it_is_connected_before_it_is_stored)
{
	set_template(TEMPLATE("ACTIVE", BY_DOCUMENT), true);
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	ck_assert_int_eq(status_of(device), -1);
	world_release_writer();
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
}
END_TEST

START_TEST(with_first_connection_accept_it_is_disconnected_if_it_cannot_be_stored)
{
	set_template(TEMPLATE("ACTIVE", BY_NAME("device")), true);
	world_hold_writer();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_break_disk();
	world_release_writer();
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert(world_said("connection closed: reason=\"its registration could not be stored\""));
	ck_assert_int_eq(status_of(device), -1);
}
END_TEST

static const struct {
	const char *body, *said;
	enum cert_status status;
	uint64_t failed;
} unlucky[] = {
	{ TEMPLATE("INACTIVE", BY_NAME("device")), "reason=\"inactive\"", CERT_INACTIVE, 0 },
	{ TEMPLATE("ACTIVE", BY_NAME("missing")), "there is no policy missing to attach",
	    CERT_PENDING_ACTIVATION, 1 },
};

START_TEST(with_first_connection_accept_a_device_that_stays_pending_is_refused)
{
	set_template(unlucky[_i].body, true);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(world_said(unlucky[_i].said));
	world_settle();
	ck_assert_int_eq(status_of(device), unlucky[_i].status);
	ck_assert_uint_eq(stats.provisioning_failed, unlucky[_i].failed);
	ck_assert_int_eq(publish(0, device, "of/d0"), ACCESS_DENY);
}
END_TEST

/*
 * Revocation lists.
 */

/* The CA has a list with this one on it. */
static void
list(const struct pki_cert *c, uint8_t reason)
{
	struct crl crl = { .this_update = world_now(), .next_update = world_now() + 86400000 };
	struct certid id = world_id(ca);
	struct presented p;
	struct txn t;

	ck_assert_int_eq(x509_read(c->x, &p), ERR_OK);
	world_change(&t);
	ck_assert_int_eq(store_new_list(&t, &crl.list), ERR_OK);
	store_append_revoked(&t, crl.list, (struct view){ p.serial.b, p.serial.len },
	    &(struct revoked){ world_now(), reason });
	store_put_crl(&t, &id, &crl);
	world_commit(&t);
}

static void
list_changed(const struct pki_cert *c, uint8_t reason)
{
	list(c, reason);
	gate_crl_changed(gate, NULL, 0);
}

START_TEST(a_list_disconnects_only_the_certificates_it_names)
{
	struct pki_cert *other = pki_device(ca, "d1");

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, other), VERDICT_ALLOW);
	world_settle();
	list_changed(device, REVOKED_UNSPECIFIED);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(device));
	ck_assert(world_said("connection closed: reason=\"on the revocation list of its CA\""));
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	ck_assert_uint_eq(stats.revoked, 1);
	pki_free(other);
}
END_TEST

/* The named certificates do not wait until thousands of others were judged: the promise is
 * one second, and there is a tick every 100 ms. */
START_TEST(named_certificates_are_disconnected_before_others_are_judged)
{
	enum { OTHERS = 300 };
	static struct pki_cert *others[OTHERS];
	struct certid named[2] = { { { 0 } }, world_id(device) };

	for (int i = 0; i < OTHERS; i++) {
		others[i] = pki_device(ca, "d1");
		ck_assert_int_eq(connect_as(1 + i, others[i]), VERDICT_ALLOW);
		world_settle();
	}
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	list(device, REVOKED_UNSPECIFIED);
	tick_time = 10 * 1000 * 1000;
	gate_crl_changed(gate, NULL, 0);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	gate_crl_changed(gate, named, COUNT_OF(named));
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	for (int i = 0; i < OTHERS; i++)
		pki_free(others[i]);
}
END_TEST

/* One certificate may have as many connections as a fleet has devices: they are
 * closed one by one, so many as a slice has time for, and the gate says that
 * there are more. */
START_TEST(the_connections_of_one_certificate_are_closed_part_by_part)
{
	enum { SHARED = 300 };
	size_t before = 0;

	for (int i = 0; i < SHARED; i++) {
		ck_assert_int_eq(connect_as(i, device), VERDICT_ALLOW);
		world_settle();
	}
	tick_time = 500 * 1000;
	list_changed(device, REVOKED_UNSPECIFIED);
	for (bool more = true; more;) {
		more = gate_tick(gate);
		ck_assert_uint_le(world_count(NOTE_KICK) - before, 2);
		before = world_count(NOTE_KICK);
	}
	ck_assert_uint_eq(before, SHARED);
	ck_assert_uint_eq(stats.closed, 1);
	ck_assert(!gate_go_on(gate));
}
END_TEST

/* The clock is looked at after each session that is judged and each client that is disconnected:
 * so many looks, so many of them at most. */
static void
await_slices(size_t kicks)
{
	for (bool more = true; more;) {
		looks = 0;
		gate_release(gate);
		more = gate_tick(gate);
		ck_assert_uint_le(looks, 8);
	}
	ck_assert_uint_eq(world_count(NOTE_KICK), kicks);
}

/* A policy that all have, and anything, concern every session. */
START_TEST(a_tick_judges_and_disconnects_few_sessions)
{
	enum { DEVICES = 60 };
	static struct pki_cert *devices[DEVICES];

	for (int i = 0; i < DEVICES; i++) {
		devices[i] = pki_device(ca, "d1");
		ck_assert_int_eq(connect_as(i, devices[i]), VERDICT_ALLOW);
		world_settle();
	}
	tick_time = 500 * 1000;
	gate_changed(gate, NULL);
	await_slices(0);
	replace_policy("device",
	    "{\"Version\":\"2012-10-17\",\"Statement\":[" STATEMENT("Publish", "topic/x") "]}");
	gate_policy_changed(gate, view_of("device"));
	await_slices(DEVICES);
	for (int i = 0; i < DEVICES; i++)
		pki_free(devices[i]);
}
END_TEST

/* Time since the last slice, and the next one, in ms. */
static const struct {
	int64_t since, slice;
} slices[] = {
	{ 0, 1 },
	{ 1, 1 },
	{ 4, 1 },
	{ 12, 3 },
	{ 20, 5 },
	{ 1000, 5 },
	{ -5, 1 },
};

/* A broker with long turns disconnects as many clients per second as one with short turns. */
START_TEST(a_slice_grows_with_the_time_since_the_last_one)
{
	ck_assert_int_eq(gate_slice_ns(slices[_i].since * 1000000), slices[_i].slice * 1000000);
}
END_TEST

START_TEST(a_certificate_on_hold_is_disconnected_and_accepted_when_it_is_lifted)
{
	struct pki_cert *other = pki_device(ca, "other");

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	list_changed(device, REVOKED_HOLD);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	world_settle();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	list_changed(other, REVOKED_UNSPECIFIED);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	pki_free(other);
}
END_TEST

/* The device is connected as d0, and its CA's list, which is required, out of date. */
static void
connect_and_let_the_list_grow_old(void)
{
	const enum crl_check required = CRL_REQUIRED;
	struct pki_cert *other = pki_device(ca, "other");
	struct certid id = world_id(ca);
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){ .settings.crl_check = &required }, world_now(),
			     NULL),
	    ERR_OK);
	world_commit(&t);
	list_changed(other, REVOKED_UNSPECIFIED);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	world_wait(2 * INT64_C(86400000));
	gate_changed(gate, NULL);
	tick();
	pki_free(other);
}

/* It was current when they connected; a new client is refused. */
START_TEST(a_list_that_becomes_stale_disconnects_no_client)
{
	connect_and_let_the_list_grow_old();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	ck_assert(world_said("the revocation list of its CA is out of date"));
}
END_TEST

/* The others are asked about their rights by the same record. */
START_TEST(a_bypassed_refusal_does_not_affect_other_sessions_of_the_certificate)
{
	struct client late = client(1, device);

	connect_and_let_the_list_grow_old();
	gate_connected(gate, &late);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_DENY);
	world.kicks_by_id = true;
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK_ONE), 1);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
}
END_TEST

/* Its certificate is ACTIVE, and by that alone its will would be published.  With it at
 * hand and without: versions differ. */
START_TEST(the_will_of_a_refused_client_is_not_published)
{
	struct client late = client(1, device);

	connect_and_let_the_list_grow_old();
	gate_connected(gate, &late);
	leave(1);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_DENY);
	ck_assert_int_eq(absent(1, device, ACTION_WRITE, "up/d1"), ACCESS_DENY);
	tick();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
}
END_TEST

START_TEST(the_will_of_a_bypassed_client_that_would_be_refused_is_not_published)
{
	struct client c = client(1, device);

	connect_and_let_the_list_grow_old();
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_DENY);
	c.x = NULL;
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "up/d1", false), ACCESS_DENY);
	/* Another client without a certificate has its address. */
	c.user_name = "u";
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_DEFER);
	ck_assert_int_eq(gates_access(&c, ACTION_WRITE, "up/d1", false), ACCESS_DEFER);
}
END_TEST

START_TEST(the_will_of_a_client_that_a_reload_refuses_is_not_published)
{
	connect_and_let_the_list_grow_old();
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	leave(0);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	ck_assert_int_eq(absent(0, device, ACTION_WRITE, "up/d0"), ACCESS_DENY);
}
END_TEST

/*
 * Refusals on the record.
 */

static struct refusal
refusal_of(const struct pki_cert *c, char details[200])
{
	struct certid id = world_id(c);
	struct refusal refusal = { .time = 0 };
	struct txn t;
	enum err e;

	world_settle();
	world_change(&t);
	e = store_get_refusal(&t, &id, &refusal);
	if (e == ERR_OK)
		snprintf(details, 200, "%.*s: %.*s by %.*s from %.*s", (int)refusal.code.len,
		    (const char *)refusal.code.data, (int)refusal.details.len,
		    (const char *)refusal.details.data, (int)refusal.client_id.len,
		    (const char *)refusal.client_id.data, (int)refusal.address.len,
		    (const char *)refusal.address.data);
	store_end(&t);
	return e == ERR_OK ? refusal : (struct refusal){ .time = 0 };
}

START_TEST(the_last_refusal_is_on_the_record_once_a_minute)
{
	char details[200] = "";
	int64_t first;

	world_put_cert(device, ca, CERT_INACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	first = world_now();
	ck_assert_int_eq(refusal_of(device, details).time, first);
	ck_assert_str_eq(details, "DEVICE_CERTIFICATE_INACTIVE: inactive by d0 from 192.0.2.1");
	world_wait(59999);
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	ck_assert_int_eq(refusal_of(device, details).time, first);
	world_wait(1);
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	ck_assert_int_eq(refusal_of(device, details).time, first + 60000);
	/* Another reason is news. */
	world_put_cert(device, ca, CERT_REVOKED);
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	(void)refusal_of(device, details);
	ck_assert_str_eq(details, "DEVICE_CERTIFICATE_REVOKED: revoked by d1 from 192.0.2.2");
}
END_TEST

START_TEST(a_refusal_by_policies_is_on_the_record)
{
	char details[200] = "";

	world_put_cert(device, ca, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	(void)refusal_of(device, details);
	ck_assert_str_eq(details,
	    "DEVICE_CERTIFICATE_NO_POLICY: no policy is attached to it by d0 "
	    "from 192.0.2.1");
}
END_TEST

START_TEST(refusals_are_counted_by_their_reason)
{
	struct pki_cert *stranger = pki_ca("stranger"), *unknown = pki_device(stranger, "d1");

	world_put_cert(device, ca, CERT_INACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, unknown), VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, unknown), VERDICT_DENY);
	ck_assert_uint_eq(stats.refused, 3);
	ck_assert_uint_eq(stats.refused_for[REASON_INACTIVE], 1);
	ck_assert_uint_eq(stats.refused_for[REASON_UNKNOWN_CA], 2);
	pki_free(unknown);
	pki_free(stranger);
}
END_TEST

/*
 * Past the connect check (use_identity_as_username).
 */

static void
set_status(const struct pki_cert *c, enum cert_status status)
{
	struct certid id = world_id(c);

	world_put_cert(c, ca, status);
	gate_changed(gate, &id);
}

/* By its id alone it would seem to be in order. */
START_TEST(a_bypassed_refusal_is_final)
{
	struct pki_cert *expired = pki_make(
	    &(struct pki_options){ .common_name = "d1", .issuer = ca, .not_after_days = -1 });
	struct certid id = world_id(expired);
	struct txn t;

	world_stop_writer();
	world_put_cert(expired, ca, CERT_ACTIVE);
	world_change(&t);
	ck_assert_int_eq(registry_attach_policy(&t, view_of("device"), &id, NULL), ERR_OK);
	world_commit(&t);
	world_start_writer(64, 16);
	open_gate();
	ck_assert_int_eq(publish(1, expired, "up/d1"), ACCESS_DENY);
	ck_assert_int_eq(publish(1, expired, "up/d1"), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
	pki_free(expired);
}
END_TEST

/* Its job was not submitted, so its plan must not be kept. */
START_TEST(a_plan_that_was_not_submitted_admits_no_later_client)
{
	world_stop_writer();
	world_start_writer(1, 1);
	open_gate();
	world_hold_writer();
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY); /* no room */
	tick();
	world_release_writer();
	ck_assert_int_eq(status_of(device), -1);

	set_rule(
	    "{\"policies\":[\"device\"],\"otherwise\":\"PENDING_ACTIVATION\","
	    "\"conditions\":{\"StringEquals\":{\"iot:Certificate.Subject.CommonName\":\"x\"}}}");
	set_status(device, CERT_ACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY); /* no policy is attached */
	set_status(device, CERT_REVOKED);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
}
END_TEST

/* The first job's end says nothing about the second one's plan. */
START_TEST(of_two_plans_the_accepting_one_counts_until_it_is_stored)
{
	world_stop_writer();
	world_start_writer(64, 1);
	set_rule("{\"policies\":[\"device\"],\"otherwise\":\"PENDING_ACTIVATION\","
		 "\"conditions\":{\"StringEquals\":{\"iot:ClientId\":\"d1\"}}}");
	open_gate();
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	(void)writer_turn(world.writer); /* the first is done */
	world_hold_writer();
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK) + world_count(NOTE_KICK_ONE), 0);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
	world_release_writer();
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	tick();
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
}
END_TEST

/*
 * Shared certificates.
 */

static void
reopen_with(enum shared_certificate policy)
{
	config.shared_certificate = policy;
	open_gate();
}

START_TEST(a_shared_certificate_is_logged_and_counted)
{
	reopen_with(SHARED_ALLOW);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_uint_eq(stats.shared, 0);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_uint_eq(stats.shared, 1);
	tick();
	ck_assert(world_said("certificate shared:"));
	ck_assert(world_said("both may stay"));
	ck_assert_uint_eq(world_count(NOTE_KICK) + world_count(NOTE_KICK_ONE), 0);
	/* Once in a while, however many come. */
	world_forget();
	ck_assert_int_eq(connect_as(2, device), VERDICT_ALLOW);
	tick();
	ck_assert_uint_eq(stats.shared, 2);
	ck_assert(!world_said("certificate shared:"));
	world_wait(10000);
	ck_assert_int_eq(connect_as(3, device), VERDICT_ALLOW);
	tick();
	ck_assert(world_said("certificate shared:"));
}
END_TEST

START_TEST(the_newest_client_stays_and_the_others_are_disconnected)
{
	reopen_with(SHARED_NEWEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	world_settle();
	/* Not even until it is closed may the older one go on. */
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_DENY);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
	world.kicks_by_id = true;
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK_ONE), 1);
	ck_assert_str_eq(world_last(NOTE_KICK_ONE)->to, "d0");
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
}
END_TEST

START_TEST(the_oldest_client_stays_and_the_new_one_is_refused)
{
	char details[200] = "";

	reopen_with(SHARED_OLDEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	ck_assert(world_said("another client uses the same certificate"));
	(void)refusal_of(device, details);
	ck_assert_str_eq(details,
	    "DEVICE_CERTIFICATE_SHARED: another client uses the same "
	    "certificate by d1 from 192.0.2.2");
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK) + world_count(NOTE_KICK_ONE), 0);
	ck_assert_int_eq(publish(0, device, "up/d0"), ACCESS_ALLOW);
	/* When the first one has gone the other may come. */
	leave(0);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
}
END_TEST

START_TEST(a_reconnect_from_the_same_address_is_not_shared_use)
{
	struct client again = client(0, device);

	reopen_with(SHARED_OLDEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	again.handle = &clients[7];
	ck_assert_int_eq(gate_connect(gate, &again), VERDICT_ALLOW);
	ck_assert_uint_eq(stats.shared, 0);
}
END_TEST

/* The broker closes the other one itself (MQTT 5, 3.1.4-3): to kick by this
 * client id would close the newcomer. */
START_TEST(a_takeover_from_another_address_is_logged_and_disconnects_no_client)
{
	struct client again = client(0, device);

	reopen_with(SHARED_NEWEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	again.handle = &clients[7];
	again.address = "203.0.113.9";
	ck_assert_int_eq(gate_connect(gate, &again), VERDICT_ALLOW);
	ck_assert_uint_eq(stats.shared, 1);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK) + world_count(NOTE_KICK_ONE), 0);
}
END_TEST

/* The broker asks about all its sessions again, those that it is to close included. */
START_TEST(a_reload_does_not_admit_an_evicted_client)
{
	reopen_with(SHARED_NEWEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	world_settle();
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_int_eq(publish(1, device, "up/d1"), ACCESS_ALLOW);
}
END_TEST

START_TEST(administrators_share_their_certificates)
{
	admin_ids[0] = world_id(device);
	reopen_with(SHARED_OLDEST);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_uint_eq(stats.shared, 0);
	memset(admin_ids, 0, sizeof(admin_ids));
}
END_TEST

/*
 * Events.
 */

/* Is there a message about this client, of this kind? */
static bool
published(const char *kind, const char *id, const char *part)
{
	const struct note *n;
	char topic[128];

	snprintf(topic, sizeof(topic), "$aws/events/presence/%s/%s", kind, id);
	for (size_t i = 0; (n = world_note(NOTE_PUBLISHED, i)) != NULL; i++)
		if (strcmp(n->topic, topic) == 0 && strstr(n->text, part) != NULL)
			return true;
	return false;
}

START_TEST(presence_reports_connected_disconnected_and_refused_clients)
{
	struct pki_cert *bad = pki_device(ca, "d1");

	config.presence = true;
	open_gate();
	world_put_cert(bad, ca, CERT_INACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, bad), VERDICT_DENY);
	gate_disconnected(gate, &(struct client){ .handle = &clients[0] },
	    &(struct presence_end){ ANSWER_YES, "CLIENT_INITIATED_DISCONNECT" });
	tick();
	ck_assert(published("connected", "d0", "\"ipAddress\":\"192.0.2.1\""));
	ck_assert(published("connect_failed", "d1", "AUTHORIZATION_FAILED"));
	ck_assert(published("disconnected", "d0", "\"clientInitiatedDisconnect\":true"));
	ck_assert(published("disconnected", "d0", world_hex(device)));
	pki_free(bad);
}
END_TEST

START_TEST(a_client_that_the_plugin_disconnects_has_not_initiated_it)
{
	struct certid id = world_id(device);

	config.presence = true;
	open_gate();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	world_put_cert(device, ca, CERT_REVOKED);
	gate_changed(gate, &id);
	tick();
	tick();
	ck_assert(published("disconnected", "d0", "\"disconnectReason\":\"FORBIDDEN_ACCESS\""));
}
END_TEST

START_TEST(a_reload_causes_no_presence_event)
{
	config.presence = true;
	open_gate();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	tick();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 1);
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	tick();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 1);
	leave(0);
	tick();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 2);
}
END_TEST

/* MQTT 5 lets it authenticate anew; it is the same session. */
START_TEST(a_connected_client_has_one_connected_event)
{
	config.presence = true;
	open_gate();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	tick();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 1);
}
END_TEST

START_TEST(a_client_that_a_reload_refuses_has_a_disconnected_event)
{
	struct certid id = world_id(device);
	struct txn t;

	config.presence = true;
	open_gate();
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	world_settle();
	world_change(&t);
	ck_assert_int_eq(registry_detach_policy(&t, view_of("device"), &id, NULL), ERR_OK);
	world_commit(&t);
	gate_reload(gate);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	leave(0);
	tick();
	ck_assert(published("disconnected", "d0", "\"disconnectReason\":\"FORBIDDEN_ACCESS\""));
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 2); /* no attempt of its own failed */
}
END_TEST

START_TEST(presence_is_off_by_default)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	tick();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 0);
}
END_TEST

/* The first event of the outbox, terminated. */
static char *
first_event(void)
{
	struct message m;
	struct txn t;
	char *text;

	world_settle();
	world_change(&t);
	ck_assert_int_eq(store_next_message(&t, 0, &m), ERR_OK);
	text = strndup((const char *)m.payload.data, m.payload.len);
	store_end(&t);
	return text;
}

START_TEST(events_have_details_on_request)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .common_name = "d2",
	    .issuer = ca,
	    .serial = "4711",
	    .extensions = { { "subjectAltName", "DNS:d2.example,URI:urn:d2" } } });
	char *text;

	config.event_details = true;
	open_gate();
	ck_assert_int_eq(connect_as(2, c), VERDICT_ALLOW);
	text = first_event();
	ck_assert_ptr_nonnull(strstr(text, "\"certificateRegistrationTimestamp\":null,\""));
	ck_assert_ptr_nonnull(strstr(text, "\"subject\":\"CN=d2\""));
	ck_assert_ptr_nonnull(strstr(text, "[\"DNS:d2.example\",\"URI:urn:d2\"]"));
	ck_assert_ptr_nonnull(strstr(text, "\"serialNumber\":\"4711\""));
	ck_assert_ptr_nonnull(strstr(text, "\"clientId\":\"d2\""));
	ck_assert_ptr_nonnull(strstr(text, "\"sourceIp\":\"192.0.2.3\""));
	ck_assert_ptr_null(strstr(text, "\"reason\":\"\"")); /* the rule's words */
	ck_assert_msg(strstr(text, "-----BEGIN CERTIFICATE-----\\u000a") != NULL, "%s", text);
	free(text);
	pki_free(c);
}
END_TEST

START_TEST(without_event_details_an_event_has_the_members_of_aws)
{
	char *text;

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	text = first_event();
	ck_assert_ptr_nonnull(strstr(text, "\"certificateRegistrationTimestamp\":null}"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gate_activation");
	TCase *c = suite_case(suite, "first connections");

	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, a_device_that_a_rule_activates_is_connected_before_it_is_stored);
	tcase_add_test(c, a_pending_device_is_accepted_by_a_later_rule);
	tcase_add_test(c, a_device_whose_record_cannot_be_stored_is_disconnected);
	tcase_add_test(c, a_device_whose_ca_changed_before_it_was_stored_is_disconnected);
	tcase_add_test(c, a_device_that_cannot_be_stored_is_refused);
	tcase_add_test(c, two_connections_of_one_device_are_one_registration);
	tcase_add_test(c, the_policies_of_the_rule_decide_under_which_name_it_connects);
	tcase_add_test(c, a_rule_whose_policy_is_not_there_leaves_it_pending_and_says_so);
	tcase_add_test(c, a_rule_whose_form_cannot_be_used_leaves_it_pending_and_says_so);
	tcase_add_test(c, the_thing_that_the_rule_makes_counts_from_the_first_packet_on);
	tcase_add_test(c, its_rights_outlast_the_connection_until_it_is_stored);
	tcase_add_test(c, its_rights_end_when_it_cannot_be_stored);
	tcase_add_test(c, a_forgotten_device_is_judged_by_the_registry);
	tcase_add_test(c, a_reload_keeps_a_device_that_is_being_stored);
	tcase_add_test(c, a_reload_registers_no_device);
	tcase_add_test(c, a_bypassed_client_is_accepted_by_the_rule);
	c = suite_case(suite, "templates");
	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, a_device_that_a_template_activates_is_accepted_at_its_next_connect);
	tcase_add_test(c, with_first_connection_accept_it_is_connected_before_it_is_stored);
	tcase_add_test(c, with_first_connection_accept_it_is_disconnected_if_it_cannot_be_stored);
	tcase_add_loop_test(c, with_first_connection_accept_a_device_that_stays_pending_is_refused,
	    0, COUNT_OF(unlucky));
	c = suite_case(suite, "revocation lists");
	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, a_list_disconnects_only_the_certificates_it_names);
	tcase_add_test(c, named_certificates_are_disconnected_before_others_are_judged);
	tcase_add_test(c, the_connections_of_one_certificate_are_closed_part_by_part);
	tcase_add_test(c, a_tick_judges_and_disconnects_few_sessions);
	tcase_add_loop_test(c, a_slice_grows_with_the_time_since_the_last_one, 0, COUNT_OF(slices));
	tcase_add_test(c, a_certificate_on_hold_is_disconnected_and_accepted_when_it_is_lifted);
	tcase_add_test(c, a_list_that_becomes_stale_disconnects_no_client);
	c = suite_case(suite, "refusals");
	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, the_last_refusal_is_on_the_record_once_a_minute);
	tcase_add_test(c, a_refusal_by_policies_is_on_the_record);
	tcase_add_test(c, refusals_are_counted_by_their_reason);
	c = suite_case(suite, "shared certificates");
	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, a_shared_certificate_is_logged_and_counted);
	tcase_add_test(c, the_newest_client_stays_and_the_others_are_disconnected);
	tcase_add_test(c, the_oldest_client_stays_and_the_new_one_is_refused);
	tcase_add_test(c, a_reconnect_from_the_same_address_is_not_shared_use);
	tcase_add_test(c, a_takeover_from_another_address_is_logged_and_disconnects_no_client);
	tcase_add_test(c, administrators_share_their_certificates);
	tcase_add_test(c, a_reload_does_not_admit_an_evicted_client);
	c = suite_case(suite, "events");
	tcase_add_checked_fixture(c, set_up, gates_close);
	tcase_add_test(c, presence_reports_connected_disconnected_and_refused_clients);
	tcase_add_test(c, a_client_that_the_plugin_disconnects_has_not_initiated_it);
	tcase_add_test(c, a_reload_causes_no_presence_event);
	tcase_add_test(c, presence_is_off_by_default);
	tcase_add_test(c, a_connected_client_has_one_connected_event);
	tcase_add_test(c, a_client_that_a_reload_refuses_has_a_disconnected_event);
	tcase_add_test(c, a_bypassed_refusal_is_final);
	tcase_add_test(c, a_plan_that_was_not_submitted_admits_no_later_client);
	tcase_add_test(c, of_two_plans_the_accepting_one_counts_until_it_is_stored);
	tcase_add_test(c, a_bypassed_refusal_does_not_affect_other_sessions_of_the_certificate);
	tcase_add_test(c, the_will_of_a_refused_client_is_not_published);
	tcase_add_test(c, the_will_of_a_bypassed_client_that_would_be_refused_is_not_published);
	tcase_add_test(c, the_will_of_a_client_that_a_reload_refuses_is_not_published);
	tcase_add_test(c, events_have_details_on_request);
	tcase_add_test(c, without_event_details_an_event_has_the_members_of_aws);
	return suite_run(suite);
}
