/* SHA-256 (FIPS 180-4) and HMAC over it. */
#ifndef SHA256_H
#define SHA256_H

#include "common.h"

#define SHA256_SIZE 32

typedef struct {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
} sha256_t;

void sha256_init(sha256_t *s);
void sha256_update(sha256_t *s, const void *data, size_t length);
void sha256_finish(sha256_t *s, uint8_t digest[SHA256_SIZE]);
void sha256_hmac(const uint8_t *key, size_t key_length, const void *data, size_t length, uint8_t mac[SHA256_SIZE]);

#endif
