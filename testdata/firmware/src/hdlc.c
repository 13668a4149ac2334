#include "hdlc.h"

#include "crc.h"

enum { FLAG = 0x7E, ESCAPE = 0x7D, FLIP = 0x20 };

static size_t put_stuffed(uint8_t *out, uint8_t byte)
{
    if (byte == FLAG || byte == ESCAPE) {
        out[0] = ESCAPE;
        out[1] = byte ^ FLIP;
        return 2;
    }
    out[0] = byte;
    return 1;
}

size_t hdlc_frame(const uint8_t *payload, size_t length, uint8_t *out, size_t room)
{
    if (length > HDLC_MAX_PAYLOAD || room < 2u * (length + 2u) + 2u) {
        return 0;
    }
    size_t n = 0;
    out[n++] = FLAG;
    for (size_t i = 0; i < length; i++) {
        n += put_stuffed(out + n, payload[i]);
    }
    uint16_t crc = crc16_x25(payload, length);
    n += put_stuffed(out + n, (uint8_t)crc);
    n += put_stuffed(out + n, (uint8_t)(crc >> 8));
    out[n++] = FLAG;
    return n;
}

static size_t finish(hdlc_t *h)
{
    size_t used = h->used;
    bool complete = !h->overrun && !h->escaped && used > 2;
    h->used = 0;
    h->escaped = h->overrun = false;
    if (used == 0) {
        return 0;
    }
    if (complete) {
        uint16_t crc = crc16_x25(h->data, used - 2u);
        if (h->data[used - 2u] == (uint8_t)crc && h->data[used - 1u] == crc >> 8) {
            h->good++;
            return used - 2u;
        }
    }
    h->bad++;
    return 0;
}

size_t hdlc_feed(hdlc_t *h, uint8_t byte)
{
    if (byte == FLAG) {
        return finish(h);
    }
    if (byte == ESCAPE) {
        h->escaped = true;
        return 0;
    }
    if (h->escaped) {
        byte ^= FLIP;
        h->escaped = false;
    }
    if (h->used == sizeof h->data) {
        h->overrun = true;
    } else {
        h->data[h->used++] = byte;
    }
    return 0;
}
