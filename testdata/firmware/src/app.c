#include "app.h"

#include "events.h"
#include "expr.h"
#include "store.h"
#include "str.h"
#include "ticks.h"

#define QUARTER_HOUR 900u
#define SAVE_INTERVAL 3600u
#define TEMPERATURE_LIMIT FIX(85)

app_t app;

void app_reset(app_t *a)
{
    memset(a, 0, sizeof *a);
    str_copy(a->serial, sizeof a->serial, "SLD-000001");
    sched_init(&a->sched);
    waveform_init(&a->waveform);
    meter_init(&a->meter);
    relay_init(&a->relay, 12000000);
    kalman_init(&a->temperature_filter, FIX(0.01), FIX(0.5));
#if FIRMWARE_VERSION >= FW_2_0
    quality_init(&a->quality, 230000);
    harmonics_init(&a->harmonics);
#endif
}

void app_load(app_t *a)
{
    char serial[APP_SERIAL_LENGTH];
    uint8_t length = store_read(STORE_KEY_SERIAL, serial, sizeof serial - 1u);
    if (length) {
        serial[length] = 0;
        str_copy(a->serial, sizeof a->serial, serial);
    }
    int32_t limit;
    if (store_read(STORE_KEY_RELAY_LIMIT, &limit, sizeof limit) == sizeof limit) {
        a->relay.limit_mw = limit;
    }
    calibration_t calibration[PHASES];
    if (store_read(STORE_KEY_CALIBRATION, calibration, sizeof calibration) == sizeof calibration) {
        memcpy(a->meter.calibration, calibration, sizeof calibration);
    }
    uint64_t registers[TARIFFS];
    if (store_read(STORE_KEY_ENERGY, registers, sizeof registers) == sizeof registers) {
        memcpy(a->meter.energy.import_wh, registers, sizeof registers);
    }
    (void)store_read(STORE_KEY_BOOT_COUNT, &a->boots, sizeof a->boots);
    a->boots++;
    if (!store_write(STORE_KEY_BOOT_COUNT, &a->boots, sizeof a->boots)) {
        events_add(a->clock, EVENT_CONFIG_ERROR, STORE_KEY_BOOT_COUNT);
    }
    events_add(a->clock, EVENT_POWER_UP, (int32_t)a->boots);
}

bool app_save_energy(const app_t *a)
{
    return store_write(STORE_KEY_ENERGY, a->meter.energy.import_wh, sizeof a->meter.energy.import_wh);
}

static void watch_phases(app_t *a, const values_t *before)
{
    const values_t *v = &a->meter.values;
    for (int32_t p = 0; p < PHASES; p++) {
        bool was = before->windows == 0 || before->phase[p].voltage_mv > 100000;
        bool is = v->phase[p].voltage_mv > 100000;
        if (was != is) {
            events_add(a->clock, is ? EVENT_PHASE_BACK : EVENT_PHASE_LOST, p + 1);
        }
    }
}

static void watch_load(app_t *a, uint32_t now)
{
    if (!relay_step(&a->relay, a->meter.values.active_mw, now)) {
        return;
    }
    switch (a->relay.state) {
    case RELAY_WARNING:
        events_add(a->clock, EVENT_OVERLOAD, a->meter.values.active_mw / 1000);
        break;
    case RELAY_CLOSED:
        events_add(a->clock, EVENT_RELAY_CLOSED, (int32_t)a->relay.trips);
        break;
    default:
        events_add(a->clock, EVENT_RELAY_OPENED, (int32_t)a->relay.trips);
        break;
    }
}

static void watch_alarm(app_t *a)
{
    int32_t value;
    if (!a->alarm[0] || expr_evaluate(a->alarm, app_lookup, a, &value) != EXPR_OK) {
        a->alarm_active = false;
        return;
    }
    a->alarm_active = value != 0;
}

