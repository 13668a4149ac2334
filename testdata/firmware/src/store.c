#include "store.h"

#include "crc.h"
#include "flash.h"
#include "str.h"

#define SECTOR_MAGIC 0x53544F52u
#define FREE_KEY 0xFFu

typedef struct {
    uint32_t magic;
    uint32_t sequence;
} sector_header_t;

typedef struct {
    uint8_t key;
    uint8_t length; /* 0: the key was removed */
    uint16_t crc;
} record_t;

static uint32_t sector;   /* in use */
static uint32_t sequence; /* of that sector */
static uint32_t end;      /* offset of the free space */

static uint32_t sector_start(uint32_t index)
{
    return index * FLASH_SECTOR_SIZE;
}

static uint32_t record_size(uint32_t length)
{
    return (uint32_t)sizeof(record_t) + ((length + 3u) & ~3u);
}

static uint16_t record_crc(uint8_t key, const uint8_t *value, uint8_t length)
{
    uint8_t head[2] = {key, length};
    return (uint16_t)(crc16_x25(head, sizeof head) ^ crc16_modbus(value, length));
}

static bool record_at(uint32_t offset, uint32_t limit, record_t *r)
{
    if (offset + sizeof *r > limit) {
        return false;
    }
    memcpy(r, flash_at(offset), sizeof *r);
    return r->key != FREE_KEY && offset + record_size(r->length) <= limit;
}

static bool record_good(uint32_t offset, const record_t *r)
{
    return r->crc == record_crc(r->key, flash_at(offset + (uint32_t)sizeof *r), r->length);
}

/* Offset of the newest good record of a key in a sector, or 0. */
static uint32_t find(uint32_t in_sector, uint8_t key)
{
    uint32_t found = 0;
    uint32_t limit = sector_start(in_sector) + FLASH_SECTOR_SIZE;
    record_t r;
    for (uint32_t at = sector_start(in_sector) + (uint32_t)sizeof(sector_header_t); record_at(at, limit, &r);
         at += record_size(r.length)) {
        if (r.key == key && record_good(at, &r)) {
            found = at;
        }
    }
    return found;
}

static void start_sector(uint32_t index, uint32_t with_sequence)
{
    sector_header_t h = {SECTOR_MAGIC, with_sequence};
    (void)flash_program(sector_start(index), &h, sizeof h);
    sector = index;
    sequence = with_sequence;
    end = sector_start(index) + (uint32_t)sizeof h;
}

void store_mount(void)
{
    bool found = false;
    for (uint32_t i = 0; i < FLASH_SECTORS; i++) {
        sector_header_t h;
        memcpy(&h, flash_at(sector_start(i)), sizeof h);
        if (h.magic == SECTOR_MAGIC && (!found || (int32_t)(h.sequence - sequence) > 0)) {
            found = true;
            sector = i;
            sequence = h.sequence;
        }
    }
    if (!found) {
        flash_format();
        start_sector(0, 1);
        return;
    }
    record_t r;
    uint32_t limit = sector_start(sector) + FLASH_SECTOR_SIZE;
    for (end = sector_start(sector) + (uint32_t)sizeof(sector_header_t); record_at(end, limit, &r);) {
        end += record_size(r.length);
    }
}

static bool append(uint8_t key, const uint8_t *value, uint8_t length)
{
    record_t r = {key, length, record_crc(key, value, length)};
    uint32_t size = record_size(length);
    if (end + size > sector_start(sector) + FLASH_SECTOR_SIZE) {
        return false;
    }
    bool done = flash_program(end + (uint32_t)sizeof r, value, length) && flash_program(end, &r, sizeof r);
    end += size;
    return done;
}

/* Copies the live records, except one key, to the next sector. */
static void move_on(uint8_t except)
{
    uint32_t old = sector;
    uint32_t next = (sector + 1u) % FLASH_SECTORS;
    flash_erase(next);
    start_sector(next, sequence + 1u);
    for (uint32_t key = 1; key < FREE_KEY; key++) {
        uint32_t at = key == except ? 0 : find(old, (uint8_t)key);
        if (at) {
            record_t r;
            memcpy(&r, flash_at(at), sizeof r);
            if (r.length) {
                (void)append(r.key, flash_at(at + (uint32_t)sizeof r), r.length);
            }
        }
    }
    flash_erase(old);
}

bool store_write(uint8_t key, const void *value, uint8_t length)
{
    if (key == 0 || key == FREE_KEY || length > STORE_MAX_VALUE) {
        return false;
    }
    uint32_t at = find(sector, key);
    if (at) {
        record_t r;
        memcpy(&r, flash_at(at), sizeof r);
        if (r.length == length && memcmp(flash_at(at + (uint32_t)sizeof r), value, length) == 0) {
            return true; /* unchanged: no wear */
        }
    }
    if (append(key, value, length)) {
        return true;
    }
    move_on(key);
    return append(key, value, length);
}

uint8_t store_read(uint8_t key, void *value, uint8_t room)
{
    uint32_t at = find(sector, key);
    if (!at) {
        return 0;
    }
    record_t r;
    memcpy(&r, flash_at(at), sizeof r);
    if (r.length > room) {
        return 0;
    }
    memcpy(value, flash_at(at + (uint32_t)sizeof r), r.length);
    return r.length;
}

bool store_remove(uint8_t key)
{
    return find(sector, key) == 0 || store_write(key, "", 0);
}

uint32_t store_free_bytes(void)
{
    return sector_start(sector) + FLASH_SECTOR_SIZE - end;
}

uint32_t store_sequence(void)
{
    return sequence;
}
