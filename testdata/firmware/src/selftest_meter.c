/* Self-tests of metering and of the protocols, on an application state of their own. */
#include "app.h"
#include "console.h"
#include "crc.h"
#include "display.h"
#include "dlms.h"
#include "events.h"
#include "modbus.h"
#include "registers.h"
#include "selftest.h"
#include "str.h"

static app_t bench;

static void fresh_bench(uint32_t seconds)
{
    app_reset(&bench);
    events_clear();
    for (uint32_t i = 0; i < seconds; i++) {
        app_simulate_second(&bench, i * 1000u);
    }
}

static bool test_metering(void)
{
    fresh_bench(2);
    const values_t *v = &bench.meter.values;
    CHECK(selftest_near(v->phase[0].voltage_mv, 230000, 100) && selftest_near(v->phase[0].current_ma, 5000, 10));
    CHECK(selftest_near(v->phase[0].active_mw, 1150000, 2000) && selftest_near(v->phase[0].power_factor, 1000, 3));
    CHECK(selftest_near(v->phase[1].power_factor, 900, 3) && selftest_near(v->phase[2].power_factor, 800, 3));
    CHECK(selftest_near(v->phase[2].reactive_mvar, 1104000, 6000) && selftest_near(v->frequency_mhz, 50000, 20));
    bench.waveform.frequency_mhz = 50200;
    bench.waveform.voltage_peak[1] = 0;
    app_simulate_second(&bench, 3000);
    CHECK(selftest_near(v->frequency_mhz, 50200, 20) && events_count(EVENT_PHASE_LOST) == 1);
    return true;
}

static bool test_energy(void)
{
    static meter_t m;
    meter_init(&m);
    /* 12.345678 kW for an hour of 18000 windows */
    for (int i = 0; i < 18000; i++) {
        meter_add_energy(&m, 12345678, -500000);
    }
    CHECK(m.energy.reactive_varh == 500 && m.energy.import_wh[0] == 12345);
    meter_set_tariff(&m, 2);
    for (int i = 0; i < 18000; i++) {
        meter_add_energy(&m, -3600000, 0);
    }
    CHECK(meter_total_export(&m) >= 3599 && meter_total_export(&m) <= 3600 && m.energy.export_wh[0] == 0);
#if FIRMWARE_VERSION >= FW_1_1
    /* a switch every half watt-hour loses nothing */
    meter_init(&m);
    for (int i = 0; i < 1000; i++) {
        meter_add_energy(&m, 9000000, 0);
        meter_set_tariff(&m, (uint8_t)(i & 1));
    }
    CHECK(meter_total_import(&m) == 500);
#endif
    return true;
}

