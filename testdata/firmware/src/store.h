/* Configuration store: a log of records over the flash, with wear levelling.
 *
 * A sector starts with a header (magic, sequence). Records follow: key, length, CRC-16, value. The
 * newest record of a key counts. A full sector is followed by the next one, round robin, to which the
 * live records are copied before the old sector is erased, so a cut at any point loses nothing. */
#ifndef STORE_H
#define STORE_H

#include "common.h"

#define STORE_MAX_VALUE 64u
#define STORE_MAX_KEYS 24u

enum store_key {
    STORE_KEY_SERIAL = 1,
    STORE_KEY_TARIFF,
    STORE_KEY_MODBUS_ADDRESS,
    STORE_KEY_CALIBRATION,
    STORE_KEY_RELAY_LIMIT,
    STORE_KEY_ENERGY,
    STORE_KEY_BOOT_COUNT,
    STORE_KEY_DISPLAY,
    STORE_KEY_USER = 32,
};

/* Finds the newest sector, or formats an empty flash. */
void store_mount(void);
bool store_write(uint8_t key, const void *value, uint8_t length);
/* Returns the length, or 0 when the key is absent. */
uint8_t store_read(uint8_t key, void *value, uint8_t room);
bool store_remove(uint8_t key);
uint32_t store_free_bytes(void);
uint32_t store_sequence(void);

#endif
