/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* stats.c - see stats.h. */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "jitr/service/stats.h"

/*
 * Deltas.
 */

static const size_t offsets[] = {
#define X(field, topic) offsetof(struct stats, field),
	STATS_TABLE(X)
#undef X
};

static_assert(COUNT_OF(offsets) + REASON_COUNT == STATS_COUNTERS, "every counter has an index");

static uint64_t *
counter_at(struct stats *s, size_t index)
{
	if (index >= COUNT_OF(offsets))
		return &s->refused_for[index - COUNT_OF(offsets)];
	return (uint64_t *)(void *)((char *)s + offsets[index]);
}

size_t
stats_take_delta(struct stats *s, struct stats_delta *list, size_t max)
{
	size_t taken = 0;

	for (unsigned i = 0; i < STATS_COUNTERS && taken < max; i++) {
		uint64_t *counter = counter_at(s, i);

		if (*counter == 0)
			continue;
		list[taken++] = (struct stats_delta){ i, *counter };
		*counter = 0;
	}
	return taken;
}

bool
stats_any(const struct stats *s)
{
	static const struct stats none;

	return memcmp(s, &none, sizeof(none)) != 0;
}

enum err
stats_add_delta(struct stats *s, const struct stats_delta *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].index >= STATS_COUNTERS)
			return ERR_CORRUPT;
	for (size_t i = 0; i < count; i++)
		*counter_at(s, list[i].index) += list[i].count;
	return ERR_OK;
}

void
stats_refused(struct stats *s, enum reason reason)
{
	s->refused++;
	s->refused_for[reason]++;
}

/* A number that could not be published is published again at the next interval. */
static void
publish_text(const struct broker *broker, const char *topic, const char *text)
{
	(void)broker->publish(topic, view_of(text), 0, true);
}

static void
publish_count(const struct broker *broker, const char *topic, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	publish_text(broker, topic, text);
}

/* above: a topic that ends with a slash. */
static void
publish_below(const struct broker *broker, const char *above, const char *name, uint64_t value)
{
	char topic[160];

	(void)snprintf(topic, sizeof(topic), "%s%s", above, name);
	publish_count(broker, topic, value);
}

/*
 * Refusals.  The topic has the reason's code; reasons that share a code are counted
 * together.
 */

static bool
is_first_of_code(enum reason r)
{
	for (enum reason before = REASON_NONE; before < r; before++)
		if (strcmp(reason_code(before), reason_code(r)) == 0)
			return false;
	return true;
}

static uint64_t
refused_with(const struct stats *s, const char *code)
{
	uint64_t sum = 0;

	for (enum reason r = REASON_NONE; r < REASON_COUNT; r++)
		if (strcmp(reason_code(r), code) == 0)
			sum += s->refused_for[r];
	return sum;
}

static void
publish_refusals(const struct stats *s, const struct broker *broker)
{
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		if (is_first_of_code(r))
			publish_below(broker, STATS_REFUSED_TOPIC, reason_code(r),
			    refused_with(s, reason_code(r)));
}

/*
 * Gauges.
 */

static void
publish_writer(const struct writer_state *w, const struct broker *broker)
{
#define X(field, topic) publish_count(broker, STATS_TOPIC topic, w->field);
	WRITER_GAUGES(X)
#undef X
	publish_count(broker, STATS_MEAN_TOPIC, w->commits > 0 ? w->commit_us / w->commits : 0);
}

static void
publish_store(const struct store_counts *c, const struct broker *broker)
{
#define X(field, topic) publish_count(broker, STATS_TOPIC topic, c->field);
	STORE_GAUGES(X)
#undef X
#define X(field, old, topic) publish_count(broker, STATS_TOPIC old, c->field);
	STORE_RENAMES(X)
#undef X
	for (int s = 0; s < CERT_STATUS_COUNT; s++)
		publish_below(broker, STATS_STATUS_TOPIC, cert_status_name((enum cert_status)s),
		    c->certs[s]);
}

enum crl_gauge {
#define X(name, topic) CRL_GAUGE_##name,
	CRL_GAUGES(X)
#undef X
	    CRL_GAUGE_COUNT
};

static const char *const crl_gauges[] = {
#define X(name, topic) topic,
	CRL_GAUGES(X)
#undef X
};

/* value NULL: removes the retained message. */
static void
publish_crl_gauge(const struct certid *ca_id, enum crl_gauge gauge, const int64_t *value,
    const struct broker *broker)
{
	char topic[160], hex[CERTID_HEX_SIZE], text[24] = "";

	certid_to_hex(ca_id, hex);
	(void)snprintf(topic, sizeof(topic), STATS_CRL_TOPIC "%s/%s", hex, crl_gauges[gauge]);
	if (value != NULL)
		(void)snprintf(text, sizeof(text), "%" PRId64, *value);
	publish_text(broker, topic, text);
}

/* Rounded down, so that a list that became stale less than a second ago is -1. */
static int64_t
seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

static void
publish_crl(const struct crl_entry *e, int64_t now, const struct broker *broker)
{
	int64_t values[] = {
		[CRL_GAUGE_AGE] = seconds(now - e->crl.this_update),
		[CRL_GAUGE_EXPIRES] = seconds(e->crl.next_update - now),
		[CRL_GAUGE_ENTRIES] = e->crl.count,
	};

	for (enum crl_gauge gauge = 0; gauge < CRL_GAUGE_COUNT; gauge++)
		publish_crl_gauge(&e->ca_id, gauge, &values[gauge], broker);
}

/* A retained message without a payload removes the previous one (MQTT 3.1.1,
 * 3.3.1.3). */
void
stats_forget_crl(const struct certid *ca_id, const struct broker *broker)
{
	for (enum crl_gauge gauge = 0; gauge < CRL_GAUGE_COUNT; gauge++)
		publish_crl_gauge(ca_id, gauge, NULL, broker);
}

const char *
stats_renames(void)
{
#define X(field, old, topic) ", " topic " (" old ")"
	return &STATS_RENAMES(X) STORE_RENAMES(X)[2]; /* without the first comma */
#undef X
}

void
stats_publish(const struct stats *s, const struct gauges *g, const struct broker *broker)
{
#define X(field, topic) publish_count(broker, STATS_TOPIC topic, s->field);
	STATS_TABLE(X)
#undef X
#define X(field, old, topic) publish_count(broker, STATS_TOPIC old, s->field);
	STATS_RENAMES(X)
#undef X
	publish_refusals(s, broker);
	publish_writer(&g->writer, broker);
	if (g->counts != NULL)
		publish_store(g->counts, broker);
	for (size_t i = 0; i < g->crl_count && i < STATS_CRLS_MAX; i++)
		publish_crl(&g->crls[i], g->now, broker);
}
