/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * session_state.h - the state of a session, from CONNECT until the broker forgets the client.
 *
 *                         other plugins decide             its certificate decides
 *
 *   connected      NEW --> OTHER  ADMINISTRATOR     ADMITTED <-> REFUSED ---> SHUT_OUT
 *                           |           |            |     |        |            |
 *                           |           |        close     |      close        close
 *                           |           |            v     |        v            v
 *                           |           |  CLOSING_ADMITTED|-----> CLOSING <------+
 *   DISCONNECT              v           v            v     v             v
 *   left           LEFT_  LEFT_   LEFT_ADMINI-   LEFT_ADMITTED      LEFT_REFUSED
 *                UNKNOWN  OTHER     STRATOR         | will: LEFT_WILL_SENT
 *   tick             .      .           v           v              v     .
 *   offline          .      .   OFFLINE_ADMINI-  OFFLINE_WILL --> OFFLINE .
 *                             STRATOR                      will
 *
 * A session that left is forgotten when its address is another client's, and at the tick if
 * the broker keeps nothing of it.  An event that a state does not name leaves it as it is.
 * Every pair is in test/unit/session_state.golden.  Pure.  Any thread.
 */
#ifndef JITR_SESSION_STATE_H
#define JITR_SESSION_STATE_H

#include "jitr/core/base.h"

#define SESSION_STATES(X) \
	X(NEW)              /* not judged: no rights */ \
	X(OTHER)            /* no certificate of ours: other plugins and acl_file decide */ \
	X(ADMINISTRATOR)    /* the same; others checked a user name of admin_users */ \
	X(REFUSED)          /* no rights; judged again with each packet, and to be closed */ \
	X(ADMITTED)         /* its certificate and policies decide */ \
	X(SHUT_OUT)         /* no rights, whatever is decided about its certificate */ \
	X(CLOSING)          /* no rights; the broker was told to disconnect it */ \
	X(CLOSING_ADMITTED) /* the broker was told to disconnect it once; keeps its rights */ \
	/* It left.  The comments name what the broker may still ask about.  LEFT_ADMITTED, \
	 * LEFT_WILL_SENT and LEFT_ADMINISTRATOR end at the next tick. */ \
	X(LEFT_UNKNOWN)          /* never judged: no rights */ \
	X(LEFT_OTHER)            /* other plugins and acl_file decide */ \
	X(LEFT_REFUSED)          /* queue, if its certificate may connect by now; no will */ \
	X(LEFT_ADMINISTRATOR)    /* as ADMINISTRATOR */ \
	X(LEFT_ADMITTED)         /* will, queue, subscriptions */ \
	X(LEFT_WILL_SENT)        /* queue, subscriptions */ \
	X(OFFLINE_ADMINISTRATOR) /* queue, with the rights of an administrator */ \
	X(OFFLINE_WILL)          /* delayed will, queue */ \
	X(OFFLINE)               /* queue */

enum session_state {
#define X(name) SESSION_##name,
	SESSION_STATES(X)
#undef X
	    SESSION_STATE_COUNT
};

#define SESSION_EVENTS(X) \
	X(OTHER)         /* judged: other plugins decide */ \
	X(ADMINISTRATOR) /* the same, and they check a user name of admin_users */ \
	X(RENAMED)       /* another plugin gave an administrator another name */ \
	X(ACCEPTED)      /* judged: its certificate and policies let it connect */ \
	X(REFUSED)       /* judged: they do not */ \
	X(SHUT_OUT)      /* refused until it leaves */ \
	X(CLOSE)         /* the broker disconnects it, told by the plugin or by itself */ \
	X(LEAVE)         /* DISCONNECT */ \
	X(WILL)          /* its will is published */ \
	X(TICK)          /* the next tick after it left; a delayed will may come */ \
	X(TICK_NO_WILL)  /* the same; its protocol has no delayed wills */

enum session_event {
#define X(name) SESSION_ON_##name,
	SESSION_EVENTS(X)
#undef X
	    SESSION_EVENT_COUNT
};

enum session_state session_next_state(enum session_state state, enum session_event event);

const char *session_state_name(enum session_state state);
const char *session_event_name(enum session_event event);

/* Connected, and does its certificate decide what it may do? */
static inline bool
session_state_is_admitted(enum session_state state)
{
	return state == SESSION_ADMITTED || state == SESSION_CLOSING_ADMITTED;
}

/* Connected, and do other plugins decide? */
static inline bool
session_state_is_other(enum session_state state)
{
	return state == SESSION_OTHER || state == SESSION_ADMINISTRATOR;
}

/* Is it refused, and was the broker not told yet to disconnect it? */
static inline bool
session_state_is_to_close(enum session_state state)
{
	return state == SESSION_REFUSED || state == SESSION_SHUT_OUT;
}

static inline bool
session_state_is_closing(enum session_state state)
{
	return state == SESSION_CLOSING || state == SESSION_CLOSING_ADMITTED;
}

/* Can it still be admitted or refused by a judgement? */
static inline bool
session_state_is_judged(enum session_state state)
{
	return state == SESSION_REFUSED || session_state_is_admitted(state);
}

/* Did it leave since the last tick, so that the broker may ask about its subscriptions? */
static inline bool
session_state_is_leaving(enum session_state state)
{
	return state == SESSION_LEFT_ADMINISTRATOR || state == SESSION_LEFT_ADMITTED ||
	    state == SESSION_LEFT_WILL_SENT;
}

/* It left: may its will still come? */
static inline bool
session_state_has_will(enum session_state state)
{
	return state == SESSION_LEFT_ADMITTED || state == SESSION_OFFLINE_WILL;
}

#endif
