#include "filter.h"

void biquad_low_pass(biquad_t *f, uint32_t cutoff_turns)
{
    fix_t sine = fix_sin_turns(cutoff_turns);
    fix_t cosine = fix_sin_turns(cutoff_turns + 0x40000000u);
    fix_t alpha = fix_mul(sine, FIX(0.70710678)); /* sin / (2 Q) with Q = 1/sqrt 2 */
    fix_t scale = fix_div(FIX_ONE, FIX_ONE + alpha);
    *f = (biquad_t){0};
    f->b1 = fix_mul(FIX_ONE - cosine, scale);
    f->b0 = f->b1 / 2;
    f->b2 = f->b0;
    f->a1 = fix_mul(-2 * cosine, scale);
    f->a2 = fix_mul(FIX_ONE - alpha, scale);
}

void biquad_dc_block(biquad_t *f)
{
    *f = (biquad_t){.b0 = FIX_ONE, .b1 = -FIX_ONE, .a1 = -(FIX_ONE - FIX_ONE / 128)};
}

fix_t biquad_step(biquad_t *f, fix_t x)
{
    int64_t sum = (int64_t)f->b0 * x + (int64_t)f->b1 * f->x1 + (int64_t)f->b2 * f->x2 - (int64_t)f->a1 * f->y1 -
                  (int64_t)f->a2 * f->y2;
    fix_t y = (fix_t)((sum + 0x8000) >> 16);
    f->x2 = f->x1;
    f->x1 = x;
    f->y2 = f->y1;
    f->y1 = y;
    return y;
}

/* Low pass, cutoff at an eighth of the sample rate, Hamming window, Q15; the sum is 32768. */
static const int16_t fir_taps[FIR_TAPS] = {-118, -176, 0, 848, 2376, 4320, 6006, 6256, 6006, 4320, 2376, 848, 0, -176, -118};

int16_t fir_step(fir_t *f, int16_t x)
{
    f->history[f->at] = x;
    int32_t sum = 1 << 14;
    uint32_t k = f->at;
    for (uint32_t i = 0; i < FIR_TAPS; i++) {
        sum += fir_taps[i] * f->history[k];
        k = k == 0 ? FIR_TAPS - 1u : k - 1u;
    }
    f->at = f->at + 1u == FIR_TAPS ? 0 : f->at + 1u;
    return (int16_t)clamp_i32(sum >> 15, INT16_MIN, INT16_MAX);
}

int32_t median_step(median_t *f, int32_t x)
{
    f->window[f->count % 5u] = x;
    f->count++;
    uint32_t n = f->count < 5u ? f->count : 5u;
    int32_t sorted[5];
    for (uint32_t i = 0; i < n; i++) {
        int32_t v = f->window[i];
        uint32_t j = i;
        while (j > 0 && sorted[j - 1u] > v) {
            sorted[j] = sorted[j - 1u];
            j--;
        }
        sorted[j] = v;
    }
    return sorted[n / 2u];
}

fix_t smooth_step(smooth_t *f, fix_t x)
{
    if (!f->primed) {
        f->primed = true;
        f->value = x;
    } else {
        f->value += (x - f->value) >> f->shift;
    }
    return f->value;
}
