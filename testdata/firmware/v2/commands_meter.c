/* Commands for what is measured. */
#include "commands.h"

#include "display.h"
#include "events.h"
#include "fmt.h"
#include "registers.h"
#include "report.h"
#include "store.h"
#include "str.h"
#include "ticks.h"

static void print_phase(size_t index, const phase_values_t *v)
{
    print("L%u  %8m V %8m A %10m W %10m var  pf %m\n", (uint32_t)index + 1u, v->voltage_mv, v->current_ma, v->active_mw,
          v->reactive_mvar, v->power_factor);
}

bool command_values(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (size_t p = 0; p < PHASES; p++) {
        print_phase(p, &a->meter.values.phase[p]);
    }
    print("all %m W, %m var, %m VA, %m Hz, %d C\n", a->meter.values.active_mw, a->meter.values.reactive_mvar,
          a->meter.values.apparent_mva, a->meter.values.frequency_mhz, a->temperature >> 16);
    return true;
}

bool command_energy(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (uint32_t t = 0; t < TARIFFS; t++) {
        print("%c tariff %u: import %llu Wh, export %llu Wh\n", t == a->meter.tariff ? '*' : ' ', t + 1u,
              a->meter.energy.import_wh[t], a->meter.energy.export_wh[t]);
    }
    print("  reactive %llu varh\n", a->meter.energy.reactive_varh);
    return true;
}

bool command_registers(app_t *a, int count, char *words[])
{
    char code[24], value[32];
    uint8_t wanted[6];
    if (count == 2 && !register_parse(words[1], wanted)) {
        return false;
    }
    for (size_t i = 0; i < register_count; i++) {
        const register_t *r = &registers[i];
        if (count == 2 && memcmp(r->code, wanted, sizeof wanted) != 0) {
            continue;
        }
        (void)register_code_text(r->code, code, sizeof code);
        (void)unit_format(r->read(a, r->argument), r->scaler, r->unit, value, sizeof value);
        print("%-18s %-24s %s\n", code, r->name, value);
    }
    return true;
}

bool command_calibrate(app_t *a, int count, char *words[])
{
    int32_t phase, real;
    (void)count;
    if (!str_to_i32(words[2], &phase) || phase < 1 || phase > PHASES || !str_to_i32(words[3], &real) || real <= 0) {
        return false;
    }
    calibration_t *c = &a->meter.calibration[phase - 1];
    const phase_values_t *v = &a->meter.values.phase[phase - 1];
    if (str_eq(words[1], "u") && v->voltage_mv) {
        c->voltage_gain = (int32_t)((int64_t)c->voltage_gain * real / v->voltage_mv);
    } else if (str_eq(words[1], "i") && v->current_ma) {
        c->current_gain = (int32_t)((int64_t)c->current_gain * real / v->current_ma);
    } else if (str_eq(words[1], "shift")) {
        c->phase_shift = clamp_i32(real, 0, FIX_ONE);
    } else {
        return false;
    }
    events_add(a->clock, EVENT_CONFIG_CHANGED, STORE_KEY_CALIBRATION);
    return store_write(STORE_KEY_CALIBRATION, a->meter.calibration, sizeof a->meter.calibration);
}

bool command_relay(app_t *a, int count, char *words[])
{
    if (count == 3 && str_eq(words[1], "limit")) {
        int32_t watts;
        if (!str_to_i32(words[2], &watts) || watts < 1000 || watts > 100000) {
            return false;
        }
        a->relay.limit_mw = watts * 1000;
        return store_write(STORE_KEY_RELAY_LIMIT, &a->relay.limit_mw, sizeof a->relay.limit_mw);
    }
    if (count == 2) {
        bool on = str_eq(words[1], "on");
        if (!on && !str_eq(words[1], "off")) {
            return false;
        }
        relay_remote(&a->relay, on, ticks_now());
        events_add(a->clock, on ? EVENT_RELAY_CLOSED : EVENT_RELAY_OPENED, 0);
    }
    print("relay %s, limit %m W, %u trips\n", relay_text(a->relay.state), a->relay.limit_mw, a->relay.trips);
    return true;
}

