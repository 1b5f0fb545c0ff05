/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* link.c - see link.h. */
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "link.h"
#include "mqtt.h"

/* Only the broker is measured: the client does not verify the server. */
SSL_CTX *
link_context(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	must(tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION), "TLS context");
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN);
	return tls;
}

bool
link_dial(struct link *l, int port)
{
	*l = (struct link){ .fd = mqtt_dial(port) };
	return l->fd >= 0;
}

bool
link_handshake(struct link *l, SSL_CTX *context, const struct device *d)
{
	l->tls = SSL_new(context);
	must(l->tls != NULL && SSL_use_certificate(l->tls, d->x) == 1 &&
		SSL_use_PrivateKey(l->tls, d->key) == 1 && SSL_set_fd(l->tls, l->fd) == 1,
	    "TLS client");
	return SSL_connect(l->tls) == 1;
}

void
link_close(struct link *l)
{
	SSL_free(l->tls);
	close(l->fd);
	ERR_clear_error();
}

bool
link_write(struct link *l, const uint8_t *data, size_t len)
{
	return SSL_write(l->tls, data, (int)len) == (int)len;
}

bool
link_read(struct link *l, uint8_t *data, size_t len)
{
	while (len > 0) {
		int n = SSL_read(l->tls, data, (int)len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

void
link_drain(struct link *l)
{
	uint8_t rest[64];

	while (SSL_read(l->tls, rest, sizeof(rest)) > 0)
		continue;
}

int
link_connect(struct link *l, const char *client_id)
{
	uint8_t packet[MQTT_PACKET_MAX], answer[4];
	size_t len = mqtt_connect_packet(client_id, packet);

	if (!link_write(l, packet, len) || !link_read(l, answer, sizeof(answer)))
		return -1;
	return answer[0] == 0x20 ? answer[3] : -2;
}
