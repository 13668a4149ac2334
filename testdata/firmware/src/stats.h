/* Running statistics and a histogram. */
#ifndef STATS_H
#define STATS_H

#include "common.h"

#define STATS_BINS 16

typedef struct {
    uint32_t count;
    int32_t low, high;
    int64_t sum;
    uint64_t sum_squares;
} stats_t;

typedef struct {
    int32_t first, width; /* lower edge of bin 0, width of a bin */
    uint32_t bins[STATS_BINS];
    uint32_t below, above;
} histogram_t;

void stats_add(stats_t *s, int32_t v);
int32_t stats_mean(const stats_t *s);
/* Population standard deviation. */
uint32_t stats_deviation(const stats_t *s);
uint32_t stats_rms(const stats_t *s);

void histogram_init(histogram_t *h, int32_t first, int32_t width);
void histogram_add(histogram_t *h, int32_t v);
/* Lower edge of the bin in which the given share (per cent) of the samples is reached. */
int32_t histogram_percentile(const histogram_t *h, uint32_t percent);

/* Sorts in place. */
void sort_i32(int32_t *v, size_t n);

#endif
