#include "fft.h"

#include "fix.h"

/* sin(pi/2 * i/64) in Q15, the first quarter of the wave. */
static const int16_t quarter[65] = {
    0, 804, 1608, 2411, 3212, 4011, 4808, 5602, 6393, 7180, 7962, 8740,
    9512, 10279, 11039, 11793, 12540, 13279, 14010, 14733, 15447, 16151, 16846, 17531,
    18205, 18868, 19520, 20160, 20788, 21403, 22006, 22595, 23170, 23732, 24279, 24812,
    25330, 25833, 26320, 26791, 27246, 27684, 28106, 28511, 28899, 29269, 29622, 29957,
    30274, 30572, 30853, 31114, 31357, 31581, 31786, 31972, 32138, 32286, 32413, 32522,
    32610, 32679, 32729, 32758, 32767,
};

static int32_t sine_q15(uint32_t phase)
{
    uint32_t i = phase & 127u;
    int32_t v = i <= 64u ? quarter[i] : quarter[128u - i];
    return phase & 128u ? -v : v;
}

static void reorder(int16_t *re, int16_t *im)
{
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        uint32_t j = 0;
        for (uint32_t bit = 0; bit < FFT_LOG2; bit++) {
            j |= (i >> bit & 1u) << (FFT_LOG2 - 1u - bit);
        }
        if (i < j) {
            int16_t t = re[i];
            re[i] = re[j];
            re[j] = t;
            t = im[i];
            im[i] = im[j];
            im[j] = t;
        }
    }
}

void fft_forward(int16_t re[FFT_POINTS], int16_t im[FFT_POINTS])
{
    reorder(re, im);
    for (uint32_t half = 1; half < FFT_POINTS; half *= 2u) {
        uint32_t step = FFT_POINTS / (2u * half);
        for (uint32_t k = 0; k < half; k++) {
            int32_t wr = sine_q15(k * step + 64u);
            int32_t wi = -sine_q15(k * step);
            for (uint32_t a = k; a < FFT_POINTS; a += 2u * half) {
                uint32_t b = a + half;
                int32_t tr = (wr * re[b] - wi * im[b]) >> 15;
                int32_t ti = (wr * im[b] + wi * re[b]) >> 15;
                int32_t ar = re[a], ai = im[a];
                re[a] = (int16_t)((ar + tr) >> 1);
                im[a] = (int16_t)((ai + ti) >> 1);
                re[b] = (int16_t)((ar - tr) >> 1);
                im[b] = (int16_t)((ai - ti) >> 1);
            }
        }
    }
}

int32_t fft_magnitude(int16_t re, int16_t im)
{
    return (int32_t)fix_isqrt((uint32_t)(re * re) + (uint32_t)(im * im));
}

void fft_hann_window(int16_t re[FFT_POINTS])
{
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        int32_t weight = (32767 - sine_q15(i + 64u)) >> 1;
        re[i] = (int16_t)(re[i] * weight >> 15);
    }
}
