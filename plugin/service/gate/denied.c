/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * denied.c - counts what policies deny, and logs it at the next tick.
 *
 * The log waits because the broker may be in the middle of a delivery (mosquitto section 0,
 * 19).  Every denial is counted; the log has one line per certificate in ten seconds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gate_private.h"
#include <utlist.h>

#define DENIALS_MAX     256   /* between two ticks */
#define DENIAL_INTERVAL 10000 /* ms between two lines about one certificate */

struct denial {
	struct certid id;
	const char *what;
	char client_id[132], address[64], topic[260];
	struct denial *next, *prev;
};

static void
copy_shown(char *out, size_t size, struct view text)
{
	(void)snprintf(out, size, "%.*s", (int)(text.len < size ? text.len : size - 1),
	    text.data != NULL ? (const char *)text.data : "");
}

static void
log_later(struct gate *g, struct principal *p, const struct facts *facts, const char *what,
    struct view topic)
{
	int64_t now = g->config.now();
	struct denial *d;

	if (g->denial_count >= DENIALS_MAX ||
	    (p->denial_told != 0 && now >= p->denial_told &&
		now - p->denial_told < DENIAL_INTERVAL))
		return;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return;
	p->denial_told = now;
	d->id = p->id;
	d->what = what;
	copy_shown(d->client_id, sizeof(d->client_id), facts->client_id);
	copy_shown(d->address, sizeof(d->address), facts->source_text);
	copy_shown(d->topic, sizeof(d->topic), topic);
	DL_APPEND(g->denials, d);
	g->denial_count++;
}

void
denial_note(struct gate *g, struct principal *p, const struct facts *facts,
    const struct access_question *q)
{
	switch (q->action) {
	case ACTION_WRITE:
		g->config.stats->denied_publish++;
		log_later(g, p, facts, "publish", q->topic);
		break;
	case ACTION_SUBSCRIBE:
		g->config.stats->denied_subscribe++;
		log_later(g, p, facts, "subscribe", q->topic);
		break;
	case ACTION_READ:
		g->config.stats->denied_receive++;
		log_later(g, p, facts, "receive", q->topic);
		break;
	case ACTION_UNSUBSCRIBE:
		break;
	}
}

static void
denial_free(struct gate *g, struct denial *d)
{
	DL_DELETE(g->denials, d);
	g->denial_count--;
	free(d);
}

void
denial_report_all(struct gate *g)
{
	struct denial *d;

	while ((d = g->denials) != NULL) {
		struct client c = { .id = d->client_id, .address = d->address };

		report_denied(g->config.report, &c, &d->id, d->what, d->topic);
		denial_free(g, d);
	}
}

void
denial_forget_all(struct gate *g)
{
	while (g->denials != NULL)
		denial_free(g, g->denials);
}
