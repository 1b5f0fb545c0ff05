/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * denied.c - counts what policies deny, and logs it at the next tick.
 *
 * The log waits because the broker may be in the middle of a delivery (mosquitto section 0,
 * 19).  Every denial is counted; the log has one line per certificate in ten seconds.
 */
#include <stdio.h>

#include "gate_private.h"

#define DENIAL_INTERVAL 10000 /* ms between two lines about one certificate */

struct denial {
	struct notice notice;
	struct certid id;
	const char *what;
	char client_id[NOTICE_NAME_SIZE], address[NOTICE_ADDRESS_SIZE], topic[NOTICE_TOPIC_SIZE];
};

static void
log_denial(struct gate *g, const struct notice *n)
{
	const struct denial *d = (const struct denial *)n;
	struct client c = { .id = d->client_id, .address = d->address };

	report_denied(g->config.report, &c, &d->id, d->what, d->topic);
}

static const struct notice_type denial_type = { NOTICE_DENIED, 256, log_denial, NULL };

static void
keep_view(char *out, size_t size, struct view text)
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

	if (!notice_is_due(p->denial_logged, now, DENIAL_INTERVAL))
		return;
	d = notice_add(&g->notices, &denial_type, sizeof(*d));
	if (d == NULL)
		return;
	p->denial_logged = now;
	d->id = p->id;
	d->what = what;
	keep_view(d->client_id, sizeof(d->client_id), facts->client_id);
	keep_view(d->address, sizeof(d->address), facts->source_text);
	keep_view(d->topic, sizeof(d->topic), topic);
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
