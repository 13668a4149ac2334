/* Self-tests of arithmetic, filters, statistics, calendar and memory. */
#include "calendar.h"
#include "fft.h"
#include "filter.h"
#include "flash.h"
#include "kalman.h"
#include "pool.h"
#include "prng.h"
#include "sched.h"
#include "selftest.h"
#include "stats.h"
#include "store.h"
#include "str.h"

static bool test_fixed(void)
{
    CHECK(fix_mul(FIX(1.5), FIX(-2)) == FIX(-3) && fix_div(FIX(1), FIX(4)) == FIX(0.25));
    CHECK(fix_div(FIX(1), 0) == INT32_MAX && fix_sqrt(FIX(2.25)) == FIX(1.5));
    CHECK(fix_isqrt(99) == 9 && fix_isqrt64(1000000000000u) == 1000000u);
    CHECK(selftest_near(fix_sin(FIX(0.5)), FIX(0.479426), 16) && selftest_near(fix_cos(FIX(2)), FIX(-0.416147), 16));
    CHECK(selftest_near(fix_atan2(FIX(1), FIX(-1)), FIX(2.356194), 16));
    CHECK(selftest_near(fix_exp(FIX(1)), FIX(2.718282), 32) && selftest_near(fix_ln(FIX(10)), FIX(2.302585), 32));
    CHECK(selftest_near(fix_pow(FIX(3), FIX(2.5)), FIX(15.588457), 96));
    return true;
}

static bool test_fft(void)
{
    static int16_t re[FFT_POINTS], im[FFT_POINTS];
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        re[i] = (int16_t)(fix_sin_turns(i * (8u << 24)) / 4 + fix_sin_turns(i * (24u << 24)) / 16);
        im[i] = 0;
    }
    fft_forward(re, im);
    CHECK(selftest_near(fft_magnitude(re[8], im[8]), 8192, 20));
    CHECK(selftest_near(fft_magnitude(re[24], im[24]), 2048, 20));
    CHECK(fft_magnitude(re[9], im[9]) < 20 && fft_magnitude(re[0], im[0]) < 20);
    for (uint32_t i = 0; i < FFT_POINTS; i++) {
        re[i] = 16384;
    }
    fft_hann_window(re);
    CHECK(re[0] < 2 && selftest_near(re[FFT_POINTS / 2u], 16383, 2) && selftest_near(re[FFT_POINTS / 4u], 8191, 2));
    return true;
}

static bool test_filters(void)
{
    biquad_t low, dc;
    fir_t fir = {0};
    median_t median = {0};
    smooth_t smooth = {.shift = 2};
    biquad_low_pass(&low, UINT32_MAX / 20u);
    biquad_dc_block(&dc);
    fix_t y = 0, z = 0;
    int16_t f = 0;
    for (int i = 0; i < 2000; i++) {
        y = biquad_step(&low, FIX(1));
        z = biquad_step(&dc, FIX(1));
        f = fir_step(&fir, 1000);
    }
    CHECK(selftest_near(y, FIX(1), 64) && selftest_near(z, 0, 128) && f == 1000);
    const int32_t spikes[] = {5, 5, 1000, 6, 5, -900, 6};
    int32_t m = 0;
    for (size_t i = 0; i < ARRAY_LEN(spikes); i++) {
        m = median_step(&median, spikes[i]);
    }
    CHECK(m == 6);
    CHECK(smooth_step(&smooth, 100) == 100 && smooth_step(&smooth, 200) == 125);
    return true;
}

static bool test_kalman(void)
{
    matrix_t a, inverse, product;
    matrix_identity(&a, 3);
    a.at[0][1] = FIX(2);
    a.at[1][2] = FIX(-1);
    a.at[2][0] = FIX(0.5);
    CHECK(selftest_near(matrix_determinant(&a), 0, 4) && !matrix_invert(&inverse, &a));
    a.at[2][0] = FIX(0.25);
    CHECK(matrix_invert(&inverse, &a) && matrix_multiply(&product, &a, &inverse));
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            CHECK(selftest_near(product.at[i][j], i == j ? FIX_ONE : 0, 8));
        }
    }
    kalman_t k;
    prng_t p;
    prng_seed(&p, 3);
    kalman_init(&k, FIX(0.001), FIX(0.5));
    fix_t value = 0;
    for (int i = 0; i < 200; i++) {
        value = kalman_step(&k, FIX(20) + i * FIX(0.1) + prng_between(&p, -FIX(0.5), FIX(0.5)));
    }
    CHECK(selftest_near(value, FIX(39.9), FIX(0.4)));
    return true;
}

