/* Self-tests run at boot. Each returns whether its module works; the results do not depend on the build. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "common.h"

typedef struct {
    const char *name;
    bool (*run)(void);
} selftest_t;

extern const selftest_t selftests_codec[], selftests_maths[], selftests_meter[];
extern const size_t selftests_codec_count, selftests_maths_count, selftests_meter_count;
#if FIRMWARE_VERSION >= FW_2_0
extern const selftest_t selftests_v2[];
extern const size_t selftests_v2_count;
#endif

/* Prints a line a test and a summary; true when all passed. */
bool selftest_all(void);

/* Inside a test: leaves it when the condition does not hold. */
#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            return false; \
    } while (0)

/* Whether two numbers are at most `slack` apart. */
bool selftest_near(int32_t a, int32_t b, int32_t slack);
/* Whether bytes equal a text of hexadecimal digits. */
bool selftest_bytes(const uint8_t *data, size_t length, const char *hex);

#endif
