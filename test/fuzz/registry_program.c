/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_program.c - see registry_program.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki_crl.h"
#include "registry_program.h"
#include "world.h"

#include "jitr/service/registration_jobs.h"
#include "jitr/adapter/x509.h"
#include "jitr/core/event.h"
#include "jitr/service/crl_import.h"
#include "jitr/service/gate.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_schedule.h"
#include "jitr/service/registry_template.h"
#include "jitr/service/registry_thing.h"

#define START   INT64_C(1800000000000)
#define DAY_MS  INT64_C(86400000)
#define ACCOUNT "123456789012"
#define PREFIX  "arn:aws:iot:local:" ACCOUNT ":"

static struct pki_cert *cas[CAS], *devices[DEVICES];
static struct certid ca_ids[CAS];
static struct model_world facts;
static char handles[DEVICES];
static bool connected[DEVICES];
static struct gate *gate;
static struct report *report;
static struct stats stats;
static unsigned lists; /* issued so far: the next cRLNumber */

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/*
 * Certificates, made once.
 */

static struct pki_cert *
make_ca(const char *name, const struct pki_cert *key_of, int days)
{
	return pki_make(&(struct pki_options){ .common_name = name,
	    .is_ca = true,
	    .key_of = key_of,
	    .now = START,
	    .not_before_days = -2,
	    .not_after_days = days,
	    .extensions = { { "keyUsage", "critical,keyCertSign,cRLSign" } } });
}

static struct pki_cert *
make_device(int n, const struct pki_cert *signer, const struct pki_cert *named, int days)
{
	char name[8];

	(void)snprintf(name, sizeof(name), "d%d", n);
	return pki_make(&(struct pki_options){ .common_name = name,
	    .organization = "1",
	    .issuer = signer,
	    .named_issuer = named,
	    .now = START,
	    .not_before_days = -1,
	    .not_after_days = days });
}

/* CA 2 is CA 0 with other dates.  Device 1 is device 0 in another form; device 8 names CA 0,
 * which did not sign it; device 9 names none of them. */
static void
make_certificates(void)
{
	struct pki_cert *stranger;

	cas[0] = make_ca("Fuzz CA A", NULL, 3650);
	cas[1] = make_ca("Fuzz CA B", NULL, 3650);
	cas[2] = make_ca("Fuzz CA A", cas[0], 60);
	stranger = make_ca("Fuzz CA C", NULL, 3650);
	devices[0] = make_device(0, cas[0], NULL, 365);
	devices[1] = pki_twin(devices[0], cas[0]);
	for (int n = 2; n < 8; n++)
		devices[n] = make_device(n, cas[n >= 5], NULL, n == 4 || n == 7 ? 20 : 365);
	devices[8] = make_device(8, stranger, cas[0], 365);
	devices[9] = make_device(9, stranger, NULL, 365);
	pki_free(stranger);
}

static void
describe_ca(int n)
{
	struct ca ca;

	require(x509_read_ca(cas[n]->x, &ca) == ERR_OK);
	ca_ids[n] = ca.id;
	facts.ca[n].name = facts.ca[n].key = n == 2 ? 0 : n;
	facts.ca[n].from = ca.not_before;
	facts.ca[n].until = ca.not_after;
}

static void
describe_device(int n)
{
	struct presented p;

	require(x509_read(devices[n]->x, &p) == ERR_OK);
	facts.device[n].id = p.id;
	facts.device[n].from = p.not_before;
	facts.device[n].until = p.not_after;
	facts.device[n].content = n == 1 ? 0 : n;
	facts.device[n].issuer_name = n == 9 ? NONE : n >= 5 && n < 8;
	facts.device[n].signer_key = n >= 8 ? NONE : n >= 5;
}

static void
prepare(void)
{
	require(setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 1) == 0);
	make_certificates();
	for (int n = 0; n < CAS; n++)
		describe_ca(n);
	for (int n = 0; n < DEVICES; n++)
		describe_device(n);
	facts.announce_interval = 1000;
}

