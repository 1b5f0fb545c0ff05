/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * server.h - a broker of the benchmark: one configuration, with or without the lines of a
 * plugin at its end.
 *
 * It ends with the program, however that ends.
 */
#ifndef JITR_BENCH_SERVER_H
#define JITR_BENCH_SERVER_H

#include <sys/types.h>

#include "bench.h"

struct server_config {
	const char *name;           /* of its files: <name>.conf, <name>.log */
	const char *program;        /* the broker */
	const char *plugin;         /* our .so; NULL: without */
	const char *authorization;  /* the plugin's option */
	const char *lines;          /* more of the configuration; NULL: none */
	const char *directory;      /* server.pem, server.key, ca/ and the registry db/ */
	const char *const *wrapper; /* a command to run the broker under; NULL: none */
};

struct server {
	pid_t pid;
	int port, tls_port;
};

/* Returns when both listeners answer. */
void server_start(struct server *s, const struct server_config *config);

/* CPU time of all its threads since it started, user and system. */
int64_t server_cpu_ns(const struct server *s);

/* Of its registrar; 0: it has none. */
int64_t server_registrar_cpu_ns(const struct server *s);

/* Resident memory in KiB. */
struct server_memory {
	size_t broker, registrar;
};

struct server_memory server_memory(const struct server *s);

/* User and system time in clock ticks.  Sampled, so only for long periods. */
struct server_ticks {
	unsigned long user, system;
};

struct server_ticks server_ticks(const struct server *s);

/* SIGTERM, or SIGKILL; returns when it is gone. */
void server_stop(struct server *s, int signal);

#endif
