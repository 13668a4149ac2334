#include "sha256.h"

#include "str.h"

static const uint32_t round_constants[64] = {
    0x428A2F98u, 0x71374491u, 0xB5C0FBCFu, 0xE9B5DBA5u, 0x3956C25Bu, 0x59F111F1u,
    0x923F82A4u, 0xAB1C5ED5u, 0xD807AA98u, 0x12835B01u, 0x243185BEu, 0x550C7DC3u,
    0x72BE5D74u, 0x80DEB1FEu, 0x9BDC06A7u, 0xC19BF174u, 0xE49B69C1u, 0xEFBE4786u,
    0x0FC19DC6u, 0x240CA1CCu, 0x2DE92C6Fu, 0x4A7484AAu, 0x5CB0A9DCu, 0x76F988DAu,
    0x983E5152u, 0xA831C66Du, 0xB00327C8u, 0xBF597FC7u, 0xC6E00BF3u, 0xD5A79147u,
    0x06CA6351u, 0x14292967u, 0x27B70A85u, 0x2E1B2138u, 0x4D2C6DFCu, 0x53380D13u,
    0x650A7354u, 0x766A0ABBu, 0x81C2C92Eu, 0x92722C85u, 0xA2BFE8A1u, 0xA81A664Bu,
    0xC24B8B70u, 0xC76C51A3u, 0xD192E819u, 0xD6990624u, 0xF40E3585u, 0x106AA070u,
    0x19A4C116u, 0x1E376C08u, 0x2748774Cu, 0x34B0BCB5u, 0x391C0CB3u, 0x4ED8AA4Au,
    0x5B9CCA4Fu, 0x682E6FF3u, 0x748F82EEu, 0x78A5636Fu, 0x84C87814u, 0x8CC70208u,
    0x90BEFFFAu, 0xA4506CEBu, 0xBEF9A3F7u, 0xC67178F2u,
};

static uint32_t rotr(uint32_t v, unsigned n)
{
    return v >> n | v << (32u - n);
}

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static void compress(uint32_t state[8], const uint8_t block[64])
{
    uint32_t w[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t word;
        if (i < 16) {
            word = load_be32(block + 4u * i);
        } else {
            uint32_t w15 = w[(i - 15u) & 15u];
            uint32_t w2 = w[(i - 2u) & 15u];
            uint32_t s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ w15 >> 3;
            uint32_t s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ w2 >> 10;
            word = w[i & 15u] + s0 + w[(i - 7u) & 15u] + s1;
        }
        w[i & 15u] = word;
        uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + round_constants[i] + word;
        uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void sha256_init(sha256_t *s)
{
    static const uint32_t initial[8] = {
        0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au,
        0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u,
    };
    memcpy(s->state, initial, sizeof initial);
    s->length = 0;
}

void sha256_update(sha256_t *s, const void *data, size_t length)
{
    const uint8_t *from = data;
    while (length) {
        size_t used = (size_t)(s->length & 63u);
        size_t take = min_size(64u - used, length);
        memcpy(s->block + used, from, take);
        s->length += take;
        from += take;
        length -= take;
        if (used + take == 64u) {
            compress(s->state, s->block);
        }
    }
}

void sha256_finish(sha256_t *s, uint8_t digest[SHA256_SIZE])
{
    uint64_t bits = s->length * 8u;
    uint8_t tail[8];
    store_be32(tail, (uint32_t)(bits >> 32));
    store_be32(tail + 4, (uint32_t)bits);
    sha256_update(s, "\x80", 1);
    while ((s->length & 63u) != 56u) {
        sha256_update(s, "", 1);
    }
    sha256_update(s, tail, sizeof tail);
    for (size_t i = 0; i < 8; i++) {
        store_be32(digest + 4 * i, s->state[i]);
    }
}

void sha256_hmac(const uint8_t *key, size_t key_length, const void *data, size_t length, uint8_t mac[SHA256_SIZE])
{
    sha256_t s;
    uint8_t block[64] = {0};
    if (key_length > sizeof block) {
        sha256_init(&s);
        sha256_update(&s, key, key_length);
        sha256_finish(&s, block);
    } else {
        memcpy(block, key, key_length);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36u;
    }
    sha256_init(&s);
    sha256_update(&s, block, sizeof block);
    sha256_update(&s, data, length);
    sha256_finish(&s, mac);
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36u ^ 0x5Cu;
    }
    sha256_init(&s);
    sha256_update(&s, block, sizeof block);
    sha256_update(&s, mac, SHA256_SIZE);
    sha256_finish(&s, mac);
}
