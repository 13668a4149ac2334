#include "flash.h"

#include <stdbool.h>

#define CAPACITY ((uint32_t)FLASH_SECTORS * FLASH_SECTOR)

/* Which units are programmed: memory that a real chip would not need, and that a reset leaves alone. */
#define UNITS_ADDRESS 0x21000000u

enum { ERASED = 0xFF, PROGRAMMED = 0xA5 };
enum { BROKEN_RANGE = 1, BROKEN_NOT_ERASED = 2 };

static volatile uint8_t *cell(uint32_t offset)
{
    return (volatile uint8_t *)(FLASH_ADDRESS + offset);
}

static volatile uint8_t *unit(uint32_t offset)
{
    return (volatile uint8_t *)(UNITS_ADDRESS + offset / FLASH_UNIT);
}

static bool is_range(uint8_t chip, uint32_t offset, size_t length, uint32_t multiple)
{
    return chip == 0 && offset <= CAPACITY && length <= CAPACITY - offset && offset % multiple == 0 && length % multiple == 0;
}

static int32_t flash_read(void *context, uint8_t chip, uint32_t offset, uint8_t *bytes, size_t length)
{
    (void)context;
    if (!is_range(chip, offset, length, 1)) {
        return BROKEN_RANGE;
    }
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = *cell(offset + i);
    }
    return 0;
}

int32_t flash_erase(void *context, uint8_t chip, uint32_t offset)
{
    (void)context;
    if (!is_range(chip, offset, FLASH_SECTOR, FLASH_SECTOR)) {
        return BROKEN_RANGE;
    }
    for (uint32_t i = 0; i < FLASH_SECTOR; i++) {
        *cell(offset + i) = ERASED;
        *unit(offset + i) = 0;
    }
    return 0;
}

int32_t flash_program(void *context, uint8_t chip, uint32_t offset, const uint8_t *bytes, size_t length)
{
    (void)context;
    if (!is_range(chip, offset, length, FLASH_UNIT)) {
        return BROKEN_RANGE;
    }
    for (uint32_t i = 0; i < length; i++) {
        if (*cell(offset + i) != ERASED || (i % FLASH_UNIT == 0 && *unit(offset + i) == PROGRAMMED)) {
            return BROKEN_NOT_ERASED;
        }
        *cell(offset + i) = bytes[i];
        if (i % FLASH_UNIT == FLASH_UNIT - 1) {
            *unit(offset + i) = PROGRAMMED;
        }
    }
    return 0;
}

const sealift_flash flash = {
    .context = NULL,
    .read = flash_read,
    .erase = flash_erase,
    .program = flash_program,
    .chips = {{.read_unit = 1, .program_unit = FLASH_UNIT, .sector = FLASH_SECTOR, .capacity = CAPACITY, .erased = ERASED}},
};
