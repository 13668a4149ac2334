#include "modbus_map.h"

#include "events.h"
#include "store.h"
#include "ticks.h"

static uint32_t input_value(const app_t *a, uint32_t index)
{
    const values_t *v = &a->meter.values;
    if (index < 9) {
        const phase_values_t *p = &v->phase[index / 3u];
        const int32_t of_phase[3] = {p->voltage_mv, p->current_ma, p->active_mw};
        return (uint32_t)of_phase[index % 3u];
    }
    switch (index) {
    case 9: return (uint32_t)v->active_mw;
    case 10: return (uint32_t)v->reactive_mvar;
    case 11: return (uint32_t)v->apparent_mva;
    case 12: return (uint32_t)v->frequency_mhz;
    case 13: return (uint32_t)meter_total_import(&a->meter);
    case 14: return (uint32_t)meter_total_export(&a->meter);
    case 15: return (uint32_t)a->harmonics.distortion;
    default: return (uint32_t)a->temperature;
    }
}

uint16_t modbus_input(const app_t *a, uint32_t address)
{
    uint32_t v = input_value(a, address / 2u);
    return (uint16_t)(address & 1u ? v : v >> 16);
}

uint16_t modbus_holding(const app_t *a, uint32_t address)
{
    switch (address) {
    case 0: return relay_is_closed(&a->relay);
    case 1: return (uint16_t)(a->relay.limit_mw / 1000);
    case 2: {
        uint8_t own = 1;
        (void)store_read(STORE_KEY_MODBUS_ADDRESS, &own, sizeof own);
        return own;
    }
    default: return (uint16_t)(a->meter.calibration[address - 3u].voltage_gain / 2);
    }
}

enum modbus_exception modbus_write_holding(app_t *a, uint32_t address, uint16_t value)
{
    switch (address) {
    case 0:
        if (value > 1) {
            return MODBUS_VALUE;
        }
        relay_remote(&a->relay, value == 1, ticks_now());
        break;
    case 1:
        if (value < 1000) {
            return MODBUS_VALUE;
        }
        a->relay.limit_mw = value * 1000;
        (void)store_write(STORE_KEY_RELAY_LIMIT, &a->relay.limit_mw, sizeof a->relay.limit_mw);
        break;
    case 2: {
        uint8_t own = (uint8_t)value;
        if (value < 1 || value > 247) {
            return MODBUS_VALUE;
        }
        (void)store_write(STORE_KEY_MODBUS_ADDRESS, &own, sizeof own);
        break;
    }
    default:
        if (value < 29491 || value > 36045) { /* 0.9 to 1.1 */
            return MODBUS_VALUE;
        }
        a->meter.calibration[address - 3u].voltage_gain = value * 2;
        (void)store_write(STORE_KEY_CALIBRATION, a->meter.calibration, sizeof a->meter.calibration);
        break;
    }
    events_add(a->clock, EVENT_CONFIG_CHANGED, (int32_t)address);
    return MODBUS_OK;
}
