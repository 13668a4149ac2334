#include "prng.h"

void prng_seed(prng_t *p, uint32_t seed)
{
    p->state = seed ? seed : 0x6D2B79F5u;
}

uint32_t prng_next(prng_t *p)
{
    uint32_t x = p->state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    p->state = x;
    return x;
}

int32_t prng_between(prng_t *p, int32_t low, int32_t high)
{
    uint32_t span = (uint32_t)(high - low) + 1u;
    return low + (int32_t)((uint64_t)prng_next(p) * span >> 32);
}