/*
 * The gate, and the writer: jobs run one by one as soon as the gate has returned.
 */

static struct job *jobs, **last_job = &jobs;

enum err __wrap_writer_submit(struct writer *w, struct job *job);

enum err
__wrap_writer_submit(struct writer *w, struct job *job)
{
	(void)w;
	job->next = NULL;
	*last_job = job;
	last_job = &job->next;
	return ERR_OK;
}

static void
run_jobs(void)
{
	while (jobs != NULL) {
		struct job *job = jobs;
		struct txn t;

		jobs = job->next;
		if (jobs == NULL)
			last_job = &jobs;
		require(store_write(world.store, &t) == ERR_OK);
		job->result = job->type->run(&t, job, world_now());
		require(job->result == ERR_OK && store_commit(&t) == ERR_OK);
		job->failure = NULL;
		job->type->finish(job);
	}
}

static struct registration_jobs *registrations;

static void
presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	(void)context;
	gate_presented(gate, number, result, outcome, failure);
}

static void
start_registrations(struct gate_config *config)
{
	struct registration_jobs_config how = { .rules = config->rules, .presented = presented };

	registration_jobs_close(registrations);
	require(registration_jobs_open(&how, &registrations) == ERR_OK);
	config->registrations = registration_jobs_port(registrations);
}

static void
start_gate(void)
{
	struct gate_config config = { .authorization = AUTHORIZATION_POLICY,
		.rules = { .decide = { .announce_interval = facts.announce_interval },
		    .account_id = ACCOUNT },
		.store = world.store,
		.report = report,
		.stats = &stats,
		.broker = &world_broker,
		.now = world_now,
		.scope = arn_scope_of("local", ACCOUNT) };

	memset(&stats, 0, sizeof(stats));
	memset(connected, 0, sizeof(connected));
	start_registrations(&config);
	require(gate_open(&config, &gate) == ERR_OK);
}

void
program_begin(void)
{
	struct report_config reports = { .account_id = ACCOUNT,
		.sink = world_sink,
		.now = world_now };

	if (cas[0] == NULL)
		prepare();
	world_open();
	world.kicks_by_id = true;
	world_set_clock(START);
	require(report_open(&reports, &report) == ERR_OK);
	start_gate();
}

void
program_end(void)
{
	gate_close(gate);
	gate = NULL;
	registration_jobs_close(registrations);
	registrations = NULL;
	report_close(report);
	world_close();
}

const struct model_world *
program_world(void)
{
	return &facts;
}

int64_t
program_now(void)
{
	return world_now();
}

void
program_wait(int64_t ms)
{
	world_wait(ms);
}

/*
 * Changes.  Each is a transaction; one that fails has put nothing.
 */

static void
begin(struct txn *t)
{
	require(store_write(world.store, t) == ERR_OK);
}

static enum err
end(struct txn *t, enum err e)
{
	if (e == ERR_OK)
		return store_commit(t);
	require(t->failed == ERR_OK);
	store_end(t);
	require(!store_changed(world.store));
	return e;
}

static enum err
end_cert(struct txn *t, int device, enum err e)
{
	e = end(t, e);
	if (e == ERR_OK)
		gate_changed(gate, &facts.device[device].id);
	return e;
}

static struct view
name_of(char kind, int n)
{
	static char names[4][4];
	static unsigned nth;
	char *name = names[nth++ % 4];

	(void)snprintf(name, sizeof(names[0]), "%c%d", kind, n);
	return view_of(name);
}

/*
 * CAs.
 */

