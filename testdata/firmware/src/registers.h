/* The register table: what the meter can be asked for, by OBIS code (IEC 62056-6-1). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "app.h"

/* Unit codes of IEC 62056-6-2. */
enum unit {
    UNIT_CELSIUS = 9,
    UNIT_WATT = 27,
    UNIT_VA = 28,
    UNIT_VAR = 29,
    UNIT_WATT_HOUR = 30,
    UNIT_VAR_HOUR = 32,
    UNIT_AMPERE = 33,
    UNIT_VOLT = 35,
    UNIT_HERTZ = 44,
    UNIT_PERCENT = 56,
    UNIT_COUNT = 255,
};

typedef struct {
    uint8_t code[6];
    uint8_t unit;
    int8_t scaler; /* power of ten of the value */
    uint8_t argument;
    int64_t (*read)(const app_t *a, uint8_t argument);
    const char *name;
} register_t;

extern const register_t registers[];
extern const size_t register_count;

const register_t *register_find(const uint8_t code[6]);
/* "1-0:1.8.0*255"; the last part may be left out. */
bool register_parse(const char *text, uint8_t code[6]);
size_t register_code_text(const uint8_t code[6], char *out, size_t room);
const char *unit_text(uint8_t unit);
/* Value with its scaler and unit, "230.000 V". */
size_t unit_format(int64_t value, int8_t scaler, uint8_t unit, char *out, size_t room);

#endif
