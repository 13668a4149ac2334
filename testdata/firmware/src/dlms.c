#include "dlms.h"

#include "calendar.h"
#include "registers.h"
#include "str.h"

enum { GET_REQUEST = 0xC0, GET_RESPONSE = 0xC4, NORMAL = 1, CLASS_REGISTER = 3, CLASS_CLOCK = 8 };
enum { TYPE_STRUCTURE = 2, TYPE_OCTETS = 9, TYPE_INT8 = 15, TYPE_INT64 = 20, TYPE_ENUM = 22 };

typedef struct {
    uint8_t *to;
    size_t room, used;
} out_t;

static void put(out_t *o, uint8_t byte)
{
    if (o->used < o->room) {
        o->to[o->used] = byte;
    }
    o->used++;
}

static void put_int64(out_t *o, int64_t v)
{
    put(o, TYPE_INT64);
    for (int shift = 56; shift >= 0; shift -= 8) {
        put(o, (uint8_t)((uint64_t)v >> shift));
    }
}

static void put_octets(out_t *o, const uint8_t *data, size_t length)
{
    put(o, TYPE_OCTETS);
    put(o, (uint8_t)length);
    for (size_t i = 0; i < length; i++) {
        put(o, data[i]);
    }
}

static enum dlms_result register_attribute(const app_t *a, const uint8_t code[6], uint8_t attribute, out_t *o)
{
    const register_t *r = register_find(code);
    if (!r) {
        return DLMS_UNDEFINED;
    }
    switch (attribute) {
    case 1:
        put_octets(o, r->code, 6);
        return DLMS_SUCCESS;
    case 2:
        put_int64(o, r->read(a, r->argument));
        return DLMS_SUCCESS;
    case 3:
        put(o, TYPE_STRUCTURE);
        put(o, 2);
        put(o, TYPE_INT8);
        put(o, (uint8_t)r->scaler);
        put(o, TYPE_ENUM);
        put(o, r->unit);
        return DLMS_SUCCESS;
    default:
        return DLMS_UNAVAILABLE;
    }
}

static enum dlms_result clock_attribute(const app_t *a, uint8_t attribute, out_t *o)
{
    if (attribute != 2) {
        return DLMS_READ_DENIED;
    }
    datetime_t t;
    calendar_from_seconds(a->clock, &t);
    const uint8_t octets[12] = {(uint8_t)(t.year >> 8), (uint8_t)t.year, t.month, t.day, t.weekday, t.hour, t.minute,
                                t.second, 0xFF, 0, 0, calendar_summer_time(a->clock) ? 0x80u : 0u};
    put_octets(o, octets, sizeof octets);
    return DLMS_SUCCESS;
}

size_t dlms_answer(const app_t *a, const uint8_t *request, size_t length, uint8_t *answer, size_t room)
{
    if (length != 13 || request[0] != GET_REQUEST || request[1] != NORMAL || room < 5) {
        return 0;
    }
    uint32_t class = (uint32_t)(request[3] << 8 | request[4]);
    out_t o = {answer, room, 4};
    enum dlms_result result = DLMS_UNDEFINED;
    if (class == CLASS_REGISTER) {
        result = register_attribute(a, request + 5, request[11], &o);
    } else if (class == CLASS_CLOCK) {
        result = clock_attribute(a, request[11], &o);
    }
    if (o.used > room) {
        return 0;
    }
    answer[0] = GET_RESPONSE;
    answer[1] = NORMAL;
    answer[2] = request[2];
    answer[3] = result == DLMS_SUCCESS ? 0 : 1;
    if (result != DLMS_SUCCESS) {
        answer[4] = (uint8_t)result;
        return 5;
    }
    return o.used;
}