enum err
program_add_ca(int n, bool active, bool automatic)
{
	struct ca_document document = { .der = cas[n]->der, .pem = cas[n]->pem };
	struct ca_settings_update none = { .crl_check = NULL };
	struct ca ca;
	struct txn t;

	require(x509_read_ca(cas[n]->x, &ca) == ERR_OK);
	ca.status = active ? CA_ACTIVE : CA_INACTIVE;
	ca.auto_registration = automatic;
	ca.mode = MODE_DEFAULT;
	begin(&t);
	return end(&t,
	    registry_add_ca(&t,
		&(struct ca_registration){ .ca = &ca, .document = &document, .settings = &none },
		world_now(), NULL));
}

static enum err
update_ca(int ca, const struct ca_update *update)
{
	struct txn t;

	begin(&t);
	return end(&t, registry_update_ca(&t, &ca_ids[ca], update, world_now(), NULL));
}

enum err
program_set_ca_status(int ca, bool active)
{
	enum ca_status status = active ? CA_ACTIVE : CA_INACTIVE;

	return update_ca(ca, &(struct ca_update){ .status = &status });
}

enum err
program_set_automatic(int ca, bool automatic)
{
	return update_ca(ca, &(struct ca_update){ .auto_registration = &automatic });
}

enum err
program_remove_automatic(int ca)
{
	return update_ca(ca, &(struct ca_update){ .remove_auto_registration = true });
}

enum err
program_set_check(int ca, enum crl_check check, unsigned grace_days)
{
	return update_ca(ca,
	    &(struct ca_update){
		.settings = { .crl_check = &check, .crl_grace_days = grace_days } });
}

enum err
program_set_rule(int ca, int rule)
{
	static const char *const rules[RULES] = { "", "{\"policies\":[\"p0\"]}",
		"{\"policies\":[\"p0\",\"p1\"],\"thing\":\"t0\"}",
		"{\"policies\":[\"p2\"],\"thing\":\"t${iot:Certificate.Subject.Organization}\",\"supersede\":3600}",
		"{\"conditions\":{\"StringEquals\":{\"iot:ClientId\":\"x\"}},"
		"\"otherwise\":\"REVOKED\"}",
		"{\"conditions\":{\"StringEquals\":{\"iot:ClientId\":\"x\"}},"
		"\"otherwise\":\"PENDING_ACTIVATION\"}" };
	struct view text = view_of(rules[rule]);

	return update_ca(ca,
	    &(struct ca_update){ .settings = { .activation = &text,
				     .supersedes = rule == 3,
				     .supersede_after = rule == 3 ? 3600000 : 0 } });
}

enum err
program_set_template(int ca, int template)
{
	struct view none = view_of(""), name = template == NONE ? none : name_of('m', template);

	return update_ca(ca,
	    &(struct ca_update){ .template_body = &none,
		.role_arn = &none,
		.settings = { .template_name = &name } });
}

enum err
program_remove_ca(int ca)
{
	struct txn t;
	enum err e;

	begin(&t);
	e = end(&t, registry_remove_ca(&t, &ca_ids[ca], NULL));
	if (e == ERR_OK)
		gate_crl_changed(gate, NULL, 0);
	return e;
}

/*
 * Revocation lists.
 */

/* Devices of the CA's key by their contents. */
static void
add_entries(struct pki_crl_options *o, unsigned listed, unsigned on_hold)
{
	size_t count = 0;

	for (int d = 0; d < DEVICES; d++) {
		bool held = on_hold & 1u << d && !(listed & 1u << d);

		if (facts.device[d].content != d || !((listed | on_hold) & 1u << d))
			continue;
		require(count < COUNT_OF(o->entries));
		o->entries[count++] = (struct pki_revoked){ .cert = devices[d],
			.reason = held ? REVOKED_HOLD : 0 };
	}
}

