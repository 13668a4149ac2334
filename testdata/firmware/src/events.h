/* Event log: the last events with their time, and a count of each kind. */
#ifndef EVENTS_H
#define EVENTS_H

#include "common.h"

enum event {
    EVENT_POWER_UP,
    EVENT_CLOCK_SET,
    EVENT_TARIFF_CHANGED,
    EVENT_RELAY_OPENED,
    EVENT_RELAY_CLOSED,
    EVENT_OVERLOAD,
    EVENT_PHASE_LOST,
    EVENT_PHASE_BACK,
    EVENT_CONFIG_CHANGED,
    EVENT_CONFIG_ERROR,
    EVENT_OVER_TEMPERATURE,
#if FIRMWARE_VERSION >= FW_2_0
    EVENT_VOLTAGE_SAG,
    EVENT_VOLTAGE_SWELL,
    EVENT_INTERRUPTION,
    EVENT_HARMONICS,
    EVENT_REPORT_SENT,
#endif
    EVENT_KINDS
};

#define EVENTS_KEPT 32u

typedef struct {
    uint32_t time;
    uint8_t kind;
    int32_t detail;
} event_t;

void events_clear(void);
void events_add(uint32_t time, enum event kind, int32_t detail);
uint32_t events_stored(void);
/* 0 is the newest. */
bool events_newest(uint32_t index, event_t *e);
uint32_t events_count(enum event kind);
const char *events_text(uint8_t kind);

#endif
