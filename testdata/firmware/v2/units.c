#include "registers.h"

#include "fmt.h"

const char *unit_text(uint8_t unit)
{
    switch (unit) {
    case UNIT_CELSIUS: return "C";
    case UNIT_WATT: return "W";
    case UNIT_VA: return "VA";
    case UNIT_VAR: return "var";
    case UNIT_WATT_HOUR: return "Wh";
    case UNIT_VAR_HOUR: return "varh";
    case UNIT_AMPERE: return "A";
    case UNIT_VOLT: return "V";
    case UNIT_HERTZ: return "Hz";
    case UNIT_PERCENT: return "%";
    default: return "";
    }
}

size_t unit_format(int64_t value, int8_t scaler, uint8_t unit, char *out, size_t room)
{
    char sign[2] = {value < 0 ? '-' : 0, 0};
    uint64_t magnitude = value < 0 ? 0u - (uint64_t)value : (uint64_t)value;
    uint64_t divisor = 1;
    for (int8_t s = scaler; s < 0; s++) {
        divisor *= 10u;
    }
    for (int8_t s = scaler; s > 0; s--) {
        magnitude *= 10u;
    }
    size_t n = fmt_text(out, room, "%s%llu", sign, magnitude / divisor);
    if (scaler < 0) {
        n += fmt_text(out + n, room - n, ".%0*llu", -scaler, magnitude % divisor);
    }
    if (unit_text(unit)[0]) {
        n += fmt_text(out + n, room - n, " %s", unit_text(unit));
    }
    return n;
}
