/* 256-point complex FFT in Q15, radix 2. Each of the 8 stages halves, so the result is scaled by 1/256. */
#ifndef FFT_H
#define FFT_H

#include "common.h"

#define FFT_LOG2 8u
#define FFT_POINTS 256u

void fft_forward(int16_t re[FFT_POINTS], int16_t im[FFT_POINTS]);
int32_t fft_magnitude(int16_t re, int16_t im);
void fft_hann_window(int16_t re[FFT_POINTS]);

#endif
