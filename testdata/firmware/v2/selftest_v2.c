/* Self-tests of what version 2.0 brought. */
#include "app.h"
#include "crc.h"
#include "events.h"
#include "json.h"
#include "modbus.h"
#include "report.h"
#include "selftest.h"
#include "str.h"

static app_t bench;

static bool test_harmonics(void)
{
    app_reset(&bench);
    bench.waveform.third_harmonic_percent = 30;
    events_clear();
    app_simulate_second(&bench, 0);
    CHECK(selftest_near(bench.harmonics.share[3], 300, 5) && selftest_near(bench.harmonics.distortion, 300, 6));
    CHECK(bench.harmonics.share[5] < 6 && events_count(EVENT_HARMONICS) == 1);
    return true;
}

static bool test_quality(void)
{
    app_reset(&bench);
    events_clear();
    app_simulate_second(&bench, 0);
    CHECK(quality_availability(&bench.quality) == 1000);
    bench.waveform.voltage_peak[0] = 22000; /* 194 V */
    app_simulate_second(&bench, 1000);
    CHECK(bench.quality.state[0] == QUALITY_SAG && bench.quality.sags == 1);
    bench.waveform.voltage_peak[0] = 29000; /* 256 V */
    bench.waveform.voltage_peak[2] = 0;
    app_simulate_second(&bench, 2000);
    CHECK(bench.quality.state[0] == QUALITY_SWELL && bench.quality.state[2] == QUALITY_INTERRUPTED);
    CHECK(quality_availability(&bench.quality) == 333 && events_count(EVENT_VOLTAGE_SWELL) == 1);
    return true;
}

static bool test_json(void)
{
    char text[80];
    json_t j;
    json_start(&j, text, sizeof text);
    json_open(&j, NULL, '{');
    json_text(&j, "a", "x\"\n");
    json_open(&j, "b", '[');
    json_number(&j, NULL, -7);
    json_milli(&j, NULL, 1500);
    json_close(&j, ']');
    json_bool(&j, "c", false);
    json_close(&j, '}');
    CHECK(json_finish(&j) && str_eq(text, "{\"a\":\"x\\\"\\u000a\",\"b\":[-7,1.500],\"c\":false}"));
    json_start(&j, text, 4);
    json_text(&j, "name", "value");
    CHECK(!json_finish(&j) && strlen(text) == 3);
    return true;
}

static bool test_report(void)
{
    static char json[REPORT_MAX], sealed[BASE64_SIZE(REPORT_MAX + 32u)], back[REPORT_MAX];
    static const uint8_t key[16] = {1, 2, 3}, nonce[12] = {9};
    uint8_t raw[8];
    CHECK(base64_encode((const uint8_t *)"sealift", 7, json, sizeof json) == 12 && str_eq(json, "c2VhbGlmdA=="));
    CHECK(base64_decode(json, raw, sizeof raw) == 7 && memcmp(raw, "sealift", 7) == 0);
    app_reset(&bench);
    app_simulate_second(&bench, 0);
    size_t n = report_json(&bench, json, sizeof json);
    CHECK(n > 300 && report_seal(key, nonce, json, sealed, sizeof sealed) > n);
    CHECK(report_unseal(key, sealed, back, sizeof back) == n && str_eq(json, back));
    sealed[40] = sealed[40] == 'A' ? 'B' : 'A';
    CHECK(report_unseal(key, sealed, back, sizeof back) == 0);
    return true;
}

static bool test_modbus_2(void)
{
    uint8_t request[32], answer[MODBUS_MAX_FRAME];
    size_t n;
    app_reset(&bench);
    CHECK(str_to_bytes("01 10 0001 0002 04 1388 0007", request, sizeof request - 2u, &n));
    uint16_t crc = crc16_modbus(request, n);
    request[n++] = (uint8_t)crc;
    request[n++] = (uint8_t)(crc >> 8);
    CHECK(modbus_answer(&bench, 1, request, n, answer) == 8 && bench.relay.limit_mw == 5000000);
    const uint8_t id[] = {1, 17, 0xC0, 0x2C};
    CHECK(modbus_answer(&bench, 1, id, sizeof id, answer) == 16 && memcmp(answer + 3, "SLD-000001", 10) == 0);
    return true;
}

const selftest_t selftests_v2[] = {
    {"harmonics", test_harmonics}, {"quality", test_quality},   {"json", test_json},
    {"report", test_report},       {"modbus-2", test_modbus_2},
};

const size_t selftests_v2_count = ARRAY_LEN(selftests_v2);
