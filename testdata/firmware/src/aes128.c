#include "aes128.h"

#include "str.h"

static const uint8_t sbox[256] = {
    0x63u, 0x7Cu, 0x77u, 0x7Bu, 0xF2u, 0x6Bu, 0x6Fu, 0xC5u, 0x30u, 0x01u, 0x67u, 0x2Bu, 0xFEu, 0xD7u,
    0xABu, 0x76u, 0xCAu, 0x82u, 0xC9u, 0x7Du, 0xFAu, 0x59u, 0x47u, 0xF0u, 0xADu, 0xD4u, 0xA2u, 0xAFu,
    0x9Cu, 0xA4u, 0x72u, 0xC0u, 0xB7u, 0xFDu, 0x93u, 0x26u, 0x36u, 0x3Fu, 0xF7u, 0xCCu, 0x34u, 0xA5u,
    0xE5u, 0xF1u, 0x71u, 0xD8u, 0x31u, 0x15u, 0x04u, 0xC7u, 0x23u, 0xC3u, 0x18u, 0x96u, 0x05u, 0x9Au,
    0x07u, 0x12u, 0x80u, 0xE2u, 0xEBu, 0x27u, 0xB2u, 0x75u, 0x09u, 0x83u, 0x2Cu, 0x1Au, 0x1Bu, 0x6Eu,
    0x5Au, 0xA0u, 0x52u, 0x3Bu, 0xD6u, 0xB3u, 0x29u, 0xE3u, 0x2Fu, 0x84u, 0x53u, 0xD1u, 0x00u, 0xEDu,
    0x20u, 0xFCu, 0xB1u, 0x5Bu, 0x6Au, 0xCBu, 0xBEu, 0x39u, 0x4Au, 0x4Cu, 0x58u, 0xCFu, 0xD0u, 0xEFu,
    0xAAu, 0xFBu, 0x43u, 0x4Du, 0x33u, 0x85u, 0x45u, 0xF9u, 0x02u, 0x7Fu, 0x50u, 0x3Cu, 0x9Fu, 0xA8u,
    0x51u, 0xA3u, 0x40u, 0x8Fu, 0x92u, 0x9Du, 0x38u, 0xF5u, 0xBCu, 0xB6u, 0xDAu, 0x21u, 0x10u, 0xFFu,
    0xF3u, 0xD2u, 0xCDu, 0x0Cu, 0x13u, 0xECu, 0x5Fu, 0x97u, 0x44u, 0x17u, 0xC4u, 0xA7u, 0x7Eu, 0x3Du,
    0x64u, 0x5Du, 0x19u, 0x73u, 0x60u, 0x81u, 0x4Fu, 0xDCu, 0x22u, 0x2Au, 0x90u, 0x88u, 0x46u, 0xEEu,
    0xB8u, 0x14u, 0xDEu, 0x5Eu, 0x0Bu, 0xDBu, 0xE0u, 0x32u, 0x3Au, 0x0Au, 0x49u, 0x06u, 0x24u, 0x5Cu,
    0xC2u, 0xD3u, 0xACu, 0x62u, 0x91u, 0x95u, 0xE4u, 0x79u, 0xE7u, 0xC8u, 0x37u, 0x6Du, 0x8Du, 0xD5u,
    0x4Eu, 0xA9u, 0x6Cu, 0x56u, 0xF4u, 0xEAu, 0x65u, 0x7Au, 0xAEu, 0x08u, 0xBAu, 0x78u, 0x25u, 0x2Eu,
    0x1Cu, 0xA6u, 0xB4u, 0xC6u, 0xE8u, 0xDDu, 0x74u, 0x1Fu, 0x4Bu, 0xBDu, 0x8Bu, 0x8Au, 0x70u, 0x3Eu,
    0xB5u, 0x66u, 0x48u, 0x03u, 0xF6u, 0x0Eu, 0x61u, 0x35u, 0x57u, 0xB9u, 0x86u, 0xC1u, 0x1Du, 0x9Eu,
    0xE1u, 0xF8u, 0x98u, 0x11u, 0x69u, 0xD9u, 0x8Eu, 0x94u, 0x9Bu, 0x1Eu, 0x87u, 0xE9u, 0xCEu, 0x55u,
    0x28u, 0xDFu, 0x8Cu, 0xA1u, 0x89u, 0x0Du, 0xBFu, 0xE6u, 0x42u, 0x68u, 0x41u, 0x99u, 0x2Du, 0x0Fu,
    0xB0u, 0x54u, 0xBBu, 0x16u,
};

