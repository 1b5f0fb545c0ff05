/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* live.h - thousands of devices that are connected at once. */
#ifndef JITR_BENCH_LIVE_H
#define JITR_BENCH_LIVE_H

#include "link.h"

#define LIVE_PATIENCE_S 120 /* without any progress */

/* As many descriptors as the system allows.  Ends the program if they are not enough. */
void live_need_files(size_t connections);

/* Connects each device, 16 at a time. */
void live_connect(struct link *links, const struct device *d, size_t count, int port);

/* Adds the milliseconds from start until each connection was closed; those that were not
 * closed for that many seconds are missing. */
void live_await_closed(const struct link *links, size_t count, int64_t start, int patience_s,
    struct series *closed);

void live_hang_up(struct link *links, size_t count);

#endif
