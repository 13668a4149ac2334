#include "selftest.h"

#include "fmt.h"
#include "str.h"

bool selftest_near(int32_t a, int32_t b, int32_t slack)
{
    return a - b <= slack && b - a <= slack;
}

bool selftest_bytes(const uint8_t *data, size_t length, const char *hex)
{
    uint8_t expected[64];
    size_t expected_length;
    return str_to_bytes(hex, expected, sizeof expected, &expected_length) && expected_length == length &&
           memcmp(data, expected, length) == 0;
}

bool selftest_all(void)
{
    static const struct {
        const selftest_t *tests;
        const size_t *count;
    } groups[] = {
        {selftests_codec, &selftests_codec_count},
        {selftests_maths, &selftests_maths_count},
        {selftests_meter, &selftests_meter_count},
#if FIRMWARE_VERSION >= FW_2_0
        {selftests_v2, &selftests_v2_count},
#endif
    };
    uint32_t passed = 0, failed = 0;
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; i < *groups[g].count; i++) {
            const selftest_t *t = &groups[g].tests[i];
            bool good = t->run();
            print("self-test %-12s %s\n", t->name, good ? "ok" : "FAILED");
            if (good) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    print("self-tests: %u passed, %u failed\n", passed, failed);
    return failed == 0;
}
