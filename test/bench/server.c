/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* server.c - see server.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleet.h"
#include "mqtt.h"
#include "server.h"

#define START_TRIES 60000 /* a millisecond each */

static int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		getsockname(fd, (struct sockaddr *)&at, &len) == 0,
	    "free port");
	close(fd);
	return ntohs(at.sin_port);
}

/* Servers differ only in the lines of a plugin. */
static void
write_config(const struct server *s, const struct server_config *config, const char *path)
{
	const char *dir = config->directory;
	FILE *f = fopen(path, "w");

	must(f != NULL, path);
	if (getuid() == 0)
		fprintf(f, "user root\n");
	fprintf(f, "log_dest file %s/%s.log\n", dir, config->name);
	fprintf(f, "allow_anonymous true\nset_tcp_nodelay true\n");
	fprintf(f,
	    "sys_interval 0\n"); /* periodic work would disturb some rounds more than others */
	fprintf(f, "listener %d 127.0.0.1\n", s->port);
	fprintf(f, "listener %d 127.0.0.1\n", s->tls_port);
	fprintf(f, "certfile %s/server.pem\nkeyfile %s/server.key\n", dir, dir);
	fprintf(f, "capath %s/ca\nrequire_certificate true\n", dir);
	if (config->plugin != NULL) {
		fprintf(f, "plugin %s\n", config->plugin);
		fprintf(f, "plugin_opt_db_path %s/db\nplugin_opt_ca_path %s/ca\n", dir, dir);
		fprintf(f, "plugin_opt_db_map_size_mb %zu\n", bench_map_mb());
		fprintf(f, "plugin_opt_authorization %s\n", config->authorization);
	}
	if (config->lines != NULL)
		fputs(config->lines, f);
	must(fclose(f) == 0, path);
}

/* In the child.  Output before the broker opens its log is dropped. */
static void
run(const struct server_config *config, const char *conf)
{
	const char *words[32];
	char *arguments[32];
	size_t n = 0;

	for (; config->wrapper != NULL && config->wrapper[n] != NULL && n < 24; n++)
		words[n] = config->wrapper[n];
	words[n++] = config->program;
	words[n++] = "-c";
	words[n++] = conf;
	for (size_t i = 0; i < n; i++)
		arguments[i] = strdup(words[i]);
	arguments[n] = NULL;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (freopen("/dev/null", "w", stdout) != NULL && freopen("/dev/null", "w", stderr) != NULL)
		execvp(arguments[0], arguments);
	_exit(127);
}

static bool
answers(int port)
{
	int fd = mqtt_dial(port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
wait_until_it_answers(const struct server *s, const struct server_config *config)
{
	for (int i = 0; i < START_TRIES; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) != 0)
			die("%s did not start: see %s/%s.log", config->program, config->directory,
			    config->name);
		if (answers(s->port) && answers(s->tls_port))
			return;
		sleep_us(1000);
	}
	die("%s does not answer", config->program);
}

void
server_start(struct server *s, const struct server_config *config)
{
	char conf[4096];

	s->port = free_port();
	s->tls_port = free_port();
	snprintf(conf, sizeof(conf), "%s/%s.conf", config->directory, config->name);
	write_config(s, config, conf);
	fflush(NULL);
	s->pid = fork();
	must(s->pid >= 0, "fork");
	if (s->pid == 0)
		run(config, conf);
	wait_until_it_answers(s, config);
}

static int64_t
cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	must(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &ts) == 0,
	    "CPU time of a process");
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
server_cpu_ns(const struct server *s)
{
	return cpu_ns(s->pid);
}

/* The only child of the broker; 0: there is none. */
static pid_t
registrar_of(const struct server *s)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)s->pid, (long)s->pid);
	f = fopen(path, "r");
	must(f != NULL, path);
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

int64_t
server_registrar_cpu_ns(const struct server *s)
{
	pid_t registrar = registrar_of(s);

	return registrar != 0 ? cpu_ns(registrar) : 0;
}

/* proc(5): the second field of statm, in pages. */
static size_t
resident_kb(pid_t pid)
{
	unsigned long pages = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	f = fopen(path, "r");
	must(f != NULL && fscanf(f, "%*u %lu", &pages) == 1, path);
	fclose(f);
	return pages * ((size_t)sysconf(_SC_PAGESIZE) / 1024);
}

struct server_memory
server_memory(const struct server *s)
{
	pid_t registrar = registrar_of(s);

	return (struct server_memory){ resident_kb(s->pid),
		registrar != 0 ? resident_kb(registrar) : 0 };
}

/* proc(5): utime and stime are the 14th and 15th field of stat; the second, the
 * name in parentheses, is the only one that may contain spaces. */
struct server_ticks
server_ticks(const struct server *s)
{
	struct server_ticks t = { 0, 0 };
	char path[64], line[1024] = "", *fields;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)s->pid);
	f = fopen(path, "r");
	must(f != NULL && fgets(line, sizeof(line), f) != NULL, path);
	fclose(f);
	fields = strrchr(line, ')');
	must(fields != NULL &&
		sscanf(fields + 1,
		    " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
		    " %lu %lu",
		    &t.user, &t.system) == 2,
	    path);
	return t;
}

void
server_stop(struct server *s, int signal)
{
	must(kill(s->pid, signal) == 0, "signal to the broker");
	while (waitpid(s->pid, NULL, 0) < 0)
		must(errno == EINTR, "end of the broker");
	s->pid = 0;
}
