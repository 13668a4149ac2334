/* The checksums of the protocols and the store. */
#ifndef CRC_H
#define CRC_H

#include "common.h"

/* CRC-32 (IEEE 802.3). Start with 0; feed the result back in to go on. */
uint32_t crc32_update(uint32_t crc, const uint8_t *data, size_t length);
uint16_t crc16_modbus(const uint8_t *data, size_t length);
/* CRC-16/X-25, the frame check of HDLC. */
uint16_t crc16_x25(const uint8_t *data, size_t length);
uint8_t crc8_dallas(const uint8_t *data, size_t length);

#endif
