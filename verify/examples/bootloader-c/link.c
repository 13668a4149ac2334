#include "link.h"

#include "board.h"

static uint32_t crc_step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) {
        crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return crc;
}

static void put(uint8_t byte, uint32_t *crc)
{
    uart_put(LINK, byte);
    *crc = crc_step(*crc, byte);
}

static uint8_t get(uint32_t *crc)
{
    uint8_t byte = uart_get(LINK);
    *crc = crc_step(*crc, byte);
    return byte;
}

void link_send(uint8_t kind, const uint8_t *content, uint16_t length)
{
    uint32_t crc = UINT32_MAX;
    put(kind, &crc);
    put((uint8_t)(length & 0xFF), &crc);
    put((uint8_t)(length >> 8), &crc);
    for (uint16_t i = 0; i < length; i++) {
        put(content[i], &crc);
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++) {
        uart_put(LINK, (uint8_t)(crc >> 8 * i));
    }
}

/* Waits for a whole frame; false: it was damaged. */
static bool receive(struct link_frame *frame)
{
    uint32_t crc = UINT32_MAX;
    frame->kind = get(&crc);
    frame->length = get(&crc);
    frame->length = (uint16_t)(frame->length | (uint16_t)(get(&crc) << 8));
    if (frame->length > LINK_CONTENT) {
        return false;
    }
    for (uint16_t i = 0; i < frame->length; i++) {
        frame->content[i] = get(&crc);
    }
    uint8_t found[4];
    for (size_t i = 0; i < sizeof found; i++) {
        found[i] = uart_get(LINK);
    }
    return link_word(found) == ~crc;
}

void link_request(struct link_frame *frame)
{
    for (;;) {
        if (receive(frame) && (frame->kind == 'B' || frame->kind == 'P' || (frame->kind == 'F' && frame->length == 44))) {
            return;
        }
        link_send('R', NULL, 0);
    }
}

size_t link_data(uint32_t offset, struct link_frame *frame)
{
    uint8_t place[4] = {(uint8_t)offset, (uint8_t)(offset >> 8), (uint8_t)(offset >> 16), (uint8_t)(offset >> 24)};
    for (;;) {
        link_send('W', place, sizeof place);
        if (receive(frame) && frame->kind == 'D' && frame->length > 4 && link_word(frame->content) == offset) {
            return frame->length - 4u;
        }
    }
}

uint32_t link_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}
