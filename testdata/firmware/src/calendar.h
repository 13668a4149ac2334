/* Civil time: seconds since 2000-01-01 00:00:00 to date and back, and daylight saving (EU rule). */
#ifndef CALENDAR_H
#define CALENDAR_H

#include "common.h"

typedef struct {
    uint16_t year;   /* 2000 .. 2135 */
    uint8_t month;   /* 1 .. 12 */
    uint8_t day;     /* 1 .. 31 */
    uint8_t weekday; /* 1 Monday .. 7 Sunday */
    uint8_t hour, minute, second;
} datetime_t;

bool calendar_is_leap(uint32_t year);
uint32_t calendar_days_in_month(uint32_t year, uint32_t month);
void calendar_from_seconds(uint32_t seconds, datetime_t *t);
uint32_t calendar_to_seconds(const datetime_t *t);
bool calendar_valid(const datetime_t *t);
/* Whether daylight saving is in force at this UTC time. */
bool calendar_summer_time(uint32_t utc_seconds);
/* "YYYY-MM-DD hh:mm:ss", 20 bytes with the end. */
void calendar_text(const datetime_t *t, char out[20]);
bool calendar_parse(const char *text, datetime_t *t);

#endif
