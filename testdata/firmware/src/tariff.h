/* Time-of-use tariff: which energy register counts at a given time. */
#ifndef TARIFF_H
#define TARIFF_H

#include "calendar.h"

#define TARIFF_SWITCHES 6
#define TARIFF_DAY_KINDS 3 /* working day, Saturday, Sunday and holiday */

typedef struct {
    uint8_t quarter_hour; /* of the day, 0 .. 95 */
    uint8_t tariff;
} tariff_switch_t;

typedef struct {
    tariff_switch_t winter[TARIFF_DAY_KINDS][TARIFF_SWITCHES];
    tariff_switch_t summer[TARIFF_DAY_KINDS][TARIFF_SWITCHES];
} tariff_plan_t;

extern const tariff_plan_t tariff_standard;

bool tariff_is_holiday(const datetime_t *local);
uint8_t tariff_at(const tariff_plan_t *plan, uint32_t utc_seconds);

#endif