static enum err
import_list(int ca, struct crl_import *import)
{
	struct diag diag = { "" };
	bool more = true;
	struct txn t;
	enum err e = ERR_OK;

	while (more && e == ERR_OK) {
		begin(&t);
		e = end(&t, crl_import_run(import, &t, world_now(), &diag));
		more = e == ERR_OK && crl_import_committed(import);
	}
	if (e == ERR_OK) {
		struct crl_result r = crl_import_result(import);

		require(certid_equal(&r.ca_id, &ca_ids[ca]) && !r.unchanged);
		gate_crl_changed(gate, r.named->ids, r.named->count);
	}
	return e;
}

enum err
program_import_list(int ca, unsigned listed, unsigned on_hold, int64_t *next_update)
{
	char number[12];
	struct pki_crl_options o = { .issuer = cas[ca], .now = world_now(), .number = number };
	struct crl_import *import;
	struct pki_crl *list;
	uint8_t *bytes;
	enum err e;

	(void)snprintf(number, sizeof(number), "%u", ++lists);
	add_entries(&o, listed, on_hold);
	list = pki_crl_make(&o);
	bytes = malloc(list->der.len);
	require(bytes != NULL);
	memcpy(bytes, list->der.data, list->der.len);
	require(crl_import_new(&ca_ids[ca], bytes, list->der.len, &import) == ERR_OK);
	e = import_list(ca, import);
	crl_import_free(import);
	pki_crl_free(list);
	*next_update = world_now() / 1000 * 1000 + 30 * DAY_MS;
	return e;
}

enum err
program_remove_list(int ca)
{
	struct txn t;
	enum err e;

	begin(&t);
	e = end(&t, crl_remove(&t, &ca_ids[ca], NULL));
	if (e == ERR_OK)
		gate_crl_changed(gate, NULL, 0);
	return e;
}

/*
 * Certificates.
 */

enum err
program_add_cert(int device, bool with_ca, enum cert_status status)
{
	struct cert_registration r = { .x = devices[device]->x,
		.pem = devices[device]->pem,
		.with_ca = with_ca,
		.status = status };
	struct certid id;
	struct txn t;

	begin(&t);
	return end_cert(&t, device, registry_add_cert(&t, &r, world_now(), &id, NULL));
}

enum err
program_set_status(int device, enum cert_status status)
{
	enum cert_status was;
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_set_cert_status(&t, &facts.device[device].id, status, world_now(), &was,
		NULL));
}

enum err
program_remove_cert(int device, bool force)
{
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_remove_cert(&t, &facts.device[device].id, force, PREFIX, NULL));
}

/*
 * Policies.
 */

#define STATEMENT(effect, action) \
	"{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"*\"}"
#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

static struct view
document_of(int n)
{
	static const char *const documents[DOCUMENTS] = {
		DOCUMENT(STATEMENT("Allow", "Connect") "," STATEMENT("Allow", "Publish")),
		DOCUMENT(STATEMENT("Allow", "Publish")),
		DOCUMENT(STATEMENT("Deny", "Connect") "," STATEMENT("Allow", "Publish")),
		DOCUMENT(STATEMENT("Allow", "Connect")),
	};

	return view_of(documents[n]);
}

static enum err
end_policy(struct txn *t, int policy, enum err e)
{
	e = end(t, e);
	if (e == ERR_OK)
		gate_policy_changed(gate, name_of('p', policy));
	return e;
}

enum err
program_create_policy(int policy, int document)
{
	struct txn t;

	begin(&t);
	return end_policy(&t, policy,
	    registry_create_policy(&t, name_of('p', policy), document_of(document), world_now(),
		NULL));
}

enum err
program_delete_policy(int policy)
{
	struct txn t;

	begin(&t);
	return end_policy(&t, policy, registry_delete_policy(&t, name_of('p', policy), NULL));
}

enum err
program_create_version(int policy, int document, bool set_default)
{
	struct new_policy_version made = { document_of(document), set_default };
	uint32_t number;
	struct txn t;

	begin(&t);
	return end_policy(&t, policy,
	    registry_create_policy_version(&t, name_of('p', policy), &made, world_now(), &number,
		NULL));
}

