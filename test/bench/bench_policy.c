/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_policy.c - the cost of one evaluation of policies: ten policies, as many as
 * a certificate may have, of five statements each, none of which is skipped.
 *
 *   bench_policy
 *
 * Counts instructions where the kernel permits it; otherwise use
 *
 *   valgrind --tool=callgrind --toggle-collect=policy_eval bench_policy
 */
#include <linux/perf_event.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#include "jitr/core/policy.h"

#define PREFIX     "arn:aws:iot:us-east-1:123456789012:"
#define STATEMENTS 5
#define PASSES     61

static const struct {
	const char *what;
	enum policy_action action;
	const char *head, *name;
	enum policy_result expected;
} rows[] = {
	{ "PUBLISH, allowed by the last", POLICY_PUBLISH, PREFIX "topic/",
	    "dt/plant-9/device-0001/state", POLICY_ALLOWED },
	{ "PUBLISH, allowed by the first", POLICY_PUBLISH, PREFIX "topic/",
	    "dt/plant-0/device-0001/state", POLICY_ALLOWED },
	{ "PUBLISH, nothing matches", POLICY_PUBLISH, PREFIX "topic/",
	    "dt/plant-9/device-0002/state", POLICY_IMPLICIT_DENY },
	{ "PUBLISH, denied by the last", POLICY_PUBLISH, PREFIX "topic/",
	    "dt/plant-9/device-0001/secret/key", POLICY_EXPLICIT_DENY },
	{ "delivery, allowed by the last", POLICY_RECEIVE, PREFIX "topic/",
	    "cmd/plant-9/device-0001/reboot", POLICY_ALLOWED },
	{ "SUBSCRIBE, allowed by the last", POLICY_SUBSCRIBE, PREFIX "topicfilter/",
	    "cmd/plant-9/device-0001/#", POLICY_ALLOWED },
	{ "CONNECT, allowed by the first", POLICY_CONNECT, PREFIX "client/", "device-0001",
	    POLICY_ALLOWED },
};

/* The policy of one plant. */
static struct policy *
policy_of(int plant)
{
	static const char written[] =
	    "{\"Version\":\"2012-10-17\",\"Statement\":["
	    "{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"" PREFIX
	    "client/${iot:ClientId}\"},"
	    "{\"Effect\":\"Allow\",\"Action\":[\"iot:Publish\",\"iot:RetainPublish\"],\"Resource\":"
	    "\"" PREFIX "topic/dt/plant-%d/${iot:Certificate.Subject.CommonName}/*\"},"
	    "{\"Effect\":\"Allow\",\"Action\":\"iot:Subscribe\",\"Resource\":\"" PREFIX
	    "topicfilter/cmd/plant-%d/${iot:ClientId}/*\"},"
	    "{\"Effect\":\"Allow\",\"Action\":\"iot:Receive\",\"Resource\":\"" PREFIX
	    "topic/cmd/plant-%d/${iot:ClientId}/*\"},"
	    "{\"Effect\":\"Deny\",\"Action\":\"iot:*\",\"Resource\":\"" PREFIX
	    "topic/*/plant-%d/*/secret/*\"}]}";
	struct arn_scope scope = arn_scope_of("us-east-1", "123456789012");
	struct policy *p;
	char text[2048];

	snprintf(text, sizeof(text), written, plant, plant, plant, plant);
	must(policy_compile(view_of(text), &scope, &p, NULL) == ERR_OK, "a policy");
	return p;
}

/* -1: the kernel does not permit it. */
static int
open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t
instructions_so_far(int counter)
{
	uint64_t count = 0;

	if (counter >= 0)
		must(read(counter, &count, sizeof(count)) == sizeof(count), "counter");
	return count;
}

/* Of this process only.  Other processes matter only by the caches. */
static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
measure(struct policy *const *set, const struct policy_request *r, size_t row, int counter)
{
	size_t times = option("JITR_BENCH_EVALUATIONS", 10000);
	struct series ns = { .at = NULL };
	uint64_t instructions = instructions_so_far(counter);
	size_t allocated = mallinfo2().uordblks;

	for (size_t pass = 0; pass < PASSES; pass++) {
		int64_t start = cpu_ns();

		for (size_t i = 0; i < times; i++)
			must(policy_eval((const struct policy *const *)set, POLICIES_MAX, r,
				 NULL) == rows[row].expected,
			    rows[row].what);
		series_add(&ns, (double)(cpu_ns() - start) / (double)times);
		/* the series itself grows before the first */
		must(pass == 0 || mallinfo2().uordblks == allocated, "no allocation");
		allocated = mallinfo2().uordblks;
	}
	instructions = instructions_so_far(counter) - instructions;
	printf("%-36s %7.0f ns, at least %.0f", rows[row].what, series_median(&ns),
	    series_at(&ns, 0));
	if (counter >= 0)
		printf(" %8.0f instructions", (double)instructions / (double)(PASSES * times));
	printf("\n");
	series_free(&ns);
}

static struct cert_facts *
certificate(void)
{
	struct cert_facts *cert = malloc(sizeof(*cert) + 3 * sizeof(cert->values[0]));

	must(cert != NULL, "memory");
	cert->count = 3;
	cert->values[0] = (struct cert_value){ FIELD_CERT_SERIAL_NUMBER, view_of("1234567890") };
	cert->values[1] = (struct cert_value){ FIELD_SUBJECT_ORGANIZATION, view_of("Example") };
	cert->values[2] = (struct cert_value){ FIELD_SUBJECT_COMMON_NAME, view_of("device-0001") };
	return cert;
}

int
main(void)
{
	struct policy *set[POLICIES_MAX];
	struct cert_facts *cert = certificate();
	struct facts facts = { .client_id = view_of("device-0001"), .cert = cert };
	int counter = open_counter();

	for (int i = 0; i < POLICIES_MAX; i++)
		set[i] = policy_of(i);
	printf("policy_eval, %d policies of %d statements\n", POLICIES_MAX, STATEMENTS);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct policy_request r = { .action = rows[i].action,
			.prefix = view_of(rows[i].head),
			.name = view_of(rows[i].name),
			.facts = &facts };

		measure(set, &r, i, counter);
	}
	for (size_t i = 0; i < POLICIES_MAX; i++)
		policy_free(set[i]);
	free(cert);
	if (counter >= 0)
		close(counter);
	return 0;
}
