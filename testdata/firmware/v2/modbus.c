#include "modbus.h"

#include "crc.h"
#include "modbus_map.h"
#include "str.h"

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
    if (start + count > limit) {
        return MODBUS_ADDRESS;
    }
    out[1] = (uint8_t)(2u * count);
    for (uint32_t i = 0; i < count; i++) {
        put_be16(out + 2u + 2u * i, input ? modbus_input(a, start + i) : modbus_holding(a, start + i));
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
    return modbus_write_holding(a, be16(pdu + 1), be16(pdu + 3));
}

static enum modbus_exception write_registers(app_t *a, const uint8_t *pdu, size_t length, uint8_t *out, size_t *out_length)
{
    if (length < 6 || pdu[5] != length - 6u || pdu[5] != 2u * be16(pdu + 3)) {
        return MODBUS_VALUE;
    }
    uint32_t start = be16(pdu + 1), count = be16(pdu + 3);
    if (start + count > MODBUS_HOLDINGS) {
        return MODBUS_ADDRESS;
    }
    for (uint32_t i = 0; i < count; i++) {
        enum modbus_exception e = modbus_write_holding(a, start + i, be16(pdu + 6 + 2u * i));
        if (e != MODBUS_OK) {
            return e;
        }
    }
    memcpy(out + 1, pdu + 1, 4);
    *out_length = 5;
    return MODBUS_OK;
}

/* Report server id (function 17): the serial number, then the run indicator. */
static enum modbus_exception report_id(const app_t *a, uint8_t *out, size_t *out_length)
{
    size_t n = strlen(a->serial);
    out[1] = (uint8_t)(n + 1u);
    memcpy(out + 2, a->serial, n);
    out[2 + n] = 0xFF;
    *out_length = 3 + n;
    return MODBUS_OK;
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
    case 16:
        e = write_registers(a, pdu, pdu_length, out, &out_length);
        break;
    case 17:
        e = report_id(a, out, &out_length);
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