enum err
program_set_default(int policy, unsigned number)
{
	struct txn t;

	begin(&t);
	return end_policy(&t, policy,
	    registry_set_default_policy_version(&t, name_of('p', policy), number, world_now(),
		NULL));
}

enum err
program_delete_version(int policy, unsigned number)
{
	struct txn t;

	begin(&t);
	return end_policy(&t, policy,
	    registry_delete_policy_version(&t, name_of('p', policy), number, NULL));
}

enum err
program_attach_policy(int policy, int device)
{
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_attach_policy(&t, name_of('p', policy), &facts.device[device].id, NULL));
}

enum err
program_detach_policy(int policy, int device)
{
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_detach_policy(&t, name_of('p', policy), &facts.device[device].id, NULL));
}

/*
 * Things.
 */

static enum err
end_thing(struct txn *t, int thing, enum err e)
{
	e = end(t, e);
	if (e == ERR_OK)
		gate_thing_changed(gate, name_of('t', thing));
	return e;
}

enum err
program_create_thing(int thing, bool typed)
{
	struct thing made = { .name = name_of('t', thing), .type_name = view_of(typed ? "k" : "") };
	struct generation id;
	struct txn t;

	begin(&t);
	return end_thing(&t, thing, registry_create_thing(&t, &made, world_now(), &id, NULL));
}

enum err
program_update_thing(int thing, bool typed)
{
	struct thing_update u = { .has_type = typed,
		.remove_type = !typed,
		.type_name = view_of("k") };
	struct txn t;

	begin(&t);
	return end_thing(&t, thing,
	    registry_update_thing(&t, name_of('t', thing), &u, world_now(), NULL));
}

enum err
program_delete_thing(int thing)
{
	struct txn t;

	begin(&t);
	return end_thing(&t, thing, registry_delete_thing(&t, name_of('t', thing), false, 0, NULL));
}

enum err
program_attach_thing(int thing, int device, enum principal_type type)
{
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_attach_thing(&t, name_of('t', thing), &facts.device[device].id, type, NULL));
}

enum err
program_detach_thing(int thing, int device)
{
	struct txn t;

	begin(&t);
	return end_cert(&t, device,
	    registry_detach_thing(&t, name_of('t', thing), &facts.device[device].id, NULL));
}

/*
 * Templates.
 */

#define TEMPLATE_CERTIFICATE(status) \
	"{\"Parameters\":{\"AWS::IoT::Certificate::Id\":{\"Type\":\"String\"}},\"Resources\":{" \
	"\"c\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":{\"CertificateId\":" \
	"{\"Ref\":\"AWS::IoT::Certificate::Id\"},\"Status\":\"" status "\"}}"
#define TEMPLATE_RESOURCE(type, member, name) \
	",\"" name "\":{\"Type\":\"AWS::IoT::" type "\",\"Properties\":{\"" member "\":\"" name \
	"\"}}"

enum err
program_create_template(int template)
{
	static const char *const bodies[TEMPLATES] = {
		TEMPLATE_CERTIFICATE("ACTIVE") TEMPLATE_RESOURCE("Policy", "PolicyName", "p1") "}}",
		TEMPLATE_CERTIFICATE("INACTIVE") TEMPLATE_RESOURCE("Policy", "PolicyName", "p0")
		    TEMPLATE_RESOURCE("Thing", "ThingName", "t2") "}}",
	};
	struct provisioning_template made = { .name = name_of('m', template),
		.enabled = true,
		.body = view_of(bodies[template]) };
	struct txn t;

	begin(&t);
	return end(&t, registry_create_template(&t, &made, world_now(), NULL));
}

enum err
program_enable_template(int template, bool enabled)
{
	struct txn t;

	begin(&t);
	return end(&t,
	    registry_update_template(&t, name_of('m', template),
		&(struct template_update){ .enabled = &enabled }, world_now(), NULL));
}

enum err
program_delete_template(int template)
{
	struct txn t;

	begin(&t);
	return end(&t, registry_delete_template(&t, name_of('m', template), NULL));
}

/*
 * Time, events, crashes.
 */

void
program_retire(void)
{
	struct certid ids[100];
	size_t count = 1;
	struct txn t;

	while (count > 0) {
		begin(&t);
		require(end(&t,
			    registry_retire_superseded(&t, world_now(), ids, COUNT_OF(ids),
				&count)) == ERR_OK);
		for (size_t i = 0; i < count; i++)
			gate_changed(gate, &ids[i]);
	}
}

void
program_announce_expiring(int64_t until)
{
	size_t count;
	struct txn t;

	begin(&t);
	require(end(&t, registry_announce_expiring(&t, until, ACCOUNT, world_now(), 100, &count)) ==
	    ERR_OK);
}

void
program_publish(size_t count)
{
	struct message m = { .seq = 0 };
	uint64_t last = 0;
	struct txn t;

	begin(&t);
	for (; count > 0 && store_next_message(&t, m.seq, &m) == ERR_OK; count--)
		last = m.seq;
	store_drop_messages(&t, last);
	require(store_commit(&t) == ERR_OK);
}

static void
copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char buffer[65536];
	size_t n;

	require(in != NULL && out != NULL);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		require(fwrite(buffer, 1, n, out) == n);
	require(fclose(out) == 0 && fclose(in) == 0);
}

