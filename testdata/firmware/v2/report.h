/* The periodic report to the head end: the state as JSON, and as authenticated, encrypted base64 text. */
#ifndef REPORT_H
#define REPORT_H

#include "app.h"

#define REPORT_MAX 900u
#define BASE64_SIZE(n) (((n) + 2u) / 3u * 4u + 1u)

/* Both return the length without the end, or 0 when it does not fit. */
size_t base64_encode(const uint8_t *in, size_t length, char *out, size_t room);
size_t base64_decode(const char *in, uint8_t *out, size_t room);

size_t report_json(const app_t *a, char *out, size_t room);
/* AES-128-CTR, then CMAC over nonce and ciphertext: base64(nonce 12 | ciphertext | mac 16). */
size_t report_seal(const uint8_t key[16], const uint8_t nonce[12], const char *json, char *out, size_t room);
size_t report_unseal(const uint8_t key[16], const char *sealed, char *out, size_t room);

#endif