static void metering_window(app_t *a, uint32_t now)
{
    values_t before = a->meter.values;
    sample_t s;
    bool complete;
    do {
        waveform_next(&a->waveform, &s);
        if (!relay_is_closed(&a->relay)) {
            memset(s.current, 0, sizeof s.current);
        }
#if FIRMWARE_VERSION >= FW_2_0
        harmonics_feed(&a->harmonics, &s);
#endif
        complete = meter_feed(&a->meter, &s);
    } while (!complete);
    watch_phases(a, &before);
#if FIRMWARE_VERSION >= FW_2_0
    quality_step(&a->quality, &a->meter.values, a->clock);
    harmonics_watch(&a->harmonics, a->clock);
#endif
    watch_load(a, now);
    watch_alarm(a);
}

static void measure_temperature(app_t *a)
{
    /* the sensor follows the load: 20 degrees and 1 degree a kilowatt, with noise */
    int32_t raw = FIX(20) + a->meter.values.active_mw / 1000 * 65 + prng_between(&a->waveform.prng, -FIX(0.5), FIX(0.5));
    fix_t before = a->temperature;
    a->temperature = kalman_step(&a->temperature_filter, median_step(&a->temperature_median, raw));
    if (before <= TEMPERATURE_LIMIT && a->temperature > TEMPERATURE_LIMIT) {
        events_add(a->clock, EVENT_OVER_TEMPERATURE, a->temperature >> 16);
    }
}

static void second(app_t *a)
{
    a->clock++;
    uint8_t tariff = tariff_at(&tariff_standard, a->clock);
    if (tariff != a->meter.tariff) {
        meter_set_tariff(&a->meter, tariff);
        events_add(a->clock, EVENT_TARIFF_CHANGED, tariff);
    }
    if (a->clock % QUARTER_HOUR == 0) {
        uint64_t total = meter_total_import(&a->meter);
        if (a->profile.day != (a->clock - 1u) / 86400u) {
            profile_start(&a->profile, (a->clock - 1u) / 86400u);
        }
        (void)profile_add(&a->profile, (uint32_t)(total - a->quarter_start_wh));
        a->quarter_start_wh = total;
    }
    if (a->clock % SAVE_INTERVAL == 0 && !app_save_energy(a)) {
        events_add(a->clock, EVENT_CONFIG_ERROR, STORE_KEY_ENERGY);
    }
    measure_temperature(a);
}

void app_simulate_second(app_t *a, uint32_t now)
{
    for (uint32_t i = 0; i < WAVEFORM_RATE / METER_WINDOW; i++) {
        metering_window(a, now);
    }
    second(a);
}

static void metering_task(void *context)
{
    metering_window(context, ticks_now());
}

static void second_task(void *context)
{
    second(context);
}

void app_start_tasks(app_t *a, uint32_t now)
{
    (void)sched_add(&a->sched, "metering", metering_task, a, 200, now);
    (void)sched_add(&a->sched, "second", second_task, a, 1000, now);
}

bool app_lookup(void *context, const char *name, int32_t *value)
{
    const app_t *a = context;
    const values_t *v = &a->meter.values;
    size_t phase = name[0] && name[1] && !name[2] ? (size_t)(name[1] - '1') : PHASES;
    if (phase < PHASES) {
        const phase_values_t *p = &v->phase[phase];
        switch (name[0]) {
        case 'u': *value = p->voltage_mv; return true;
        case 'i': *value = p->current_ma; return true;
        case 'p': *value = p->active_mw; return true;
        case 'q': *value = p->reactive_mvar; return true;
        default: return false;
        }
    }
    const struct {
        const char *name;
        int32_t value;
    } totals[] = {
        {"p", v->active_mw},
        {"q", v->reactive_mvar},
        {"s", v->apparent_mva},
        {"f", v->frequency_mhz},
        {"t", a->temperature >> 16},
        {"wh", (int32_t)meter_total_import(&a->meter)},
        {"relay", relay_is_closed(&a->relay)},
#if FIRMWARE_VERSION >= FW_2_0
        {"thd", a->harmonics.distortion},
        {"sags", (int32_t)a->quality.sags},
        {"swells", (int32_t)a->quality.swells},
#endif
    };
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        if (str_eq(totals[i].name, name)) {
            *value = totals[i].value;
            return true;
        }
    }
    return false;
}