static uint8_t xtime(uint8_t v)
{
    return (uint8_t)(v << 1 ^ (v & 0x80u ? 0x1Bu : 0u));
}

void aes128_init(aes128_t *a, const uint8_t key[AES128_BLOCK])
{
    uint8_t round_constant = 1;
    memcpy(a->round_keys, key, AES128_BLOCK);
    for (size_t i = AES128_BLOCK; i < sizeof a->round_keys; i += 4) {
        uint8_t word[4];
        memcpy(word, a->round_keys + i - 4, 4);
        if (i % AES128_BLOCK == 0) {
            uint8_t first = word[0];
            word[0] = sbox[word[1]] ^ round_constant;
            word[1] = sbox[word[2]];
            word[2] = sbox[word[3]];
            word[3] = sbox[first];
            round_constant = xtime(round_constant);
        }
        for (size_t j = 0; j < 4; j++) {
            a->round_keys[i + j] = a->round_keys[i + j - AES128_BLOCK] ^ word[j];
        }
    }
}

static void add_key(uint8_t state[AES128_BLOCK], const uint8_t *key)
{
    for (size_t i = 0; i < AES128_BLOCK; i++) {
        state[i] ^= key[i];
    }
}

static void substitute_and_shift(uint8_t state[AES128_BLOCK])
{
    uint8_t from[AES128_BLOCK];
    memcpy(from, state, AES128_BLOCK);
    for (size_t i = 0; i < AES128_BLOCK; i++) {
        state[i] = sbox[from[(i + 4u * (i & 3u)) & 15u]];
    }
}

static void mix_columns(uint8_t state[AES128_BLOCK])
{
    for (uint8_t *c = state; c < state + AES128_BLOCK; c += 4) {
        uint8_t first = c[0];
        uint8_t all = c[0] ^ c[1] ^ c[2] ^ c[3];
        c[0] ^= all ^ xtime(c[0] ^ c[1]);
        c[1] ^= all ^ xtime(c[1] ^ c[2]);
        c[2] ^= all ^ xtime(c[2] ^ c[3]);
        c[3] ^= all ^ xtime(c[3] ^ first);
    }
}

void aes128_encrypt(const aes128_t *a, const uint8_t in[AES128_BLOCK], uint8_t out[AES128_BLOCK])
{
    uint8_t state[AES128_BLOCK];
    memcpy(state, in, AES128_BLOCK);
    add_key(state, a->round_keys);
    for (size_t round = 1; round <= 10; round++) {
        substitute_and_shift(state);
        if (round != 10) {
            mix_columns(state);
        }
        add_key(state, a->round_keys + AES128_BLOCK * round);
    }
    memcpy(out, state, AES128_BLOCK);
}

void aes128_ctr(const aes128_t *a, const uint8_t nonce[12], uint32_t counter, uint8_t *data, size_t length)
{
    uint8_t block[AES128_BLOCK], stream[AES128_BLOCK];
    memcpy(block, nonce, 12);
    for (size_t i = 0; i < length; i++) {
        if (i % AES128_BLOCK == 0) {
            block[12] = (uint8_t)(counter >> 24);
            block[13] = (uint8_t)(counter >> 16);
            block[14] = (uint8_t)(counter >> 8);
            block[15] = (uint8_t)counter;
            counter++;
            aes128_encrypt(a, block, stream);
        }
        data[i] ^= stream[i % AES128_BLOCK];
    }
}

static void double_in_field(uint8_t v[AES128_BLOCK])
{
    uint8_t carry = v[0] & 0x80u ? 0x87u : 0u;
    for (size_t i = 0; i + 1 < AES128_BLOCK; i++) {
        v[i] = (uint8_t)(v[i] << 1 | v[i + 1] >> 7);
    }
    v[AES128_BLOCK - 1] = (uint8_t)(v[AES128_BLOCK - 1] << 1) ^ carry;
}

void aes128_cmac(const aes128_t *a, const uint8_t *data, size_t length, uint8_t mac[AES128_BLOCK])
{
    uint8_t subkey[AES128_BLOCK] = {0};
    aes128_encrypt(a, subkey, subkey);
    double_in_field(subkey);
    uint8_t state[AES128_BLOCK] = {0};
    while (length > AES128_BLOCK) {
        add_key(state, data);
        aes128_encrypt(a, state, state);
        data += AES128_BLOCK;
        length -= AES128_BLOCK;
    }
    for (size_t i = 0; i < length; i++) {
        state[i] ^= data[i];
    }
    if (length < AES128_BLOCK) {
        state[length] ^= 0x80u;
        double_in_field(subkey);
    }
    add_key(state, subkey);
    aes128_encrypt(a, state, mac);
}