void
program_crash(void)
{
	char database[160], copy[160];
	struct txn t;

	(void)snprintf(database, sizeof(database), "%s/data.mdb", world.db_path);
	(void)snprintf(copy, sizeof(copy), "%s/data.copy", world.dir);
	gate_close(gate);
	gate = NULL;
	begin(&t);
	store_delete_ca(&t, &ca_ids[0]);
	store_delete_cert(&t, &facts.device[0].id);
	store_post(&t, view_of("never"), view_of("published"));
	copy_file(database, copy);
	store_end(&t);
	require(rename(copy, database) == 0);
	world_reopen_store();
	start_gate();
}

/*
 * Connections.
 */

static struct client
client_of(int device)
{
	static const char *const ids[DEVICES] = { "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7",
		"d8", "d9" };

	return (struct client){ .handle = &handles[device],
		.id = ids[device],
		.address = "192.0.2.1",
		.x = devices[device]->x,
		.clean_session = true,
		.version = 4 };
}

/* The reason is that which was counted. */
static enum reason
reason_since(const struct stats *before)
{
	for (int r = 0; r < REASON_COUNT; r++)
		if (stats.refused_for[r] != before->refused_for[r])
			return (enum reason)r;
	return REASON_NONE;
}

enum verdict
program_connect(int device, enum reason *reason)
{
	struct client c = client_of(device);
	struct stats before = stats;
	enum verdict verdict = gate_connect(gate, &c);

	*reason = reason_since(&before);
	connected[device] = verdict == VERDICT_ALLOW;
	run_jobs();
	return verdict;
}

void
program_disconnect(int device)
{
	struct client c = client_of(device);

	if (connected[device])
		gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	connected[device] = false;
}

/* The user name of a client is its certificateId. */
static int
device_of(const char *user_name)
{
	struct certid id;
	int n = 0;

	require(certid_from_hex(&id, view_of(user_name)));
	while (n < DEVICES && !certid_equal(&facts.device[n].id, &id))
		n++;
	require(n < DEVICES);
	return n;
}

void
program_tick(void)
{
	const struct note *n;

	gate_release(gate);
	while (gate_tick(gate))
		;
	for (size_t i = 0; (n = world_note(NOTE_KICK_ONE, i)) != NULL; i++)
		program_disconnect((int)((const char *)n->client - handles));
	for (size_t i = 0; (n = world_note(NOTE_KICK, i)) != NULL; i++)
		program_disconnect(device_of(n->to));
	world_forget();
	run_jobs();
}

