/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fleet.h - a factory: one CA and any number of devices, all P-256.  Each device has a
 * certificate, and each that connects has a key.
 *
 * Certificates are made from one template and signed, some 15 000 a second, and registered
 * through the project's own store.  One thread.
 */
#ifndef JITR_BENCH_FLEET_H
#define JITR_BENCH_FLEET_H

#include "bench.h"

struct x509_st;
struct evp_pkey_st;
struct store;

struct device {
	char name[32]; /* its client id */
	struct certid id;
	struct x509_st *x;
	struct evp_pkey_st *key;
};

struct fleet {
	struct x509_st *ca, *template;
	struct evp_pkey_st *ca_key;
	struct certid ca_id;
	uint64_t made, registered;
	bool long_serials; /* random serial numbers of 16 bytes, as most CAs give them */
	int64_t not_before, not_after; /* ms, of every device */
};

void fleet_open(struct fleet *f);
void fleet_close(struct fleet *f);

/* server.pem and server.key of the broker. */
void fleet_write_server(const char *directory);

/* New devices, parsed as in a handshake.  Free with devices_free(). */
struct device *devices_make(struct fleet *f, size_t count);
void devices_free(struct device *d, size_t count);

/* Registers the CA, ACTIVE, with auto-registration; the devices given, ACTIVE;
 * and others, up to count certificates, ACTIVE. */
void fleet_register(struct fleet *f, struct store *s, const struct device *d, size_t devices,
    size_t count);

/* The number of these devices that are PENDING_ACTIVATION in the registry. */
size_t devices_pending(struct store *s, const struct device *d, size_t count);

/* The registry of the benchmark: db/ below its directory.  Its bound: JITR_BENCH_MAP_MB. */
size_t bench_map_mb(void);
struct store *bench_store_open(const char *directory);

#endif