static bool test_statistics(void)
{
    stats_t s = {0};
    histogram_t h;
    histogram_init(&h, 0, 10);
    int32_t v[40];
    for (int32_t i = 0; i < 40; i++) {
        v[i] = (i * 17) % 40;
        stats_add(&s, v[i] - 10);
        histogram_add(&h, v[i] * 4);
    }
    CHECK(s.low == -10 && s.high == 29 && stats_mean(&s) == 9 && stats_rms(&s) == 14 && stats_deviation(&s) == 11);
    CHECK(histogram_percentile(&h, 50) == 70 && h.above == 0 && h.below == 0);
    sort_i32(v, ARRAY_LEN(v));
    for (int32_t i = 0; i < 40; i++) {
        CHECK(v[i] == i);
    }
    return true;
}

static bool test_calendar(void)
{
    datetime_t t;
    char text[20];
    CHECK(calendar_parse("2024-02-29 23:59:59", &t) && t.weekday == 4);
    uint32_t seconds = calendar_to_seconds(&t) + 1u;
    calendar_from_seconds(seconds, &t);
    calendar_text(&t, text);
    CHECK(str_eq(text, "2024-03-01 00:00:00") && calendar_to_seconds(&t) == seconds);
    CHECK(!calendar_parse("2100-02-29 00:00:00", &t) && !calendar_parse("2024-13-01 00:00:00", &t));
    for (uint32_t day = 0; day < 49000; day += 97) {
        calendar_from_seconds(day * 86400u + 12345u, &t);
        CHECK(calendar_valid(&t) && calendar_to_seconds(&t) == day * 86400u + 12345u);
    }
    CHECK(calendar_parse("2026-03-29 00:59:59", &t) && !calendar_summer_time(calendar_to_seconds(&t)));
    CHECK(calendar_summer_time(calendar_to_seconds(&t) + 1u));
    CHECK(calendar_parse("2026-10-25 01:00:00", &t) && !calendar_summer_time(calendar_to_seconds(&t)));
    CHECK(calendar_summer_time(calendar_to_seconds(&t) - 1u));
    return true;
}

static bool test_store(void)
{
    uint32_t value, got;
    flash_format();
    store_mount();
    for (value = 0; value < 500; value++) {
        CHECK(store_write((uint8_t)(STORE_KEY_USER + value % 5u), &value, sizeof value));
        if (value % 50u == 0) {
            store_mount(); /* a restart */
        }
    }
    for (uint32_t key = 0; key < 5; key++) {
        CHECK(store_read((uint8_t)(STORE_KEY_USER + key), &got, sizeof got) == sizeof got && got == 495u + key);
    }
    uint32_t low = UINT32_MAX, high = 0;
    for (uint32_t i = 0; i < FLASH_SECTORS; i++) {
        uint32_t n = flash_erase_count(i);
        low = n < low ? n : low;
        high = n > high ? n : high;
    }
    CHECK(high - low <= 2);
    CHECK(store_remove(STORE_KEY_USER) && store_read(STORE_KEY_USER, &got, sizeof got) == 0);
    CHECK(!flash_program(FLASH_SIZE - 2u, &value, sizeof value));
    flash_format();
    store_mount();
    return true;
}

static bool test_pool(void)
{
    static uint32_t memory[4][8];
    pool_t p;
    void *blocks[4];
    pool_init(&p, memory, sizeof memory[0], 4);
    for (size_t i = 0; i < 4; i++) {
        blocks[i] = pool_take(&p);
        CHECK(blocks[i] == memory[i]);
    }
    CHECK(pool_take(&p) == NULL && p.peak == 4);
    CHECK(pool_give(&p, blocks[2]) && pool_take(&p) == memory[2]);
    CHECK(!pool_give(&p, (uint8_t *)blocks[0] + 4) && !pool_give(&p, &p));
    return true;
}

static void count_up(void *context)
{
    (*(uint32_t *)context)++;
}

static bool test_scheduler(void)
{
    static sched_t s;
    uint32_t fast = 0, slow = 0, once = 0;
    uint32_t now = UINT32_MAX - 50u; /* across the wrap of the clock */
    sched_init(&s);
    CHECK(sched_add(&s, "fast", count_up, &fast, 10, now) && sched_add(&s, "slow", count_up, &slow, 25, now));
    CHECK(!sched_add(&s, "never", count_up, &slow, 0, now));
    CHECK(sched_after(&s, count_up, &once, 30, now) == 0);
    int cancelled = sched_after(&s, count_up, &once, 40, now);
    sched_cancel(&s, cancelled);
    for (uint32_t i = 0; i < 100; i++) {
        (void)sched_poll(&s, ++now);
    }
    CHECK(fast == 10 && slow == 4 && once == 1 && s.tasks[0].late == 0);
    (void)sched_poll(&s, now + 500u);
    CHECK(s.tasks[0].late == 1 && fast == 11);
    return true;
}

const selftest_t selftests_maths[] = {
    {"fixed", test_fixed},           {"fft", test_fft},           {"filters", test_filters},
    {"kalman", test_kalman},         {"statistics", test_statistics}, {"calendar", test_calendar},
    {"store", test_store},           {"pool", test_pool},         {"scheduler", test_scheduler},
};

const size_t selftests_maths_count = ARRAY_LEN(selftests_maths);