bool
program_is_connected(int device)
{
	return connected[device];
}

bool
program_may_publish(int device)
{
	struct client c = client_of(device);

	struct access_request publish = { ACTION_WRITE, "up", false };

	return connected[device] && gate_access(gate, &c, &publish) == ACCESS_ALLOW;
}

/*
 * Comparison.
 */

static bool
found(enum err e)
{
	require(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

static void
compare_list(struct txn *t, int n, const struct model_ca *m)
{
	struct crl crl;
	bool has = found(store_get_crl(t, &ca_ids[n], &crl));

	require(has == (m->present && m->has_list));
	if (has)
		require(crl.next_update == m->next_update && crl.applied);
}

static void
compare_ca(struct txn *t, int n, const struct model_ca *m)
{
	struct ca_settings settings;
	struct ca ca;
	bool has = found(store_get_ca(t, &ca_ids[n], &ca));

	require(has == m->present);
	compare_list(t, n, m);
	if (!found(store_get_ca_settings(t, &ca_ids[n], &settings)))
		settings = CA_SETTINGS_DEFAULT;
	else
		require(has);
	if (!has)
		return;
	require((ca.status == CA_ACTIVE) == m->active && ca.auto_registration == m->automatic);
	require(ca.created == m->created && ca.version == m->version);
	require(settings.crl_check == m->check && (settings.activation.len > 0) == (m->rule != 0));
	require((settings.template_name.len > 0) == (m->template != NONE));
}

static void
compare_policies_of(struct txn *t, int n, unsigned expected)
{
	struct view names[POLICIES + 1];
	unsigned attached = 0;
	size_t count;

	require(store_list_attached(t, &facts.device[n].id, NULL, true, names, COUNT_OF(names),
		    &count) == ERR_OK);
	for (size_t i = 0; i < count; i++)
		attached |= 1u << (names[i].data[1] - '0');
	require(attached == expected);
	for (int p = 0; p < POLICIES; p++) {
		bool is;

		require(store_is_attached(t, name_of('p', p), &facts.device[n].id, &is) == ERR_OK);
		require(is == ((expected & 1u << p) != 0));
	}
}

static void
compare_cert(struct txn *t, int n, const struct model_cert *m)
{
	struct cert_document document;
	struct cert cert;
	bool has = found(store_get_cert(t, &facts.device[n].id, &cert));

	require(has == m->present);
	require(has == found(store_get_cert_document(t, &facts.device[n].id, &document)));
	compare_policies_of(t, n, m->policies);
	if (!has)
		return;
	require(view_equal(document.der, devices[n]->der));
	require(cert.status == m->status && cert.has_ca == (m->ca != NONE));
	require(!cert.has_ca || certid_equal(&cert.ca_id, &ca_ids[m->ca]));
	require(cert.created == m->created && cert.announced == m->announced);
	require(cert.version == m->version);
}

static void
compare_policy(struct txn *t, int n, const struct model_policy *m)
{
	struct policy_record policy;
	bool has = found(store_get_policy(t, name_of('p', n), &policy));

	require(has == m->present);
	for (unsigned v = 1; v <= VERSIONS; v++) {
		struct policy_version version;
		bool is = found(store_get_policy_version(t, name_of('p', n), v, &version));

		require(is == (has && v <= m->last_version && m->document[v] != NONE));
		if (is)
			require(view_equal(version.document, document_of(m->document[v])));
	}
	if (has)
		require(policy.default_version == m->default_version &&
		    policy.last_version == m->last_version);
}

static void
compare_thing(struct txn *t, int n, const struct model_thing *m)
{
	struct thing thing;
	bool has = found(store_get_thing(t, name_of('t', n), &thing));

	require(has == m->present);
	if (has)
		require(thing.version == m->version && (thing.type_name.len > 0) == m->typed);
	for (int d = 0; d < DEVICES; d++) {
		enum principal_type type;
		bool is = found(
		    store_get_thing_principal(t, name_of('t', n), &facts.device[d].id, &type));

		require(is == (has && m->device[d].attached));
		require(!is || type == m->device[d].type);
	}
}

static void
compare_template(struct txn *t, int n, const struct model_template *m)
{
	struct provisioning_template template;
	bool has = found(store_get_template(t, name_of('m', n), &template));

	require(has == m->present && (!has || template.enabled == m->enabled));
}

/* The topic, and in the payload the certificate and its status. */
static void
compare_message(const struct message *message, const struct model_event *e)
{
	char topic[EVENT_TOPIC_SIZE], hex[CERTID_HEX_SIZE], payload[4096], status[64];
	struct view expected;

	if (e->kind == EVENT_EXPIRING)
		expected = event_expiring_topic(e->ca != NONE ? &ca_ids[e->ca] : NULL, topic);
	else if (e->kind == EVENT_FAILED)
		expected = event_failed_topic(&ca_ids[e->ca], topic);
	else
		expected = event_topic(&ca_ids[e->ca], topic);
	require(view_equal(message->topic, expected));
	require(message->payload.len < sizeof(payload));
	memcpy(payload, message->payload.data, message->payload.len);
	payload[message->payload.len] = '\0';
	certid_to_hex(&facts.device[e->device].id, hex);
	(void)snprintf(status, sizeof(status), "\"certificateStatus\":\"%s\"",
	    cert_status_name(e->status));
	require(strstr(payload, hex) != NULL && strstr(payload, status) != NULL);
}

static void
compare_outbox(struct txn *t, const struct model *m)
{
	struct message message = { .seq = 0 };

	for (size_t i = 0; i < m->owed_count; i++) {
		require(store_next_message(t, message.seq, &message) == ERR_OK);
		compare_message(&message, &m->owed[i]);
	}
	require(store_next_message(t, message.seq, &message) == ERR_NOT_FOUND);
}

static void
compare_counts(struct txn *t, const struct model *m)
{
	uint64_t certs[CERT_STATUS_COUNT] = { 0 }, cas_count = 0, policies = 0, things = 0;
	struct store_counts counts;

	for (int n = 0; n < DEVICES; n++)
		if (m->cert[n].present)
			certs[m->cert[n].status]++;
	for (int n = 0; n < CAS; n++)
		cas_count += m->ca[n].present;
	for (int n = 0; n < POLICIES; n++)
		policies += m->policy[n].present;
	for (int n = 0; n < THINGS; n++)
		things += m->thing[n].present;
	require(store_count(t, &counts) == ERR_OK);
	require(memcmp(counts.certs, certs, sizeof(certs)) == 0 && counts.cas == cas_count);
	require(counts.policies == policies && counts.things == things);
	require(counts.messages == m->owed_count);
}

static void
compare_connections(const struct model *m)
{
	for (int n = 0; n < DEVICES; n++) {
		require(connected[n] == m->cert[n].connected);
		require(program_may_publish(n) == model_may_publish(m, n));
	}
}

void
program_compare(const struct model *m)
{
	struct txn t;

	require(store_read(world.store, &t) == ERR_OK);
	for (int n = 0; n < CAS; n++)
		compare_ca(&t, n, &m->ca[n]);
	for (int n = 0; n < DEVICES; n++)
		compare_cert(&t, n, &m->cert[n]);
	for (int n = 0; n < POLICIES; n++)
		compare_policy(&t, n, &m->policy[n]);
	for (int n = 0; n < THINGS; n++)
		compare_thing(&t, n, &m->thing[n]);
	for (int n = 0; n < TEMPLATES; n++)
		compare_template(&t, n, &m->template[n]);
	compare_outbox(&t, m);
	compare_counts(&t, m);
	store_end(&t);
	compare_connections(m);
}
