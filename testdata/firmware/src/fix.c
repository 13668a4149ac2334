#include "fix.h"

/* sin(pi/2 * i/128) in Q16. */
static const int32_t sine_table[129] = {
    0, 804, 1608, 2412, 3216, 4019, 4821, 5623, 6424, 7224, 8022, 8820,
    9616, 10411, 11204, 11996, 12785, 13573, 14359, 15143, 15924, 16703, 17479, 18253,
    19024, 19792, 20557, 21320, 22078, 22834, 23586, 24335, 25080, 25821, 26558, 27291,
    28020, 28745, 29466, 30182, 30893, 31600, 32303, 33000, 33692, 34380, 35062, 35738,
    36410, 37076, 37736, 38391, 39040, 39683, 40320, 40951, 41576, 42194, 42806, 43412,
    44011, 44604, 45190, 45769, 46341, 46906, 47464, 48015, 48559, 49095, 49624, 50146,
    50660, 51166, 51665, 52156, 52639, 53114, 53581, 54040, 54491, 54934, 55368, 55794,
    56212, 56621, 57022, 57414, 57798, 58172, 58538, 58896, 59244, 59583, 59914, 60235,
    60547, 60851, 61145, 61429, 61705, 61971, 62228, 62476, 62714, 62943, 63162, 63372,
    63572, 63763, 63944, 64115, 64277, 64429, 64571, 64704, 64827, 64940, 65043, 65137,
    65220, 65294, 65358, 65413, 65457, 65492, 65516, 65531, 65536,
};

/* atan(i/64) in Q16 radians. */
static const int32_t atan_table[65] = {
    0, 1024, 2047, 3070, 4091, 5110, 6126, 7140, 8150, 9156, 10158, 11155,
    12147, 13133, 14114, 15088, 16055, 17015, 17968, 18913, 19850, 20779, 21699, 22610,
    23512, 24406, 25289, 26163, 27028, 27882, 28727, 29561, 30386, 31200, 32003, 32797,
    33580, 34353, 35115, 35867, 36608, 37340, 38060, 38771, 39472, 40162, 40842, 41512,
    42172, 42823, 43464, 44095, 44716, 45328, 45931, 46525, 47109, 47685, 48251, 48809,
    49359, 49899, 50432, 50956, 51472,
};

/* 2^(i/64) in Q16. */
static const int32_t exp2_table[65] = {
    65536, 66250, 66971, 67700, 68438, 69183, 69936, 70698, 71468, 72246,
    73032, 73828, 74632, 75444, 76266, 77096, 77936, 78785, 79642, 80510,
    81386, 82273, 83169, 84074, 84990, 85915, 86851, 87796, 88752, 89719,
    90696, 91684, 92682, 93691, 94711, 95743, 96785, 97839, 98905, 99982,
    101070, 102171, 103283, 104408, 105545, 106694, 107856, 109031, 110218, 111418,
    112631, 113858, 115098, 116351, 117618, 118899, 120194, 121502, 122825, 124163,
    125515, 126882, 128263, 129660, 131072,
};

/* log2(1 + i/64) in Q16. */
static const int32_t log2_table[65] = {
    0, 1466, 2909, 4331, 5732, 7112, 8473, 9814, 11136, 12440, 13727, 14996,
    16248, 17484, 18704, 19909, 21098, 22272, 23433, 24579, 25711, 26830, 27936, 29029,
    30109, 31178, 32234, 33279, 34312, 35334, 36346, 37346, 38336, 39316, 40286, 41246,
    42196, 43137, 44068, 44990, 45904, 46809, 47705, 48593, 49472, 50344, 51207, 52063,
    52911, 53751, 54584, 55410, 56229, 57040, 57845, 58643, 59434, 60219, 60997, 61769,
    62534, 63294, 64047, 64794, 65536,
};

