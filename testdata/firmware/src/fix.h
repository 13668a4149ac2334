/* Q16.16 fixed-point arithmetic; functions by table and linear interpolation, error below 2^-12. */
#ifndef FIX_H
#define FIX_H

#include "common.h"

typedef int32_t fix_t;

#define FIX_ONE 65536
#define FIX_PI 205887
/* For constants only. */
#define FIX(x) ((fix_t)((x) * 65536.0 + ((x) < 0 ? -0.5 : 0.5)))

fix_t fix_mul(fix_t a, fix_t b);
fix_t fix_div(fix_t a, fix_t b); /* saturates, also for b = 0 */
fix_t fix_sqrt(fix_t v);
uint32_t fix_isqrt(uint32_t v);
uint32_t fix_isqrt64(uint64_t v);
fix_t fix_sin(fix_t radians);
fix_t fix_cos(fix_t radians);
fix_t fix_sin_turns(uint32_t turns); /* 2^32 is one turn */
fix_t fix_atan2(fix_t y, fix_t x);
fix_t fix_exp2(fix_t v);
fix_t fix_log2(fix_t v);
fix_t fix_exp(fix_t v);
fix_t fix_ln(fix_t v);
fix_t fix_pow(fix_t base, fix_t exponent);

#endif
