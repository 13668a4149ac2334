/* A NOR flash of eight 512-byte sectors, kept in RAM: programming only clears bits. */
#ifndef FLASH_H
#define FLASH_H

#include "common.h"

#define FLASH_SECTORS 8u
#define FLASH_SECTOR_SIZE 512u
#define FLASH_SIZE (FLASH_SECTORS * FLASH_SECTOR_SIZE)

void flash_format(void);
void flash_erase(uint32_t sector);
/* False, and nothing written, when it is out of range or would set a bit. */
bool flash_program(uint32_t offset, const void *data, uint32_t length);
const uint8_t *flash_at(uint32_t offset);
uint32_t flash_erase_count(uint32_t sector);

#endif
