/* NOR flash in memory of the board, which has none: what breaks a rule of NOR flash is an error. */
#ifndef FLASH_H
#define FLASH_H

#include "sealift.h"

enum { FLASH_UNIT = 8, FLASH_SECTOR = 4096, FLASH_SECTORS = 152 };

/* The chip begins where the primary slot does, behind 64 KiB for a bootloader. */
#define FLASH_ADDRESS 0x00010000u

extern const sealift_flash flash;

int32_t flash_erase(void *context, uint8_t chip, uint32_t offset);
int32_t flash_program(void *context, uint8_t chip, uint32_t offset, const uint8_t *bytes, size_t length);

#endif
