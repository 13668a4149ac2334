/* HDLC framing with byte stuffing (as RFC 1662) and the X-25 frame check. */
#ifndef HDLC_H
#define HDLC_H

#include "common.h"

#define HDLC_MAX_PAYLOAD 240u
#define HDLC_MAX_FRAME (2u * (HDLC_MAX_PAYLOAD + 2u) + 2u)

typedef struct {
    uint8_t data[HDLC_MAX_PAYLOAD + 2u];
    size_t used;
    bool escaped, overrun;
    uint32_t good, bad;
} hdlc_t;

size_t hdlc_frame(const uint8_t *payload, size_t length, uint8_t *out, size_t room);
/* Feeds one byte. Returns the length of a complete good payload at `data`, else 0. */
size_t hdlc_feed(hdlc_t *h, uint8_t byte);

#endif
