#include "calendar.h"

#include "fmt.h"
#include "str.h"

#define DAY_SECONDS 86400u
#define HOUR_SECONDS 3600u

bool calendar_is_leap(uint32_t year)
{
    return year % 4u == 0 && (year % 100u != 0 || year % 400u == 0);
}

uint32_t calendar_days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1u] + (month == 2 && calendar_is_leap(year) ? 1u : 0u);
}

/* Days since 2000-01-01. Counting years from March puts the leap day last. */
static uint32_t day_number(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = month <= 2 ? year - 1u : year;
    uint32_t m = month <= 2 ? month + 9u : month - 3u;
    return 365u * y + y / 4u - y / 100u + y / 400u + (153u * m + 2u) / 5u + day - 1u - 730425u;
}

static uint8_t weekday_of(uint32_t days)
{
    return (uint8_t)((days + 5u) % 7u + 1u); /* 2000-01-01 was a Saturday */
}

void calendar_from_seconds(uint32_t seconds, datetime_t *t)
{
    uint32_t days = seconds / DAY_SECONDS;
    uint32_t rest = seconds % DAY_SECONDS;
    t->hour = (uint8_t)(rest / HOUR_SECONDS);
    t->minute = (uint8_t)(rest / 60u % 60u);
    t->second = (uint8_t)(rest % 60u);
    t->weekday = weekday_of(days);
    uint32_t year = 2000;
    for (;;) {
        uint32_t length = calendar_is_leap(year) ? 366u : 365u;
        if (days < length) {
            break;
        }
        days -= length;
        year++;
    }
    uint32_t month = 1;
    while (days >= calendar_days_in_month(year, month)) {
        days -= calendar_days_in_month(year, month++);
    }
    t->year = (uint16_t)year;
    t->month = (uint8_t)month;
    t->day = (uint8_t)(days + 1u);
}

uint32_t calendar_to_seconds(const datetime_t *t)
{
    return day_number(t->year, t->month, t->day) * DAY_SECONDS + t->hour * HOUR_SECONDS + t->minute * 60u + t->second;
}

bool calendar_valid(const datetime_t *t)
{
    return t->year >= 2000 && t->year < 2136 && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= calendar_days_in_month(t->year, t->month) && t->hour < 24 && t->minute < 60 && t->second < 60;
}

/* 01:00 UTC on the last Sunday of a month, as seconds. */
static uint32_t last_sunday(uint32_t year, uint32_t month)
{
    uint32_t days = day_number(year, month, calendar_days_in_month(year, month));
    return (days - weekday_of(days) % 7u) * DAY_SECONDS + HOUR_SECONDS;
}

bool calendar_summer_time(uint32_t utc_seconds)
{
    datetime_t t;
    calendar_from_seconds(utc_seconds, &t);
    return utc_seconds >= last_sunday(t.year, 3) && utc_seconds < last_sunday(t.year, 10);
}

void calendar_text(const datetime_t *t, char out[20])
{
    (void)fmt_text(out, 20, "%04u-%02u-%02u %02u:%02u:%02u", (uint32_t)t->year, (uint32_t)t->month, (uint32_t)t->day,
                   (uint32_t)t->hour, (uint32_t)t->minute, (uint32_t)t->second);
}

bool calendar_parse(const char *text, datetime_t *t)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    uint32_t fields[6] = {0};
    size_t field = 0;
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'd') {
            if (!str_is_digit(text[i])) {
                return false;
            }
            fields[field] = fields[field] * 10u + (uint32_t)(text[i] - '0');
        } else {
            if (text[i] != shape[i]) {
                return false;
            }
            field++;
        }
    }
    if (text[sizeof shape - 1u]) {
        return false;
    }
    *t = (datetime_t){.year = (uint16_t)fields[0],
                      .month = (uint8_t)fields[1],
                      .day = (uint8_t)fields[2],
                      .hour = (uint8_t)fields[3],
                      .minute = (uint8_t)fields[4],
                      .second = (uint8_t)fields[5]};
    if (!calendar_valid(t)) {
        return false;
    }
    t->weekday = weekday_of(day_number(t->year, t->month, t->day));
    return true;
}
