/* AES-128 encryption (FIPS 197), counter mode and CMAC (RFC 4493). */
#ifndef AES128_H
#define AES128_H

#include "common.h"

#define AES128_BLOCK 16

typedef struct {
    uint8_t round_keys[11 * AES128_BLOCK];
} aes128_t;

void aes128_init(aes128_t *a, const uint8_t key[AES128_BLOCK]);
void aes128_encrypt(const aes128_t *a, const uint8_t in[AES128_BLOCK], uint8_t out[AES128_BLOCK]);
void aes128_ctr(const aes128_t *a, const uint8_t nonce[12], uint32_t counter, uint8_t *data, size_t length);
void aes128_cmac(const aes128_t *a, const uint8_t *data, size_t length, uint8_t mac[AES128_BLOCK]);

#endif
