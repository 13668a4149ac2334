#include "meter.h"

#include "fix.h"
#include "str.h"

#define WINDOWS_PER_HOUR (3600u * WAVEFORM_RATE / METER_WINDOW)
#define VOLTAGE_UV 12500 /* one count, microvolts */
#define CURRENT_UA 2000  /* one count, microamperes */
#define MILLI_PER_UNIT_HOUR ((int64_t)1000 * WINDOWS_PER_HOUR)

void meter_init(meter_t *m)
{
    memset(m, 0, sizeof *m);
    for (size_t p = 0; p < PHASES; p++) {
        m->calibration[p].voltage_gain = FIX_ONE;
        m->calibration[p].current_gain = FIX_ONE;
    }
}

void meter_set_tariff(meter_t *m, uint8_t tariff)
{
    if (tariff < TARIFFS) {
        m->tariff = tariff;
#if FIRMWARE_VERSION < FW_1_1
        m->energy.active_rest = 0; /* up to 1 Wh was lost at each switch; 1.1 keeps the rest */
#endif
    }
}

static void accumulate(accumulator_t *a, const calibration_t *c, int32_t v, int32_t i, uint32_t index)
{
    /* the current is delayed against the voltage by the phase error of its transformer */
    int32_t aligned = i + fix_mul(a->last_current - i, c->phase_shift);
    int32_t delayed_v = a->quarter[index & 15u];
    a->quarter[index & 15u] = v;
    a->last_current = (int16_t)i;
    a->square_v += v * v;
    a->square_i += aligned * aligned;
    a->product += (int64_t)v * aligned;
    a->quadrature += (int64_t)delayed_v * aligned;
#if FIRMWARE_VERSION >= FW_2_0
    a->peak_v = max_i32(a->peak_v, v < 0 ? -v : v);
    a->peak_i = max_i32(a->peak_i, aligned < 0 ? -aligned : aligned);
#endif
}

/* Sub-sample position of the rising zero crossings of phase 1. */
static void track_crossing(meter_t *m, int16_t v)
{
    if (m->samples > 0 && m->last_voltage < 0 && v >= 0) {
        uint32_t part = (uint32_t)(-(int32_t)m->last_voltage * 65536 / (v - m->last_voltage));
        uint32_t at = ((m->samples - 1u) << 16) + part;
        if (m->crossings == 0) {
            m->first_crossing = at;
        }
        m->last_crossing = at;
        m->crossings++;
    }
    m->last_voltage = v;
}

static int32_t scale_power(int64_t sum, const calibration_t *c)
{
    int64_t mean = sum / (int64_t)METER_WINDOW;
    int64_t mw = mean * (VOLTAGE_UV / 100) * (CURRENT_UA / 100) / 100000; /* uV * uA / 1e9 */
    return (int32_t)(mw * c->voltage_gain / FIX_ONE * c->current_gain / FIX_ONE);
}

static void finish_phase(accumulator_t *a, const calibration_t *c, phase_values_t *v)
{
    uint32_t rms_v = fix_isqrt64((uint64_t)a->square_v * 256u / METER_WINDOW); /* counts * 16 */
    uint32_t rms_i = fix_isqrt64((uint64_t)a->square_i * 256u / METER_WINDOW);
    v->voltage_mv = (int32_t)((int64_t)rms_v * VOLTAGE_UV / 16000 * c->voltage_gain / FIX_ONE);
    v->current_ma = (int32_t)((int64_t)rms_i * CURRENT_UA / 16000 * c->current_gain / FIX_ONE);
    v->active_mw = scale_power(a->product, c);
    v->reactive_mvar = scale_power(a->quadrature, c);
    v->apparent_mva = (int32_t)((int64_t)v->voltage_mv * v->current_ma / 1000);
    v->power_factor =
        v->apparent_mva ? clamp_i32((int32_t)((int64_t)v->active_mw * 1000 / v->apparent_mva), -1000, 1000) : 1000;
#if FIRMWARE_VERSION >= FW_2_0
    v->peak_voltage_mv = (int32_t)((int64_t)a->peak_v * VOLTAGE_UV / 1000 * c->voltage_gain / FIX_ONE);
    v->crest_factor = rms_i ? (int32_t)((int64_t)a->peak_i * 16000 / rms_i) : 0;
    a->peak_v = a->peak_i = 0;
#endif
    a->square_v = a->square_i = a->product = a->quadrature = 0;
}

void meter_add_energy(meter_t *m, int32_t active_mw, int32_t reactive_mvar)
{
    energy_t *e = &m->energy;
    e->active_rest += active_mw;
    int64_t whole = e->active_rest / MILLI_PER_UNIT_HOUR;
    if (whole > 0) {
        e->import_wh[m->tariff] += (uint64_t)whole;
    } else if (whole < 0) {
        e->export_wh[m->tariff] += (uint64_t)-whole;
    }
    e->active_rest -= whole * MILLI_PER_UNIT_HOUR;
    e->reactive_rest += reactive_mvar < 0 ? -reactive_mvar : reactive_mvar;
    whole = e->reactive_rest / MILLI_PER_UNIT_HOUR;
    e->reactive_varh += (uint64_t)whole;
    e->reactive_rest -= whole * MILLI_PER_UNIT_HOUR;
}

static void finish_window(meter_t *m)
{
    values_t *v = &m->values;
    v->active_mw = v->reactive_mvar = v->apparent_mva = 0;
    for (size_t p = 0; p < PHASES; p++) {
        finish_phase(&m->sum[p], &m->calibration[p], &v->phase[p]);
        v->active_mw += v->phase[p].active_mw;
        v->reactive_mvar += v->phase[p].reactive_mvar;
        v->apparent_mva += v->phase[p].apparent_mva;
    }
    uint32_t span = m->last_crossing - m->first_crossing;
    v->frequency_mhz =
        m->crossings > 1 ? (int32_t)((((uint64_t)(m->crossings - 1u) * WAVEFORM_RATE * 1000u) << 16) / span) : 0;
    v->windows++;
    m->samples = 0;
    m->crossings = 0;
    meter_add_energy(m, v->active_mw, v->reactive_mvar);
}

bool meter_feed(meter_t *m, const sample_t *s)
{
    track_crossing(m, s->voltage[0]);
    for (size_t p = 0; p < PHASES; p++) {
        accumulate(&m->sum[p], &m->calibration[p], s->voltage[p], s->current[p], m->samples);
    }
    if (++m->samples < METER_WINDOW) {
        return false;
    }
    finish_window(m);
    return true;
}

static uint64_t total(const uint64_t registers[TARIFFS])
{
    uint64_t sum = 0;
    for (size_t t = 0; t < TARIFFS; t++) {
        sum += registers[t];
    }
    return sum;
}

uint64_t meter_total_import(const meter_t *m)
{
    return total(m->energy.import_wh);
}

uint64_t meter_total_export(const meter_t *m)
{
    return total(m->energy.export_wh);
}
