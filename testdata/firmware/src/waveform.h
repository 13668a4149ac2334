/* The simulated front end: mains voltage and current of three phases, as the converter would see them. */
#ifndef WAVEFORM_H
#define WAVEFORM_H

#include "common.h"
#include "prng.h"

#define PHASES 3
#define WAVEFORM_RATE 3200u /* samples a second */

typedef struct {
    int16_t voltage[PHASES]; /* 1 count = 12.5 mV */
    int16_t current[PHASES]; /* 1 count = 2 mA */
} sample_t;

typedef struct {
    uint32_t frequency_mhz;           /* mains frequency in millihertz */
    uint16_t voltage_peak[PHASES];    /* counts */
    uint16_t current_peak[PHASES];    /* counts */
    uint32_t lag[PHASES];             /* of the current, in 2^-32 turns */
    uint16_t third_harmonic_percent;  /* of the current */
    uint16_t noise;                   /* counts, each way */
    uint32_t angle;
    prng_t prng;
} waveform_t;

/* 230 V, 50 Hz; 5, 3 and 8 A at power factors 1, 0.9 and 0.8. */
void waveform_init(waveform_t *w);
void waveform_next(waveform_t *w, sample_t *s);

#endif
