/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* recovery.c - see recovery.h. */
#include <stdio.h>

#include "jitr/registrar/recovery.h"

static void
log_broken(struct recovery *r, int64_t now)
{
	if (r->broken || (r->broken_at != 0 && now - r->broken_at < RECOVERY_LOG_MS))
		return;
	r->broken = true;
	r->broken_at = now;
	r->log(r->context, LEVEL_ERROR,
	    "jitr: the disk failed in the middle of a commit: the registry is opened again");
}

static void
log_open(struct recovery *r)
{
	if (!r->broken)
		return;
	r->broken = false;
	r->log(r->context, LEVEL_NOTICE, "jitr: the registry is open again");
}

static void
retry_later(struct recovery *r, int64_t now, const struct diag *diag)
{
	char line[512];

	r->retry_wait = r->retry_wait == 0 ? RECOVERY_RETRY_MS : 2 * r->retry_wait;
	if (r->retry_wait > RECOVERY_RETRY_MAX_MS)
		r->retry_wait = RECOVERY_RETRY_MAX_MS;
	r->retry_at = now + r->retry_wait;
	(void)snprintf(line, sizeof(line),
	    "jitr: the registry cannot be opened again: %s; no certificate is let in; next "
	    "attempt in %d s",
	    diag->text, (int)(r->retry_wait / 1000));
	r->log(r->context, LEVEL_ERROR, line);
}

static void
reopen(struct recovery *r, int64_t now)
{
	struct diag diag;
	enum err e;

	log_broken(r, now);
	if (now < r->retry_at)
		return;
	e = store_reopen(r->store, &diag);
	if (e == ERR_BUSY)
		return;
	if (e != ERR_OK) {
		retry_later(r, now, &diag);
		return;
	}
	r->retry_wait = 0;
	log_open(r);
}

static void
log_gone(struct recovery *r, bool gone)
{
	if (r->gone == gone)
		return;
	r->gone = gone;
	if (gone)
		r->log(r->context, LEVEL_ERROR,
		    "jitr: the files of the registry were removed or replaced while it is in use: "
		    "nothing can be changed, and the next start will not find them; move them "
		    "back");
	else
		r->log(r->context, LEVEL_NOTICE, "jitr: the files of the registry are back");
}

void
recovery_tick(struct recovery *r, int64_t now)
{
	enum store_state state = store_state(r->store);

	if (state == STORE_BROKEN)
		reopen(r, now);
	else
		log_gone(r, state == STORE_GONE);
}
