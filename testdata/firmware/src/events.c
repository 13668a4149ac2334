#include "events.h"

#include "str.h"

static event_t kept[EVENTS_KEPT];
static uint32_t written;
static uint32_t counts[EVENT_KINDS];

static const char *const texts[EVENT_KINDS] = {
    [EVENT_POWER_UP] = "power up",
    [EVENT_CLOCK_SET] = "clock set",
    [EVENT_TARIFF_CHANGED] = "tariff changed",
    [EVENT_RELAY_OPENED] = "supply relay opened",
    [EVENT_RELAY_CLOSED] = "supply relay closed",
    [EVENT_OVERLOAD] = "load limit exceeded",
    [EVENT_PHASE_LOST] = "phase lost",
    [EVENT_PHASE_BACK] = "phase back",
    [EVENT_CONFIG_CHANGED] = "configuration changed",
    [EVENT_CONFIG_ERROR] = "configuration could not be written",
    [EVENT_OVER_TEMPERATURE] = "terminals too hot",
#if FIRMWARE_VERSION >= FW_2_0
    [EVENT_VOLTAGE_SAG] = "voltage sag",
    [EVENT_VOLTAGE_SWELL] = "voltage swell",
    [EVENT_INTERRUPTION] = "supply interrupted",
    [EVENT_HARMONICS] = "harmonic distortion above its limit",
    [EVENT_REPORT_SENT] = "report sent",
#endif
};

void events_clear(void)
{
    written = 0;
    memset(counts, 0, sizeof counts);
}

void events_add(uint32_t time, enum event kind, int32_t detail)
{
    kept[written % EVENTS_KEPT] = (event_t){time, (uint8_t)kind, detail};
    written++;
    counts[kind]++;
}

uint32_t events_stored(void)
{
    return written < EVENTS_KEPT ? written : EVENTS_KEPT;
}

bool events_newest(uint32_t index, event_t *e)
{
    if (index >= events_stored()) {
        return false;
    }
    *e = kept[(written - 1u - index) % EVENTS_KEPT];
    return true;
}

uint32_t events_count(enum event kind)
{
    return counts[kind];
}

const char *events_text(uint8_t kind)
{
    return kind < EVENT_KINDS ? texts[kind] : "unknown event";
}
