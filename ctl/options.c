/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options.c - see options.h.
 *
 * Any thread.  Follows apps/mosquitto_ctrl/options.c of Mosquitto 2.0.11.  In later
 * versions the options file overrides the command line; here it does not.
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "url.h"

/* Copies of option values, which are then independent of their source. */
struct kept {
	struct kept *next;
	char text[];
};

enum option_kind {
	OPTION_TEXT,
	OPTION_SWITCH,
	OPTION_SPECIAL,
};

struct option {
	const char *brief, *name;
	enum option_kind kind;
	size_t offset;
	bool (*read)(struct options *o, const char *value, struct diag *d);
	const char *value;
	const char *help;
};

static char *
keep(struct options *o, const char *text, struct diag *d)
{
	struct kept *k = malloc(sizeof(*k) + strlen(text) + 1);

	if (k == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	memcpy(k->text, text, strlen(text) + 1);
	k->next = o->kept;
	o->kept = k;
	return k->text;
}

MUST_USE static bool
read_number(int *out, const char *value, int least, int most, const char *what, struct diag *d)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (*value == '\0' || *end != '\0' || errno != 0 || number < least || number > most) {
		diag_set(d, "Invalid %s given: %s", what, value);
		return false;
	}
	*out = (int)number;
	return true;
}

static bool
read_port(struct options *o, const char *value, struct diag *d)
{
	return read_number(&o->port, value, 0, 65535, "port", d);
}

static bool
read_qos(struct options *o, const char *value, struct diag *d)
{
	return read_number(&o->qos, value, 0, 2, "QoS", d);
}

static bool
read_keepalive(struct options *o, const char *value, struct diag *d)
{
	return read_number(&o->keepalive, value, 5, 65535, "keepalive", d);
}

static bool
read_unix(struct options *o, const char *value, struct diag *d)
{
	o->host = keep(o, value, d);
	o->port = PORT_UNIX;
	return o->host != NULL;
}

static bool
read_protocol(struct options *o, const char *value, struct diag *d)
{
	static const struct {
		const char *name, *brief;
		int protocol;
	} versions[] = { { "mqttv31", "31", 3 }, { "mqttv311", "311", 4 }, { "mqttv5", "5", 5 } };

	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		if (strcmp(value, versions[i].name) == 0 || strcmp(value, versions[i].brief) == 0) {
			o->protocol = versions[i].protocol;
			return true;
		}
	}
	diag_set(d, "Invalid protocol version given: %s (31, 311 or 5)", value);
	return false;
}

static bool
read_url(struct options *o, const char *value, struct diag *d)
{
	static const struct url_scheme schemes[] = { { "mqtt://", 1883 }, { "mqtts://", 8883 } };
	char *text = keep(o, value, d);
	struct url url;

	if (text == NULL || !url_parse(&url, text, schemes, COUNT_OF(schemes), d))
		return false;
	o->host = url.host;
	o->port = url.port;
	if (url.username != NULL)
		o->username = url.username;
	if (url.password != NULL)
		o->password = url.password;
	o->os_certs = o->os_certs || url.scheme == 1;
	return true;
}

static bool
read_proxy(struct options *o, const char *value, struct diag *d)
{
	static const struct url_scheme schemes[] = { { "socks5h://", 1080 } };
	char *text = keep(o, value, d);
	struct url url;

	if (text == NULL || !url_parse(&url, text, schemes, COUNT_OF(schemes), d))
		return false;
	if (!url_decode(url.username) || !url_decode(url.password)) {
		diag_set(d, "Invalid URL encoding in the proxy's user name or password");
		return false;
	}
	o->proxy_host = url.host;
	o->proxy_port = url.port;
	o->proxy_username = url.username;
	o->proxy_password = url.password;
	return true;
}

#define TEXT(brief, name, field, value, help) \
	{ \
		brief, name, OPTION_TEXT, offsetof(struct options, field), NULL, value, help \
	}
#define SWITCH(brief, name, field, help) \
	{ \
		brief, name, OPTION_SWITCH, offsetof(struct options, field), NULL, NULL, help \
	}
#define SPECIAL(brief, name, read, value, help) \
	{ \
		brief, name, OPTION_SPECIAL, 0, read, value, help \
	}

