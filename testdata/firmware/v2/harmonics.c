#include "harmonics.h"

#include "events.h"
#include "fix.h"
#include "str.h"

#define CYCLES (FFT_POINTS * 50u / WAVEFORM_RATE)

void harmonics_init(harmonics_t *h)
{
    memset(h, 0, sizeof *h);
}

static void analyse(harmonics_t *h)
{
    static int16_t re[FFT_POINTS], im[FFT_POINTS];
    memcpy(re, h->samples, sizeof re);
    memset(im, 0, sizeof im);
    int32_t peak = 1;
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        peak = max_i32(peak, re[i] < 0 ? -re[i] : re[i]);
    }
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        re[i] = (int16_t)(re[i] * 16000 / peak); /* the FFT halves at each stage: use the whole range */
    }
    fft_forward(re, im);
    int32_t fundamental = fft_magnitude(re[CYCLES], im[CYCLES]);
    uint32_t squares = 0;
    for (uint32_t order = 2; order <= HARMONICS_MAX; order++) {
        int32_t m = fft_magnitude(re[order * CYCLES], im[order * CYCLES]);
        h->share[order] = fundamental ? m * 1000 / fundamental : 0;
        squares += (uint32_t)(h->share[order] * h->share[order]);
    }
    h->distortion = fundamental > 16 ? (int32_t)fix_isqrt(squares) : 0;
    h->windows++;
}

void harmonics_feed(harmonics_t *h, const sample_t *s)
{
    h->samples[h->used++] = s->current[0];
    if (h->used == FFT_POINTS) {
        h->used = 0;
        analyse(h);
    }
}

void harmonics_watch(harmonics_t *h, uint32_t time)
{
    bool above = h->distortion > HARMONICS_LIMIT;
    if (above && !h->above) {
        events_add(time, EVENT_HARMONICS, h->distortion);
    }
    h->above = above;
}
