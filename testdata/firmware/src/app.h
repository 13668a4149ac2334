/* The state of the running application, shared by its tasks, protocols and commands. */
#ifndef APP_H
#define APP_H

#include "filter.h"
#include "kalman.h"
#include "meter.h"
#include "profile.h"
#include "relay.h"
#include "sched.h"
#include "tariff.h"
#include "waveform.h"
#if FIRMWARE_VERSION >= FW_2_0
#include "harmonics.h"
#include "quality.h"
#endif

#define APP_SERIAL_LENGTH 16u

typedef struct {
    char serial[APP_SERIAL_LENGTH];
    uint32_t clock; /* UTC, seconds since 2000-01-01 */
    uint32_t boots;
    sched_t sched;
    waveform_t waveform;
    meter_t meter;
#if FIRMWARE_VERSION >= FW_2_0
    quality_t quality;
    harmonics_t harmonics;
#endif
    relay_t relay;
    median_t temperature_median;
    kalman_t temperature_filter;
    fix_t temperature; /* degrees Celsius */
    profile_day_t profile;
    uint64_t quarter_start_wh;
    char alarm[48]; /* an expression; empty for none */
    bool alarm_active;
} app_t;

extern app_t app;

/* Fresh state, without the configuration of the store. */
void app_reset(app_t *a);
/* Reads serial number, relay limit, calibration and energy registers back. */
void app_load(app_t *a);
bool app_save_energy(const app_t *a);
void app_start_tasks(app_t *a, uint32_t now);
/* One second of metering without waiting for it: for tests and for the `run` command. */
void app_simulate_second(app_t *a, uint32_t now);
/* Names that alarm expressions know: u1 i1 p1 .. p s f pf t wh. */
bool app_lookup(void *context, const char *name, int32_t *value);

#endif
