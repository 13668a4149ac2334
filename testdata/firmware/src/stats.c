#include "stats.h"

#include "fix.h"
#include "str.h"

void stats_add(stats_t *s, int32_t v)
{
    s->low = s->count == 0 ? v : min_i32(s->low, v);
    s->high = s->count == 0 ? v : max_i32(s->high, v);
    s->count++;
    s->sum += v;
    s->sum_squares += (uint64_t)((int64_t)v * v);
}

int32_t stats_mean(const stats_t *s)
{
    return s->count ? (int32_t)(s->sum / (int64_t)s->count) : 0;
}

uint32_t stats_rms(const stats_t *s)
{
    return s->count ? fix_isqrt64(s->sum_squares / s->count) : 0;
}

uint32_t stats_deviation(const stats_t *s)
{
    if (s->count == 0) {
        return 0;
    }
    int64_t mean = stats_mean(s);
    uint64_t mean_square = s->sum_squares / s->count;
    uint64_t square_mean = (uint64_t)(mean * mean);
    return mean_square > square_mean ? fix_isqrt64(mean_square - square_mean) : 0;
}

void histogram_init(histogram_t *h, int32_t first, int32_t width)
{
    memset(h, 0, sizeof *h);
    h->first = first;
    h->width = width;
}

void histogram_add(histogram_t *h, int32_t v)
{
    if (v < h->first) {
        h->below++;
        return;
    }
    uint32_t bin = (uint32_t)(v - h->first) / (uint32_t)h->width;
    if (bin < STATS_BINS) {
        h->bins[bin]++;
    } else {
        h->above++;
    }
}

int32_t histogram_percentile(const histogram_t *h, uint32_t percent)
{
    uint32_t total = h->below + h->above;
    for (size_t i = 0; i < STATS_BINS; i++) {
        total += h->bins[i];
    }
    uint32_t wanted = (uint32_t)((uint64_t)total * percent / 100u);
    uint32_t seen = h->below;
    int32_t edge = h->first;
    for (size_t i = 0; i < STATS_BINS; i++) {
        seen += h->bins[i];
        if (seen >= wanted && seen > 0) {
            return edge;
        }
        edge += h->width;
    }
    return edge;
}

static void sift_down(int32_t *v, size_t root, size_t n)
{
    for (size_t child; (child = 2u * root + 1u) < n; root = child) {
        if (child + 1u < n && v[child + 1u] > v[child]) {
            child++;
        }
        if (v[root] >= v[child]) {
            return;
        }
        int32_t t = v[root];
        v[root] = v[child];
        v[child] = t;
    }
}

void sort_i32(int32_t *v, size_t n)
{
    for (size_t i = n / 2u; i > 0; i--) {
        sift_down(v, i - 1u, n);
    }
    for (size_t i = n; i > 1; i--) {
        int32_t t = v[0];
        v[0] = v[i - 1u];
        v[i - 1u] = t;
        sift_down(v, 0, i - 1u);
    }
}
