/* Small deterministic random numbers (xorshift32): for simulated noise and tests, not for keys. */
#ifndef PRNG_H
#define PRNG_H

#include "common.h"

typedef struct {
    uint32_t state; /* never 0 */
} prng_t;

void prng_seed(prng_t *p, uint32_t seed);
uint32_t prng_next(prng_t *p);
/* Uniform in [low, high]. */
int32_t prng_between(prng_t *p, int32_t low, int32_t high);

#endif
