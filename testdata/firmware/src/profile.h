/* Load profile: one value a quarter of an hour, a day per block, kept as packed differences. */
#ifndef PROFILE_H
#define PROFILE_H

#include "common.h"

#define PROFILE_VALUES 96u
#define PROFILE_PACKED 256u

typedef struct {
    uint32_t day; /* days since 2000-01-01 */
    uint32_t values[PROFILE_VALUES];
    uint32_t count;
} profile_day_t;

void profile_start(profile_day_t *d, uint32_t day);
bool profile_add(profile_day_t *d, uint32_t wh);
/* Zigzag differences as variable-length integers, then LZ. Returns the length, 0 when it does not fit. */
size_t profile_pack(const profile_day_t *d, uint8_t *out, size_t room);
bool profile_unpack(profile_day_t *d, const uint8_t *in, size_t length);

#endif
