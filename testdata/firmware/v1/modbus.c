#include "modbus.h"

#include "crc.h"
#include "events.h"
#include "store.h"
#include "str.h"
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
    default: return (uint32_t)a->temperature;
    }
}

static uint16_t input_register(const app_t *a, uint32_t address)
{
    uint32_t v = input_value(a, address / 2u);
    return (uint16_t)(address & 1u ? v : v >> 16);
}

static uint16_t holding_register(const app_t *a, uint32_t address)
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

static enum modbus_exception write_holding(app_t *a, uint32_t address, uint16_t value)
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

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static enum modbus_exception read_registers(const app_t *a, bool input, const uint8_t *pdu, size_t length, uint8_t *out,
                                            size_t *out_length)
{
    if (length != 5) {
        return MODBUS_VALUE;
    }
    uint32_t start = be16(pdu + 1), count = be16(pdu + 3);
    uint32_t limit = input ? MODBUS_INPUTS : MODBUS_HOLDINGS;
    if (count == 0 || count > 125) {
        return MODBUS_VALUE;
    }
#if FIRMWARE_VERSION >= FW_1_1
    if (start + count > limit) {
#else
    if (start > limit || count > limit) {
#endif
        return MODBUS_ADDRESS;
    }
    out[1] = (uint8_t)(2u * count);
    for (uint32_t i = 0; i < count; i++) {
        put_be16(out + 2u + 2u * i, input ? input_register(a, start + i) : holding_register(a, start + i));
    }
    *out_length = 2u + 2u * count;
    return MODBUS_OK;
}

static enum modbus_exception write_register(app_t *a, const uint8_t *pdu, size_t length, uint8_t *out, size_t *out_length)
{
    if (length != 5) {
        return MODBUS_VALUE;
    }
    if (be16(pdu + 1) >= MODBUS_HOLDINGS) {
        return MODBUS_ADDRESS;
    }
    memcpy(out + 1, pdu + 1, 4);
    *out_length = 5;
    return write_holding(a, be16(pdu + 1), be16(pdu + 3));
}

size_t modbus_answer(app_t *a, uint8_t address, const uint8_t *request, size_t length, uint8_t *answer)
{
    if (length < 4 || length > MODBUS_MAX_FRAME || (request[0] != address && request[0] != 0)) {
        return 0;
    }
    uint16_t crc = crc16_modbus(request, length - 2u);
    if (request[length - 2u] != (uint8_t)crc || request[length - 1u] != crc >> 8) {
        return 0;
    }
    const uint8_t *pdu = request + 1;
    size_t pdu_length = length - 3u;
    uint8_t *out = answer + 1;
    size_t out_length = 1;
    enum modbus_exception e;
    answer[0] = address;
    out[0] = pdu[0];
    switch (pdu[0]) {
    case 3:
    case 4:
        e = read_registers(a, pdu[0] == 4, pdu, pdu_length, out, &out_length);
        break;
    case 6:
        e = write_register(a, pdu, pdu_length, out, &out_length);
        break;
    default:
        e = MODBUS_FUNCTION;
        break;
    }
    if (request[0] == 0) {
        return 0; /* broadcast */
    }
    if (e != MODBUS_OK) {
        out[0] |= 0x80u;
        out[1] = (uint8_t)e;
        out_length = 2;
    }
    crc = crc16_modbus(answer, out_length + 1u);
    answer[out_length + 1u] = (uint8_t)crc;
    answer[out_length + 2u] = (uint8_t)(crc >> 8);
    return out_length + 3u;
}