static const struct option rows[] = {
	TEXT("-h", "--host", host, "HOST", "the broker; localhost by default"),
	SPECIAL("-p", "--port", read_port, "PORT", "1883 by default, 8883 with TLS"),
	SPECIAL("-L", "--url", read_url, "URL", "mqtt(s)://[user[:password]@]host[:port][/...]"),
	SPECIAL(NULL, "--unix", read_unix, "PATH", "connect through a unix domain socket"),
	TEXT("-u", "--username", username, "USER", "user name"),
	TEXT("-P", "--pw", password, "PASSWORD", "password; asked for on a terminal"),
	TEXT("-i", "--id", id, "ID", "client id; random by default"),
	TEXT("-o", NULL, file, "FILE", "options file instead of ~/.config/mosquitto_ctrl"),
	TEXT("-A", NULL, bind, "ADDRESS", "local address to connect from"),
	SPECIAL("-V", "--protocol-version", read_protocol, "VERSION", "31, 311 (the default) or 5"),
	SPECIAL("-q", "--qos", read_qos, "QOS", "quality of service; 1 by default"),
	SPECIAL("-k", "--keepalive", read_keepalive, "SECONDS", "60 by default"),
	SWITCH("-c", NULL, no_clean, "accepted; a session is never kept"),
	SWITCH("-d", "--debug", debug, "show what is sent and received"),
	SWITCH(NULL, "--quiet", quiet, "no progress"),
	SWITCH("-v", "--verbose", verbose, "accepted; there is no more to say"),
	TEXT(NULL, "--cafile", cafile, "FILE", "trusted CAs, PEM; turns TLS on"),
	TEXT(NULL, "--capath", capath, "DIRECTORY", "trusted CAs, hashed; turns TLS on"),
	SWITCH(NULL, "--tls-use-os-certs", os_certs, "trust the system's CAs; turns TLS on"),
	TEXT(NULL, "--cert", cert, "FILE", "client certificate, PEM"),
	TEXT(NULL, "--key", key, "FILE", "its private key, PEM"),
	TEXT(NULL, "--keyform", keyform, "FORM", "pem or engine"),
	TEXT(NULL, "--ciphers", ciphers, "LIST", "TLS ciphers, as openssl ciphers"),
	SWITCH(NULL, "--insecure", insecure, "do not check the broker's host name"),
	TEXT(NULL, "--tls-version", tls_version, "VERSION", "tlsv1.3, tlsv1.2"),
	TEXT(NULL, "--tls-alpn", tls_alpn, "PROTOCOL", "application protocol to ask for"),
	TEXT(NULL, "--tls-engine", tls_engine, "ENGINE", "OpenSSL engine to use"),
	TEXT(NULL, "--tls-engine-kpass-sha1", tls_engine_kpass, "HEX",
	    "SHA-1 of the key's password"),
	TEXT(NULL, "--psk", psk, "HEX", "pre-shared key; turns TLS on"),
	TEXT(NULL, "--psk-identity", psk_identity, "NAME", "its identity"),
	SPECIAL(NULL, "--proxy", read_proxy, "URL", "socks5h://[user[:password]@]host[:port]"),
	SWITCH(NULL, "--help", help, "show help"),
	SWITCH(NULL, "--version", version, "show the version"),
};

static const struct option *
option_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if ((rows[i].brief != NULL && strcmp(word, rows[i].brief) == 0) ||
		    (rows[i].name != NULL && strcmp(word, rows[i].name) == 0))
			return &rows[i];
	}
	return NULL;
}

static void
set_switch(struct options *o, const struct option *row)
{
	memcpy((char *)o + row->offset, &(bool){ true }, sizeof(bool));
}

MUST_USE static bool
set_value(struct options *o, const struct option *row, const char *value, struct diag *d)
{
	const char *text;

	if (row->kind == OPTION_SPECIAL)
		return row->read(o, value, d);
	text = keep(o, value, d);
	memcpy((char *)o + row->offset, &text, sizeof(text));
	return text != NULL;
}

/* Reads the option at argv[0] and its value.  Returns the number of words, 0 on error. */
static int
option_read(struct options *o, int argc, char *const *argv, struct diag *d)
{
	const struct option *row = option_find(argv[0]);

	if (row == NULL) {
		diag_set(d, "Unknown option '%s'.", argv[0]);
		return 0;
	}
	if (row->kind == OPTION_SWITCH) {
		set_switch(o, row);
		return 1;
	}
	if (argc < 2) {
		diag_set(d, "%s argument given but no %s specified.", argv[0], row->value);
		return 0;
	}
	return set_value(o, row, argv[1], d) ? 2 : 0;
}

MUST_USE static bool
read_line(struct options *o, char *line, const char *path, struct diag *d)
{
	char *words[2];
	size_t len = strcspn(line, " \t\r\n");
	struct diag why = { "" };
	size_t end;
	int count = 1;

	if (len == 0 || line[0] == '#')
		return true;
	words[0] = line;
	words[1] = line + len + strspn(line + len, " \t\r\n");
	line[len] = '\0';
	end = strlen(words[1]);
	while (end > 0 && strchr(" \t\r\n", words[1][end - 1]) != NULL)
		words[1][--end] = '\0';
	if (words[1][0] != '\0')
		count = 2;
	if (option_read(o, count, words, &why) > 0)
		return true;
	diag_set(d, "%s: %s", path, why.text);
	return false;
}

