/* The registers themselves; finding and naming them is in registers.c. */
#include "registers.h"

#include "events.h"

static int64_t import_energy(const app_t *a, uint8_t tariff)
{
    return (int64_t)(tariff == 0 ? meter_total_import(&a->meter) : a->meter.energy.import_wh[tariff - 1u]);
}

static int64_t export_energy(const app_t *a, uint8_t tariff)
{
    return (int64_t)(tariff == 0 ? meter_total_export(&a->meter) : a->meter.energy.export_wh[tariff - 1u]);
}

static int64_t reactive_energy(const app_t *a, uint8_t unused)
{
    (void)unused;
    return (int64_t)a->meter.energy.reactive_varh;
}

static int64_t active_power(const app_t *a, uint8_t phase)
{
    return phase == 0 ? a->meter.values.active_mw : a->meter.values.phase[phase - 1u].active_mw;
}

static int64_t reactive_power(const app_t *a, uint8_t phase)
{
    return phase == 0 ? a->meter.values.reactive_mvar : a->meter.values.phase[phase - 1u].reactive_mvar;
}

static int64_t apparent_power(const app_t *a, uint8_t phase)
{
    return phase == 0 ? a->meter.values.apparent_mva : a->meter.values.phase[phase - 1u].apparent_mva;
}

static int64_t voltage(const app_t *a, uint8_t phase)
{
    return a->meter.values.phase[phase - 1u].voltage_mv;
}

static int64_t current(const app_t *a, uint8_t phase)
{
    return a->meter.values.phase[phase - 1u].current_ma;
}

static int64_t power_factor(const app_t *a, uint8_t phase)
{
    return a->meter.values.phase[phase - 1u].power_factor;
}

static int64_t frequency(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->meter.values.frequency_mhz;
}

static int64_t temperature(const app_t *a, uint8_t unused)
{
    (void)unused;
    return (int64_t)a->temperature * 10 >> 16;
}

static int64_t boots(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->boots;
}

static int64_t clock_seconds(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->clock;
}

static int64_t event_count(const app_t *a, uint8_t kind)
{
    (void)a;
    return events_count((enum event)kind);
}

static int64_t peak_voltage(const app_t *a, uint8_t phase)
{
    return a->meter.values.phase[phase - 1u].peak_voltage_mv;
}

static int64_t crest_factor(const app_t *a, uint8_t phase)
{
    return a->meter.values.phase[phase - 1u].crest_factor;
}

static int64_t distortion(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->harmonics.distortion;
}

static int64_t harmonic(const app_t *a, uint8_t order)
{
    return a->harmonics.share[order];
}

static int64_t lowest_voltage(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->quality.lowest_mv;
}

static int64_t highest_voltage(const app_t *a, uint8_t unused)
{
    (void)unused;
    return a->quality.highest_mv;
}

