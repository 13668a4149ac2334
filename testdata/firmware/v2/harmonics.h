/* Harmonics of the current of phase 1, by FFT over windows of four cycles (256 samples at 3200 Hz, 50 Hz). */
#ifndef HARMONICS_H
#define HARMONICS_H

#include "fft.h"
#include "waveform.h"

#define HARMONICS_MAX 13u
#define HARMONICS_LIMIT 200 /* per mille */

typedef struct {
    int16_t samples[FFT_POINTS];
    uint32_t used;
    int32_t share[HARMONICS_MAX + 1u]; /* per mille of the fundamental; 0 and 1 are unused */
    int32_t distortion;                /* total harmonic distortion, per mille */
    uint32_t windows;
    bool above;
} harmonics_t;

void harmonics_init(harmonics_t *h);
void harmonics_feed(harmonics_t *h, const sample_t *s);
/* Logs an event when the distortion rises above its limit. */
void harmonics_watch(harmonics_t *h, uint32_t time);

#endif
