/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* session_state.c - see session_state.h. */
#include "jitr/service/session_state.h"

struct transition {
	enum session_event event;
	enum session_state next;
};

/* The transitions of one state.  No event leads to NEW, so the zeroed rest of a row ends it. */
#define TRANSITIONS_MAX 7
#define TO(event, next) \
	{ \
		SESSION_ON_##event, SESSION_##next \
	}

static const struct transition transitions[SESSION_STATE_COUNT][TRANSITIONS_MAX] = {
	[SESSION_NEW] = { TO(OTHER, OTHER), TO(ADMINISTRATOR, ADMINISTRATOR),
	    TO(ACCEPTED, ADMITTED), TO(REFUSED, REFUSED), TO(SHUT_OUT, SHUT_OUT),
	    TO(LEAVE, LEFT_UNKNOWN) },
	[SESSION_OTHER] = { TO(SHUT_OUT, SHUT_OUT), TO(LEAVE, LEFT_OTHER) },
	[SESSION_ADMINISTRATOR] = { TO(RENAMED, OTHER), TO(SHUT_OUT, SHUT_OUT),
	    TO(LEAVE, LEFT_ADMINISTRATOR) },
	[SESSION_REFUSED] = { TO(ACCEPTED, ADMITTED), TO(SHUT_OUT, SHUT_OUT), TO(CLOSE, CLOSING),
	    TO(LEAVE, LEFT_REFUSED) },
	[SESSION_ADMITTED] = { TO(REFUSED, REFUSED), TO(SHUT_OUT, SHUT_OUT),
	    TO(CLOSE, CLOSING_ADMITTED), TO(LEAVE, LEFT_ADMITTED) },
	[SESSION_SHUT_OUT] = { TO(CLOSE, CLOSING), TO(LEAVE, LEFT_REFUSED) },
	[SESSION_CLOSING] = { TO(LEAVE, LEFT_REFUSED) },
	[SESSION_CLOSING_ADMITTED] = { TO(REFUSED, CLOSING), TO(SHUT_OUT, CLOSING),
	    TO(LEAVE, LEFT_ADMITTED) },
	[SESSION_LEFT_ADMINISTRATOR] = { TO(TICK, OFFLINE_ADMINISTRATOR),
	    TO(TICK_NO_WILL, OFFLINE_ADMINISTRATOR) },
	[SESSION_LEFT_ADMITTED] = { TO(WILL, LEFT_WILL_SENT), TO(TICK, OFFLINE_WILL),
	    TO(TICK_NO_WILL, OFFLINE) },
	[SESSION_LEFT_WILL_SENT] = { TO(TICK, OFFLINE), TO(TICK_NO_WILL, OFFLINE) },
	[SESSION_OFFLINE_WILL] = { TO(WILL, OFFLINE) },
};

enum session_state
session_next_state(enum session_state state, enum session_event event)
{
	const struct transition *t = transitions[state];

	for (size_t i = 0; i < TRANSITIONS_MAX && t[i].next != SESSION_NEW; i++)
		if (t[i].event == event)
			return t[i].next;
	return state;
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[] = {
#define X(name) [SESSION_##name] = #name,
		SESSION_STATES(X)
#undef X
	};

	return names[state];
}

const char *
session_event_name(enum session_event event)
{
	static const char *const names[] = {
#define X(name) [SESSION_ON_##name] = #name,
		SESSION_EVENTS(X)
#undef X
	};

	return names[event];
}
