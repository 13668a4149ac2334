#include "waveform.h"

#include "fix.h"
#include "str.h"

#define THIRD_OF_TURN 0x55555555u

void waveform_init(waveform_t *w)
{
    static const waveform_t normal = {
        .frequency_mhz = 50000,
        .voltage_peak = {26022, 26022, 26022}, /* 230 V * sqrt 2 / 12.5 mV */
        .current_peak = {3536, 2121, 5657},
        .lag = {0, 308329696u, 439836877u}, /* acos 0.9, acos 0.8 */
    };
    *w = normal;
    prng_seed(&w->prng, 1);
}

static int16_t sine_counts(uint32_t angle, int32_t peak)
{
    return (int16_t)(((int64_t)fix_sin_turns(angle) * peak + 0x8000) >> 16);
}

void waveform_next(waveform_t *w, sample_t *s)
{
    for (uint32_t p = 0; p < PHASES; p++) {
        uint32_t angle = w->angle - p * THIRD_OF_TURN;
        int32_t v = sine_counts(angle, w->voltage_peak[p]);
        int32_t i = sine_counts(angle - w->lag[p], w->current_peak[p]);
        i += sine_counts(3u * (angle - w->lag[p]), w->current_peak[p] * w->third_harmonic_percent / 100);
        if (w->noise) {
            v += prng_between(&w->prng, -(int32_t)w->noise, w->noise);
            i += prng_between(&w->prng, -(int32_t)w->noise, w->noise);
        }
        s->voltage[p] = (int16_t)clamp_i32(v, INT16_MIN, INT16_MAX);
        s->current[p] = (int16_t)clamp_i32(i, INT16_MIN, INT16_MAX);
    }
    w->angle += (uint32_t)(((uint64_t)w->frequency_mhz << 32) / (WAVEFORM_RATE * 1000ull));
}
