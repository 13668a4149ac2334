/* Types and helpers that every module uses. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Firmware versions, for the few places where releases differ inside one file. */
#define FW_1_0 0x0100
#define FW_1_1 0x0101
#define FW_2_0 0x0200

#ifndef FIRMWARE_VERSION
#error "build.sh sets FIRMWARE_VERSION"
#endif

/* "major.minor.patch", set by build.sh. */
#ifndef FIRMWARE_NAME
#error "build.sh sets FIRMWARE_NAME"
#endif

static inline int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline int32_t clamp_i32(int32_t v, int32_t lo, int32_t hi)
{
    return max_i32(lo, min_i32(v, hi));
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
