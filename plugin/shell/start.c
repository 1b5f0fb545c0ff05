/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* start.c - see plugin.h: starts and stops the plugin. */
#include <stdlib.h>

#include "listeners.h"
#include "plugin.h"
#include "plugin_private.h"

#include "jitr/core/text.h"

/* A process opens the database once, so that there is one plugin (mosquitto section 0,
 * 15). */
static struct plugin *the_plugin;

/* Logs the reason, which may quote the configuration and is escaped. */
static int
refuse_start(const char *why)
{
	char line[600];
	struct text t = text_in(line, sizeof(line));

	text_add(&t, "jitr: ");
	text_add_escaped(&t, view_of(why), 500);
	mosquitto_log_printf(MOSQ_LOG_ERR, "%s", line);
	return MOSQ_ERR_INVAL;
}

static enum err
parse_options(const struct mosquitto_opt *options, int count, struct config *config,
    struct diag *diag)
{
	struct option *list = calloc((size_t)count + 1, sizeof(*list));
	enum err e;

	if (list == NULL)
		return ERR_NOMEM;
	for (int i = 0; i < count; i++)
		list[i] = (struct option){ options[i].key, options[i].value };
	e = config_parse(list, (size_t)count, config, diag);
	free(list);
	return e;
}

/* unread: why the configuration files could not be read; "": they were. */
static void
report_warnings(struct plugin *p, const char *unread)
{
	if (unread[0] != '\0')
		report_line(p->report, LEVEL_WARNING, "%s", unread);
	if (p->psk_conflict)
		report_line(p->report, LEVEL_WARNING,
		    "psk_file has identities that are certificateIds or "
		    "names of admin_users, which give a client no rights: remove them. Until then no "
		    "delayed will is published for those certificates and users, and nothing is kept "
		    "for them while they are offline");
}

/* The old names of options and counters, which this release understands for the last time. */
static void
report_old_names(const struct plugin *p)
{
	for (size_t i = 0; i < COUNT_OF(p->config.renames); i++) {
		const struct option_rename *r = p->config.renames[i];

		if (r != NULL)
			report_line(p->report, LEVEL_WARNING,
			    "option %s is called %s now: write plugin_opt_%s. The old name is "
			    "understood in this release and not in the next",
			    r->old_name, r->name, r->name);
	}
	if (p->config.metrics_interval > 0)
		report_line(p->report, LEVEL_NOTICE,
		    "counters below " STATS_TOPIC " have new names: %s. They are published "
		    "under the old names too, in this release and not in the next",
		    stats_renames());
}

static void
report_start_line(const struct plugin *p)
{
	report_line(p->report, LEVEL_NOTICE, "version %s, registry %s, CA certificates %s",
	    JITR_VERSION, p->config.db_path, p->config.ca_path);
	report_old_names(p);
	if (p->config.other_clients != OTHER_CLIENTS_UNSET)
		return;
	report_line(p->report, LEVEL_WARNING,
	    "other_clients is not set: clients without a certificate "
	    "of a registered CA, those with a password among them, can publish and receive only what an "
	    "acl_file or another plugin allows them, and nothing without one. Set "
	    "plugin_opt_other_clients to allow (they may use all topics but the reserved ones) or to "
	    "defer (an acl_file or another plugin decides)");
}

static int
start(struct plugin *p, const struct mosquitto_opt *options, int option_count)
{
	struct diag diag = { "" }, unread = { "" };
	enum err e = parse_options(options, option_count, &p->config, &diag);

	if (e == ERR_OK && listeners_check(&unread) == ERR_CONFLICT)
		return refuse_start(unread.text);
	if (e == ERR_OK)
		e = registrar_start(p, options, option_count, &diag);
	if (e == ERR_OK)
		e = open_parts(p, &diag);
	if (e != ERR_OK)
		return refuse_start(diag.text[0] != '\0' ? diag.text : err_text(e));
	if (register_callbacks(p) != MOSQ_ERR_SUCCESS) {
		unregister_callbacks(p);
		return refuse_start("the broker does not take the plugin's callbacks: is another "
				    "plugin using $CONTROL/jitr/v1?");
	}
	p->started = clock_ms(CLOCK_MONOTONIC);
	registrar_watch(p);
	psk_names_read(p);
	report_warnings(p, unread.text);
	report_start_line(p);
	return MOSQ_ERR_SUCCESS;
}

int
plugin_start(mosquitto_plugin_id_t *identifier, void **user_data,
    const struct mosquitto_opt *options, int option_count)
{
	struct plugin *p;
	int rc;

	if (the_plugin != NULL)
		return refuse_start(
		    "loaded twice: one plugin line serves the whole broker, without "
		    "per_listener_settings");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return MOSQ_ERR_NOMEM;
	p->identifier = identifier;
	rc = start(p, options, option_count);
	if (rc != MOSQ_ERR_SUCCESS) {
		close_parts(p);
		return rc;
	}
	*user_data = the_plugin = p;
	return MOSQ_ERR_SUCCESS;
}

void
plugin_stop(void *user_data)
{
	struct plugin *p = user_data;

	if (p == NULL)
		return;
	unregister_callbacks(p);
	close_parts(p);
	the_plugin = NULL;
}
