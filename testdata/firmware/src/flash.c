#include "flash.h"

#include "str.h"

static uint8_t cells[FLASH_SIZE] __attribute__((aligned(4)));
static uint32_t erase_counts[FLASH_SECTORS];

void flash_erase(uint32_t sector)
{
    memset(cells + sector * FLASH_SECTOR_SIZE, 0xFF, FLASH_SECTOR_SIZE);
    erase_counts[sector]++;
}

void flash_format(void)
{
    for (uint32_t i = 0; i < FLASH_SECTORS; i++) {
        flash_erase(i);
        erase_counts[i] = 0;
    }
}

bool flash_program(uint32_t offset, const void *data, uint32_t length)
{
    const uint8_t *from = data;
    if (offset > FLASH_SIZE || length > FLASH_SIZE - offset) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        if (from[i] & (uint8_t)~cells[offset + i]) {
            return false;
        }
    }
    memcpy(cells + offset, from, length);
    return true;
}

const uint8_t *flash_at(uint32_t offset)
{
    return cells + offset;
}

uint32_t flash_erase_count(uint32_t sector)
{
    return erase_counts[sector];
}
