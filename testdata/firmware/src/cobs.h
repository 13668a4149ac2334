/* Consistent overhead byte stuffing: frames without zero bytes. */
#ifndef COBS_H
#define COBS_H

#include "common.h"

#define COBS_MAX_ENCODED(n) ((n) + (n) / 254u + 1u)

/* Both return the length written, or 0 when it does not fit or the input is malformed. */
size_t cobs_encode(const uint8_t *in, size_t length, uint8_t *out, size_t room);
size_t cobs_decode(const uint8_t *in, size_t length, uint8_t *out, size_t room);

#endif