const register_t registers[] = {
    {{0, 0, 1, 0, 0, 255}, UNIT_COUNT, 0, 0, clock_seconds, "clock"},
    {{0, 0, 96, 7, 0, 255}, UNIT_COUNT, 0, 0, boots, "boots"},
    {{0, 0, 96, 7, 21, 255}, UNIT_COUNT, 0, EVENT_INTERRUPTION, event_count, "interruptions"},
    {{0, 0, 96, 9, 0, 255}, UNIT_CELSIUS, -1, 0, temperature, "terminal temperature"},
    {{0, 0, 96, 11, 1, 255}, UNIT_COUNT, 0, EVENT_OVERLOAD, event_count, "overloads"},
    {{0, 0, 96, 11, 2, 255}, UNIT_COUNT, 0, EVENT_PHASE_LOST, event_count, "phases lost"},
    {{1, 0, 1, 8, 0, 255}, UNIT_WATT_HOUR, 0, 0, import_energy, "import"},
    {{1, 0, 1, 8, 1, 255}, UNIT_WATT_HOUR, 0, 1, import_energy, "import tariff 1"},
    {{1, 0, 1, 8, 2, 255}, UNIT_WATT_HOUR, 0, 2, import_energy, "import tariff 2"},
    {{1, 0, 1, 8, 3, 255}, UNIT_WATT_HOUR, 0, 3, import_energy, "import tariff 3"},
    {{1, 0, 1, 8, 4, 255}, UNIT_WATT_HOUR, 0, 4, import_energy, "import tariff 4"},
    {{1, 0, 2, 8, 0, 255}, UNIT_WATT_HOUR, 0, 0, export_energy, "export"},
    {{1, 0, 2, 8, 1, 255}, UNIT_WATT_HOUR, 0, 1, export_energy, "export tariff 1"},
    {{1, 0, 2, 8, 2, 255}, UNIT_WATT_HOUR, 0, 2, export_energy, "export tariff 2"},
    {{1, 0, 2, 8, 3, 255}, UNIT_WATT_HOUR, 0, 3, export_energy, "export tariff 3"},
    {{1, 0, 2, 8, 4, 255}, UNIT_WATT_HOUR, 0, 4, export_energy, "export tariff 4"},
    {{1, 0, 3, 8, 0, 255}, UNIT_VAR_HOUR, 0, 0, reactive_energy, "reactive energy"},
    {{1, 0, 16, 7, 0, 255}, UNIT_WATT, -3, 0, active_power, "active power"},
    {{1, 0, 3, 7, 0, 255}, UNIT_VAR, -3, 0, reactive_power, "reactive power"},
    {{1, 0, 9, 7, 0, 255}, UNIT_VA, -3, 0, apparent_power, "apparent power"},
    {{1, 0, 14, 7, 0, 255}, UNIT_HERTZ, -3, 0, frequency, "frequency"},
    {{1, 0, 12, 32, 0, 255}, UNIT_VOLT, -3, 0, lowest_voltage, "lowest voltage"},
    {{1, 0, 12, 36, 0, 255}, UNIT_VOLT, -3, 0, highest_voltage, "highest voltage"},
    {{1, 0, 11, 7, 124, 255}, UNIT_PERCENT, -1, 0, distortion, "current distortion"},
    {{1, 0, 31, 7, 3, 255}, UNIT_PERCENT, -1, 3, harmonic, "current harmonic 3"},
    {{1, 0, 31, 7, 5, 255}, UNIT_PERCENT, -1, 5, harmonic, "current harmonic 5"},
    {{1, 0, 31, 7, 7, 255}, UNIT_PERCENT, -1, 7, harmonic, "current harmonic 7"},
    {{1, 0, 31, 7, 9, 255}, UNIT_PERCENT, -1, 9, harmonic, "current harmonic 9"},
    {{1, 0, 36, 7, 0, 255}, UNIT_WATT, -3, 1, active_power, "active power L1"},
    {{1, 0, 23, 7, 0, 255}, UNIT_VAR, -3, 1, reactive_power, "reactive power L1"},
    {{1, 0, 29, 7, 0, 255}, UNIT_VA, -3, 1, apparent_power, "apparent power L1"},
    {{1, 0, 31, 7, 0, 255}, UNIT_AMPERE, -3, 1, current, "current L1"},
    {{1, 0, 32, 7, 0, 255}, UNIT_VOLT, -3, 1, voltage, "voltage L1"},
    {{1, 0, 33, 7, 0, 255}, UNIT_COUNT, -3, 1, power_factor, "power factor L1"},
    {{1, 0, 32, 16, 0, 255}, UNIT_VOLT, -3, 1, peak_voltage, "peak voltage L1"},
    {{1, 0, 31, 16, 0, 255}, UNIT_COUNT, -3, 1, crest_factor, "crest factor L1"},
    {{1, 0, 56, 7, 0, 255}, UNIT_WATT, -3, 2, active_power, "active power L2"},
    {{1, 0, 43, 7, 0, 255}, UNIT_VAR, -3, 2, reactive_power, "reactive power L2"},
    {{1, 0, 49, 7, 0, 255}, UNIT_VA, -3, 2, apparent_power, "apparent power L2"},
    {{1, 0, 51, 7, 0, 255}, UNIT_AMPERE, -3, 2, current, "current L2"},
    {{1, 0, 52, 7, 0, 255}, UNIT_VOLT, -3, 2, voltage, "voltage L2"},
    {{1, 0, 53, 7, 0, 255}, UNIT_COUNT, -3, 2, power_factor, "power factor L2"},
    {{1, 0, 52, 16, 0, 255}, UNIT_VOLT, -3, 2, peak_voltage, "peak voltage L2"},
    {{1, 0, 51, 16, 0, 255}, UNIT_COUNT, -3, 2, crest_factor, "crest factor L2"},
    {{1, 0, 76, 7, 0, 255}, UNIT_WATT, -3, 3, active_power, "active power L3"},
    {{1, 0, 63, 7, 0, 255}, UNIT_VAR, -3, 3, reactive_power, "reactive power L3"},
    {{1, 0, 69, 7, 0, 255}, UNIT_VA, -3, 3, apparent_power, "apparent power L3"},
    {{1, 0, 71, 7, 0, 255}, UNIT_AMPERE, -3, 3, current, "current L3"},
    {{1, 0, 72, 7, 0, 255}, UNIT_VOLT, -3, 3, voltage, "voltage L3"},
    {{1, 0, 73, 7, 0, 255}, UNIT_COUNT, -3, 3, power_factor, "power factor L3"},
    {{1, 0, 72, 16, 0, 255}, UNIT_VOLT, -3, 3, peak_voltage, "peak voltage L3"},
    {{1, 0, 71, 16, 0, 255}, UNIT_COUNT, -3, 3, crest_factor, "crest factor L3"},
};

const size_t register_count = ARRAY_LEN(registers);