/* Linear interpolation: `position` counts table steps in Q16. */
static int32_t interpolate(const int32_t *table, uint32_t position)
{
    uint32_t i = position >> 16;
    int32_t rest = (int32_t)(position & 0xFFFFu);
    int32_t low = table[i];
    return rest == 0 ? low : low + fix_mul(table[i + 1] - low, rest);
}

fix_t fix_mul(fix_t a, fix_t b)
{
    return (fix_t)(((int64_t)a * b + 0x8000) >> 16);
}

fix_t fix_div(fix_t a, fix_t b)
{
    if (b == 0) {
        return a < 0 ? INT32_MIN : INT32_MAX;
    }
    int64_t q = ((int64_t)a * 65536) / b;
    return q > INT32_MAX ? INT32_MAX : q < INT32_MIN ? INT32_MIN : (fix_t)q;
}

uint32_t fix_isqrt(uint32_t v)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 30; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

uint32_t fix_isqrt64(uint64_t v)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 62; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

fix_t fix_sqrt(fix_t v)
{
    return v <= 0 ? 0 : (fix_t)fix_isqrt64((uint64_t)v << 16);
}

fix_t fix_sin_turns(uint32_t turns)
{
    /* 2^32 is a full turn: the top two bits are the quadrant, the next seven the table index. */
    uint32_t quadrant = turns >> 30;
    uint32_t within = turns << 2 >> 9; /* Q23 of a quadrant = Q16 of 128 steps */
    if (quadrant & 1u) {
        within = (128u << 16) - within;
    }
    int32_t v = interpolate(sine_table, within);
    return quadrant & 2u ? -v : v;
}

fix_t fix_sin(fix_t radians)
{
    /* turns = radians / (2 pi) * 2^32; 683565276 = 2^32 / (2 pi) */
    return fix_sin_turns((uint32_t)((int64_t)radians * 683565276 >> 16));
}

fix_t fix_cos(fix_t radians)
{
    return fix_sin_turns((uint32_t)((int64_t)radians * 683565276 >> 16) + 0x40000000u);
}

fix_t fix_atan2(fix_t y, fix_t x)
{
    if (x == 0 && y == 0) {
        return 0;
    }
    int32_t ax = x < 0 ? -x : x;
    int32_t ay = y < 0 ? -y : y;
    bool steep = ay > ax;
    fix_t ratio = steep ? fix_div(ax, ay) : fix_div(ay, ax);
    fix_t angle = interpolate(atan_table, (uint32_t)ratio << 6);
    if (steep) {
        angle = FIX_PI / 2 - angle;
    }
    if (x < 0) {
        angle = FIX_PI - angle;
    }
    return y < 0 ? -angle : angle;
}

fix_t fix_exp2(fix_t v)
{
    int32_t whole = v >> 16;
    if (whole >= 15) {
        return INT32_MAX;
    }
    if (whole < -17) {
        return 0;
    }
    fix_t mantissa = interpolate(exp2_table, ((uint32_t)v & 0xFFFFu) << 6);
    return whole >= 0 ? mantissa << whole : mantissa >> -whole;
}

fix_t fix_log2(fix_t v)
{
    if (v <= 0) {
        return INT32_MIN;
    }
    int32_t exponent = 0;
    uint32_t m = (uint32_t)v;
    while (m < 0x10000u) {
        m <<= 1;
        exponent--;
    }
    while (m >= 0x20000u) {
        m >>= 1;
        exponent++;
    }
    return exponent * 65536 + interpolate(log2_table, (m - 0x10000u) << 6);
}

fix_t fix_exp(fix_t v)
{
    return fix_exp2(fix_mul(v, 94548)); /* log2(e) */
}

fix_t fix_ln(fix_t v)
{
    fix_t l = fix_log2(v);
    return l == INT32_MIN ? l : fix_mul(l, 45426); /* ln(2) */
}

fix_t fix_pow(fix_t base, fix_t exponent)
{
    return base <= 0 ? 0 : fix_exp2(fix_mul(exponent, fix_log2(base)));
}