MUST_USE static bool
read_lines(struct options *o, const char *path, FILE *file, struct diag *d)
{
	char line[1024];

	while (fgets(line, (int)sizeof(line), file) != NULL) {
		if (!read_line(o, line, path, d))
			return false;
	}
	return true;
}

static bool
default_path(char *path, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int len;

	if (config != NULL)
		len = snprintf(path, size, "%s/mosquitto_ctrl", config);
	else if (home != NULL)
		len = snprintf(path, size, "%s/.config/mosquitto_ctrl", home);
	else
		return false;
	return len > 0 && (size_t)len < size;
}

/* A file named with -o must exist; the default one need not. */
MUST_USE static bool
read_options_file(struct options *o, const char *asked, struct diag *d)
{
	char path[4096];
	FILE *file;
	bool ok;

	if (asked == NULL && !default_path(path, sizeof(path)))
		return true;
	file = fopen(asked != NULL ? asked : path, "r");
	if (file == NULL && asked != NULL)
		diag_set(d, "cannot read the options file %s: %s", asked, strerror(errno));
	if (file == NULL)
		return asked == NULL;
	ok = read_lines(o, asked != NULL ? asked : path, file, d);
	(void)fclose(file);
	return ok;
}

MUST_USE static bool
read_words(struct options *o, int argc, char *const *argv, int *used, struct diag *d)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		int n = option_read(o, argc - i, argv + i, d);

		if (n == 0)
			return false;
		i += n;
	}
	*used = i;
	return true;
}

static const char *
find_conflict(const struct options *o)
{
	if ((o->cert == NULL) != (o->key == NULL))
		return "Both --cert and --key must be provided if one of them is.";
	if (o->keyform != NULL && o->key == NULL)
		return "If --keyform is set, --key must be also specified.";
	if (o->tls_engine_kpass != NULL && (o->keyform == NULL || o->tls_engine == NULL))
		return "--tls-engine-kpass-sha1 needs --tls-engine and --keyform.";
	if (o->psk != NULL && (o->cafile != NULL || o->capath != NULL))
		return "Only one of --psk or --cafile/--capath may be used at once.";
	if (o->psk != NULL && o->psk_identity == NULL)
		return "--psk-identity required if --psk used.";
	if (o->cert != NULL && !options_encrypted(o))
		return "--cert needs --cafile, --capath or --tls-use-os-certs.";
	return NULL;
}

static void
options_init(struct options *o)
{
	*o = (struct options){ .port = PORT_UNSET, .qos = 1, .keepalive = 60, .protocol = 4 };
}

bool
options_parse(struct options *o, int argc, char *const *argv, int *used, struct diag *d)
{
	struct options first_pass;
	const char *wrong;
	bool ok;

	/* Two passes: the file is named on the command line, which overrides it. */
	options_init(o);
	options_init(&first_pass);
	ok = read_words(&first_pass, argc, argv, used, d) &&
	    read_options_file(o, first_pass.file, d) && read_words(o, argc, argv, used, d);
	options_free(&first_pass);
	if (!ok || o->help || o->version)
		return ok;
	if (o->host == NULL)
		o->host = "localhost";
	wrong = find_conflict(o);
	if (wrong != NULL)
		diag_set(d, "%s", wrong);
	return wrong == NULL;
}

void
options_free(struct options *o)
{
	while (o->kept != NULL) {
		struct kept *next = o->kept->next;

		free(o->kept);
		o->kept = next;
	}
	options_init(o);
}

bool
options_encrypted(const struct options *o)
{
	return o->cafile != NULL || o->capath != NULL || o->os_certs || o->psk != NULL;
}

int
options_port(const struct options *o)
{
	if (o->port != PORT_UNSET)
		return o->port;
	return options_encrypted(o) ? 8883 : 1883;
}

void
options_help(FILE *out)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct option *r = &rows[i];
		char left[48];

		(void)snprintf(left, sizeof(left), "%s%s%s%s%s", r->brief != NULL ? r->brief : "",
		    r->brief != NULL && r->name != NULL ? ", " : "", r->name != NULL ? r->name : "",
		    r->value != NULL ? " " : "", r->value != NULL ? r->value : "");
		(void)fprintf(out, "  %-32s %s\n", left, r->help);
	}
}
