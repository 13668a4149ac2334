#include "profile.h"

#include "lz.h"

#define RAW_MAX (2u * 5u + PROFILE_VALUES * 5u)

void profile_start(profile_day_t *d, uint32_t day)
{
    d->day = day;
    d->count = 0;
}

bool profile_add(profile_day_t *d, uint32_t wh)
{
    if (d->count == PROFILE_VALUES) {
        return false;
    }
    d->values[d->count++] = wh;
    return true;
}

static size_t put_varint(uint8_t *to, uint32_t v)
{
    size_t n = 0;
    while (v >= 0x80u) {
        to[n++] = (uint8_t)(v | 0x80u);
        v >>= 7;
    }
    to[n++] = (uint8_t)v;
    return n;
}

static bool take_varint(const uint8_t *from, size_t length, size_t *at, uint32_t *v)
{
    *v = 0;
    for (uint32_t shift = 0; shift < 35u && *at < length; shift += 7u) {
        uint8_t byte = from[(*at)++];
        *v |= (uint32_t)(byte & 0x7Fu) << shift;
        if (!(byte & 0x80u)) {
            return true;
        }
    }
    return false;
}

static uint32_t zigzag(uint32_t difference)
{
    return difference << 1 ^ (uint32_t)((int32_t)difference >> 31);
}

static uint32_t unzigzag(uint32_t v)
{
    return v >> 1 ^ (0u - (v & 1u));
}

size_t profile_pack(const profile_day_t *d, uint8_t *out, size_t room)
{
    uint8_t raw[RAW_MAX];
    size_t n = put_varint(raw, d->day);
    n += put_varint(raw + n, d->count);
    uint32_t last = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        n += put_varint(raw + n, zigzag(d->values[i] - last));
        last = d->values[i];
    }
    return lz_compress(raw, n, out, room);
}

bool profile_unpack(profile_day_t *d, const uint8_t *in, size_t length)
{
    uint8_t raw[RAW_MAX];
    size_t raw_length = lz_decompress(in, length, raw, sizeof raw);
    size_t at = 0;
    uint32_t v;
    if (!take_varint(raw, raw_length, &at, &d->day) || !take_varint(raw, raw_length, &at, &d->count) ||
        d->count > PROFILE_VALUES) {
        return false;
    }
    uint32_t last = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        if (!take_varint(raw, raw_length, &at, &v)) {
            return false;
        }
        last += unzigzag(v);
        d->values[i] = last;
    }
    return at == raw_length;
}