static bool test_tariff(void)
{
    static const struct {
        const char *time; /* UTC */
        uint8_t tariff;
    } cases[] = {
        {"2026-01-12 06:30:00", 2}, {"2026-01-12 02:00:00", 1}, {"2026-01-17 10:00:00", 0}, {"2026-01-18 10:00:00", 1},
        {"2026-07-06 10:00:00", 3}, {"2026-07-06 20:30:00", 1}, {"2026-04-03 06:00:00", 1}, {"2026-04-06 09:30:00", 3},
        {"2026-05-14 15:00:00", 1}, {"2026-12-25 11:00:00", 1}, {"2030-06-10 05:00:00", 1}, {"2026-11-11 17:00:00", 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        datetime_t t;
        CHECK(calendar_parse(cases[i].time, &t));
        CHECK(tariff_at(&tariff_standard, calendar_to_seconds(&t)) == cases[i].tariff);
    }
    return true;
}

static bool test_profile(void)
{
    static profile_day_t d, back;
    uint8_t packed[PROFILE_PACKED];
    profile_start(&d, 9600);
    for (uint32_t i = 0; i < PROFILE_VALUES; i++) {
        CHECK(profile_add(&d, 100u + (i / 8u) * 37u % 50u));
    }
    CHECK(!profile_add(&d, 1));
    size_t n = profile_pack(&d, packed, sizeof packed);
    CHECK(n > 0 && n < PROFILE_VALUES && profile_unpack(&back, packed, n));
    CHECK(back.day == d.day && back.count == d.count && memcmp(back.values, d.values, sizeof d.values) == 0);
    CHECK(!profile_unpack(&back, packed, n - 1u));
    return true;
}

static bool test_relay(void)
{
    relay_t r;
    relay_init(&r, 10000);
    uint32_t now = 0;
    for (uint32_t trip = 1; trip <= 3; trip++) {
        CHECK(relay_step(&r, 10001, now) && r.state == RELAY_WARNING && relay_is_closed(&r));
        CHECK(!relay_step(&r, 10001, now + 9999u) && relay_step(&r, 10001, now + 10000u) && r.trips == trip);
        now += 10000;
        if (trip < 3) {
            CHECK(!relay_step(&r, 0, now + 59999u) && relay_step(&r, 0, now + 60000u));
            now += 60000;
        }
    }
    CHECK(r.state == RELAY_LOCKED && !relay_step(&r, 0, now + 1000000u));
    relay_remote(&r, true, now);
    CHECK(relay_is_closed(&r) && r.trips == 0);
    return true;
}

static size_t ask(const char *hex, uint8_t *answer)
{
    uint8_t request[MODBUS_MAX_FRAME];
    size_t n = 0;
    (void)str_to_bytes(hex, request, sizeof request - 2u, &n);
    uint16_t crc = crc16_modbus(request, n);
    request[n] = (uint8_t)crc;
    request[n + 1u] = (uint8_t)(crc >> 8);
    return modbus_answer(&bench, 1, request, n + 2u, answer);
}

static bool test_modbus(void)
{
    uint8_t answer[MODBUS_MAX_FRAME];
    fresh_bench(1);
    CHECK(ask("01 04 0000 0002", answer) == 9 && answer[2] == 4);
    int32_t mv = (int32_t)((uint32_t)answer[3] << 24 | (uint32_t)answer[4] << 16 | (uint32_t)answer[5] << 8 | answer[6]);
    CHECK(mv == bench.meter.values.phase[0].voltage_mv);
    CHECK(ask("01 06 0001 2710", answer) == 8 && bench.relay.limit_mw == 10000000);
    CHECK(ask("01 03 0000 0002", answer) == 9 && selftest_bytes(answer, 7, "01030400012710"));
    CHECK(ask("01 06 0000 0002", answer) == 5 && selftest_bytes(answer, 3, "018603"));
    CHECK(ask("01 2b 0000 0002", answer) == 5 && selftest_bytes(answer, 3, "01ab01"));
    CHECK(ask("02 04 0000 0002", answer) == 0 && ask("01 04 0000 0080", answer) == 5);
#if FIRMWARE_VERSION >= FW_1_1
    CHECK(ask("01 03 0004 0003", answer) == 5 && selftest_bytes(answer, 3, "018302"));
#endif
    return true;
}

static bool test_dlms(void)
{
    uint8_t request[13], answer[DLMS_MAX_ANSWER];
    size_t n;
    fresh_bench(1);
    CHECK(str_to_bytes("c001c1 0003 0100200700ff 02 00", request, sizeof request, &n) && n == 13);
    CHECK(dlms_answer(&bench, request, n, answer, sizeof answer) == 13 && selftest_bytes(answer, 5, "c401c10014"));
    CHECK((answer[11] << 8 | answer[12]) == (bench.meter.values.phase[0].voltage_mv & 0xFFFF));
    request[11] = 3;
    n = dlms_answer(&bench, request, n, answer, sizeof answer);
    CHECK(selftest_bytes(answer, n, "c401c10002020ffd1623"));
    request[7] = 99;
    n = dlms_answer(&bench, request, 13, answer, sizeof answer);
    CHECK(selftest_bytes(answer, n, "c401c10104"));
    CHECK(dlms_answer(&bench, request, 12, answer, sizeof answer) == 0);
    return true;
}

static bool test_registers(void)
{
    uint8_t code[6];
    char text[32];
    fresh_bench(1);
    for (size_t i = 0; i < register_count; i++) {
        (void)register_code_text(registers[i].code, text, sizeof text);
        CHECK(register_parse(text, code) && register_find(code) == &registers[i]);
        (void)registers[i].read(&bench, registers[i].argument);
    }
    CHECK(!register_parse("1-0:1.8", code) && !register_parse("1-0:1.8.256", code) && register_parse("1-0:1.8.0", code));
    (void)unit_format(-12345, -3, UNIT_VOLT, text, sizeof text);
    CHECK(str_eq(text, "-12.345 V"));
    (void)unit_format(12, 2, UNIT_COUNT, text, sizeof text);
    CHECK(str_eq(text, "1200"));
    return true;
}

static bool test_alarm(void)
{
    int32_t v;
    fresh_bench(2);
    str_copy(bench.alarm, sizeof bench.alarm, "u1 > 229000 && p1 + p2 > 1000000");
    app_simulate_second(&bench, 3000);
    CHECK(bench.alarm_active && app_lookup(&bench, "i3", &v) && selftest_near(v, 8000, 10));
    str_copy(bench.alarm, sizeof bench.alarm, "t > 60");
    app_simulate_second(&bench, 4000);
    CHECK(!bench.alarm_active && !app_lookup(&bench, "i4", &v) && !app_lookup(&bench, "zz", &v));
    return true;
}

static bool test_display(void)
{
    static display_t d;
    uint32_t lit = 0;
    display_clear(&d);
    display_text(&d, 0, 0, "T");
    CHECK(display_pixel(&d, 0, 0) && display_pixel(&d, 4, 0) && display_pixel(&d, 2, 6) && !display_pixel(&d, 0, 1));
    for (uint32_t page = 0; page < 12; page++) {
        display_page(&d, &bench, page);
        lit = 0;
        for (uint32_t y = 0; y < DISPLAY_HEIGHT; y++) {
            for (uint32_t x = 0; x < DISPLAY_WIDTH; x++) {
                lit += display_pixel(&d, x, y);
            }
        }
        CHECK(lit > 30 && lit < 800);
    }
    return true;
}

static bool test_commands(void)
{
    char bad[] = "no-such-quoted \"thing\"";
    char *words[CONSOLE_WORDS];
    CHECK(str_split(bad, words, CONSOLE_WORDS) == 2 && str_eq(words[1], "thing"));
    for (size_t i = 0; i < command_count; i++) {
        CHECK(commands[i].min_words >= 1 && commands[i].max_words >= commands[i].min_words && commands[i].run);
        CHECK(i == 0 || !str_eq(commands[i - 1u].name, commands[i].name));
    }
    fresh_bench(0);
    char line[] = "source u 2 110";
    CHECK(console_execute(&bench, line) && selftest_near(bench.waveform.voltage_peak[1], 12445, 2));
    return true;
}

const selftest_t selftests_meter[] = {
    {"metering", test_metering}, {"energy", test_energy},       {"tariff", test_tariff}, {"profile", test_profile},
    {"relay", test_relay},       {"modbus", test_modbus},       {"dlms", test_dlms},     {"registers", test_registers},
    {"alarm", test_alarm},       {"display", test_display},     {"commands", test_commands},
};

const size_t selftests_meter_count = ARRAY_LEN(selftests_meter);