bool command_source(app_t *a, int count, char *words[])
{
    int32_t phase, value;
    (void)count;
    if (!str_to_i32(words[2], &phase) || phase < 1 || phase > PHASES || !str_to_i32(words[3], &value) || value < 0) {
        return false;
    }
    if (str_eq(words[1], "u")) { /* volts */
        a->waveform.voltage_peak[phase - 1] = (uint16_t)min_i32(value * 11314 / 100, 32767);
    } else if (str_eq(words[1], "i")) { /* milliamperes */
        a->waveform.current_peak[phase - 1] = (uint16_t)min_i32(value * 707 / 1000, 32767);
    } else if (str_eq(words[1], "lag")) { /* degrees */
        a->waveform.lag[phase - 1] = (uint32_t)value * 11930465u;
    } else if (str_eq(words[1], "noise")) { /* counts */
        a->waveform.noise = (uint16_t)min_i32(value, 1000);
    } else {
        return false;
    }
    return true;
}

bool command_profile(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    uint8_t packed[PROFILE_PACKED];
    for (uint32_t i = 0; i < a->profile.count; i++) {
        print("%6u%s", a->profile.values[i], i % 12u == 11u ? "\n" : "");
    }
    print("\n%u values, %u bytes packed\n", a->profile.count, (uint32_t)profile_pack(&a->profile, packed, sizeof packed));
    return true;
}

bool command_page(app_t *a, int count, char *words[])
{
    static display_t d;
    int32_t page;
    (void)count;
    if (!str_to_i32(words[1], &page) || page < 0) {
        return false;
    }
    display_page(&d, a, (uint32_t)page);
    for (uint32_t y = 0; y < DISPLAY_HEIGHT; y++) {
        for (uint32_t x = 0; x < DISPLAY_WIDTH; x++) {
            print("%c", display_pixel(&d, x, y) ? '#' : ' ');
        }
        print("\n");
    }
    return true;
}

bool command_quality(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    const quality_t *q = &a->quality;
    for (size_t p = 0; p < PHASES; p++) {
        print("L%u %-11s for %u windows\n", (uint32_t)p + 1u, quality_text(q->state[p]), q->lasted[p]);
    }
    print("sags %u, swells %u, interruptions %u, in bounds %u per mille\n", q->sags, q->swells, q->interruptions,
          quality_availability(q));
    print("lowest %m V, highest %m V, median %d V\n", q->lowest_mv, q->highest_mv,
          histogram_percentile(&q->histogram, 50));
    return true;
}

bool command_harmonics(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (uint32_t order = 2; order <= HARMONICS_MAX; order++) {
        int32_t share = a->harmonics.share[order];
        print("%2u %5m ", order, share);
        for (int32_t i = 0; i < share / 20; i++) {
            print("#");
        }
        print("\n");
    }
    print("distortion %m\n", a->harmonics.distortion);
    return true;
}

bool command_report(app_t *a, int count, char *words[])
{
    static char json[REPORT_MAX], sealed[BASE64_SIZE(REPORT_MAX + 32u)];
    uint8_t key[16];
    uint8_t nonce[12] = {0};
    size_t length;
    if (!report_json(a, json, sizeof json)) {
        print("report too long\n");
        return true;
    }
    if (count == 1) {
        print("%s\n", json);
        return true;
    }
    if (!str_to_bytes(words[1], key, sizeof key, &length) || length != sizeof key) {
        return false;
    }
    memcpy(nonce, &a->clock, sizeof a->clock);
    memcpy(nonce + 4, &a->boots, sizeof a->boots);
    print("%s\n", report_seal(key, nonce, json, sealed, sizeof sealed) ? sealed : "report too long");
    events_add(a->clock, EVENT_REPORT_SENT, (int32_t)strlen(json));
    return true;
}
