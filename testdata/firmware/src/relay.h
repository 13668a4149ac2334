/* Supply relay and load limiter: opens on a lasting overload, closes again after a pause. */
#ifndef RELAY_H
#define RELAY_H

#include "common.h"

enum relay_state { RELAY_CLOSED, RELAY_WARNING, RELAY_OPEN, RELAY_LOCKED, RELAY_REMOTE_OFF };

typedef struct {
    enum relay_state state;
    int32_t limit_mw;
    uint32_t overload_ms;   /* how long the limit may be exceeded */
    uint32_t pause_ms;      /* how long it stays open */
    uint32_t max_trips;     /* then it stays open until released */
    uint32_t since, trips;
} relay_t;

void relay_init(relay_t *r, int32_t limit_mw);
/* Call with each new power; returns true when the state changed. */
bool relay_step(relay_t *r, int32_t power_mw, uint32_t now);
void relay_remote(relay_t *r, bool on, uint32_t now);
bool relay_is_closed(const relay_t *r);
const char *relay_text(enum relay_state state);

#endif
