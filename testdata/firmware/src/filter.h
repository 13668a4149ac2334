/* Fixed-point filters for the sensor paths. */
#ifndef FILTER_H
#define FILTER_H

#include "fix.h"

/* Direct form 1 biquad; a0 is 1. */
typedef struct {
    fix_t b0, b1, b2, a1, a2;
    fix_t x1, x2, y1, y2;
} biquad_t;

#define FIR_TAPS 15

typedef struct {
    int16_t history[FIR_TAPS];
    uint32_t at;
} fir_t;

typedef struct {
    int32_t window[5];
    uint32_t count;
} median_t;

typedef struct {
    fix_t value;
    uint32_t shift; /* weight of a new sample is 2^-shift */
    bool primed;
} smooth_t;

/* Butterworth low pass of second order; `cutoff_turns` is cutoff / sample rate in 2^-32 turns. */
void biquad_low_pass(biquad_t *f, uint32_t cutoff_turns);
/* Removes the mean: high pass of first order with the pole at 1 - 2^-7. */
void biquad_dc_block(biquad_t *f);
fix_t biquad_step(biquad_t *f, fix_t x);
int16_t fir_step(fir_t *f, int16_t x);
int32_t median_step(median_t *f, int32_t x);
fix_t smooth_step(smooth_t *f, fix_t x);

#endif
