#include "tariff.h"

#define END {96, 0}

const tariff_plan_t tariff_standard = {
    .winter =
        {
            {{0, 1}, {24, 0}, {28, 2}, {48, 0}, {68, 2}, {84, 1}},
            {{0, 1}, {28, 0}, {80, 1}, END, END, END},
            {{0, 1}, END, END, END, END, END},
        },
    .summer =
        {
            {{0, 1}, {24, 0}, {44, 3}, {60, 0}, {88, 1}, END},
            {{0, 1}, {28, 0}, {44, 3}, {64, 0}, {88, 1}, END},
            {{0, 1}, {44, 3}, {64, 1}, END, END, END},
        },
};

/* Easter Sunday as day of March (32 is the first of April). */
static uint32_t easter(uint32_t year)
{
    uint32_t golden = year % 19u;
    uint32_t century = year / 100u;
    uint32_t epact = (century - century / 4u - (8u * century + 13u) / 25u + 19u * golden + 15u) % 30u;
    epact -= epact / 28u * (1u - epact / 28u * (29u / (epact + 1u)) * ((21u - golden) / 11u));
    uint32_t weekday = (year + year / 4u + epact + 2u - century + century / 4u) % 7u;
    return epact + 28u - weekday;
}

bool tariff_is_holiday(const datetime_t *local)
{
    static const struct {
        uint8_t month, day;
    } fixed[] = {{1, 1}, {5, 1}, {12, 25}, {12, 26}};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (fixed[i].month == local->month && fixed[i].day == local->day) {
            return true;
        }
    }
    /* Good Friday, Easter Monday, Ascension, Whit Monday */
    static const int8_t after_easter[] = {-2, 1, 39, 50};
    uint32_t day = local->day;
    for (uint32_t m = 3; m < local->month; m++) {
        day += calendar_days_in_month(local->year, m);
    }
    for (size_t i = 0; i < ARRAY_LEN(after_easter); i++) {
        if (local->month >= 3 && (int32_t)day == (int32_t)easter(local->year) + after_easter[i]) {
            return true;
        }
    }
    return false;
}

uint8_t tariff_at(const tariff_plan_t *plan, uint32_t utc_seconds)
{
    bool summer = calendar_summer_time(utc_seconds);
    datetime_t local;
    calendar_from_seconds(utc_seconds + (summer ? 7200u : 3600u), &local);
    size_t kind = local.weekday == 7 || tariff_is_holiday(&local) ? 2 : local.weekday == 6 ? 1 : 0;
    const tariff_switch_t *switches = summer ? plan->summer[kind] : plan->winter[kind];
    uint32_t now = local.hour * 4u + local.minute / 15u;
    uint8_t tariff = switches[0].tariff;
    for (size_t i = 1; i < TARIFF_SWITCHES && switches[i].quarter_hour <= now; i++) {
        tariff = switches[i].tariff;
    }
    return tariff;
}
