/* The protocol of the link. verify/examples/bootloader-rust/src/link.rs documents it. */
#ifndef LINK_H
#define LINK_H

#include <stddef.h>
#include <stdint.h>

enum { LINK_DATA = 256, LINK_CONTENT = 264 };

struct link_frame {
    uint8_t kind;
    uint16_t length;
    uint8_t content[LINK_CONTENT];
};

void link_send(uint8_t kind, const uint8_t *content, uint16_t length);

/* Waits for a request: 'B', 'P', or 'F' with its 44 bytes. */
void link_request(struct link_frame *frame);

/* Asks for bytes from `offset` on. Returns how many came, at least one; they are in `frame->content + 4`. */
size_t link_data(uint32_t offset, struct link_frame *frame);

uint32_t link_word(const uint8_t *bytes);

#endif
