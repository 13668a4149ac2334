/* Metering: from samples to voltages, currents, powers, frequency and energy. */
#ifndef METER_H
#define METER_H

#include "common.h"
#include "waveform.h"

#define METER_WINDOW 640u /* samples: 200 ms, ten cycles at 50 Hz */
#define TARIFFS 4

typedef struct {
    int32_t voltage_gain; /* Q16, nominal 65536 */
    int32_t current_gain;
    int32_t phase_shift;  /* samples, Q16, not larger than one */
} calibration_t;

typedef struct {
    int32_t voltage_mv, current_ma;
    int32_t active_mw, reactive_mvar, apparent_mva;
    int32_t power_factor; /* thousandths, signed like the active power */
#if FIRMWARE_VERSION >= FW_2_0
    int32_t peak_voltage_mv;
    int32_t crest_factor; /* thousandths, of the current */
#endif
} phase_values_t;

typedef struct {
    phase_values_t phase[PHASES];
    int32_t active_mw, reactive_mvar, apparent_mva;
    int32_t frequency_mhz;
    uint32_t windows;
} values_t;

typedef struct {
    uint64_t import_wh[TARIFFS], export_wh[TARIFFS];
    uint64_t reactive_varh;
    int64_t active_rest;   /* mW * windows not yet counted as Wh */
    int64_t reactive_rest;
} energy_t;

typedef struct {
    int64_t square_v, square_i, product, quadrature;
    int32_t quarter[16]; /* last quarter cycle of voltage, for the 90 degree shift */
    int16_t last_current;
#if FIRMWARE_VERSION >= FW_2_0
    int32_t peak_v, peak_i;
#endif
} accumulator_t;

typedef struct {
    calibration_t calibration[PHASES];
    accumulator_t sum[PHASES];
    uint32_t samples;
    int16_t last_voltage;
    uint32_t crossings;
    uint32_t first_crossing, last_crossing; /* samples, Q16, within the window */
    uint8_t tariff;
    values_t values;
    energy_t energy;
} meter_t;

void meter_init(meter_t *m);
/* True when a window is complete and `values` are new. */
bool meter_feed(meter_t *m, const sample_t *s);
void meter_set_tariff(meter_t *m, uint8_t tariff);
/* Adds one window of the given power to the registers of the current tariff. */
void meter_add_energy(meter_t *m, int32_t active_mw, int32_t reactive_mvar);
uint64_t meter_total_import(const meter_t *m);
uint64_t meter_total_export(const meter_t *m);

#endif
