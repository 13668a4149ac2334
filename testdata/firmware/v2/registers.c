#include "registers.h"

#include "fmt.h"
#include "str.h"

const register_t *register_find(const uint8_t code[6])
{
    for (size_t i = 0; i < register_count; i++) {
        if (memcmp(registers[i].code, code, 6) == 0) {
            return &registers[i];
        }
    }
    return NULL;
}

bool register_parse(const char *text, uint8_t code[6])
{
    static const char separators[6] = {'-', ':', '.', '.', '*', 0};
    code[5] = 255;
    for (size_t i = 0; i < 6; i++) {
        uint32_t v = 0;
        if (!str_is_digit(*text)) {
            return false;
        }
        while (str_is_digit(*text)) {
            v = v * 10u + (uint32_t)(*text++ - '0');
            if (v > UINT8_MAX) {
                return false;
            }
        }
        code[i] = (uint8_t)v;
        if (!*text) {
            return i >= 4;
        }
        if (*text++ != separators[i]) {
            return false;
        }
    }
    return false;
}

size_t register_code_text(const uint8_t code[6], char *out, size_t room)
{
    return fmt_text(out, room, "%u-%u:%u.%u.%u*%u", (uint32_t)code[0], (uint32_t)code[1], (uint32_t)code[2],
                    (uint32_t)code[3], (uint32_t)code[4], (uint32_t)code[5]);
}
