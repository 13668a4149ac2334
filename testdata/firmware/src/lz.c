#include "lz.h"

#include "str.h"

enum { MIN_MATCH = 3, MAX_MATCH = 18, WINDOW = 4096, BUCKETS = 256 };

static size_t bucket_of(const uint8_t *p)
{
    return (uint8_t)(p[0] * 31u + p[1] * 7u + p[2]);
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t n = 0;
    while (n < limit && a[n] == b[n]) {
        n++;
    }
    return n;
}

size_t lz_compress(const uint8_t *in, size_t length, uint8_t *out, size_t room)
{
    uint16_t recent[BUCKETS]; /* last position + 1 of each hash */
    memset(recent, 0, sizeof recent);
    size_t n = 0, control_at = 0, at = 0;
    uint32_t flag = 0x100;
    while (at < length) {
        if (flag == 0x100) {
            if (n == room) {
                return 0;
            }
            control_at = n;
            out[n++] = 0;
            flag = 1;
        }
        size_t best = 0, distance = 0;
        size_t limit = min_size(length - at, MAX_MATCH);
        if (limit >= MIN_MATCH && at < UINT16_MAX) {
            size_t bucket = bucket_of(in + at);
            if (recent[bucket] && at - (recent[bucket] - 1u) <= WINDOW) {
                distance = at - (recent[bucket] - 1u);
                best = match_length(in + at - distance, in + at, limit);
            }
            recent[bucket] = (uint16_t)(at + 1u);
        }
        if (best >= MIN_MATCH) {
            if (room - n < 2) {
                return 0;
            }
            out[control_at] = (uint8_t)(out[control_at] | flag);
            out[n++] = (uint8_t)(distance - 1u);
            out[n++] = (uint8_t)((distance - 1u) >> 8 << 4 | (best - MIN_MATCH));
            at += best;
        } else {
            if (n == room) {
                return 0;
            }
            out[n++] = in[at++];
        }
        flag <<= 1;
    }
    return n;
}

size_t lz_decompress(const uint8_t *in, size_t length, uint8_t *out, size_t room)
{
    size_t n = 0, at = 0;
    uint32_t control = 1;
    while (at < length) {
        if (control == 1) {
            control = 0x100u | in[at++];
            continue;
        }
        if (control & 1u) {
            if (length - at < 2) {
                return 0;
            }
            size_t distance = (size_t)(in[at] | (in[at + 1u] & 0xF0u) << 4) + 1u;
            size_t count = (in[at + 1u] & 15u) + MIN_MATCH;
            at += 2;
            if (distance > n || count > room - n) {
                return 0;
            }
            while (count--) {
                out[n] = out[n - distance];
                n++;
            }
        } else {
            if (n == room) {
                return 0;
            }
            out[n++] = in[at++];
        }
        control >>= 1;
    }
    return n;
}
