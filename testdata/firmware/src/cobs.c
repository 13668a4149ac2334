#include "cobs.h"

size_t cobs_encode(const uint8_t *in, size_t length, uint8_t *out, size_t room)
{
    if (room < COBS_MAX_ENCODED(length)) {
        return 0;
    }
    size_t code_at = 0, n = 1;
    uint8_t code = 1;
    for (size_t i = 0; i < length; i++) {
        if (in[i]) {
            out[n++] = in[i];
            code++;
        }
        if (!in[i] || code == 0xFFu) {
            out[code_at] = code;
            code_at = n++;
            code = 1;
        }
    }
    out[code_at] = code;
    return n;
}

size_t cobs_decode(const uint8_t *in, size_t length, uint8_t *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < length;) {
        uint8_t code = in[i++];
        if (code == 0 || i + code - 1u > length) {
            return 0;
        }
        for (uint8_t k = 1; k < code; k++) {
            if (n == room || in[i] == 0) {
                return 0;
            }
            out[n++] = in[i++];
        }
        if (code != 0xFFu && i < length) {
            if (n == room) {
                return 0;
            }
            out[n++] = 0;
        }
    }
    return n;
}
