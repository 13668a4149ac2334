#include "relay.h"

#include "str.h"

void relay_init(relay_t *r, int32_t limit_mw)
{
    memset(r, 0, sizeof *r);
    r->limit_mw = limit_mw;
    r->overload_ms = 10000;
    r->pause_ms = 60000;
    r->max_trips = 3;
}

static void enter(relay_t *r, enum relay_state state, uint32_t now)
{
    r->state = state;
    r->since = now;
}

bool relay_step(relay_t *r, int32_t power_mw, uint32_t now)
{
    enum relay_state before = r->state;
    bool over = power_mw > r->limit_mw;
    uint32_t lasted = now - r->since;
    switch (r->state) {
    case RELAY_CLOSED:
        if (over) {
            enter(r, RELAY_WARNING, now);
        }
        break;
    case RELAY_WARNING:
        if (!over) {
            enter(r, RELAY_CLOSED, now);
        } else if (lasted >= r->overload_ms) {
            r->trips++;
            enter(r, r->trips >= r->max_trips ? RELAY_LOCKED : RELAY_OPEN, now);
        }
        break;
    case RELAY_OPEN:
        if (lasted >= r->pause_ms) {
            enter(r, RELAY_CLOSED, now);
        }
        break;
    case RELAY_LOCKED:
    case RELAY_REMOTE_OFF:
        break;
    }
    return r->state != before;
}

void relay_remote(relay_t *r, bool on, uint32_t now)
{
    if (on) {
        r->trips = 0;
        enter(r, RELAY_CLOSED, now);
    } else {
        enter(r, RELAY_REMOTE_OFF, now);
    }
}

bool relay_is_closed(const relay_t *r)
{
    return r->state == RELAY_CLOSED || r->state == RELAY_WARNING;
}

const char *relay_text(enum relay_state state)
{
    static const char *const texts[] = {"closed", "closed, overload", "open", "open, locked", "open, by remote"};
    return texts[state];
}
